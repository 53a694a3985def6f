#!/usr/bin/env python3
"""Draws README's picture of the experiments from the samples, by the network in the package.

python scripts/make_experiments.py
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from sample_files import SAMPLES, sample_frame, sample_style

from vidstyle import Settings, stylize_image
from vidstyle.devices import keep_freed_memory
from vidstyle.experiments import (
    Panel,
    Sheet,
    content_layers,
    content_reconstruction,
    feature_maps,
    normalization,
    progress,
    starting_points,
    style_reconstruction,
    trade_off,
)
from vidstyle.experiments.defaults import SETTINGS

COLUMNS, JPEG_QUALITY = 6, 80
FILTERS = slice(20, 20 + 2 * COLUMNS)


def sheets(frame: np.ndarray, width: int) -> list[Sheet]:
    """Returns the experiments' sheets, each of one or two rows of panels as wide as `width`."""
    size = width, round(width * frame.shape[0] / frame.shape[1])
    photo = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    starry, wave, mosaic = (sample_style(name, *size) for name in ("starry", "wave", "mosaic"))
    settings = replace(SETTINGS, size=width)
    longer = replace(settings, iterations=200)
    weights = (0.1, 1, 30, 1000)
    maps = feature_maps(photo, "relu3_1", settings)
    maps = replace(
        maps, title=maps.title + ", a few of them", panels=tuple(enlarged(p, size) for p in maps.panels[FILTERS])
    )
    stylized = [
        Panel("painting as content", wave),
        Panel("painting as style", mosaic),
        Panel("painted", stylize_image(wave, mosaic, Settings(size=width))),
        Panel("painting as content", starry),
        Panel("clip frame as style", photo),
        Panel("painted", stylize_image(starry, photo, Settings(size=width))),
    ]
    return [
        content_reconstruction(photo, None, longer),
        style_reconstruction(starry, None, None, longer),
        normalization(starry, [photo, starry, wave, mosaic], longer),
        starting_points(photo, starry, settings=longer),
        trade_off(photo, starry, weights, settings),
        content_layers(photo, starry, None, settings),
        progress(photo, starry, 20, settings, start="noise"),
        maps,
        Sheet("vidstyle itself: network compact", tuple(stylized), COLUMNS),
    ]


def enlarged(panel: Panel, size: tuple[int, int]) -> Panel:
    """Returns a panel at a size in pixels, its pixels left as squares."""
    return replace(panel, image=cv2.resize(panel.image, size, interpolation=cv2.INTER_NEAREST))


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=SAMPLES / "experiments.jpg", help="picture to write")
    parser.add_argument("--frame", type=int, default=40, help="frame of the sample clip")
    parser.add_argument("--width", type=int, default=160, help="of each panel, in pixels")
    options = parser.parse_args()
    keep_freed_memory()
    rows = [replace(sheet, columns=COLUMNS).picture() for sheet in sheets(sample_frame(options.frame), options.width)]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    if not cv2.imwrite(str(options.output), np.vstack(padded)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
        raise SystemExit(f"make_experiments: {options.output} cannot be written")
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
