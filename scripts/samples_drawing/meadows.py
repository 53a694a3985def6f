"""The near half of the clip's scene: hills with fields and trees, lavender rows, grass and flowers."""

from __future__ import annotations

import numpy as np
from samples_drawing import sprites, terrain
from samples_drawing.landscape import HAZE_SUN, LAKE_LEVEL, haze_color, world_noise
from samples_drawing.layers import CAMERA_HEIGHT, FOCAL_PX, HORIZON_PX, SCALE, View
from samples_drawing.noise import fbm, mix, smoothstep

Array = np.ndarray

CROPS = np.array(
    [
        [0.86, 0.66, 0.24],
        [0.47, 0.56, 0.20],
        [0.70, 0.68, 0.27],
        [0.55, 0.40, 0.56],
        [0.30, 0.46, 0.20],
        [0.93, 0.76, 0.34],
        [0.62, 0.38, 0.22],
    ],
    np.float32,
)


def _patchwork(ground: terrain.Ground, cell: float, seed: int) -> tuple[Array, Array]:
    """Fields as the cells nearest to scattered points.

    :return: crop colors `(slices, W, 3)` and the distance to the hedge between two fields `(slices, W)`.
    """
    rng = np.random.default_rng(seed)
    spots = rng.uniform([-4.0, 1.5], [4.0, 8.0], (170, 2)).astype(np.float32)
    bend = 0.25 * cell * world_noise(ground, cell, 2, seed + 1)
    best = np.full(ground.right.shape, np.inf, np.float32)
    second = best.copy()
    owner = np.zeros(ground.right.shape, np.int32)
    for index, (right, away) in enumerate(spots):
        distance = np.abs(ground.right + bend - right) + np.abs(ground.away + bend - away) * 0.55
        closer = distance < best
        second = np.where(closer, best, np.minimum(second, distance))
        owner[closer] = index
        best = np.minimum(best, distance)
    crop = CROPS[rng.integers(0, len(CROPS), len(spots))][owner]
    turn = rng.uniform(0, np.pi, len(spots))[owner]
    rows = np.sin((ground.right * np.cos(turn) + ground.away * 0.6 * np.sin(turn)) * 2 * np.pi / (cell * 0.075))
    return crop * (1.0 + 0.10 * rows[..., None]).astype(np.float32), second - best


def far_hills(view: View) -> Array:
    """Patchwork hills on a headland left of the lake and a low one on its right."""
    ground = terrain.slices(view, 4.6, 7.0, 300)
    land = smoothstep(352, 190, ground.screen_x_px) + 0.75 * smoothstep(545, 650, ground.screen_x_px)
    land = land * smoothstep(7.0, 6.0, ground.away)
    height = LAKE_LEVEL - 0.10 + land * (0.34 + 0.20 * world_noise(ground, 1.6, 3, 61))
    crop, hedge = _patchwork(ground, 1.0, 67)
    bumps = world_noise(ground, 0.05, 2, 71)
    wood = np.maximum(smoothstep(0.05, 0.02, hedge), smoothstep(0.16, 0.24, world_noise(ground, 1.1, 3, 73)))
    height = height + wood * (0.035 + 0.035 * bumps)
    light = smoothstep(0.10, 0.85, terrain.sunlight(ground, height))
    shade = mix(np.array([0.34, 0.38, 0.55]), np.array([1.15, 1.0, 0.78]), light)
    leaves = mix(np.array([0.08, 0.16, 0.15]), np.array([0.52, 0.50, 0.20]), light)
    color = mix(crop * shade, leaves, wood)
    color = mix(color, haze_color(ground.screen_x_px), 0.20 + 0.10 * smoothstep(4.6, 7.0, ground.away))
    return terrain.draw(view, ground, height, color)


def mill_hill_height(x_px: Array) -> Array:
    """Crest of the windmill's hill over the reference frame's x, in world units above the plain."""
    return (
        0.02
        + 0.20 * np.exp(-(((x_px - 120.0) / 120.0) ** 2))
        + 0.11 * smoothstep(520, 690, x_px)
        - 0.060 * smoothstep(240, 330, x_px) * smoothstep(600, 470, x_px)
    )


