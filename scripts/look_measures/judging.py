"""What judges find in the pictures of one or more folders, kept beside the pictures."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from look_measures.pairs import by_class, numbered, picture_path, short_names
from look_measures.rendering import seconds_of
from vidstyle.files import sha256_of, write_whole

Figures = dict[str, float]
_KEPT = "judgments.json"


@dataclass(frozen=True)
class Judge:
    """A script that is given content, style and result, and prints a JSON object for each result.

    Attributes:
        words: come first on its command line. takes_many: whether it takes several results at once.
        wanted: of its figures, and what to call them; None: all, as it calls them.
    """

    script: Path
    words: tuple[str, ...] = ()
    takes_many: bool = False
    wanted: dict[str, str] | None = None

    def __call__(self, content: Path, style: Path, results: Sequence[Path]) -> list[Figures]:
        """Returns the figures of each result."""
        if not self.takes_many and len(results) > 1:
            return [figures for result in results for figures in self(content, style, [result])]
        command = [sys.executable, str(self.script), *self.words, *map(str, (content, style, *results))]
        run = subprocess.run(command, capture_output=True, text=True)
        # What else is printed comes from libraries.
        rows = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        if run.returncode or len(rows) != len(results):
            raise SystemExit(f"benchmark_look: {self.script} failed on {content}:\n{run.stderr.strip()}")
        if self.wanted is not None:
            return [{called: row[name] for name, called in self.wanted.items()} for row in rows]
        return [{name: value for name, value in row.items() if name != "result"} for row in rows]

    def key(self, content: Path, style: Path, result: Path) -> str:
        """Returns a digest of all that a judgment depends on."""
        digests = "".join(map(sha256_of, (self.script, content, style, result)))
        return hashlib.sha256(digests.encode()).hexdigest()


def judge(
    folders: Sequence[Path], images: Path, numbers: Sequence[int], judges: Sequence[Judge]
) -> dict[int, list[Figures]]:
    """Returns what the judges say of each pair, and its seconds, by folder; asks only what is not kept yet."""
    kept = [_kept(folder) for folder in folders]
    found: dict[int, list[Figures]] = {}
    for number in tqdm(numbers, unit="pair", disable=None):
        content, style = numbered(number).files(images)
        results = [picture_path(folder, number) for folder in folders]
        found[number] = [{} for _ in folders]
        for one in judges:
            keys = [one.key(content, style, result) for result in results]
            new = [index for index, key in enumerate(keys) if key not in kept[index]]
            judged = one(content, style, [results[index] for index in new]) if new else []
            for index, figures in zip(new, judged, strict=True):
                kept[index][keys[index]] = figures
                write_whole(folders[index] / _KEPT, json.dumps(kept[index], indent=2).encode())
            for figures, before, key in zip(found[number], kept, keys, strict=True):
                figures |= before[key]
        for figures, folder in zip(found[number], folders, strict=True):
            figures["seconds"] = seconds_of(folder, number)
    return found


def _kept(folder: Path) -> dict[str, Figures]:
    path = folder / _KEPT
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def table(folders: Sequence[Path], found: dict[int, list[Figures]]) -> str:
    """Returns the means in Markdown, in all and by class, with the ratio to the first folder's in brackets."""
    names = list(next(iter(found.values()))[0])
    lines = [f"| pairs | number | folder | {' | '.join(names)} |", "|" + "---|" * (3 + len(names))]
    for group, numbers in by_class(list(found)).items():
        means = [
            {name: statistics.fmean(found[number][index][name] for number in numbers) for name in names}
            for index in range(len(folders))
        ]
        for index, called in enumerate(short_names(folders)):
            cells = [_shown(means[index][name], means[0][name] if index else None) for name in names]
            lines.append(f"| {group} | {len(numbers)} | {called} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(mean: float, first: float | None) -> str:
    if math.isnan(mean):
        return "-"
    # A ratio to nothing, or to less, says nothing.
    return f"{mean:.3g} ({mean / first:.2f})" if first is not None and first > 0 else f"{mean:.3g}"
