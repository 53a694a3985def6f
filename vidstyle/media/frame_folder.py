"""Frames from a folder of pictures, from a numbered pattern, or from one picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import DEFAULT_FPS, SMALLEST_SIDE_PX, ClipInfo, Frame, Picture
from vidstyle.media.base import Source
from vidstyle.media.headers import picture_size
from vidstyle.media.images import IMAGE_SUFFIXES, is_image_name, natural_key, read_image, reduced_size, resize

# Enough for the size of a PNG and, past thumbnails and profiles, of most JPEG files.
_HEADER_BYTES = 64 * 1024
_PATTERN = re.compile(r"%(?:0([0-9]{1,2}))?d")


class FrameFolderSource(Source):
    """Reads picture files in natural order, one frame each.

    Args:
        path: what the user asked for (a folder, pattern or picture); named in messages.
        files: the picture files in order.
        kind: "frames" or "still".
        fps: frames per second.
        frames: half-open range of positions in `files`.
        keep_going: leave out pictures that cannot be read instead of raising.
        largest_side_px: pictures come reduced to this size, for those who only glance at them.

    Raises:
        SourceError: the range is empty, the first picture cannot be read or is too small, or sizes differ.
    """

    def __init__(
        self,
        path: Path,
        files: list[Path],
        *,
        kind: str = "frames",
        fps: Fraction = DEFAULT_FPS,
        frames: tuple[int, int | None] = (0, None),
        keep_going: bool = False,
        largest_side_px: int | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._path = path
        self._files = files
        self._keep_going = keep_going
        self._largest_side_px = largest_side_px
        start, stop = frames
        if start >= len(files):
            raise SourceError(
                f"{path}: has {len(files)} frames (0 to {len(files) - 1}), so none from {start} on; "
                f"choose an earlier range"
            )
        self._next = start
        self._stop = len(files) if stop is None else min(stop, len(files))
        self._names = _unique_names(files)
        self._first_file, self._first = self._first_readable()
        height, width = self._first.shape[:2]
        if min(width, height) < SMALLEST_SIDE_PX:
            raise SourceError(
                f"{self._first_file}: too small ({width}x{height} pixels; at least {SMALLEST_SIDE_PX} on a side); "
                f"enlarge it first"
            )
        self._size = (width, height)
        self.info = ClipInfo(
            path=path,
            kind=kind,
            width=width,
            height=height,
            rate=None if kind == "still" else fps,
            frame_count=self._stop - start,
            time_base=1 / fps,
            range_start=start,
            range_stop=stop,
        )
        self._check_sizes()
        self._note_gaps()

    def __next__(self) -> Frame:
        while self._next < self._stop:
            index, self._next = self._next, self._next + 1
            file = self._files[index]
            try:
                image = self._first if file == self._first_file else read_image(file)
            except SourceError as error:
                if not self._keep_going:
                    raise DamagedSourceError(f"frame {index}: {error}, or use --keep-going to leave it out") from error
                self.notes.append(f"{file.name}: frame {index} cannot be read and was left out")
                continue
            self._check_size(file, image)
            width, height = reduced_size(*self._size, self._largest_side_px)
            return Frame(index, resize(image, width, height), index, self.info.time_base, self._names[index])
        raise StopIteration

    def skip(self) -> None:
        if self._keep_going:  # only reading tells whether a picture counts
            next(self)
        elif self._next < self._stop:
            self._next += 1
        else:
            raise StopIteration

    def file_names(self, timestamps: Sequence[int]) -> list[str]:
        return [f"{self._names[pts]}.png" for pts in timestamps]

    @property
    def files(self) -> list[Path]:
        """The picture files of the range, in order."""
        return self._files[self.info.range_start : self._stop]

    def close(self) -> None:
        self._next = self._stop

    def _first_readable(self) -> tuple[Path, Picture]:
        """Returns the first picture of the range, which settles the size."""
        failure: SourceError | None = None
        for file in self._files[self._next : self._stop]:
            try:
                return file, read_image(file)
            except SourceError as error:
                failure = failure or error
                if not self._keep_going:
                    break
        raise failure or SourceError(f"{self._path}: the range holds no frames; choose another")

    def _note_gaps(self) -> None:
        """Says which numbers of a pattern are missing: a video closes the gap, which nobody would see."""
        if self.info.kind != "frames" or self._path.is_dir():
            return
        matches = (_pattern_expression(self._path).fullmatch(file.name) for file in self.files)
        numbers = [int(match[1]) for match in matches if match]
        gaps = [(a, b) for a, b in pairwise(numbers) if b - a > 1]
        if gaps:
            missing = sum(b - a - 1 for a, b in gaps)
            self.notes.append(
                f"{self._path.name}: {missing} numbers are missing (the first is {gaps[0][0] + 1}); "
                "the frames around them follow each other"
            )

    def _check_sizes(self) -> None:
        """Compares the sizes in the files' headers, so that a stray picture is found before the first is painted."""
        expected = _stored_size(self._first_file)
        if expected is None:
            return
        for file in self._files[self._next : self._stop]:
            size = _stored_size(file)
            if size is None or size == expected:
                continue
            # Stored sizes may differ by orientation alone: only the picture as shown counts.
            try:
                image = read_image(file)
            except SourceError:
                continue  # reported when its turn comes
            self._check_size(file, image)

    def _check_size(self, file: Path, image: Picture) -> None:
        height, width = image.shape[:2]
        if (width, height) != self._size:
            raise SourceError(
                f"{file}: {width}x{height} pixels, but {self._first_file.name} has {self._size[0]}x{self._size[1]}; "
                f"all frames must have one size"
            )


