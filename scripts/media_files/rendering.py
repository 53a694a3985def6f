"""From a case to its line of the table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from media_files.cases import Case, UnwritableError
from media_files.comparing import Comparison, compared
from media_files.facts import Facts, facts_of
from vidstyle import VidstyleError, stylize


@dataclass
class Line:
    """What became of one file; `kind` is ok, wrong, not yet or not writable."""

    case: Case
    kind: str = "ok"
    says: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    source: Path | None = None
    result: Path | None = None
    judge: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The last cell."""
        return self.kind if not self.says else f"{self.kind}: {self.says}"

    def as_json(self) -> dict[str, Any]:
        """Returns everything but the pictures."""
        return {
            "file": self.case.name,
            "what": self.case.what,
            "output": self.case.output,
            "settings": {name: str(value) for name, value in self.case.settings.items()},
            "kind": self.kind,
            "says": self.says,
            "cells": self.cells,
            "notes": self.notes,
            "judge": self.judge,
        }


def style_picture(folder: Path) -> Path:
    """Writes a style, which nothing is painted in."""
    path = folder / "style.png"
    if not path.is_file():
        noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        path.write_bytes(cv2.imencode(".png", noise)[1].tobytes())
    return path


def rendered(case: Case, folder: Path) -> Line:
    """Makes a file, renders it, and compares."""
    line = Line(case)
    place = folder / f"{case.name}{len(list(folder.glob(case.name + '*'))) or ''}"
    place.mkdir()
    try:
        line.source = case.make(place)
    except UnwritableError as error:
        line.kind, line.says = "not writable", str(error)
        return line
    except (av.FFmpegError, ValueError) as error:
        line.kind, line.says = "wrong", f"cannot be made here: {error}"
        return line
    if case.unknown_settings:
        line.kind, line.says = "not yet", f"no setting {', '.join(case.unknown_settings)}"
        return line
    line.result = place / case.output
    target = str(line.result) + ("/" if case.output.endswith("/") else "")
    try:
        outcome = stylize(line.source, style_picture(folder), target, case.render_settings())
    except VidstyleError as error:
        return _refused(line, str(error).replace(str(folder), "."))
    except Exception as error:
        line.kind, line.says = "wrong", f"fell over: {type(error).__name__}: {error}".replace(str(folder), ".")
        return line
    line.notes = [note.replace(str(folder), ".") for note in outcome.notes]
    if case.expected.error:
        line.kind, line.says = "wrong", "rendered, which should have been refused"
        return line
    _judge(line, compared(*_facts(line), case.expected, line.notes))
    return line


def _refused(line: Line, error: str) -> Line:
    wanted = line.case.expected.error
    line.cells["frames"] = "-"
    if wanted and re.search(wanted, error):
        line.says = f"refused: {error}"
    else:
        line.kind, line.says = "wrong", f"refused: {error}" + (f" (which does not say /{wanted}/)" if wanted else "")
    return line


def _facts(line: Line) -> tuple[Facts, Facts]:
    case, source, result = line.case, line.source, line.result
    if source is None or result is None:
        raise ValueError(f"{case.name}: not rendered")
    return facts_of(source, case.stream, every=case.every), facts_of(result, every=case.every)


def _judge(line: Line, comparison: Comparison) -> None:
    line.cells = comparison.cells
    if comparison.faults:
        line.kind, line.says = "wrong", "; ".join(comparison.faults)
