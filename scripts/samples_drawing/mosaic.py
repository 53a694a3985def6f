"""An autumn tree before a low sun, laid in square stones with dark joints."""

from __future__ import annotations

import cv2
import numpy as np
from samples_drawing.noise import fbm, gradient, mix, smoothstep

Array = np.ndarray

WIDTH_PX, HEIGHT_PX = 840, 640
FINE = 2  # laid at this many times the final size
STONE_PX = 14.0  # final pixels from stone to stone
ROUNDS = 9
SUN_PX = (596.0, 232.0)
JOINT = np.array([0.095, 0.065, 0.065], np.float32)


def _grid() -> tuple[Array, Array]:
    rows, columns = np.mgrid[0 : HEIGHT_PX * FINE, 0 : WIDTH_PX * FINE].astype(np.float32)
    return (columns + 0.5) / FINE, (rows + 0.5) / FINE


def _branches() -> list[tuple[Array, float]]:
    """Limbs of the tree as `(points (N, 2), width at the foot)`, final pixels, grown from a fixed seed."""
    rng = np.random.default_rng(31)
    limbs: list[tuple[Array, float]] = []

    def grow(root: Array, angle: float, length: float, width: float, level: int) -> None:
        share = np.linspace(0, 1, 12)
        bend = rng.normal(0, 0.35)
        turn = angle + bend * share
        step = np.stack([np.cos(turn), np.sin(turn)], axis=1) * length / 11
        points = root + np.cumsum(step, axis=0) - step[0]
        limbs.append((points, width))
        if level == 0:
            return
        for number in range(3 if level > 1 else 2):
            start = points[rng.integers(7, 12)]
            aside = (number - 1) * 0.62 + rng.normal(0, 0.16)
            grow(start, turn[-1] + aside, length * rng.uniform(0.62, 0.8), width * 0.56, level - 1)

    grow(np.array([262.0, 560.0]), -1.52, 210.0, 68.0, 3)
    return limbs


def _tree_maps(x_px: Array) -> tuple[Array, Array]:
    """Mask of trunk and limbs and their direction (radians), each `(H, W) float32`."""
    mask = np.zeros(x_px.shape, np.uint8)
    angle = np.zeros(x_px.shape, np.float32)
    for points, width in _branches():
        for index in range(len(points) - 1):
            taper = 1.0 - 0.5 * index / len(points)
            flare = 1.0 + 0.9 * np.exp(-index / 1.6) * (width > 40)
            ends = [tuple(int(value * FINE) for value in points[index + offset]) for offset in (0, 1)]
            thickness = max(2, round(width * taper * flare * FINE))
            cv2.line(mask, *ends, 255, thickness)
            step = points[index + 1] - points[index]
            cv2.line(angle, *ends, float(np.arctan2(step[1], step[0])), thickness)
    return mask.astype(np.float32) / 255, angle


def ground_line(x_px: Array, layer: int) -> Array:
    """Upper edge of the hills (0 the farthest) in final pixels."""
    if layer == 0:
        return 402 - 34 * np.sin(x_px / 128 + 0.8)
    if layer == 1:
        return 468 + 26 * np.sin(x_px / 150 + 0.3)
    return 546 - 20 * np.sin(x_px / 170 + 0.2)


