"""Between FFmpeg's pictures and `(H, W, 3)` uint8 RGB."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange

from vidstyle.frames import Picture

# libswscale's flags SWS_BICUBIC, SWS_FULL_CHR_H_INT, SWS_FULL_CHR_H_INP and SWS_ACCURATE_RND; PyAV has names
# for the last three only since version 18. Full chroma and exact rounding: the default conversion is off
# by one or two levels.
ACCURATE = 0x4 | 0x2000 | 0x4000 | 0x40000

# H.273 matrix codes as they stand in frames -> libswscale's SWS_CS codes of the same coefficients.
ITU709, ITU601 = 1, 5
_MATRICES = {1: ITU709, 4: 4, 5: ITU601, 6: ITU601, 7: 7, 9: 9, 10: 9}
HD_HEIGHT_PX = 720
# PQ and HLG, H.273 transfer codes.
HDR_TRANSFERS = frozenset({16, 18})


def to_rgb(av_frame: av.VideoFrame, width: int, height: int) -> Picture:
    """Returns `(height, width, 3)` uint8 RGB as stored (not rotated).

    Untagged pictures are taken as players take them: limited range, BT.709 from 720 lines on, else BT.601.
    """
    matrix = _MATRICES.get(int(av_frame.colorspace))
    if matrix is None:
        matrix = ITU709 if av_frame.height >= HD_HEIGHT_PX else ITU601
    name = av_frame.format.name
    # Formats that have the full range by definition, whatever the tag says.
    full = av_frame.color_range == ColorRange.JPEG or name.startswith(("yuvj", "gray", "pal")) or av_frame.format.is_rgb
    if name == "rgb24" and (av_frame.width, av_frame.height) == (width, height):
        return np.asarray(av_frame.to_ndarray(), dtype=np.uint8)
    rgb = av_frame.reformat(
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=matrix,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=ACCURATE,
    )
    return np.asarray(rgb.to_ndarray(), dtype=np.uint8)
