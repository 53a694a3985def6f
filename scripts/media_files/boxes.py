"""What PyAV does not tell of an MP4 file: how long its pictures are shown (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

_EMPTY_EDIT = 0xFFFFFFFF


def shown_s(path: Path) -> Fraction | None:
    """Returns for how many seconds the first video track is shown by its edit list, or None where there is none.

    Durations of samples count decoding, so those of frames stored out of order say nothing of the last one shown.
    """
    movie = _child(path.read_bytes(), b"moov")
    header = _child(movie, b"mvhd")
    if not header:
        return None
    ticks_per_s = int.from_bytes(header[20:24] if header[0] else header[12:16], "big")
    for name, track in _boxes(movie):
        if name == b"trak" and _child(_child(track, b"mdia"), b"hdlr")[8:12] == b"vide":
            edits = _child(_child(track, b"edts"), b"elst")
            lengths = [length for length, start in _edits(edits) if start != _EMPTY_EDIT]
            return Fraction(sum(lengths), ticks_per_s) if lengths else None
    return None


def _edits(box: bytes) -> Iterator[tuple[int, int]]:
    """Yields length and start in the track of each edit; an empty one's start is -1 in 32 bits."""
    wide = 8 if box[:1] == b"\1" else 4
    for number in range(int.from_bytes(box[4:8], "big")):
        at = 8 + number * (2 * wide + 4)
        start = int.from_bytes(box[at + wide : at + 2 * wide], "big")
        yield int.from_bytes(box[at : at + wide], "big"), start & _EMPTY_EDIT if wide == 8 else start


def _child(data: bytes, wanted: bytes) -> bytes:
    return next((body for name, body in _boxes(data) if name == wanted), b"")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        size = size or len(data) - at
        yield name, data[at + head : at + size]
        at += max(size, head)
