"""Paints pairs into a folder, and notes how long each took."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from look_measures.pairs import numbered, picture_path
from vidstyle import Settings, Stylizer
from vidstyle.cli.arguments import build_parser, parsed, settings_of
from vidstyle.files import write_whole
from vidstyle.media.stills.images import read_image, write_image

_RECORD = "render.json"


def settings_from(size_px: int, words: Sequence[str]) -> Settings:
    """Returns the settings of words as they stand on vidstyle's own command line."""
    return settings_of(parsed(build_parser(), ["photo", "--style", "painting", "--size", str(size_px), *words]))


def render(folder: Path, images: Path, numbers: Sequence[int], size_px: int, words: Sequence[str]) -> None:
    """Paints the pairs that are not there yet, reduced to a long side of `size_px`."""
    settings = settings_from(size_px, words)
    folder.mkdir(parents=True, exist_ok=True)
    record = _record(folder) or {"size": size_px, "options": list(words), "seconds": {}}
    if (record["size"], record["options"]) != (size_px, list(words)):
        there = " ".join(record["options"]) or "no options"
        raise SystemExit(
            f"benchmark_look: {folder}: was painted at {record['size']} px with {there}; name another folder"
        )
    missing = [number for number in numbers if not picture_path(folder, number).exists()]
    for number in tqdm(missing, unit="picture", disable=None):
        photo, painting = numbered(number).files(images)
        stylizer = Stylizer(painting, settings)
        content = stylizer.fit(read_image(photo))
        started = time.perf_counter()
        image = stylizer.stylize(content).image
        record["seconds"][str(number)] = round(time.perf_counter() - started, 3)
        write_whole(folder / _RECORD, json.dumps(record, indent=2).encode())
        write_image(picture_path(folder, number), image)


def seconds_of(folder: Path, number: int) -> float:
    """Returns how long a picture took, without reading files and weights; NaN where that was not noted."""
    record = _record(folder) or {"seconds": {}}
    return float(record["seconds"].get(str(number), "nan"))


def _record(folder: Path) -> dict[str, Any] | None:
    path = folder / _RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
