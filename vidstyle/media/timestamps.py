"""Timestamps: integers in units of a time base, strictly increasing, and `timestamps.csv`.

The file holds the exact time of each picture of a folder, so that the folder can become a video again:

    file,seconds
    000000.png,0
    000001.png,1001/24000
    000002.png,0.0834

A row for each picture, by its file name; seconds as a whole number, a decimal or a fraction. Other columns are ignored.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vidstyle.errors import SourceError
from vidstyle.frames import DEFAULT_FPS

LARGEST_RATE = 1000
# FFmpeg keeps numerators and denominators in 32 bits, and multiplies them by time bases.
_LARGEST_DENOMINATOR = 1_000_000


class FrameClock:
    """Gives every frame a timestamp later than its predecessor's.

    Args:
        step: the usual distance of two frames, in ticks; at least one is used.

    Attributes:
        nudged: how many timestamps repeated or ran backwards and were moved to one tick after the last.
        invented: how many were missing and were continued at `step`.
    """

    def __init__(self, step: Fraction) -> None:
        self.nudged = 0
        self.invented = 0
        self._step = max(step, Fraction(1))
        self._last: int | None = None
        # Kept as a fraction, so that steps of 3.003 ticks do not drift.
        self._expected = Fraction(0)

    def stamp(self, pts: int | None) -> int:
        """Returns the timestamp to use for a frame whose container says `pts`."""
        if pts is None:
            self.invented += 1
            exact = self._expected
        else:
            exact = Fraction(pts)
        ticks = round(exact)
        if self._last is not None and ticks <= self._last:
            self.nudged += pts is not None
            ticks = self._last + 1
            exact = Fraction(ticks)
        self._last = ticks
        self._expected = exact + self._step
        return ticks


def usable_rate(*candidates: Fraction | None) -> Fraction | None:
    """Returns the first frame rate that is one: above 0 and at most 1000 per second, in numbers that FFmpeg holds."""
    for rate in candidates:
        if rate and 0 < rate <= LARGEST_RATE:
            return Fraction(rate).limit_denominator(_LARGEST_DENOMINATOR) or Fraction(1, _LARGEST_DENOMINATOR)
    return None


# -- timestamps.csv -------------------------------------------------------------------------------

TIMESTAMPS_NAME = "timestamps.csv"
# A film of ten hours takes a tenth of it.
LARGEST_BYTES = 1 << 26
# Times are counted in a unit that holds all of them, unless it were finer than any camera's clock: then in
# microseconds. Containers keep unit and distance of two frames in 32 bits each.
_FINEST_BASE, _FALLBACK_BASE = 10_000_000, 1_000_000
# No exponents: as a fraction, "1e999999999" would take all memory.
_SECONDS = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20}|/[0-9]{1,20})?")
_DECIMAL_DIGITS = 9
# Three years: what a container counts in microseconds fits 64 bits many times over.
_LATEST_S = 10**8


@dataclass(frozen=True, slots=True)
class FolderTimes:
    """When the pictures of a folder are shown.

    Attributes:
        ticks: one for each picture, in their order, ascending.
        time_base: seconds per tick. rate: frames per second on average.
        is_rounded: whether times were rounded to microseconds.
    """

    ticks: tuple[int, ...]
    time_base: Fraction
    rate: Fraction
    is_rounded: bool = False


def timestamps_csv(names: Sequence[str], seconds: Sequence[Fraction]) -> bytes:
    """Returns the file's content for pictures of these names and times; the same every time, on every system."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["file", "seconds"])
    rows.writerows([name, _seconds_text(second)] for name, second in zip(names, seconds, strict=True))
    return text.getvalue().encode("utf-8", "surrogateescape")