def mill_hill(view: View) -> Array:
    """The hill of the windmill, with hedges, trees and a farmhouse."""
    ground = terrain.slices(view, 2.5, 3.7, 300)
    hump = np.clip(np.sin(np.pi * np.clip((ground.away - 2.7) / 1.0, 0, 1)), 0, 1) ** 0.8
    height = mill_hill_height(ground.screen_x_px) * hump
    tufts = world_noise(ground, 0.035, 3, 79)
    height = height + 0.004 * tufts + 0.012 * world_noise(ground, 0.4, 2, 81)
    crop, hedge = _patchwork(ground, 0.55, 183)
    wood = smoothstep(0.020, 0.006, hedge)
    height = height + wood * (0.014 + 0.02 * world_noise(ground, 0.03, 2, 85))
    light = smoothstep(0.12, 0.80, terrain.sunlight(ground, height))
    grass = mix(crop, np.array([0.52, 0.55, 0.20]), 0.45) * (1 + 0.16 * tufts[..., None])
    shade = mix(np.array([0.28, 0.34, 0.46]), np.array([1.22, 1.05, 0.72]), light)
    leaves = mix(np.array([0.06, 0.13, 0.11]), np.array([0.48, 0.46, 0.16]), light)
    color = mix(mix(grass * shade, leaves, wood), haze_color(ground.screen_x_px), 0.07)
    return sprites.over(terrain.draw(view, ground, height, color), _hill_trees(view))


def _hill_trees(view: View) -> Array:
    painter = sprites.Painter(view)
    rng = np.random.default_rng(89)
    spots: list[tuple[float, float, str]] = []
    for x_px in rng.uniform(-70, 330, 30):
        if abs(x_px - 128) > 26:
            spots.append((x_px, rng.uniform(8, 17), "broad" if rng.random() < 0.7 else "autumn"))
    spots += [(x_px, rng.uniform(9, 19), "broad") for x_px in rng.uniform(560, 745, 20)]
    spots += [
        (182.0, 34.0, "cypress"),
        (190.0, 27.0, "cypress"),
        (236.0, 24.0, "cypress"),
        (72.0, 30.0, "cypress"),
    ]
    placed = []
    for x_px, size, kind in spots:
        crest = float(mill_hill_height(np.float32(x_px)))
        depth = rng.uniform(0.0, 0.85) if kind != "cypress" else 0.25
        foot = HORIZON_PX + FOCAL_PX * (CAMERA_HEIGHT - crest) / 3.2
        foot += depth * max(HORIZON_PX + FOCAL_PX * CAMERA_HEIGHT / 2.75 - foot, 0.0) + 2.0
        placed.append((foot, x_px, size, kind))
    for foot, x_px, size, kind in sorted(placed):
        sprites.tree(painter, (x_px, foot), size, rng, kind, haze=0.10, haze_color=tuple(HAZE_SUN * 0.8))
    _farmhouse(painter, (218.0, 226.0), 15.0)
    return painter.texture()


def _farmhouse(painter: sprites.Painter, foot_px: tuple[float, float], size_px: float) -> None:
    corner = np.array(foot_px)

    def part(points: list[tuple[float, float]], color: tuple[float, float, float]) -> None:
        painter.polygon(np.array(points) * size_px + corner, color)

    part([(-0.9, 0), (0.35, 0), (0.35, -0.62), (-0.9, -0.62)], (0.58, 0.47, 0.47))
    part([(0.35, 0), (0.95, 0), (0.95, -0.62), (0.65, -1.02), (0.35, -0.62)], (1.0, 0.85, 0.62))
    part([(-1.0, -0.58), (0.37, -0.58), (0.67, -1.06), (-0.72, -1.06)], (0.62, 0.25, 0.17))
    part([(0.37, -0.58), (0.67, -1.06), (1.02, -0.56), (0.94, -0.54), (0.66, -0.92)], (0.93, 0.48, 0.26))
    part([(-0.45, -1.0), (-0.28, -1.0), (-0.28, -1.28), (-0.45, -1.28)], (0.60, 0.33, 0.26))
    for x in (-0.7, -0.3, 0.05):
        part([(x, -0.2), (x + 0.14, -0.2), (x + 0.14, -0.44), (x, -0.44)], (0.20, 0.18, 0.28))
    part([(0.56, -0.0), (0.74, -0.0), (0.74, -0.34), (0.56, -0.34)], (0.33, 0.17, 0.13))


