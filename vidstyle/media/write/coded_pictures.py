"""From `(H, W, 3)` uint8 RGB to the pixel formats that are encoded: BT.709, each number rounded once.

YUV is of limited range, RGB of full range. FFmpeg's own conversion rounds twice, and puts 4:2:0 chroma between
the columns, where no decoder looks for it.
"""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.format import VideoFormat
from av.video.plane import VideoPlane
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from vidstyle.frames import FloatPicture, Picture

# H.273 matrix codes.
RGB_MATRIX, BT709_MATRIX = 0, 1
# ITU-R BT.709-6, table 3: weights of red and blue in luma.
_RED, _BLUE = 0.2126, 0.0722
_Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def coded_picture(image: Picture, pixel_format: str) -> av.VideoFrame:
    """Returns `(H, W, 3)` uint8 RGB in a pixel format of FFmpeg, tagged with matrix, range, primaries and transfer.

    4:2:0 chroma lies on the left column of each 2x2 block (H.264's default, AV1's "vertical"), 4:2:2 chroma on the
    left pixel of each pair.

    Args:
        pixel_format: planar YUV of any depth and 4:2:0, 4:2:2 or 4:4:4; `gbrp` of any depth; `bgr0` or `bgra`. Sides
            are even where chroma is subsampled.
    """
    height, width = image.shape[:2]
    av_frame = av.VideoFrame(width, height, pixel_format)
    form = VideoFormat(pixel_format, width, height)
    if pixel_format in ("bgr0", "bgra"):
        planes = [_packed(image)]
    elif form.is_rgb:
        planes = _green_blue_red(image, form.components[0].bits)
    else:
        planes = _luma_and_chroma(image, form)
    for plane, values in zip(av_frame.planes, planes, strict=True):
        _fill(plane, values)
    av_frame.colorspace, av_frame.color_range = tags_of(pixel_format)
    av_frame.color_trc, av_frame.color_primaries = ColorTrc.BT709, ColorPrimaries.BT709
    return av_frame


def tags_of(pixel_format: str) -> tuple[int, ColorRange]:
    """Returns the H.273 matrix code and the range of what `coded_picture` makes."""
    if VideoFormat(pixel_format, 16, 16).is_rgb:
        return RGB_MATRIX, ColorRange.JPEG
    return BT709_MATRIX, ColorRange.MPEG


def _packed(image: Picture) -> _Plane:
    pixels = np.full((*image.shape[:2], 4), 255, np.uint8)
    pixels[:, :, :3] = image[:, :, ::-1]
    return pixels.reshape(image.shape[0], -1)


def _green_blue_red(image: Picture, bits: int) -> list[_Plane]:
    planes = [image[:, :, channel] for channel in (1, 2, 0)]
    if bits == 8:
        return [np.ascontiguousarray(plane) for plane in planes]
    return [_rounded(plane.astype(np.float64) * ((1 << bits) - 1) / 255, bits) for plane in planes]


def _luma_and_chroma(image: Picture, form: VideoFormat) -> list[_Plane]:
    bits, width, height = form.components[0].bits, form.width, form.height
    step = float(1 << (bits - 8))
    luma = np.array([_RED, 1 - _RED - _BLUE, _BLUE])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - _BLUE))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - _RED))
    # BT.709-6, table 3: 16 to 235 for luma, 16 to 240 around 128 for chroma, times 2 for every bit above 8.
    matrix = np.column_stack([np.stack([luma * 219, blue * 224, red * 224]) / 255, [16, 128, 128]]) * step
    exact: FloatPicture = np.asarray(cv2.transform(image.astype(np.float32), matrix), np.float32)
    chroma: list[FloatPicture] = [exact[:, :, channel] for channel in (1, 2)]
    if form.chroma_width() < width:
        chroma = [_every_other_column(plane) for plane in chroma]
    if form.chroma_height() < height:
        chroma = [(plane[0::2] + plane[1::2]) * np.float32(0.5) for plane in chroma]
    return [_rounded(plane, bits) for plane in (exact[:, :, 0], *chroma)]


def _every_other_column(plane: FloatPicture) -> FloatPicture:
    """Returns the even columns, each with a quarter of its neighbors on either side."""
    wide = np.pad(plane, ((0, 0), (1, 1)), mode="edge")
    return np.asarray((wide[:, :-2:2] + 2 * wide[:, 1:-1:2] + wide[:, 2::2]) / 4, np.float32)


def _rounded(plane: npt.NDArray[np.floating[Any]], bits: int) -> _Plane:
    whole = np.rint(plane)
    coded: _Plane = whole.astype(np.uint8) if bits == 8 else whole.astype("<u2")
    return coded


def _fill(plane: VideoPlane, values: _Plane) -> None:
    """Writes rows into a plane, whose rows may be longer than the picture is wide."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    data = np.ascontiguousarray(values).view(np.uint8).reshape(values.shape[0], -1)
    rows[: len(data), : data.shape[1]] = data
