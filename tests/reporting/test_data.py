"""What is found out about a finished render."""

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
from vidstyle.reporting.data import gathered

pytestmark = pytest.mark.usefixtures("painting_scene")


def facts_of(output, settings=QUICK, source="in.mp4"):
    result, _, frames = render(output, settings, source)
    return gathered(recall_record(result.output), result.output), result, frames


def test_the_numbers_are_those_of_the_render_and_of_measure():
    Path("cuts.txt").write_text("6\n")
    facts, result, frames = facts_of("out.mp4", replace(QUICK, cuts="cuts.txt"))
    assert facts.count == result.frames == 10
    assert facts.cuts == (6,)
    assert facts.missing == ()
    assert facts.columns["loss"] == pytest.approx([frame.loss for frame in frames], rel=1e-6)
    assert facts.columns["seconds"] == pytest.approx([frame.seconds for frame in frames], rel=1e-6)
    assert facts.columns["evaluations"].tolist() == [frame.evaluations for frame in frames]
    assert facts.times_s == pytest.approx(np.arange(10) / 25)
    assert np.flatnonzero(np.isnan(facts.columns["warp_error"])).tolist() == [0, 6]


def test_a_single_shot_is_as_steady_as_measure_says():
    facts, result, _ = facts_of("out.mp4")
    whole = measure("in.mp4", result.output)
    assert np.nanmean(facts.columns["warp_error"]) == pytest.approx(whole.warp_error)
    assert np.nanmean(facts.columns["source_warp_error"]) == pytest.approx(whole.source_warp_error)
    assert facts.drift == pytest.approx(whole.drift)


def opened(data):
    return np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)


@pytest.mark.parametrize("output", ["out.mp4", "out/", "out.gif"])
def test_pictures_are_of_input_and_output(output):
    facts, result, _ = facts_of(output, replace(QUICK, iterations=0, first_iterations=0))
    assert [pair.position for pair in facts.pairs] == list(range(10))
    for pair in facts.pairs:
        assert (pair.width, pair.height) == (result.width, result.height)
        assert np.abs(opened(pair.before) - opened(pair.after)).mean() < 12


def test_only_the_asked_for_frames_are_compared_and_other_pictures_left_alone():
    Path("out").mkdir()
    cv2.imwrite("out/other.png", picture(9))
    facts, _, _ = facts_of("out/", replace(QUICK, frames=(3, 7), overwrite=True))
    assert facts.count == 4
    assert [pair.position for pair in facts.pairs] == [0, 1, 2, 3]
    assert np.isfinite(facts.columns["warp_error"][1:]).all()


def test_an_input_that_is_another_one_now_is_not_compared():
    result, _, _ = render()
    cv2.imwrite("in.png", picture(1))
    Path("in.png").replace("in.mp4")
    facts = gathered(recall_record(result.output), result.output)
    assert len(facts.pairs) == 10
    assert all(pair.before is None for pair in facts.pairs)
    assert np.isnan(facts.columns["warp_error"]).all()
    assert np.isfinite(facts.columns["loss"]).all()
    (missing,) = facts.missing
    assert missing.startswith("in.mp4 is not what was painted any more")
    Path("in.mp4").unlink()
    assert gathered(recall_record(result.output), result.output).missing == facts.missing


def test_what_was_not_kept_is_said():
    result, _, _ = render()
    render_record = recall_record(result.output)
    some = gathered(replace(render_record, entries=render_record.entries[:4]), result.output)
    assert np.flatnonzero(np.isnan(some.columns["loss"])).tolist() == [4, 5, 6, 7, 8, 9]
    assert some.missing == ("Loss, time and evaluations are not known of 6 of 10 frames: the notes on them are gone.",)
    bare = replace(render_record, entries=(), manifest=replace(render_record.manifest, versions={}))
    assert len(gathered(bare, result.output).missing) == 2


def test_a_still_has_its_pair():
    cv2.imwrite("photo.png", picture(4))
    facts, _, (frame,) = facts_of("painted.png", source="photo.png")
    assert facts.count == 1
    assert facts.columns["loss"].tolist() == pytest.approx([frame.loss], rel=1e-6)
    assert facts.pairs[0].before is not None
    assert np.isnan(facts.drift)


def test_each_frame_is_reported():
    result, _, _ = render()
    seen = []
    gathered(recall_record(result.output), result.output, lambda done, total: seen.append((done, total)))
    assert seen == [(k + 1, 10) for k in range(10)]


def test_styles_are_shown_as_far_as_they_are_still_there():
    facts, result, _ = facts_of("out.mp4")
    ((name, shown),) = facts.styles
    assert name == "style.png"
    assert opened(shown).shape == (40, 40, 3)
    Path("style.png").unlink()
    assert gathered(recall_record(result.output), result.output).styles == (("style.png", None),)
