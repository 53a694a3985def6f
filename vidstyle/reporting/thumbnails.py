"""Thumbnails of frames and styles: small WebP files that a report embeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from vidstyle.frames import Picture, resize

MOST_PAIRS = 12
LONGEST_SIDE_PX = 640
# Most pixels of one picture, so that a square picture takes no more bytes than a wide one.
_LARGEST_PX = 640 * 400
STYLE_SIDE_PX = 240
# All pictures of a report together; if they take more, they are encoded with less quality.
_MOST_BYTES = 2_500_000
_QUALITIES = (82, 70, 55, 40)
_STYLE_QUALITY = 80


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """One frame before and after, as WebP.

    Attributes:
        position: in the render. time_s: counted from its first frame. width, height: in pixels.
        before: the input's picture, or None if it cannot be read. after: the stylized one.
    """

    position: int
    time_s: float
    width: int
    height: int
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class FramePair:
    """One frame before and after: position, seconds, and pictures `(h, w, 3)` uint8 RGB, both at the size shown."""

    position: int
    time_s: float
    before: Picture | None
    after: Picture


def thumbnail_size(width: int, height: int, longest_px: int = LONGEST_SIDE_PX) -> tuple[int, int]:
    """Returns width and height in pixels of a picture's thumbnail; no picture is enlarged."""
    ratio = min(1.0, longest_px / max(width, height), (_LARGEST_PX / (width * height)) ** 0.5)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def encode_pairs(frames: Sequence[FramePair]) -> tuple[EncodedPair, ...]:
    """Returns frames as WebP, all with the best quality at which they are small enough together."""
    pairs: tuple[EncodedPair, ...] = ()
    for quality in _QUALITIES:
        pairs = tuple(_encode_pair(frame, quality) for frame in frames)
        if sum(len(pair.after) + len(pair.before or b"") for pair in pairs) <= _MOST_BYTES:
            break
    return pairs


def encode_style(image: Picture) -> bytes:
    """Returns a style's picture, `(H, W, 3)` uint8 RGB, as a small WebP."""
    height, width = image.shape[:2]
    return _encode_webp(resize(image, *thumbnail_size(width, height, STYLE_SIDE_PX)), _STYLE_QUALITY)


def _encode_pair(frame: FramePair, quality: int) -> EncodedPair:
    height, width = frame.after.shape[:2]
    before = None if frame.before is None else _encode_webp(frame.before, quality)
    return EncodedPair(frame.position, frame.time_s, width, height, before, _encode_webp(frame.after, quality))


def _encode_webp(image: Picture, quality: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
