"""Noise that drifts with the picture."""

import numpy as np
import pytest
from flow.test_occlusion import scene, texture

from vidstyle.method.flow.dis import DisFlow
from vidstyle.method.noise import DriftingNoise


def test_noise_of_a_seed_is_the_same_and_uniform():
    first, again, other = (DriftingNoise(seed).follow(scene(60), None) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.mean() == pytest.approx(0.5, abs=0.01)
    assert first.std() == pytest.approx(12**-0.5, abs=0.01)


def test_noise_drifts_with_what_is_seen_and_is_never_blurred():
    noise, wide = DriftingNoise(4), texture(5, width=200)
    frames = [np.ascontiguousarray(wide[:, 2 * k : 2 * k + 160]) for k in range(6)]
    fields = [noise.follow(frame, DisFlow()) for frame in frames]
    # The camera moves by 2 px a frame to the right, so noise moves to the left.
    same = (fields[5][10:-10, 20:120] == fields[0][10:-10, 30:130]).all(-1)
    assert same.mean() > 0.8
    assert fields[5].std() == pytest.approx(12**-0.5, abs=0.01)


def test_noise_follows_motion_of_less_than_a_pixel():
    noise = DriftingNoise(4)
    wide = texture(5, width=200).astype(np.float32)
    fields = []
    for k in range(9):
        left, share = divmod(0.25 * k, 1)
        left = int(left)
        frame = wide[:, left : left + 160] * (1 - share) + wide[:, left + 1 : left + 161] * share
        fields.append(noise.follow(frame.astype(np.uint8), DisFlow()))
    same = (fields[8][10:-10, 20:120] == fields[0][10:-10, 22:122]).all(-1)
    assert same.mean() > 0.6


def test_noise_without_flow_stays_and_a_cut_renews_it():
    noise = DriftingNoise(4)
    first = noise.follow(scene(60), None)
    assert np.array_equal(noise.follow(scene(70), None), first)
    noise.follow(scene(75), DisFlow())
    noise.restart()
    assert np.array_equal(noise.follow(scene(20), DisFlow()), first)


@pytest.mark.parametrize("step_px", [1, 4])
def test_what_a_pan_uncovers_is_noise_that_was_not_there(step_px):
    noise, wide = DriftingNoise(4), texture(5, width=400)
    for k in range(160 // step_px):
        field = noise.follow(np.ascontiguousarray(wide[:, step_px * k : step_px * k + 120]), DisFlow())
    centerd = field[..., 0] - 0.5
    for lag_px in (1, 2, 4, 8):
        assert abs(float((centerd[:, lag_px:] * centerd[:, :-lag_px]).mean())) * 12 < 0.1
