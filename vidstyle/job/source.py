"""The input, opened as the settings say: the same way for the analysis, for stylizing, and in workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidstyle.media.read.open_source import FrameFolderSource, open_source, stored_bits
from vidstyle.media.read.source import Source
from vidstyle.settings import Settings


def open_with_settings(path: Path, settings: Settings, largest_side_px: int | None = None) -> Source:
    """Opens the input; see `open_source` for what it may be, and what is raised."""
    source = open_source(
        path,
        fps=settings.fps,
        frames=settings.frames,
        keep_going=settings.keep_going,
        largest_side_px=largest_side_px,
        stream=settings.stream,
        deinterlace=settings.deinterlace == "auto",
        tone_map=settings.tone_map == "auto",
    )
    if settings.bit_depth == "source":
        first_file = source.files[0] if isinstance(source, FrameFolderSource) else path
        source.info = replace(source.info, bit_depth=stored_bits(first_file, source.info.stream))
    return source
