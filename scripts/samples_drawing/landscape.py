"""The far half of the clip's scene: sky, mountains, lake and the wooded hills behind it."""

from __future__ import annotations

import numpy as np
from samples_drawing import terrain
from samples_drawing.layers import CAMERA_HEIGHT, FOCAL_PX, HORIZON_PX, SCALE, View
from samples_drawing.noise import fbm, gradient, mix, sample, smoothstep
from samples_drawing.terrain import SUN_X_PX, SUN_Y_PX

Array = np.ndarray

LAKE_LEVEL = -0.20  # world units
SHORE_PX = HORIZON_PX + FOCAL_PX * (CAMERA_HEIGHT - LAKE_LEVEL) / 14.0
HAZE_SUN = np.array([1.0, 0.80, 0.52], np.float32)
HAZE_AWAY = np.array([0.62, 0.64, 0.78], np.float32)


def haze_color(x_px: Array) -> Array:
    """Color of the distance: golden under the sun, lilac away from it; `x_px.shape + (3,)`."""
    return mix(HAZE_AWAY, HAZE_SUN, np.exp(-(((x_px - SUN_X_PX) / 190.0) ** 2)))


def world_noise(ground: terrain.Ground, cell: float, octaves: int, seed: int, kind: str = "smooth") -> Array:
    """Noise fixed to the ground with features of about `cell` world units, `(slices, W) float32`."""
    rng = np.random.default_rng(seed)
    grid = fbm((1024, 1024), 64.0, octaves, rng, kind=kind)
    return sample(grid, ground.right / cell * 64 + 500, ground.away / cell * 64)


def opaque(color: Array) -> Array:
    """Add a full alpha channel to an `(H, W, 3)` image."""
    return np.concatenate([color, np.ones_like(color[..., :1])], axis=-1).astype(np.float32)


def _cloud_cover(x_px: Array, y_px: Array) -> tuple[Array, Array]:
    """Density and sunlit side of the clouds, both `(H, W) float32`."""
    rng = np.random.default_rng(11)
    shape = x_px.shape
    # Clouds lie in a level sheet overhead, so they flatten toward the horizon.
    flat = 90.0 / (HORIZON_PX + 45.0 - y_px)
    u_px = (x_px - 320.0) * (0.35 + 0.75 * flat) * 2.0 + 1400.0
    v_px = 1500.0 * flat
    warp = [fbm(shape, 60.0, 4, rng) * 46.0 for _ in range(2)]
    base = fbm((2400, 2800), (230.0, 330.0), 7, np.random.default_rng(19), gain=0.52)
    puff = fbm((2400, 2800), (120.0, 150.0), 6, np.random.default_rng(5), gain=0.55, kind="billow")

    def density(shift_x: float, shift_y: float) -> Array:
        u, v = u_px + warp[0] + shift_x, v_px + warp[1] + shift_y
        return sample(base, u, v) + 0.34 * (sample(puff, u, v) - 0.38)

    here = density(0.0, 0.0)
    toward_sun = np.sign(SUN_X_PX - x_px) * np.minimum(np.abs(SUN_X_PX - x_px) / 60.0, 1.0)
    lit = here - density(34.0, 30.0) * 0.5 - density(16.0, 60.0) * 0.5
    lit = lit + 0.05 * toward_sun
    cover = smoothstep(0.00, 0.34, here + 0.05)
    return cover * smoothstep(HORIZON_PX + 20, HORIZON_PX - 50, y_px), lit


def sky(view: View) -> Array:
    """Evening sky with the sun's glow and lit clouds; opaque `(H, W, 4) float32`."""
    x_px, y_px = view.grid()
    color = gradient(
        [
            (-60.0, (0.10, 0.22, 0.47)),
            (30.0, (0.20, 0.42, 0.66)),
            (85.0, (0.47, 0.66, 0.76)),
            (125.0, (0.88, 0.78, 0.64)),
            (175.0, (1.00, 0.71, 0.42)),
        ],
        y_px,
    )
    color = mix(color, color * np.array([0.90, 0.86, 1.06]), smoothstep(330, -60, x_px))
    distance = np.hypot(x_px - SUN_X_PX, (y_px - SUN_Y_PX) * 1.25)
    color = mix(color, np.array([1.0, 0.84, 0.46]), 0.80 * np.exp(-distance / 85.0))
    cover, lit = _cloud_cover(x_px, y_px)
    near_sun = np.exp(-distance / 150.0)
    shadow = mix(np.array([0.43, 0.44, 0.62]), np.array([0.86, 0.52, 0.42]), near_sun)
    bright = mix(np.array([1.0, 0.84, 0.70]), np.array([1.0, 0.92, 0.66]), near_sun)
    clouds = mix(shadow, bright, smoothstep(-0.22, 0.26, lit + 0.10 * (1 - cover)))
    color = mix(color, clouds, cover * 0.94)
    streaks = fbm(view.shape, (7.0, 150.0), 4, np.random.default_rng(23))
    streaks = smoothstep(0.12, 0.55, streaks) * np.exp(-(((y_px - 138) / 24.0) ** 2))
    color = mix(color, np.array([0.98, 0.58, 0.42]), 0.60 * streaks)
    color = mix(color, np.array([1.0, 0.95, 0.76]), np.clip(1.25 * np.exp(-((distance / 27.0) ** 2)), 0, 1))
    disc = smoothstep(13.5, 12.0, np.hypot(x_px - SUN_X_PX, y_px - SUN_Y_PX))
    return opaque(np.clip(mix(color, np.array([1.0, 0.985, 0.90]), disc), 0, 1))


