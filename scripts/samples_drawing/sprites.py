"""Things that stand in the landscape: trees, grass, flowers, a balloon, a windmill, a boat."""

from __future__ import annotations

import cv2
import numpy as np
from samples_drawing.layers import SCALE, View
from samples_drawing.noise import fbm, mix, smoothstep

Array = np.ndarray
Color = tuple[float, float, float]

FINE = 2  # a Painter draws at this many times the texture's resolution, then averages


class Painter:
    """Draws hard shapes in reference pixels and hands them back as an anti-aliased texture."""

    def __init__(self, view: View) -> None:
        """Start transparent, covering `view`."""
        self.view = view
        height, width = view.shape
        self.canvas = np.zeros((height * FINE, width * FINE, 4), np.uint8)

    def _points(self, points_px: Array) -> Array:
        origin = np.array([self.view.left_px, self.view.top_px])
        # Four fractional bits keep slanted edges smooth.
        return np.round((np.asarray(points_px, np.float64) - origin) * SCALE * FINE * 16).astype(np.int32)

    @staticmethod
    def _ink(color: Color | Array) -> tuple[int, int, int, int]:
        red, green, blue = (int(np.clip(channel, 0, 1) * 255) for channel in color)
        return red, green, blue, 255

    def polygon(self, points_px: Array, color: Color | Array) -> None:
        """Fill a polygon, `(N, 2)` points in reference pixels."""
        cv2.fillPoly(self.canvas, [self._points(points_px)], self._ink(color), cv2.LINE_8, 4)

    def line(self, points_px: Array, color: Color | Array, width_px: float) -> None:
        """Draw an open line through `(N, 2)` points."""
        thickness = max(1, round(width_px * SCALE * FINE))
        cv2.polylines(self.canvas, [self._points(points_px)], False, self._ink(color), thickness, cv2.LINE_8, 4)

    def dab(self, x_px: float, y_px: float, radii_px: tuple[float, float], angle_deg: float, color: Array) -> None:
        """Fill an ellipse."""
        center = tuple(int(value) for value in self._points(np.array([x_px, y_px])))
        axes = tuple(max(1, round(radius * SCALE * FINE * 16)) for radius in radii_px)
        cv2.ellipse(self.canvas, center, axes, angle_deg, 0, 360, self._ink(color), -1, cv2.LINE_8, 4)

    def texture(self) -> Array:
        """`(H, W, 4) float32`, color premultiplied by alpha."""
        height, width = self.view.shape
        reduced = cv2.resize(self.canvas, (width, height), interpolation=cv2.INTER_AREA)
        return reduced.astype(np.float32) / np.float32(255.0)


def over(below: Array, above: Array) -> Array:
    """Lay one premultiplied RGBA image over another of the same size."""
    return above + below * (1.0 - above[..., 3:])


LEAF_STOPS: dict[str, list[Color]] = {
    "broad": [(0.07, 0.12, 0.10), (0.14, 0.24, 0.12), (0.33, 0.40, 0.13), (0.83, 0.71, 0.26)],
    "autumn": [(0.19, 0.10, 0.08), (0.42, 0.20, 0.09), (0.72, 0.38, 0.11), (0.99, 0.73, 0.30)],
    "cypress": [(0.03, 0.07, 0.09), (0.06, 0.15, 0.12), (0.14, 0.25, 0.13), (0.55, 0.50, 0.20)],
}


def _leaf_color(kind: str, light: float, haze: float, haze_color: Color) -> Array:
    stops = np.array(LEAF_STOPS[kind])
    position = float(np.clip(light, 0, 1)) * (len(stops) - 1)
    index = min(int(position), len(stops) - 2)
    color = stops[index] + (stops[index + 1] - stops[index]) * (position - index)
    return color + (np.array(haze_color) - color) * haze


