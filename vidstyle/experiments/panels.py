"""What an experiment shows: pictures with a line of text each, in rows and columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vidstyle.errors import OutputError, SettingsError
from vidstyle.files import check_writable, written_whole
from vidstyle.frames import Picture
from vidstyle.media.stills.images import IMAGE_SUFFIXES, write_image

GAP_PX, LABEL_PX, BASELINE_PX = 6, 22, 15
# OpenCV's own letters, which need no font of the system. Smaller ones than the least cannot be read.
FONT, LETTERS, LEAST_LETTERS = cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0.3
PAPER, INK = 255, 0
# Viewers slow shorter frames down; the last one, shown longer, has to fit into the file's 16 bits of 10 ms.
SHORTEST_MS, LONGEST_MS = 20, 100_000


@dataclass(frozen=True)
class Panel:
    """One picture of an experiment.

    Attributes:
        label: one line of ASCII. image: `(H, W, 3)` uint8 RGB.
        terms: losses at the picture, by name; empty for what was not painted.
    """

    label: str
    image: Picture
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """The pictures of an experiment, in rows of `columns`, under a title.

    Attributes: `title`, one line of ASCII that names the experiment and its network; `panels`; `columns`.
    """

    title: str
    panels: tuple[Panel, ...]
    columns: int

    def picture(self) -> Picture:
        """Returns the sheet, `(H, W, 3)` uint8 RGB, each panel under its label, black on white.

        Where letters that can be read need more room than the panels, it is wider than these.
        """
        width = max(max(panel.image.shape[1], _least_px(panel.label)) for panel in self.panels) + GAP_PX
        height = max(panel.image.shape[0] for panel in self.panels) + GAP_PX + LABEL_PX
        columns = min(self.columns, len(self.panels))
        rows = math.ceil(len(self.panels) / columns)
        wide = max(columns * width, _least_px(self.title) + GAP_PX) + GAP_PX
        sheet = np.full((LABEL_PX + rows * height + GAP_PX, wide, 3), PAPER, np.uint8)
        _write(sheet, self.title, GAP_PX, 0, sheet.shape[1] - 2 * GAP_PX)
        for number, panel in enumerate(self.panels):
            left, top = GAP_PX + number % columns * width, LABEL_PX + number // columns * height
            _write(sheet, panel.label, left, top, width - GAP_PX)
            top += LABEL_PX
            sheet[top : top + panel.image.shape[0], left : left + panel.image.shape[1]] = panel.image
        return sheet


def _least_px(text: str) -> int:
    """Returns how wide a line is in the smallest letters."""
    (wide, _), _ = cv2.getTextSize(text, FONT, LEAST_LETTERS, 1)
    return int(wide) + 1


def _write(sheet: Picture, text: str, left: int, top: int, width: int) -> None:
    """Writes a line into a sheet in place, in smaller letters where it is too long."""
    (wide, _), _ = cv2.getTextSize(text, FONT, LETTERS, 1)
    letters = max(LEAST_LETTERS, min(LETTERS, LETTERS * width / max(1, wide)))
    line = np.full((LABEL_PX, width, 3), PAPER, np.uint8)
    cv2.putText(line, text, (0, BASELINE_PX), FONT, letters, (INK, INK, INK), 1, cv2.LINE_AA)
    sheet[top : top + LABEL_PX, left : left + width] = line


def check_target(target: Path, inputs: Sequence[Path], *, frame_ms: int | None = None, overwrite: bool = False) -> None:
    """Finds every reason why a sheet cannot be written, before anything is painted.

    Args:
        frame_ms: how long a GIF is to show each panel; None where it shows nothing that moves.

    Raises:
        SettingsError: a time that GIFs cannot hold.
        OutputError: the suffix is unknown, the file exists or is an input, or the folder cannot be written to.
    """
    suffixes = IMAGE_SUFFIXES if frame_ms is None else (*IMAGE_SUFFIXES, ".gif")
    if frame_ms is not None and not SHORTEST_MS <= frame_ms <= LONGEST_MS:
        raise SettingsError(f"frame_ms is {frame_ms}; the range is {SHORTEST_MS} to {LONGEST_MS}")
    if target.suffix.lower() not in suffixes:
        raise OutputError(f"{target}: unknown suffix for a sheet of pictures; use one of {', '.join(suffixes)}")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; give a file name")
    if target.exists():
        if any(path.exists() and target.samefile(path) for path in inputs):
            raise OutputError(f"{target}: is an input itself; choose another output")
        if not overwrite:
            raise OutputError(f"{target}: exists already; choose another output or use --overwrite")
    check_writable(target.parent)


def write_sheet(target: str | Path, sheet: Sheet, frame_ms: int | None = None) -> None:
    """Writes a sheet as a picture, or its panels one after the other as a GIF, whole or not at all.

    Args:
        frame_ms: how long a GIF shows each panel; the last one four times as long. None: no GIF is written.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    target = Path(target)
    if frame_ms is None or target.suffix.lower() != ".gif":
        write_image(target, sheet.picture())
        return
    frames = [Image.fromarray(Sheet(sheet.title, (panel,), 1).picture()) for panel in sheet.panels]
    durations = [frame_ms] * (len(frames) - 1) + [4 * frame_ms]
    with written_whole(target) as part:
        frames[0].save(part, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
