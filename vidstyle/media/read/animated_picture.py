"""Frames of animated WebP, PNG and AVIF files.

FFmpeg decodes no animated WebP, drops the alpha of AVIF, and rounds the times of PNG and refuses some with 16 bits; so
Pillow composes WebP and AVIF, and `AnimatedPng` PNG: Pillow forgets about alpha where its frames are blended.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from PIL import Image

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import SMALLEST_SIDE_PX, ClipInfo, Frame, Picture, resize
from vidstyle.media.containers import media_url
from vidstyle.media.read.source import Source
from vidstyle.media.stills.decoding import (
    check_size,
    composed_still,
    current_layers,
    decoding,
    layers_of,
    open_still,
    orientation_of,
)
from vidstyle.media.stills.headers import PNG_MAGIC, frame_durations_ms
from vidstyle.media.stills.images import reduced_size
from vidstyle.media.stills.metadata import HEAD_BYTES, color_note

SUFFIXES = (".webp", ".png", ".apng", ".avif")
# Files count in milliseconds, most of them; finer times are kept down to this.
_COARSEST_BASE, _FINEST_BASE = 1000, 1_000_000
# How long browsers show a frame without a duration.
_DEFAULT_DURATION_S = Fraction(1, 10)


class _Pillow:
    """Frames as Pillow composes them; `AnimatedPng` has the same attributes and methods."""

    def __init__(self, picture: Image.Image, path: Path) -> None:
        self._picture, self._path = picture, path
        self.count = _pictures(picture)
        self.load(0)
        first_s = Fraction(picture.info.get("duration") or 0) / 1000
        named = _webp_durations_s(path) if picture.format == "WEBP" else _avif_durations_s(path, self.count)
        self.durations_s = [*named, *[first_s] * self.count][: self.count]

    def load(self, index: int) -> None:
        with decoding(self._path):
            self._picture.seek(index)
            self._picture.load()

    def layers(self) -> tuple[Image.Image, Picture | None]:
        return current_layers(self._picture, self._path)


class AnimatedPictureSource(Source):
    """Reads an animated picture, each frame as composed of those before it; see `is_animated`.

    Args:
        path: the file. frames: half-open range of frame indices.
        keep_going: end before a frame that cannot be decoded instead of raising.
        largest_side_px: pictures come reduced to this size.

    Raises:
        SourceError: the file cannot be read, is too small, or holds no frame of the range.
    """

    def __init__(
        self,
        path: Path,
        frames: tuple[int, int | None] = (0, None),
        keep_going: bool = False,
        largest_side_px: int | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._path, self._keep_going, self._largest_side_px = path, keep_going, largest_side_px
        self._start, self._next, self._loaded = frames[0], 0, -1
        self._open_files = ExitStack()
        try:
            self._open(path, frames[1])
        except BaseException:
            self.close()
            raise

    def _open(self, path: Path, stop: int | None) -> None:
        file = self._open_files.enter_context(path.open("rb"))
        picture = self._open_files.enter_context(open_still(file, path))
        self._profile, self._orientation = picture.info.get("icc_profile"), orientation_of(picture)
        width, height = picture.size if self._orientation < 5 else picture.size[::-1]
        if min(width, height) < SMALLEST_SIDE_PX:
            raise SourceError(
                f"{path}: too small ({width}x{height} pixels; at least {SMALLEST_SIDE_PX} on a side); enlarge it"
            )
        again = self._open_files.enter_context(path.open("rb"))
        claim = None if self._profile else color_note(again.read(HEAD_BYTES))
        self.notes += [] if claim is None else [f"{path.name}: {claim}"]
        self._pictures: AnimatedPng | _Pillow
        self._pictures = AnimatedPng(again, path) if picture.format == "PNG" else _Pillow(picture, path)
        count = self._pictures.count
        if self._start >= count:
            raise SourceError(
                f"{path}: has {count} frames (0 to {count - 1}), so none from {self._start} on; choose an earlier range"
            )
        self._stop = count if stop is None else min(stop, count)
        self._load(0)
        # Those after the end of a file that is cut off are never shown.
        durations_s = [named if named > 0 else _DEFAULT_DURATION_S for named in self._pictures.durations_s]
        starts_s = [*accumulate(durations_s, initial=Fraction(0))]
        base = lcm(_COARSEST_BASE, *(start_s.denominator for start_s in starts_s))
        base = base if base <= _FINEST_BASE else _FINEST_BASE
        self._ticks = [round(start_s * base) for start_s in starts_s]
        self.info = ClipInfo(
            path=path,
            kind="animation",
            width=width,
            height=height,
            rate=len(durations_s) / starts_s[-1],
            frame_count=self._stop - self._start,
            time_base=Fraction(1, base),
            range_start=self._start,
            range_stop=stop,
            last_duration_s=durations_s[min(self._stop, len(durations_s)) - 1],
        )

    def __next__(self) -> Frame:
        index, pts = self._advance()
        still = composed_still(self._pictures.layers(), self._profile, self._orientation, self._path)
        size = reduced_size(self.info.width, self.info.height, self._largest_side_px)
        self.notes += [note for note in (f"{self._path.name}: {n}" for n in still.notes) if note not in self.notes]
        alpha = None if still.alpha is None else resize(still.alpha, *size)
        if still.alpha is not None and still.alpha.min() < 255:
            self.is_transparent = True
        return Frame(index, resize(still.image, *size), pts, self.info.time_base, alpha=alpha)

    def skip(self) -> None:
        self._advance()

    def close(self) -> None:
        self._next, self._stop = 0, 0
        self._open_files.close()

    def _advance(self) -> tuple[int, int]:
        """Decodes up to the range's next frame and returns its index and timestamp."""
        while self._next < self._stop:
            index = self._next
            pts = self._ticks[min(index, len(self._ticks) - 1)]
            try:
                self._load(index)
            except SourceError as error:
                message = f"{error} (frame {index}, {float(pts * self.info.time_base):.3f} s"
                if not self._keep_going:
                    message = f"{message}; --keep-going renders what comes before it)"
                    raise DamagedSourceError(message) from error
                self.notes.append(f"{message} and what follows are missing)")
                break
            self._next = index + 1
            if index >= self._start:
                return index, pts
        self.close()
        raise StopIteration

    def _load(self, index: int) -> None:
        """Composes a frame, unless it is the current one."""
        if index != self._loaded:
            self._pictures.load(index)
            self._loaded = index


