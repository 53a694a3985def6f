"""Transparency: colors for transparent pixels, and pictures laid over white."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture

# What transparent parts are shown over where the output cannot hold them; browsers and printers do the same.
WHITE_LEVEL = 255
# Colors of transparent areas vary slowly: a picture of at most this long side is enough for them.
_LONG_SIDE_PX = 1024
# Where not one pixel is opaque.
_GRAY_LEVEL = 128
# Floating-point numbers are made for so many rows at a time.
_BAND_ROWS = 64


def filled(image: Picture, alpha: Picture) -> Picture:
    """Returns the picture with the colors of what is opaque continued into what is transparent.

    Files hold anything beneath transparent pixels, black or what an eraser left; stylized, it would bleed over the
    edge. Colors are averaged over ever larger squares, weighted by alpha, and each square that holds none takes
    the next larger one's: the pull and push of Gortler et al. (The Lumigraph, 1996). From half opacity on a pixel
    keeps its own color exactly.

    Args:
        image: `(H, W, 3)` uint8 RGB, not multiplied by alpha. alpha: `(H, W)` uint8, 255 is opaque.
    """
    if alpha.min() > 127:
        return image
    if not alpha.any():
        return np.full_like(image, _GRAY_LEVEL)
    height, width = alpha.shape
    layers = [
        cv2.multiply(image, cv2.merge([alpha] * 3), dtype=cv2.CV_16U),
        alpha.astype(np.uint16) * np.uint16(255),
    ]
    shrink = max(height, width) / _LONG_SIDE_PX
    if shrink > 1:
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        layers = [cv2.resize(layer, size, interpolation=cv2.INTER_AREA) for layer in layers]
    small = np.dstack(layers).astype(np.float32)
    layers.clear()
    small[..., :3] /= 255
    small[..., 3] /= 255 * 255
    around = np.clip(np.rint(_spread_colors(small[..., :3], small[..., 3:])), 0, 255).astype(np.uint8)
    around = np.asarray(cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    for top in range(0, height, _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        is_faint = (alpha[rows] > 0) & (alpha[rows] < 128)
        own = alpha[rows][is_faint][:, None].astype(np.float32) / 127.5
        mixed = around[rows][is_faint] + own * (image[rows][is_faint] - around[rows][is_faint].astype(np.float32))
        around[rows][is_faint] = np.rint(mixed).astype(np.uint8)
    cv2.copyTo(image, (alpha > 127).astype(np.uint8), around)
    return around


def over_white(image: Picture, alpha: Picture | None) -> Picture:
    """Returns the picture as it looks over white, `(H, W, 3)` uint8 RGB; itself where there is no alpha."""
    if alpha is None:
        return image
    shown = np.empty_like(image)
    for top in range(0, len(image), _BAND_ROWS):
        share = alpha[top : top + _BAND_ROWS].astype(np.float32)[..., None] / 255
        band = image[top : top + _BAND_ROWS].astype(np.float32)
        shown[top : top + _BAND_ROWS] = np.rint(WHITE_LEVEL + share * (band - WHITE_LEVEL))
    return shown


def _spread_colors(sums: FloatPicture, weight: FloatPicture) -> FloatPicture:
    """Returns `(H, W, 3)`: mean colors, where there is little weight those of a larger neighborhood.

    Args:
        sums: colors multiplied by `weight`, which is `(H, W, 1)` in [0, 1].
    """
    height, width = weight.shape[:2]
    means = np.asarray(sums / np.maximum(weight, np.float32(1e-6)), np.float32)
    if (height, width) == (1, 1) or weight.min() >= 1:
        return means
    size = ((width + 1) // 2, (height + 1) // 2)
    coarse = np.asarray(cv2.resize(np.dstack([sums, weight]), size, interpolation=cv2.INTER_AREA), np.float32)
    # A square that is a quarter full counts as full.
    full = np.minimum(4 * coarse[..., 3:], 1) / np.maximum(coarse[..., 3:], np.float32(1e-6))
    coarse = np.asarray(coarse * full, np.float32)
    around = _spread_colors(coarse[..., :3], coarse[..., 3:])
    larger = np.asarray(cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(larger + weight * (means - larger), np.float32)
