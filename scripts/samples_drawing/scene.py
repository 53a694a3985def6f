"""The clip's scene: every layer at its place, with its own motion."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from samples_drawing import landscape, layers, meadows, sprites
from samples_drawing.layers import FRAME_COUNT, Layer, View

Array = np.ndarray

HUB_PX = (128.0, 148.0)
MILL_DEPTH = 3.2


def _shift(x_px: float, y_px: float) -> Array:
    return np.array([[1.0, 0.0, x_px], [0.0, 1.0, y_px], [0.0, 0.0, 1.0]])


def _turn(center_px: tuple[float, float], angle_rad: float) -> Array:
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    rotation = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return _shift(*center_px) @ rotation @ _shift(-center_px[0], -center_px[1])


def _from_middle(frame: int) -> float:
    return frame - (FRAME_COUNT - 1) / 2


def drifting_sky(frame: int) -> Array:
    """The wind moves the clouds to the left."""
    return _shift(-0.16 * _from_middle(frame), 0.0)


def large_balloon(frame: int) -> Array:
    """Drifts to the right and up, swaying."""
    steps = _from_middle(frame)
    sway = _turn((292.0, 40.0), 0.035 * np.sin(2 * np.pi * frame / 80))
    return _shift(1.05 * steps, -0.16 * steps + 1.6 * np.sin(2 * np.pi * frame / 64)) @ sway


def small_balloon(frame: int) -> Array:
    """Drifts to the right, sinking a little."""
    steps = _from_middle(frame)
    return _shift(0.42 * steps, 0.05 * steps + 0.8 * np.sin(2 * np.pi * frame / 72 + 1.0))


def turning_sails(frame: int) -> Array:
    """A quarter turn in about two and a half seconds."""
    return _turn(HUB_PX, np.deg2rad(1.5) * frame)


def sailing(frame: int) -> Array:
    """The boat glides to the left."""
    return _shift(-0.30 * _from_middle(frame), 0.0)


def _wind(foot_px: float, phase: float) -> Callable[[int], Array]:
    def lean(frame: int) -> Array:
        amount = 0.035 * np.sin(2 * np.pi * frame / 44 + phase) + 0.018 * np.sin(2 * np.pi * frame / 19 + 2 * phase)
        return np.array([[1.0, amount, -amount * foot_px], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

    return lean


def _far_layers() -> list[Layer]:
    sky_view = View(-50, -40, 690, 200)
    far_view = View(-50, 20, 690, 215)
    near_view = View(-60, 60, 700, 215)
    lake_view = View(-60, landscape.SHORE_PX - 2, 700, 262)
    sky, far, near = landscape.sky(sky_view), landscape.far_range(far_view), landscape.near_range(near_view)
    lake = landscape.lake(lake_view, [(sky_view, sky), (far_view, far), (near_view, near)])
    return [
        Layer("sky", sky_view, sky, 80.0, motion=drifting_sky),
        Layer("far mountains", far_view, far, 34.0),
        Layer("near mountains", near_view, near, 15.0),
        Layer("lake", lake_view, lake, 14.0),
    ]


def _middle_layers() -> list[Layer]:
    boat_view, hills_view = View(380, 190, 430, 250), View(-80, 150, 720, 275)
    small_view, large_view = View(456, 36, 536, 126), View(210, 0, 380, 180)
    mill_view, sails_view, hill_view = (
        View(98, 130, 158, 212),
        View(86, 106, 170, 190),
        View(-100, 165, 740, 290),
    )
    return [
        Layer("boat", boat_view, sprites.boat(boat_view, (405.0, 217.0), 19.0), 8.0, motion=sailing),
        Layer("far hills", hills_view, meadows.far_hills(hills_view), 5.4),
        Layer(
            "small balloon",
            small_view,
            sprites.balloon(small_view, 496.0, 52.0, 30.0, 1),
            9.0,
            motion=small_balloon,
        ),
        Layer(
            "large balloon",
            large_view,
            sprites.balloon(large_view, 292.0, 28.0, 92.0, 0),
            5.0,
            motion=large_balloon,
        ),
        Layer("mill", mill_view, sprites.tower(mill_view, (128.0, 192.0), 45.0), MILL_DEPTH),
        Layer("sails", sails_view, sprites.sails(sails_view, HUB_PX, 36.0), MILL_DEPTH, motion=turning_sails),
        Layer("mill hill", hill_view, meadows.mill_hill(hill_view), MILL_DEPTH),
    ]


def _front_layers() -> list[Layer]:
    fields_view, trees_view = View(-210, 215, 850, 420), View(500, 60, 720, 300)
    front = [
        Layer("fields", fields_view, meadows.fields(fields_view), 1.5, ground=True),
        Layer("cypresses", trees_view, meadows.tall_cypresses(trees_view), 1.6),
    ]
    for depth, crest_px, size_px, seed in (
        (1.25, 330.0, 24.0, 3),
        (1.08, 344.0, 31.0, 4),
        (0.94, 360.0, 40.0, 5),
    ):
        margin = 20.0 + 135.0 / depth
        view = View(-margin, crest_px - size_px * 1.9, 640 + margin, 400.0)
        strip = meadows.grass_strip(view, crest_px, size_px, seed)
        front.append(Layer(f"grass {seed}", view, strip, depth, motion=_wind(crest_px + size_px, seed)))
    return front


@lru_cache(maxsize=1)
def build() -> tuple[Layer, ...]:
    """Paint all layers, back to front; takes some seconds and is remembered."""
    return (*_far_layers(), *_middle_layers(), *_front_layers())


def render_frame(frame: int) -> Array:
    """Frame `frame` (0..95) of the clip before encoding: `(360, 640, 3) float32` RGB in [0, 1]."""
    return layers.render(list(build()), frame)


def exact_flow(frame: int, min_share: float = 0.9) -> tuple[Array, Array]:
    """Exact backward flow and visibility mask of `frame` (1..95); see `layers.exact_flow`."""
    return layers.exact_flow(list(build()), frame, min_share)
