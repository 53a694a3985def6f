"""Whether mean and contrast stay where they are, over scenes that have no reason to change them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from vidstyle import Stylizer
from vidstyle.frames import Picture

WIDTH_PX, STEP_PX, GRAIN_LEVELS, SETTLED_FRAME = 256, 0.37, 2.0, 10


def still(picture: Picture, count: int) -> Iterator[Picture]:
    """Yields the same frame, `(H, W, 3)` uint8 RGB, over and over, with grain of its own each time."""
    rng = np.random.default_rng(0)
    frame = cv2.resize(picture, (WIDTH_PX, round(WIDTH_PX * picture.shape[0] / picture.shape[1])))
    for _ in range(count):
        yield np.clip(frame + rng.normal(0, GRAIN_LEVELS, frame.shape).round(), 0, 255).astype(np.uint8)


def pan(picture: Picture, count: int) -> Iterator[Picture]:
    """Yields frames of a slow pan over a strip that repeats itself, so that every frame has the same levels."""
    height = round(WIDTH_PX * picture.shape[0] / picture.shape[1])
    half = cv2.resize(picture, (WIDTH_PX, height))[:, : WIDTH_PX // 2].astype(np.float32)
    strip = np.hstack([half, half[:, ::-1]] * 3)
    for number in range(count):
        move = np.array([[1, 0, -STEP_PX * number % -WIDTH_PX], [0, 1, 0]], np.float32)
        frame = cv2.warpAffine(strip, move, (WIDTH_PX, height), flags=cv2.INTER_CUBIC)
        yield np.clip(frame.round(), 0, 255).astype(np.uint8)


def departures(stylizer: Stylizer, frames: Iterator[Picture]) -> tuple[float, float, float, float]:
    """Returns how far means and standard deviations go from those of the frame after which things have settled.

    In levels of 255, the worst channel and frame; then the ratio of the fine detail (mean absolute Laplacian)
    of the last frame to that frame's, and evaluations a frame.
    """
    levels, details, evaluations = [], [], []
    for frame in frames:
        stylized = stylizer.stylize(stylizer.fit(frame))
        levels.append((stylized.image.mean((0, 1)), stylized.image.std((0, 1))))
        details.append(float(np.abs(cv2.Laplacian(stylized.image.astype(np.float32), -1)).mean()))
        evaluations.append(stylized.evaluations)
    gaps = np.abs(np.array(levels[SETTLED_FRAME:]) - np.array(levels[SETTLED_FRAME]))
    mean, contrast = gaps.max((0, 2))
    return float(mean), float(contrast), details[-1] / details[SETTLED_FRAME], float(np.mean(evaluations[1:]))
