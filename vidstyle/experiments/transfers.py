"""Comparisons of transfers: their starting points, loss weights and content layers, and how they proceed.

The objective is optimized at full size only, not from coarse to fine as in a render: so the method was published, and
so the optimization begins with the starting point itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.errors import SettingsError
from vidstyle.experiments.bench import Bench, Meter, OnProgress, chosen, title
from vidstyle.experiments.defaults import EVERY, SETTINGS, STARTS, STYLE_WEIGHTS
from vidstyle.experiments.panels import Panel, Sheet
from vidstyle.frames import Picture
from vidstyle.media.stills.images import read_picture
from vidstyle.method.features import NETWORKS
from vidstyle.method.objective import Objective, style_targets, to_picture
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload

# Most programs cannot show a wider strip of pictures.
MOST_SNAPSHOTS = 200


class _Transfer:
    """One content picture and the targets of one style picture, computed once."""

    def __init__(
        self,
        content: Picture | str | Path,
        style: Picture | str | Path,
        settings: Settings,
        layers: Sequence[str],
        on_download: OnDownload | None,
    ) -> None:
        """Takes all content layers that `objective` will be called with."""
        self.bench = Bench(settings, tuple(dict.fromkeys((*settings.style_layers, *layers))), on_download)
        self.content = self.bench.fitted(content, "content")
        self.style = read_picture(style, "style")
        height, width = self.content.shape[:2]
        self.targets = style_targets(self.bench.network, self.style, width, height, settings.options)

    def originals(self) -> list[Panel]:
        """Returns panels of content and style."""
        return [Panel("content", self.content), Panel("style", self.bench.fitted(self.style, "style"))]

    def start(self, name: str) -> Tensor:
        """Returns a start, `(1, 3, H, W)` float32 RGB in [0, 1]."""
        return self.bench.start(name, self.content, self.style)

    def objective(self, settings: Settings) -> Objective:
        """Returns the objective with the weights and the content layer of `settings`."""
        return Objective(self.bench.network, settings.options, self.targets, self.bench.tensor(self.content))

    def panel(self, label: str, settings: Settings, start: Tensor, meter: Meter) -> Panel:
        """Returns a panel with the result of optimizing from `start`."""
        outcome = self.bench.stylized(start, self.objective(settings), meter)
        return Panel(label, to_picture(outcome.image), self.terms(settings, outcome.image))

    def terms(self, settings: Settings, image: Tensor) -> dict[str, float]:
        """Returns content loss and style loss without their weights, and the objective."""
        ways = {
            "content": replace(settings, content_weight=1, style_weight=0, tv_weight=0),
            "style": replace(settings, content_weight=0, style_weight=1, tv_weight=0),
            "all": settings,
        }
        with torch.no_grad():
            return {name: float(self.objective(way)(image)) for name, way in ways.items()}


def starting_points(
    content: Picture | str | Path,
    style: Picture | str | Path,
    starts: Sequence[str] = STARTS,
    settings: Settings | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns the same transfer from several starts: content, style, white noise, constant black, gray, white.

    Args:
        content, style: files or `(H, W, 3)` uint8 RGB. starts: of `defaults.STARTS`, a panel each.
        settings: all that a still's painting depends on; `seed` moves the noise only. on_progress: called with
            evaluations done and in all. on_download: see `vidstyle.stylize`.

    Raises:
        VidstyleError: a start, layer, picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    unknown = [name for name in starts if name not in STARTS]
    if unknown or not starts:
        raise SettingsError(f"no start {', '.join(unknown) or 'given'}; choose among {', '.join(STARTS)}")
    transfer = _Transfer(content, style, settings, [settings.content_layer], on_download)
    meter = Meter(len(starts), settings.iterations, on_progress)
    labels = {"noise": f"from noise, seed {settings.seed}"}
    panels = [
        transfer.panel(labels.get(name, f"from {name}"), settings, transfer.start(name), meter) for name in starts
    ]
    return Sheet(title("starting points", transfer.bench), tuple(panels), min(3, len(panels)))


def trade_off(
    content: Picture | str | Path,
    style: Picture | str | Path,
    style_weights: Sequence[float] = STYLE_WEIGHTS,
    settings: Settings | None = None,
    *,
    start: str = "content",
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns the same transfer with several weights of the style against the settings' content weight.

    With next to no style, total variation shows (`tv_weight`), since content is held at the coarsest level only.

    Args: see `starting_points`.
        style_weights: a panel each. start: of `defaults.STARTS`.

    Raises:
        VidstyleError: a weight, start, layer, picture or weights file is not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    ways = [replace(settings, style_weight=weight) for weight in style_weights]
    if not ways:
        raise SettingsError("style_weights: give at least one")
    transfer = _Transfer(content, style, settings, [settings.content_layer], on_download)
    first, meter = transfer.start(start), Meter(len(ways), settings.iterations, on_progress)
    panels = transfer.originals()
    for way in ways:
        label = f"content {way.content_weight:g} : style {way.style_weight:g}"
        panels.append(transfer.panel(label, way, first, meter))
    return Sheet(title("content against style", transfer.bench, f"from {start}"), tuple(panels), 4)


def content_layers(
    content: Picture | str | Path,
    style: Picture | str | Path,
    layers: Sequence[str] | None = None,
    settings: Settings | None = None,
    *,
    start: str = "content",
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns the same transfer with the content held by several layers, one at a time.

    Args: see `starting_points`.
        layers: a panel each; by default relu2_2 and relu4_2 as in the paper's figure 5, or all of the compact
            network's.
        start: of `defaults.STARTS`.

    Raises:
        VidstyleError: a layer, start, picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    layers = chosen(layers, NETWORKS[settings.network].compared_layers or SETTINGS.style_layers)
    if not layers:
        raise SettingsError("layers: give at least one")
    transfer = _Transfer(content, style, settings, layers, on_download)
    first, meter = transfer.start(start), Meter(len(layers), settings.iterations, on_progress)
    panels = transfer.originals()
    for layer in layers:
        way = replace(settings, content_layer=layer)
        panels.append(transfer.panel(f"content held by {layer}", way, first, meter))
    return Sheet(title("content layers", transfer.bench, f"from {start}"), tuple(panels), 3)


def progress(
    content: Picture | str | Path,
    style: Picture | str | Path,
    every: int = EVERY,
    settings: Settings | None = None,
    *,
    start: str = "content",
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns a transfer as it proceeds: the best picture after every so many evaluations and the last, in one row.

    Args: see `starting_points`.
        every: evaluations of objective and gradient between two panels. start: of `defaults.STARTS`.

    Raises:
        VidstyleError: a number, start, layer, picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    if every < 1 or settings.iterations // every > MOST_SNAPSHOTS:
        most = f"{MOST_SNAPSHOTS} snapshots of {settings.iterations} iterations"
        raise SettingsError(f"every is {every}; give at least 1, and for at most {most}")
    transfer = _Transfer(content, style, settings, [settings.content_layer], on_download)
    meter, image = Meter(1, settings.iterations, on_progress), transfer.start(start)
    panels = [Panel("start", to_picture(image), transfer.terms(settings, image))]

    def look(evaluations: int, loss: float, best: Tensor) -> None:
        # The first evaluation is the start's.
        if evaluations > 1 and (evaluations - 1) % every == 0:
            panels.append(Panel(f"after {evaluations - 1}", to_picture(best), transfer.terms(settings, best)))

    outcome = transfer.bench.stylized(image, transfer.objective(settings), meter, look)
    last = f"after {outcome.evaluations - 1}"
    if outcome.evaluations > 1 and panels[-1].label != last:
        panels.append(Panel(last, to_picture(outcome.image), transfer.terms(settings, outcome.image)))
    return Sheet(title("progress", transfer.bench, f"from {start}"), tuple(panels), len(panels))
