"""Opening a media file: which files are videos, and what to say about those that are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidstyle.errors import DamagedSourceError, SourceError

# What FFmpeg would also open: lists of other files, text drawn as video, and single pictures.
_REFUSED_FORMATS = frozenset({"tty", "concat", "hls", "dash", "sdp", "rtsp", "lavfi", "image2", "image2pipe", "imf"})


def media_url(path: Path) -> str:
    """Returns `path` in a form that FFmpeg takes for a file, whatever characters it holds."""
    return f"file:{path}"


def open_media(path: Path) -> InputContainer:
    """Opens a media file for reading.

    Raises:
        SourceError: it is missing, empty, or no media file.
        DamagedSourceError: it is a QuickTime/MP4 file that was cut off before its index.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; check the path") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read ({error}); check the path and its permissions") from error
    if not head:
        raise SourceError(f"{path}: the file is empty; copy or export it again")
    try:
        container = av.open(media_url(path), mode="r", metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        if head[4:8] in (b"ftyp", b"mdat", b"moov"):
            raise DamagedSourceError(
                f"{path}: cut off before its index (no 'moov' atom), so no frame can be found; "
                f"copy or download it again"
            ) from error
        raise SourceError(f"{path}: not a video that can be read; convert it to MP4 or MKV first") from error
    names = set(container.format.name.split(","))
    if names & _REFUSED_FORMATS or container.format.name.endswith("_pipe"):
        container.close()
        raise SourceError(
            f"{path}: not a video but {container.format.name}; give a video, a folder of pictures or a picture"
        )
    return container


def video_stream(container: InputContainer, path: Path, index: int | None = None) -> VideoStream:
    """Returns one video stream.

    Args:
        index: its number among all streams, as ffprobe prints it; None for the one that players show. Cover
            pictures are not shown unless asked for.

    Raises:
        SourceError: there is none, or none of this index.
    """
    videos = [stream for stream in container.streams.video if isinstance(stream, VideoStream)]
    moving = [stream for stream in videos if not stream.disposition & Disposition.attached_pic]
    if index is not None:
        chosen = next((stream for stream in videos if stream.index == index), None)
        if chosen is None:
            raise SourceError(f"{path}: stream {index} is no video; choose {_listed(videos)}")
        return chosen
    best = container.streams.best("video")
    if isinstance(best, VideoStream) and best in moving:
        return best
    if moving:
        return moving[0]
    if container.streams.audio:
        raise SourceError(f"{path}: holds sound but no video; give a file with a video stream")
    raise SourceError(f"{path}: holds no video stream; give a video, a folder of images or an image")


def _listed(videos: Sequence[VideoStream]) -> str:
    """Returns the streams in words, as in `0 (h264, 1920x1080) or 2 (mjpeg, 600x600, cover picture)`."""
    listed = []
    for stream in videos:
        context = stream.codec_context
        facts = ["unknown codec"] if context is None else [context.name, f"{context.width}x{context.height}"]
        facts += ["cover picture"] if stream.disposition & Disposition.attached_pic else []
        listed.append(f"{stream.index} ({', '.join(facts)})")
    return " or ".join(listed) or "another file, this one holds none"


def file_size(path: Path) -> int:
    """Returns the size of a file in bytes, 0 where it cannot be had."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
