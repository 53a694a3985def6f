"""A labeled sheet of painted frames: rows of frames, columns of strengths, and the forecast below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vidstyle.frames import Picture
from vidstyle.settings import Settings

# Nine pictures are painted within a minute on two cores. VGG-19 takes four times as long for each pixel.
LARGEST_PX = {"compact": 512, "vgg19": 256}
# Details settle in the steps after these, which a render has and a sheet can do without.
MOST_STEPS = 30
ROWS = 3
# Of the strength that was asked for: the columns.
SHARES = (1 / 3, 2 / 3, 1.0)
_GAP_PX, _LINE_PX, _NARROWEST_PX = 8, 22, 480
_FONT, _LETTERS, _INK = cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30)


@dataclass(frozen=True, slots=True)
class Cell:
    """One painted picture, `(h, w, 3)` uint8 RGB, and what stands above it."""

    label: str
    image: Picture


def shown(settings: Settings) -> Settings:
    """Returns settings to paint a sheet's pictures with, which look like a render's."""
    size = LARGEST_PX[settings.network]
    return replace(
        settings,
        size=size if settings.size == "source" else min(size, settings.size),
        first_iterations=min(MOST_STEPS, settings.first_iterations),
        iterations=min(MOST_STEPS, settings.iterations),
        flow="off",  # every picture is a first frame
    )


def drawn_sheet(title: str, rows: Sequence[Sequence[Cell]], footer: Sequence[str]) -> Picture:
    """Returns the sheet, `(H, W, 3)` uint8 RGB, dark on white.

    Args:
        rows: of as many cells each; cells of a row are of one height. footer: lines below.
    """
    letters = min(_letters(cell.label, cell.image.shape[1]) for cells in rows for cell in cells)
    bands = [_row(cells, letters) for cells in rows]
    width = max(_NARROWEST_PX, *(band.shape[1] for band in bands))
    small = min((_letters(line, width) for line in footer), default=_LETTERS)
    below = [_text(line, width, small) for line in footer]
    parts = [_text(title, width, _letters(title, width)), *bands, *below]
    body = np.vstack([_widened(part, width) for part in parts])
    return np.pad(body, ((_GAP_PX, _GAP_PX), (_GAP_PX, _GAP_PX), (0, 0)), constant_values=255)


def _row(cells: Sequence[Cell], letters: float) -> Picture:
    columns = []
    for cell in cells:
        labeled = np.vstack([_text(cell.label, cell.image.shape[1], letters), cell.image])
        columns.append(np.pad(labeled, ((0, _GAP_PX), (0, _GAP_PX), (0, 0)), constant_values=255))
    return np.hstack(columns)[:, :-_GAP_PX]


def _widened(part: Picture, width: int) -> Picture:
    return np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), constant_values=255)


def _letters(text: str, width: int) -> float:
    """Returns how large a line of text may be to fit in."""
    (length, _), _ = cv2.getTextSize(_ascii(text), _FONT, _LETTERS, 1)
    return _LETTERS * min(1.0, (width - 4) / max(1, length))


def _text(text: str, width: int, letters: float) -> Picture:
    """Returns a line of text in letters of that size, as wide as asked for."""
    line = np.full((_LINE_PX, width, 3), 255, np.uint8)
    cv2.putText(line, _ascii(text), (2, _LINE_PX - 7), _FONT, letters, _INK, 1, cv2.LINE_AA)
    return line


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()  # OpenCV's letters are ASCII's
