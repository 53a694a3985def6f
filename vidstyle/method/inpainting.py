"""Fills disoccluded places: with the content, in the colors of the paint around them."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture

# Statistics of the surroundings are smooth: they are taken from pictures of about this long side.
_LONG_SIDE_PX = 128
# From near to far: standard deviations of the surroundings' weight, in pixels of those small pictures. The
# nearest that holds enough paint counts; where none does, the whole frame.
_REACHES_PX = (1.25, 3.0, 7.5, 20.0)
_TOO_LITTLE, _ENOUGH = 0.15, 0.45
# How much the content's contrast is changed to match the paint's, and a floor, in levels, for flat content.
_GAINS, _FLOOR_LEVELS = (0.4, 1.5), 4.0


def inpainted(content: Picture, stylized: FloatPicture, trust: FloatPicture) -> FloatPicture:
    """Returns the warped paint, and in its holes the content with the mean and contrast of the paint around them.

    Ruder et al. (2016) leave uncovered regions at the network's mean color, and they come out gray; the
    content as it is would come out in its own colors. Mean and contrast are matched as by Reinhard et al.
    (Color Transfer between Images, 2001), but in RGB and locally.

    Args:
        content: `(H, W, 3)` uint8 RGB. stylized: `(H, W, 3)` float32 RGB on a scale of 0 to 255.
        trust: `(H, W)` float32 in [0, 1], where `stylized` holds paint.

    Returns:
        `(H, W, 3)` float32 RGB on a scale of 0 to 255; where trust lies between, a mixture. The content itself
        where there is no paint at all.
    """
    has_paint = np.where(trust > 0.5, np.float32(1), np.float32(0))
    values = content.astype(np.float32)
    if not has_paint.any():
        return values
    small = _weighted_sums(values, stylized, has_paint)
    holes = cv2.resize(1 - trust, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    holes = cv2.dilate((holes > 0).astype(np.float32), np.ones((3, 3), np.uint8))
    # What to multiply the content by and to add, settled from near to far.
    gain, offset = np.zeros_like(small[..., :3]), np.zeros_like(small[..., :3])
    open_share = np.asarray(holes, np.float32)[..., None]
    for reach_px in (*_REACHES_PX, None):
        near = np.broadcast_to(small.mean((0, 1)), small.shape) if reach_px is None else _blurred(small, reach_px)
        enough = np.clip((near[..., :1] - _TOO_LITTLE) / (_ENOUGH - _TOO_LITTLE), 0, 1)
        if reach_px is None:
            enough = np.ones_like(enough)
        near_gain, near_offset = _match(near)
        gain += open_share * enough * near_gain
        offset += open_share * enough * near_offset
        open_share *= 1 - enough
        if not open_share.any():
            break
    height, width = trust.shape
    values *= cv2.resize(gain, (width, height))
    values += cv2.resize(offset, (width, height))
    np.clip(values, 0, 255, out=values)
    values += cv2.merge([trust] * 3) * (stylized - values)
    return values


def _weighted_sums(values: FloatPicture, stylized: FloatPicture, has_paint: FloatPicture) -> FloatPicture:
    """Returns `(h, w, 1 + 4 x 3)`: the share of paint, and means over all of both pictures and their squares there."""
    height, width = has_paint.shape
    shrink = max(1, round(max(height, width) / _LONG_SIDE_PX))
    small_size = (math.ceil(width / shrink), math.ceil(height / shrink))
    weights = cv2.merge([has_paint] * 3)
    parts: list[Any] = [has_paint]
    for picture in (values, stylized):
        weighted = cv2.multiply(picture, weights)
        parts += [weighted, cv2.multiply(weighted, weighted)]
    small = [cv2.resize(part, small_size, interpolation=cv2.INTER_AREA) for part in parts]
    return np.asarray(np.dstack(small), np.float32)


def _match(sums: FloatPicture) -> tuple[FloatPicture, FloatPicture]:
    """Returns gain and offset, each `(h, w, 3)`, that give the content the statistics which lie in `sums`."""
    moments = sums[..., 1:] / np.maximum(sums[..., :1], 1e-6)
    mean, square, paint_mean, paint_square = np.split(moments, 4, axis=2)
    contrast, paint_contrast = (
        np.sqrt(np.maximum(s - m**2, 0)) for s, m in ((square, mean), (paint_square, paint_mean))
    )
    gain = np.clip(paint_contrast / (contrast + _FLOOR_LEVELS), *_GAINS)
    return gain.astype(np.float32), (paint_mean - gain * mean).astype(np.float32)


def _blurred(picture: FloatPicture, sigma_px: float) -> FloatPicture:
    layers = [cv2.GaussianBlur(picture[..., k], (0, 0), sigma_px) for k in range(picture.shape[2])]
    return np.asarray(np.stack(layers, 2), np.float32)