def far_range(view: View) -> Array:
    """Snow-capped mountains, veiled by distance."""
    ground = terrain.slices(view, 27.0, 45.0, 260)
    crest = world_noise(ground, 8.6, 7, 31, kind="ridged")
    swell = world_noise(ground, 15.0, 2, 37)
    rise = smoothstep(26.0, 36.0, ground.away)
    bias = 0.55 + 0.45 * smoothstep(560, 140, ground.screen_x_px)
    height = rise * bias * (6.0 * crest + 1.5 * swell + 1.0)
    light = smoothstep(0.0, 0.80, terrain.sunlight(ground, height))
    snow_line = smoothstep(2.5, 3.4, height + 1.5 * world_noise(ground, 1.6, 4, 41))
    rock = mix(np.array([0.22, 0.25, 0.44]), np.array([0.80, 0.56, 0.46]), light)
    snow = mix(np.array([0.47, 0.54, 0.78]), np.array([1.0, 0.90, 0.76]), light)
    color = mix(rock, snow, snow_line)
    veil = 0.30 + 0.55 * smoothstep(3.6, -0.3, height)
    color = mix(color, haze_color(ground.screen_x_px), np.clip(veil, 0, 0.9))
    return terrain.draw(view, ground, height, color)


def near_range(view: View) -> Array:
    """Darker, wooded mountains that stand on the far shore of the lake."""
    ground = terrain.slices(view, 14.0, 23.0, 260)
    crest = world_noise(ground, 5.1, 6, 43, kind="ridged")
    woods = world_noise(ground, 0.17, 3, 47)
    rise = smoothstep(14.0, 19.0, ground.away)
    gap = 0.30 + 0.70 * smoothstep(40, 210, np.abs(ground.screen_x_px - 420.0))
    height = LAKE_LEVEL + rise * gap * (2.75 * crest + 0.30) + 0.035 * woods
    light = smoothstep(0.05, 0.82, terrain.sunlight(ground, height))
    slope = mix(np.array([0.10, 0.18, 0.28]), np.array([0.62, 0.47, 0.30]), light)
    meadow = mix(np.array([0.20, 0.29, 0.27]), np.array([0.84, 0.69, 0.33]), light)
    patches = smoothstep(0.05, 0.30, world_noise(ground, 2.1, 3, 53)) * smoothstep(1.5, 0.3, height)
    color = mix(slope, meadow, patches) * (1.0 + 0.22 * woods[..., None])
    veil = 0.20 + 0.38 * smoothstep(1.5, LAKE_LEVEL, height) * smoothstep(
        330, 120, np.abs(ground.screen_x_px - SUN_X_PX)
    )
    color = mix(color, haze_color(ground.screen_x_px), veil + 0.12)
    return terrain.draw(view, ground, height, color)


def lake(view: View, behind: list[tuple[View, Array]]) -> Array:
    """Water from the far shore downwards, mirroring `behind` (views and textures, back to front)."""
    x_px, y_px = view.grid()
    rng = np.random.default_rng(59)
    below = y_px - SHORE_PX
    # Waves look longer the nearer they are.
    reach = np.clip(below / 60.0, 0.0, 1.0)
    ripple = fbm(view.shape, (3.0, 34.0), 4, rng)
    swell = fbm(view.shape, (9.0, 90.0), 3, rng)
    mirror_y = SHORE_PX - below * 1.55 + ripple * (2.0 + 12.0 * reach) + swell * 8.0 * reach
    mirror_x = x_px + ripple * 2.5
    color = np.zeros((*view.shape, 3), np.float32)
    for other, texture in behind:
        x_index = (mirror_x - other.left_px) * SCALE
        y_index = (np.minimum(mirror_y, SHORE_PX) - other.top_px) * SCALE
        found = sample(texture, x_index, y_index)
        color = color * (1 - found[..., 3:]) + found[..., :3]
    deep = mix(np.array([0.16, 0.40, 0.52]), np.array([0.10, 0.24, 0.40]), reach)
    color = mix(color * np.array([0.90, 0.95, 1.0]), deep, 0.20 + 0.35 * reach + 0.16 * np.clip(ripple * 2, -1, 1))
    width = 17.0 + 0.75 * below
    path = np.exp(-(((x_px - SUN_X_PX + ripple * 26) / width) ** 2))
    glints = smoothstep(-0.05, 0.30, fbm(view.shape, (1.8, 11.0), 3, rng) + 0.25 * path)
    color = mix(color, np.array([1.0, 0.88, 0.56]), np.clip(0.92 * path * (0.25 + 0.75 * glints), 0, 1))
    shore = np.exp(-below / 1.6)
    color = mix(color, haze_color(x_px), 0.55 * shore)
    alpha = np.clip(below * SCALE + 0.5, 0, 1)
    return np.concatenate([color * alpha[..., None], alpha[..., None]], axis=-1).astype(np.float32)
