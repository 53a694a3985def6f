"""A brush with paint on it: bristles, tapering strokes and the relief of thick paint."""

from __future__ import annotations

import cv2
import numpy as np

Array = np.ndarray

SHIFT_BITS = 3  # fractional bits of the coordinates handed to OpenCV


class ThickPaint:
    """A canvas that remembers how high the paint lies.

    `color` is `(H, W, 3) uint8` RGB, `relief` is `(H, W) uint8`.
    """

    def __init__(self, ground: Array) -> None:
        """Start from the first thin coat `ground`, `(H, W, 3) float32` RGB in [0, 1]."""
        self.color = np.ascontiguousarray(np.round(np.clip(ground, 0, 1) * 255).astype(np.uint8))
        self.relief = np.full(ground.shape[:2], 90, np.uint8)

    def stroke(
        self, path_px: Array, width_px: float, color: Array, rng: np.random.Generator, spread: float = 0.055
    ) -> None:
        """Drag a loaded brush along `path_px` (`(N, 2)` x, y).

        Each bristle has its own tint, start, end and height; the outer ones lift off earlier, which tapers
        the stroke.
        """
        along = np.gradient(path_px, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
        side = np.stack([-along[:, 1], along[:, 0]], axis=1)
        count = max(4, int(width_px / 2.3))
        thickness = max(1, round(width_px / count * 1.6))
        lean = rng.choice([-1.0, 1.0])
        points = len(path_px)
        for place in rng.permutation(np.linspace(-1.0, 1.0, count)):
            lift = abs(place) ** 2.2 * 0.30
            first = int(points * np.clip(lift * rng.uniform(0.3, 1.0), 0, 0.4))
            last = points - int(points * np.clip(lift + rng.uniform(0, 0.16), 0, 0.45))
            if last - first < 2:
                continue
            progress = np.linspace(0, 1, points)[first:last, None]
            narrowing = 1.0 - 0.45 * progress**3
            line = path_px[first:last] + side[first:last] * (place * 0.5 * width_px) * narrowing
            tint = color * (1.0 + rng.normal(0, spread) + 0.07 * lean * place) + rng.normal(0, spread * 0.22, 3)
            ink = tuple(int(value) for value in np.clip(tint, 0, 1) * 255)
            # Paint piles up along the edges of a stroke and thins in its middle.
            height = int(np.clip(110 + 55 * abs(place) ** 2 + rng.normal(0, 34), 20, 250))
            spots = [np.round(line * (1 << SHIFT_BITS)).astype(np.int32)]
            cv2.polylines(self.color, spots, False, ink, thickness, cv2.LINE_AA, SHIFT_BITS)
            cv2.polylines(self.relief, spots, False, height, thickness, cv2.LINE_AA, SHIFT_BITS)

    def lit(self, strength: float = 0.9) -> Array:
        """The painting under light from the upper left, `(H, W, 3) float32` in [0, 1]."""
        height = cv2.GaussianBlur(self.relief.astype(np.float32) / 255, (0, 0), 0.9)
        slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.25)
        slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.25)
        light = np.clip((slope_x * 0.65 + slope_y * 0.75) * strength * 2.2, -0.42, 0.42)[..., None]
        color = self.color.astype(np.float32) / 255
        shaded = np.where(light > 0, color + (1.0 - color) * light * 0.75, color * (1.0 + light * 1.15))
        return np.clip(shaded, 0, 1)


def follow(field: Array, start_px: tuple[float, float], length_px: float, step_px: float = 4.0) -> Array:
    """Path of `length_px` through a direction field, starting at `start_px`.

    :param field: `(H, W, 2) float32` unit vectors, x then y.
    :return: `(N, 2) float64` points; the path may leave the canvas.
    """
    height, width = field.shape[:2]
    x_px, y_px = start_px
    path = [(x_px, y_px)]
    for _ in range(max(3, int(length_px / step_px))):
        column, row = min(max(int(x_px), 0), width - 1), min(max(int(y_px), 0), height - 1)
        direction = field[row, column]
        x_px += float(direction[0]) * step_px
        y_px += float(direction[1]) * step_px
        path.append((x_px, y_px))
    return np.array(path)
