"""How much room a render takes, by rule of thumb: files of paint are as large as paint is rough."""

from __future__ import annotations

import shutil
from pathlib import Path

from vidstyle.media.write.codecs import CODECS, Encoding
from vidstyle.shots import SEGMENT_FRAMES

# Of painted frames, at the quality that each codec has unless asked otherwise: the largest of three measured runs of 24
# frames at 640 px (h264: 0.28 to 0.45 bits).
PNG_BYTES_PER_PX = 2.2
_BITS_PER_PX = {
    "h264": 0.45,
    "hevc": 0.48,
    "av1": 0.37,
    "vp9": 0.43,
    "prores": 6.2,
    "ffv1": 13.2,
    "gif": 7.0,
    "webp": 2.9,
}
# Steps of quality that halve a file, measured likewise.
_HALVING = {"h264": 6, "hevc": 6, "av1": 16, "vp9": 12, "webp": 28}
# README, "Long renders": job folder and output together stay under so many finished videos and a segment of frames.
_VIDEOS, _VIDEOS_ELSEWHERE = 2.5, 3.5


def video_bytes(encoding: Encoding, px: int, frames: int) -> float:
    """Returns the size of a painted video's pictures.

    Args:
        px: pixels of a frame. frames: how many.
    """
    codec = CODECS[encoding.codec]
    bits = _BITS_PER_PX[encoding.codec]
    if encoding.crf is not None and codec.crf is not None and encoding.codec in _HALVING:
        bits *= 2 ** ((codec.crf - encoding.crf) / _HALVING[encoding.codec])
    return bits / 8 * px * frames


def render_bytes(
    encoding: Encoding | None, px: int, frames: int, *, is_png: bool, is_elsewhere: bool, is_recolored: bool = False
) -> int:
    """Returns the most that a job folder and its output take together.

    Args:
        encoding: of a video, or None. px: pixels of a frame. frames: how many.
        is_png: whether pictures are written as PNG. is_elsewhere: whether the job folder is on another disk.
        is_recolored: whether the job keeps frames in two colors.
    """
    png_bytes = PNG_BYTES_PER_PX * px
    if encoding is None:
        return round(png_bytes * frames * ((1 if is_png else 2) + is_recolored))
    videos = _VIDEOS_ELSEWHERE if is_elsewhere else _VIDEOS
    return round(
        videos * video_bytes(encoding, px, frames) + (1 + is_recolored) * png_bytes * min(frames, SEGMENT_FRAMES)
    )


def free_bytes(folder: Path) -> int:
    """Returns the room left on the disk of a folder, or of the nearest one above it that is there."""
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
