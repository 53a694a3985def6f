#!/usr/bin/env python3
"""Shows what comes out of files such as cameras and editors write them: one table, a line a file.

    python scripts/benchmark_media.py                                  # files of one property or two each, made here
    python scripts/benchmark_media.py --only vfr_mp4 pq --keep FOLDER  # some of them, and keep what was written
    python scripts/benchmark_media.py --clips FOLDER --judge judge.py  # and the videos there, with another judgment
    python scripts/benchmark_media.py --examples 300                   # random clips: size, rate, start, sound

Frames pass unpainted (no iterations), so colors can be compared with the drawn ones, decoded by the definition of
their tags. A cell says what went in and, where it is not the same, what came out. The judge is a script with the
command `media SOURCE RESULT` that prints JSON. Ends with status 1 where a line is neither ok nor "not yet".
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# As the command line does, before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

sys.path.insert(0, str(Path(__file__).resolve().parent))

import av
from media_files.cases import Case
from media_files.catalog import CASES, clips_in
from media_files.rendering import Line, rendered

COLUMNS = (
    "frames", "gap ms", "size", "sar", "color", "format", "color error", "audio", "sync ms", "same packets",
    "subtitles", "chapters", "attachments", "covers", "metadata",
)  # fmt: skip


@contextmanager
def folder_for(kept: Path | None) -> Iterator[Path]:
    """Gives the folder that was asked for, or one that goes."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def judged(judge: Path, line: Line) -> None:
    """Adds the judge's facts to a line, where source and result are files."""
    if line.source is None or line.result is None or not line.result.is_file() or not line.source.is_file():
        return
    command = [sys.executable, str(judge), "media", str(line.source), str(line.result)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        line.judge = json.loads(answer.stdout)
    except json.JSONDecodeError:
        line.judge = {"error": (answer.stderr.strip().splitlines() or ["no answer"])[-1]}


def shown(lines: list[Line]) -> Iterator[str]:
    """Yields the table in Markdown; columns in which nothing stands are left out."""
    columns = [name for name in COLUMNS if any(line.cells.get(name, "-") != "-" for line in lines)]
    has_judge = any(line.judge for line in lines)
    heads = ["file", "what went in", *columns, *(["judge: gap, sync, same"] if has_judge else []), "verdict"]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for line in lines:
        cells = [line.case.name, line.case.what, *(line.cells.get(name, "-") for name in columns)]
        if has_judge:
            cells.append(_judgment(line.judge))
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in [*cells, line.verdict]) + " |"


def _judgment(facts: dict[str, Any]) -> str:
    if "error" in facts or not facts:
        return facts.get("error", "-")
    same = "yes" if facts["audio_identical"] else "no"
    return f"{facts['largest_timestamp_gap_ms']}, {facts['audio_sync_ms']}, {same if facts['audio_sync_ms'] else '-'}"


def chosen_cases(options: argparse.Namespace) -> list[Case]:
    """Returns the cases that were asked for."""
    cases = [*CASES, *(clips_in(options.clips) if options.clips else [])]
    unknown = sorted(set(options.only or []) - {case.name for case in cases})
    if unknown:
        raise SystemExit(f"no file is called {', '.join(unknown)}; there are {', '.join(case.name for case in cases)}")
    return [case for case in cases if not options.only or case.name in options.only]


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="only these files")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="also the videos there")
    parser.add_argument("--judge", type=Path, metavar="FILE", help="script that looks at source and result as well")
    parser.add_argument("--examples", type=int, metavar="N", help="instead of the table: N random clips")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all of it there")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep sources and results there")
    options = parser.parse_args(arguments)
    av.logging.set_level(None)
    with folder_for(options.keep) as folder:
        os.environ["VIDSTYLE_CACHE"] = str(folder / "cache")
        if options.examples:
            from media_files.examples import run_examples

            return run_examples(options.examples, folder)
        lines = [rendered(case, folder) for case in chosen_cases(options)]
        if options.judge:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda line: judged(options.judge, line), lines))
        for text in shown(lines):
            print(text)
        if options.json:
            options.json.write_text(json.dumps([line.as_json() for line in lines], indent=1), encoding="utf-8")
    counts = {kind: sum(line.kind == kind for line in lines) for kind in ("ok", "wrong", "not yet", "not writable")}
    print("\n" + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count))
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
