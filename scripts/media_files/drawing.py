"""Drawn frames, whose every level is known, and their way into a file's colors and back; no code of the package."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.format import VideoFormat

# (H, W, 3) RGB on a scale of 0 to 255, not rounded.
Levels = npt.NDArray[np.float32]

# H.273's codes.
BT709, BT470BG, BT601, BT2020 = 1, 5, 6, 9
PQ, HLG = 16, 18
UNSPECIFIED = 2
_BLUE_LEVELS, _BLUE_STEP = 40, 5
# Kr and Kb by matrix code; untagged small pictures are BT.601, as players take them.
_LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
_HD_HEIGHT_PX = 720
# SDR white in an HDR picture (ITU-R BT.2408), in cd/m2, and the display that HLG is made for (BT.2100).
_WHITE_NITS, _HLG_PEAK_NITS, _HLG_GAMMA = 203.0, 1000.0, 1.2
_DISPLAY_GAMMA = 2.4
# From linear BT.709 light to that of other primaries (ITU-R BT.2087). BT.601's are shown as BT.709's, as players do.
_FROM_709 = {
    BT2020: np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]),
}


@dataclass(frozen=True)
class Color:
    """How pictures are stored: H.273 codes, and whether levels go from 0 to 255 or leave room at both ends."""

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    full: bool = False


def scene(index: int, width: int, height: int) -> Levels:
    """Returns a gentle gradient in every channel; the blue one's level tells the frame, up to 40 of them.

    Levels change by two from pixel to pixel at most, so that little is lost where color has half the size.
    """
    levels = np.empty((height, width, 3), np.float32)
    levels[..., 0] = np.linspace(60, 60 + min(130, 2 * width), width)
    levels[..., 1] = np.linspace(60, 60 + min(130, 2 * height), height)[:, None]
    levels[..., 2] = 25 + _BLUE_STEP * (index * 17 % _BLUE_LEVELS)
    return levels


def still_scene(index: int, width: int, height: int) -> Levels:
    """Returns `scene` with a step of five levels only between frames, for encoders that look back and ahead."""
    levels = scene(0, width, height)
    levels[..., 2] = 25 + _BLUE_STEP * (index % _BLUE_LEVELS)
    return levels


def gray_scene(index: int, width: int, height: int) -> Levels:
    """Returns a gradient without color, lighter from frame to frame."""
    levels = np.linspace(30, 130, width)[None, :, None] + _BLUE_STEP * (index % 20)
    return np.broadcast_to(levels, (height, width, 3)).astype(np.float32)


def moving_scene(index: float, width: int, height: int) -> Levels:
    """Returns a gray gradient with a soft bright bar that moves three pixels a frame."""
    levels = np.repeat(scene(0, width, height)[..., 1:2], 3, axis=2)
    x = np.arange(width)
    away = (x - 8 - 3 * index + width / 2) % width - width / 2
    return levels + (60 * np.exp(-((away / 4) ** 2)))[None, :, None].astype(np.float32)


def woven(index: int, width: int, height: int, *, top_first: bool) -> Levels:
    """Returns an interlaced frame of `moving_scene`: its second field is half a frame later than its first."""
    first, second = (moving_scene(index + half, width, height) for half in (0, 0.5))
    top, bottom = (first, second) if top_first else (second, first)
    frame = top.copy()
    frame[1::2] = bottom[1::2]
    return frame


def combing(levels: Levels) -> float:
    """Returns how far lines are from the mean of their neighbors, on average: high where fields are woven."""
    luma = levels.mean(axis=2)
    return float(np.abs(luma[1:-1] - (luma[:-2] + luma[2:]) / 2).mean())


# -- into a file -----------------------------------------------------------------------------------


def to_av(levels: Levels, format_name: str, color: Color) -> av.VideoFrame:
    """Returns a picture in the format asked for, by the definition of its colors and rounded once."""
    height, width = levels.shape[:2]
    kind = VideoFormat(format_name, width, height)
    signal = encoded_light(levels, color)
    if kind.is_rgb or format_name == "pal8":
        frame = av.VideoFrame.from_ndarray(np.rint(levels).astype(np.uint8), "rgb24").reformat(format=format_name)
    else:
        frame = av.VideoFrame(width, height, format_name)
        full = color.full or format_name.startswith("yuvj")
        bits = kind.components[0].bits
        stored = np.dtype("<u2" if bits > 8 else "u1")
        planes = _subsampled(_yuv(signal, _matrix_of(color.matrix, height)), kind)
        for place, values in enumerate(planes[: len(kind.components)]):
            _fill(frame.planes[place], _quantized(values, place > 0, full, bits), stored)
        if len(kind.components) == 4:  # opaque
            _fill(frame.planes[3], np.full((height, width), (1 << bits) - 1), stored)
    frame.colorspace, frame.color_range = color.matrix, 2 if color.full else 1
    frame.color_primaries, frame.color_trc = color.primaries, color.transfer
    return frame


def encoded_light(levels: Levels, color: Color) -> Levels:
    """Returns the picture's RGB in primaries and transfer of the file, on a scale of 0 to 1."""
    signal = levels / 255
    if color.transfer in (PQ, HLG):
        nits = _in_primaries(signal**_DISPLAY_GAMMA, color.primaries) * _WHITE_NITS
        return _pq(nits) if color.transfer == PQ else _hlg(nits)
    if color.primaries in _FROM_709:
        return _in_primaries(signal**_DISPLAY_GAMMA, color.primaries) ** (1 / _DISPLAY_GAMMA)
    return signal


