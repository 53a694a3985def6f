"""Flat layers in front of a moving camera: compositing and the exact optical flow.

Every layer is painted once, as the reference camera (the one at the middle of the clip) sees it, in
"reference pixels": x to the right, y down, pixel centers at +0.5. What a layer does over time is one 3x3
matrix per frame (reference pixels to frame pixels), so the motion of every pixel is known in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from samples_drawing.noise import sample

Array = np.ndarray

FRAME_WIDTH_PX, FRAME_HEIGHT_PX = 640, 360
FRAME_RATE_HZ = 24
FRAME_COUNT = 96
SCALE = 2  # painted and composited at this many samples per frame pixel and axis
FOCAL_PX = 640.0
CENTER_X_PX = FRAME_WIDTH_PX / 2
HORIZON_PX = 170.0
CAMERA_HEIGHT = 0.2734  # world units; the nearest ground is about one unit away
PAN_UNITS, PUSH_UNITS, RISE_UNITS = 0.375, 0.11, 0.02  # camera travel over the whole clip


@dataclass(frozen=True)
class View:
    """The rectangle of reference pixels that a layer covers."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float

    @property
    def shape(self) -> tuple[int, int]:
        """`(height, width)` of the texture in samples."""
        return (
            round((self.bottom_px - self.top_px) * SCALE),
            round((self.right_px - self.left_px) * SCALE),
        )

    def grid(self) -> tuple[Array, Array]:
        """x and y of every sample in reference pixels, each `(H, W) float32`."""
        height, width = self.shape
        x_px = self.left_px + (np.arange(width, dtype=np.float32) + 0.5) / SCALE
        y_px = self.top_px + (np.arange(height, dtype=np.float32) + 0.5) / SCALE
        x_grid, y_grid = np.meshgrid(x_px, y_px)
        return x_grid, y_grid

    def matrix(self) -> Array:
        """3x3: texture sample index to reference pixels."""
        step = 1.0 / SCALE
        return np.array([[step, 0, self.left_px + step / 2], [0, step, self.top_px + step / 2], [0, 0, 1]])


def still(_frame: int) -> Array:
    """The own motion of a layer that only the camera moves."""
    return np.eye(3)


@dataclass(frozen=True)
class Layer:
    """One painted surface: an upright card at `depth`, or, with `ground`, the level ground plane.

    `rgba` is `(H, W, 4) float32`, color premultiplied by alpha; `motion(frame)` is the layer's own 3x3
    motion in reference pixels, applied before the camera's.
    """

    name: str
    view: View
    rgba: Array
    depth: float
    ground: bool = False
    motion: Callable[[int], Array] = still


def camera(frame: int) -> tuple[float, float, float]:
    """Camera position `(right, up, forward)` in world units; zero at the middle of the clip."""
    time = frame / (FRAME_COUNT - 1) - 0.5
    # A slightly uneven pace reads as a hand on the camera, not as a machine.
    pace = time + 0.012 * np.sin(2 * np.pi * 2.0 * time)
    return PAN_UNITS * pace, RISE_UNITS * np.sin(np.pi * time), PUSH_UNITS * pace


def frame_from_reference(layer: Layer, frame: int) -> Array:
    """3x3 homography of one layer: reference pixels to the pixels of `frame`."""
    right, up, forward = camera(frame)
    if layer.ground:
        ground = FOCAL_PX * CAMERA_HEIGHT
        move = np.array([[ground, -FOCAL_PX * right, 0], [0, ground + FOCAL_PX * up, 0], [0, -forward, ground]])
    else:
        zoom = layer.depth / (layer.depth - forward)
        shift = FOCAL_PX / layer.depth
        move = np.array([[zoom, 0, -shift * right * zoom], [0, zoom, shift * up * zoom], [0, 0, 1]])
    center = np.array([[1, 0, CENTER_X_PX], [0, 1, HORIZON_PX], [0, 0, 1]])
    return center @ move @ np.linalg.inv(center) @ layer.motion(frame)


