"""Flow by dense inverse search, OpenCV's implementation: fast, on the CPU, without weights.

Kroeger, Timofte, Dai, Van Gool: Fast Optical Flow using Dense Inverse Search, ECCV 2016.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidstyle.frames import Picture
from vidstyle.method.warping import FlowField
from vidstyle.method.weights import PublishedWeights, TensorReader

if TYPE_CHECKING:
    import torch

# Up to so many pixels patches are matched at half the picture's size, which is the medium preset; beyond it
# at a quarter, and so on, so that the time grows slower than the pictures: 0.04 s at 1920x1080 on two cores
# instead of 0.16, for vectors that are 0.4 px apart on average.
HALF_SIZE_UP_TO_PIXELS = 1024 * 576
# DIS finds nothing in pictures with fewer pixels than a patch or two on a side.
SMALLEST_SIDE_PX = 32


class DisFlow:
    """Estimates flow with DIS, medium preset; see `FlowEstimator`.

    Its result does not depend on the number of threads.
    """

    memory_remedy = ""
    published: PublishedWeights | None = None

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    @classmethod
    def check(cls) -> None:
        """Does nothing: OpenCV is always there."""

    @classmethod
    def load(cls, read: TensorReader, device: torch.device) -> DisFlow:
        """Returns an estimator, which needs no weights and computes on the CPU."""
        return cls()

    def __call__(self, here: Picture, there: Picture) -> FlowField:
        """Returns `(H, W, 2)` float32 px of two `(H, W, 3)` uint8 RGB pictures."""
        height, width = here.shape[:2]
        if min(height, width) < SMALLEST_SIDE_PX:
            return self._enlarged(here, there)
        self._dis.setFinestScale(finest_scale(width, height))
        gray = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (here, there)]
        # A field given here would be where the search begins; the stubs do not know that there may be none.
        return np.asarray(self._dis.calc(gray[0], gray[1], None), np.float32)  # type: ignore[call-overload]

    def _enlarged(self, here: Picture, there: Picture) -> FlowField:
        height, width = here.shape[:2]
        factor = math.ceil(SMALLEST_SIDE_PX / min(height, width))
        size = (width * factor, height * factor)
        pair = [np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_LINEAR), np.uint8) for p in (here, there)]
        flow = cv2.resize(self(pair[0], pair[1]), (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(flow / factor, np.float32)


def finest_scale(width: int, height: int) -> int:
    """Returns at which power of a half patches are matched last, at least 1."""
    return 1 + max(0, math.ceil(math.log2(width * height / HALF_SIZE_UP_TO_PIXELS) / 2))