def folder_times(path: Path, files: Sequence[Path], *, is_whole: bool) -> FolderTimes:
    """Reads when pictures are shown.

    Args:
        path: the `timestamps.csv`. files: pictures in the order in which they are shown. A row may also name one
            by its name without suffix, since tools that convert pictures change that.
        is_whole: whether the pictures are all that there are, so that a row for another one is an error.

    Raises:
        SourceError: it cannot be read, a picture has no time or two, times do not ascend, or there is no such file.
    """
    rows = _rows(path)
    positions = _positions(files)
    found: dict[int, tuple[int, Fraction]] = {}
    for line, (name, second) in rows.items():
        # As written, without blanks around it, and without its suffix.
        tries = (name, name.strip(), Path(name).stem, Path(name.strip()).stem)
        position = next((positions[each] for each in tries if each in positions), None)
        if position is None:
            if is_whole:
                raise SourceError(f"{path}, line {line}: there is no picture {name}; remove the line, or put it back")
            continue
        if position in found:
            raise SourceError(f"{path}, line {line}: {name} has a time already, in line {found[position][0]}")
        found[position] = line, second
    for position, file in enumerate(files):
        if position not in found:
            raise SourceError(f"{path}: has no time for {file.name}; add a line, or give a rate with --fps")
        line, second = found[position]
        if position and second <= found[position - 1][1]:
            raise SourceError(
                f"{path}, line {line}: {file.name} is not later than {files[position - 1].name}, which comes before "
                "it; number the files in the order of their times"
            )
    return _in_ticks([found[position][1] for position in range(len(files))])


def _positions(files: Sequence[Path]) -> Mapping[str, int]:
    """Returns the position of each picture by its name, and by its stem where no other has it."""
    positions = {file.name: position for position, file in enumerate(files)}
    seen: set[str] = set()
    for position, file in enumerate(files):
        if file.stem in seen:
            positions.pop(file.stem, None)
        elif file.stem not in positions:
            positions[file.stem] = position
        seen.add(file.stem)
    return positions


def _rows(path: Path) -> dict[int, tuple[str, Fraction]]:
    """Returns (name, seconds) by line number, from 1."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise SourceError(f"{path}: far too large for a list of times; remove it, or give a rate with --fps")
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    rows: dict[int, tuple[str, Fraction]] = {}
    columns: tuple[int, int] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(path, cells)
                continue
            if len(cells) <= max(columns):
                raise SourceError(f"{path}, line {reader.line_num}: too short; write FILE,SECONDS")
            name, seconds = (cells[column] for column in columns)
            rows[reader.line_num] = name, _seconds(path, reader.line_num, seconds.strip())
    except csv.Error as error:
        raise SourceError(f"{path}, line {reader.line_num}: {error}; write FILE,SECONDS") from error
    return rows


def _columns(path: Path, heads: Sequence[str]) -> tuple[int, int]:
    names = [head.strip().lower() for head in heads]
    if "file" not in names or "seconds" not in names:
        raise SourceError(f"{path}, line 1: the columns are {','.join(heads)}; the first line must be file,seconds")
    return names.index("file"), names.index("seconds")


def _seconds(path: Path, line: int, word: str) -> Fraction:
    try:
        if not _SECONDS.fullmatch(word):
            raise ValueError(word)
        second = Fraction(word)
        if abs(second) > _LATEST_S:
            raise ValueError(word)
        return second
    except (ValueError, ZeroDivisionError) as error:
        raise SourceError(f"{path}, line {line}: {word!r} is no time; write seconds as 1.5 or 1001/24000") from error


def _in_ticks(seconds: Sequence[Fraction]) -> FolderTimes:
    span = seconds[-1] - seconds[0]
    rate = usable_rate((len(seconds) - 1) / span if span else None) or DEFAULT_FPS
    base = 1
    for second in seconds:
        base = math.lcm(base, second.denominator)
        if base > _FINEST_BASE:
            return FolderTimes(_ascending_ticks(seconds), Fraction(1, _FALLBACK_BASE), rate, is_rounded=True)
    return FolderTimes(tuple(int(second * base) for second in seconds), Fraction(1, base), rate)


def _ascending_ticks(seconds: Sequence[Fraction]) -> tuple[int, ...]:
    """Returns times in microseconds, each later than the last."""
    ticks: list[int] = []
    for second in seconds:
        tick = round(second * _FALLBACK_BASE)
        ticks.append(max(tick, ticks[-1] + 1) if ticks else tick)
    return tuple(ticks)


def _seconds_text(second: Fraction) -> str:
    """Returns a decimal where a short one is exact, else a fraction."""
    scaled = second * 10**_DECIMAL_DIGITS
    if scaled.denominator != 1:
        return f"{second.numerator}/{second.denominator}"
    whole, rest = divmod(abs(scaled.numerator), 10**_DECIMAL_DIGITS)
    digits = f"{rest:0{_DECIMAL_DIGITS}}".rstrip("0")
    return f"{'-' if second < 0 else ''}{whole}{'.' if digits else ''}{digits}"
