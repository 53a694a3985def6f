"""The blocks of a GIF file, without their content, to find out where it is cut off."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

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
