"""High dynamic range and wide gamuts brought to what BT.709 can show.

The signal becomes linear light (PQ: SMPTE ST 2084; HLG: ITU-R BT.2100, with the system gamma of a 1000 nit
display), is dimmed by the curve of ITU-R BT.2390 (its EETF, a straight line up to a knee and a Hermite spline
above it, in PQ), goes to BT.709's primaries, and is coded for a BT.1886 display, gamma 2.4. SDR white is
203 nits, ITU-R BT.2408's white of graphics, so that faces and mid tones stay as bright as they were.

The curve is applied to the largest of R, G and B, and the others are dimmed by the same ratio: hues stay, and
nothing is clipped but colors outside BT.709.
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

from vidstyle.frames import FloatPicture, Picture
from vidstyle.media.read.primaries import BT709, BT2020, WIDE, luminance_weights, to_bt709
from vidstyle.media.read.side_data import side_data_of

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
    """Returns the brightest light a picture says it holds, by its content light level or its mastering display."""
    peak = 0.0
    light_level = side_data_of(av_frame, "CONTENT_LIGHT_LEVEL")
    mastering = side_data_of(av_frame, "MASTERING_DISPLAY_METADATA")
    if light_level is not None and len(light_level) >= 4:
        peak = float(struct.unpack_from("=I", light_level)[0])
    # AVMasteringDisplayMetadata: ten fractions of two integers each, of which the last is the highest luminance,
    # and two flags, of which the last says that luminances are known.
    if not peak and mastering is not None and len(mastering) >= 88:
        numerator, denominator, _, is_known = struct.unpack_from("=4i", mastering, 72)
        peak = numerator / denominator if is_known and denominator > 0 else 0.0
    return min(max(peak, SDR_WHITE_NITS), PQ_PEAK_NITS) if peak > 0 else NOMINAL_PEAK_NITS
