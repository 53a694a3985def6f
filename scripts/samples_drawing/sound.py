"""The clip's sound: wind, a few birds and a plucked melody, all computed."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

SAMPLE_RATE_HZ = 48_000
# A (start in s, pitch as a MIDI number, loudness) list in D major, over two broken chords.
MELODY: list[tuple[float, int, float]] = [
    (0.10, 50, 0.55), (0.10, 66, 0.60), (0.35, 57, 0.35), (0.60, 69, 0.62), (0.85, 62, 0.32),
    (1.10, 74, 0.70), (1.35, 57, 0.30), (1.60, 73, 0.52), (1.85, 69, 0.48),
    (2.10, 43, 0.55), (2.10, 71, 0.62), (2.35, 55, 0.34), (2.60, 67, 0.52), (2.85, 59, 0.32),
    (3.10, 50, 0.50), (3.10, 69, 0.58), (3.30, 62, 0.30), (3.45, 66, 0.50),
]  # fmt: skip
BIRDS_S: list[tuple[float, float, float]] = [(0.75, 3300.0, -0.6), (1.42, 2900.0, 0.5), (2.70, 3500.0, 0.1)]


def _pluck(pitch: int, length: int) -> Array:
    """One plucked string: harmonics that die away the faster the higher they are, `(length,)`."""
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    base_hz = 440.0 * 2 ** ((pitch - 69) / 12)
    tone = np.zeros(length)
    for number in range(1, 12):
        # Stiff strings sound their overtones a little sharp.
        hertz = base_hz * number * np.sqrt(1 + 0.00025 * number**2)
        strength = abs(np.sin(np.pi * number * 0.21)) / number**1.25
        decay_s = 1.3 * (220.0 / base_hz) ** 0.4 / (1 + 0.55 * (number - 1))
        tone += strength * np.sin(2 * np.pi * hertz * time_s) * np.exp(-time_s / decay_s)
    return tone * np.minimum(time_s / 0.003, 1.0)


def _wind(length: int, rng: np.random.Generator) -> Array:
    """Soft filtered noise that swells, `(length,)`."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    spectrum *= 1.0 / (1 + (hertz / 260.0) ** 1.7) * (hertz > 60)
    noise = np.fft.irfft(spectrum, length)
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    swell = 0.62 + 0.38 * np.sin(2 * np.pi * 0.33 * time_s + rng.uniform(0, 2 * np.pi))
    return noise / np.abs(noise).max() * swell


def _chirp(base_hz: float) -> Array:
    """A short bird call of three falling notes."""
    notes = []
    for step in range(3):
        time_s = np.arange(int(0.085 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        hertz = base_hz * (1 + 0.08 * step) * (1.12 - 2.4 * time_s) + 90 * np.sin(2 * np.pi * 34 * time_s)
        notes.append(np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE_HZ) * np.sin(np.pi * time_s / 0.085) ** 2)
        notes.append(np.zeros(int(0.035 * SAMPLE_RATE_HZ)))
    return np.concatenate(notes)


def soundtrack(duration_s: float) -> Array:
    """Stereo sound, `(2, samples) float32` in [-1, 1] at `SAMPLE_RATE_HZ`, fading in and out."""
    length = round(duration_s * SAMPLE_RATE_HZ)
    rng = np.random.default_rng(2024)
    sound = 0.075 * np.stack([_wind(length, rng), _wind(length, rng)])
    dry = np.zeros((2, length))
    for start_s, pitch, loudness in MELODY:
        start = int(start_s * SAMPLE_RATE_HZ)
        side = 0.5 + (pitch - 60) / 60
        dry[:, start:] += np.array([[np.sqrt(1 - side)], [np.sqrt(side)]]) * loudness * _pluck(pitch, length - start)
    for start_s, base_hz, side in BIRDS_S:
        start, call = int(start_s * SAMPLE_RATE_HZ), _chirp(base_hz)
        end = min(start + len(call), length)
        dry[:, start:end] += 0.07 * np.array([[1 - side], [1 + side]]) * call[: end - start]
    sound += 0.20 * dry
    # A few crossed echoes stand in for the room of an open valley.
    for delay_s, strength in ((0.067, 0.20), (0.131, 0.15), (0.223, 0.12), (0.347, 0.08)):
        delay = int(delay_s * SAMPLE_RATE_HZ)
        sound[:, delay:] += 0.20 * strength * dry[::-1, :-delay]
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    fade = np.minimum(time_s / 0.35, 1.0) * np.clip((duration_s - time_s) / 0.9, 0, 1)
    sound *= np.sin(0.5 * np.pi * fade)
    return (0.82 * sound / np.abs(sound).max()).astype(np.float32)