def fields(view: View) -> Array:
    """Level ground: lavender rows on the right, ripe wheat on the left, a path between them."""
    ground = terrain.slices(view, 0.80, 2.68, 900)
    rng = np.random.default_rng(97)
    # The rows run away from the camera, a little to the left.
    across = ground.right + 0.16 * (ground.away - 1.0) + 0.010 * world_noise(ground, 0.5, 2, 99)
    spikes = fbm(ground.right.shape, (2.2, 2.6), 2, rng)
    clumps = world_noise(ground, 0.030, 3, 101)
    row = across / 0.105
    mound = np.clip(np.cos(2 * np.pi * row) * 0.75 + 0.45, 0, 1) ** 0.7
    bend = 0.030 * np.sin(ground.away * 3.4 + 0.6) + 0.012
    path = smoothstep(0.055, 0.030, np.abs(across + 0.175 + bend + 0.012 * clumps))
    lavender = smoothstep(-0.130, -0.120, across)
    wheat = smoothstep(-0.222, -0.232, across + bend + 0.006 * clumps)
    level = lavender * mound * (0.026 + 0.007 * clumps) + wheat * (0.027 + 0.003 * clumps)
    height = level + (lavender * mound + wheat * 0.8) * 0.0050 * spikes
    light = smoothstep(0.05, 0.90, terrain.sunlight(ground, level + 0.0012 * spikes))
    tip = np.clip(0.45 + 0.55 * spikes + 0.35 * clumps, 0, 1)
    flowers = mix(np.array([0.23, 0.13, 0.42]), np.array([0.64, 0.44, 0.86]), tip)
    hue = smoothstep(-0.35, 0.45, world_noise(ground, 0.22, 3, 103))
    flowers = mix(flowers, flowers * np.array([1.30, 0.95, 0.86]), hue)
    flowers = mix(flowers, np.array([1.0, 0.70, 0.76]), 0.62 * smoothstep(0.55, 0.95, light) * tip)
    furrow = mix(np.array([0.19, 0.20, 0.15]), np.array([0.46, 0.38, 0.20]), smoothstep(-0.4, 0.6, clumps))
    shade = mix(np.array([0.48, 0.48, 0.66]), np.array([1.18, 1.06, 0.94]), light)
    color = mix(furrow, flowers, smoothstep(0.15, 0.45, mound)) * shade
    ears = mix(
        np.array([0.55, 0.34, 0.10]),
        np.array([1.0, 0.82, 0.38]),
        np.clip(tip * 0.75 + 0.4 * light - 0.1, 0, 1),
    )
    drift = smoothstep(-0.5, 0.5, world_noise(ground, 0.35, 3, 105))
    tracks = np.exp(-((((across / 0.21) % 1.0 - 0.5) / 0.045) ** 2))
    ears = ears * (1.0 - 0.22 * tracks * (0.7 + 0.5 * clumps))[..., None]
    color = mix(color, ears * mix(np.array([0.78, 0.70, 0.62]), np.array([1.05, 1.0, 0.95]), drift), wheat)
    verge = mix(
        np.array([0.22, 0.30, 0.11]),
        np.array([0.62, 0.62, 0.22]),
        np.clip(0.5 + spikes * 0.6 + clumps * 0.3, 0, 1),
    )
    color = mix(color, verge, (1 - lavender) * (1 - wheat))
    rut = np.exp(-(((np.abs(across + 0.175 + bend) - 0.026) / 0.007) ** 2))
    soil = mix(
        np.array([0.62, 0.46, 0.32]),
        np.array([0.95, 0.78, 0.55]),
        np.clip(0.5 + 0.5 * clumps + 0.3 * spikes, 0, 1),
    )
    soil = soil * (1.0 - 0.28 * rut[..., None])
    color = mix(color, soil, path)
    color = color * mix(np.ones(3), np.array([0.42, 0.42, 0.62]), 0.85 * _cypress_shadows(ground))
    color = mix(color, haze_color(ground.screen_x_px), 0.16 * smoothstep(1.4, 2.7, ground.away))
    return terrain.draw(view, ground, height, np.clip(color, 0, 1))


