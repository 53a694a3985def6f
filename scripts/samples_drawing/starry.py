"""A night sky of swirling brush strokes over hills, a village and a dark flame of a tree."""

from __future__ import annotations

import cv2
import numpy as np
from samples_drawing.noise import fbm, gradient, mix, smoothstep
from samples_drawing.strokes import ThickPaint, follow

Array = np.ndarray

WIDTH_PX, HEIGHT_PX = 900, 720
FINE = 2  # painted at this many times the final size
# x, y, radius of the stars' halos in final pixels.
STARS_PX = [
    (95, 92, 46), (238, 58, 36), (338, 168, 30), (452, 66, 42), (600, 112, 34), (560, 308, 34),
    (190, 262, 40), (716, 262, 44), (838, 352, 34), (410, 372, 28), (70, 398, 32),
]  # fmt: skip
MOON_PX = (782, 112, 92)
# x, y, radius and strength (its sign is the sense of rotation) of the great swirls.
SWIRLS_PX = [(330, 262, 118, 1.7), (505, 212, 96, -1.6), (640, 408, 70, 0.9), (150, 180, 60, -0.6)]
BLUES: list[tuple[float, tuple[float, float, float]]] = [
    (0.0, (0.03, 0.05, 0.19)),
    (0.22, (0.06, 0.13, 0.38)),
    (0.45, (0.10, 0.29, 0.64)),
    (0.62, (0.24, 0.52, 0.78)),
    (0.78, (0.50, 0.70, 0.78)),
    (0.90, (0.86, 0.87, 0.66)),
    (1.0, (0.98, 0.93, 0.60)),
]


def hill_line(x_px: Array, layer: int) -> Array:
    """Upper edge of the hills (0 the farthest) in final pixels over x."""
    if layer == 0:
        return 505 - 50 * np.exp(-(((x_px - 730) / 150) ** 2)) - 22 * np.sin(x_px / 105 + 0.4)
    if layer == 1:
        return 548 - 22 * np.sin(x_px / 84 + 2.0) - 34 * np.exp(-(((x_px - 880) / 140) ** 2))
    return 612 - 16 * np.sin(x_px / 130 + 1.1) + 22 * np.exp(-(((x_px - 470) / 160) ** 2))


def cypress_mask(x_px: Array, y_px: Array) -> Array:
    """The tree as two flames, `(H, W) float32` in [0, 1]."""
    total = np.zeros_like(x_px)
    for foot_x, top, half_width, phase in ((150.0, 128.0, 62.0, 0.0), (216.0, 330.0, 40.0, 1.3)):
        rise = np.clip((y_px - top) / (HEIGHT_PX + 40 - top), 0, 1)
        center = foot_x + 13 * np.sin(rise * 8.5 + phase) * (1.1 - 0.5 * rise)
        edge = half_width * rise**0.72 * (1.0 + 0.17 * np.sin(rise * 26 + phase))
        total = np.maximum(total, smoothstep(1.5, -1.5, np.abs(x_px - center) - edge) * (y_px > top))
    return total.astype(np.float32)


def _grid() -> tuple[Array, Array]:
    rows, columns = np.mgrid[0 : HEIGHT_PX * FINE, 0 : WIDTH_PX * FINE].astype(np.float32)
    return (columns + 0.5) / FINE, (rows + 0.5) / FINE