def tree(
    painter: Painter,
    foot_px: tuple[float, float],
    height_px: float,
    rng: np.random.Generator,
    kind: str = "broad",
    haze: float = 0.0,
    haze_color: Color = (0.9, 0.7, 0.55),
) -> None:
    """A tree of leaf dabs, lit from the upper right; "cypress" is a narrow flame, the others are round."""
    x_px, y_px = foot_px
    narrow = kind == "cypress"
    half_width = height_px * (0.115 if narrow else 0.40)
    trunk = _leaf_color(kind, 0.05, haze, haze_color) + np.array([0.05, 0.02, 0.0])
    painter.line(np.array([[x_px, y_px], [x_px, y_px - height_px * 0.5]]), trunk, max(0.4, height_px * 0.05))
    clumps = [(0.0, 0.0, 1.0)]
    if not narrow:
        clumps = [(*rng.uniform(-0.62, 0.62, 2), rng.uniform(0.4, 0.62)) for _ in range(9)]
        clumps.sort(key=lambda clump: clump[1])
    count = int(np.clip(height_px * (22 if narrow else 6), 24, 4200))
    for clump_x, clump_y, size in clumps:
        along = np.sort(rng.uniform(0, 1, count))[::-1] if narrow else rng.uniform(0, 1, count)
        for step in along:
            if narrow:
                # Widest low down, a thin tip on top; the sway makes it a flame, not a cone.
                reach = 1.3 * step**0.8 * (1.0 - 0.62 * step**5)
                side = rng.normal(0, 0.42)
                sway = 0.16 * np.sin(step * 9.0 + x_px) * (1 - step)
                leaf_x = x_px + (np.clip(side, -1, 1) * reach + sway) * half_width
                leaf_y = y_px - height_px * (1.0 - step) + rng.normal(0, 1.0)
                light = 0.30 + 0.62 * side + rng.normal(0, 0.15) + 0.14 * np.sin(step * 40 + side * 5)
                radii = (height_px * 0.008 + 0.35, height_px * 0.028 + 0.9)
                angle = 18.0 * side + rng.normal(0, 8)
            else:
                turn, radius = rng.uniform(0, 2 * np.pi), np.sqrt(step) * size
                unit_x, unit_y = np.cos(turn) * radius, np.sin(turn) * radius
                leaf_x = x_px + (clump_x + unit_x) * half_width
                leaf_y = y_px - height_px * 0.60 + (clump_y + unit_y * 0.9) * half_width
                light = 0.33 + 0.42 * (unit_x - unit_y) / size * 0.75 + 0.16 * (clump_x - clump_y)
                light += rng.normal(0, 0.10)
                radii = (height_px * 0.028 + 0.3, height_px * 0.020 + 0.25)
                angle = rng.uniform(0, 180)
            painter.dab(leaf_x, leaf_y, radii, angle, _leaf_color(kind, light, haze, haze_color))


def blade(
    painter: Painter,
    root_px: tuple[float, float],
    length_px: float,
    lean: float,
    width_px: float,
    color: Array,
) -> tuple[float, float]:
    """One bent, tapering blade of grass, light at the tip.

    :param lean: sideways reach of the tip as a share of the length.
    :return: where the tip is, in reference pixels.
    """
    step = np.linspace(0.0, 1.0, 6)
    x_px = root_px[0] + lean * length_px * step**1.8
    y_px = root_px[1] - length_px * step * (1.0 - 0.18 * abs(lean) * step)
    half = width_px * 0.5 * (1.0 - step) ** 0.7
    for first, last, light in ((0, 3, 0.55), (2, 5, 0.85), (3, 6, 1.15)):
        left = np.stack([x_px - half, y_px], axis=1)[first:last]
        right = np.stack([x_px + half, y_px], axis=1)[first:last]
        painter.polygon(np.concatenate([left, right[::-1]]), np.asarray(color) * light)
    return float(x_px[-1]), float(y_px[-1])


