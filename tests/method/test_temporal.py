"""What the frames before pass on to the next one."""

import cv2
import numpy as np
import pytest
from method.test_disocclusion import scene, texture

from vidstyle import Settings
from vidstyle.method.coverage import coverage_of
from vidstyle.method.flow.dis import DisFlow
from vidstyle.method.look import Look
from vidstyle.method.options import Steps
from vidstyle.method.temporal import SETTLED_AFTER_FRAMES, TemporalState, frames_needed_before

LOOK = Look(1.0, (1.0,), 1.0)
# Without a least gain, so that a repeated frame is warped like any other.
STEPS = Steps(6, 4, 0.0)


def tinted(picture):
    """Returns a picture as if it were stylized: other levels, and another contrast."""
    return (picture * 0.6 + (90, 10, 40)).astype(np.uint8)


def empty_state(window=(1,), estimate_flow=None, **changes):
    options = Settings(temporal_window=window, **changes).options
    return TemporalState(options, estimate_flow or DisFlow())


def state_of(frames, window=(1,), estimate_flow=None):
    """Returns the state after frames that were stylized in other colors."""
    state = empty_state(window, estimate_flow)
    for frame in frames:
        state.accept(frame, tinted(frame), None, LOOK)
    return state


def warped_to(state, content, coverage=None, look=LOOK):
    return state.initialize(content, coverage, look, STEPS).warped


def test_paint_arrives_where_things_have_gone():
    warped = warped_to(state_of([scene(60)]), scene(66))
    wanted = tinted(scene(66)).astype(np.float32)
    held = warped.confidence > 0.9
    assert 0.85 < held.mean() < 1
    assert np.abs(warped.reference - wanted)[held].mean() < 3
    assert np.abs(warped.start - wanted)[held].mean() < 3
    assert 0.9 < warped.covered < 1


def test_content_that_shines_through_paint_is_that_of_the_frame():
    before, now = ((scene(60).astype(np.float32) * light).astype(np.uint8) for light in (0.8, 0.85))
    references = []
    for strength in (0.5, 0.6):  # steady, and rising
        state = empty_state()
        state.accept(before, (before / 2 + 50).astype(np.uint8), None, Look(0.5, (1.0,), 1.0))
        references.append(warped_to(state, now, look=Look(strength, (1.0,), 1.0)).reference)
    stale, fresh = (float(np.abs(reference - (now / 2 + 50)).mean()) for reference in references)
    assert fresh < 1
    assert fresh < 0.5 * stale


def test_disoccluded_places_start_in_the_colors_around_them():
    warped = warped_to(state_of([scene(60)]), scene(68))
    new = warped.start[35:65, 61:67]
    wanted = tinted(scene(68))[35:65, 61:67]
    assert np.abs(new.mean((0, 1)) - wanted.mean((0, 1))).max() < 15
    assert float(warped.confidence[35:65, 61:67].mean()) < 0.2


@pytest.mark.parametrize(("window", "remembers"), [((1,), False), ((1, 3), True)])
def test_what_comes_back_into_view_is_remembered_and_settled(window, remembers):
    # The square hides a place, and leaves it again: its paint was seen three frames ago.
    state = empty_state(window)
    for frame in (scene(100), scene(60), scene(64)):
        state.skip(frame, tinted(frame), None, LOOK)
    warped = warped_to(state, scene(100))
    assert (float(warped.confidence[35:65, 66:94].mean()) > 0.9) == remembers
    assert (float(warped.unsettled[35:65, 66:94].mean()) < 0.05) == remembers


def test_the_nearest_frame_comes_first():
    frame, state = texture(3), empty_state((1, 2))
    state.reset(np.full_like(frame, 200))
    for level in (10, 200):
        state.accept(frame, np.full_like(frame, level), None, LOOK)
    assert np.abs(warped_to(state, frame).reference - 200).max() < 1e-3


def test_levels_are_led_back_a_little_each_frame():
    frame, state = texture(3), empty_state()
    before = (frame * 0.8 + 40).astype(np.uint8)
    state.reset(frame)
    state.accept(frame, before, None, LOOK)
    now = warped_to(state, frame).reference
    assert np.abs(now.mean((0, 1)) - before.mean((0, 1))) == pytest.approx([0.25] * 3, abs=0.02)
    assert now.std((0, 1)) - before.std((0, 1)) == pytest.approx([0.25] * 3, abs=0.02)


def test_after_a_cut_and_at_another_size_a_frame_starts_afresh():
    state = state_of([scene(60)])
    assert not state.initialize(scene(66), None, LOOK, STEPS).is_afresh
    state.reset()
    assert state.initialize(scene(66), None, LOOK, STEPS).is_afresh
    state = state_of([scene(60)])
    assert state.initialize(scene(66)[:, 1:], None, LOOK, STEPS).is_afresh


def test_a_frame_that_is_hardly_covered_takes_a_first_frames_steps():
    state = state_of([scene(60)])
    assert state.initialize(scene(66), None, LOOK, STEPS).iterations == STEPS.later
    assert state.initialize(255 - texture(9), None, LOOK, STEPS).iterations == STEPS.first


def test_a_held_drawing_is_the_frame_before_once_it_is_settled():
    frame, gaining = scene(60), STEPS._replace(least_gain=0.01)
    state = state_of([frame])
    assert np.array_equal(state.initialize(frame, None, LOOK, gaining).repeats, tinted(frame))
    for other in (Look(0.5, (1.0,), 1.0), Look(1.0, (1.0,), 2.0)):
        assert state.initialize(frame, None, other, gaining).repeats is None
    assert state.initialize(frame, None, LOOK, STEPS).repeats is None
    state.accept(scene(70), tinted(scene(70)), None, LOOK)
    warped_to(state, scene(60))  # disoccludes
    state.accept(scene(60), tinted(scene(60)), None, LOOK)
    assert state.initialize(scene(60), None, LOOK, gaining).repeats is None