def _design() -> tuple[Array, Array]:
    """The cartoon: colors `(H, W, 3) float32` and directions of the rows of stones `(H, W)` in radians."""
    x_px, y_px = _grid()
    rng = np.random.default_rng(33)
    dx, dy = x_px - SUN_PX[0], y_px - SUN_PX[1]
    distance = np.hypot(dx, dy)
    angle = np.arctan2(dy, dx) + np.pi / 2
    rings = 0.5 + 0.5 * np.sin(distance / 17.0 + 0.9 * np.sin(np.arctan2(dy, dx) * 8))
    ramp = [
        (60.0, (0.99, 0.83, 0.38)),
        (130.0, (0.97, 0.64, 0.22)),
        (235.0, (0.82, 0.36, 0.20)),
        (350.0, (0.46, 0.25, 0.34)),
        (480.0, (0.17, 0.27, 0.40)),
        (650.0, (0.08, 0.19, 0.33)),
    ]
    color = gradient(ramp, distance + 36 * (rings - 0.5))
    color = mix(
        color,
        np.array([0.16, 0.52, 0.54]),
        0.75 * smoothstep(0.84, 0.98, rings) * smoothstep(150, 330, distance),
    )
    color = mix(color, np.array([1.0, 0.93, 0.66]), smoothstep(60, 57, distance))
    color = mix(color, np.array([0.93, 0.24, 0.10]), smoothstep(5.5, 4.0, np.abs(distance - 64)))
    bands = [((0.30, 0.20, 0.38), (0.66, 0.33, 0.36)), ((0.62, 0.25, 0.12), (0.95, 0.60, 0.20)),
             ((0.20, 0.26, 0.13), (0.70, 0.58, 0.16))]  # fmt: skip
    for layer, (dark, light) in enumerate(bands):
        edge = ground_line(x_px, layer)
        below = y_px - edge
        stripe = 0.5 + 0.5 * np.sin(below / 8.5 + x_px / 95)
        land = mix(np.array(dark), np.array(light), stripe * np.exp(-np.maximum(below, 0) / 120) + 0.1)
        here = below > 0
        color = np.where(here[..., None], land, color)
        angle = np.where(here, np.arctan(np.gradient(edge, axis=1) * FINE), angle)
    return _with_tree(color, angle, x_px, y_px, rng)


def _with_tree(color: Array, angle: Array, x_px: Array, y_px: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    leaves = np.zeros_like(x_px)
    hue = fbm(x_px.shape, 60.0 * FINE, 3, rng)
    swirl = np.zeros_like(x_px)
    for points, width in _branches():
        if width > 22:
            continue
        center, radius = points[-1], rng.uniform(34, 58)
        reach = np.hypot(x_px - center[0], (y_px - center[1]) * 1.1) / radius
        closer = (1 - reach) > np.maximum(leaves, 0)
        swirl = np.where(closer, np.arctan2(y_px - center[1], x_px - center[0]) + np.pi / 2, swirl)
        hue = np.where(closer, 0.55 * hue + rng.uniform(-0.12, 0.20), hue)
        leaves = np.maximum(leaves, 1 - reach)
    crown = leaves > 0.04
    ramp = [
        (-0.35, (0.36, 0.06, 0.09)),
        (-0.12, (0.70, 0.11, 0.08)),
        (0.08, (0.91, 0.32, 0.07)),
        (0.25, (0.98, 0.62, 0.11)),
        (0.45, (1.0, 0.86, 0.34)),
    ]
    toward_sun = (x_px - 270) / 620 - (y_px - 220) / 1300
    foliage = gradient(ramp, hue + 0.30 * (leaves - 0.35) + 0.6 * toward_sun)
    trunk, limb_angle = _tree_maps(x_px)
    wood = trunk > 0.5
    bark = gradient([(-0.4, (0.13, 0.07, 0.11)), (0.4, (0.42, 0.20, 0.14))], fbm(x_px.shape, (90.0, 12.0), 2, rng))
    color = np.where(crown[..., None], foliage, color)
    angle = np.where(crown, swirl, angle)
    # Leaves hide most of the thin limbs.
    shows = wood & (~crown | (leaves < 0.26))
    color = np.where(shows[..., None], bark, color)
    angle = np.where(shows, limb_angle, angle)
    return color.astype(np.float32), angle.astype(np.float32)


def _nearest_stone(spots: Array, angles: Array, shape: tuple[int, int]) -> Array:
    """Which stone owns each pixel when every stone is a square turned by its angle.

    :return: owner index `(H, W) int32`; the distance to a stone is the square (maximum) one.
    """
    best = np.full(shape, np.inf, np.float32)
    owner = np.zeros(shape, np.int32)
    reach = int(STONE_PX * FINE * 1.7)
    for index, (x, y) in enumerate(spots):
        left, top = max(int(x) - reach, 0), max(int(y) - reach, 0)
        right, bottom = min(int(x) + reach, shape[1]), min(int(y) + reach, shape[0])
        if right <= left or bottom <= top:
            continue
        dx = np.arange(left, right, dtype=np.float32)[None] - np.float32(x)
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)
        cosine, sine = np.float32(np.cos(angles[index])), np.float32(np.sin(angles[index]))
        distance = np.maximum(np.abs(cosine * dx + sine * dy), np.abs(cosine * dy - sine * dx))
        window = best[top:bottom, left:right]
        closer = distance < window
        window[closer] = distance[closer]
        owner[top:bottom, left:right][closer] = index
    return owner


