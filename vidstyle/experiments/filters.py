"""The activations of each filter of a layer."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle.experiments.bench import Bench
from vidstyle.experiments.defaults import SETTINGS
from vidstyle.experiments.panels import Panel, Sheet
from vidstyle.frames import Picture
from vidstyle.method.losses import at_least_float32
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload

TILE_PX = 96
SHEET_RATIO = 1.5


def feature_maps(
    picture: Picture | str | Path,
    layer: str = "relu3_1",
    settings: Settings | None = None,
    *,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns the activations of a layer as gray pictures, one for each filter, each white at its own maximum.

    Args:
        picture: file or `(H, W, 3)` uint8 RGB. settings: size, network, weights, pooling, device, precision.
        on_download: see `vidstyle.stylize`.

    Raises:
        VidstyleError: a layer, a picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    bench = Bench(settings, [layer], on_download)
    image = bench.fitted(picture, "picture")
    with torch.no_grad():
        maps = at_least_float32(bench.network(bench.tensor(image), [layer])[layer])[0].cpu().numpy()
    count, height, width = maps.shape
    ratio = TILE_PX / max(height, width)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    panels = []
    for number, values in enumerate(maps):
        gray = np.rint(255 * values / max(float(values.max()), 1e-12)).clip(0, 255).astype(np.uint8)
        # Enlarged without smoothing: a position of the layer stays one square.
        tile = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_NEAREST)
        panels.append(Panel(f"{number}: to {values.max():.3g}", np.dstack([np.asarray(tile, np.uint8)] * 3)))
    columns = math.ceil(math.sqrt(count * SHEET_RATIO * size[1] / size[0]))
    title = f"{layer} of network {settings.network}: {count} maps of {width}x{height}"
    return Sheet(title, tuple(panels), columns)
