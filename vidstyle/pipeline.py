"""The way of a render: source, stylizer, sink, one frame at a time."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import OutputError
from vidstyle.features import OnDownload, check_layers
from vidstyle.frames import FrameDone, Picture, Plan, Result
from vidstyle.media.base import Sink, Source
from vidstyle.media.images import resize
from vidstyle.media.sinks import open_sink, output_kind
from vidstyle.media.sources import open_source
from vidstyle.settings import Settings
from vidstyle.stylizer import Painted, Stylizer, checked_picture, working_size

OnStart = Callable[[Plan], None]
OnFrame = Callable[[FrameDone], None]


def stylize(
    source: str | Path,
    style: str | Path,
    output: str | Path | None = None,
    settings: Settings | None = None,
    *,
    on_start: OnStart | None = None,
    on_frame: OnFrame | None = None,
    on_download: OnDownload | None = None,
) -> Result:
    """Paints a video, a frame folder, a numbered pattern or a still in the style of a picture.

    Frames go through one at a time; memory does not grow with their number. The output appears
    under its name when it is complete, and not before.

    Args:
        source: video file, folder of frames, pattern like `shot.%04d.png`, or picture.
        style: picture file.
        output: `.mp4 .mkv .mov .webm .avi .gif`, a picture's name, or a folder (existing, or with a
            separator at its end); None for `SOURCE_STYLE` and a fitting suffix in the current folder.
        on_start: called once, before the first frame. on_frame: after each frame.
        on_download: called with bytes done and in all while weights are fetched.

    Raises:
        VidstyleError: see its subclasses in `vidstyle.errors`. Nothing is left under the output's name.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    _check_settings(settings)
    with open_source(Path(source), fps=settings.fps, frames=settings.frames, keep_going=settings.keep_going) as frames:
        info = frames.info
        target = str(output) if output is not None else default_output(info.path, Path(style), info.kind)
        kind = output_kind(target)
        if Path(target).is_file() and Path(style).is_file() and Path(target).samefile(style):
            raise OutputError(f"{target}: is the style itself; choose another output")
        # Pictures cannot say that their pixels are not square, so they are shown as wide as the video is.
        aspect = Fraction(1) if kind == "video" else info.sample_aspect_ratio
        width, height = working_size(round(info.width * aspect), info.height, settings, even=kind == "video")
        sink = open_sink(Path(target), kind, info, width, height, overwrite=settings.overwrite, crf=settings.crf)
        # Frames reach the stylizer at the sink's size, even for video, so it has nothing left to fit.
        stylizer = Stylizer(style, dataclasses.replace(settings, size="source"), on_download=on_download)
        if on_start is not None:
            precision = str(stylizer.precision).removeprefix("torch.")
            where = (settings.network, stylizer.device.type, precision)
            on_start(Plan(info.path, Path(target), kind, info.frame_count, width, height, *where))
        with sink:
            done, retried = _paint(frames, stylizer, sink, (width, height), on_frame)
        notes = [*frames.notes, *sink.notes]
        if retried:
            notes.append(f"the objective was not finite in {retried} frames; they were painted with smaller steps")
    return Result(Path(target), done, time.perf_counter() - started, width, height, tuple(notes))


def _check_settings(settings: Settings) -> None:
    """Finds what only network and device can tell of the settings, before a file is opened."""
    check_layers(settings.network, (*settings.style_layers, settings.content_layer))
    resolve_precision(settings.precision, resolve_device(settings.device))


def _paint(
    frames: Source, stylizer: Stylizer, sink: Sink, size: tuple[int, int], on_frame: OnFrame | None
) -> tuple[int, int]:
    """Returns how many frames were painted, and how many of them not without trying again."""
    done = retried = 0
    for done, frame in enumerate(frames, start=1):
        painted = stylizer.paint(resize(frame.image, *size))
        retried += painted.retries > 0
        sink.write(dataclasses.replace(frame, image=painted.image))
        if on_frame is not None:
            on_frame(_report(frame.index, done, frames.info.frame_count, painted))
    return done, retried


def _report(index: int, done: int, total: int | None, painted: Painted) -> FrameDone:
    return FrameDone(index, done, total, painted.seconds, painted.loss, painted.evaluations, painted.image)


def stylize_image(
    content: Picture | str | Path, style: Picture | str | Path, settings: Settings | None = None
) -> Picture:
    """Returns the painted picture, `(h, w, 3)` uint8 RGB, of a file or `(H, W, 3)` uint8 RGB.

    Raises:
        VidstyleError: see its subclasses in `vidstyle.errors`.
    """
    return Stylizer(style, settings)(checked_picture(content, "content picture"))


def default_output(source: Path, style: Path, kind: str) -> str:
    """Returns the output's name in the current folder where the user gave none: SOURCE_STYLE and a suffix.

    Args:
        kind: the source's: "video", "still" or "frames". A pattern is called what stands before its number,
            or else as its folder.
    """
    stem = source.stem
    if kind == "frames":
        if "%" in source.name:
            stem = source.name.split("%")[0].rstrip("._- ") or source.resolve().parent.name
        else:
            stem = source.resolve().name
        stem = stem or "frames"
    return f"{stem}_{style.stem}" + {"video": ".mp4", "still": ".png", "frames": "/"}[kind]
