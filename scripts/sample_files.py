"""Pictures of the samples for the scripts that draw README's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vidstyle import Clip

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def sample_frame(index: int) -> np.ndarray:
    """Returns frame `index` of the sample clip, `(360, 640, 3)` uint8 RGB."""
    with Clip(SAMPLES / "clip.mp4") as clip:
        return clip.frame(index).image


def sample_style(name: str, width: int, height: int) -> np.ndarray:
    """Returns the middle of a style picture at a size in pixels, `(height, width, 3)` uint8 RGB."""
    image = cv2.imread(str(SAMPLES / f"{name}.jpg"), cv2.IMREAD_COLOR)[..., ::-1]
    part = round(image.shape[1] * height / width)
    top = (image.shape[0] - part) // 2
    return cv2.resize(np.ascontiguousarray(image[top : top + part]), (width, height), interpolation=cv2.INTER_AREA)