def _cypress_shadows(ground: terrain.Ground) -> Array:
    """The long shadows of the two cypresses over the field, `(slices, W)` in [0, 1]."""
    total = np.zeros(ground.right.shape, np.float32)
    for foot_right, foot_away, length in ((0.692, 1.56, 0.95), (0.607, 1.59, 0.66)):
        right, away = ground.right - foot_right, ground.away - foot_away
        along = -0.92 * right - 0.38 * away
        aside = np.abs(0.38 * right - 0.92 * away)
        share = np.clip(along / length, 0, 1)
        half = 0.055 * np.sin(np.pi * (0.12 + 0.88 * share)) + 0.004
        blur = 0.006 + 0.02 * share
        total = np.maximum(total, np.clip((half - aside) / blur + 0.5, 0, 1) * (along > 0) * (along < length))
    return total


def grass_strip(view: View, crest_px: float, size_px: float, seed: int) -> Array:
    """One strip of tall grass and flowers whose feet stand at about `crest_px`."""
    painter = sprites.Painter(view)
    rng = np.random.default_rng(seed)
    width = view.right_px - view.left_px
    ridge = fbm((1, view.shape[1]), (50.0, 130.0 * SCALE), 3, rng)[0] * size_px * 0.55
    count = int(width * 6.5)
    roots = np.stack([rng.uniform(view.left_px, view.right_px, count), rng.uniform(0, 1, count) ** 1.3], axis=1)
    roots = roots[np.argsort(roots[:, 1])]
    kinds = np.array(["poppy", "poppy", "daisy", "corn", "gold"])
    meadow = fbm((1, view.shape[1]), (50.0, 70.0 * SCALE), 2, rng)[0]
    for x_px, depth in roots:
        column = int(np.clip((x_px - view.left_px) * SCALE, 0, view.shape[1] - 1))
        foot = crest_px + ridge[column] + depth * size_px * 1.5
        warm = np.clip(0.5 + 0.8 * meadow[column] + rng.normal(0, 0.25), 0, 1)
        color = mix(np.array([0.16, 0.30, 0.12]), np.array([0.66, 0.60, 0.20]), float(warm)) * rng.uniform(0.6, 1.1)
        color = color * (1.08 - 0.55 * depth)
        length = size_px * rng.uniform(0.5, 1.15)
        tip = sprites.blade(painter, (x_px, foot), length, rng.normal(-0.12, 0.28), size_px * 0.055, color)
        if rng.random() < 0.048 and depth < 0.8:
            kind = str(kinds[min(int((meadow[column] + 0.6) * 3.2 + rng.normal(0, 0.9)) % 5, 4)])
            scale = 0.14 if kind == "poppy" else 0.095
            sprites.flower(painter, *tip, size_px * scale * rng.uniform(0.6, 1.25), kind, rng)
    return _with_soil(view, painter.texture(), crest_px + ridge)


def _with_soil(view: View, texture: Array, ridge_px: Array) -> Array:
    """Fill the dark ground between the blades, soft at its upper edge."""
    _, y_px = view.grid()
    solid = smoothstep(-2.0, 4.0, y_px - ridge_px[None])
    soil = np.broadcast_to(np.array([0.10, 0.15, 0.08], np.float32), (*view.shape, 3))
    below = np.concatenate([soil * solid[..., None], solid[..., None]], axis=-1).astype(np.float32)
    return sprites.over(below, texture)


def tall_cypresses(view: View) -> Array:
    """Two dark cypresses that frame the right of the picture."""
    painter = sprites.Painter(view)
    rng = np.random.default_rng(107)
    sprites.tree(painter, (604.0, 282.0), 208.0, rng, "cypress")
    sprites.tree(painter, (571.0, 280.0), 138.0, rng, "cypress")
    for x_px in rng.uniform(545, 640, 9):
        sprites.tree(painter, (x_px, 283.0 + rng.normal(0, 1.5)), rng.uniform(10, 20), rng, "broad")
    return painter.texture()
