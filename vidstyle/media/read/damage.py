"""Finds out whether a video file is cut off, and never takes a whole file for one.

What is compared, by container: MP4/MOV: the index against the size of the file. Matroska/WebM: the size of the
segment against that of the file, and at the end the duration of the track against the last frame. AVI: the RIFF size
against that of the file, and at the end the frame count of the header against the packets. GIF: whether its blocks
follow each other to the end. Packet counts mean nothing in MP4, where edit lists leave some out, nor do durations.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vidstyle.media.containers import MATROSKA_SEGMENT, file_size, matroska_element, open_media

# H.264 and HEVC show a frame at most this many frames away from where it is stored.
REORDER_FRAMES = 16
TOLERANCE_S = Fraction(1, 2)
# Recorders pad sizes; no frame is lost in so few bytes.
_SLACK_BYTES = 16


def whole_frames(path: Path, container: InputContainer, stream: VideoStream) -> tuple[int, Fraction] | None:
    """Returns how many frames a cut-off file still holds in storage order, and for how many seconds; or None.

    None means a whole file. Looks at sizes only; where by those something is missing, packets are counted
    without decoding.
    """
    names = container.format.name.split(",")
    size = file_size(path)
    if "mp4" in names:
        first: int | None = None
        for position, entry in enumerate(stream.index_entries):
            first = entry.timestamp if first is None else first
            if entry.pos + entry.size > size:
                return position, (entry.timestamp - first) * Fraction(stream.time_base or 0)
        return None
    if "gif" in names:
        return whole_pictures(path)
    if "matroska" in names:
        claimed = _matroska_end(path)
    elif "avi" in names:
        claimed = _avi_end(path)
    else:
        return None
    if claimed is None or claimed <= size + _SLACK_BYTES:
        return None
    return _count_packets(path, stream.index)


def expected_end_s(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Returns when a Matroska/WebM video ends by its own account, in seconds, or None if it does not say."""
    if "matroska" not in container.format.name.split(","):
        return None
    tag = next((value for key, value in stream.metadata.items() if key.upper() == "DURATION"), "")
    parts = tag.strip("\x00 ").split(":")
    try:
        hours, minutes, seconds = (Fraction(part) for part in parts)
        return hours * 3600 + minutes * 60 + seconds
    except (ValueError, ZeroDivisionError):
        pass
    # With other streams in the file, the container's duration may be theirs.
    if len(container.streams) > 1 or container.duration is None:
        return None
    return Fraction(container.duration, av.time_base)


def expected_packets(container: InputContainer, stream: VideoStream) -> int | None:
    """Returns the frame count in an AVI header, or None for other containers and empty headers."""
    return stream.frames or None if container.format.name == "avi" else None


def _count_packets(path: Path, stream_index: int) -> tuple[int, Fraction]:
    """Counts the packets of one stream that are whole, and tells how many seconds they last."""
    count = 0
    stamps: list[int] = []
    with open_media(path) as container:
        stream = container.streams[stream_index]
        try:
            for packet in container.demux(stream):
                if packet.size > 0 and not packet.is_corrupt:
                    count += 1
                    stamp = packet.dts if packet.pts is None else packet.pts
                    stamps += [] if stamp is None else [stamp, stamp + (packet.duration or 0)]
        except (av.FFmpegError, OSError):
            pass  # what was counted so far is what there is
        return count, (max(stamps, default=0) - min(stamps, default=0)) * Fraction(stream.time_base or 0)


def _matroska_end(path: Path) -> int | None:
    """Returns the offset at which the first segment ends, or None if it is of unknown size."""
    with path.open("rb") as file:
        while (head := matroska_element(file)) is not None:
            identity, size = head
            if size is None:
                return None
            if identity == MATROSKA_SEGMENT:
                return file.tell() + size
            file.seek(size, 1)
    return None


def _avi_end(path: Path) -> int | None:
    """Returns the offset at which the last RIFF chunk should end, or None where the header has no size."""
    end = 0
    with path.open("rb") as file:
        while True:
            file.seek(end)
            head = file.read(12)
            if len(head) < 12 or head[:4] != b"RIFF":
                return end or None
            size = int.from_bytes(head[4:8], "little")
            if size in (0, 0xFFFFFFFF):
                return None
            end += 8 + size + (size & 1)


# -- the blocks of a GIF --------------------------------------------------------------------------

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL = 0xF9


class _CutOffError(Exception):
    """The file ends within a block, or something else begins there."""


def whole_pictures(path: Path) -> tuple[int, Fraction] | None:
    """Returns how many pictures a damaged GIF holds before the damage and for how many seconds; None if it is whole.

    A file that ends after a picture without the trailer that should follow, or with zeros in its place, is whole.
    """
    count, shown_s, delay_s = 0, Fraction(0), Fraction(0)
    with path.open("rb") as file:
        try:
            header = _read(file, 13)
            _skip_palette(file, header[10])
            while (kind := file.read(1)) not in (b"", bytes([_TRAILER])):
                if kind[0] == _EXTENSION:
                    label = _read(file, 1)[0]
                    body = _sub_blocks(file)
                    if label == _GRAPHIC_CONTROL and len(body) >= 4:
                        delay_s = Fraction(int.from_bytes(body[1:3], "little"), 100)
                elif kind[0] == _IMAGE:
                    _skip_palette(file, _read(file, 9)[8])
                    _read(file, 1)
                    _sub_blocks(file)
                    count, shown_s = count + 1, shown_s + delay_s
                elif not kind[0] and not any(file.read()):
                    return None
                else:
                    raise _CutOffError
        except _CutOffError:
            return count, shown_s
    return None


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        _read(file, 3 << (flags & 7) + 1)


def _sub_blocks(file: BinaryIO) -> bytes:
    """Reads to the end of a chain of blocks and returns the first of them."""
    first = b""
    while size := _read(file, 1)[0]:
        body = _read(file, size)
        first = first or body
    return first


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise _CutOffError
    return data
