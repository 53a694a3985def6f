"""How a stored picture is turned, mirrored and cropped before it is shown.

Crop tags of containers, the PixelCrop of Matroska and the clean aperture of MP4, are read here: FFmpeg reads them, but
PyAV does not hand them on. Sizes in files are not trusted: only headers of a few megabytes are looked at, and a crop
that leaves nothing is ignored.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np

from vidstyle.frames import Picture
from vidstyle.media.containers import MATROSKA_SEGMENT, matroska_element
from vidstyle.media.read.decoding import side_data_of

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


# -- cropping -------------------------------------------------------------------------------------

_LARGEST_HEADER_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Crop:
    """How many pixels of the stored picture are not shown on each side."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Returns width and height of what is left in pixels."""
        return width - self.left - self.right, height - self.top - self.bottom

    def fits(self, width: int, height: int) -> bool:
        """Tells whether it leaves anything of a picture, and nothing is negative."""
        return min(self.left, self.top, self.right, self.bottom, *(n - 1 for n in self.size(width, height))) >= 0

    def apply(self, image: Picture, width: int, height: int) -> Picture:
        """Returns what is shown of `(h, w, 3)` uint8, a picture stored as `width` x `height` or its reduced copy."""
        if self == Crop():
            return image
        across, down = image.shape[1] / width, image.shape[0] / height
        columns = slice(round(self.left * across), max(round((width - self.right) * across), 1))
        rows = slice(round(self.top * down), max(round((height - self.bottom) * down), 1))
        return image[rows, columns]


def crop_of(path: Path, container_format: str, video: int, width: int, height: int) -> Crop:
    """Returns the crop that a container asks for.

    Args:
        container_format: FFmpeg's name of it. video: which of the container's video tracks, from 0.
        width, height: of the stored picture in pixels.
    """
    names = container_format.split(",")
    found: list[Crop] = []
    try:
        with path.open("rb") as file:
            if "matroska" in names:
                found = [_pixel_crop(entry) for entry in _video_tracks(file)]
            elif "mp4" in names:
                found = [_clean_aperture(trak, width, height) for trak in _video_traks(file)]
    except (OSError, ValueError, IndexError, ZeroDivisionError):
        return Crop()
    crop = found[video] if video < len(found) else Crop()
    return crop if crop.fits(width, height) else Crop()


# -- Matroska: RFC 9559 --------------------------------------------------------------------------

_CLUSTER, _TRACKS = 0x1F43B675, 0x1654AE6B
_TRACK_ENTRY, _TRACK_TYPE, _VIDEO = 0xAE, 0x83, 0xE0
_CROPS = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}


def _video_tracks(file: BinaryIO) -> list[bytes]:
    """Returns the Video element of each video track."""
    while (head := matroska_element(file)) is not None:
        identity, size = head
        if identity == MATROSKA_SEGMENT:
            continue  # its children follow
        if identity == _CLUSTER or size is None:
            break
        if identity == _TRACKS:
            tracks = file.read(min(size, _LARGEST_HEADER_BYTES))
            entries = [dict(_elements(body)) for name, body in _elements(tracks) if name == _TRACK_ENTRY]
            return [entry.get(_VIDEO, b"") for entry in entries if entry.get(_TRACK_TYPE) == b"\x01"]
        file.seek(size, 1)
    return []


def _pixel_crop(video: bytes) -> Crop:
    sides = {_CROPS[name]: int.from_bytes(body, "big") for name, body in _elements(video) if name in _CROPS}
    return Crop(**sides)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        name_length = 9 - data[at].bit_length()
        name = int.from_bytes(data[at : at + name_length], "big")
        at += name_length
        size_length = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + size_length], "big") & (1 << 7 * size_length) - 1
        at += size_length
        yield name, data[at : at + size]
        at += size


# -- MP4 and QuickTime: ISO 14496-12, 12.1.4 -----------------------------------------------------


def _video_traks(file: BinaryIO) -> list[bytes]:
    """Returns the content of the first sample description of each video track."""
    moov = b""
    while len(head := file.read(8)) == 8:
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        body = int.from_bytes(file.read(8), "big") - 16 if size == 1 else size - 8
        if kind == b"moov":
            moov = file.read(min(body, _LARGEST_HEADER_BYTES) if body >= 0 else _LARGEST_HEADER_BYTES)
            break
        if body < 0:
            break
        file.seek(body, 1)
    found = []
    for kind, trak in _boxes(moov):
        if kind != b"trak":
            continue
        mdia = dict(_boxes(dict(_boxes(trak)).get(b"mdia", b"")))
        if mdia.get(b"hdlr", b"")[8:12] == b"vide":
            table = dict(_boxes(dict(_boxes(mdia.get(b"minf", b""))).get(b"stbl", b"")))
            # Version, flags and count; then the entry's own header and fields, 8 + 78 bytes.
            found.append(table.get(b"stsd", b"")[8 + 86 :])
    return found


def _clean_aperture(description: bytes, width: int, height: int) -> Crop:
    clap = dict(_boxes(description)).get(b"clap")
    if clap is None or len(clap) < 32:
        return Crop()
    numbers = [int.from_bytes(clap[at : at + 4], "big", signed=True) for at in range(0, 32, 4)]
    wide, high, across, down = (Fraction(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    # The center of the aperture lies `across` and `down` from the picture's.
    left, top = round(across + (width - wide) / 2), round(down + (height - high) / 2)
    return Crop(left, top, width - left - round(wide), height - top - round(high))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size
