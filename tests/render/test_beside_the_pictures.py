"""Whole renders: what is beside the pictures comes along, also when a render is stopped and continued."""

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import audio_digest
from films import TAGS, Film, Sub, chapters, make_film, tags, texts
from renders import QUICK, render

from vidstyle.errors import OutputError, SettingsError
from vidstyle.settings import Settings

PASSED_ON = replace(QUICK, iterations=0, first_iterations=0)
FILM = Film(
    subs=[Sub("subrip")], chapters=[(0, 400, "one"), (400, 1000, "two")], tags=TAGS, fonts=["a.ttf"], sound=True
)


@pytest.fixture(autouse=True)
def scene(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vidstyle.render.plan.SEGMENT_FRAMES", 4)
    make_film(Path("in.mkv"), FILM)
    cv2.imwrite("style.png", np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))


def test_everything_comes_along_stopped_or_not():
    whole, _, _ = render("whole.mkv", PASSED_ON, source="in.mkv")
    assert whole.notes == ()
    assert texts(Path("whole.mkv")) == texts(Path("in.mkv"))
    assert chapters(Path("whole.mkv")) == chapters(Path("in.mkv"))
    assert {key: tags(Path("whole.mkv"))[key] for key in TAGS} == TAGS
    assert audio_digest(Path("whole.mkv")) == audio_digest(Path("in.mkv"))
    for count in (1, 6, 25):
        output = Path(f"{count}.mkv")
        render(str(output), PASSED_ON, source="in.mkv", stop_after=count)
        render(str(output), PASSED_ON, source="in.mkv")
        assert output.read_bytes() == Path("whole.mkv").read_bytes()


def test_sound_and_places_may_be_chosen_anew_when_a_job_goes_on():
    render("o.mp4", PASSED_ON, source="in.mkv", stop_after=6)
    _, plan, stylized = render("o.mp4", replace(PASSED_ON, no_audio=True, no_location=True), source="in.mkv")
    assert plan.done > 0
    assert len(stylized) == 25 - plan.done
    with av.open("o.mp4") as container:
        assert len(container.streams.audio) == 0
    assert "location" not in tags(Path("o.mp4"))
    # A finished render with other sound is not the one that is asked for now.
    with pytest.raises(OutputError, match="exists already"):
        render("o.mp4", PASSED_ON, source="in.mkv")
    result, _, _ = render("o.mp4", replace(PASSED_ON, no_audio=True, no_location=True), source="in.mkv")
    assert result.was_finished


def test_impossible_sound_is_refused_before_anything_is_made():
    for output, audio in (("o.webm", "aac"), ("o.mov", "opus"), ("o.avi", "copy"), ("o.webm", "copy")):
        with pytest.raises(OutputError, match=r"end the output in \.mp4, \.mkv"):
            render(output, replace(PASSED_ON, audio=audio), source="in.mkv")
    assert sorted(path.name for path in Path().iterdir()) == ["in.mkv", "style.png"]
    with pytest.raises(SettingsError, match="contradict"):
        Settings(audio="aac", no_audio=True)


def test_a_folder_of_frames_says_what_it_does_not_hold():
    result, _, _ = render("out/", replace(PASSED_ON, frames=(3, 5)), source="in.mkv")
    assert result.notes == ("in.mkv: a folder of frames holds no sound, no subtitles, no chapters, no attached files",)
