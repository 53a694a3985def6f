"""How a picture has to be turned and mirrored before it stands as it was filmed."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import av
import numpy as np

from vidstyle.frames import Picture
from vidstyle.media.read.side_data import side_data_of

# Further than this from a quarter turn, what is shown is not what was meant.
_ASKEW_DEGREES = 1.0


@dataclass(frozen=True, slots=True)
class Orientation:
    """What to do with the stored picture, in this order.

    Attributes:
        transposed: rows and columns change places. mirrored: left becomes right. flipped: top becomes bottom.
        askew_degrees: by how much a file asks for more than that; it is left out.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False
    askew_degrees: float = 0.0

    def upright(self, image: Picture) -> Picture:
        """Returns `(H, W, 3)` uint8 as it is to be shown, contiguous; the same object where there is nothing to do."""
        if not (self.transposed or self.mirrored or self.flipped):
            return image
        turned = image.swapaxes(0, 1) if self.transposed else image
        turned = turned[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]
        return np.ascontiguousarray(turned)


def orientation_of(av_frame: av.VideoFrame) -> Orientation:
    """Returns what a picture's display matrix asks for; nothing where it has none or one that makes no sense."""
    data = side_data_of(av_frame, "DISPLAYMATRIX")
    if data is not None and len(data) >= 36:
        return from_matrix(struct.unpack_from("=9i", data))
    turns = round((av_frame.rotation or 0) / 90) % 4
    return Orientation(turns % 2 == 1, turns in (2, 3), turns in (1, 2))


def from_matrix(matrix: tuple[int, ...]) -> Orientation:
    """Reads a display matrix as QuickTime and ISO 14496-12 have it.

    Args:
        matrix: a, b, u, c, d, v, x, y, w as 16.16 fixed point (u, v, w as 2.30): a point (p, q), q downwards, goes
            to (ap + cq + x, bp + dq + y).
    """
    a, b, _, c, d = matrix[:5]
    if a * d - b * c == 0:
        return Orientation()
    transposed = abs(b) + abs(c) > abs(a) + abs(d)
    along, across = (b, a) if transposed else (a, b)
    askew = math.degrees(math.atan2(abs(across), abs(along)))
    askew = askew if askew > _ASKEW_DEGREES else 0.0
    if transposed:
        return Orientation(True, c < 0, b < 0, askew)
    return Orientation(False, a < 0, d < 0, askew)
