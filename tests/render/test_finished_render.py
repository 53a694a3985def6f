"""What has the output's name: finished renders, and what is not ours to replace."""

from dataclasses import replace
from pathlib import Path

import av
import cv2
import pytest
from clips import make_folder, picture
from PIL import Image
from renders import QUICK, contents, render

from vidstyle import job_status, stylize
from vidstyle.errors import OutputError
from vidstyle.render import run

pytestmark = pytest.mark.usefixtures("painting_scene")


def test_a_kept_job_says_that_all_is_done_and_serves_again():
    settings = replace(QUICK, keep_job=True)
    first, _, _ = render(settings=settings)
    content = contents(first.output)
    result, plan, _ = render(settings=settings)
    assert result.was_finished
    assert plan is None
    assert Path("out.mp4.vidstyle/manifest.json").is_file()
    first.output.unlink()
    result, plan, frames = render(settings=settings)
    assert (plan.done, frames, result.stylized) == (10, [], 0)
    assert contents(first.output) == content


@pytest.mark.parametrize("output", ["out.mp4", "out/"])
@pytest.mark.parametrize("keep", [True, False])
def test_a_finished_output_that_was_edited_is_not_touched(output, keep):
    settings = replace(QUICK, keep_job=keep)
    made = render(output, settings)[0].output
    edited = made if made.is_file() else made / "000003.png"
    edited.write_bytes(b"mine")
    with pytest.raises(OutputError, match="--overwrite"):
        render(output, settings)
    assert edited.read_bytes() == b"mine"
    assert Path("out.mp4.vidstyle" if made.is_file() else "out.vidstyle").exists() == keep
    assert job_status(output).is_changed
    result, _, _ = render(output, replace(settings, overwrite=True))
    # A kept job still has a video's segments; a folder's frames were its only copy.
    assert result.stylized == (0 if keep and made.is_file() else 10)
    assert edited.read_bytes() != b"mine"
    assert not job_status(output).is_changed


@pytest.mark.parametrize("output", ["out.mp4", "out/"])
def test_what_appears_under_the_outputs_name_meanwhile_is_not_touched(output):
    mine = Path("out.mp4") if output == "out.mp4" else Path("out/mine.png")

    def appearing(frame):
        if frame.done == 10:
            mine.parent.mkdir(exist_ok=True)
            mine.write_bytes(b"mine")

    with pytest.raises(OutputError, match=r"--overwrite"):
        stylize("in.mp4", "style.png", output, QUICK, on_frame=appearing)
    assert mine.read_bytes() == b"mine"
    mine.unlink()
    assert render(output)[0].stylized == 0


def test_finished_work_needs_overwrite_to_be_painted_again():
    render()
    with pytest.raises(OutputError, match="--overwrite"):
        render(settings=replace(QUICK, restart=True))
    assert render(settings=replace(QUICK, restart=True, overwrite=True))[0].stylized == 10


def test_an_output_that_appeared_meanwhile_is_not_overwritten():
    render(stop_after=2)
    Path("out.mp4").write_bytes(b"precious")
    with pytest.raises(OutputError, match="--overwrite"):
        render()
    assert Path("out.mp4").read_bytes() == b"precious"
    result, plan, _ = render(settings=replace(QUICK, overwrite=True))
    assert (plan.done, result.stylized) == (2, 8)


def test_an_unfinished_render_survives_a_finished_one_of_the_same_name():
    render()
    cv2.imwrite("other.png", picture(5))
    overwriting = replace(QUICK, overwrite=True)
    render(settings=overwriting, style="other.png", stop_after=3)
    # The first command again: its output still stands, and the other's frames are not its to remove.
    assert render()[0].was_finished
    assert render(settings=overwriting, style="other.png")[1].done == 3


def test_the_last_step_is_not_taken_for_that_of_another_output(monkeypatch):
    make_folder(Path("frames"), ["a.png", "b.png"])
    before = contents(Path("frames"))
    settings = replace(QUICK, job_dir=Path("job"))

    def full(*_):
        raise OutputError("full")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="full"):
        patch.setattr("vidstyle.job.publishing.sync_folder", full)
        render("out/", settings, "frames")
    with pytest.raises(OutputError, match="the input lies in this folder"):
        stylize("frames", "style.png", "frames/", settings)
    assert contents(Path("frames")) == before


def stop_after_naming(output, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "remember", stop)
        stylize("in.mp4", "style.png", output, QUICK)


def test_stopped_after_the_folder_has_its_name_nothing_is_lost(monkeypatch):
    stop_after_naming("out/", monkeypatch)
    result, _, frames = render("out/")
    assert (result.frames, result.stylized, frames) == (10, 0, [])


@pytest.mark.parametrize(
    "other", [{"no_audio": True}, {"audio": "copy"}, {"no_location": True}], ids=lambda other: next(iter(other))
)
def test_stopped_after_the_video_has_its_name_other_sound_is_another_output(monkeypatch, other):
    stop_after_naming("out.mp4", monkeypatch)
    before = Path("out.mp4").read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        render(settings=replace(QUICK, **other))
    assert Path("out.mp4").read_bytes() == before
    result, _, frames = render(settings=replace(QUICK, overwrite=True, **other))
    assert (result.frames, result.stylized, frames) == (10, 0, [])
    assert result.was_finished is False
    with av.open("out.mp4") as container:
        assert len(container.streams.audio) == (0 if "no_audio" in other else 1)
    assert not Path("out.mp4.vidstyle").exists()


def test_stopped_after_the_video_has_its_name_the_same_sound_is_there(monkeypatch):
    stop_after_naming("out.mp4", monkeypatch)
    changed = Path("out.mp4").stat().st_mtime_ns
    assert render()[0].stylized == 0
    assert Path("out.mp4").stat().st_mtime_ns == changed


def test_pictures_that_stay_in_the_folder_are_noted():
    make_folder(Path("out"), ["000004.png", "old1.png", "old2.png"])
    result, _, _ = render("out/", replace(QUICK, overwrite=True))
    assert result.notes == (
        "in.mp4: a folder of frames holds no sound",
        "out: 2 other pictures in it stayed as before, without a time in timestamps.csv",
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_no_location_holds_for_stills_and_a_still_with_it_is_not_finished_without(suffix):
    tags = Image.Exif()
    tags[0x0110] = "Model"
    tags.get_ifd(0x8825).update({1: "N"})
    Image.fromarray(picture(3)).save("photo.jpg", exif=tags)
    settings = replace(QUICK, iterations=0, first_iterations=0)
    output = f"out{suffix}"
    render(output, settings, "photo.jpg")
    with Image.open(output) as stylized:
        assert stylized.getexif().get_ifd(0x8825) == {1: "N"}
    silent = replace(settings, no_location=True)
    with pytest.raises(OutputError, match="--overwrite"):
        render(output, silent, "photo.jpg")
    render(output, replace(silent, overwrite=True), "photo.jpg")
    with Image.open(output) as stylized:
        assert stylized.getexif()[0x0110] == "Model"
        assert stylized.getexif().get_ifd(0x8825) == {}
    assert render(output, silent, "photo.jpg")[0].was_finished
