"""A job's journal: a line for each stylized frame, added when it is saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

JOURNAL_NAME = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One stylized frame, as the journal keeps it.

    Attributes:
        frame: position in the render. seconds: spent on it. loss, evaluations, retries: see `solver.Outcome`.
        fallback: index into `method.memory.memory_fallbacks`: above 0 where memory did not suffice.
    """

    frame: int
    seconds: float
    loss: float
    evaluations: int
    retries: int
    fallback: int


def read_journal(path: Path, tail_bytes: int | None = None) -> Sequence[JournalEntry]:
    """Returns a journal's entries in the order of writing: all, or those in its last `tail_bytes`."""
    try:
        with (path / JOURNAL_NAME).open("rb") as file:
            if tail_bytes is not None:
                file.seek(max(0, (path / JOURNAL_NAME).stat().st_size - tail_bytes))
            lines = file.read().splitlines()
    except OSError:
        return []
    entries = []
    for line in lines:
        with suppress(ValueError, TypeError):
            entry = JournalEntry(**json.loads(line))
            if isinstance(entry.frame, int) and isinstance(entry.seconds, (int, float)):
                entries.append(entry)
    return entries


def append_entry(path: Path, entry: JournalEntry) -> None:
    """Adds a line to the journal of the job folder `path`.

    Raises:
        OSError: it cannot be written.
    """
    line = json.dumps({name: getattr(entry, name) for name in entry.__slots__})
    with (path / JOURNAL_NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def close_last_line(path: Path) -> None:
    """Ends the last line if a killed process has cut it off, so that the next entry gets a line of its own.

    Raises:
        OSError: the journal cannot be read or written.
    """
    journal = path / JOURNAL_NAME
    if journal.is_file() and not journal.read_bytes().endswith(b"\n"):
        with journal.open("ab") as file:
            file.write(b"\n")
