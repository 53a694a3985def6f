"""Perceptual networks: pictures go in, activations by layer name come out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidstyle.errors import SettingsError, WeightsError
from vidstyle.method.features.compact import CompactFeatures, compact_weights, load_compact
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.features.published import VGG19, vgg19_weights
from vidstyle.method.features.vgg19 import LAYER_TABLE, load_vgg19
from vidstyle.weights.fetching import OnDownload, is_fetched

__all__ = ["FeatureNetwork", "check_layers", "load_network", "to_be_fetched", "weights_file"]

LAYERS = {"compact": CompactFeatures.layer_names, "vgg19": tuple(LAYER_TABLE)}


def check_layers(network: str, layers: Sequence[str]) -> None:
    """Makes sure that `network` has all of `layers`.

    Raises:
        SettingsError: it has not; the message lists the layers it has.
    """
    for layer in layers:
        if layer not in LAYERS[network]:
            raise SettingsError(f"{network} has no layer {layer!r}; it has {', '.join(LAYERS[network])}")


def weights_file(name: str, weights: Path | None = None, on_download: OnDownload | None = None) -> Path:
    """Returns the file that the network `name` is loaded from: `weights`, or its own, fetched if need be.

    Raises:
        WeightsError: there is no such file, or its own cannot be had.
    """
    if weights is not None and not weights.is_file():
        raise WeightsError(f"{weights}: no such weights file; give a .safetensors or .pth file of the network")
    return weights or (compact_weights() if name == "compact" else vgg19_weights(on_download))


def to_be_fetched(name: str, weights: Path | None = None) -> str:
    """Returns whose weights must be fetched before the network `name` can be loaded, in words; "" if none."""
    return VGG19.what if name == "vgg19" and weights is None and not is_fetched(VGG19) else ""


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
    file = weights_file(name, weights, on_download)
    if name == "compact":
        return load_compact(file)
    return load_vgg19(file, max(layers, key=LAYERS[name].index), pooling)
