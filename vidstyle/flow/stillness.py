"""Where nothing moves, although estimated flow says that it does a little.

Flow of a still scene with grain is some hundredths of a pixel where there is texture, and wanders by half a pixel and
more where there is none. Paint that is carried along it is resampled in each frame, loses its finest detail, and
flickers as it is painted anew.
"""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.flow.warp import FlowField, warped
from vidstyle.frames import FloatPicture, Mask, Picture

# What the flow of textured places nearby comes to at the most, on average, where things are still. Slower motion than
# that, a pixel in a second, is left to the optimiser.
_STILL_PX = 0.05
# Nearby: within about so much, near and far, relative to the frame's long side. Both must be still, so that a flat part
# of a thing that moves slowly before a still background is not taken for still.
_REACHES = (1 / 50, 1 / 12)
# Slopes of grey, in levels per pixel, up to which there is no texture, but grain.
_GRAIN_SLOPE = 3.0
# That nothing moves explains a place as well as the flow does, if it leaves at most so much more of a difference, and
# the frame's usual one: flow has the advantage that it fits grain, and that interpolation takes grain away.
_MORE, _SLACK_LEVELS = 1.6, 1.0
_WINDOW_PX, _SHRINK = 9, 4


def is_still(earlier: Picture, now: Picture, backward: FlowField, consistent: Mask) -> Mask:
    """Tells for each pixel, `(H, W)`, whether nothing moves there.

    Args:
        earlier, now: `(H, W, 3)` uint8 RGB. backward: the flow from `now` to `earlier`. consistent: `(H, W)`, where
            it can be relied on; elsewhere it says nothing of what is nearby.
    """
    before, grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (earlier, now))
    unmoved, moved = (_difference(picture, grey) for picture in (before, warped(before, backward)))
    grain = max(float(np.median(moved)), _SLACK_LEVELS**2)
    explains = unmoved <= _MORE * moved + grain
    return explains & _is_still_nearby(grey, backward, consistent)


def _difference(one: FloatPicture, other: FloatPicture) -> FloatPicture:
    gap = cv2.subtract(one, other)
    return np.asarray(cv2.blur(cv2.multiply(gap, gap), (_WINDOW_PX, _WINDOW_PX)), np.float32)


def _is_still_nearby(grey: FloatPicture, flow: FlowField, consistent: Mask) -> Mask:
    """Tells where the flow of what has texture averages to next to nothing."""
    height, width = grey.shape
    size = (max(1, width // _SHRINK), max(1, height // _SHRINK))
    soft = cv2.GaussianBlur(grey, (0, 0), 1)
    slopes = (cv2.Sobel(soft, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    energy = sum(cv2.multiply(slope, slope) for slope in slopes)
    texture = np.maximum(np.asarray(energy, np.float32) - np.float32(_GRAIN_SLOPE**2), 0) * consistent
    weighted = [cv2.multiply(part, texture) for part in cv2.split(flow)]
    small = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (texture, *weighted)]
    still = np.ones((size[1], size[0]), np.uint8)
    for reach in _REACHES:
        sigma_px = max(1.0, reach * max(size))
        share, x_px, y_px = (cv2.GaussianBlur(part, (0, 0), sigma_px) for part in small)
        still &= np.hypot(x_px, y_px) <= _STILL_PX * share + 1e-6
    return np.asarray(cv2.resize(still, (width, height), interpolation=cv2.INTER_NEAREST), bool)
