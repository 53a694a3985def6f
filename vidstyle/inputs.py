"""The input, opened as the settings say: the same way for the first look, for painting, and in workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidstyle.media.base import Source
from vidstyle.media.depth import stored_bits
from vidstyle.media.sources import FrameFolderSource, open_source
from vidstyle.settings import Settings


def opened(source: Path, settings: Settings, largest_side_px: int | None = None) -> Source:
    """Opens the input; see `open_source` for what it may be, and what is raised."""
    frames = open_source(
        source,
        fps=settings.fps,
        frames=settings.frames,
        keep_going=settings.keep_going,
        largest_side_px=largest_side_px,
        stream=settings.stream,
        deinterlace=settings.deinterlace == "auto",
        tone_map=settings.tone_map == "auto",
    )
    if settings.bit_depth == "source":
        first = frames.files[0] if isinstance(frames, FrameFolderSource) else source
        frames.info = replace(frames.info, bit_depth=stored_bits(first, frames.info.stream))
    return frames
