"""Renders into folders and back, and what is transparent; frames pass unpainted, so that they can be compared."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import level, make_folder, make_video, picture, times_s, write_raw
from PIL import Image
from renders import QUICK, contents, render

from vidstyle.errors import JobChangedError, OutputError, SettingsError
from vidstyle.media.stills.images import read_layers, read_still
from vidstyle.media.timestamps import TIMESTAMPS_NAME

pytestmark = pytest.mark.usefixtures("painting_scene")

PLAIN = replace(QUICK, iterations=0, first_iterations=0, size="source")
PTS = [7, 20, 40, 100, 101, 500, 520, 700, 710, 1000]
FORMATS = ["png", "jpg", "webp", "tiff"]


def cut_out() -> Path:
    """A folder of six frames, those with an odd number with an edge that is half transparent; black lies beneath."""
    folder = make_folder(Path("cutout"), [f"s.{k:03}.png" for k in range(9, 15)])
    y, x = np.mgrid[:48, :64]
    for k in (9, 11, 13):
        alpha = np.clip(640 - 40 * np.hypot(x - 30 - k, y - 24), 0, 255).astype(np.uint8)
        colors = np.where(alpha[..., None] > 0, picture(k - 9), 0)
        write_raw(folder / f"s.{k:03}.png", np.dstack([colors[..., ::-1], alpha]))
    return folder


def test_a_video_goes_through_a_folder_with_its_times() -> None:
    make_video(Path("vfr.mp4"), frames=10, pts=PTS, time_base=Fraction(1, 1000))
    whole, _, _ = render("whole.mp4", PLAIN, "vfr.mp4")
    folder, _, _ = render("frames/", PLAIN, "vfr.mp4")
    lines = Path("frames", TIMESTAMPS_NAME).read_text().splitlines()
    assert lines == ["file,seconds", *(f"{k:06}.png,{pts / 1000:g}" for k, pts in enumerate(PTS))]
    back, _, _ = render("back.mp4", PLAIN, "frames")
    times = times_s(whole.output)
    assert [time - times[0] for time in times] == [Fraction(pts - PTS[0], 1000) for pts in PTS]
    assert times_s(back.output) == times
    # What was painted in a folder has the same times again, whatever its format.
    render("again/", replace(PLAIN, frame_format="webp"), "frames")
    assert Path("again", TIMESTAMPS_NAME).read_text() == "\n".join(lines).replace(".png", ".webp") + "\n"
    assert [note for note in (*folder.notes, *back.notes) if "timestamps" in note] == []


def test_a_folder_without_times_gets_none() -> None:
    make_folder(Path("in"), ["a1.png", "a2.png"])
    render("out/", PLAIN, "in")
    assert sorted(p.name for p in Path("out").iterdir()) == ["a1.png", "a2.png"]
    Path("in", TIMESTAMPS_NAME).write_text("file,seconds\na1.png,0\na2.png,1\n")
    result, _, _ = render("out2/", replace(PLAIN, fps=10), "in")
    assert sorted(p.name for p in Path("out2").iterdir()) == ["a1.png", "a2.png"]
    assert len([note for note in result.notes if "--fps" in note]) == 1


def test_times_that_are_there_already_are_not_replaced_by_the_way() -> None:
    Path("out").mkdir()
    Path("out", TIMESTAMPS_NAME).write_text("mine")
    with pytest.raises(OutputError, match=r"holds frames already \(timestamps.csv\)"):
        render("out/", PLAIN)
    assert Path("out", TIMESTAMPS_NAME).read_text() == "mine"


@pytest.mark.parametrize("kind", FORMATS)
def test_alpha_is_carried_untouched(kind: str) -> None:
    folder = cut_out()
    result, _, _ = render("out/", replace(PLAIN, frame_format=kind), folder)
    assert sorted(p.name for p in Path("out").iterdir()) == [f"s.{k:03}.{kind}" for k in range(9, 15)]
    over_white = [note for note in result.notes if "over white" in note]
    assert len(over_white) == (kind == "jpg")
    for k in range(9, 15):
        source, stylized = read_still(folder / f"s.{k:03}.png"), read_still(Path("out", f"s.{k:03}.{kind}"))
        if kind == "jpg":
            assert stylized.alpha is None
            if source.alpha is not None:
                assert stylized.image[source.alpha == 0].min() > 240
        elif source.alpha is None:
            assert stylized.alpha is None
            assert np.array_equal(stylized.image, source.image)
        else:
            assert stylized.alpha is not None
            assert np.array_equal(stylized.alpha, source.alpha)
            assert np.array_equal(stylized.image[source.alpha == 255], source.image[source.alpha == 255])


def test_alpha_shrinks_as_its_frame_does_and_nothing_dark_comes_in() -> None:
    folder = cut_out()
    render("out/", replace(PLAIN, size=32), folder)
    source = cv2.imread(str(folder / "s.009.png"), cv2.IMREAD_UNCHANGED)
    image, alpha = read_layers(Path("out/s.009.png"))
    assert alpha is not None
    assert np.array_equal(alpha, cv2.resize(source[..., 3], (32, 24), interpolation=cv2.INTER_AREA))
    want = cv2.resize(picture(0), (32, 24), interpolation=cv2.INTER_AREA)
    assert np.abs(image.astype(int) - want)[alpha > 0].max() < 12


def test_a_video_of_transparent_frames_is_over_white() -> None:
    folder = cut_out()
    result, _, _ = render("out.mkv", replace(PLAIN, crf=0), folder)
    assert [note for note in result.notes if "over white" in note] == [
        "out.mkv: holds no transparency; what is transparent is shown over white"
    ]
    render("back/", PLAIN, "out.mkv")
    corner = read_still(Path("back/000000.png")).image[:4, -4:]
    assert corner.min() > 250
    assert level(read_still(Path("back/000003.png")).image) == 3


@pytest.mark.parametrize("output", ["out/", "out.mp4"])
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_stopped_and_continued_it_comes_out_the_same(output: str, kind: str) -> None:
    folder = cut_out()
    settings = replace(QUICK, frame_format=kind if output == "out/" else "png")
    whole, _, _ = render(f"whole_{output}", settings, folder)
    for _ in range(3):
        assert render(output, settings, folder, stop_after=2)[0] is None
    result, _, _ = render(output, settings, folder)
    assert contents(result.output) == contents(whole.output)
    assert [n.replace("whole_", "") for n in whole.notes] == list(result.notes)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "jpg"])
def test_a_transparent_still(suffix: str) -> None:
    source = cut_out() / "s.009.png"
    result, _, _ = render(f"out.{suffix}", PLAIN, source)
    stylized, want = read_still(Path(f"out.{suffix}")), read_still(source)
    assert want.alpha is not None
    if suffix == "jpg":
        assert result.notes == ("out.jpg: holds no transparency; what is transparent is shown over white",)
        assert stylized.image[want.alpha == 0].min() > 240
    else:
        assert result.notes == ()
        assert stylized.alpha is not None
        assert np.array_equal(stylized.alpha, want.alpha)


def test_an_animation_becomes_a_video_and_frames() -> None:
    frames = [Image.fromarray(picture(k)) for k in range(4)]
    frames[0].save("a.webp", save_all=True, append_images=frames[1:], duration=[40, 100, 20, 40], lossless=True)
    result, _, _ = render("out.mp4", PLAIN, "a.webp")
    assert times_s(result.output) == [Fraction(ms, 1000) for ms in (0, 40, 140, 160)]
    render("out/", PLAIN, "a.webp")
    assert [level(read_still(Path(f"out/{k:06}.png")).image) for k in range(4)] == list(range(4))
    assert Path("out", TIMESTAMPS_NAME).read_text().splitlines()[2:4] == ["000001.png,0.04", "000002.png,0.14"]


def test_the_format_belongs_to_a_folder_and_to_the_job() -> None:
    with pytest.raises(SettingsError, match="frame_format is for folders of frames"):
        render("out.mp4", replace(PLAIN, frame_format="jpg"))
    render("out/", QUICK, stop_after=2)
    with pytest.raises(JobChangedError, match=r"kind of output was folder, is folder of \.jpg"):
        render("out/", replace(QUICK, frame_format="jpg"))
