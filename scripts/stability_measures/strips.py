"""Strips of consecutive frames, to be looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vidstyle.frames import Picture
from vidstyle.media.stills.images import write_image
from vidstyle.method.disocclusion import motion_between
from vidstyle.method.flow.dis import DisFlow

CROP_PX, ZOOM, SHOWN_FRAMES, LABEL_PX = 112, 2, 6, 18


def write_strip(path: Path, frames: list[Picture], results: dict[str, list[Picture]]) -> None:
    """Writes the last frames of every method, a row each, the source first, cropped where most is uncovered.

    Pictures are `(H, W, 3)` uint8 RGB, all of one size.
    """
    rows = range(max(1, len(frames) - SHOWN_FRAMES), len(frames))
    estimate = DisFlow()
    hidden = sum(1 - motion_between(estimate, frames[n - 1], frames[n]).trust for n in rows)
    height, width = frames[0].shape[:2]
    near = cv2.blur(np.asarray(hidden, np.float32), (CROP_PX, CROP_PX), borderType=cv2.BORDER_CONSTANT)
    y, x = np.unravel_index(near.argmax(), near.shape)
    left, top = (int(np.clip(c - CROP_PX // 2, 0, max(0, s - CROP_PX))) for c, s in ((x, width), (y, height)))
    strips = [_strip(label, pictures, rows, top, left) for label, pictures in {"source": frames, **results}.items()]
    write_image(path, np.ascontiguousarray(np.vstack(strips)))


def _strip(label: str, pictures: list[Picture], rows: range, top: int, left: int) -> Picture:
    crops = [pictures[n][top : top + CROP_PX, left : left + CROP_PX] for n in rows]
    strip = np.hstack([cv2.resize(c, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC) for c in crops])
    strip = cv2.copyMakeBorder(strip, LABEL_PX, 0, 0, 0, cv2.BORDER_CONSTANT)
    cv2.putText(strip, label, (4, LABEL_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1)
    return np.asarray(strip, np.uint8)
