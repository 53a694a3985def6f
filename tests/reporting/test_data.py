"""What a report finds out about a finished render."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import picture
from PIL import Image
from renders import QUICK, render

from vidstyle import measure
from vidstyle.job.render_record import recall_record
from vidstyle.reporting.data import read_report_data

UNCHANGED = replace(QUICK, iterations=0, first_iterations=0)


def data_of(output):
    return read_report_data(recall_record(Path(output)), Path(output))


def open_with_settings(data):
    return np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)


def test_the_numbers_are_those_of_the_render(painting_scene):
    Path("cuts.txt").write_text("6\n")
    result, _, frames = render(settings=replace(QUICK, cuts="cuts.txt"))
    data = data_of(result.output)
    assert data.frame_count == result.frames == 10
    assert data.cuts == (6,)
    assert data.missing == ()
    assert data.columns["loss"] == pytest.approx([frame.loss for frame in frames], rel=1e-6)
    assert data.columns["seconds"] == pytest.approx([frame.seconds for frame in frames], rel=1e-6)
    assert data.columns["evaluations"].tolist() == [frame.evaluations for frame in frames]
    assert data.times_s == pytest.approx(np.arange(10) / 25)
    assert data.duration_s == pytest.approx(0.4)
    assert np.flatnonzero(np.isnan(data.columns["warp_error"])).tolist() == [0, 6]


@pytest.mark.parametrize("output", ["out.mp4", "out/", "out.gif"])
def test_pictures_are_of_input_and_output_and_a_single_shot_is_as_steady_as_measure_says(painting_scene, output):
    result, _, _ = render(output, UNCHANGED)
    data = data_of(result.output)
    assert [pair.position for pair in data.pairs] == list(range(10))
    for pair in data.pairs:
        assert (pair.width, pair.height) == (result.width, result.height)
        assert np.abs(open_with_settings(pair.before) - open_with_settings(pair.after)).mean() < 12
    if output == "out.mp4":
        whole = measure("in.mp4", result.output)
        assert np.nanmean(data.columns["warp_error"]) == pytest.approx(whole.warp_error)
        assert np.nanmean(data.columns["source_warp_error"]) == pytest.approx(whole.source_warp_error)
        assert data.drift == pytest.approx(whole.drift)


def test_only_the_asked_for_frames_are_compared_and_other_pictures_left_alone(painting_scene):
    Path("out").mkdir()
    cv2.imwrite("out/other.png", picture(9))
    result, _, _ = render("out/", replace(UNCHANGED, frames=(3, 7), overwrite=True))
    data = data_of(result.output)
    assert data.frame_count == 4
    assert [pair.position for pair in data.pairs] == [0, 1, 2, 3]
    assert np.isfinite(data.columns["warp_error"][1:]).all()


def test_an_input_that_has_changed_or_is_gone_is_not_compared(painting_scene):
    render(settings=UNCHANGED)
    cv2.imwrite("in.png", picture(1))
    Path("in.png").replace("in.mp4")
    data = data_of("out.mp4")
    assert len(data.pairs) == 10
    assert all(pair.before is None for pair in data.pairs)
    assert np.isnan(data.columns["warp_error"]).all()
    assert np.isfinite(data.columns["seconds"]).all()
    (missing,) = data.missing
    assert missing.startswith("in.mp4 has changed since it was painted")
    Path("in.mp4").unlink()
    assert data_of("out.mp4").missing == data.missing


def test_what_was_not_kept_is_said(finished):
    render_record = recall_record(finished)
    some = read_report_data(replace(render_record, entries=render_record.entries[:4]), finished)
    assert np.flatnonzero(np.isnan(some.columns["loss"])).tolist() == [4, 5]
    assert some.missing == ("Loss, time and evaluations are not known of 2 of 6 frames: the notes on them are gone.",)
    bare = replace(render_record, entries=(), manifest=replace(render_record.manifest, versions={}))
    assert len(read_report_data(bare, finished).missing) == 2


def test_a_still_has_its_pair(painting_scene):
    cv2.imwrite("photo.png", picture(4))
    result, _, (frame,) = render("painted.png", source="photo.png")
    data = data_of(result.output)
    assert data.frame_count == 1
    assert data.columns["loss"].tolist() == pytest.approx([frame.loss], rel=1e-6)
    assert data.pairs[0].before is not None
    assert np.isnan(data.drift)


def test_each_frame_is_reported_and_styles_are_shown_as_far_as_they_are_still_there(finished):
    seen, record = [], recall_record(finished)
    data = read_report_data(record, finished, lambda done, total: seen.append((done, total)))
    assert seen == [(k + 1, 6) for k in range(6)]
    ((name, shown),) = data.styles
    assert name == "style.png"
    assert open_with_settings(shown).shape == (40, 40, 3)
    gone = read_report_data(replace(record, styles=("gone.png",)), finished)
    assert gone.styles == (("gone.png", None),)
