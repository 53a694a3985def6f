"""A long shot in parts: the same whoever paints them, and whole shots as ever."""

import itertools
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from hypothesis import given
from hypothesis import strategies as st
from renders import QUICK, contents, render

import vidstyle
from vidstyle import forecast, job_history, job_picture, job_status
from vidstyle.media.stills.images import read_image
from vidstyle.settings import Settings
from vidstyle.shots import FADE_FRAMES, LEAD_IN_FRAMES, shots_of

FRAMES = 50
SPLIT = replace(QUICK, split_shots=48)
UNPAINTED = replace(SPLIT, iterations=0, first_iterations=0)


@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=5),
    split=st.integers(2 * LEAD_IN_FRAMES, 150),
    segment_frames=st.integers(1, 60),
)
def test_parts_of_long_shots(lengths, split, segment_frames):
    marks = list(itertools.accumulate(lengths))
    whole = shots_of(marks[:-1], marks[-1], segment_frames)
    parts = shots_of(marks[:-1], marks[-1], segment_frames, split)
    assert [part.number for part in parts] == list(range(len(parts)))
    assert [p for part in parts for run in part.segments for p in run] == list(range(marks[-1]))
    for shot in whole:
        of_shot = [part for part in parts if shot.start <= part.start < shot.stop]
        sizes = [part.stop - part.start for part in of_shot]
        assert len(sizes) == -(-(shot.stop - shot.start) // split)
        assert max(sizes) <= split
        assert max(sizes) - min(sizes) <= 1
        assert {part.origin for part in of_shot} == {shot.start}
        assert not of_shot[0].lead_in and not of_shot[0].fades_in and not of_shot[-1].fades_out
        for before, after in itertools.pairwise(of_shot):
            assert before.start <= after.first == after.start - LEAD_IN_FRAMES
            assert before.fades_out == after.fades_in == before.segments[-1]
            assert before.fades_out == range(after.start - FADE_FRAMES, after.start)
            assert set(map(before.slot, before.fades_out)).isdisjoint(map(after.slot, after.fades_in))
    # No two frames are kept in one place, and those of the render where they always were.
    slots = [part.slot(p) for part in parts for run in part.runs for p in run]
    assert sorted(slots) == list(range(len(slots)))
    assert all(part.slot(p) == p for part in parts for p in range(part.start, part.stop))


def test_shots_that_are_short_enough_stay_whole():
    segments = [shot.segments for shot in shots_of([100], 160)]
    assert [shot.segments for shot in shots_of([100], 160, split_frames=100)] == segments
    assert len(shots_of([100], 160, split_frames=99)) == 3


def test_what_leads_in_fits_into_the_shortest_part():
    low = next(spec for spec in fields(Settings) if spec.name == "split_shots").metadata["kind"].low
    assert FADE_FRAMES <= LEAD_IN_FRAMES <= low // 2


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A pan of 50 frames, which become two parts of 25, and a style in the current folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    wide = cv2.resize(rng.integers(0, 256, (6, 12, 3), dtype=np.uint8), (124, 48))
    make_video(Path("in.mp4"), images=[np.ascontiguousarray(wide[:, i : i + 64]) for i in range(FRAMES)])
    cv2.imwrite("style.png", rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))


def pictures(folder):
    return [read_image(path) for path in sorted(Path(folder).glob("*.png"))]


def test_parts_are_chains_of_their_own_that_fade_into_each_other(scene):
    render("whole/", QUICK)
    result, plan, frames = render("split/", SPLIT)
    assert (plan.shots, result.stylized) == (2, FRAMES)
    assert [frame.done for frame in frames] == list(range(1, FRAMES + 1))
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert frames[-1].shots_done == 2
    render("later/", replace(QUICK, frames=(25 - LEAD_IN_FRAMES, FRAMES)))
    earlier, split, later = pictures("whole"), pictures("split"), [None] * (25 - LEAD_IN_FRAMES) + pictures("later")
    seam = range(25 - FADE_FRAMES, 25)
    for position in range(FRAMES):
        if position < seam.start:
            wanted = earlier[position]
        elif position >= seam.stop:
            wanted = later[position]
        else:
            share = (position - seam.start + 1) / (FADE_FRAMES + 1)
            wanted = (1 - share) * earlier[position] + share * later[position]
        assert np.abs(split[position] - np.asarray(wanted, np.float64)).max() <= 0.5


def test_shots_that_are_short_enough_are_painted_as_ever(scene):
    settings = replace(QUICK, frames=(0, 6))
    render("whole.mp4", settings)
    render("split.mp4", replace(settings, split_shots=48))
    assert contents(Path("split.mp4")) == contents(Path("whole.mp4"))


@pytest.mark.parametrize(("output", "color"), [("out.mp4", "content"), ("out/", "style")])
def test_a_render_that_is_stopped_again_and_again_comes_out_the_same(scene, output, color):
    settings = replace(SPLIT, color=color)
    render(f"whole_{output}", settings)
    stylized, result = 0, None
    while result is None:
        result, _, frames = render(output, settings, stop_after=22)
        stylized += len(frames)
    assert stylized == FRAMES
    assert contents(Path(output)) == contents(Path(f"whole_{output}"))
    assert not Path(f"{output.rstrip('/')}.vidstyle").exists()


def test_frames_of_another_format_are_faded_too(scene):
    render("out/", replace(UNPAINTED, frame_format="tiff"))
    render("png/", UNPAINTED)
    tiffs = [read_image(path) for path in sorted(Path("out").glob("*.tiff"))]
    assert np.array_equal(tiffs, pictures("png"))


def test_what_leads_in_is_not_shown(scene):
    render("out/", UNPAINTED, stop_after=26)  # the later part's first frame is there, and all that led to it
    status = job_status("out")
    assert (status.done, status.total, status.shots_done) == (26, FRAMES, 1)
    assert [record.frame for record in job_history("out")] == list(range(26))
    assert job_picture("out")[0] == 25
    told = forecast("in.mp4", "style.png", "out/", UNPAINTED)
    assert (told.plan.done, told.plan.frame_count, told.plan.shots) == (26, FRAMES, 2)


def test_another_length_of_parts_is_another_render(scene):
    render("out.mp4", SPLIT, stop_after=3)
    with pytest.raises(vidstyle.VidstyleError, match="--split-shots was 48, is 50"):
        render("out.mp4", replace(SPLIT, split_shots=50))
