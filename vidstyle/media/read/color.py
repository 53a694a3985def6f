"""From the pictures that FFmpeg decodes to `(H, W, 3)` uint8 RGB of BT.709.

High dynamic range and wide gamuts are brought to what BT.709 can show: the signal becomes linear light (PQ: SMPTE ST
2084; HLG: ITU-R BT.2100, with the system gamma of a 1000 nit display), is dimmed by the curve of ITU-R BT.2390 (its
EETF, a straight line up to a knee and a Hermite spline above it, in PQ), goes to the primaries of BT.709, and is coded
for a BT.1886 display, gamma 2.4. SDR white is 203 nits, the white of graphics in ITU-R BT.2408, so that faces and mid
tones stay as bright as they were.

The curve is applied to the largest of R, G and B, and the others are dimmed by the same ratio: hues stay, and nothing
is clipped but colors outside BT.709.
"""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange

from vidstyle.frames import FloatPicture, Picture
from vidstyle.media.read.decoding import side_data_of

# libswscale's flags SWS_BICUBIC, SWS_FULL_CHR_H_INT, SWS_FULL_CHR_H_INP and SWS_ACCURATE_RND; PyAV has names
# for the last three only since version 18. Full chroma and exact rounding: the default conversion is off
# by one or two levels.
ACCURATE = 0x4 | 0x2000 | 0x4000 | 0x40000

# H.273 matrix codes as in frames -> libswscale's SWS_CS codes of the same coefficients.
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
        # libswscale takes gray for full range, whatever its options.
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


# -- tone mapping ---------------------------------------------------------------------------------

# H.273 transfer codes.
LINEAR, PQ, HLG = 8, 16, 18
HDR_TRANSFERS = frozenset({PQ, HLG})
SDR_WHITE_NITS = 203.0
PQ_PEAK_NITS = 10_000.0
# Of the display that HLG is made for, and of one that PQ was mastered on where the file does not say.
NOMINAL_PEAK_NITS = 1000.0
# BT.2100's system gamma at that peak.
_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_CODES = 1 << 16
# Bands of so many rows stay in the processor's cache between one step and the next.
_BAND_ROWS = 32
_MOST_THREADS = 8

Codes = npt.NDArray[np.uint16]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Light:
    """What a picture's numbers mean, where that is not BT.709 already.

    Attributes:
        transfer, primaries: H.273 codes. peak_nits: brightest light in a PQ picture.
    """

    transfer: int
    primaries: int
    peak_nits: float = NOMINAL_PEAK_NITS

    @property
    def is_hdr(self) -> bool:
        """Whether it needs tone mapping."""
        return self.transfer in HDR_TRANSFERS


def light_of(av_frame: av.VideoFrame) -> Light | None:
    """Returns what has to be converted, or None where the numbers can be shown as they are."""
    transfer, primaries = int(av_frame.color_trc), int(av_frame.color_primaries)
    if transfer in HDR_TRANSFERS:
        # Without a tag: there is no high dynamic range in other primaries.
        known = primaries if primaries in WIDE | {BT709} else BT2020
        return Light(transfer, known, _peak_nits(av_frame) if transfer == PQ else NOMINAL_PEAK_NITS)
    if primaries in WIDE:
        return Light(LINEAR if transfer == LINEAR else 1, primaries)
    return Light(LINEAR, BT709) if transfer == LINEAR else None


def to_sdr(codes: Codes, light: Light, white: int = _CODES - 1) -> Picture:
    """Returns `(H, W, 3)` uint8 RGB for a BT.709 display.

    Args:
        codes: `(H, W, 3)` uint16 RGB as coded, full range.
        white: the code of white, which is not 65535 for all sources.
    """
    tables = _tables(light.transfer, light.peak_nits, white)
    shown = np.empty(codes.shape, np.uint8)

    def convert(row: int) -> None:
        shown[row : row + _BAND_ROWS] = _band_to_sdr(codes[row : row + _BAND_ROWS], light, tables)

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as threads:
        list(threads.map(convert, range(0, len(codes), _BAND_ROWS)))
    return shown


