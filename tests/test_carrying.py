"""What the painted past hands on, and noise that drifts with the picture."""

import numpy as np
import pytest
from flow.test_trust import scene, texture

from vidstyle.carrying import Chain, DriftingNoise
from vidstyle.flow.dis import DisFlow


def tinted(picture):
    """Returns a picture as if it were painted: other levels, and another contrast."""
    return (picture * 0.6 + (90, 10, 40)).astype(np.uint8)


def chain_of(frames, window=(1,)):
    """Returns a chain over frames painted in other colours."""
    chain = Chain(window)
    for frame in frames:
        chain.add(frame, tinted(frame))
    return chain


def test_paint_arrives_where_things_have_gone():
    carried = chain_of([scene(60)]).carried(scene(66), DisFlow())
    wanted = tinted(scene(66)).astype(np.float32)
    held = carried.confidence > 0.9
    assert 0.85 < held.mean() < 1
    assert np.abs(carried.reference - wanted)[held].mean() < 3
    assert np.abs(carried.start - wanted)[held].mean() < 3
    assert 0.9 < carried.covered < 1


def test_uncovered_places_begin_in_the_colours_around_them():
    carried = chain_of([scene(60)]).carried(scene(68), DisFlow())
    uncovered = carried.start[35:65, 61:67]
    wanted = tinted(scene(68))[35:65, 61:67]
    assert np.abs(uncovered.mean((0, 1)) - wanted.mean((0, 1))).max() < 15
    assert float(carried.confidence[35:65, 61:67].mean()) < 0.2


@pytest.mark.parametrize(("window", "remembers"), [((1,), False), ((1, 3), True)])
def test_what_comes_back_into_view_is_remembered(window, remembers):
    # The square hides a place, and leaves it again: its paint was seen three frames ago.
    frames = [scene(100), scene(60), scene(64)]
    carried = chain_of(frames, window).carried(scene(100), DisFlow())
    back = carried.confidence[35:65, 64:96]
    assert (float(back.mean()) > 0.9) == remembers


def test_the_nearest_frame_comes_first():
    frame = texture(3)
    chain = Chain((1, 2))
    chain.add(frame, np.full_like(frame, 10))
    chain.add(frame, np.full_like(frame, 200))
    chain.begin(np.full_like(frame, 200))
    assert np.abs(chain.carried(frame, DisFlow()).reference - 200).max() < 1e-3


def test_levels_are_led_back_a_little_each_frame():
    frame = texture(3)
    chain = Chain((1,))
    chain.begin(frame)
    chain.add(frame, (frame * 0.8 + 40).astype(np.uint8))
    carried = chain.carried(frame, DisFlow()).reference
    before = (frame * 0.8 + 40).astype(np.uint8)
    step = carried.mean((0, 1)) - before.mean((0, 1))
    assert np.abs(step) == pytest.approx([0.25] * 3, abs=0.02)
    assert carried.std((0, 1)) - before.std((0, 1)) == pytest.approx([0.25] * 3, abs=0.02)


def test_a_restarted_chain_has_no_past():
    chain = chain_of([scene(60)])
    assert chain.last is not None
    chain.restart()
    assert chain.last is None


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
