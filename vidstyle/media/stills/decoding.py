"""Picture files decoded: whatever they hold, as 8-bit sRGB, upright, with their transparency.

Pillow reads headers, profiles and pixels; OpenCV the pixels of 16-bit color, which Pillow cuts to 8.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFile, PngImagePlugin, TiffImagePlugin

from vidstyle.errors import SourceError, VidstyleError
from vidstyle.frames import Picture
from vidstyle.media.stills.alpha import filled
from vidstyle.media.stills.metadata import HEAD_BYTES, ORIENTATION_TAG, color_note, kept_exif, lab_to_srgb, to_srgb

# Beyond this many pixels a file is taken for damaged or hostile. So many take 0.75 GiB as RGB, and up to 6.5 GiB while
# they are decoded, most with 16 bits and transparency.
MAX_IMAGE_PIXELS = 1 << 28
# Numbers wider than the pixels are made for so many rows at a time.
_BAND_ROWS = 64
_LARGEST_PROFILE_BYTES = 1 << 24
# The last chunk, whose checksum Pillow does not look at.
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM", "AVIF")

_BITS_TAG, _PHOTOMETRIC_TAG, _PLANES_TAG, _SAMPLE_FORMAT_TAG, _EXTRA_SAMPLES_TAG = 258, 262, 284, 339, 338
_WHITE_IS_ZERO, _SEPARATE_PLANES, _FLOAT_SAMPLES, _MULTIPLIED_ALPHA = 0, 2, 3, 1


@dataclass(frozen=True, slots=True)
class Still:
    """A picture file's content.

    Attributes:
        image: `(H, W, 3)` uint8 RGB in sRGB, upright; what is transparent has the colors around it.
        alpha: `(H, W)` uint8, 255 is opaque, or None where the file holds none.
        notes: what the user should know, without the file's name.
        exif: what a stylized copy keeps; see `kept_exif`.
    """

    image: Picture
    alpha: Picture | None = None
    notes: tuple[str, ...] = ()
    exif: bytes = b""


@dataclass(frozen=True, slots=True)
class StillHeader:
    """What a picture file says before it is decoded: size as shown in pixels, kind of pixels, number of pictures."""

    width: int
    height: int
    kind: str
    pictures: int


def decoded_still(data: bytes, path: Path) -> Still:
    """Returns the first picture that a file's bytes hold.

    16 bits are rounded to 8, so that full white stays so. Color profiles are converted to sRGB; without one, CMYK
    is taken for the complement of RGB.

    Args:
        path: named in messages.

    Raises:
        SourceError: the data is damaged, cut off, of unclear brightness, too large, or no picture.
    """
    with decoding(path), open_still(BytesIO(data), path) as picture:
        return _still(picture, data, path)


def open_still(file: BinaryIO, path: Path) -> Image.Image:
    """Returns a picture file with its header read, of a size that may be decoded; to be closed.

    Raises:
        SourceError: it is too large, of unclear brightness, or no picture.
    """
    with _pillow_unlimited():
        try:
            picture = Image.open(file, formats=FORMATS)
        except Exception as error:  # plugins raise all kinds
            raise _unreadable(file, path) from error
    try:
        check_size(*picture.size, path)
    except SourceError:
        picture.close()
        raise
    return picture


def check_size(width: int, height: int, path: Path) -> None:
    """Makes sure that a picture is not too large to be decoded.

    Raises:
        SourceError: it is.
    """
    if width * height > MAX_IMAGE_PIXELS:
        raise SourceError(
            f"{path}: too large ({width}x{height} pixels; at most {MAX_IMAGE_PIXELS} in all); make it smaller first"
        )


def still_header(path: Path) -> StillHeader | None:
    """Returns what a picture file says of itself, or None where it cannot be read."""
    try:
        with path.open("rb") as file, _pillow_unlimited(), open_still(file, path) as picture:
            kind = f"{16 if _is_deep(picture) else 8}-bit {_colors(picture)}"
            width, height = picture.size
            # A TIFF's size is that of the upright picture already; a PNG would be decoded for what may come at its end.
            is_settled = picture.format == "TIFF" or (picture.format == "PNG" and "exif" not in picture.info)
            if not is_settled and orientation_of(picture) >= 5:
                width, height = height, width
            return StillHeader(width, height, kind, _pictures(picture))
    except Exception:  # the same file is read as a whole later, and reported then
        return None


def is_intact_png(data: bytes, size: tuple[int, int] | None = None) -> bool:
    """Tells whether every chunk of a PNG file is there with the checksum that it was written with.

    Args:
        size: width and height in pixels that it should have; None for any.
    """
    try:
        with _pillow_unlimited(), Image.open(BytesIO(data), formats=("PNG",)) as picture:
            picture.verify()
            return data.endswith(_PNG_END) and size in (None, picture.size)
    except Exception:  # plugins raise all kinds
        return False


def layers_of(data: bytes, path: Path) -> tuple[Image.Image, Picture | None]:
    """Returns a picture's 8-bit colors as stored, of mode L, RGB, CMYK or LAB, and its transparency.

    Raises:
        SourceError: see `decoded_still`.
    """
    with decoding(path), open_still(BytesIO(data), path) as picture:
        return _layers_of(picture, data, path)


def current_layers(picture: Image.Image, path: Path) -> tuple[Image.Image, Picture | None]:
    """Returns the same of the current picture of an opened animation."""
    with decoding(path):
        return _layers(picture, path)


def composed_still(
    layers: tuple[Image.Image, Picture | None], profile: bytes | None, orientation: int, path: Path
) -> Still:
    """Returns a frame of an animation, upright and in sRGB."""
    with decoding(path):
        return _turned(_finished(*layers, profile, 1), orientation)


@contextmanager
def _pillow_unlimited() -> Iterator[None]:
    """Turns off Pillow's warnings and its limits: of size, since `check_size` has one, and of text in a PNG.

    The latter holds for profiles too, and those of printers and scanners are larger.
    """
    before = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = None, _LARGEST_PROFILE_BYTES
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = before


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turns whatever Pillow raises into a SourceError that names the file."""
    try:
        with _pillow_unlimited():
            yield
    except VidstyleError:
        raise
    except MemoryError as error:
        raise SourceError(f"{path}: too large for this machine's memory; make it smaller first") from error
    except Exception as error:
        if "truncated" in str(error).lower():
            raise SourceError(f"{path}: the picture is cut off; copy or export it again") from error
        raise SourceError(f"{path}: the picture cannot be decoded ({error}); export it again") from error


