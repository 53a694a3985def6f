"""Still pictures in and out: RGB uint8, upright, whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from vidstyle.errors import OutputError, SourceError
from vidstyle.files import written_whole
from vidstyle.frames import Picture
from vidstyle.media.headers import is_cut_off, picture_size

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm")

# A picture of this many pixels takes 0.75 GB as RGB; beyond it the file is taken for damaged or hostile.
MAX_IMAGE_PIXELS = 1 << 28

JPEG_QUALITY = 95

_ENCODE_OPTIONS: dict[str, list[int]] = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100 means lossless
}

NaturalKey = tuple[tuple[tuple[int, str], ...], str]


def is_image_name(path: Path) -> bool:
    """Tells whether `path` has the suffix of a picture format that is read and written here."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def natural_key(path: Path) -> NaturalKey:
    """Returns the key that sorts names as people count: shot2.png before shot10.png.

    Digits are compared as text of known length, so numbers of any size work. Names that differ only
    in leading zeros or case follow each other in the order of their characters.
    """
    parts = re.split(r"([0-9]+)", path.stem)
    key = []
    for position, part in enumerate(parts):
        if position % 2:
            number = part.lstrip("0")
            key.append((len(number), number))
        else:
            key.append((0, part.casefold()))
    return tuple(key), path.name


def read_image(path: Path) -> Picture:
    """Reads a picture as `(H, W, 3)` uint8 RGB, upright.

    Grey pictures become RGB, 16 bits become 8, transparency is dropped (the colours beneath it show).

    Raises:
        SourceError: the file is missing, empty, cut off, too large, or no picture.
    """
    data = read_bytes(path)
    size = picture_size(data)
    if size is not None and size[0] * size[1] > MAX_IMAGE_PIXELS:
        raise SourceError(
            f"{path}: too large ({size[0]}x{size[1]} pixels; at most {MAX_IMAGE_PIXELS} in all); make it smaller first"
        )
    if is_cut_off(data):
        raise SourceError(f"{path}: the picture is cut off; copy or export it again")
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, MemoryError) as error:
        raise SourceError(f"{path}: the picture cannot be decoded or is too large; export it again") from error
    if bgr is None:
        raise SourceError(
            f"{path}: not a picture that can be read; convert it to PNG or JPEG (known: {', '.join(IMAGE_SUFFIXES)})"
        )
    return np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)


def read_bytes(path: Path) -> bytes:
    """Returns the content of a file that is there and not empty.

    Raises:
        SourceError: it is missing, a folder, empty, or not readable.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; check the path") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read ({error}); check the path and its permissions") from error
    if not data:
        raise SourceError(f"{path}: the file is empty; copy or export it again")
    return data


def write_image(path: Path, image: Picture) -> None:
    """Writes `(H, W, 3)` uint8 RGB; the suffix chooses the format; whole or not at all.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
        ValueError: `image` is not `(H, W, 3)` uint8.
    """
    check_picture(image)
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise OutputError(f"{path}: unknown picture format; use one of {', '.join(IMAGE_SUFFIXES)}")
    try:
        done, data = cv2.imencode(suffix, np.ascontiguousarray(image[:, :, ::-1]), _ENCODE_OPTIONS.get(suffix, []))
    except cv2.error as error:
        raise OutputError(f"{path}: the picture cannot be encoded as {suffix}; use .png") from error
    if not done:
        raise OutputError(f"{path}: the picture cannot be encoded as {suffix}; use .png")
    with written_whole(path) as part:
        part.write_bytes(data.tobytes())


def check_picture(image: Picture) -> None:
    """Raises ValueError unless `image` is `(H, W, 3)` uint8 with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"a picture must be (H, W, 3) uint8, not {image.shape} {image.dtype}")


def resize(image: Picture, width: int, height: int) -> Picture:
    """Returns `(H, W, 3)` uint8 at `width` x `height` pixels; the same object if it has that size.

    Averages areas when shrinking, bicubic when enlarging.
    """
    have_height, have_width = image.shape[:2]
    if (have_width, have_height) == (width, height):
        return image
    shrinks = width * height < have_width * have_height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)


def reduced_size(width: int, height: int, largest_side_px: int | None) -> tuple[int, int]:
    """Returns width and height with the long side brought down to `largest_side_px`; None leaves them as they are."""
    if largest_side_px is None or max(width, height) <= largest_side_px:
        return width, height
    ratio = largest_side_px / max(width, height)
    return max(1, round(width * ratio)), max(1, round(height * ratio))