def flower(painter: Painter, x_px: float, y_px: float, size_px: float, kind: str, rng: np.random.Generator) -> None:
    """A blossom seen a little from the side."""
    if kind == "poppy":
        base = np.array([0.90, 0.20, 0.10]) * rng.uniform(0.85, 1.08)
        for turn, shade in ((200, 0.62), (-20, 0.80), (90, 0.92), (265, 1.05), (320, 1.2)):
            radian = np.deg2rad(turn + rng.normal(0, 12))
            center = (x_px + 0.42 * size_px * np.cos(radian), y_px + 0.24 * size_px * np.sin(radian))
            painter.dab(*center, (size_px * 0.58, size_px * 0.42), turn * 0.2, base * shade + [0.03, 0.02, 0.0])
        painter.dab(x_px, y_px + 0.05 * size_px, (size_px * 0.2, size_px * 0.14), 0, np.array([0.15, 0.05, 0.08]))
        return
    petals = {"daisy": (0.98, 0.94, 0.86), "corn": (0.33, 0.42, 0.90), "gold": (1.0, 0.80, 0.18)}[kind]
    heart = {"daisy": (0.95, 0.70, 0.12), "corn": (0.25, 0.15, 0.50), "gold": (0.62, 0.33, 0.06)}[kind]
    for number in range(9):
        turn = 2 * np.pi * number / 9 + rng.normal(0, 0.1)
        center = (x_px + 0.6 * size_px * np.cos(turn), y_px + 0.38 * size_px * np.sin(turn))
        light = 0.82 + 0.2 * np.cos(turn + 0.6)
        radii = (size_px * 0.42, size_px * 0.2)
        painter.dab(
            *center,
            radii,
            np.rad2deg(np.arctan2(0.38 * np.sin(turn), 0.6 * np.cos(turn))),
            np.array(petals) * light,
        )
    painter.dab(x_px, y_px, (size_px * 0.28, size_px * 0.2), 0, np.array(heart))


BALLOON_COLORS: tuple[tuple[Color, ...], ...] = (
    ((0.87, 0.17, 0.13), (0.99, 0.79, 0.22), (0.12, 0.33, 0.62), (0.97, 0.93, 0.83)),
    ((0.10, 0.50, 0.55), (0.98, 0.93, 0.82), (0.95, 0.52, 0.14), (0.98, 0.93, 0.82)),
)


def balloon(view: View, center_x_px: float, top_px: float, height_px: float, palette: int) -> Array:
    """A striped hot-air balloon with its basket, as a premultiplied `(H, W, 4) float32` texture."""
    x_px, y_px = view.grid()
    down = (y_px - top_px) / height_px
    across = (x_px - center_x_px) / height_px
    upper = 0.435 * np.sqrt(np.clip(1 - ((0.42 - down) / 0.42) ** 2, 0, 1))
    fall = np.clip((down - 0.42) / 0.58, 0, 1)
    radius = np.where(down < 0.42, upper, 0.095 + 0.34 * (0.5 + 0.5 * np.cos(np.pi * fall**1.12)))
    inside = np.clip((radius - np.abs(across)) * height_px * SCALE + 0.5, 0, 1)
    inside *= ((down >= 0) & (down <= 1.0)).astype(np.float32)
    unit = np.clip(across / np.maximum(radius, 1e-3), -1, 1)
    gore = (np.arcsin(unit) / np.pi + 0.5) * 12 + 0.35
    colors = np.array(BALLOON_COLORS[palette], np.float32)
    flat = colors[np.floor(gore).astype(int) % len(colors)]
    band = smoothstep(0.012, 0.0, np.abs(down - 0.50) - 0.055)
    zigzag = np.abs((gore % 1.0) - 0.5) * 0.09
    trim = smoothstep(0.008, 0.0, np.abs(down - 0.485 - zigzag) - 0.014)
    flat = mix(flat, np.array(colors[2] * 0.8 + 0.05), band * 0.92)
    flat = mix(flat, np.array([1.0, 0.86, 0.45]), trim)
    seam = 1.0 - 0.28 * np.exp(-((((gore + 0.5) % 1.0) - 0.5) ** 2) / 0.004)
    # Each gore bulges a little between its seams; the sun stands low on the right.
    bulge = 0.5 * ((gore % 1.0) - 0.5)
    depth = np.sqrt(np.clip(1 - unit**2, 0, 1))
    light = 0.50 + 0.62 * unit + 0.26 * (0.42 - down) + 0.16 * depth + 0.22 * bulge
    light = smoothstep(-0.5, 1.25, light)
    shaded = flat * (0.30 + 0.92 * light)[..., None] * seam[..., None]
    shadow_tint = mix(np.array([0.62, 0.66, 0.98]), np.array([1.08, 1.0, 0.86]), light)
    shaded = shaded * shadow_tint
    rim = np.exp(-((1 - unit) ** 2) / 0.010)[..., None] * np.array([0.30, 0.20, 0.08])
    glow = np.exp(-((across / 0.13) ** 2) - ((down - 0.93) / 0.10) ** 2)[..., None] * np.array([0.4, 0.2, 0.04])
    shaded = np.clip(shaded + rim + glow, 0, 1)
    envelope = np.concatenate([shaded * inside[..., None], inside[..., None]], axis=-1)
    return over(_basket(view, center_x_px, top_px + height_px, height_px), envelope.astype(np.float32))


