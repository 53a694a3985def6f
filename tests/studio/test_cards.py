"""Renders as the page shows them."""

import html
from pathlib import Path

from vidstyle import FrameRecord, Status
from vidstyle.studio.cards import card, cards, choice, download, history_points, plain, points
from vidstyle.studio.renders import FAILED, FINISHED, RUNNING, Job

STATUS = Status(Path("a.mp4"), Path("a.mp4.vidstyle"), 25, 100, 0, 1, True, False, False, 2.0, "vidstyle a")


def test_a_running_job_says_how_far_it_is():
    text = card(Job("a.mp4", RUNNING, "", STATUS, ""))
    assert "width:25.0%" in text
    assert "painting · 25 of 100 frames · 2.00 s a frame · 0:02:30 left" in text


def test_names_and_messages_are_no_markup():
    job = Job("<script>.mp4", FAILED, "<img src=x>", None, "")
    for text in (card(job), cards([job])):
        assert "<script>" not in text
        assert "<img" not in text
        assert "failed: &lt;img src=x&gt;" in text
    job = Job("a'<b>.mp4", FINISHED, "", None, "", ("note <i>",))
    assert "<b>" not in download(job)
    assert "<li>note &lt;i&gt;</li>" in download(job)


def test_only_what_is_finished_can_be_downloaded():
    assert download(Job("a.mp4", RUNNING, "", STATUS, "")) == ""
    assert 'href="download/a%20b.mp4"' in download(Job("a b.mp4", FINISHED, "", None, ""))


def test_an_empty_folder_says_what_to_do():
    assert "Find a look" in cards([])
    assert choice(Job("a.mp4", RUNNING, "", STATUS, "")) == "a.mp4 (painting)"


def test_curves_have_a_point_a_frame_or_means_of_runs():
    records = [FrameRecord(0, 2.0, 0.5), FrameRecord(1, 1.0, float("nan"))]
    assert history_points(records) == ({"frame": [0.0], "loss": [0.5]}, {"frame": [0.0, 1.0], "seconds": [2.0, 1.0]})
    curve = points([(frame, float(frame % 2)) for frame in range(1000)], "error")
    assert len(curve["frame"]) == 334
    assert curve["frame"][0] == 1
    assert curve["error"][0] == 1 / 3


def test_a_plain_message_is_shown_as_it_is_and_holds_no_markup():
    message = "a <img src=x onerror=alert(1)> **b** [c](d) & e"
    assert html.unescape(plain(message)) == message
    assert not set("<>*[]()&") & set(plain(message).replace("&#", ""))
