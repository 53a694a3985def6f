"""Networks with their weights: the package's own, published ones, or a file of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import torch

from vidstyle.errors import WeightsError
from vidstyle.method.features import check_layers, network_class
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.flow import FlowEstimator, flow_class
from vidstyle.method.weights import PublishedWeights, Shapes
from vidstyle.weights.fetching import OnDownload, fetched, is_fetched
from vidstyle.weights.reading import WeightsFile, read_weights


def weights_file(name: str, weights: Path | None = None, on_download: OnDownload | None = None) -> Path:
    """Returns the file that the network `name` is loaded from: `weights`, or its own, fetched if need be.

    Raises:
        WeightsError: there is no such file, or its own cannot be had.
    """
    if weights is not None:
        if not weights.is_file():
            raise WeightsError(f"{weights}: no such weights file; give a .safetensors or .pth file of the network")
        return weights
    network = network_class(name)
    if network.published is not None:
        return fetched(network.published, network.published_shapes(), on_download)
    shipped = Path(str(files("vidstyle.method.features") / network.shipped))
    if not shipped.is_file():
        raise WeightsError(f"{shipped} is missing: the installation is damaged; install vidstyle again")
    return shipped


def is_shipped(name: str, weights: Path | None = None) -> bool:
    """Tells whether every installation has the weights that the network `name` is loaded from."""
    return weights is None and network_class(name).published is None


def load_network(
    name: str,
    layers: Sequence[str],
    weights: Path | None = None,
    pooling: str = "average",
    on_download: OnDownload | None = None,
) -> FeatureNetwork:
    """Returns the network `name`, deep enough for `layers`, float32, on the CPU, without gradients.

    Raises:
        SettingsError: no such layer. WeightsError: the weights cannot be had or are not this network's.
    """
    check_layers(name, layers)
    return network_class(name).load(WeightsFile(weights_file(name, weights, on_download)), layers, pooling)


def load_flow(name: str, device: torch.device, on_download: OnDownload | None = None) -> FlowEstimator:
    """Returns the flow estimator `name`.

    Args:
        device: where it computes, if it can choose. on_download: called while its weights are fetched.

    Raises:
        FlowError: it cannot be loaded. WeightsError: its weights cannot be had.
    """
    estimator = flow_class(name)

    def read(shapes: Shapes) -> dict[str, torch.Tensor]:
        if estimator.published is None:
            raise WeightsError(f"{name} has no weights of its own")
        return read_weights(fetched(estimator.published, shapes, on_download), shapes)

    return estimator.load(read, device)


def missing_weights(network: str, weights: Path | None, flow: str | None) -> list[str]:
    """Returns whose weights must be fetched before a network and a flow (None: no flow) can be loaded, for messages."""
    published: list[PublishedWeights | None] = []
    if weights is None:
        published.append(network_class(network).published)
    if flow is not None:
        published.append(flow_class(flow).published)
    return [each.owner for each in published if each is not None and not is_fetched(each)]
