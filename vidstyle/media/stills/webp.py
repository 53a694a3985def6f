"""WebP files as chunks: single pictures that lie in a row, and what an animation holds.

Layout: https://developers.google.com/speed/webp/docs/riff_container
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HEAD_BYTES = 8
# Of a frame in an animation: place, size, duration, flags; the duration is 24 bits at byte 12.
_FRAME_BYTES, _DURATION_AT = 16, 12


def pictures_in_a_row(path: Path) -> Iterator[bytes]:
    """Yields the WebP files that stand one after the other in `path`.

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
