"""Frames of animated WebP, PNG and AVIF files, through Pillow: FFmpeg decodes no animated WebP, and drops alpha."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from PIL import Image

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import SMALLEST_SIDE_PX, ClipInfo, Frame
from vidstyle.media.base import Source
from vidstyle.media.images import reduced_size, resize
from vidstyle.media.stills import composed_still, decoding, open_still

SUFFIXES = (".webp", ".png", ".apng", ".avif")
# Files count in milliseconds, or nearly so.
_TIME_BASE = Fraction(1, 1000)
# What browsers show a frame for that names no duration.
_UNNAMED_MS = 100


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
        self._open_files = ExitStack()
        try:
            file = self._open_files.enter_context(path.open("rb"))
            self._picture: Image.Image = self._open_files.enter_context(open_still(file, path))
        except BaseException:
            self.close()
            raise
        # A still for programs that know no animations may stand before the first frame of an animated PNG.
        self._before = 1 if self._picture.info.get("default_image") else 0
        count = _pictures(self._picture) - self._before
        self._next, self._stop = 0, count if frames[1] is None else min(frames[1], count)
        self._start = frames[0]
        self._pts = 0
        width, height = self._picture.size
        try:
            if self._start >= count:
                raise SourceError(
                    f"{path}: has {count} frames (0 to {count - 1}), so none from {self._start} on; "
                    "choose an earlier range"
                )
            if min(width, height) < SMALLEST_SIDE_PX:
                raise SourceError(
                    f"{path}: too small ({width}x{height} pixels; at least {SMALLEST_SIDE_PX} on a side); enlarge it"
                )
            duration_ms = self._load()
        except BaseException:
            self.close()
            raise
        self.info = ClipInfo(
            path=path,
            kind="animation",
            width=width,
            height=height,
            rate=Fraction(1000, duration_ms),
            frame_count=self._stop - self._start,
            time_base=_TIME_BASE,
            range_start=self._start,
            range_stop=frames[1],
        )

    def __next__(self) -> Frame:
        index, pts = self._advance()
        still = composed_still(self._picture, self._path)
        size = reduced_size(self.info.width, self.info.height, self._largest_side_px)
        self.notes += [note for note in (f"{self._path.name}: {n}" for n in still.notes) if note not in self.notes]
        alpha = None if still.alpha is None else resize(still.alpha, *size)
        if still.alpha is not None and still.alpha.min() < 255:
            self.is_transparent = True
        return Frame(index, resize(still.image, *size), pts, _TIME_BASE, alpha=alpha)

    def skip(self) -> None:
        self._advance()

    def close(self) -> None:
        self._next, self._stop = 0, 0
        self._open_files.close()

    def _advance(self) -> tuple[int, int]:
        """Decodes up to the range's next frame and returns its index and timestamp."""
        while self._next < self._stop:
            index, pts = self._next, self._pts
            try:
                duration_ms = self._load()
            except SourceError as error:
                message = f"frame {index} ({float(pts * _TIME_BASE):.3f} s): {error}"
                if not self._keep_going or index == 0:
                    raise DamagedSourceError(f"{message}, or use --keep-going for what comes before it") from error
                self.notes.append(f"{self._path.name}: ends at {message}")
                break
            self._next, self._pts = index + 1, pts + duration_ms
            if index >= self._start:
                return index, pts
        self.close()
        raise StopIteration

    def _load(self) -> int:
        """Decodes the next frame and returns how long it is shown, in milliseconds."""
        with decoding(self._path):
            self._picture.seek(self._before + self._next)
            self._picture.load()
            named = float(self._picture.info.get("duration") or 0)
        return max(1, round(named)) if 0 < named < 1e9 else _UNNAMED_MS


def is_animated(path: Path) -> bool:
    """Tells whether a file is a picture that moves."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    try:
        with path.open("rb") as file, open_still(file, path) as picture:
            return picture.format in ("WEBP", "PNG", "AVIF") and _pictures(picture) > 1
    except (SourceError, OSError):
        return False


def _pictures(picture: Image.Image) -> int:
    return int(getattr(picture, "n_frames", 1))
