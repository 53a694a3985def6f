"""Sheets of labeled pictures; labels are in any script that OpenCV's fonts have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from vidstyle.frames import Picture

# What stands above a picture, and the picture, `(h, w, 3)` uint8 RGB.
Cell = tuple[str, Picture]

GAP_PX, LABEL_PX, NARROWEST_PX = 8, 22, 480
_BASELINE_PX = 16
# Smaller letters than these cannot be read; the sheet is made wider instead.
_LARGEST_TEXT_PX, _SMALLEST_TEXT_PX = 15, 9
_INK, _PAPER = (30, 30, 30), 255
_WEIGHT = 400
# OpenCV 4 has no fonts but these ASCII ones, whose scale 1 is about 30 px high.
_HERSHEY, _HERSHEY_PX = cv2.FONT_HERSHEY_SIMPLEX, 30
_HAS_FONTS = hasattr(cv2, "FontFace")


def draw_sheet(title: str, rows: Sequence[Sequence[Cell]], footer: Sequence[tuple[str, str]] = ()) -> Picture:
    """Returns a sheet, `(H, W, 3)` uint8 RGB, with dark letters on white.

    Args:
        rows: of pictures; the columns are as wide as the widest picture. footer: names and texts below the pictures.
    """
    cells = [cell for row in rows for cell in row]
    column_px = max(max(image.shape[1], text_width(label, _SMALLEST_TEXT_PX)) for label, image in cells)
    columns = max(map(len, rows))
    grid_px = columns * (column_px + GAP_PX) - GAP_PX
    names_px = max((text_width(name, _LARGEST_TEXT_PX) for name, _ in footer), default=0) + GAP_PX
    texts_px = max((text_width(text, _SMALLEST_TEXT_PX) for _, text in footer), default=0)
    width = max(NARROWEST_PX, grid_px, text_width(title, _SMALLEST_TEXT_PX), names_px + texts_px)
    size_px = _fitting_size((label for label, _ in cells), column_px)
    bands = [draw_label(title, width, _fitting_size([title], width))]
    for row in rows:
        band = np.full((LABEL_PX + max(image.shape[0] for _, image in row) + GAP_PX, width, 3), _PAPER, np.uint8)
        for number, (label, image) in enumerate(row):
            left = number * (column_px + GAP_PX)
            band[:LABEL_PX, left : left + column_px] = draw_label(label, column_px, size_px)
            band[LABEL_PX : LABEL_PX + image.shape[0], left : left + image.shape[1]] = image
        bands.append(band)
    size_px = _fitting_size((text for _, text in footer), width - names_px)
    for name, text in footer:
        parts = draw_label(name, names_px, size_px), draw_label(text, width - names_px, size_px)
        bands.append(np.hstack(parts))
    return np.pad(np.vstack(bands), ((GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0)), constant_values=_PAPER)


def draw_label(text: str, width: int, size_px: int) -> Picture:
    """Returns a line of text, `(LABEL_PX, width, 3)` uint8 RGB; what does not fit is cut off."""
    line = np.full((LABEL_PX, width, 3), _PAPER, np.uint8)
    if _HAS_FONTS:
        cv2.putText(line, text, (1, _BASELINE_PX), _INK, cv2.FontFace("sans"), size_px, _WEIGHT)
    else:
        cv2.putText(line, _ascii(text), (1, _BASELINE_PX), _HERSHEY, size_px / _HERSHEY_PX, _INK, 1, cv2.LINE_AA)
    return line


def text_width(text: str, size_px: int) -> int:
    """Returns how many pixels of a label a line of text takes."""
    if _HAS_FONTS:
        left, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size_px, _WEIGHT)
        return int(left + width) + 2
    (width, _), _ = cv2.getTextSize(_ascii(text), _HERSHEY, size_px / _HERSHEY_PX, 1)
    return int(width) + 2


def _fitting_size(lines: Iterable[str], width: int) -> int:
    """Returns the largest size in pixels at which all lines fit, or the smallest that can be read."""
    longest = max(lines, key=lambda line: text_width(line, _LARGEST_TEXT_PX), default="")
    sizes = range(_LARGEST_TEXT_PX, _SMALLEST_TEXT_PX, -1)
    return next((size_px for size_px in sizes if text_width(longest, size_px) <= width), _SMALLEST_TEXT_PX)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