def _sky_field(x_px: Array, y_px: Array) -> Array:
    """Directions of the strokes in the sky, `(H, W, 2) float32` unit vectors."""
    rng = np.random.default_rng(1)
    bend = fbm(x_px.shape, 260.0 * FINE, 2, rng)
    flow_x = np.full_like(x_px, 0.85)
    flow_y = 0.40 * np.sin(x_px / 92 + y_px / 150) + 0.35 * bend
    # Swirls first, halos last and strongest: near a star only its own rings count.
    for center_x, center_y, radius, strength in SWIRLS_PX:
        dx, dy = x_px - center_x, y_px - center_y
        distance = np.hypot(dx, dy * 1.1) + 1e-3
        weight = 3.4 * strength * np.exp(-((distance / radius) ** 2.4))
        # The radial part winds the rings into a spiral.
        flow_x = flow_x + weight * (-dy - 0.20 * np.sign(strength) * dx) / distance
        flow_y = flow_y + weight * (dx - 0.20 * np.sign(strength) * dy) / distance
    for center_x, center_y, radius in [*STARS_PX, MOON_PX]:
        dx, dy = x_px - center_x, y_px - center_y
        distance = np.hypot(dx, dy) + 1e-3
        weight = 9.0 * np.exp(-((distance / (1.15 * radius)) ** 4))
        flow_x, flow_y = flow_x - weight * dy / distance, flow_y + weight * dx / distance
    return np.stack([flow_x, flow_y], axis=-1)


def _directions(x_px: Array, y_px: Array, tree: Array) -> Array:
    field = _sky_field(x_px, y_px)
    for layer in range(3):
        edge = hill_line(x_px, layer)
        slope = np.gradient(edge, axis=1) * FINE
        tilt = slope * 0.9 + 0.35 * np.sin(x_px / 34 + layer * 2 + y_px / 40)
        field = np.where((y_px > edge)[..., None], np.stack([np.ones_like(tilt), tilt], axis=-1), field)
    upward = np.stack([0.40 * np.sin(y_px / 30 + x_px / 26), -np.ones_like(x_px)], axis=-1)
    field = np.where((tree > 0.5)[..., None], upward, field)
    return (field / (np.linalg.norm(field, axis=-1, keepdims=True) + 1e-6)).astype(np.float32)


def _sky_color(x_px: Array, y_px: Array) -> Array:
    rng = np.random.default_rng(2)
    tone = 0.40 + 0.34 * fbm(x_px.shape, (70.0 * FINE, 190.0 * FINE), 4, rng)
    tone = tone + 0.20 * np.exp(-(((y_px - 455) / 62) ** 2)) - 0.10 * smoothstep(120, 0, y_px)
    for center_x, center_y, radius, strength in SWIRLS_PX:
        dx, dy = x_px - center_x, (y_px - center_y) * 1.1
        distance = np.hypot(dx, dy)
        turn = np.arctan2(dy, dx) * np.sign(strength)
        arms = 0.5 + 0.5 * np.cos(2 * turn - 9.0 * np.sqrt(distance / radius + 0.02))
        tone = tone + 0.62 * min(abs(strength), 1.7) / 1.7 * (arms - 0.36) * np.exp(-((distance / radius) ** 3))
    color = gradient(BLUES, np.clip(tone, 0, 0.84))
    green = smoothstep(0.05, 0.5, fbm(x_px.shape, 120.0 * FINE, 3, rng))
    color = mix(color, color * np.array([0.88, 1.12, 0.92]), green)
    for center_x, center_y, radius in STARS_PX:
        distance = np.hypot(x_px - center_x, y_px - center_y)
        rings = 0.5 + 0.5 * np.cos(distance / radius * 15.0)
        glow = np.exp(-((distance / (0.86 * radius)) ** 2.4))
        warm = mix(np.array([0.98, 0.76, 0.16]), np.array([0.99, 0.95, 0.62]), rings)
        color = mix(color, warm, np.clip(glow * (0.80 + 0.30 * rings), 0, 1))
        color = mix(color, np.array([1.0, 0.93, 0.62]), smoothstep(0.34, 0.20, distance / radius))
        color = mix(color, np.array([0.99, 0.72, 0.16]), smoothstep(0.16, 0.08, distance / radius))
    return _moon(color, x_px, y_px)


