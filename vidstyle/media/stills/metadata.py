"""What picture files say besides their pixels: ICC profiles, other marks of a color space, and EXIF.

Profiles are converted to sRGB; other marks, cICP and gAMA of PNG and nclx of AVIF, become notes. Their code points are
those of ITU-T H.273.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from vidstyle.media.stills.headers import PNG_MAGIC

# Pillow's mode for pixels in the color space of a profile.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Returns an RGB picture in sRGB, or None where the profile is damaged or for other pictures than this one.

    Colors are matched relative to white with black point compensation, as picture editors do by default. What
    sRGB does not hold is clipped.

    Args:
        picture: of mode L, RGB, CMYK or LAB. profile: as stored in the file.
    """
    try:
        space = _color_space(profile)
        mode = _MODES.get(space, "")
        # A gray picture with the profile of an RGB camera is common.
        fitting = picture.convert("RGB") if (picture.mode, mode) == ("L", "RGB") else picture
        if fitting.mode != mode:
            return None
        if mode != "L":
            return _transform(profile, mode).apply(fitting)
        levels = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        table = np.asarray(_transform(profile, mode).apply(levels))[0]
        return Image.fromarray(table[np.asarray(fitting)])
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def lab_to_srgb(picture: Image.Image) -> Image.Image:
    """Returns an RGB picture in sRGB of one of mode LAB, whose white is D50.

    Raises:
        ImageCms.PyCMSError: it cannot be converted.
    """
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(*profiles, "LAB", "RGB").apply(picture)


def _color_space(profile: bytes) -> str:
    return str(ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space).strip()


# Frames of a folder share a profile, and a table for CMYK takes a while to make.
@lru_cache(maxsize=4)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode == "L":  # Little CMS interpolates between so few levels that dark ones are 10 of 255 off
        flags |= ImageCms.Flags.NOOPTIMIZE
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags,
    )


# -- other marks than profiles --------------------------------------------------------------------

# How much of a file is looked through.
HEAD_BYTES = 1 << 16
# BT.709 and those that cannot be told from it by eye; 2 is "unspecified".
_NEAR_PRIMARIES, _NEAR_TRANSFERS = frozenset({0, 1, 2, 5, 6, 7}), frozenset({0, 1, 2, 6, 13, 14, 15})
_TRANSFERS = {4: "gamma 2.2", 5: "gamma 2.8", 8: "linear", 16: "PQ", 18: "HLG"}
_HDR = ("PQ", "HLG")
_PRIMARIES = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
# sRGB's exponent as PNG writes it, in hundred-thousandths, and a difference that cannot be seen.
_SRGB_GAMMA, _NEAR_GAMMA = 45455, 1500


def color_note(head: bytes) -> str | None:
    """Returns what to tell the user of a picture without a profile that is not sRGB, or None.

    Args:
        head: the file's beginning, `HEAD_BYTES` of it.
    """
    if head.startswith(PNG_MAGIC):
        return _png_note(head)
    at = head.find(b"colrnclx")
    if head[4:8] != b"ftyp" or not 0 <= at <= len(head) - 12:
        return None
    primaries, transfer = struct.unpack(">HH", head[at + 8 : at + 12])
    return _note(primaries, transfer)


def _png_note(head: bytes) -> str | None:
    chunks, at = {}, len(PNG_MAGIC)
    while at + 8 <= len(head) and head[at + 4 : at + 8] != b"IDAT":
        length = int.from_bytes(head[at : at + 4], "big")
        chunks[head[at + 4 : at + 8]] = head[at + 8 : at + 8 + length]
        at += 12 + length
    if len(chunks.get(b"cICP", b"")) == 4:
        return _note(*chunks[b"cICP"][:2])
    gamma = int.from_bytes(chunks.get(b"gAMA", b""), "big")
    if not gamma or b"sRGB" in chunks or abs(gamma - _SRGB_GAMMA) <= _NEAR_GAMMA:
        return None
    return f"its brightness is coded with an exponent of {gamma / 100_000:g}; taken for sRGB as it is"


def _note(primaries: int, transfer: int) -> str | None:
    words = [] if primaries in _NEAR_PRIMARIES else [_PRIMARIES.get(primaries, f"primaries {primaries}")]
    if transfer not in _NEAR_TRANSFERS:
        words.append(_TRANSFERS.get(transfer, f"transfer {transfer}"))
    if not words:
        return None
    kind = "high dynamic range" if words[-1] in _HDR else "wide or unusual colors"
    return f"{kind} ({', '.join(words)}), taken for sRGB as it is; export it as sRGB for its true colors"


# -- EXIF -----------------------------------------------------------------------------------------
#
# A stylized still keeps when, where, with what and by whom the photograph was taken, written anew from a list of tags.
# The rest describes the photograph's file: thumbnails, the notes of the camera's maker, color spaces, the orientation.

ORIENTATION_TAG, UPRIGHT = 0x0112, 1
_PHOTO_TAG, _PLACE_TAG = 0x8769, 0x8825
# Description, maker, model, date, artist, copyright.
_KEPT = (0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x8298)
# Exposure, aperture, sensitivity; dates with time zones and fractions of a second; focal length; lens.
_KEPT_OF_PHOTO = (
    *(0x829A, 0x829D, 0x8827),
    *(0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292),
    *(0x920A, 0xA405, 0xA433, 0xA434),
)
# A JPEG file takes 64 KiB.
_MOST_BYTES = 60_000


def kept_exif(picture: Image.Image) -> bytes:
    """Returns EXIF for a stylized copy of a decoded picture, empty where there is nothing to keep or it is damaged."""
    with suppress(Exception):  # damaged EXIF does not make the picture unreadable
        return _rewritten(picture.getexif(), with_location=True)
    return b""


def without_location(exif: bytes) -> bytes:
    """Returns what `kept_exif` returned, less where the photograph was taken."""
    if not exif:
        return b""
    tags = Image.Exif()
    tags.load(exif)
    return _rewritten(tags, with_location=False)


def _rewritten(old: Image.Exif, *, with_location: bool) -> bytes:
    new = Image.Exif()
    new.update({tag: old[tag] for tag in _KEPT if tag in old})
    photo, place = old.get_ifd(_PHOTO_TAG), old.get_ifd(_PLACE_TAG) if with_location else {}
    new.get_ifd(_PHOTO_TAG).update({tag: photo[tag] for tag in _KEPT_OF_PHOTO if tag in photo})
    new.get_ifd(_PLACE_TAG).update(place)
    if not (new or new.get_ifd(_PHOTO_TAG) or place):
        return b""
    new[ORIENTATION_TAG] = UPRIGHT
    data = new.tobytes()
    return data if len(data) <= _MOST_BYTES else b""
