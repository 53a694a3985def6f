"""Color: the content's colors kept in a stylized frame, or a style's palette matched to the content's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.frames import Picture

# ITU-R BT.601's luma, the Y of YIQ.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# Variance below which a palette has no extent in some direction, in levels squared: rounding to 8 bits alone is 1/12.
_LEAST_VARIANCE = 1 / 12
_BAND_PX = 1 << 17

_Matrix = npt.NDArray[np.float64]


def with_colors_of(content: Picture, stylized: Picture) -> Picture:
    """Returns the painting's luminance with the content's colors, all `(H, W, 3)` uint8 RGB.

    Gatys et al. (Preserving Color in Neural Artistic Style Transfer, 2016, section 3.2): Y of YIQ is the painting's,
    I and Q are the content's. Where no color is so bright or dark with so much chroma, there is less chroma, so
    that hue and luminance stay.
    """
    luma = stylized.astype(np.float32) @ _LUMA
    chroma = content.astype(np.float32)
    chroma -= (chroma @ _LUMA)[..., None]
    highest, lowest = chroma.max(axis=2), chroma.min(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(highest > 0, (255 - luma) / highest, np.float32(1))
        below = np.where(lowest < 0, -luma / lowest, np.float32(1))
    chroma *= np.clip(np.minimum(above, below), 0, 1)[..., None]
    chroma += luma[..., None]
    return np.asarray(np.clip(np.rint(chroma), 0, 255), np.uint8)


@dataclass(frozen=True)
class Palette:
    """Mean, `(3,)`, and covariance, `(3, 3)`, of a picture's RGB, 0 to 255, gamma-encoded as they are stored."""

    mean: _Matrix
    covariance: _Matrix

    def is_same(self, other: Palette) -> bool:
        """Tells whether two palettes are equal."""
        return np.array_equal(self.mean, other.mean) and np.array_equal(self.covariance, other.covariance)

    def given_to(self, style: Picture) -> Picture:
        """Returns a style with this palette, both `(H, W, 3)` uint8 RGB.

        Gatys et al. (2016, as above, section 3.1): ``x' = A x + b`` with ``A = S_c^(1/2) S_s^(-1/2)``, their choice
        of those that give the covariance S_c, and ``b = m_c - A m_s``.
        """
        own = palette_of(style)
        matrix = _power(self.covariance, 0.5) @ _power(own.covariance, -0.5)
        shift = self.mean - matrix @ own.mean
        recolored = np.empty_like(style)
        for band in _bands(style):
            moved = cv2.transform(style[band].astype(np.float32), np.column_stack([matrix, shift]))
            recolored[band] = np.clip(np.rint(moved, out=moved), 0, 255, out=moved)
        return recolored


def palette_of(picture: Picture) -> Palette:
    """Returns the palette of `(H, W, 3)` uint8 RGB."""
    # Sums of whole numbers: exact, whatever the order in which they are taken.
    total, products, count = np.zeros(3), np.zeros((3, 3)), picture.shape[0] * picture.shape[1]
    for band in _bands(picture):
        pixels = picture[band].reshape(-1, 3).astype(np.float64)
        total += np.ones(len(pixels)) @ pixels
        products += pixels.T @ pixels
    mean = total / count
    return Palette(mean, products / count - np.outer(mean, mean))


def _bands(picture: Picture) -> Iterator[slice]:
    """Yields rows of a picture in parts of so many pixels that they take little memory as floats."""
    rows = max(1, _BAND_PX // picture.shape[1])
    yield from (slice(top, top + rows) for top in range(0, picture.shape[0], rows))


def _power(covariance: _Matrix, exponent: float) -> _Matrix:
    """Returns a symmetric matrix to a power, its eigenvalues kept from vanishing."""
    values, vectors = np.linalg.eigh(covariance)
    scaled: _Matrix = (vectors * np.maximum(values, _LEAST_VARIANCE) ** exponent) @ vectors.T
    return scaled
