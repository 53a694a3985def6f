"""Which pictures can be painted, and at which size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidstyle.errors import SourceError
from vidstyle.frames import SMALLEST_SIDE_PX, Picture
from vidstyle.media.images import read_still
from vidstyle.settings import Settings

# OpenCV's remapping counts pixels in 16 bits.
LARGEST_SIDE_PX = 32_766


def working_size(width: int, height: int, settings: Settings, *, even: bool = False) -> tuple[int, int]:
    """Returns width and height in pixels at which an input of that size is painted.

    The long side is at most `settings.size`, unless the short one would fall under 16 px; inputs are never
    enlarged. With `even`, both are multiples of two, as video with half-size colour planes needs; that moves a
    side by one pixel at most.

    Raises:
        SourceError: larger than optical flow can be carried along.
    """
    ratio = 1.0 if settings.size == "source" else min(1.0, settings.size / max(width, height))
    # A panorama's short side stays paintable, at the cost of a longer long side.
    ratio = min(1.0, max(ratio, SMALLEST_SIDE_PX / min(width, height)))
    step = 2 if even else 1
    fitted = max(step, round(width * ratio / step) * step), max(step, round(height * ratio / step) * step)
    if max(fitted) > LARGEST_SIDE_PX and settings.needs_flow:
        at_most = f"at most {LARGEST_SIDE_PX:,} px on a side; use a smaller --size, or --flow off"
        raise SourceError(f"{fitted[0]}x{fitted[1]} pixels: paint can be carried along in pictures of {at_most}")
    return fitted


def checked_picture(picture: Picture | str | Path, what: str, name: str = "") -> Picture:
    """Returns a picture file's or array's `(H, W, 3)` uint8 RGB, if it is one of 16 px or more.

    Args:
        what: it was to be, for messages. name: of the file that an array was read from, for messages.

    Raises:
        SourceError: it is not.
    """
    if isinstance(picture, (str, Path)):
        still, name = read_still(Path(picture)), str(picture)
        if still.alpha is not None and not still.alpha.any():
            raise SourceError(f"{name}: transparent all over, so there is no {what} to be seen; give another picture")
        image = still.image
    else:
        image, name = picture, name or what
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise SourceError(f"{name}: a {what} is an array (H, W, 3) of uint8 RGB")
    if min(image.shape[:2]) < SMALLEST_SIDE_PX:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise SourceError(f"{name}: {size} is too small for a {what}; it needs {SMALLEST_SIDE_PX} px on each side")
    # Views such as `bgr[..., ::-1]` have strides that torch does not take.
    return np.ascontiguousarray(image)
