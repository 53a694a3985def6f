"""What a stylized still keeps of a photograph's EXIF: when, where, with what and by whom it was taken.

Written anew from a list of tags. The rest describes the photograph's file: thumbnails, the notes of the camera's
maker, color spaces, and the orientation.
"""

from __future__ import annotations

from contextlib import suppress

from PIL import Image

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
