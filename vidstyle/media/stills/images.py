"""Still pictures in and out: RGB uint8, upright, whole or not at all."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vidstyle.errors import OutputError, SourceError
from vidstyle.files import write_whole
from vidstyle.frames import SMALLEST_SIDE_PX, Picture
from vidstyle.media.stills.alpha import over_white
from vidstyle.media.stills.decoding import Still, decoded_still
from vidstyle.media.stills.headers import is_cut_off

# Formats that are written, and read.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm")
READ_SUFFIXES = (*IMAGE_SUFFIXES, ".jfif", ".pgm", ".pbm", ".pnm", ".avif")
ALPHA_SUFFIXES = (".png", ".webp", ".tif", ".tiff")
UNREAD_SUFFIXES = {
    **dict.fromkeys((".exr", ".sxr"), "OpenEXR"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"), "camera raw"),
    **dict.fromkeys((".dpx", ".cin"), "film scan (DPX, Cineon)"),
    **dict.fromkeys((".psd", ".psb", ".xcf", ".kra"), "an editor's own format"),
    **dict.fromkeys((".jxl",), "JPEG XL"),
    **dict.fromkeys((".jp2", ".j2k"), "JPEG 2000"),
    **dict.fromkeys((".hdr", ".pfm"), "a format of floating-point numbers"),
    **dict.fromkeys((".svg", ".tga", ".dds"), "this format"),
}

JPEG_QUALITY = 95

_ENCODE_OPTIONS: dict[str, list[int]] = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100 means lossless
}

_PILLOW_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": JPEG_QUALITY},
    ".jpeg": {"format": "JPEG", "quality": JPEG_QUALITY},
    ".webp": {"format": "WEBP", "lossless": True, "exact": True},
    ".tif": {"format": "TIFF", "compression": "tiff_lzw"},
    ".tiff": {"format": "TIFF", "compression": "tiff_lzw"},
}
# Pillow cannot write a TIFF's nested tags when libtiff compresses it.
_EXIF_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

NaturalKey = tuple[tuple[tuple[int, str], ...], str]


def is_image_name(path: Path) -> bool:
    """Tells whether `path` has the suffix of a picture format that is read here."""
    return path.suffix.lower() in READ_SUFFIXES


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
    """Reads a picture as `(H, W, 3)` uint8 RGB in sRGB, upright; see `read_still`, which tells more."""
    return read_still(path).image


def read_still(path: Path) -> Still:
    """Reads a picture file with its transparency; see `decoding.decoded_still`.

    Raises:
        SourceError: the file is missing, empty, cut off, too large, or no picture.
    """
    data = read_bytes(path)
    if is_cut_off(data):
        raise SourceError(f"{path}: the picture is cut off; copy or export it again")
    check_readable(path)
    return decoded_still(data, path)


def read_layers(path: Path) -> tuple[Picture, Picture | None]:
    """Reads back what `write_image` wrote as PNG: colors and alpha exactly as they were given.

    Raises:
        SourceError: the file is missing, or not what was written.
    """
    stored = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint8 or stored.ndim != 3:
        raise SourceError(f"{path}: damaged; run the same command again")
    alpha = np.ascontiguousarray(stored[..., 3], np.uint8) if stored.shape[2] == 4 else None
    return np.ascontiguousarray(stored[..., 2::-1], np.uint8), alpha


def check_readable(path: Path) -> None:
    """Refuses formats that are known but not read here, and says what to do.

    Raises:
        SourceError: it is one of them.
    """
    known = UNREAD_SUFFIXES.get(path.suffix.lower())
    if known is not None:
        raise SourceError(f"{path}: {known} is not read here; convert it to 16-bit PNG or TIFF first")


def read_bytes(path: Path) -> bytes:
    """Returns the content of a file that is there and not empty.

    Raises:
        SourceError: it is missing, a folder, empty, or not readable.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; check the path") from error
    except OSError as error:
        if path.is_dir():  # Windows calls that a lack of permission
            raise SourceError(f"{path}: is a folder, and one picture is needed; name a file in it") from error
        raise SourceError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
    except ValueError as error:
        raise SourceError(f"{path}: cannot be read ({error}); check the path") from error
    if not data:
        raise SourceError(f"{path}: the file is empty; copy or export it again")
    return data


