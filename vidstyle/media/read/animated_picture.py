"""Frames of animated WebP, PNG and AVIF files: FFmpeg decodes no animated WebP, and drops the alpha of AVIF."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm
from pathlib import Path

import av
from PIL import Image

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import SMALLEST_SIDE_PX, ClipInfo, Frame, Picture, resize
from vidstyle.media.containers import media_url
from vidstyle.media.read.apng import AnimatedPng
from vidstyle.media.read.source import Source
from vidstyle.media.stills.color import HEAD_BYTES, color_note
from vidstyle.media.stills.decoding import composed_still, current_layers, decoding, open_still, orientation_of
from vidstyle.media.stills.headers import frame_durations_ms
from vidstyle.media.stills.images import reduced_size

SUFFIXES = (".webp", ".png", ".apng", ".avif")
# Files count in milliseconds, most of them; finer times are kept down to this.
_COARSEST_BASE, _FINEST_BASE = 1000, 1_000_000
# What browsers show a frame for that names no duration.
_DEFAULT_DURATION_S = Fraction(1, 10)


class _Pillow:
    """Frames as Pillow composes them; `apng` has the same for PNG."""

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