def pq_to_nits(signal: npt.ArrayLike) -> _Floats:
    """SMPTE ST 2084's EOTF: a signal of 0 to 1 to nits."""
    power = np.power(np.clip(np.asarray(signal, np.float64), 0, 1), 1 / _M2)
    return np.asarray(PQ_PEAK_NITS * np.power(np.maximum(power - _C1, 0) / (_C2 - _C3 * power), 1 / _M1))


def nits_to_pq(nits: npt.ArrayLike) -> _Floats:
    """Its inverse."""
    power = np.power(np.clip(np.asarray(nits, np.float64) / PQ_PEAK_NITS, 0, 1), _M1)
    return np.asarray(np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2))


def hlg_to_scene(signal: npt.ArrayLike) -> _Floats:
    """BT.2100's inverse OETF of HLG: a signal of 0 to 1 to the scene's linear light, 0 to 1."""
    value = np.clip(np.asarray(signal, np.float64), 0, 1)
    a = 0.17883277
    b = 1 - 4 * a
    c = 0.5 - a * np.log(4 * a)
    return np.asarray(np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12))


def dimmed_nits(nits: npt.ArrayLike, peak_nits: float) -> _Floats:
    """BT.2390's EETF from `peak_nits` to SDR white, both black at 0; what is above the peak becomes white."""
    nits = np.asarray(nits, np.float64)
    if peak_nits <= SDR_WHITE_NITS:
        return np.asarray(np.minimum(nits, SDR_WHITE_NITS))
    source = nits_to_pq(peak_nits)
    ceiling = float(nits_to_pq(SDR_WHITE_NITS) / source)
    knee = 1.5 * ceiling - 0.5
    value = np.minimum(nits_to_pq(nits) / source, 1)
    t = np.maximum(value - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * ceiling
    return np.asarray(np.minimum(pq_to_nits(np.where(value < knee, value, spline) * source), SDR_WHITE_NITS))


_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


@dataclass(frozen=True, slots=True)
class _Tables:
    """By 16-bit code: linear light (SDR white is 1; for HLG, the scene's), and what the tone curve multiplies with."""

    linear: npt.NDArray[np.float32]
    gain: npt.NDArray[np.float32]


@lru_cache(maxsize=4)
def _tables(transfer: int, peak_nits: float, white: int) -> _Tables:
    signal = np.minimum(np.arange(_CODES) / white, 1)
    gain = np.ones(_CODES)
    if transfer == PQ:
        nits = pq_to_nits(signal)
        linear = nits / SDR_WHITE_NITS
        gain = dimmed_nits(nits, peak_nits) / np.maximum(nits, 1e-9)
        gain[0] = 1
    elif transfer == HLG:
        linear = hlg_to_scene(signal)
        nits = np.square(np.arange(_CODES) / (_CODES - 1)) * NOMINAL_PEAK_NITS
        gain = dimmed_nits(nits, NOMINAL_PEAK_NITS) / np.maximum(nits, 1e-9)
        gain[0] = gain[1]
        gain *= NOMINAL_PEAK_NITS / SDR_WHITE_NITS
    else:
        linear = signal if transfer == LINEAR else signal**_DISPLAY_GAMMA
    return _Tables(linear.astype(np.float32), gain.astype(np.float32))


def _band_to_sdr(codes: Codes, light: Light, tables: _Tables) -> Picture:
    linear: FloatPicture = tables.linear[codes]
    if light.transfer == PQ:
        # Linear light grows with the code, so the largest code tells the largest light.
        brightest = np.maximum(np.maximum(codes[:, :, 0], codes[:, :, 1]), codes[:, :, 2])
        linear = _dimmed(linear, tables.gain[brightest])
    elif light.transfer == HLG:
        weights = luminance_weights(light.primaries).astype(np.float32)[None]
        # BT.2100's OOTF: the light of a pixel is raised by a power of its luminance.
        boost = cv2.pow(np.maximum(cv2.transform(linear, weights), np.float32(1e-9)), _HLG_GAMMA - 1)
        brightest_light = np.maximum(np.maximum(linear[:, :, 0], linear[:, :, 1]), linear[:, :, 2]) * boost
        # The square root spends the table's entries where the eye sees them.
        index = (cv2.sqrt(np.minimum(brightest_light, np.float32(1))) * np.float32(_CODES - 1)).astype(np.uint16)
        linear = _dimmed(linear, tables.gain[index] * boost)
    shown = cv2.transform(linear, to_bt709(light.primaries).astype(np.float32))
    coded = cv2.pow(np.maximum(shown, np.float32(0)), 1 / _DISPLAY_GAMMA)
    return np.asarray(cv2.convertScaleAbs(coded, alpha=255.0), dtype=np.uint8)


def _dimmed(linear: FloatPicture, gain: npt.NDArray[np.float32]) -> FloatPicture:
    return np.asarray(cv2.multiply(linear, cv2.merge([gain, gain, gain])), dtype=np.float32)


def _peak_nits(av_frame: av.VideoFrame) -> float:
    """Returns the brightest light of a picture by its content light level or its mastering display."""
    peak = 0.0
    light_level = side_data_of(av_frame, "CONTENT_LIGHT_LEVEL")
    mastering = side_data_of(av_frame, "MASTERING_DISPLAY_METADATA")
    if light_level is not None and len(light_level) >= 4:
        peak = float(struct.unpack_from("=I", light_level)[0])
    # AVMasteringDisplayMetadata: ten fractions of two integers each, of which the last is the highest luminance,
    # and two flags, of which the last means that luminances are known.
    if not peak and mastering is not None and len(mastering) >= 88:
        numerator, denominator, _, is_known = struct.unpack_from("=4i", mastering, 72)
        peak = numerator / denominator if is_known and denominator > 0 else 0.0
    return min(max(peak, SDR_WHITE_NITS), PQ_PEAK_NITS) if peak > 0 else NOMINAL_PEAK_NITS


# -- primaries ------------------------------------------------------------------------------------

Matrix = npt.NDArray[np.float64]

BT709, BT2020 = 1, 9
_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
# ITU-T H.273, table 2: x, y of red, green, blue and white.
_CHROMATICITIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
# Those that are worth a conversion. BT.601's two (5, 6, and 7 and 22, which are nearly the same) lie so close to
# BT.709's that players show them as they are.
WIDE = frozenset(_CHROMATICITIES) - {BT709}
# Bradford's cone responses, for whites other than D65.
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def luminance_weights(primaries: int) -> npt.NDArray[np.float64]:
    """Returns how much linear red, green and blue add to luminance, `(3,)`; their sum is 1."""
    return np.asarray(_to_xyz(primaries)[1])


def to_bt709(primaries: int) -> Matrix:
    """Returns `(3, 3)`: linear RGB of these primaries (an H.273 code) to linear BT.709; gray stays gray.

    Colors that BT.709 does not have come out below 0 or above 1.
    """
    white, target = (_xyz(_CHROMATICITIES[code][3]) for code in (primaries, BT709))
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ target) / (_BRADFORD @ white)) @ _BRADFORD
    return np.asarray(np.linalg.inv(_to_xyz(BT709)) @ adapt @ _to_xyz(primaries))


def _to_xyz(primaries: int) -> Matrix:
    *colors, white = _CHROMATICITIES[primaries]
    columns = np.stack([_xyz(color) for color in colors], axis=1)
    return np.asarray(columns * np.linalg.solve(columns, _xyz(white)))


def _xyz(chromaticity: tuple[float, float]) -> npt.NDArray[np.float64]:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])
