"""Animated PNG, composed as its specification says, with exact times.

Each frame's data makes a PNG file of its own, so that all depths and kinds of color are read as stills are. Pillow
forgets about alpha where frames are blended, and counts whole milliseconds. PNG, third edition, 11.3.3 and 12.9.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from vidstyle.errors import SourceError
from vidstyle.frames import Picture
from vidstyle.media.stills.decoding import check_size, layers_of
from vidstyle.media.stills.headers import PNG_MAGIC

_BACKGROUND, _PREVIOUS = 1, 2
_OVER = 1
_ALPHA_COLOR_TYPES = (4, 6)
_GRAY_COLOR_TYPES = (0, 4)
# Of a delay, where it is 0 in the file.
_DEFAULT_DENOMINATOR = 100
_LARGEST_CHUNK_BYTES = 1 << 31
_BAND_ROWS = 64


@dataclass(slots=True)
class _Part:
    """A frame as stored: its place on the canvas, its duration, how it is put there, and where in the file it lies."""

    width: int
    height: int
    left: int
    top: int
    duration_s: Fraction
    disposal: int
    blend: int
    start: int
    stop: int


class AnimatedPng:
    """The frames of an opened file, one after the other.

    Args:
        file: open for reading; the caller closes it. path: named in messages.

    Attributes:
        count: number of frames. durations_s: of those that are there, 0 where the file names none.

    Raises:
        SourceError: a frame does not fit the picture, which is too large, or there is none.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._header, self._colors, claim, is_whole = b"", b"", 0, False
        self._parts: list[_Part] = []
        for name, start, length in self._chunks(len(PNG_MAGIC)):
            if name == b"IHDR":
                self._header = self._read(start, length)
            elif name in (b"PLTE", b"tRNS") and not (self._parts and self._parts[-1].stop):
                self._colors += _chunk(name, self._read(start, length))
            elif name == b"acTL":
                claim = int.from_bytes(self._read(start, 4), "big")
            elif name == b"fcTL" and len(control := self._read(start, length)) == length:
                self._parts.append(self._part(control, start + length + 4))
            elif name in (b"IDAT", b"fdAT") and self._parts:
                self._parts[-1].stop = start + length + 4
            is_whole = name == b"IEND"
        if len(self._header) != 13:
            raise self._damaged()
        # A whole file is believed for its frames, not for their number.
        self.count = min(claim, len(self._parts)) if is_whole else claim
        if not self.count:
            raise self._damaged()
        self.durations_s = [part.duration_s for part in self._parts[: self.count]]
        width, height = self._size
        check_size(width, height, path)
        self._canvas = np.zeros((height, width, 4), np.uint8)
        self._shown: tuple[_Part, Picture] | None = None
        self._has_alpha = (
            self._header[9] in _ALPHA_COLOR_TYPES
            or b"tRNS" in self._colors
            or any(part.disposal == _BACKGROUND for part in self._parts)
            or any((part.width, part.height) != (width, height) for part in self._parts[:1])
        )

    def load(self, index: int) -> None:
        """Composes a frame; the first one, or the one after that which was composed last.

        Raises:
            SourceError: it is damaged or not there.
        """
        if index >= len(self._parts) or not self._parts[index].stop:
            raise SourceError(f"{self._path}: cut off; copy or export it again")
        part = self._parts[index]
        colors, alpha = layers_of(self._file_of(part), self._path)
        image = np.asarray(colors.convert("RGB"), np.uint8)
        self._dispose()
        rows, columns = slice(part.top, part.top + part.height), slice(part.left, part.left + part.width)
        below = self._canvas[rows, columns]
        self._shown = part, below.copy() if part.disposal == _PREVIOUS and index else np.zeros_like(below)
        if alpha is None:
            below[..., :3], below[..., 3] = image, 255
        elif part.blend == _OVER:
            _blend(below, image, alpha)
        else:
            below[..., :3], below[..., 3] = image, alpha

    def layers(self) -> tuple[Image.Image, Picture | None]:
        """Returns the current frame's colors, of mode L or RGB, and its transparency."""
        is_gray = self._header[9] in _GRAY_COLOR_TYPES
        colors = self._canvas[..., 0] if is_gray else self._canvas[..., :3]
        alpha = np.ascontiguousarray(self._canvas[..., 3]) if self._has_alpha else None
        return Image.fromarray(np.ascontiguousarray(colors)), alpha

    @property
    def _size(self) -> tuple[int, int]:
        width, height = struct.unpack(">II", self._header[:8])
        return width, height

    def _dispose(self) -> None:
        """Makes room for the next frame as the last one asks; what comes before the first is transparent."""
        if self._shown is not None and self._shown[0].disposal in (_BACKGROUND, _PREVIOUS):
            part, below = self._shown
            self._canvas[part.top : part.top + part.height, part.left : part.left + part.width] = below

    def _part(self, data: bytes, start: int) -> _Part:
        if len(data) != 26 or len(self._header) != 13:
            raise self._damaged()
        _, width, height, left, top, delay, per, disposal, blend = struct.unpack(">IIIIIHHBB", data)
        whole_width, whole_height = self._size
        if not (width and height and left + width <= whole_width and top + height <= whole_height):
            raise self._damaged()
        duration_s = Fraction(delay, per or _DEFAULT_DENOMINATOR)
        return _Part(width, height, left, top, duration_s, disposal, blend, start, 0)

    def _file_of(self, part: _Part) -> bytes:
        """Returns a PNG file of one frame."""
        size = struct.pack(">II", part.width, part.height)
        data = b""
        parts = [PNG_MAGIC, _chunk(b"IHDR", size + self._header[8:]), self._colors]
        for name, start, length in self._chunks(part.start, part.stop):
            if name in (b"IDAT", b"fdAT"):
                data = self._read(start, length + 4)
                if len(data) < length + 4:
                    raise SourceError(f"{self._path}: cut off; copy or export it again")
                if zlib.crc32(name + data[:-4]) != int.from_bytes(data[-4:], "big"):
                    raise self._damaged()
                parts.append(_chunk(b"IDAT", data[4 if name == b"fdAT" else 0 : -4]))
        return b"".join([*parts, _chunk(b"IEND", b"")])

    def _chunks(self, start: int, stop: int | None = None) -> Iterator[tuple[bytes, int, int]]:
        """Yields each chunk's name, where its data starts, and how many bytes they should be."""
        while stop is None or start < stop:
            head = self._read(start, 8)
            length = int.from_bytes(head[:4], "big")
            if len(head) < 8 or length >= _LARGEST_CHUNK_BYTES:
                return
            yield head[4:], start + 8, length
            start += 12 + length

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    def _damaged(self) -> SourceError:
        return SourceError(f"{self._path}: the animation is damaged; copy or export it again")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _blend(below: Picture, image: Picture, alpha: Picture) -> None:
    """Puts a frame over what is there, `(H, W, 4)` uint8 RGB and alpha; neither is multiplied by its alpha."""
    for top in range(0, len(below), _BAND_ROWS):
        band = below[top : top + _BAND_ROWS]
        share = alpha[top : top + _BAND_ROWS, :, None].astype(np.float32) / 255
        rest = band[..., 3:].astype(np.float32) / 255 * (1 - share)
        total = share + rest
        mixed = image[top : top + _BAND_ROWS] * share + band[..., :3] * rest
        band[..., :3] = np.rint(mixed / np.maximum(total, np.float32(1e-6)))
        band[..., 3:] = np.rint(total * 255)