def _in_primaries(light: Levels, primaries: int) -> Levels:
    return np.maximum(light @ _FROM_709[primaries].T, 0).astype(np.float32) if primaries in _FROM_709 else light


def _pq(nits: Levels) -> Levels:
    """SMPTE ST 2084."""
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def _hlg(nits: Levels) -> Levels:
    """ARIB STD-B67, after BT.2100's display light is made the scene's again."""
    shown = nits / _HLG_PEAK_NITS
    luminance = np.maximum(shown @ np.array([0.2627, 0.6780, 0.0593], np.float32), 1e-6)[..., None]
    light = shown * luminance ** (1 / _HLG_GAMMA - 1)
    above = 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073
    return np.where(light <= 1 / 12, np.sqrt(3 * light), above)


def _matrix_of(code: int, height: int) -> int:
    return code if code in _LUMA else BT709 if height >= _HD_HEIGHT_PX else BT601


def _yuv(signal: Levels, matrix: int) -> Levels:
    """Returns `(3, H, W)`: luma from 0 to 1, color differences from -0.5 to 0.5."""
    red, blue = _LUMA[matrix]
    luma = signal @ np.array([red, 1 - red - blue, blue], np.float32)
    return np.stack([luma, (signal[..., 2] - luma) / (2 - 2 * blue), (signal[..., 0] - luma) / (2 - 2 * red)])


def _subsampled(planes: Levels, kind: VideoFormat) -> list[Levels]:
    """Makes color planes smaller; their samples lie on the left column of each pair, between two lines."""
    chroma = planes[1:]
    if len(kind.components) > 1 and kind.chroma_width() < kind.width:
        padded = np.pad(chroma, ((0, 0), (0, 0), (1, 2)), mode="edge")
        chroma = (padded[..., :-3] + 2 * padded[..., 1:-2] + padded[..., 2:-1])[..., ::2] / 4
    if len(kind.components) > 1 and kind.chroma_height() < kind.height:
        padded = np.pad(chroma, ((0, 0), (0, 1), (0, 0)), mode="edge")
        chroma = ((padded[:, :-1] + padded[:, 1:]) / 2)[:, ::2]
    return [planes[0], *chroma]


