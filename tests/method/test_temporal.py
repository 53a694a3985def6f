"""What the painted past hands on."""

import cv2
import numpy as np
import pytest
from flow.test_occlusion import scene, texture

from vidstyle.method.carrying import SETTLED_AFTER_FRAMES, Chain
from vidstyle.method.coverage import coverage_of
from vidstyle.method.flow.dis import DisFlow


def tinted(picture):
    """Returns a picture as if it were painted: other levels, and another contrast."""
    return (picture * 0.6 + (90, 10, 40)).astype(np.uint8)


def chain_of(frames, window=(1,)):
    """Returns a chain over frames painted in other colors."""
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


def test_content_that_shines_through_paint_is_that_of_the_frame():
    before, now = (scene(60).astype(np.float32) * light for light in (0.8, 0.85))
    chain = Chain((1,))
    chain.add(before.astype(np.uint8), (before / 2 + 50).astype(np.uint8))
    chain.begin((before / 2 + 50).astype(np.uint8))
    stale, fresh = (chain.carried(now.astype(np.uint8), DisFlow(), content_share=share) for share in (0, 0.5))
    assert np.abs(fresh.reference - (now / 2 + 50)).mean() < 1
    assert np.abs(fresh.reference - (now / 2 + 50)).mean() < 0.5 * np.abs(stale.reference - (now / 2 + 50)).mean()


def test_uncovered_places_begin_in_the_colors_around_them():
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


def test_what_a_pan_uncovers_is_wet_for_a_while_and_held_the_more_the_older_it_is():
    wide = texture(5, width=260)
    frames = [np.ascontiguousarray(wide[:, 4 * k : 4 * k + 160]) for k in range(14)]
    chain = chain_of(frames[:1])
    for frame in frames[1:]:
        carried = chain.carried(frame, DisFlow())
        chain.add(frame, tinted(frame))
    unsettled = carried.unsettled.mean(0)
    # 4 px a frame for 8 frames, at the right border; what came before is dry again.
    assert (unsettled[:-40] < 0.1).all()
    assert (unsettled[-28:] > 0.9).all()
    held = carried.confidence.mean(0)
    assert held[-30] > held[-20] > held[-10] > held[-3] - 1e-6
    assert held[-20] == pytest.approx(4.5 / SETTLED_AFTER_FRAMES, abs=0.2)


@pytest.mark.parametrize("step_px", [0.3, 0.6])
def test_what_a_slow_pan_uncovers_is_wet_too(step_px):
    large = cv2.resize(texture(5, width=200), None, fx=10, fy=10, interpolation=cv2.INTER_CUBIC)
    places = [round(10 * step_px * k) for k in range(40)]
    frames = [cv2.resize(large[:, x : x + 1600], (160, 96), interpolation=cv2.INTER_AREA) for x in places]
    chain = chain_of(frames[:1])
    for frame in frames[1:]:
        unsettled = chain.carried(frame, DisFlow()).unsettled.mean(0)
        chain.add(frame, tinted(frame))
    uncovered_px = step_px * SETTLED_AFTER_FRAMES
    assert unsettled[-12:].sum() == pytest.approx(uncovered_px, abs=2.5)
    assert unsettled[-1] == 1
    assert unsettled[:-12].mean() < 0.05


def test_what_comes_back_is_dry():
    frames = [scene(100), scene(60), scene(64)]
    for window, is_dry in (((1,), False), ((1, 3), True)):
        chain = Chain(window)
        for frame in frames:
            chain.pass_over(frame, tinted(frame), DisFlow())
        unsettled = chain.carried(scene(100), DisFlow()).unsettled[35:65, 66:94]
        assert (unsettled.mean() < 0.05) == is_dry


def test_older_frames_are_looked_at_only_where_something_is_uncovered():
    calls = []

    def estimate(here, there):
        calls.append(1)
        return DisFlow()(here, there)

    chain = chain_of([scene(60), scene(60), scene(60)], window=(1, 2, 3))
    chain.carried(scene(60), estimate)
    assert len(calls) == 2
    chain.carried(scene(70), estimate)
    assert len(calls) == 2 + 6


def mask_from(x_px, width_px=40, level=255):
    """Returns a coverage of a scene: a band of some columns is painted."""
    mask = np.zeros(scene(60).shape[:2], np.uint8)
    mask[:, x_px : x_px + width_px] = level
    return coverage_of(mask.shape, mask, [], None)


def test_only_what_was_painted_is_carried_and_what_a_mask_uncovers_is_new():
    frame, before, now = scene(60), mask_from(20), mask_from(23)
    chain = Chain((1,))
    chain.add(frame, before.blended(frame, tinted(frame)), before)
    assert not chain.is_settling
    carried = chain.carried(frame, DisFlow(), now)
    assert carried.unsettled[:, 60:63].all()
    assert not carried.unsettled[:, :60].any()
    assert not carried.unsettled[:, 63:].any()
    assert carried.confidence[:, 25:58].mean() > 0.9
    assert not carried.confidence[:, 61:].any()
    assert not carried.confidence[:, :23].any()
    assert carried.covered == pytest.approx(37 / 40, abs=0.02)
    assert np.abs(carried.start - tinted(frame))[:, 25:58].max() < 2


def test_a_mask_that_stays_leaves_nothing_new_at_its_edge():
    frame, band = scene(60), mask_from(20)
    chain = Chain((1,))
    for _ in range(2):
        chain.pass_over(frame, band.blended(frame, tinted(frame)), DisFlow(), band)
    assert not chain.is_settling
    assert not chain.carried(frame, DisFlow(), band).unsettled.any()


def test_half_blended_paint_is_carried_as_paint():
    frame, band = scene(60), mask_from(20, level=128)
    chain = Chain((1,))
    chain.add(frame, band.blended(frame, tinted(frame)), band)
    carried = chain.carried(frame, DisFlow(), band)
    assert np.abs(carried.reference - tinted(frame))[:, 22:58].max() < 3
    assert carried.confidence[:, 22:58].max() == pytest.approx(128 / 255)


def test_paint_is_looked_for_further_back_where_a_mask_was_closed():
    frame, opened, closed = scene(60), mask_from(20), mask_from(0, 0)
    for window, confidence in (((1,), 0), ((1, 2), 1)):
        chain = Chain(window)
        chain.add(frame, opened.blended(frame, tinted(frame)), opened)
        chain.pass_over(frame, frame, DisFlow(), closed)
        assert chain.carried(frame, DisFlow(), opened).confidence[:, 22:58].mean() == pytest.approx(confidence, abs=0.1)
