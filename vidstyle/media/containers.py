"""Media files: the kinds that are written, how a file is opened, and its packets on one timeline.

`write.codecs` says what pictures each kind takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidstyle.errors import DamagedSourceError, SourceError


@dataclass(frozen=True, slots=True)
class ContainerKind:
    """How one kind of file is written.

    Attributes:
        format: FFmpeg's name of the container.
        audio_encoder: for sound that cannot be copied; None where the container takes no sound.
        audio_rate: the only sample rate of that encoder in Hz, or None for any common one.
        options: container options.
        time_base: the container's only time base, or None where it takes the source's.
        constant_rate: whether frames are counted instead of timed, which allows no sound that starts late.
        square_pixels: whether no other shape of pixels can be noted in it.
        longest_ticks: for how many ticks of its time base one frame can be shown; None: for ever.
    """

    format: str
    audio_encoder: str | None
    audio_rate: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    time_base: Fraction | None = None
    constant_rate: bool = False
    square_pixels: bool = False
    longest_ticks: int | None = None


# The index in front of the pictures lets players start before the whole file is there.
_FASTSTART = {"movflags": "+faststart"}

CONTAINERS: dict[str, ContainerKind] = {
    ".mp4": ContainerKind("mp4", "aac", options=_FASTSTART, longest_ticks=2**31 - 1),
    ".mkv": ContainerKind("matroska", "aac"),
    ".mov": ContainerKind("mov", "aac", options=_FASTSTART, longest_ticks=2**31 - 1),
    ".webm": ContainerKind("webm", "libopus", audio_rate=48000, square_pixels=True),
    # Sample-exact: compressed sound in AVI starts late by the encoder's delay, and the file has no place to note it.
    ".avi": ContainerKind("avi", "pcm_s16le", constant_rate=True),
    ".gif": ContainerKind("gif", None, time_base=Fraction(1, 100), square_pixels=True, longest_ticks=2**16 - 1),
    ".webp": ContainerKind(
        "webp", None, options={"loop": "0"}, time_base=Fraction(1, 1000), square_pixels=True, longest_ticks=2**24 - 1
    ),
}
VIDEO_SUFFIXES = tuple(CONTAINERS)


# -- opening a file -------------------------------------------------------------------------------

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


# -- Matroska: RFC 9559 --------------------------------------------------------------------------

MATROSKA_SEGMENT = 0x18538067


def matroska_element(file: BinaryIO) -> tuple[int, int | None] | None:
    """Reads the identity and size (None: unknown) of the element that begins here; None at the end."""
    numbers = []
    for _ in range(2):
        first = file.read(1)
        if not first or not first[0]:
            return None
        length = 9 - first[0].bit_length()
        numbers.append((int.from_bytes(first + file.read(length - 1), "big"), length))
    (name, _), (size, length) = numbers
    size &= (1 << 7 * length) - 1
    return name, None if size == (1 << 7 * length) - 1 else size


# -- one timeline ---------------------------------------------------------------------------------

# Transport and program streams may jump by design: recordings joined end to end, advertisements put in.
_JUMPING = frozenset({"mpegts", "mpeg"})
# From here on, ffmpeg itself takes a gap for a jump of the clock (its -dts_delta_threshold).
JUMP_S = Fraction(10)
# Backwards, less than this comes from imprecise muxers.
_BACK_S = Fraction(1, 10)


def continuous_packets(container: InputContainer, streams: Sequence[Stream], clock: Stream) -> Iterator[av.Packet[Any]]:
    """Yields the packets of some streams in file order, and then their empty ones, as `demux` does.

    In transport and program streams, where decoding times of the `clock` stream run back or leap ahead by more
    than ten seconds, that packet and all packets after it, of any stream, are moved so that time goes on.
    Everything else is left as it is.

    Args:
        clock: the video stream; the same one for every reader of the file, so that all get the same times.

    Raises:
        av.FFmpegError, OSError: the file cannot be read on.
    """
    if container.format.name not in _JUMPING:
        yield from container.demux(*streams)
        return
    numbers = {stream.index for stream in streams}
    shift_s, last_s, step_s = Fraction(0), None, Fraction(0)
    for packet in container.demux(*streams, *([] if clock.index in numbers else [clock])):
        if packet.time_base is not None and packet.size:
            base = Fraction(packet.time_base)
            if packet.stream.index == clock.index and packet.dts is not None:
                now_s = packet.dts * base + shift_s
                if last_s is not None and not -_BACK_S <= now_s - last_s <= JUMP_S:
                    shift_s += last_s + step_s - now_s
                    now_s = last_s + step_s
                elif last_s is not None:
                    step_s = max(now_s - last_s, Fraction(0))
                last_s = now_s
            if shift_s:
                ticks = round(shift_s / base)
                packet.dts = None if packet.dts is None else packet.dts + ticks
                packet.pts = None if packet.pts is None else packet.pts + ticks
        if packet.stream.index in numbers:
            yield packet
