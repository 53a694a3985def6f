"""Where a frame is stylized, how much of that shows, and in which of several styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vidstyle.errors import SourceError
from vidstyle.frames import FloatPicture, Mask, Picture, resize

# Paint that is hardly to be seen cannot be had back from the picture that it was blended into: at a tenth, a level of
# rounding is ten levels of paint.
_LEAST_SHOWN = 26


@dataclass(frozen=True)
class Coverage:
    """What masks, regions and transparency say of one frame.

    Attributes:
        shown: `(H, W)` uint8: how much of the paint is blended into the content; 255 all, 0 the content as it is.
        shares: `(K, H, W)` float32 in [0, 1]: how much a pixel counts for each style; together at most 1, and 0 where
            nothing is stylized.
    """

    shown: Picture
    shares: FloatPicture

    @cached_property
    def amount(self) -> FloatPicture:
        """`(H, W)` float32 in [0, 1]: how much a pixel counts for all styles together."""
        return np.asarray(np.minimum(self.shares.sum(0), 1), np.float32)

    @cached_property
    def is_stylized(self) -> bool:
        """Whether anything is stylized at all."""
        return bool((self.amount > 0).any())

    @cached_property
    def holds_paint(self) -> Mask:
        """`(H, W)` bool: where there is paint that the next frame can go on from."""
        return np.asarray((self.amount > 0) & (self.shown >= _LEAST_SHOWN))

    def resized(self, width: int, height: int) -> Coverage:
        """Returns the same for a frame of that size."""
        if self.shown.shape == (height, width):
            return self
        shares = [cv2.resize(share, (width, height), interpolation=cv2.INTER_AREA) for share in self.shares]
        return Coverage(resize(self.shown, width, height), np.stack(shares).astype(np.float32))

    def blended(self, content: Picture, stylized: Picture) -> Picture:
        """Returns the frame to be delivered, `(H, W, 3)` uint8 RGB: exactly the content where nothing is stylized."""
        shown = np.where(self.amount > 0, self.shown, 0)[..., None].astype(np.int32)
        return ((content * (255 - shown) + stylized * shown + 127) // 255).astype(np.uint8)

    def paint_of(self, content: Picture, delivered: Picture) -> Picture:
        """Returns the paint that was blended into a delivered frame; the content where it is hardly to be seen.

        Exact where all of it is shown, else to within the rounding of what was delivered.
        """
        shown = np.maximum(self.shown, _LEAST_SHOWN)[..., None].astype(np.float32)
        paint = content + (delivered.astype(np.float32) - content) * (255 / shown)
        paint = np.clip(np.rint(paint), 0, 255).astype(np.uint8)
        return np.where(self.holds_paint[..., None], paint, content)


def are_same(one: Coverage | None, other: Coverage | None) -> bool:
    """Tells whether two frames are covered alike."""
    if one is None or other is None:
        return one is other
    return np.array_equal(one.shown, other.shown) and np.array_equal(one.shares, other.shares)


def coverage_of(
    shape: tuple[int, int],
    mask: Picture | None = None,
    regions: Sequence[Picture] = (),
    alpha: Picture | None = None,
) -> Coverage | None:
    """Returns the coverage of a frame, or None where all of it is stylized in one style.

    Args:
        shape: height and width, of each of the following. mask: `(H, W)` uint8, 255 is stylized; None: everywhere.
        regions: `(H, W)` uint8 each, 255 belongs to it. What none covers is left to the main style, which comes first
            in `Coverage.shares`; where they overlap by more than the whole they share it in proportion.
        alpha: `(H, W)` uint8: what is transparent is not looked at, and its colors do not change.

    Raises:
        SourceError: one of them is no such array.
    """
    for gray in (mask, *regions, alpha):
        if gray is not None and (gray.shape != tuple(shape) or gray.dtype != np.uint8):
            wanted = f"{shape[1]}x{shape[0]} levels, (H, W) uint8"
            raise SourceError(f"a mask is an array {gray.shape} of {gray.dtype}; give {wanted}")
    if alpha is not None and alpha.min() == 255:
        alpha = None
    if mask is None and alpha is None and not regions:
        return None
    shown = np.full(shape, 255, np.uint8) if mask is None else mask
    amount = shown.astype(np.float32) / 255
    if alpha is not None:
        amount *= alpha.astype(np.float32) / 255
    shares = np.stack([np.zeros(shape, np.float32), *(region.astype(np.float32) / 255 for region in regions)])
    together = shares.sum(0)
    shares /= np.maximum(together, 1)
    shares[0] = np.maximum(1 - together, 0)
    return Coverage(shown, np.asarray(shares * amount, np.float32))
