"""Whole renders into every codec: colors kept, interrupted and continued, refused before anything is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from renders import contents, render

from vidstyle import Settings
from vidstyle.errors import JobChangedError, OutputError
from vidstyle.media.read.open_source import open_source

UNPAINTED = Settings(iterations=0, first_iterations=0, size=96, device="cpu", cuts="off", flow="off")
OUTPUTS = {
    "h264.mp4": {"codec": "h264"},
    "hevc.mp4": {"codec": "hevc", "bit_depth": "10"},
    "av1.webm": {"codec": "av1", "bit_depth": "10"},
    "vp9.mkv": {"codec": "vp9", "pix_fmt": "yuv444p"},
    "prores.mov": {"codec": "prores", "pix_fmt": "yuv444p10le"},
    "ffv1.mkv": {"codec": "ffv1"},
    "anim.webp": {},
}


@pytest.fixture(autouse=True)
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lossless clip of ten frames, flat patches and a gradient, and a style; segments of four frames."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vidstyle.render.plan.SEGMENT_FRAMES", 4)
    make_video(Path("in.mkv"), images=[scene_of(k) for k in range(10)], size=(96, 64), codec="ffv1", pix_fmt="bgr0")
    cv2.imwrite("style.png", np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))


def scene_of(index: int) -> np.ndarray:
    image = np.zeros((64, 96, 3), np.uint8)
    for k, color in enumerate([(200, 60, 90), (20, 230, 30), (10, 20, 240), (128, 128, 128)]):
        image[:32, 24 * k : 24 * k + 24] = color
    ramp = np.linspace(0, 250, 96)
    image[32:] = np.stack([ramp, 255 - ramp, ramp / 2 + 8 * index], axis=1)
    return cv2.GaussianBlur(image, (0, 0), 5)


@pytest.mark.parametrize("output", OUTPUTS)
def test_unpainted_frames_keep_their_colors(output: str) -> None:
    crf = {} if OUTPUTS[output].get("codec") in ("prores", "ffv1") else {"crf": 0 if output == "anim.webp" else 4}
    result, _, _ = render(output, replace(UNPAINTED, **OUTPUTS[output], **crf), "in.mkv")
    assert result.frames == 10
    if output.endswith(".webp"):
        images = [image[:, :, 2::-1] for image in cv2.imreadanimation(output)[1].frames]
    else:
        with open_source(Path(output)) as source:
            images = [frame.image for frame in source]
    assert len(images) == 10
    assert max(np.abs(image.astype(int) - scene_of(k)).mean() for k, image in enumerate(images)) < 1


@pytest.mark.parametrize("output", OUTPUTS)
def test_stopped_and_continued_it_is_the_same_file(output: str) -> None:
    settings = replace(UNPAINTED, **OUTPUTS[output])
    whole, _, _ = render(f"whole_{output}", settings, "in.mkv")
    for done in (0, 3, 6):
        result, plan, _ = render(output, settings, "in.mkv", stop_after=3)
        assert result is None
        assert plan.done == done
    result, _, _ = render(output, settings, "in.mkv")
    assert contents(result.output) == contents(whole.output)


CHANGES = {
    "codec": ("hevc", "--codec was auto, is hevc"),
    "pix_fmt": ("yuv444p", "--pix-fmt was auto, is yuv444p"),
    "bit_depth": ("10", "--bit-depth was auto, is 10"),
    "crf": (20, "--crf was None, is 20"),
    "preset": ("fast", "--preset was auto, is fast"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_encoding_does_not_continue_old_segments(name: str) -> None:
    value, said = CHANGES[name]
    render("o.mp4", UNPAINTED, "in.mkv", stop_after=6)
    with pytest.raises(JobChangedError, match=said):
        render("o.mp4", replace(UNPAINTED, **{name: value}), "in.mkv")


@pytest.mark.parametrize(
    ("output", "changes"),
    [
        ("o.mp4", {"codec": "prores"}),
        ("o.mkv", {"pix_fmt": "yuv411p"}),
        ("o.gif", {"codec": "h264"}),
        ("o.mp4", {"codec": "av1", "size": 32}),
        ("o/", {"codec": "h264"}),
        ("o.png", {"crf": 3, "frames": (0, 1)}),
    ],
)
def test_the_impossible_leaves_nothing_behind(tmp_path: Path, output: str, changes: dict[str, object]) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError):
        render(output, replace(UNPAINTED, **changes), "in.mkv")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_deep_source_gives_a_deep_video_on_request() -> None:
    make_video(Path("deep.mkv"), frames=3, codec="ffv1", pix_fmt="yuv420p10le")
    formats = []
    for number, depth in enumerate(("auto", "source")):
        result, _, _ = render(f"{number}.mp4", replace(UNPAINTED, bit_depth=depth), "deep.mkv")
        with open_source(result.output) as source:
            formats.append(source._stream.codec_context.format.name)
    assert formats == ["yuv420p", "yuv420p10le"]


def test_a_webp_of_one_frame_is_a_still() -> None:
    result, plan, _ = render("o.webp", replace(UNPAINTED, frames=(2, 3)), "in.mkv")
    assert plan.output_kind == "still"
    assert np.abs(cv2.imread(str(result.output))[:, :, ::-1].astype(int) - scene_of(2)).mean() < 1
    result, plan, _ = render("moving.webp", replace(UNPAINTED, frames=(2, 4)), "in.mkv")
    assert plan.output_kind == "video"
    assert len(cv2.imreadanimation(str(result.output))[1].frames) == 2
