"""Networks in which the mean activation of every filter is one (Gatys et al. 2016, section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.errors import SettingsError
from vidstyle.experiments.bench import Bench, Meter, OnProgress, title
from vidstyle.experiments.defaults import SETTINGS
from vidstyle.experiments.panels import Panel, Sheet
from vidstyle.experiments.reconstructions import GatysObjective
from vidstyle.frames import Picture
from vidstyle.media.stills.images import read_picture
from vidstyle.method.features import NETWORKS
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.losses import gram_matrix, measured, relative_style_loss
from vidstyle.method.objective import to_picture
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload


def normalized(network: FeatureNetwork, pictures: Sequence[Tensor]) -> FeatureNetwork:
    """Returns a copy of a network in which the mean activation of each filter over pictures and positions is one.

    Rectification and pooling preserve positive factors, so this only multiplies the activations of each filter by a
    constant of its own. A filter that none of the pictures activates stays as it is. Distances are measured without the
    compact network's metrics, which belong to activations of other scales.

    Args:
        pictures: `(1, 3, H, W)` float32 RGB in [0, 1] on the network's device, of any sizes.

    Raises:
        SettingsError: there are none.
    """
    if not pictures:
        raise SettingsError("pictures: give at least one to take mean activations over")
    network = deepcopy(network)
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    means = _mean_activations(network, convolutions, pictures)
    before = means[0].new_ones(convolutions[0].in_channels)
    with torch.no_grad():
        for convolution, mean in zip(convolutions, means, strict=True):
            mean = torch.where(mean > 0, mean, 1.0)
            weight = convolution.weight.float() * before.view(1, -1, 1, 1) / mean.view(-1, 1, 1, 1)
            convolution.weight.copy_(weight)
            if convolution.bias is not None:
                convolution.bias.copy_(convolution.bias.float() / mean)
            before = mean
        for metric in network.metrics().values():
            metric.copy_(torch.eye(len(metric)))
    return network


def _mean_activations(
    network: FeatureNetwork, convolutions: Sequence[nn.Conv2d], pictures: Sequence[Tensor]
) -> list[Tensor]:
    """Returns, for each convolution, the means of its rectified outputs over pictures and positions, `(C,)` float32."""
    sums: dict[nn.Module, Tensor] = {}
    positions: dict[nn.Module, int] = {}

    def add(module: nn.Module, inputs: object, output: Tensor) -> None:
        total = F.relu(output).float().sum((0, 2, 3))
        sums[module] = sums[module] + total if module in sums else total
        positions[module] = positions.get(module, 0) + output.shape[0] * output.shape[2] * output.shape[3]

    hooks = [convolution.register_forward_hook(add) for convolution in convolutions]
    try:
        with torch.no_grad():
            for picture in pictures:
                network(picture, [network.layer_names[-1]])
    finally:
        for hook in hooks:
            hook.remove()
    return [sums[convolution] / positions[convolution] for convolution in convolutions]


def normalization(
    picture: Picture | str | Path,
    over: Sequence[Picture | str | Path] = (),
    settings: Settings | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_download: OnDownload | None = None,
) -> Sheet:
    """Returns textures from noise by the network as it is and normalized, with average and, for vgg19, max pooling.

    Args:
        picture: whose style is taken, a file or `(H, W, 3)` uint8 RGB. over: pictures that mean activations are taken
            over; the picture itself where there are none. settings: as for `style_reconstruction`, all of whose style
            layers are used. on_progress, on_download: the same.

    Raises:
        VidstyleError: a layer, a picture or weights is missing or not valid; see `vidstyle.errors`.
    """
    settings = settings or SETTINGS
    layers = settings.style_layers
    poolings = NETWORKS[settings.network].poolings
    benches = [Bench(replace(settings, pooling=pooling), layers, on_download) for pooling in poolings]
    image = benches[0].fitted(picture, "picture")
    means = [benches[0].fitted(read_picture(other, "picture"), "picture") for other in over] or [image]
    meter = Meter(2 * len(benches), settings.iterations, on_progress)
    panels: list[Panel] = []
    for bench in benches:
        target, start = bench.tensor(image), bench.noise(image)
        panels.append(Panel("picture", image))
        networks = {
            "as it is": bench.network,
            "normalized": normalized(bench.network, [bench.tensor(m) for m in means]),
        }
        for label, network in networks.items():
            objective = GatysObjective(network, target, start, style_layers=layers)
            outcome = bench.stylized(start, objective, meter)
            terms = style_distances(bench.network, target, outcome.image, layers)
            panels.append(Panel(f"{label}, {bench.settings.pooling}", to_picture(outcome.image), terms))
    words = ("losses by the network as it is", f"seed {settings.seed}")
    return Sheet(title("normalization", benches[0], *words), tuple(panels), 3)


def style_distances(network: FeatureNetwork, target: Tensor, image: Tensor, layers: Sequence[str]) -> dict[str, float]:
    """Returns, for each layer, the distance of Gram matrices as a share of the target's norm, squared.

    Args:
        target, image: `(1, 3, H, W)` float32 RGB in [0, 1].
    """
    with torch.no_grad():
        seen, wanted, metrics = network(image, layers), network(target, layers), network.metrics()
        return {
            layer: float(
                relative_style_loss(
                    measured(gram_matrix(seen[layer]), metrics.get(layer)),
                    measured(gram_matrix(wanted[layer]), metrics.get(layer)),
                )
            )
            for layer in layers
        }
