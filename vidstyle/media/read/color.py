"""Between FFmpeg's pictures and `(H, W, 3)` uint8 RGB."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange

from vidstyle.frames import Picture
from vidstyle.media.read.tone_mapping import Light, to_sdr

# libswscale's flags SWS_BICUBIC, SWS_FULL_CHR_H_INT, SWS_FULL_CHR_H_INP and SWS_ACCURATE_RND; PyAV has names
# for the last three only since version 18. Full chroma and exact rounding: the default conversion is off
# by one or two levels.
ACCURATE = 0x4 | 0x2000 | 0x4000 | 0x40000

# H.273 matrix codes as they stand in frames -> libswscale's SWS_CS codes of the same coefficients.
ITU709, ITU601, ITU2020 = 1, 5, 9
_MATRICES = {1: ITU709, 4: 4, 5: ITU601, 6: ITU601, 7: 7, 9: ITU2020, 10: ITU2020}
_MATRIX_OF_PRIMARIES = {1: ITU709, 5: ITU601, 6: ITU601, 9: ITU2020}
_RGB_MATRIX, _UNTAGGED = 0, 2
# Where no tag says what it is, pictures larger than PAL's are high definition; this is mpv's rule, too.
_HD_WIDTH_PX, _PAL_HEIGHT_PX = 1280, 576
# The code that libswscale gives to white of limited range with 16 bits: it puts zeros below the upper eight.
_SWSCALE_WHITE = 0xFF00
_LIMITED_TO_FULL = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
BLACK, WHITE = 0, 255


def to_rgb(
    av_frame: av.VideoFrame, width: int, height: int, light: Light | None = None, background: int = BLACK
) -> Picture:
    """Returns `(height, width, 3)` uint8 RGB as stored (not rotated).

    Untagged pictures are taken as players take them: limited range, full for gray and RGB; BT.709 where larger
    than PAL, else BT.601. Chroma is taken to lie where the file says, by default on the left.

    Args:
        light: what to bring to BT.709's light; None leaves the numbers as they are.
        background: level of gray that shows through where the picture is transparent.

    Raises:
        av.FFmpegError, ValueError, MemoryError: libswscale does not know the pixel format, or memory is short.
    """
    name = av_frame.format.name
    if name == "rgb24" and light is None and (av_frame.width, av_frame.height) == (width, height):
        return np.asarray(av_frame.to_ndarray(), dtype=np.uint8)
    full = _is_full_range(av_frame)

    def reformatted(pixel_format: str) -> np.ndarray:
        return av_frame.reformat(
            width=width,
            height=height,
            format=pixel_format,
            src_colorspace=_matrix(av_frame),
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=ACCURATE,
        ).to_ndarray()

    if light is not None:
        white = 0xFFFF if full else _SWSCALE_WHITE
        return to_sdr(np.asarray(reformatted("rgb48le"), dtype=np.uint16), light, white)
    if has_alpha(av_frame):
        return _over(np.asarray(reformatted("rgba"), dtype=np.uint8), background)
    rgb = np.asarray(reformatted("rgb24"), dtype=np.uint8)
    if name.startswith("gray") and av_frame.color_range == ColorRange.MPEG:
        # libswscale takes gray for full range whatever it is told.
        return np.asarray(_LIMITED_TO_FULL[rgb])
    return rgb


def has_alpha(av_frame: av.VideoFrame) -> bool:
    """Tells whether a picture's pixel format has room for transparency."""
    return av_frame.format.name == "pal8" or any(component.is_alpha for component in av_frame.format.components)


def shows_through(av_frame: av.VideoFrame) -> bool:
    """Tells whether something of a picture with alpha in its fourth byte, as a GIF's, is not opaque."""
    if av_frame.format.name not in ("bgra", "rgba"):
        return False
    plane = av_frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return bool(rows[:, 3 : 4 * plane.width : 4].min() < 255)


def unknown_matrix(av_frame: av.VideoFrame) -> int | None:
    """Returns the H.273 code of a color matrix that is tagged but not known here, or None."""
    code = int(av_frame.colorspace)
    known = code in _MATRICES or code in (_RGB_MATRIX, _UNTAGGED) or av_frame.format.is_rgb
    return None if known or av_frame.format.name.startswith("gray") else code


def _matrix(av_frame: av.VideoFrame) -> int:
    """Returns libswscale's code of the matrix to use."""
    tagged = _MATRICES.get(int(av_frame.colorspace)) or _MATRIX_OF_PRIMARIES.get(int(av_frame.color_primaries))
    is_hd = av_frame.width >= _HD_WIDTH_PX or av_frame.height > _PAL_HEIGHT_PX
    return tagged or (ITU709 if is_hd else ITU601)


def _is_full_range(av_frame: av.VideoFrame) -> bool:
    # Formats that have the full range by definition, whatever the tag says.
    by_format = av_frame.format.name.startswith(("yuvj", "gray", "ya", "pal", "mono")) or av_frame.format.is_rgb
    return bool(av_frame.color_range == ColorRange.JPEG or by_format)


def _over(rgba: Picture, background: int) -> Picture:
    """Lays `(H, W, 4)` uint8, not premultiplied, over a level of gray."""
    alpha = rgba[:, :, 3:]
    rgb = np.ascontiguousarray(rgba[:, :, :3])
    if alpha.min() == 255:
        return rgb
    weight = alpha.astype(np.uint16)
    return np.asarray((rgb * weight + background * (255 - weight) + 127) // 255, dtype=np.uint8)