def _unreadable(file: BinaryIO, path: Path) -> SourceError:
    """Returns the error for a file that Pillow does not open; pictures of floating-point numbers have their own."""
    with suppress(Exception):
        file.seek(0)
        directory = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(directory.next)
        directory.load(file)
        if _FLOAT_SAMPLES in directory[_SAMPLE_FORMAT_TAG]:
            return _of_unclear_brightness(path)
    return SourceError(
        f"{path}: not a picture that can be read; convert it to PNG or JPEG (known: {', '.join(map(str, FORMATS))})"
    )


def _of_unclear_brightness(path: Path) -> SourceError:
    return SourceError(
        f"{path}: holds 32-bit numbers, and how bright they are is for an editor to say; "
        "export it as 16-bit PNG or TIFF"
    )


def _still(picture: Image.Image, data: bytes, path: Path) -> Still:
    profile, pages = picture.info.get("icc_profile"), _pictures(picture)
    layers = _layers_of(picture, data, path)
    # A PNG's EXIF may come after its pixels; OpenCV and Pillow turn a TIFF themselves.
    orientation = 1 if picture.format == "TIFF" else orientation_of(picture)
    still = _turned(_finished(*layers, profile, pages), orientation)
    claim = None if profile else color_note(data[:HEAD_BYTES])
    return replace(still, notes=still.notes if claim is None else (*still.notes, claim), exif=kept_exif(picture))


def _layers_of(picture: Image.Image, data: bytes, path: Path) -> tuple[Image.Image, Picture | None]:
    layers = _deep_layers(picture, data) if _is_deep(picture) else None
    return _layers(picture, path) if layers is None else layers


def _turned(still: Still, orientation: int) -> Still:
    alpha = None if still.alpha is None else _upright(still.alpha, orientation)
    return replace(still, image=_upright(still.image, orientation), alpha=alpha)


def _finished(base: Image.Image, alpha: Picture | None, profile: bytes | None, pages: int) -> Still:
    notes = []
    converted = to_srgb(base, profile) if profile else None
    if profile and converted is None:
        notes.append("its color profile is damaged or for other colors, and was left out")
    if converted is None:
        converted = lab_to_srgb(base) if base.mode == "LAB" else base.convert("RGB")
    if pages > 1:
        notes.append(f"holds {pages} pictures; the first was taken")
    image = np.ascontiguousarray(np.asarray(converted), np.uint8)
    return Still(image if alpha is None else filled(image, alpha), alpha, tuple(notes))


def _layers(picture: Image.Image, path: Path) -> tuple[Image.Image, Picture | None]:
    """Returns 8-bit colors, of mode L, RGB, CMYK or LAB, and the transparency."""
    _mend_header(picture)
    picture.load()
    mode = picture.mode
    if mode == "F" or (mode == "I" and picture.format == "TIFF"):
        raise _of_unclear_brightness(path)
    if mode.startswith("I"):
        values = _stretched(np.asarray(picture).astype(np.uint16), picture)
        key = picture.info.get("transparency")
        alpha = None if key is None else np.where(values == key, 0, 255).astype(np.uint8)
        return Image.fromarray(_to_8_bits(values)), alpha
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        base = layers.getchannel("R") if mode in ("1", "L", "LA", "La") else layers.convert("RGB")
        return base, np.array(layers.getchannel("A"), np.uint8)
    if mode == "CMYK":
        # Adobe's programs store the complement, with a mark of their own; Pillow takes every file for Adobe's.
        is_stored_plain = picture.format in ("JPEG", "MPO") and "adobe" not in picture.info
        return ImageChops.invert(picture) if is_stored_plain else picture, None
    if mode in ("1", "L"):
        return picture.convert("L"), None
    return picture if mode == "LAB" else picture.convert("RGB"), None


