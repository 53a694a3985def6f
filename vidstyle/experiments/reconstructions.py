"""What the layers of a network represent: reconstructions from noise (Gatys et al. 2016, section 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import SettingsError
from vidstyle.experiments.bench import Bench, Meter, OnProgress, chosen, title
from vidstyle.experiments.defaults import SETTINGS
from vidstyle.experiments.panels import Panel, Sheet
from vidstyle.frames import Picture
from vidstyle.method.features import NETWORKS, POOLINGS
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.losses import at_least_float32, gatys_content_loss, gatys_style_loss
from vidstyle.method.objective import to_picture
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload

SMALLEST_UNIT = 1e-12


class GatysObjective:
    """The paper's own losses: half the sum of squares at some layers, plus the mean style loss of others.

    The loss is divided by `unit`, its value at the start, which does not move its minimum: the optimizer keeps values
    within [0, 1] by a penalty that is scaled for objectives of about one.

    Attributes: `unit`, in the paper's units.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        target: Tensor,
        start: Tensor,
        content_layers: Collection[str] = (),
        style_layers: Collection[str] = (),
    ) -> None:
        """Measures `target`, `(1, 3, H, W)` float32 RGB in [0, 1], and `start`, of the same size."""
        self.network, self.content_layers, self.style_layers = network, tuple(content_layers), tuple(style_layers)
        with torch.no_grad():
            self._target = self._features(target)
            self.unit = max(float(self.loss(start)), SMALLEST_UNIT)

    def __call__(self, image: Tensor) -> Tensor:
        """Returns the loss divided by `unit`, shape (), of `(1, 3, H, W)` float32 RGB in [0, 1]."""
        return self.loss(image) / self.unit

    def loss(self, image: Tensor) -> Tensor:
        """Returns the loss in the paper's units (equations 1, 4 and 5 with equal weights), shape ()."""
        seen, total = self._features(image), image.new_zeros(())
        for layer in self.content_layers:
            total = total + gatys_content_loss(seen[layer], self._target[layer])
        for layer in self.style_layers:
            total = total + gatys_style_loss(seen[layer], self._target[layer]) / len(self.style_layers)
        return total

    def _features(self, image: Tensor) -> dict[str, Tensor]:
        """Returns activations in float32 or finer, multiplied by the network's metrics."""
        features = self.network(image, {*self.content_layers, *self.style_layers})
        metrics, seen = self.network.metrics(), {}
        for layer, values in features.items():
            values = at_least_float32(values)
            metric = metrics.get(layer)
            seen[layer] = values if metric is None else F.conv2d(values, metric[:, :, None, None].to(values.dtype))
        return seen


def content_reconstruction(
    picture: Picture | str | Path,
    layers: Sequence[str] | None = None,
    settings: Settings | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns what each layer alone represents of a picture's content, found from noise by Gatys et al.'s equation 1.

    Args:
        picture: file or `(H, W, 3)` uint8 RGB. layers: one panel each; by default the paper's, or all of the compact
            network's. settings: size, network, weights, pooling, iterations, optimizer, seed, device, precision.
        on_progress: called with evaluations done and in all. on_download: see `vidstyle.stylize`.

    Raises:
        VidstyleError: a layer, a picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    layers = chosen(layers, NETWORKS[settings.network].figure_layers or SETTINGS.style_layers)
    bench = Bench(settings, layers, on_download)
    image = bench.fitted(picture, "picture")
    target, start = bench.tensor(image), bench.noise(image)
    meter = Meter(len(layers), settings.iterations, on_progress)
    panels = [Panel("picture", image)]
    for layer in layers:
        objective = GatysObjective(bench.network, target, start, content_layers=[layer])
        panels.append(_reconstructed(layer, bench, objective, start, meter))
    words = (f"{settings.pooling} pooling", f"seed {settings.seed}")
    return Sheet(title("content from noise", bench, *words), tuple(panels), min(3, len(panels)))


def style_reconstruction(
    picture: Picture | str | Path,
    layers: int | None = None,
    poolings: Sequence[str] | None = None,
    settings: Settings | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns textures synthesized from noise by the first one, two ... style layers (Gatys et al., equations 4, 5).

    Args:
        picture: file or `(H, W, 3)` uint8 RGB. layers: how many of the settings' style layers at most; None: all.
        poolings: a row each, of "average" and "max"; None: both with vgg19, the compact network's own else.
        settings: as for `content_reconstruction`, and style_layers. on_progress, on_download: the same.

    Raises:
        VidstyleError: a number, layer, picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    names = settings.style_layers
    count = len(names) if layers is None else layers
    if not 1 <= count <= len(names):
        raise SettingsError(f"layers is {count}; style_layers has {len(names)}, so give 1 to {len(names)}")
    if poolings is None:
        poolings = NETWORKS[settings.network].poolings
    # Settings refuse a pooling that the network cannot do.
    benches = [Bench(replace(settings, pooling=pooling), names[:count], on_download) for pooling in poolings]
    if not benches:
        raise SettingsError(f"poolings: give at least one of {', '.join(POOLINGS)}")
    meter = Meter(count * len(benches), settings.iterations, on_progress)
    panels: list[Panel] = []
    for bench in benches:
        image = bench.fitted(picture, "picture")
        target, start = bench.tensor(image), bench.noise(image)
        panels.append(Panel("picture", image))
        for used in range(1, count + 1):
            objective = GatysObjective(bench.network, target, start, style_layers=names[:used])
            label = f"{names[0]} to {names[used - 1]}" if used > 1 else names[0]
            label += f", {bench.settings.pooling}" if len(benches) > 1 else ""
            panels.append(_reconstructed(label, bench, objective, start, meter))
    return Sheet(title("style from noise", benches[0], f"seed {settings.seed}"), tuple(panels), count + 1)


def _reconstructed(label: str, bench: Bench, objective: GatysObjective, start: Tensor, meter: Meter) -> Panel:
    outcome = bench.stylized(start, objective, meter)
    with torch.no_grad():
        loss = float(objective.loss(outcome.image))
    return Panel(label, to_picture(outcome.image), {"loss": loss, "of the noise's": loss / objective.unit})
