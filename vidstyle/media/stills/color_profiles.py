"""ICC profiles: pictures in whatever colors they were saved, converted to sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

# The modes in which Pillow hands over pixels, by the color space that a profile says it is for.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Returns an RGB picture in sRGB, or None where the profile is damaged or for other pictures than this one.

    Colors are matched relative to white with black point compensation, as picture editors do by default. What
    sRGB does not hold is clipped.

    Args:
        picture: of mode L, RGB, CMYK or LAB. profile: as it stands in the file.
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
