"""Renders seen from outside, through their job folders alone."""

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import picture
from jobs import fill as paint_frames
from jobs import finish, make_job, make_manifest
from renders import QUICK, contents, render

import vidstyle
from vidstyle.errors import JobError, JobStoppedError
from vidstyle.job.journal import JournalEntry
from vidstyle.job.lock import locked


def entry(frame, seconds=1.0, loss=0.5):
    return JournalEntry(frame, seconds, loss, 3, 0, 0)


def test_jobs_of_a_folder_are_listed_by_name(tmp_path):
    for name in ("b", "a"):
        paint_frames(make_job(tmp_path / f"{name}.mp4.vidstyle", output=str(tmp_path / f"{name}.mp4")), range(3))
    (tmp_path / "none.vidstyle").mkdir()
    damaged = tmp_path / "damaged.vidstyle"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    found = vidstyle.jobs_in(tmp_path)
    assert [(status.output.name, status.done, status.total) for status in found] == [("a.mp4", 3, 12), ("b.mp4", 3, 12)]


def test_history_is_the_newest_entry_of_each_frame(tmp_path):
    job = make_job(tmp_path / "o.mp4.vidstyle")
    for line in (entry(1), entry(0, 2.0), entry(1, 3.0, math.nan)):
        job.note_frame(line)
    first, second = vidstyle.job_history(tmp_path / "o.mp4")
    assert (first.frame, first.seconds, first.loss) == (0, 2.0, 0.5)
    assert (second.frame, second.seconds) == (1, 3.0)
    assert math.isnan(second.loss)
    assert vidstyle.job_history(tmp_path / "nothing.mp4") == ()


def test_the_last_picture_is_the_newest_whole_frame(tmp_path):
    job = make_job(tmp_path / "o.mp4.vidstyle")
    assert vidstyle.job_picture(tmp_path / "o.mp4") is None
    paint_frames(job, range(3))
    job.frame_path(3).write_bytes(b"half a frame")
    position, image = vidstyle.job_picture(tmp_path / "o.mp4")
    assert position == 2
    assert np.array_equal(image, picture(2))


def test_a_render_stops_when_it_is_asked_to_and_continues_with_the_same_result(painting_scene):
    def ask(frame):
        if frame.done == 3:
            assert vidstyle.is_job_running("out.mp4")
            assert vidstyle.stop_job("out.mp4")

    with pytest.raises(JobStoppedError, match=r"stopped, as asked; 3 of 10 frames are kept; continue with: vidstyle"):
        vidstyle.stylize("in.mp4", "style.png", "out.mp4", QUICK, on_frame=ask)
    assert not vidstyle.is_job_running("out.mp4")
    assert not vidstyle.stop_job("out.mp4")
    assert vidstyle.job_status("out.mp4").done == 3
    Path("out.mp4.vidstyle/stop").touch()  # a request that came too late counts for nobody
    result, _, _ = render()
    assert result.stylized == 7
    render("whole.mp4")
    assert contents(Path("out.mp4")) == contents(Path("whole.mp4"))


def test_a_render_that_still_looks_for_cuts_stops_when_it_is_asked_to(painting_scene):
    def ask(seen, count):
        if seen == 3:
            assert vidstyle.stop_job("out.mp4")

    with pytest.raises(JobStoppedError, match="before the first frame; run the same command to start over"):
        vidstyle.stylize("in.mp4", "style.png", "out.mp4", QUICK, on_analysis=ask)
    assert not Path("out.mp4.vidstyle").exists()
    result, _, _ = render()
    assert result.stylized == 10


def test_a_job_is_discarded_whole_but_not_under_somebodys_hands(tmp_path):
    path = tmp_path / "o.mp4.vidstyle"
    paint_frames(make_job(path), range(2))
    with locked(path), pytest.raises(JobError, match="another vidstyle"):
        vidstyle.discard_job(tmp_path / "o.mp4")
    assert vidstyle.job_status(path).done == 2
    vidstyle.discard_job(tmp_path / "o.mp4")
    assert not path.exists()
    with pytest.raises(JobError, match="no job folder"):
        vidstyle.discard_job(tmp_path / "o.mp4")


def test_warping_errors_are_those_of_the_whole_measure(painting_scene):
    settings = replace(QUICK, codec="ffv1", keep_job=True)
    render("out.mkv", settings, stop_after=6)
    watch = vidstyle.WarpErrorWatch("out.mkv")
    watch.update(60)
    assert [frame for frame, _ in watch.errors] == [1, 2, 3, 4, 5]
    render("out.mkv", settings)
    watch.update(60)
    assert [frame for frame, _ in watch.errors] == list(range(1, 10))
    mean = sum(error for _, error in watch.errors) / 9
    assert mean == pytest.approx(vidstyle.measure("in.mp4", "out.mkv").warp_error)
    again = vidstyle.WarpErrorWatch("out.mkv")  # from segments alone
    again.update(60)
    assert again.errors == watch.errors
    for each in (watch, again):
        each.close()
        each.update(1)


def test_of_long_renders_some_pairs_are_measured(tmp_path):
    frames = tmp_path / "in"
    frames.mkdir()
    for number in range(400):
        cv2.imwrite(str(frames / f"{number}.png"), picture(number % 7))
    manifest = make_manifest()
    info = replace(manifest.info, path=Path("in"), frame_count=400)
    job = make_job(tmp_path / "o.mp4.vidstyle", info=info, timestamps=tuple(range(400)), cuts=(), segment_frames=400)
    paint_frames(job, range(10))
    watch = vidstyle.WarpErrorWatch(tmp_path / "o.mp4")
    watch.update(60)
    assert [frame for frame, _ in watch.errors] == [3, 6, 9]
    watch.close()


def test_an_input_that_has_become_shorter_is_not_measured_further(painting_scene):
    render("out.mkv", replace(QUICK, codec="ffv1", keep_job=True))
    shorter = vidstyle.Settings(frames=(0, 4), iterations=0, first_iterations=0, device="cpu")
    vidstyle.stylize("in.mp4", "style.png", "short.mp4", shorter)
    Path("short.mp4").replace("in.mp4")
    watch = vidstyle.WarpErrorWatch("out.mkv")
    watch.update(60)
    assert [frame for frame, _ in watch.errors] in ([1, 2], [1, 2, 3])
    watch.update(60)
    watch.close()


def test_an_input_that_is_gone_is_not_measured(tmp_path):
    finish(make_job(tmp_path / "o.mp4.vidstyle"))
    watch = vidstyle.WarpErrorWatch(tmp_path / "o.mp4")
    watch.update(5)
    assert watch.errors == []
    watch.close()
