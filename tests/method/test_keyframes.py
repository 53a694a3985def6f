"""Paint that is carried from keyframes on both sides."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from method.test_disocclusion import scene, texture
from method.test_temporal import tinted

from vidstyle.method.coverage import coverage_of
from vidstyle.method.flow.dis import DisFlow
from vidstyle.method.keyframes import Gap, Painted, _detail, _rms, _sharpened, _weight_of_after, softened


def gap_of(frames):
    """Returns the closed gap of frames, the motion over all of it, and its keyframes in other colors."""
    gap = Gap(DisFlow(), frames[0])
    for frame in frames[1:]:
        gap.add(frame)
    motion = gap.close()
    return gap, motion, [Painted.of(frame, tinted(frame), None) for frame in (frames[0], frames[-1])]


def carried(frames, number):
    gap, _, keyframes = gap_of(frames)
    before = Painted.of(frames[number - 1], tinted(frames[number - 1]), None)
    return gap.carried(number, *keyframes, before)


def test_the_way_over_several_frames_is_that_of_the_thing_in_them():
    frames = [scene(x) for x in range(40, 64, 4)]
    _, motion, _ = gap_of(frames)
    trusted = motion.trust > 0.9
    assert 0.6 < trusted.mean() < 1
    # Each step is estimated, so that the whole way is off by a fraction of a pixel.
    moved = np.abs(motion.flow[..., 0]) > 10
    assert motion.flow[..., 0][moved & trusted].mean() == pytest.approx(-20, abs=0.7)


def test_ways_to_both_keyframes_are_as_long_as_what_moved():
    gap, _, _ = gap_of([scene(x) for x in range(40, 64, 4)])
    inside = (slice(40, 60), slice(66, 74))  # of the square, in all of these frames
    for number in range(1, 5):
        before, after = (ways[number - 1].flow[inside][..., 0].mean() for ways in (gap._from_before, gap._from_after))
        assert before == pytest.approx(-4 * number, abs=0.5)
        assert after == pytest.approx(4 * (5 - number), abs=0.5)


def test_a_place_that_no_keyframe_shows_is_content_in_the_colors_of_the_paint():
    # Something comes and is gone again between two keyframes.
    frames = [texture(0), scene(60), texture(0)]
    gap, _, (before, after) = gap_of(frames)
    found = gap.carried(1, before, after, before)[35:65, 65:95]
    shape = (frames[1][35:65, 65:95].mean(2) - frames[1][35:65, 65:95].mean()).ravel()
    assert np.corrcoef(found.mean(2).ravel(), shape)[0, 1] > 0.9
    assert np.abs(found.mean((0, 1)) - before.paint.mean((0, 1))).max() < 20


def test_a_gap_ends_sooner_where_no_keyframe_shows_what_is_between():
    # Something comes after three frames, and is gone again after six.
    frames = [scene(60) if 3 <= k < 6 else texture(0) for k in range(9)]
    gap, calm = Gap(DisFlow(), frames[0]), Gap(DisFlow(), texture(0))
    for frame in frames[1:]:
        gap.add(frame)
        calm.add(texture(0))
    gap.shorten()
    calm.shorten()
    # The fourth frame shows it, too, as the keyframe that ends the gap.
    assert (len(gap), len(calm)) == (4, 8)
    assert len(gap.contents) == 5
    keyframes = [Painted.of(frame, tinted(frame), None) for frame in (frames[0], frames[4])]
    assert np.abs(gap.carried(1, *keyframes, keyframes[0]) - tinted(frames[1])).mean() < 1


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_frame_between_has_the_paint_of_both_keyframes(number):
    frames = [scene(x) for x in range(40, 64, 4)] + [scene(64)]
    found = carried(frames, number)
    gaps = np.abs(found - tinted(frames[number]).astype(np.float32)).mean(2)
    assert np.median(gaps) < 2
    assert np.mean(gaps < 12) > 0.95


def test_what_one_keyframe_hides_the_other_shows():
    # The thing has left its place at the last frame, and stands before other things in the first.
    frames = [scene(x) for x in range(40, 72, 6)]
    gap, motion, _ = gap_of(frames)
    alone = 1 - motion.trust.mean()
    both = [1 - np.maximum(a.trust, b.trust).mean() for a, b in zip(gap._from_before, gap._from_after, strict=False)]
    assert max(both) < alone / 2


def test_more_is_lost_the_farther_things_move():
    gap, lost = Gap(DisFlow(), scene(40)), []
    for x in range(44, 68, 4):
        gap.add(scene(x))
        lost.append(gap.lost)
    assert lost == sorted(lost)
    assert lost[-1] > 3 * lost[0] > 0


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 6), st.integers(0, 3))
def test_a_still_scene_keeps_its_paint_to_the_level(count, seed):
    frame = texture(seed)
    found = carried([frame] * (count + 1), count - 1)
    assert np.array_equal(np.rint(found), tinted(frame))


def test_paint_goes_from_one_keyframe_to_the_other_without_a_jump():
    frames = [texture(1)] * 9
    gap, _, (before, after) = gap_of(frames)
    after = after._replace(paint=255 - before.paint)
    difference = np.abs(after.paint.astype(np.float32) - before.paint).mean()
    shares, last = [0.0], before
    for number in range(1, 8):
        last = last._replace(paint=np.rint(gap.carried(number, before, after, last)).astype(np.uint8))
        shares.append(float(np.abs(last.paint.astype(np.float32) - before.paint).mean() / difference))
    steps = np.diff([*shares, 1.0])
    assert min(steps) > 0
    assert max(steps) < 0.35
    assert shares[1] < 0.05


def test_where_both_sides_are_trusted_alike_a_choice_is_made():
    paints = [np.zeros((8, 8, 3), np.float32), np.full((8, 8, 3), 120, np.float32)]
    trusts = [np.ones((8, 8), np.float32)] * 2
    alike = [_weight_of_after(trusts, [paints[0]] * 2, share).mean() for share in (0.25, 0.5, 0.75)]
    assert alike == pytest.approx([0.25, 0.5, 0.75])
    # At 120 levels of difference the odds of 1 to 3 count three times: 1 to 27.
    different = [_weight_of_after(trusts, paints, share).mean() for share in (0.25, 0.5, 0.75)]
    assert different == pytest.approx([1 / 28, 0.5, 27 / 28], rel=1e-4)


def test_the_side_that_is_trusted_shows():
    trusts = [np.zeros((8, 8), np.float32), np.ones((8, 8), np.float32)]
    paints = [np.zeros((8, 8, 3), np.float32)] * 2
    assert _weight_of_after(trusts, paints, 0.1).min() > 0.99


def test_what_a_mask_left_out_has_no_paint_to_pass_on():
    frames = [texture(1)] * 5
    gap, _, (_, after) = gap_of(frames)
    mask = np.zeros(frames[0].shape[:2], np.uint8)
    mask[:, :20] = 255
    covered = coverage_of(mask.shape, mask)
    bare = Painted.of(frames[0], covered.blended(frames[0], np.zeros_like(frames[0])), covered)
    found = gap.carried(2, bare, after, bare)
    assert np.abs(found[:, 30:] - after.paint[:, 30:]).mean() < 0.5
    assert found[:, :15].mean() < 0.75 * after.paint[:, :15].mean()


def test_a_frame_that_repeats_the_one_before_is_known():
    frames = [texture(1), texture(2), texture(2), texture(3)]
    gap, _, _ = gap_of(frames)
    last = Painted.of(frames[1], tinted(frames[1]), None)
    assert gap.is_repeated(2, None, last)
    assert not gap.is_repeated(1, None, last._replace(content=frames[0]))
    mask = np.full(frames[0].shape[:2], 200, np.uint8)
    assert not gap.is_repeated(2, coverage_of(mask.shape, mask), last)


def detail_rms(picture):
    return _rms(_detail(picture.astype(np.float32)))


def test_a_frame_between_is_as_sharp_as_the_keyframes():
    # Half a pixel a frame: every second frame is resampled where it hurts most.
    wide = cv2.resize(texture(3), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    frames = [cv2.resize(wide[:, k : k + 280], (140, 100), interpolation=cv2.INTER_AREA) for k in range(5)]
    gap, _, (before, after) = gap_of(frames)
    grain = np.random.default_rng(0).integers(-20, 21, before.paint.shape)
    before, after = (
        each._replace(paint=np.clip(each.paint + grain, 0, 255).astype(np.uint8)) for each in (before, after)
    )
    last = before
    for number in (1, 2, 3):
        last = last._replace(content=frames[number - 1])
        found = gap.carried(number, before, after, last)
        assert detail_rms(found) == pytest.approx(detail_rms(before.paint), rel=0.05)
        last = last._replace(paint=np.rint(found).astype(np.uint8))


def test_what_is_sharp_enough_is_left_alone():
    picture = texture(2).astype(np.float32)
    assert _sharpened(picture, detail_rms(picture)) is picture
    assert np.array_equal(_sharpened(np.zeros_like(picture), 3), np.zeros_like(picture))
    assert detail_rms(_sharpened(picture / 2 + 60, 1.2 * detail_rms(picture / 2))) == pytest.approx(
        1.2 * detail_rms(picture / 2), rel=0.02
    )


def test_a_keyframe_loses_its_finest_detail_alone():
    fine = np.where(np.indices((40, 40, 3)).sum(0) % 2, 200, 100).astype(np.uint8)
    coarse = np.asarray(cv2.resize(fine[:8, :8], (40, 40), interpolation=cv2.INTER_CUBIC))
    assert np.ptp(softened(fine)[5:-5, 5:-5].astype(int)) == pytest.approx(100 * 0.84**2, abs=2)
    assert np.abs(softened(coarse).astype(int) - coarse).max() <= 6
    assert np.array_equal(softened(np.full((16, 16, 3), 255, np.uint8)), np.full((16, 16, 3), 255, np.uint8))
