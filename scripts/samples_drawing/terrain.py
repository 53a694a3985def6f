"""Hills and mountains: a height field seen in perspective, shaded and veiled by haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from samples_drawing.layers import CAMERA_HEIGHT, CENTER_X_PX, FOCAL_PX, HORIZON_PX, SCALE, View

Array = np.ndarray

SUN_X_PX, SUN_Y_PX = 455.0, 136.0
TO_SUN = np.array([0.80, 0.50, 0.33]) / np.linalg.norm([0.80, 0.50, 0.33])  # right, up, away


@dataclass(frozen=True)
class Ground:
    """World coordinates of terrain slices, each `(slices, W) float32` in world units, near slice first."""

    right: Array
    away: Array
    screen_x_px: Array


def slices(view: View, near: float, far: float, count: int) -> Ground:
    """Lines across the view at `count` distances, evenly spaced on the screen rather than in the world."""
    away = 1.0 / np.linspace(1.0 / near, 1.0 / far, count, dtype=np.float32)[:, None]
    screen_x = view.grid()[0][:1]
    right = (screen_x - CENTER_X_PX) * away / FOCAL_PX
    return Ground(right, np.broadcast_to(away, right.shape), np.broadcast_to(screen_x, right.shape))


def sunlight(ground: Ground, height: Array) -> Array:
    """Light of the height field, `(slices, W) float32` in [0, 1].

    The cosine is wrapped around the terminator, so that slopes in shade keep their form.
    """
    step_right = np.maximum(np.gradient(ground.right, axis=1), 1e-6)
    step_away = np.gradient(ground.away, axis=0)
    slope_right = np.gradient(height, axis=1) / step_right
    slope_away = np.gradient(height, axis=0) / step_away
    facing = -slope_right * TO_SUN[0] + TO_SUN[1] - slope_away * TO_SUN[2]
    cosine = facing / np.sqrt(1 + slope_right**2 + slope_away**2)
    return np.clip(0.30 + 0.70 * cosine, 0, 1).astype(np.float32)


def draw(view: View, ground: Ground, height: Array, color: Array) -> Array:
    """Project the slices, near ones hiding far ones.

    Below the nearest slice its color goes on, so that a camera move can't open a gap.

    :param height: `(slices, W) float32` in world units; `color`: `(slices, W, 3) float32`.
    :return: premultiplied `(H, W, 4) float32` texture with a soft upper edge.
    """
    y_px = HORIZON_PX + FOCAL_PX * (CAMERA_HEIGHT - height) / ground.away
    y_row = (y_px - view.top_px) * SCALE
    rows = np.arange(view.shape[0], dtype=np.float32)[:, None] + 0.5
    nearest = np.full(view.shape, -1, np.int32)
    for index in range(len(y_row) - 1, -1, -1):
        top = max(int(y_row[index].min()), 0)
        nearest[top:][rows[top:] >= y_row[index]] = index
    columns = np.broadcast_to(np.arange(view.shape[1]), view.shape)
    skyline = y_row.min(axis=0)
    alpha = np.clip(rows - skyline + 0.5, 0, 1)
    # The half-covered row above the skyline takes the color of the row below it.
    below = np.minimum(np.arange(view.shape[0]) + 1, view.shape[0] - 1)
    nearest = np.where(nearest < 0, nearest[below], nearest)
    painted = color[np.maximum(nearest, 0), columns]
    return np.concatenate([painted * alpha[..., None], alpha[..., None]], axis=-1).astype(np.float32)
