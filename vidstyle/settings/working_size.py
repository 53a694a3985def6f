"""At which size frames are stylized."""

from __future__ import annotations

from vidstyle.errors import SourceError
from vidstyle.frames import SMALLEST_SIDE_PX
from vidstyle.settings import Settings

# OpenCV's remapping counts pixels in 16 bits.
LARGEST_SIDE_PX = 32_766


def working_size(width: int, height: int, settings: Settings, *, even: bool = False) -> tuple[int, int]:
    """Returns width and height in pixels at which an input of that size is stylized.

    The long side is at most `settings.size`, unless the short one would fall under 16 px; inputs are never
    enlarged. With `even`, both are multiples of two, as video with half-size color planes needs; that moves a
    side by one pixel at most.

    Raises:
        SourceError: larger than frames that can be warped.
    """
    ratio = 1.0 if settings.size == "source" else min(1.0, settings.size / max(width, height))
    # A panorama's short side stays paintable, at the cost of a longer long side.
    ratio = min(1.0, max(ratio, SMALLEST_SIDE_PX / min(width, height)))
    step = 2 if even else 1
    fitted = max(step, round(width * ratio / step) * step), max(step, round(height * ratio / step) * step)
    if max(fitted) > LARGEST_SIDE_PX and settings.is_warped:
        at_most = f"at most {LARGEST_SIDE_PX:,} px on a side; use a smaller --size, or --flow off"
        raise SourceError(f"{fitted[0]}x{fitted[1]} pixels: paint can be warped in pictures of {at_most}")
    return fitted