def _lay(color: Array, direction: Array) -> tuple[Array, Array]:
    """Spread the stones evenly, turned along the rows (a centroidal Voronoi relaxation).

    :return: owner map `(H, W) int32` and stone centers `(N, 2)`.
    """
    rng = np.random.default_rng(37)
    height, width = direction.shape
    pitch = STONE_PX * FINE
    rows, columns = np.mgrid[pitch / 2 : height : pitch, pitch / 2 : width : pitch]
    spots = np.stack([columns.ravel(), rows.ravel()], axis=1) + rng.uniform(-0.45, 0.45, (rows.size, 2)) * pitch
    # Stones avoid the outlines of the design, so that those stay legible.
    luma = cv2.GaussianBlur(color.mean(axis=2), (0, 0), 2.0)
    edge = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    weight = 1.0 / (1.0 + (edge / 0.10) ** 2)
    y_grid, x_grid = np.mgrid[0:height, 0:width]
    for _ in range(ROUNDS):
        column = np.clip(spots[:, 0].astype(int), 0, width - 1)
        row = np.clip(spots[:, 1].astype(int), 0, height - 1)
        owner = _nearest_stone(spots, direction[row, column], (height, width))
        flat = owner.ravel()
        mass = np.bincount(flat, weight.ravel(), len(spots)) + 1e-6
        moved_x = np.bincount(flat, (weight * x_grid).ravel(), len(spots)) / mass
        moved_y = np.bincount(flat, (weight * y_grid).ravel(), len(spots)) / mass
        used = mass > 1.0
        spots[used] = np.stack([moved_x, moved_y], axis=1)[used]
    column = np.clip(spots[:, 0].astype(int), 0, width - 1)
    row = np.clip(spots[:, 1].astype(int), 0, height - 1)
    return _nearest_stone(spots, direction[row, column], (height, width)), spots


def _joint_distance(owner: Array) -> Array:
    """Distance of every pixel to the edge of its stone, `(H, W) float32` in pixels."""
    border = np.zeros(owner.shape, bool)
    across, down = owner[:, 1:] != owner[:, :-1], owner[1:] != owner[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    return cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)


def paint_mosaic() -> Array:
    """The finished mosaic: `(640, 840, 3) float32` RGB in [0, 1]."""
    color, direction = _design()
    owner, spots = _lay(color, direction)
    rng = np.random.default_rng(41)
    count = np.bincount(owner.ravel(), minlength=len(spots))[:, None] + 1e-6
    channels = [np.bincount(owner.ravel(), color[..., c].ravel(), len(spots)) for c in range(3)]
    stones = np.stack(channels, axis=1) / count
    # Stones are cut from many slabs: each has its own tone and a little of another hue.
    stones = stones * rng.normal(1.0, 0.13, (len(spots), 1)) + rng.normal(0, 0.032, (len(spots), 3))
    tilt = rng.normal(0, 0.5, (len(spots), 2))
    inset = cv2.GaussianBlur(_joint_distance(owner), (0, 0), 0.8)
    rough = fbm(owner.shape, 7.0 * FINE, 4, rng)
    face = stones[owner]
    y_grid, x_grid = np.mgrid[0 : owner.shape[0], 0 : owner.shape[1]]
    across = (np.stack([x_grid, y_grid], axis=-1) - spots[owner]) / (STONE_PX * FINE)
    # No stone lies quite level, so each catches the light on another side.
    slope = (across * tilt[owner]).sum(axis=-1)
    dome = np.minimum(inset, 5.0)
    bevel_x, bevel_y = (
        cv2.Sobel(dome, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(dome, cv2.CV_32F, 0, 1, scale=0.125),
    )
    light = 1.0 + 0.30 * slope + 0.13 * rough + 0.30 * (bevel_x * 0.6 + bevel_y * 0.8)
    shaded = face * light[..., None]
    gloss = np.clip(0.22 * (bevel_x * 0.6 + bevel_y * 0.8) + 0.10 * slope, 0, 1)
    shaded = shaded + gloss[..., None] * np.array([1.0, 0.95, 0.85])
    mortar = JOINT * (1.0 + 0.5 * fbm(owner.shape, 5.0, 2, rng))[..., None]
    stone = smoothstep(1.2, 2.9, inset + 0.35 * rough)
    picture = np.clip(mix(mortar, shaded, stone), 0, 1)
    return cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