def _place(layer: Layer, frame: int, channels: Array) -> tuple[Array, tuple[slice, slice]] | None:
    """Resample `channels` of a layer into the composite of `frame`; only the rectangle it touches."""
    to_composite = np.array([[SCALE, 0, -0.5], [0, SCALE, -0.5], [0, 0, 1]])
    matrix = to_composite @ frame_from_reference(layer, frame) @ layer.view.matrix()
    height, width = layer.view.shape
    corners = np.array([[[0, 0], [width, 0], [0, height], [width, height]]], np.float64)
    spots = cv2.perspectiveTransform(corners, matrix)[0]
    left, top = np.maximum(np.floor(spots.min(axis=0)).astype(int) - 2, 0)
    right, bottom = np.ceil(spots.max(axis=0)).astype(int) + 2
    right, bottom = min(right, FRAME_WIDTH_PX * SCALE), min(bottom, FRAME_HEIGHT_PX * SCALE)
    if right <= left or bottom <= top:
        return None
    offset = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    placed = cv2.warpPerspective(channels, offset, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    return placed, (slice(top, bottom), slice(left, right))


def _reduce(composite: Array) -> Array:
    """Composite samples to frame pixels; the slight blur keeps fine blades from flickering."""
    soft = cv2.GaussianBlur(composite, (0, 0), 0.75)
    return cv2.resize(soft, (FRAME_WIDTH_PX, FRAME_HEIGHT_PX), interpolation=cv2.INTER_AREA)


def render(layers: list[Layer], frame: int) -> Array:
    """Draw one frame: `(H, W, 3) float32` RGB in [0, 1]."""
    composite = np.zeros((FRAME_HEIGHT_PX * SCALE, FRAME_WIDTH_PX * SCALE, 3), np.float32)
    for layer in layers:
        found = _place(layer, frame, layer.rgba)
        if found is not None:
            placed, where = found
            composite[where] = composite[where] * (1.0 - placed[..., 3:]) + placed[..., :3]
    return np.clip(_reduce(composite), 0.0, 1.0)


def shares(layers: list[Layer], frame: int) -> Array:
    """How much of each pixel each layer makes up: `(layers, H, W) float32`, summing to 1."""
    parts: list[Array] = []
    open_share = np.ones((FRAME_HEIGHT_PX * SCALE, FRAME_WIDTH_PX * SCALE), np.float32)
    for layer in reversed(layers):
        part = np.zeros_like(open_share)
        found = _place(layer, frame, np.ascontiguousarray(layer.rgba[..., 3]))
        if found is not None:
            alpha, where = found
            part[where] = alpha * open_share[where]
            open_share[where] *= 1.0 - alpha
        parts.append(_reduce(part))
    return np.stack(parts[::-1])


def exact_flow(layers: list[Layer], frame: int, min_share: float = 0.9) -> tuple[Array, Array]:
    """Exact motion from `frame` back to `frame - 1`.

    The flow of a pixel is that of the layer which makes up most of it.

    :param frame: index of the current frame, at least 1.
    :param min_share: a pixel counts as visible only if its layer makes up this much of it, here and where
        it came from: on soft edges two motions mix, and no single vector is right.
    :return: flow `(H, W, 2) float32` in pixels, x then y, such that the current pixel at `p` was at
        `p + flow[p]` in the frame before; visibility mask `(H, W) bool`.
    """
    if not 1 <= frame < FRAME_COUNT:
        raise ValueError(f"frame must be in 1..{FRAME_COUNT - 1}, not {frame}")
    now, before = shares(layers, frame), shares(layers, frame - 1)
    owner = now.argmax(axis=0)
    x_px, y_px = np.meshgrid(np.arange(FRAME_WIDTH_PX) + 0.5, np.arange(FRAME_HEIGHT_PX) + 0.5)
    flow = np.zeros((FRAME_HEIGHT_PX, FRAME_WIDTH_PX, 2), np.float32)
    for index, layer in enumerate(layers):
        own = owner == index
        if not own.any():
            continue
        matrix = frame_from_reference(layer, frame - 1) @ np.linalg.inv(frame_from_reference(layer, frame))
        points = np.stack([x_px[own], y_px[own]], axis=-1)
        came_from = cv2.perspectiveTransform(points[None], matrix)[0]
        flow[own] = came_from - points
    source_x = x_px - 0.5 + flow[..., 0]
    source_y = y_px - 0.5 + flow[..., 1]
    earlier_share = np.zeros((FRAME_HEIGHT_PX, FRAME_WIDTH_PX), np.float32)
    for index in np.unique(owner):
        earlier_share[owner == index] = sample(before[index], source_x, source_y)[owner == index]
    inside = (source_x >= 0) & (source_x <= FRAME_WIDTH_PX - 1)
    inside &= (source_y >= 0) & (source_y <= FRAME_HEIGHT_PX - 1)
    visible = inside & (now.max(axis=0) >= min_share) & (earlier_share >= min_share)
    return flow, visible