def _basket(view: View, x_px: float, mouth_px: float, height_px: float) -> Array:
    painter = Painter(view)
    top, bottom = mouth_px + 0.13 * height_px, mouth_px + 0.235 * height_px
    half = 0.062 * height_px
    for side in (-1.0, -0.35, 0.35, 1.0):
        rope = np.array([[x_px + side * 0.09 * height_px, mouth_px - 1], [x_px + side * half, top]])
        painter.line(rope, (0.25, 0.18, 0.16), 0.006 * height_px)
    for number in range(8):
        left = x_px + half * (number / 4 - 1)
        column = np.array([[left, top], [left + half / 4, top], [left + half / 4, bottom], [left, bottom]])
        column[2:, 0] = x_px + (column[2:, 0] - x_px) * 0.86
        painter.polygon(column, np.array([0.42, 0.24, 0.11]) * (0.55 + 0.11 * number))
    rim = np.array([[x_px - half * 1.12, top], [x_px + half * 1.12, top]])
    painter.line(rim, (0.72, 0.45, 0.20), 0.022 * height_px)
    for side, color in ((-0.3, (0.20, 0.16, 0.25)), (0.35, (0.35, 0.13, 0.12))):
        painter.dab(
            x_px + side * half,
            top - 0.028 * height_px,
            (0.022 * height_px, 0.034 * height_px),
            0,
            np.array(color),
        )
        painter.dab(
            x_px + side * half,
            top - 0.068 * height_px,
            (0.016 * height_px,) * 2,
            0,
            np.array([0.75, 0.5, 0.38]),
        )
    return painter.texture()