def _quantized(values: Levels, is_chroma: bool, full: bool, bits: int) -> npt.NDArray[np.int64]:
    most = (1 << bits) - 1
    unit = 1 << (bits - 8)
    if is_chroma:
        scaled = values * (most if full else 224 * unit) + 128 * unit
    else:
        scaled = values * most if full else values * 219 * unit + 16 * unit
    return np.clip(np.rint(scaled), 0, most).astype(np.int64)


def _fill(plane: av.video.plane.VideoPlane, values: npt.NDArray[np.int64], kind: np.dtype[Any]) -> None:
    height, width = values.shape
    rows = np.zeros((height, plane.line_size // kind.itemsize), kind)
    rows[:, :width] = values
    plane.update(rows.tobytes())


# -- and back --------------------------------------------------------------------------------------


def from_av(frame: av.VideoFrame) -> Levels:
    """Returns a decoded picture as BT.709 RGB, by the definition of the colors that it is tagged with; not rotated.

    BT.2020 SDR comes back to BT.709's primaries, as seen on a display of gamma 2.4; PQ and HLG stay signals.
    """
    color = Color(int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc), int(frame.color_range) == 2)
    kind = frame.format
    if kind.is_rgb or kind.has_palette or kind.name.startswith("pal"):
        signal = frame.to_ndarray(format="rgb24").astype(np.float32) / 255
    else:
        # Gray of which nothing is said has the full range.
        is_silent = int(frame.color_range) == 0 and kind.name.startswith("gray")
        full = color.full or is_silent or kind.name.startswith("yuvj")
        signal = _signal(frame, _matrix_of(color.matrix, frame.height), full)
    if color.primaries in _FROM_709 and color.transfer not in (PQ, HLG):
        back = np.linalg.inv(_FROM_709[color.primaries])
        signal = np.maximum((np.maximum(signal, 0) ** _DISPLAY_GAMMA) @ back.T, 0) ** (1 / _DISPLAY_GAMMA)
    return np.clip(signal * 255, 0, 255).astype(np.float32)


def _signal(frame: av.VideoFrame, matrix: int, full: bool) -> Levels:
    bits = frame.format.components[0].bits
    unit, most = 1 << (bits - 8), (1 << bits) - 1
    wide = np.dtype(">u2" if frame.format.is_big_endian else "<u2") if bits > 8 else np.dtype(np.uint8)
    planes = []
    for place, plane in enumerate(frame.planes[:3]):
        rows = np.frombuffer(plane, wide).reshape(-1, plane.line_size // wide.itemsize)
        values = rows[: plane.height, : plane.width].astype(np.float32)
        if place:
            planes.append((values - 128 * unit) / (most if full else 224 * unit))
        else:
            planes.append(values / most if full else (values - 16 * unit) / (219 * unit))
    luma = planes[0]
    if len(planes) == 1:
        return np.repeat(luma[..., None], 3, axis=2)
    blue_less, red_less = (_enlarged(plane, luma.shape) for plane in planes[1:])
    red_share, blue_share = _LUMA[matrix]
    red, blue = luma + (2 - 2 * red_share) * red_less, luma + (2 - 2 * blue_share) * blue_less
    green = (luma - red_share * red - blue_share * blue) / (1 - red_share - blue_share)
    return np.stack([red, green, blue], axis=-1)


def _enlarged(plane: Levels, shape: tuple[int, ...]) -> Levels:
    height, width = shape
    if plane.shape == shape:
        return plane
    x = np.arange(width, dtype=np.float32) / (2 if plane.shape[1] < width else 1)
    y = np.arange(height, dtype=np.float32)
    y = (y - 0.5) / 2 if plane.shape[0] < height else y
    grid_x, grid_y = np.meshgrid(x, y)
    return cv2.remap(plane, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def turned(levels: Levels, degrees: float) -> Levels:
    """Returns the picture turned counterclockwise by quarter turns."""
    return np.ascontiguousarray(np.rot90(levels, round(degrees / 90) % 4))


def tick_s(time_base: Fraction | None) -> Fraction:
    """Returns the length of a tick, a millisecond where it is not known."""
    return Fraction(time_base) if time_base else Fraction(1, 1000)