def _mend_header(picture: Image.Image) -> None:
    """Corrects what Pillow misreads in a header, before the pixels are decoded."""
    if not isinstance(picture, ImageFile.ImageFile) or not picture.tile:
        return
    if isinstance(picture, TiffImagePlugin.TiffImageFile) and _has_deep_planes(picture):
        # It takes planes of 16 bits for planes of 8 where they are not compressed.
        order = ";16L" if picture.tag_v2.prefix == b"II" else ";16B"
        picture.tile = [tile if ";16" in str(tile.args) else _with_order(tile, order) for tile in picture.tile]
    key, raw_mode = picture.info.get("transparency"), str(picture.tile[0].args)
    if picture.format == "PNG" and isinstance(key, int) and raw_mode in ("L;2", "L;4"):
        # The level that means transparent is on the scale of the file; pixels are stretched to 255.
        picture.info["transparency"] = key * 255 // (2 ** int(raw_mode[-1]) - 1)


def _with_order(tile: Any, order: str) -> Any:
    raw_mode, *others = tile.args
    return tile._replace(args=(raw_mode + order, *others))


def _has_deep_planes(picture: Image.Image) -> bool:
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or len(picture.getbands()) < 2:
        return False
    return picture.tag_v2.get(_PLANES_TAG) == _SEPARATE_PLANES and picture.tag_v2.get(_BITS_TAG, (8,))[0] == 16


def _stretched(values: npt.NDArray[np.uint16], picture: Image.Image) -> npt.NDArray[np.uint16]:
    """Returns a TIFF's gray levels, which Pillow leaves as they are stored, from black at 0 to white at 65535."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return values
    bits = int(picture.tag_v2.get(_BITS_TAG, (16,))[0])
    if bits < 16:
        values = (values.astype(np.uint32) * 65535 // (2**bits - 1)).astype(np.uint16)
    return np.uint16(65535) - values if picture.tag_v2.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO else values


def _deep_layers(picture: Image.Image, data: bytes) -> tuple[Image.Image, Picture | None] | None:
    """Returns the colors and the transparency of a PNG or TIFF with 16-bit RGB; None where OpenCV cannot read it."""
    # OpenCV takes planes for pixels.
    if picture.format not in ("PNG", "TIFF") or picture.mode not in ("RGB", "RGBA") or _has_deep_planes(picture):
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        return None
    colors, alpha = pixels[..., 2::-1], pixels[..., 3] if pixels.shape[2] == 4 else None
    extra = picture.tag_v2.get(_EXTRA_SAMPLES_TAG) if isinstance(picture, TiffImagePlugin.TiffImageFile) else None
    if alpha is not None and extra == (_MULTIPLIED_ALPHA,):
        for top in range(0, len(alpha), _BAND_ROWS):
            band = colors[top : top + _BAND_ROWS]
            shares = np.maximum(alpha[top : top + _BAND_ROWS], 1).astype(np.float64)[..., None] / 65535
            band[:] = np.minimum(np.rint(band / shares), 65535)
    return Image.fromarray(_to_8_bits(colors)), None if alpha is None else _to_8_bits(alpha)


def _to_8_bits(values: np.ndarray) -> Picture:
    """Returns uint16 values rounded to the nearest of 0 to 255; their high byte alone would be darker."""
    rounded = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BAND_ROWS):
        rounded[top : top + _BAND_ROWS] = (values[top : top + _BAND_ROWS].astype(np.uint32) + 128) // 257
    return rounded


def _is_deep(picture: Image.Image) -> bool:
    return (
        picture.mode.startswith("I")
        or _has_deep_planes(picture)
        or any(";16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
    )


def _colors(picture: Image.Image) -> str:
    if picture.mode in ("1", "L", "LA", "La") or picture.mode.startswith("I"):
        return "gray"
    return "CMYK" if picture.mode == "CMYK" else "color"


def _pictures(picture: Image.Image) -> int:
    """Returns how many pictures a file holds; the second view that telephones append does not count."""
    return 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))


def orientation_of(picture: Image.Image) -> int:
    """Returns the orientation by EXIF, 1 to 8; 1 is upright."""
    with suppress(Exception):
        value = picture.getexif().get(ORIENTATION_TAG)
        if isinstance(value, int) and 1 <= value <= 8:
            return value
    return 1


def _upright(layer: Picture, orientation: int) -> Picture:
    """Returns `(H, W)` or `(H, W, 3)` turned and mirrored as EXIF's numbers from 1 to 8 say."""
    if orientation >= 5:
        layer = layer.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        layer = layer[::-1]
    if orientation in (2, 3, 6, 7):
        layer = layer[:, ::-1]
    return np.ascontiguousarray(layer)
