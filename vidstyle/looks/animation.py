"""Settings over time: a file that says what a setting is at which moment."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vidstyle.errors import SourceError
from vidstyle.frames import MOMENT_FORMS, Moment, parse_moment

# The settings that may change over time, and the highest value of each; all are at least 0.
HIGHEST = {"strength": 1.0, "style_blend": 1e9, "content_weight": 1e9}
CSV_FORM = "lines of time,setting,value"
JSON_FORM = '[{"time": "1s", "setting": "strength", "value": 1}, ...]'
_MAX_BYTES = 16 * 2**20


class Point(NamedTuple):
    """What a setting is at a moment: one value, or as many as there are styles. `place` is for messages."""

    moment: Moment
    setting: str
    values: tuple[float, ...]
    place: str


def read_animation(path: Path) -> list[Point]:
    """Returns the points of a file, in its order: JSON where its suffix is .json, else CSV.

    Raises:
        SourceError: it cannot be read, or holds none, or a line or entry is no setting at a time.
    """
    text = _text(path)
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    points = [_point(place, *fields) for place, fields in rows]
    if not points:
        form = JSON_FORM if path.suffix.lower() == ".json" else CSV_FORM
        raise SourceError(f"{path}: holds no setting at a time; write {form}")
    return points


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise SourceError(
                f"{path}: more than {_MAX_BYTES // 2**20} MiB, too large for a list of settings over time"
            )
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8 text; save the list as UTF-8") from error
    except SourceError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: cannot be read ({reason}); check the path and its permissions") from error


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, tuple[Any, Any, Any]]]:
    may_be_header = True
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), start=1):
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            is_header, may_be_header = may_be_header and cells[0].lower() == "time", False
            if is_header:
                continue
            if len(cells) != 3:
                raise SourceError(f"{path}, line {number}: {len(cells)} fields; write time,setting,value")
            yield f"{path}, line {number}", (cells[0], cells[1], cells[2].split())
    except csv.Error as error:
        raise SourceError(f"{path}: not a list of settings over time ({error}); write {CSV_FORM}") from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, tuple[Any, Any, Any]]]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON ({error}); correct it, or use .csv") from error
    if not isinstance(entries, list):
        raise SourceError(f"{path}: holds no list; write {JSON_FORM}")
    for number, entry in enumerate(entries, start=1):
        place = f"{path}, entry {number}"
        if not isinstance(entry, dict) or set(entry) != {"time", "setting", "value"}:
            raise SourceError(f"{place}: is no setting at a time; give it time, setting and value")
        value = entry["value"]
        values = value.split() if isinstance(value, str) else value if isinstance(value, list) else [value]
        yield place, (entry["time"], entry["setting"], values)


def _point(place: str, time: Any, name: Any, values: list[Any]) -> Point:
    moment = None if isinstance(time, bool) or not isinstance(time, (int, str)) else parse_moment(str(time))
    if moment is None:
        raise SourceError(f"{place}: {_shown(time)} is no time; write {MOMENT_FORMS}")
    setting = name.replace("-", "_") if isinstance(name, str) else ""
    if setting not in HIGHEST:
        legal = ", ".join(known.replace("_", "-") for known in HIGHEST)
        raise SourceError(f"{place}: {_shown(name)} does not change over time; use one of {legal}")
    numbers = tuple(_number(value) for value in values)
    highest = HIGHEST[setting]
    if not numbers or (setting != "style_blend" and len(numbers) > 1) or not all(0 <= n <= highest for n in numbers):
        shown = _shown(values[0]) if len(values) == 1 else _shown(" ".join(map(_word, values)))
        raise SourceError(f"{place}: {shown} is no {setting.replace('_', '-')}; the range is 0 to {highest:g}")
    return Point(moment, setting, numbers, place)


def _number(value: Any) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: Any) -> str:
    """Returns what a file says: text in quotes, and anything else as JSON has it."""
    text = _word(value)
    text = text if len(text) <= 40 else text[:40] + "..."
    return ascii(text) if isinstance(value, str) else text
