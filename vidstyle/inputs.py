"""The input, opened as the settings say: the same way for the first look, for painting, and in workers."""

from __future__ import annotations

from pathlib import Path

from vidstyle.media.base import Source
from vidstyle.media.sources import open_source
from vidstyle.settings import Settings


def opened(source: Path, settings: Settings, largest_side_px: int | None = None) -> Source:
    """Opens the input; see `open_source` for what it may be, and what is raised."""
    return open_source(
        source,
        fps=settings.fps,
        frames=settings.frames,
        keep_going=settings.keep_going,
        largest_side_px=largest_side_px,
    )
