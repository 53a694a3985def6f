"""`open_source()`: the one way from a path to frames."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av

from vidstyle.errors import SettingsError, SourceError
from vidstyle.media.containers import media_url
from vidstyle.media.read.animated_picture import AnimatedPictureSource, is_animated
from vidstyle.media.read.frame_folder import FrameFolderSource, folder_files, is_pattern, pattern_files
from vidstyle.media.read.source import Source
from vidstyle.media.read.video import VideoSource
from vidstyle.media.stills.images import check_readable, is_image_name

__all__ = ["FrameFolderSource", "Source", "VideoSource", "open_source"]

# `Path("http://x")` reads "http:/x". Two letters at least, since "c:" is a drive.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]")


def open_source(
    path: Path,
    *,
    fps: Fraction | None = None,
    frames: tuple[int, int | None] = (0, None),
    keep_going: bool = False,
    largest_side_px: int | None = None,
    stream: int | None = None,
    deinterlace: bool = True,
    tone_map: bool = True,
) -> Source:
    """Opens a video, an animated picture, a folder of pictures, a pattern such as `shot.%04d.png`, or one picture.

    Args:
        path: what to read; an existing file wins over a pattern of the same name.
        fps: frames per second of a folder or pattern; None for the times in its `timestamps.csv`, or else 25.
        frames: half-open range of frame indices in display order; a stop of None means the end.
        keep_going: leave out what cannot be decoded, with a note, instead of raising.
        largest_side_px: pictures come reduced to this size; `info` stays as it is.
        stream: index of a video's stream among all streams of its file; None for the one that players show.
        deinterlace: make a video's interlaced pictures whole.
        tone_map: bring a video's high dynamic range or wide gamut to BT.709's.

    Raises:
        SettingsError: `fps` with a video or a single picture, `stream` with anything else, a rate not above 0, or
            an impossible range.
        SourceError: the input cannot be read, is too small, or holds no frame of the range.
        DamagedSourceError: it is cut off within the range (without `keep_going`).
    """
    path = Path(path)
    _check_settings(fps, frames)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: not a path that can be read ({error}); check it") from error
    is_pictures = is_folder or (not is_file and is_pattern(path)) or (is_file and is_image_name(path))
    is_moving = is_file and is_animated(path)
    if stream is not None and (is_pictures or is_moving):
        raise SettingsError(f"stream: {path} holds pictures; a stream is for videos with several, leave it out")
    if not is_pictures and not is_file:
        raise _not_a_file(path)
    if fps is not None and is_file:
        raise SettingsError(f"fps: {path} has its own timing; a frame rate is for folders of pictures, leave it out")
    if is_file:
        check_readable(path)
        if is_moving:
            return AnimatedPictureSource(path, frames, keep_going, largest_side_px)
    if is_pictures:
        return _pictures(path, is_file, is_folder, fps, frames, keep_going, largest_side_px)
    return VideoSource(
        path,
        frames,
        keep_going,
        largest_side_px,
        stream=stream,
        deinterlace=deinterlace,
        tone_map=tone_map,
    )


def _pictures(
    path: Path,
    is_file: bool,
    is_folder: bool,
    fps: Fraction | None,
    frames: tuple[int, int | None],
    keep_going: bool,
    largest_side_px: int | None,
) -> FrameFolderSource:
    if is_file:
        return FrameFolderSource(path, [path], kind="still", frames=frames, largest_side_px=largest_side_px)
    return FrameFolderSource(
        path,
        folder_files(path) if is_folder else pattern_files(path),
        fps=fps,
        frames=frames,
        keep_going=keep_going,
        largest_side_px=largest_side_px,
    )


def _check_settings(fps: Fraction | None, frames: tuple[int, int | None]) -> None:
    if fps is not None and not 0 < fps <= 1000:
        raise SettingsError(f"fps: {fps} is not a frame rate; use one above 0 and at most 1000")
    start, stop = frames
    if start < 0 or (stop is not None and stop <= start):
        shown = "" if stop is None else stop
        raise SettingsError(f"frames: {start}:{shown} holds no frames; use START:STOP with 0 <= START < STOP")


def _not_a_file(path: Path) -> SourceError:
    if str(path) == "-" or _URL.match(str(path)):
        return SourceError(f"{path}: pipes and addresses are not read; download or save it to a file first")
    if path.exists():
        return SourceError(f"{path}: neither a file nor a folder; save it to a file first")
    return SourceError(f"{path}: no such file or folder; check the path")


_USUAL_BITS = 8


def stored_bits(path: Path, stream: int | None = None) -> int:
    """Returns the bits per channel of a video's or picture's stream as stored; 8 where FFmpeg cannot tell.

    Args:
        stream: index among all streams of the file; None for the first that has pictures.
    """
    try:
        with av.open(media_url(path), mode="r", metadata_errors="replace") as container:
            video = next(s for s in container.streams.video if stream in (None, s.index))
            form = video.codec_context.format
            return _USUAL_BITS if form is None else max(_USUAL_BITS, *(part.bits for part in form.components))
    except (av.FFmpegError, ValueError, OSError, StopIteration, AttributeError):
        return _USUAL_BITS  # the reader of its frames reports what is wrong with it
