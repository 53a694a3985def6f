"""Transparency: what is painted where nothing is to be seen, and pictures shown over a plain ground."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture

# What transparent parts are shown over where the output cannot hold them; browsers and printers do the same.
WHITE_LEVEL = 255
# A picture without one opaque pixel tells no colour at all.
_GREY_LEVEL = 128


def filled(image: Picture, alpha: Picture) -> Picture:
    """Returns the picture with the colours of what is opaque continued into what is transparent.

    Files hold anything beneath transparent pixels, black or what an eraser left; painted, it would bleed over the
    edge. Colours are averaged over ever larger squares, weighted by alpha, and each square that holds none takes
    the next larger one's: the pull and push of Gortler et al. (The Lumigraph, 1996). From half opacity on a pixel
    keeps its own colour exactly.

    Args:
        image: `(H, W, 3)` uint8 RGB, not multiplied by alpha. alpha: `(H, W)` uint8, 255 is opaque.
    """
    if alpha.min() > 127:
        return image
    if not alpha.any():
        return np.full_like(image, _GREY_LEVEL)
    weight: FloatPicture = alpha.astype(np.float32)[..., None] / np.float32(255)
    own = np.minimum(2 * weight, 1)
    colours: FloatPicture = image.astype(np.float32)
    sums: FloatPicture = colours * weight
    around = _pulled(sums, weight)
    return np.where(own >= 1, image, np.rint(around + own * (colours - around)).astype(np.uint8))


def over(image: Picture, alpha: Picture | None) -> Picture:
    """Returns the picture as it looks over white, `(H, W, 3)` uint8 RGB; itself where there is no alpha."""
    if alpha is None:
        return image
    share = alpha.astype(np.float32)[..., None] / 255
    return np.rint(WHITE_LEVEL + share * (image.astype(np.float32) - WHITE_LEVEL)).astype(np.uint8)


def _pulled(sums: FloatPicture, weight: FloatPicture) -> FloatPicture:
    """Returns `(H, W, 3)`: mean colours, where there is little weight those of a larger neighbourhood.

    Args:
        sums: colours multiplied by `weight`, which is `(H, W, 1)` in [0, 1].
    """
    height, width = weight.shape[:2]
    means = np.asarray(sums / np.maximum(weight, np.float32(1e-6)), np.float32)
    if (height, width) == (1, 1) or weight.min() >= 1:
        return means
    size = ((width + 1) // 2, (height + 1) // 2)
    coarse = np.asarray(cv2.resize(np.dstack([sums, weight]), size, interpolation=cv2.INTER_AREA), np.float32)
    # A square that is a quarter full speaks for itself.
    full = np.minimum(4 * coarse[..., 3:], 1) / np.maximum(coarse[..., 3:], np.float32(1e-6))
    coarse = np.asarray(coarse * full, np.float32)
    around = _pulled(coarse[..., :3], coarse[..., 3:])
    larger = np.asarray(cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(larger + weight * (means - larger), np.float32)
