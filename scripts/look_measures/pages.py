"""Pages of pictures, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from look_measures.pairs import numbered
from vidstyle.frames import Picture, resize
from vidstyle.media.stills.images import read_image, write_image
from vidstyle.previews.sheet import GAP_PX, draw_sheet

# What looks at a page often shrinks it if it is wider than 1568 px. The second is of a cell, height by width.
PAGE_PX, HIGHEST = 1560, 0.75
# The label of each picture of a pair, and its file.
LabeledFiles = list[tuple[str, Path]]


def pair_files(images: Path, number: int) -> LabeledFiles:
    """Returns photo and painting of a pair, under its number."""
    photo, painting = numbered(number).files(images)
    return [(f"{number}: photo", photo), ("painting", painting)]


def write_pages(folder: Path, rows: Sequence[LabeledFiles], rows_a_page: int) -> list[Path]:
    """Writes pages of rows, `page_1.png` and so on, and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    width = PAGE_PX // max(map(len, rows)) - GAP_PX
    starts = range(0, len(rows), rows_a_page)
    paths = [folder / f"page_{page}.png" for page in range(1, len(starts) + 1)]
    for path, start in zip(paths, starts, strict=True):
        drawn = [
            [(label, _fitted(read_image(file), width)) for label, file in row]
            for row in rows[start : start + rows_a_page]
        ]
        write_image(path, draw_sheet(f"{path.stem} of {len(paths)}".replace("_", " "), drawn))
    return paths


def _fitted(image: Picture, width: int) -> Picture:
    """Returns the picture as large as a cell, `(h, w, 3)` uint8 RGB."""
    scale = min(width / image.shape[1], HIGHEST * width / image.shape[0])
    size = (max(1, round(side * scale)) for side in image.shape[1::-1])
    return np.ascontiguousarray(resize(image, *size))
