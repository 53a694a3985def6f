"""VGG-19's weights from torchvision's published address."""

from __future__ import annotations

from pathlib import Path

from vidstyle.method.features.vgg19 import LAYER_TABLE, weight_shapes
from vidstyle.weights.fetching import OnDownload, Published, fetched

# torchvision's documentation of VGG19_Weights.IMAGENET1K_V1.
VGG19 = Published(
    url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    name="vgg19-convolutions.safetensors",
    what="VGG-19's weights",
    remedy="download {url} elsewhere and give it with --weights FILE, "
    "or use --network compact, which needs no download",
)


def vgg19_weights(on_download: OnDownload | None = None) -> Path:
    """Returns the cached file of VGG-19's convolutions, 80 MB, fetching torchvision's file the first time.

    Raises:
        WeightsError: it is not in the cache and cannot be fetched, or is not what was published.
    """
    return fetched(VGG19, weight_shapes(tuple(LAYER_TABLE)[-1]), on_download)
