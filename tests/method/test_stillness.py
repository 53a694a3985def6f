"""Still scenes with grain, and slow motion that must not be taken for them."""

import cv2
import numpy as np
import pytest
from flow.test_occlusion import scene, texture

from vidstyle.method.disocclusion import motion_between
from vidstyle.method.flow.dis import DisFlow
from vidstyle.method.stillness import is_still


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