def folder_files(folder: Path) -> list[Path]:
    """Returns the pictures in `folder` in natural order; hidden files do not count.

    Raises:
        SourceError: there is none, or the folder cannot be read.
    """
    try:
        # macOS leaves "._name.png" beside the pictures on foreign disks.
        files = [p for p in folder.iterdir() if is_image_name(p) and not p.name.startswith(".") and p.is_file()]
    except OSError as error:
        raise SourceError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
    if not files:
        raise SourceError(f"{folder}: no image in this folder; put frames there as {', '.join(IMAGE_SUFFIXES)}")
    return sorted(files, key=natural_key)


def is_pattern(path: Path) -> bool:
    """Tells whether the file name holds a printf number such as `%04d`."""
    return _PATTERN.search(path.name) is not None


def pattern_files(pattern: Path) -> list[Path]:
    """Returns the files that match e.g. `shot.%04d.png`, by number; gaps and any first number are fine.

    Raises:
        SourceError: more than one number in the pattern, no image suffix, or nothing matches.
    """
    parts = _PATTERN.split(pattern.name)
    if len(parts) != 3:
        raise SourceError(f"{pattern}: a pattern may hold one number, as in shot.%04d.png; write it so")
    if not is_image_name(pattern):
        raise SourceError(f"{pattern}: not a pattern of pictures; end it in one of {', '.join(IMAGE_SUFFIXES)}")
    expression = _pattern_expression(pattern)
    try:
        names = [p for p in pattern.parent.iterdir() if expression.fullmatch(p.name) and p.is_file()]
    except OSError as error:
        raise SourceError(f"{pattern.parent}: cannot be read ({error.strerror}); check the path") from error
    if not names:
        raise SourceError(f"{pattern}: no file matches this pattern; check the path and the number of digits")
    return sorted(names, key=natural_key)


def _pattern_expression(pattern: Path) -> re.Pattern[str]:
    """Returns what matches the names of a pattern with one number, which is the only group."""
    before, digits, after = _PATTERN.split(pattern.name)
    width = int(digits) if digits else 1
    return re.compile(
        re.escape(before.replace("%%", "%")) + f"([0-9]{{{width},}})" + re.escape(after.replace("%%", "%"))
    )


def _unique_names(files: list[Path]) -> list[str]:
    """Returns the stem of every file, or its whole name where two share a stem (a.png and a.jpg)."""
    # Folded, since two names that differ in case only are one file on macOS and Windows.
    stems = Counter(file.stem.casefold() for file in files)
    names: list[str] = []
    taken = {file.stem.casefold() for file in files if stems[file.stem.casefold()] == 1}
    for file in files:
        name = file.stem
        if stems[name.casefold()] > 1:
            name, number = file.name, 2
            while name.casefold() in taken:  # as a.png is by a.png.png
                name, number = f"{file.name}_{number}", number + 1
            taken.add(name.casefold())
        names.append(name)
    return names


def _stored_size(file: Path) -> tuple[int, int] | None:
    try:
        with file.open("rb") as stream:
            return picture_size(stream.read(_HEADER_BYTES))
    except OSError:
        return None
