"""Occlusion, motion boundaries and mismatches on scenes drawn for the purpose."""

import cv2
import numpy as np
import pytest

from vidstyle.method.disocclusion import (
    BOUNDARY_CONFIDENCE,
    agreement,
    consistent,
    is_still,
    motion_between,
    motion_boundaries,
)
from vidstyle.method.flow.dis import DisFlow


def texture(seed, width=160, height=100):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def scene(left_px):
    """A square of 40 px before a background that stands still."""
    image = texture(0)
    image[30:70, left_px : left_px + 40] = texture(1)[:40, :40]
    return image


def still(height=20, width=30):
    return np.zeros((height, width, 2), np.float32)


def test_what_was_hidden_is_not_trusted_and_the_rest_is():
    motion = motion_between(DisFlow(), scene(60), scene(68))
    # The square has moved by 8 px to the right: that much of the background was uncovered on its left.
    assert float(motion.trust[35:65, 60:68].mean()) < 0.2
    assert float(motion.trust[35:65, 74:104].mean()) > 0.95
    assert float(motion.trust[:, :50].mean()) > 0.98
    assert motion.flow[50, 88] == pytest.approx([-8, 0], abs=0.5)
    assert bool((motion.confidence <= motion.trust).all())


def test_nothing_moves_and_everything_is_trusted():
    motion = motion_between(DisFlow(), scene(60), scene(60))
    assert float(np.abs(motion.flow).max()) < 0.1
    assert float(motion.confidence.min()) == 1


def test_back_and_forth_must_agree():
    backward, forward = still(), still()
    assert consistent(backward, forward).all()
    backward[..., 0] = 2
    assert not consistent(backward, forward).any()  # |2|^2 > 0.01 * 4 + 0.5
    forward[..., 0] = -2
    assert consistent(backward, forward)[:, :-2].all()
    assert not consistent(backward, forward)[:, -2:].any()  # from outside
    # On the border of Sundaram's inequality: gap^2 = 0.49 < 0.5 + ..., and 0.64 > 0.5 + 0.01 * (1.44 + 4)
    for gap, agrees in ((0.7, True), (0.8, False)):
        forward[..., 0] = -2 + gap
        assert bool(consistent(backward, forward)[:, :-2].all()) == agrees


def test_motion_boundaries_lie_where_motion_changes():
    flow = still()
    flow[:, 15:, 0] = 1
    found = motion_boundaries(flow)
    assert found[:, 14:16].all()
    assert not found[:, :13].any()
    assert not found[:, 17:].any()
    # A slope as steep as the flow is long is no boundary far out: 0.05^2 < 0.01 * |w|^2 + 0.002
    zoom = np.dstack([np.tile(np.arange(30, dtype=np.float32) * 0.05, (20, 1))] * 2)
    assert not motion_boundaries(zoom)[5:-5, 15:].any()


def test_boundaries_hold_paint_less_firmly():
    motion = motion_between(DisFlow(), scene(60), scene(62))
    at_boundary = motion_boundaries(motion.flow)
    assert at_boundary.any()
    np.testing.assert_allclose(
        motion.confidence[at_boundary], BOUNDARY_CONFIDENCE * motion.trust[at_boundary], rtol=1e-6
    )


def test_agreement_is_of_pictures_not_of_light():
    earlier = texture(2)
    nowhere = still(*earlier.shape[:2])
    everywhere = np.ones(earlier.shape[:2], bool)
    assert float(agreement(earlier, earlier, nowhere, everywhere).min()) == 1
    darker = (0.7 * earlier.astype(np.float32) + 10).astype(np.uint8)
    assert float(agreement(earlier, darker, nowhere, everywhere).min()) > 0.99
    other = earlier.copy()
    other[20:40, 30:60] = 255 - other[20:40, 30:60]
    seen = agreement(earlier, other, nowhere, everywhere)
    assert float(seen[24:36, 34:56].mean()) < 0.2
    assert float(seen[60:].mean()) > 0.95


def test_flat_pictures_agree():
    flat = np.full((30, 40, 3), 7, np.uint8)
    assert float(agreement(flat, flat + 90, still(30, 40), np.ones((30, 40), bool)).min()) == 1


@pytest.mark.parametrize("width_px", [4, 16])
def test_something_bright_that_comes_in_is_no_change_of_light(width_px):
    earlier = (texture(2) * 0.3).astype(np.uint8)
    now = earlier.copy()
    now[:, -width_px:] = 245
    trust = motion_between(DisFlow(), earlier, now).trust
    assert float(trust[:, : -width_px - 12].mean()) > 0.98
    assert float(trust[:, -width_px:].mean()) < 0.1


def test_the_border_of_a_still_scene_with_grain_is_trusted():
    grain = np.random.default_rng(6)
    earlier, now = (np.clip(texture(2) + grain.normal(0, 2, texture(2).shape), 0, 255).astype(np.uint8) for _ in "ab")
    trust = motion_between(DisFlow(), earlier, now).trust
    border = np.concatenate([trust[0], trust[-1], trust[:, 0], trust[:, -1]])
    assert float(border.mean()) > 0.97


# -- where nothing moves ----------------------------------------------------------------------


def with_grain(picture, seed, levels=2.0):
    grain = np.random.default_rng(seed).normal(0, levels, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def stillness(earlier, now):
    flow = DisFlow()(now, earlier)
    return is_still(earlier, now, flow, np.ones(flow.shape[:2], bool))


def with_flat_middle():
    picture = texture(2, width=240, height=160)
    picture[50:110, 80:160] = 120
    return picture


def test_a_scene_with_grain_is_still_where_flow_wanders_too():
    earlier, now = (with_grain(with_flat_middle(), seed) for seed in (1, 2))
    wandering = np.hypot(*cv2.split(DisFlow()(now, earlier)))[60:100, 90:150]
    assert float(wandering.max()) > 0.1
    assert float(stillness(earlier, now).mean()) > 0.9
    motion = motion_between(DisFlow(), earlier, now)
    assert float((motion.flow == 0).all(-1).mean()) > 0.9


@pytest.mark.parametrize("contrast", [1.0, 0.25])
def test_strong_grain_is_not_taken_for_motion(contrast):
    plain = np.round(with_flat_middle() * contrast + 60).astype(np.uint8)
    still = stillness(with_grain(plain, 1, 4.0), with_grain(plain, 2, 4.0))
    assert float(still.mean()) > 0.98


@pytest.mark.parametrize("step_px", [0.1, 0.15, 0.4, 3.0, 8.0])
def test_a_pan_is_not_still_even_where_it_is_flat(step_px):
    def seen_from(x_px):
        move = np.array([[1, 0, -x_px], [0, 1, 0]], np.float32)
        return cv2.warpAffine(with_flat_middle(), move, (240, 160), borderMode=cv2.BORDER_REFLECT)

    assert float(stillness(seen_from(1), seen_from(1 + step_px)).mean()) < 0.02


def test_a_thing_that_moves_is_not_still_and_leaves_the_rest_still():
    still = stillness(scene(60), scene(63))
    assert float(still[32:68, 66:98].mean()) < 0.05
    flow = motion_between(DisFlow(), scene(60), scene(63)).flow
    assert flow[50, 80] == pytest.approx([-3, 0], abs=0.3)


def test_flat_frames_are_still():
    flat = np.full((40, 60, 3), 90, np.uint8)
    assert stillness(flat, flat).all()