def tower(view: View, foot_px: tuple[float, float], height_px: float) -> Array:
    """The round, whitewashed tower of a windmill with its thatched cap."""
    x_px, y_px = view.grid()
    down = (y_px - (foot_px[1] - height_px)) / height_px
    half = height_px * (0.155 + 0.10 * np.clip(down, 0, 1.2))
    across = (x_px - foot_px[0]) / half
    inside = np.clip((1 - np.abs(across)) * half * SCALE + 0.5, 0, 1)
    inside = inside * smoothstep(0.0, 0.02, down) * smoothstep(1.06, 1.03, down)
    rough = fbm(view.shape, 6.0, 3, np.random.default_rng(3))
    light = smoothstep(-1.0, 1.0, across * 0.9 + 0.10 * rough)
    color = mix(np.array([0.42, 0.36, 0.45]), np.array([1.0, 0.88, 0.68]), light)
    color = color * (0.96 + 0.10 * rough - 0.20 * smoothstep(0.75, 1.05, down))[..., None]
    wall = np.concatenate([color * inside[..., None], inside[..., None]], axis=-1).astype(np.float32)
    painter = Painter(view)
    cap_y = foot_px[1] - height_px
    turn = np.linspace(0, np.pi, 24)
    cap = np.stack([foot_px[0] + 0.20 * height_px * np.cos(turn), cap_y + 2 - 0.21 * height_px * np.sin(turn)], 1)
    painter.polygon(cap, (0.33, 0.19, 0.15))
    lit = cap[:12] * [0.85, 1.0] + [foot_px[0] * 0.15 + 0.02 * height_px, 0.5]
    painter.polygon(np.concatenate([lit, [[foot_px[0] + 1, cap_y + 2]]]), (0.68, 0.36, 0.20))
    for level, side in ((0.42, 0.25), (0.68, -0.35)):
        window = np.array([[-0.03, -0.045], [0.03, -0.045], [0.03, 0.045], [-0.03, 0.045]]) * height_px
        place = np.array([foot_px[0] + side * 0.15 * height_px, cap_y + level * height_px])
        painter.polygon(window + place, (0.16, 0.14, 0.22))
    door = np.array([[-0.045, 0.0], [0.045, 0.0], [0.045, -0.15], [0.0, -0.18], [-0.045, -0.15]]) * height_px
    door += np.array([foot_px[0] + 0.02 * height_px, foot_px[1]])
    painter.polygon(door, (0.30, 0.15, 0.12))
    return over(wall, painter.texture())


def sails(view: View, hub_px: tuple[float, float], reach_px: float) -> Array:
    """Four lattice sails around a hub."""
    painter = Painter(view)
    hub = np.array(hub_px)
    for turn in np.deg2rad([20, 110, 200, 290]):
        along = np.array([np.cos(turn), np.sin(turn)])
        side = np.array([-along[1], along[0]])
        cloth = [
            hub + along * reach_px * a + side * reach_px * b
            for a, b in ((0.2, 0.02), (1, 0.02), (1, 0.24), (0.2, 0.20))
        ]
        painter.polygon(np.array(cloth), (0.93, 0.80, 0.62) if turn < 2.5 else (0.80, 0.64, 0.52))
        for step in np.linspace(0.2, 1.0, 9):
            rung = np.array([hub + along * reach_px * step, hub + along * reach_px * step + side * reach_px * 0.24])
            painter.line(rung, (0.42, 0.27, 0.20), 0.5)
        edge = np.array([hub + along * reach_px * 0.2 + side * reach_px * 0.2, hub + (along + side * 0.24) * reach_px])
        painter.line(edge, (0.42, 0.27, 0.20), 0.6)
        painter.line(np.array([hub, hub + along * reach_px]), (0.30, 0.18, 0.14), 1.3)
    painter.dab(*hub, (1.8, 1.8), 0, np.array([0.25, 0.15, 0.12]))
    return painter.texture()


def boat(view: View, foot_px: tuple[float, float], height_px: float) -> Array:
    """A small sailing boat and its broken reflection."""
    painter = Painter(view)
    x, y = foot_px
    size = height_px
    main = np.array([[0.04, -0.12], [0.06, -1.0], [0.46, -0.16]]) * size + [x, y]
    jib = np.array([[-0.02, -0.14], [0.03, -0.86], [-0.34, -0.16]]) * size + [x, y]
    for part, color in ((main, (1.0, 0.93, 0.80)), (jib, (0.90, 0.36, 0.20))):
        painter.polygon(part, color)
    hull = np.array([[-0.42, -0.11], [0.50, -0.13], [0.38, 0.02], [-0.30, 0.02]]) * size + [x, y]
    painter.polygon(hull, (0.36, 0.16, 0.14))
    result = painter.texture()
    mirror_row = round((y + 0.02 * size - view.top_px) * SCALE)
    rows = np.clip(2 * mirror_row - np.arange(view.shape[0]), 0, view.shape[0] - 1)
    broken = 0.45 * (np.sin(np.arange(view.shape[0]) * 1.9) > -0.3)[:, None, None]
    mirrored = result[rows] * broken
    mirrored[:mirror_row] = 0
    return over(mirrored.astype(np.float32), result)