def write_image(path: Path, image: Picture, alpha: Picture | None = None, exif: bytes = b"") -> None:
    """Writes `(H, W, 3)` uint8 RGB; the suffix chooses the format; whole or not at all.

    Args:
        alpha: `(H, W)` uint8, 255 is opaque. A format that cannot hold it shows the picture over white.
        exif: written where the format can hold it.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
        ValueError: `image` is not `(H, W, 3)` uint8.
    """
    check_picture(image)
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise OutputError(f"{path}: unknown picture format; use one of {', '.join(IMAGE_SUFFIXES)}")
    try:
        data = _encoded(suffix, image, alpha, exif)
    except (cv2.error, OSError, ValueError) as error:
        raise OutputError(f"{path}: the picture cannot be encoded as {suffix}; use .png") from error
    write_whole(path, data)


def _encoded(suffix: str, image: Picture, alpha: Picture | None, exif: bytes) -> bytes:
    if alpha is not None and suffix not in ALPHA_SUFFIXES:
        image, alpha = over_white(image, alpha), None
    # OpenCV does not mark the fourth layer of a TIFF as alpha, drops colors in a WebP, and writes no EXIF.
    holds_exif = bool(exif) and suffix in _EXIF_SUFFIXES
    if holds_exif or (alpha is not None and suffix != ".png"):
        options = _PILLOW_OPTIONS[suffix] | ({"exif": exif} if holds_exif else {})
        layers = image if alpha is None else np.dstack([image, alpha])
        buffer = BytesIO()
        Image.fromarray(np.ascontiguousarray(layers)).save(buffer, **options)
        return buffer.getvalue()
    stored = image[:, :, ::-1] if alpha is None else np.dstack([image[:, :, ::-1], alpha])
    done, data = cv2.imencode(suffix, np.ascontiguousarray(stored), _ENCODE_OPTIONS.get(suffix, []))
    if not done:
        raise ValueError(suffix)
    return data.tobytes()


def check_picture(image: Picture) -> None:
    """Raises ValueError unless `image` is `(H, W, 3)` uint8 with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"a picture must be (H, W, 3) uint8, not {image.shape} {image.dtype}")


def reduced_size(width: int, height: int, largest_side_px: int | None) -> tuple[int, int]:
    """Returns width and height with the long side brought down to `largest_side_px`; None leaves them as they are."""
    if largest_side_px is None or max(width, height) <= largest_side_px:
        return width, height
    ratio = largest_side_px / max(width, height)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def checked_picture(picture: Picture, what: str, name: str = "") -> Picture:
    """Returns an array's `(H, W, 3)` uint8 RGB, if it is one of 16 px or more.

    Args:
        what: it was to be, for messages. name: of the file that it was read from, for messages.

    Raises:
        SourceError: it is not.
    """
    name = name or what
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise SourceError(f"{name}: a {what} is an array (H, W, 3) of uint8 RGB")
    if min(picture.shape[:2]) < SMALLEST_SIDE_PX:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise SourceError(f"{name}: {size} is too small for a {what}; it needs {SMALLEST_SIDE_PX} px on each side")
    # Views such as `bgr[..., ::-1]` have strides that torch does not take.
    return np.ascontiguousarray(picture)


def read_picture(picture: Picture | str | Path, what: str) -> Picture:
    """Returns a picture file's or array's `(H, W, 3)` uint8 RGB, if it is one of 16 px or more.

    Args:
        what: what it is for, in messages.

    Raises:
        SourceError: it is not, or it is transparent all over.
    """
    if not isinstance(picture, (str, Path)):
        return checked_picture(picture, what)
    still = read_still(Path(picture))
    if still.alpha is not None and not still.alpha.any():
        raise SourceError(f"{picture}: transparent all over, so there is no {what} to be seen; give another picture")
    return checked_picture(still.image, what, str(picture))