def test_what_a_pan_disoccludes_is_unsettled_for_a_while_and_held_the_more_the_older_it_is():
    wide = texture(5, width=260)
    frames = [np.ascontiguousarray(wide[:, 4 * k : 4 * k + 160]) for k in range(14)]
    state = state_of(frames[:1])
    for frame in frames[1:]:
        warped = warped_to(state, frame)
        state.accept(frame, tinted(frame), None, LOOK)
    unsettled = warped.unsettled.mean(0)
    # 4 px a frame for 8 frames, at the right border; what came before is settled.
    assert (unsettled[:-40] < 0.1).all()
    assert (unsettled[-28:] > 0.9).all()
    held = warped.confidence.mean(0)
    assert held[-30] > held[-20] > held[-10] > held[-3] - 1e-6
    assert held[-20] == pytest.approx(4.5 / SETTLED_AFTER_FRAMES, abs=0.2)


@pytest.mark.parametrize("step_px", [0.3, 0.6])
def test_what_a_slow_pan_disoccludes_is_unsettled_too(step_px):
    large = cv2.resize(texture(5, width=200), None, fx=10, fy=10, interpolation=cv2.INTER_CUBIC)
    places = [round(10 * step_px * k) for k in range(40)]
    frames = [cv2.resize(large[:, x : x + 1600], (160, 96), interpolation=cv2.INTER_AREA) for x in places]
    state = state_of(frames[:1])
    for frame in frames[1:]:
        unsettled = warped_to(state, frame).unsettled.mean(0)
        state.accept(frame, tinted(frame), None, LOOK)
    assert unsettled[-12:].sum() == pytest.approx(step_px * SETTLED_AFTER_FRAMES, abs=2.5)
    assert unsettled[-1] == 1
    assert unsettled[:-12].mean() < 0.05


def test_older_frames_are_looked_at_only_where_something_is_disoccluded():
    calls = []

    def estimate(here, there):
        calls.append(1)
        return DisFlow()(here, there)

    state = state_of([scene(60), scene(60), scene(60)], (1, 2, 3), estimate)
    warped_to(state, scene(60))
    assert len(calls) == 2
    warped_to(state, scene(70))
    assert len(calls) == 2 + 6


def mask_from(x_px, width_px=40, level=255):
    """Returns a coverage of a scene: a band of some columns is stylized."""
    mask = np.zeros(scene(60).shape[:2], np.uint8)
    mask[:, x_px : x_px + width_px] = level
    return coverage_of(mask.shape, mask, [], None)


def test_only_what_was_stylized_is_warped_and_what_a_mask_uncovers_is_new():
    frame, before, now = scene(60), mask_from(20), mask_from(23)
    state = empty_state()
    state.accept(frame, before.blended(frame, tinted(frame)), before, LOOK)
    warped = warped_to(state, frame, now)
    assert warped.unsettled[:, 60:63].all()
    assert not warped.unsettled[:, :60].any()
    assert not warped.unsettled[:, 63:].any()
    assert warped.confidence[:, 25:58].mean() > 0.9
    assert not warped.confidence[:, 61:].any()
    assert not warped.confidence[:, :23].any()
    assert warped.covered == pytest.approx(37 / 40, abs=0.02)
    assert np.abs(warped.start - tinted(frame))[:, 25:58].max() < 2


def test_a_mask_that_stays_leaves_nothing_new_at_its_edge():
    frame, band, state = scene(60), mask_from(20), empty_state()
    for _ in range(2):
        state.skip(frame, band.blended(frame, tinted(frame)), band, LOOK)
    assert not warped_to(state, frame, band).unsettled.any()


def test_half_blended_paint_is_warped_as_paint():
    frame, band, state = scene(60), mask_from(20, level=128), empty_state()
    state.accept(frame, band.blended(frame, tinted(frame)), band, LOOK)
    warped = warped_to(state, frame, band)
    assert np.abs(warped.reference - tinted(frame))[:, 22:58].max() < 3
    assert warped.confidence[:, 22:58].max() == pytest.approx(128 / 255)


def test_paint_is_looked_for_further_back_where_a_mask_was_closed():
    frame, opened, closed = scene(60), mask_from(20), mask_from(0, 0)
    for window, confidence in (((1,), 0), ((1, 2), 1)):
        state = empty_state(window)
        state.accept(frame, opened.blended(frame, tinted(frame)), opened, LOOK)
        state.skip(frame, frame, closed, LOOK)
        assert warped_to(state, frame, opened).confidence[:, 22:58].mean() == pytest.approx(confidence, abs=0.1)


def test_noise_is_uniform_and_follows_the_seed():
    first, again, other = (
        empty_state(init="noise", seed=seed).initialize(scene(60), None, LOOK, STEPS) for seed in (1, 1, 2)
    )
    assert first.is_afresh
    assert np.array_equal(first.start, again.start)
    assert not np.array_equal(first.start, other.start)
    assert first.start.mean() == pytest.approx(255 / 2, abs=2)
    assert first.start.std() == pytest.approx(255 * 12**-0.5, abs=2)


@pytest.mark.parametrize(
    ("changes", "frames"),
    [
        ({}, 9),
        ({"temporal_window": (1, 4)}, 12),
        ({"flow": "off"}, 5),
        ({"init": "previous"}, 5),
        ({"init": "noise"}, 0),
    ],
)
def test_a_frame_depends_on_few_frames_before_it(changes, frames):
    assert frames_needed_before(Settings(**changes).options) == frames