def _moon(color: Array, x_px: Array, y_px: Array) -> Array:
    center_x, center_y, radius = MOON_PX
    distance = np.hypot(x_px - center_x, y_px - center_y)
    rings = 0.5 + 0.5 * np.cos(distance / radius * 21.0)
    warm = mix(np.array([0.99, 0.72, 0.14]), np.array([0.99, 0.94, 0.56]), rings)
    color = mix(color, warm, np.clip(np.exp(-((distance / (0.86 * radius)) ** 2.6)) * 0.95, 0, 1))
    crescent = smoothstep(43, 40, distance) * smoothstep(27, 31, np.hypot(x_px - center_x - 17, y_px - center_y + 5))
    inside = smoothstep(43, 40, distance)
    color = mix(color, np.array([0.95, 0.93, 0.60]), inside)
    return mix(color, np.array([0.98, 0.56, 0.05]), crescent)


def _land_color(color: Array, x_px: Array, y_px: Array) -> Array:
    rng = np.random.default_rng(3)
    tone = fbm(x_px.shape, (26.0 * FINE, 80.0 * FINE), 4, rng)
    darks = [(0.08, 0.16, 0.36), (0.05, 0.16, 0.27), (0.04, 0.13, 0.16)]
    lights = [(0.34, 0.53, 0.74), (0.26, 0.50, 0.56), (0.40, 0.52, 0.26)]
    for layer in range(3):
        edge = hill_line(x_px, layer)
        below = y_px - edge
        light = smoothstep(-0.35, 0.45, tone) * 0.62 + 0.45 * np.exp(-(((below - 4) / 9.0) ** 2))
        waves = 0.5 + 0.5 * np.sin((below + 16 * np.sin(x_px / 46)) / 6.5)
        land = mix(np.array(darks[layer]), np.array(lights[layer]), np.clip(light * (0.55 + 0.55 * waves), 0, 1))
        color = np.where((below > 0)[..., None], land, color)
    return color