def is_animated(path: Path) -> bool:
    """Tells whether a file is a picture that moves."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    try:
        with path.open("rb") as file, open_still(file, path) as picture:
            return picture.format in ("WEBP", "PNG", "AVIF") and _pictures(picture) > 1
    except (SourceError, OSError):
        return False


def _webp_durations_s(path: Path) -> list[Fraction]:
    try:
        return [Fraction(duration_ms, 1000) for duration_ms in frame_durations_ms(path)]
    except OSError:
        return []


def _avif_durations_s(path: Path, count: int) -> list[Fraction]:
    """Returns how long each frame is shown: Pillow rounds to milliseconds, so that frames drift."""
    with suppress(av.FFmpegError, OSError, ValueError), av.open(media_url(path)) as container:
        stamps: dict[int, list[tuple[int, int]]] = {}
        for packet in container.demux():
            if packet.size and packet.pts is not None:
                stamps.setdefault(packet.stream.index, []).append((packet.pts, packet.duration or 0))
        for stream in container.streams.video:
            times = sorted(stamps.get(stream.index, []))
            if len(times) == count and stream.time_base:
                steps = [after[0] - before[0] for before, after in pairwise(times)]
                return [ticks * Fraction(stream.time_base) for ticks in [*steps, times[-1][1]]]
    return []


def _pictures(picture: Image.Image) -> int:
    return int(getattr(picture, "n_frames", 1))


# -- animated PNG: third edition, 11.3.3 and 12.9 -------------------------------------------------
#
# The data of each frame makes a PNG file of its own, so that all depths and kinds of color are read as stills are.

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
    """Blends a frame over the canvas, `(H, W, 4)` uint8 RGB and alpha; neither is multiplied by its alpha."""
    for top in range(0, len(below), _BAND_ROWS):
        band = below[top : top + _BAND_ROWS]
        share = alpha[top : top + _BAND_ROWS, :, None].astype(np.float32) / 255
        rest = band[..., 3:].astype(np.float32) / 255 * (1 - share)
        total = share + rest
        mixed = image[top : top + _BAND_ROWS] * share + band[..., :3] * rest
        band[..., :3] = np.rint(mixed / np.maximum(total, np.float32(1e-6)))
        band[..., 3:] = np.rint(total * 255)
