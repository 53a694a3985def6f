"""What stands in for paint where there is none yet: the content, in the colours of the paint around it."""

from __future__ import annotations

import math

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


def colour_matched(content: Picture, painted: FloatPicture, trust: FloatPicture) -> FloatPicture:
    """Returns the content with the mean and contrast, channel by channel, of the paint around each pixel.

    Ruder et al. (2016) leave uncovered regions at the network's mean colour, and they come out grey; the
    content as it is would come out in its own colours. Mean and contrast are matched as by Reinhard et al.
    (Color Transfer between Images, 2001), but in RGB and locally.

    Args:
        content: `(H, W, 3)` uint8 RGB. painted: `(H, W, 3)` float32 RGB on a scale of 0 to 255.
        trust: `(H, W)` float32 in [0, 1], where `painted` holds paint.

    Returns:
        `(H, W, 3)` float32 RGB on a scale of 0 to 255; the content itself where there is no paint at all.
    """
    has_paint = (trust > 0.5).astype(np.float32)[..., None]
    if not has_paint.any():
        return content.astype(np.float32)
    values = content.astype(np.float32)
    height, width = trust.shape
    shrink = max(1, round(max(height, width) / _LONG_SIDE_PX))
    small_size = (math.ceil(width / shrink), math.ceil(height / shrink))
    # Weight, and weighted sums of both pictures and their squares: 1 + 4 x 3 channels.
    sums = (has_paint, *(has_paint * picture for picture in (values, values * values, painted, painted * painted)))
    shrunk = [cv2.resize(part, small_size, interpolation=cv2.INTER_AREA) for part in sums]
    small = np.asarray(np.dstack(shrunk), np.float32)
    # What to multiply the content by and to add, settled from near to far.
    gain, offset = np.zeros_like(small[..., :3]), np.zeros_like(small[..., :3])
    open_share = np.ones_like(small[..., :1])
    for reach_px in (*_REACHES_PX, None):
        near = np.broadcast_to(small.mean((0, 1)), small.shape) if reach_px is None else _blurred(small, reach_px)
        enough = 1 if reach_px is None else np.clip((near[..., :1] - _TOO_LITTLE) / (_ENOUGH - _TOO_LITTLE), 0, 1)
        near_gain, near_offset = _match(near)
        gain += open_share * enough * near_gain
        offset += open_share * enough * near_offset
        open_share *= 1 - enough
    matched = cv2.resize(gain, (width, height)) * values + cv2.resize(offset, (width, height))
    return np.asarray(np.clip(matched, 0, 255), np.float32)


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
