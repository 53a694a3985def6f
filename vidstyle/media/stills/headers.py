"""What the bytes of a picture file say without decoding it: whether it is cut off, and the pictures of a WebP.

WebP: https://developers.google.com/speed/webp/docs/riff_container
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
_JPEG_SOS = 0xDA
_JPEG_EOI = b"\xff\xd9"


def is_cut_off(data: bytes) -> bool:
    """Tells whether a PNG, JPEG, WebP or AVIF file ends before its last picture data; False for other formats.

    OpenCV fills what is missing with gray instead of failing, and Pillow takes the others for no pictures at all.
    """
    if data.startswith(PNG_MAGIC):
        return b"IEND" not in data
    if data.startswith(JPEG_MAGIC):
        for marker, body in _jpeg_segments(data):
            if marker == _JPEG_SOS:
                # Thumbnails come before this marker, telephones append films after the end: the first end counts.
                return data.find(_JPEG_EOI, body) < 0
        return True
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        # Some writers leave out the last byte, which only makes the length even.
        return len(data) + 1 < 8 + int.from_bytes(data[4:8], "little")
    if data[4:8] == b"ftyp":
        return _ends_within_a_box(data)
    return False


def _ends_within_a_box(data: bytes) -> bool:
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length < 8:  # 0 means all that is left
            return False
        at += length
    return at > len(data)


def _jpeg_segments(data: bytes) -> list[tuple[int, int]]:
    """Returns (marker, offset of its body) for every segment up to and including start-of-scan."""
    segments, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        segments.append((marker, at + 4))
        if marker == _JPEG_SOS:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return segments


# -- WebP -----------------------------------------------------------------------------------------

_HEAD_BYTES = 8
# Of a frame in an animation: place, size, duration, flags; the duration is 24 bits at byte 12.
_FRAME_BYTES, _DURATION_AT = 16, 12


def pictures_in_a_row(path: Path) -> Iterator[bytes]:
    """Yields the WebP files that follow one another in `path`.

    Raises:
        OSError: it cannot be read, or ends within one.
    """
    with path.open("rb") as file:
        while head := file.read(_HEAD_BYTES):
            length = int.from_bytes(head[4:8], "little")
            body = file.read(length)
            if head[:4] != b"RIFF" or len(body) < length:
                raise OSError(f"{path}: not WebP pictures in a row")
            yield head + body


def frame_durations_ms(path: Path) -> list[int]:
    """Returns how long each picture of a WebP file is shown; a file that does not move has one, of 0.

    Raises:
        OSError: it cannot be read, or is no whole WebP file.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES + 4)
        end = _HEAD_BYTES + int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or head[8:] != b"WEBP" or path.stat().st_size < end:
            raise OSError(f"{path}: not a whole WebP file")
        kinds = list(_chunks(file, end))
    moving = [duration for kind, duration in kinds if kind == b"ANMF"]
    return moving or [0 for kind, _ in kinds if kind in (b"VP8 ", b"VP8L")]


def _chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """Yields each chunk's name and, where it is a frame of an animation, its duration."""
    while file.tell() < end:
        head = file.read(_HEAD_BYTES)
        length = int.from_bytes(head[4:8], "little")
        start = file.tell()
        frame = file.read(min(length, _FRAME_BYTES))
        yield head[:4], int.from_bytes(frame[_DURATION_AT : _DURATION_AT + 3], "little")
        file.seek(start + length + length % 2)
