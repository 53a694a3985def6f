"""Pictures as a page holds them: small WebP files, chosen evenly from the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from vidstyle.frames import Picture, resize

MOST_PICTURES = 12
LONGEST_SIDE_PX = 640
# Of a picture, so that square ones are no larger files than wide ones.
_LARGEST_PX = 640 * 400
STYLE_SIDE_PX = 240
# Of all pictures of a page together; where they take more, they are written with less quality.
_ALL_BYTES = 2_500_000
_QUALITIES = (82, 70, 55, 40)
_STYLE_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Pair:
    """One frame before and after, as WebP.

    Attributes:
        position: in the render. time_s: since its first frame. width, height: in pixels.
        before: the input's picture, or None where it cannot be had. after: the painted one.
    """

    position: int
    time_s: float
    width: int
    height: int
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame that is to be shown: position, seconds, and pictures `(h, w, 3)` uint8 RGB of one size, as shown."""

    position: int
    time_s: float
    before: Picture | None
    after: Picture


def shown_size(width: int, height: int, longest_px: int = LONGEST_SIDE_PX) -> tuple[int, int]:
    """Returns width and height in pixels at which a picture stands in a page; none is enlarged."""
    ratio = min(1.0, longest_px / max(width, height), (_LARGEST_PX / (width * height)) ** 0.5)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def encoded(frames: Sequence[Shown]) -> tuple[Pair, ...]:
    """Returns frames as WebP, all of one quality, the best of a few with which they are small enough together."""
    pairs: tuple[Pair, ...] = ()
    for quality in _QUALITIES:
        pairs = tuple(_pair(frame, quality) for frame in frames)
        if sum(len(pair.after) + len(pair.before or b"") for pair in pairs) <= _ALL_BYTES:
            break
    return pairs


def style_picture(image: Picture) -> bytes:
    """Returns a style's picture, `(H, W, 3)` uint8 RGB, as a small WebP."""
    height, width = image.shape[:2]
    return _webp(resize(image, *shown_size(width, height, STYLE_SIDE_PX)), _STYLE_QUALITY)


def _pair(frame: Shown, quality: int) -> Pair:
    height, width = frame.after.shape[:2]
    before = None if frame.before is None else _webp(frame.before, quality)
    return Pair(frame.position, frame.time_s, width, height, before, _webp(frame.after, quality))


def _webp(image: Picture, quality: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
