"""Sound that can be told from itself a millisecond later: noise, another for every channel and track."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.layout import AudioLayout

Wave = npt.NDArray[np.float32]
CHUNK_SAMPLES = 1024
# Both sides are compared at this rate; a quarter of a millisecond is a step of it, so parabolas find what is between.
_COMPARED_HZ = 16_000
_LARGEST_LAG_S = 0.25
_LFE = 3
_ROUNDED_S = 0.002
# A bit of 16, or less: nothing to compare but where it begins.
_SILENCE = 1 / 30_000


@dataclass(frozen=True)
class Sound:
    """One audio track. Times in seconds after the first picture; `length_s` None: as long as the pictures."""

    codec: str = "aac"
    rate: int = 48_000
    layout: str = "stereo"
    start_s: float = 0.0
    length_s: float | None = None
    language: str = ""
    title: str = ""
    seed: int = 1
    sample_format: str = ""

    @property
    def channels(self) -> int:
        """How many channels the layout has."""
        return AudioLayout(self.layout).nb_channels


def wave_of(sound: Sound, samples: int) -> Wave:
    """Returns `(channels, samples)` float32 from -1 to 1."""
    width = max(1, sound.rate // 3000)
    waves = []
    for channel in range(sound.channels):
        noise = np.random.default_rng([sound.seed, channel]).standard_normal(samples + width)
        waves.append(np.convolve(noise, np.ones(width) / np.sqrt(width), "same")[:samples] * 0.12)
    return np.clip(np.stack(waves), -0.9, 0.9).astype(np.float32)


class SoundWriter:
    """Encodes one track into a container."""

    def __init__(self, output: Any, sound: Sound) -> None:
        self._output, self._sound = output, sound
        # FFmpeg's own Vorbis encoder has to be asked for twice.
        options = {"strict": "experimental"} if sound.codec == "vorbis" else {}
        self._stream = output.add_stream(sound.codec, rate=sound.rate, options=options)
        self._stream.layout = sound.layout
        context = self._stream.codec_context
        context.format = sound.sample_format or context.codec.audio_formats[0].name
        self._stream.time_base = context.time_base = Fraction(1, sound.rate)
        for key in ("language", "title"):
            if getattr(sound, key):
                self._stream.metadata[key] = getattr(sound, key)

    def write(self, origin_s: Fraction, length_s: Fraction) -> None:
        """Writes the track; the first picture is at `origin_s`, and `length_s` is how long pictures are shown."""
        sound, context = self._sound, self._stream.codec_context
        wanted_s = Fraction(sound.length_s) if sound.length_s is not None else length_s - Fraction(sound.start_s)
        wave = wave_of(sound, round(wanted_s * sound.rate))
        chunk = context.frame_size or CHUNK_SAMPLES
        first = round((origin_s + Fraction(sound.start_s)) * sound.rate)
        for start in range(0, wave.shape[1], chunk):
            piece = wave[:, start : start + chunk]
            if piece.shape[1] < chunk and context.frame_size:
                piece = np.pad(piece, ((0, 0), (0, chunk - piece.shape[1])))
            frame = _audio_frame(piece, context.format.name, sound.layout)
            frame.sample_rate, frame.time_base, frame.pts = sound.rate, Fraction(1, sound.rate), first + start
            self._output.mux(self._stream.encode(frame))
        self._output.mux(self._stream.encode(None))


def _audio_frame(wave: Wave, name: str, layout: str) -> av.AudioFrame:
    base = name.removesuffix("p")
    kinds = {"s16": (np.int16, 32767), "s32": (np.int32, 2**31 - 1), "u8": (np.uint8, 127)}
    if base in kinds:
        kind, most = kinds[base]
        values = (wave.astype(np.float64) * most + (128 if base == "u8" else 0)).astype(kind)
    else:
        values = wave.astype(np.float64 if base == "dbl" else np.float32)
    if not name.endswith("p"):
        values = values.T.reshape(1, -1)
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(values), format=name, layout=layout)


def heard(frames: list[av.AudioFrame], origin_s: Fraction) -> tuple[npt.NDArray[np.float64], Wave]:
    """Returns when each sample is heard, in seconds after `origin_s`, and `(channels, samples)` from -1 to 1."""
    times: list[npt.NDArray[np.float64]] = []
    waves, end_s = [], 0.0
    for frame in frames:
        values = frame.to_ndarray()
        if not frame.format.is_planar:
            values = values.reshape(-1, frame.layout.nb_channels).T
        if values.dtype.kind in "iu":
            middle = 128.0 if values.dtype.kind == "u" else 0.0
            values = (values - middle) / float(np.iinfo(values.dtype).max)
        start_s = float(frame.pts * Fraction(frame.time_base) - origin_s) if frame.pts is not None else end_s
        # Matroska rounds times to milliseconds; sound goes on without a break all the same.
        if times and abs(start_s - end_s) < _ROUNDED_S:
            start_s = end_s
        end_s = start_s + values.shape[1] / frame.sample_rate
        times.append(start_s + np.arange(values.shape[1]) / frame.sample_rate)
        waves.append(values.astype(np.float32))
    if not waves:
        return np.zeros(0), np.zeros((0, 0), np.float32)
    return np.concatenate(times), np.concatenate(waves, axis=1)


def lag_ms(before: tuple[Any, Wave], after: tuple[Any, Wave]) -> tuple[float, float]:
    """Returns how much later the second track is heard, in milliseconds, and how alike they are then, from 0 to 1."""
    (times_a, a), (times_b, b) = before, after
    if not times_a.size or not times_b.size or len(a) != len(b):
        return float("nan"), 0.0
    if max(float(np.abs(a).max()), float(np.abs(b).max())) < _SILENCE:
        return 1000 * float(times_b[0] - times_a[0]), 1.0
    margin = 2 * _LARGEST_LAG_S
    start, stop = min(times_a[0], times_b[0]) - margin, max(times_a[-1], times_b[-1]) + margin
    grid = np.arange(start, stop, 1 / _COMPARED_HZ)
    reach = round(_LARGEST_LAG_S * _COMPARED_HZ)
    total, alike = np.zeros(2 * reach + 1), []
    for channel in range(len(a)):
        if channel == _LFE and len(a) == 6:
            continue  # encoders leave little of it
        one = np.interp(grid, times_a, a[channel], 0, 0)
        other = np.interp(grid, times_b, b[channel], 0, 0)
        spectrum = np.conj(np.fft.rfft(one, 2 * len(grid))) * np.fft.rfft(other, 2 * len(grid))
        whole = np.fft.irfft(spectrum)
        near = np.concatenate([whole[-reach:], whole[: reach + 1]])
        total += near
        alike.append(near / max(1e-12, float(np.linalg.norm(one) * np.linalg.norm(other))))
    best = int(np.argmax(total))
    between = 0.0
    if 0 < best < 2 * reach:
        left, middle, right = total[best - 1 : best + 2]
        curve = left - 2 * middle + right
        between = 0.5 * (left - right) / curve if curve else 0.0
    return 1000 * (best - reach + between) / _COMPARED_HZ, float(min(row[best] for row in alike))
