"""Perceptual networks: pictures go in, features by layer name come out.

To add one, write a module with a subclass of `FeatureNetwork` and name it in `NETWORKS`: the settings' choices and
help, the studio's list, layers, poolings and weights derive from these. The table can be read without torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from vidstyle.errors import SettingsError

if TYPE_CHECKING:
    from vidstyle.method.features.network import FeatureNetwork


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """A network that can be chosen.

    Attributes:
        place: of its class, "module:name" beside this file. help: what the help says of it, after its name.
        poolings: those that it can be built with, its own first.
        preview_px: long side at which a sheet of nine previews takes less than a minute on two cores.
        figure_layers: layers that the experiments show where none are asked for; none: the style layers.
        compared_layers: the same, of the experiment that compares content layers.
    """

    place: str
    help: str
    poolings: tuple[str, ...] = ("average",)
    preview_px: int = 256
    figure_layers: tuple[str, ...] = ()
    compared_layers: tuple[str, ...] = ()


NETWORKS = {
    "compact": NetworkEntry("compact:CompactFeatures", "comes with the package", preview_px=512),
    "vgg19": NetworkEntry(
        "vgg19:Vgg19Features",
        "is slower, and downloaded once",
        ("average", "max"),
        # Those of figures 1 and 5 of Gatys et al. (2016).
        figure_layers=("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_2"),
        compared_layers=("relu2_2", "relu4_2"),
    ),
}
# Every pooling that some network can be built with.
POOLINGS = tuple(dict.fromkeys(pooling for entry in NETWORKS.values() for pooling in entry.poolings))


def network_class(name: str) -> type[FeatureNetwork]:
    """Returns the class of the network `name`, one of `NETWORKS`."""
    module, _, attribute = NETWORKS[name].place.partition(":")
    found: type[FeatureNetwork] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found


def check_layers(network: str, layers: Sequence[str]) -> None:
    """Makes sure that `network` has all of `layers`.

    Raises:
        SettingsError: it has not; the message lists the layers it has.
    """
    known = network_class(network).layer_names
    for layer in layers:
        if layer not in known:
            raise SettingsError(f"{network} has no layer {layer!r}; it has {', '.join(known)}")
