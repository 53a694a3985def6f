"""Chapters of a source, as an output that begins and ends elsewhere has them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container.core import Chapter

# Containers that have chapters; the others drop them without a word.
CHAPTER_FORMATS = frozenset({"mp4", "mov", "matroska", "webm"})
_TICK_S = Fraction(1, 10**6)


def cut_chapters(
    chapters: Sequence[Chapter], offset_s: Fraction, end_s: Fraction | None, lead_s: Fraction = Fraction(0)
) -> list[Chapter]:
    """Returns the chapters that lie at least in part between two times, in their order.

    Args:
        offset_s: the second of the source that becomes 0. end_s: the one that ends the output; None: no cut.
        lead_s: how much later everything will stand in the output.
    """
    kept: list[Chapter] = []
    for chapter in chapters:
        base = Fraction(chapter["time_base"] or _TICK_S)
        start_s, stop_s = chapter["start"] * base, chapter["end"] * base
        if stop_s <= offset_s or (end_s is not None and start_s >= end_s):
            continue
        stop_s = stop_s if end_s is None else min(stop_s, end_s)
        start_s = max(Fraction(0), start_s - offset_s) + lead_s
        kept.append(
            {
                "id": chapter["id"],
                "start": round(start_s / _TICK_S),
                "end": round((stop_s - offset_s + lead_s) / _TICK_S),
                "time_base": _TICK_S,
                "metadata": dict(chapter["metadata"]),
            }
        )
    return kept