def _layer_strokes(
    paint: ThickPaint,
    target: Array,
    field: Array,
    count: int,
    width_px: float,
    length_px: float,
    rng: np.random.Generator,
    detail: Array | None = None,
) -> None:
    """Cover the canvas with `count` strokes that take their color from `target` where they begin.

    With `detail` (`(H, W) float32`), strokes are kept with that probability.
    """
    height, width = target.shape[:2]
    # Starting points on a jittered grid leave no bald spots.
    columns = int(np.sqrt(count * width / height))
    rows = int(np.ceil(count / columns))
    cells = rng.permutation(rows * columns)
    for cell in cells:
        x = (cell % columns + rng.uniform(0, 1)) * width / columns
        y = (cell // columns + rng.uniform(0, 1)) * height / rows
        column, row = min(int(x), width - 1), min(int(y), height - 1)
        if detail is not None and rng.random() > detail[row, column]:
            continue
        length = length_px * FINE * rng.uniform(0.6, 1.25)
        path = follow(field, (x, y), length)
        middle = path[len(path) // 2]
        path = path - (middle - np.array([x, y]))
        color = target[row, column].astype(np.float64)
        color = color * rng.normal(1.0, 0.15) + rng.normal(0, 0.03, 3)
        paint.stroke(path, width_px * FINE * rng.uniform(0.75, 1.2), color, rng)


def _village(paint: ThickPaint, rng: np.random.Generator) -> None:
    """Small houses with lit windows and a church in the valley."""
    walls = [(0.34, 0.50, 0.62), (0.52, 0.60, 0.56), (0.28, 0.40, 0.60), (0.66, 0.62, 0.46)]
    roofs = [(0.16, 0.20, 0.44), (0.50, 0.25, 0.18), (0.12, 0.30, 0.40)]
    spots = [(x + rng.uniform(-7, 7), 588 + rng.uniform(-10, 34)) for x in np.linspace(330, 850, 17)]
    for x, y in sorted(spots, key=lambda spot: spot[1]):
        wide, high = rng.uniform(20, 34), rng.uniform(13, 20)
        wall, roof = np.array(walls[rng.integers(4)]), np.array(roofs[rng.integers(3)])
        for level in np.arange(0, high, 4.0):
            line = np.array([[x, y - level], [x + wide / 2, y - level + rng.normal(0, 0.6)], [x + wide, y - level]])
            paint.stroke(line * FINE, 5.5 * FINE, wall * rng.uniform(0.8, 1.2), rng)
        for share in np.linspace(0, 1, 4):
            top = y - high - 3 - share * high * 0.62
            inset = share * wide * 0.38
            line = np.array([[x - 3 + inset, top], [x + wide / 2, top], [x + wide + 3 - inset, top]])
            paint.stroke(line * FINE, 4.5 * FINE, roof * (0.85 + 0.7 * share), rng)
        if rng.random() < 0.8:
            corner = np.array([x + wide * rng.uniform(0.25, 0.6), y - high * 0.75])
            window = corner + np.array([[0, 0], [1.5, 2.5], [2.5, 6]])
            paint.stroke(window * FINE, 4.6 * FINE, np.array([1.0, 0.78, 0.22]), rng)
    for height, wide, color in (
        (0, 11, (0.26, 0.34, 0.46)),
        (24, 6, (0.12, 0.17, 0.36)),
        (46, 3, (0.10, 0.14, 0.32)),
    ):
        for offset in np.linspace(-wide / 2, wide / 2, 3):
            line = np.array(
                [
                    [560 + offset, 606 - height],
                    [560 + offset * 0.8, 590 - height],
                    [560 + offset * 0.5, 574 - height],
                ]
            )
            paint.stroke(line * FINE, 5.0 * FINE, np.array(color) * rng.uniform(0.8, 1.3), rng)


def paint_starry() -> Array:
    """The finished painting: `(720, 900, 3) float32` RGB in [0, 1]."""
    rng = np.random.default_rng(1889)
    x_px, y_px = _grid()
    tree = cypress_mask(x_px, y_px)
    field = _directions(x_px, y_px, np.zeros_like(tree))
    target = _land_color(_sky_color(x_px, y_px), x_px, y_px)
    paint = ThickPaint(target * 0.55 + np.array([0.02, 0.03, 0.08]))
    _layer_strokes(paint, target, field, 2300, 13.0, 62.0, rng)
    _layer_strokes(paint, target, field, 6200, 9.0, 44.0, rng)
    stars = np.zeros_like(tree)
    for center_x, center_y, radius in [*STARS_PX, MOON_PX]:
        stars = np.maximum(stars, smoothstep(1.25, 0.85, np.hypot(x_px - center_x, y_px - center_y) / radius))
    land = smoothstep(-6, 4, y_px - hill_line(x_px, 0))
    _layer_strokes(paint, target, field, 15000, 5.0, 20.0, rng, np.maximum(stars, 0.6 * land) * 0.9)
    _village(paint, rng)
    _cypress(paint, x_px, y_px, tree, rng)
    picture = paint.lit()
    return cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)


def _cypress(paint: ThickPaint, x_px: Array, y_px: Array, tree: Array, rng: np.random.Generator) -> None:
    """Dark upward licks of paint over everything else."""
    field = _directions(x_px, y_px, tree)
    tone = fbm(tree.shape, (60.0 * FINE, 16.0 * FINE), 3, np.random.default_rng(4))
    target = gradient(
        [
            (-0.5, (0.02, 0.05, 0.07)),
            (0.0, (0.06, 0.13, 0.11)),
            (0.25, (0.16, 0.24, 0.13)),
            (0.6, (0.42, 0.30, 0.13)),
        ],
        tone,
    )
    _layer_strokes(paint, target * 0.6, field, 6000, 9.0, 40.0, rng, (tree > 0.5).astype(np.float32))
    _layer_strokes(paint, target * 1.15, field, 11000, 5.0, 34.0, rng, (tree > 0.5).astype(np.float32) * 0.8)
