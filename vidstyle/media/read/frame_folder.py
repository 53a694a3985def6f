"""Frames from a folder of pictures, from a numbered pattern, or from one picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from vidstyle.errors import DamagedSourceError, SourceError
from vidstyle.frames import DEFAULT_FPS, SMALLEST_SIDE_PX, ClipInfo, Frame, Picture, resize
from vidstyle.media.read.source import Source
from vidstyle.media.stills.decoding import Still, still_header
from vidstyle.media.stills.images import (
    IMAGE_SUFFIXES,
    UNREAD_SUFFIXES,
    check_readable,
    is_image_name,
    natural_key,
    read_still,
    reduced_size,
)
from vidstyle.media.timestamps import TIMESTAMPS_NAME, folder_times

_PATTERN = re.compile(r"%(?:0([0-9]{1,2}))?d")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,18})")


class FrameFolderSource(Source):
    """Reads picture files in natural order, one frame each.

    Args:
        path: what the user asked for (a folder, pattern or picture); named in messages.
        files: the picture files in order.
        kind: "frames" or "still".
        fps: frames per second; None for the times in the pictures' `timestamps.csv`, or else 25.
        frames: half-open range of positions in `files`.
        keep_going: leave out pictures that cannot be read instead of raising.
        largest_side_px: pictures come reduced to this size, which is enough for an analysis.

    Raises:
        SourceError: the range is empty, the first picture cannot be read or is too small, sizes differ, or the times
            are not to be had.
    """

    def __init__(
        self,
        path: Path,
        files: list[Path],
        *,
        kind: str = "frames",
        fps: Fraction | None = None,
        frames: tuple[int, int | None] = (0, None),
        keep_going: bool = False,
        largest_side_px: int | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._path = path
        self._files = files
        self._keep_going = keep_going
        self._largest_side_px = largest_side_px
        self._noted: set[str] = set()
        start, stop = frames
        if start >= len(files):
            raise SourceError(
                f"{path}: has {len(files)} frames (0 to {len(files) - 1}), so none from {start} on; "
                f"choose an earlier range"
            )
        self._next = start
        self._stop = len(files) if stop is None else min(stop, len(files))
        self._names = _unique_names(files)
        rate, time_base = self._settle_times(kind, fps)
        self._first_file, self._first = self._first_readable()
        height, width = self._first.image.shape[:2]
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
            rate=rate,
            frame_count=self._stop - start,
            time_base=time_base,
            range_start=start,
            range_stop=stop,
        )
        self._check_headers()
        self._note_gaps()
        self._note_unread()

    def __next__(self) -> Frame:
        while self._next < self._stop:
            index, self._next = self._next, self._next + 1
            file = self._files[index]
            try:
                still = self._first if file == self._first_file else read_still(file)
            except SourceError as error:
                if not self._keep_going:
                    raise DamagedSourceError(f"frame {index}: {error}, or use --keep-going to leave it out") from error
                self.notes.append(f"{file.name}: frame {index} cannot be read and was left out")
                continue
            self._check_size(file, still.image)
            self._note(file, still)
            self.exif = still.exif
            return self._frame(index, still)
        raise StopIteration

    def _frame(self, index: int, still: Still) -> Frame:
        size = reduced_size(*self._size, self._largest_side_px)
        alpha = None if still.alpha is None else resize(still.alpha, *size)
        if alpha is not None and not self.is_transparent:
            self.is_transparent = bool(still.alpha is not None and still.alpha.min() < 255)
        image = resize(still.image, *size)
        return Frame(index, image, self._ticks[index], self.info.time_base, self._names[index], alpha)

    def skip(self) -> None:
        if self._keep_going:  # only reading tells whether a picture counts
            next(self)
        elif self._next < self._stop:
            self._next += 1
        else:
            raise StopIteration

    def file_names(self, timestamps: Sequence[int], suffix: str = ".png") -> list[str]:
        names = dict(zip(self._ticks, self._names, strict=True))
        return [f"{names[pts]}{suffix}" for pts in timestamps]

    @property
    def files(self) -> list[Path]:
        """The picture files of the range, in order, and their times' if they have any."""
        pictures = self._files[self.info.range_start : self._stop]
        return [*pictures, self._times_file] if self.is_timed else pictures

    def close(self) -> None:
        self._next = self._stop

    def _settle_times(self, kind: str, fps: Fraction | None) -> tuple[Fraction | None, Fraction]:
        """Gives every picture a time, and returns frames per second, None for a still, and seconds per tick."""
        self._ticks: Sequence[int] = range(len(self._files))
        is_folder = self._path.is_dir()
        self._times_file = (self._path if is_folder else self._path.parent) / TIMESTAMPS_NAME
        self.is_timed = kind == "frames" and fps is None and self._times_file.is_file()
        if self.is_timed:
            times = folder_times(self._times_file, self._files, is_whole=is_folder)
            self._ticks, self.first_pts = times.ticks, times.ticks[0]
            if times.is_rounded:
                self.notes.append(f"{self._times_file}: its times are finer than video's, and rounded to microseconds")
            return times.rate, times.time_base
        if kind == "frames" and self._times_file.is_file():
            self.notes.append(f"{self._times_file}: not used, since --fps gives the times")
        rate = fps or DEFAULT_FPS
        return None if kind == "still" else rate, 1 / rate

    def _first_readable(self) -> tuple[Path, Still]:
        """Returns the first picture of the range, which settles the size."""
        failure: SourceError | None = None
        for file in self._files[self._next : self._stop]:
            try:
                return file, read_still(file)
            except SourceError as error:
                failure = failure or error
                if not self._keep_going:
                    break
        raise failure or SourceError(f"{self._path}: the range holds no frames; choose another")

    def _note_gaps(self) -> None:
        """Notes missing numbers: in a video, the gap would go unseen."""
        if self.info.kind != "frames" or self.is_timed:
            return
        files = self._files[self._next : self._stop]
        numbers = _numbers_in_folder(files) if self._path.is_dir() else _numbers_of(self._path, files)
        gaps = [(a, b) for a, b in pairwise(numbers) if b - a > 1]
        if gaps:
            missing = sum(b - a - 1 for a, b in gaps)
            self.notes.append(
                f"{self._path.name}: {missing} numbers are missing (the first is {gaps[0][0] + 1}); "
                "the frames around them follow each other"
            )

    def _note_unread(self) -> None:
        """Notes pictures in the folder whose formats are not read."""
        if self._path.is_dir():
            unread = [p.name for p in _visible_files(self._path) if p.suffix.lower() in UNREAD_SUFFIXES]
            if unread:
                self.notes.append(f"{self._path}: {len(unread)} files such as {min(unread)} are not read, and left out")

    def _note(self, file: Path, still: Still) -> None:
        for note in still.notes:
            if note not in self._noted:
                self._noted.add(note)
                self.notes.append(f"{file.name}: {note}")

    def _check_headers(self) -> None:
        """Compares the headers of all files, so that a picture of another size is found before any is stylized."""
        expected = still_header(self._first_file)
        if expected is None:
            return
        is_mixed = False
        for file in self._files[self._next : self._stop]:
            header = still_header(file)
            if header is None:
                continue  # reported when its turn comes
            if (header.width, header.height) != (expected.width, expected.height):
                # In some formats, the orientation comes after the pixels.
                try:
                    image = read_still(file).image
                except SourceError:
                    continue
                self._check_size(file, image)
            if header.kind != expected.kind and not is_mixed:
                is_mixed = True
                self.notes.append(
                    f"{file.name}: {header.kind}, while {self._first_file.name} is {expected.kind}; "
                    "each frame is converted by itself"
                )

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
    found = _visible_files(folder)
    files = [path for path in found if is_image_name(path)]
    if not files:
        for path in sorted(found):
            check_readable(path)
        raise SourceError(f"{folder}: no image in this folder; put frames there as {', '.join(IMAGE_SUFFIXES)}")
    return sorted(files, key=natural_key)


def _visible_files(folder: Path) -> list[Path]:
    try:
        # On disks of other systems, macOS adds a "._name.png" to each picture.
        return [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        raise SourceError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error


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


def _numbers_of(pattern: Path, files: Sequence[Path]) -> list[int]:
    """Returns the numbers that files have in the place of the pattern's own."""
    matches = (_pattern_expression(pattern).fullmatch(file.name) for file in files)
    return [int(match[1]) for match in matches if match]


def _numbers_in_folder(files: Sequence[Path]) -> list[int]:
    """Returns the numbers at the end of the files' names, none where names differ in more than those."""
    matches = [_NUMBERED.fullmatch(file.stem) for file in files]
    starts = {match[1] if match else None for match in matches}
    return [int(match[2]) for match in matches if match] if len(starts) == 1 else []


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
