"""What the user is told once, at the end of a render."""

from __future__ import annotations

from collections.abc import Collection

from vidstyle.errors import counted
from vidstyle.job.journal import JournalEntry
from vidstyle.method.memory import memory_fallbacks


def trouble_notes(entries: Collection[JournalEntry], optimizer: str) -> list[str]:
    """Returns what went wrong with frames, and was mended."""
    notes = []
    retried = sum(entry.retries > 0 for entry in entries)
    if retried:
        notes.append(retried_note(retried))
    for fallback, way in enumerate(memory_fallbacks(optimizer)):
        count = sum(entry.fallback == fallback for entry in entries)
        if fallback and count:
            notes.append(f"memory was short; {count} frames were painted with {way}")
    return notes


def retried_note(frames: int) -> str:
    """Returns the note on so many frames that were not finite at first."""
    return f"the objective was not finite in {counted(frames, 'frame')}, painted again with smaller steps"
