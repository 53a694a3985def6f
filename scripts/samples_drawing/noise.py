"""Seeded noise and small shaping helpers that every drawing in this folder shares."""

from __future__ import annotations

import cv2
import numpy as np

Array = np.ndarray


def value_noise(shape: tuple[int, int], cell_px: tuple[float, float], rng: np.random.Generator) -> Array:
    """Smooth noise: a random grid enlarged with cubic interpolation.

    :param shape: `(height, width)` of the result in pixels.
    :param cell_px: `(vertical, horizontal)` distance of two grid points in pixels.
    :return: `(H, W) float32`, roughly in [-1, 1].
    """
    height, width = shape
    rows = int(np.ceil(height / cell_px[0])) + 3
    columns = int(np.ceil(width / cell_px[1])) + 3
    grid = rng.uniform(-1.0, 1.0, (rows, columns)).astype(np.float32)
    # A random phase keeps the grid points of the octaves from lying on one another.
    phase_y, phase_x = rng.uniform(1.0, 1.99, 2)
    matrix = np.array([[1.0 / cell_px[1], 0.0, phase_x], [0.0, 1.0 / cell_px[0], phase_y]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(grid, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)


def fbm(
    shape: tuple[int, int],
    cell_px: float | tuple[float, float],
    octaves: int,
    rng: np.random.Generator,
    gain: float = 0.5,
    kind: str = "smooth",
) -> Array:
    """Fractal sum of `value_noise`, each octave at half the cell size.

    :param kind: "smooth", "ridged" (sharp crests) or "billow" (puffy, round tops).
    :return: `(H, W) float32` in about [-1, 1] ("smooth") or [0, 1] (the others).
    """
    cell_y, cell_x = (cell_px, cell_px) if isinstance(cell_px, int | float) else cell_px
    total = np.zeros(shape, np.float32)
    weight, weight_sum = 1.0, 0.0
    for _ in range(octaves):
        layer = value_noise(shape, (max(cell_y, 1.0), max(cell_x, 1.0)), rng)
        if kind == "ridged":
            layer = (1.0 - np.minimum(np.abs(layer) * 1.6, 1.0)) ** 2
        elif kind == "billow":
            layer = np.minimum(np.abs(layer) * 1.6, 1.0)
        total += weight * layer
        weight_sum += weight
        weight *= gain
        cell_y, cell_x = cell_y / 2.0, cell_x / 2.0
    return total / np.float32(weight_sum)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below `low`, 1 above `high`, a soft S between (also for `low > high`, then falling)."""
    ramp = np.clip((value - low) / (high - low), 0.0, 1.0)
    return ramp * ramp * (3.0 - 2.0 * ramp)


def mix(first: Array, second: Array, amount: Array | float) -> Array:
    """Linear blend of two colors or color images; an `(H, W)` amount is spread over the channels."""
    first, second = np.asarray(first, np.float32), np.asarray(second, np.float32)
    if isinstance(amount, np.ndarray):
        amount = amount[..., None]
    return (first + (second - first) * amount).astype(np.float32)


def gradient(stops: list[tuple[float, tuple[float, float, float]]], position: Array) -> Array:
    """Color ramp: `position` (any shape) becomes RGB (`position.shape + (3,)`, float32)."""
    knots = [stop[0] for stop in stops]
    channels = [np.interp(position, knots, [stop[1][c] for stop in stops]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def sample(image: Array, x_px: Array, y_px: Array) -> Array:
    """Bilinear look-up with mirrored borders; `x_px`, `y_px` are `(H, W)` pixel indices."""
    return cv2.remap(
        image,
        x_px.astype(np.float32),
        y_px.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
