"""VGG-19's convolutions (Simonyan and Zisserman 2014, configuration E), without its classifier."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.errors import SettingsError, WeightsError
from vidstyle.method.features import NETWORKS
from vidstyle.method.features.network import FeatureNetwork, PaddingMode, half_size
from vidstyle.method.weights import PublishedWeights, Shapes, TensorFile

# Channels and number of convolutions of the five blocks (Simonyan and Zisserman 2014, table 1, E).
BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


def _layer_table() -> dict[str, tuple[int, int, int]]:
    """Returns {layer: (index in torchvision's `features`, channels in, channels out)}."""
    table, index, width_in = {}, 0, 3
    for block, (width, count) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            table[f"relu{block}_{number}"] = (index, width_in, width)
            index, width_in = index + 2, width  # a convolution and its rectifier
        index += 1  # the pooling
    return table


LAYER_TABLE = _layer_table()


def weight_shapes(deepest: str) -> dict[str, tuple[int, ...]]:
    """Returns names and shapes of the tensors needed to compute the layer `deepest`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (index, width_in, width) in LAYER_TABLE.items():
        shapes[f"features.{index}.weight"] = (width, width_in, 3, 3)
        shapes[f"features.{index}.bias"] = (width,)
        if layer == deepest:
            break
    return shapes


class Vgg19Features(FeatureNetwork):
    """VGG-19 up to the layer `deepest`, with average pooling unless told otherwise.

    Average instead of the original maximum pooling is what Gatys et al. (2016, section 2) found to
    give slightly more appealing pictures.
    """

    name = "vgg19"
    layer_names = tuple(LAYER_TABLE)
    # torchvision's documentation of VGG19_Weights.IMAGENET1K_V1. Its convolutions are kept, 80 MB.
    published = PublishedWeights(
        url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        name="vgg19-convolutions.safetensors",
        owner="VGG-19's weights",
        remedy="download {url} elsewhere and give it with --weights FILE, "
        "or use --network compact, which needs no download",
    )

    def __init__(self, deepest: str = "relu5_4", pooling: str = "average") -> None:
        super().__init__()
        if deepest not in LAYER_TABLE:
            raise SettingsError(f"no layer {deepest!r} in vgg19; it has {', '.join(LAYER_TABLE)}")
        if pooling not in NETWORKS["vgg19"].poolings:
            raise SettingsError(f"no pooling {pooling!r}; choose one of {', '.join(NETWORKS['vgg19'].poolings)}")
        self.pooling = pooling
        self.layer_names = tuple(LAYER_TABLE)[: tuple(LAYER_TABLE).index(deepest) + 1]
        self.smallest_side_px = 2 ** (int(deepest[4]) - 1)
        # Keys are torchvision's (`features.0.weight`, ...), so that its files load as they are.
        self.features = nn.ModuleDict()
        for layer in self.layer_names:
            index, width_in, width = LAYER_TABLE[layer]
            # Departure from VGG-19: the picture's border is replicated, not zero, at the first
            # convolution; zeros there read as a dark frame, and the optimizer paints one.
            mode: PaddingMode = "replicate" if index == 0 else "zeros"
            self.features[str(index)] = nn.Conv2d(width_in, width, 3, padding=1, padding_mode=mode)

    @classmethod
    def load(cls, file: TensorFile, layers: Sequence[str], pooling: str = "average") -> Vgg19Features:
        """Returns VGG-19 up to the deepest of `layers` with a file's weights (torchvision's key names).

        Raises:
            WeightsError: the file cannot be read, or lacks a layer. SettingsError: no such layer or pooling.
        """
        deepest = max(layers, key=tuple(LAYER_TABLE).index)
        network, shapes = cls(deepest, pooling), weight_shapes(deepest)
        try:
            tensors = file.read(shapes)
        except WeightsError:
            _check_deep_enough(file, shapes, deepest)
            raise
        network.load_state_dict(tensors)
        return network.requires_grad_(False).eval()

    @classmethod
    def published_shapes(cls) -> Shapes:
        """Returns names and shapes of the convolutions' tensors."""
        return weight_shapes(tuple(LAYER_TABLE)[-1])

    def convolutions_by_layer(self) -> Sequence[tuple[str | None, int, int]]:
        """Returns, for each convolution, the layer it makes (if any), its channels, and pixels between positions."""
        return [(layer, LAYER_TABLE[layer][2], 2 ** (int(layer[4]) - 1)) for layer in self.layer_names]

    def forward(self, image: Tensor, layers: Collection[str], *, has_border: bool = False) -> dict[str, Tensor]:
        """Returns the activations of `layers` for `(N, 3, H, W)` float RGB in [0, 1]; see `FeatureNetwork`."""
        requested = set(layers)
        features: dict[str, Tensor] = {}
        x = self.normalized(image)
        for layer in self.layer_names:
            if layer.endswith("_1") and layer != "relu1_1":
                x = half_size(x) if self.pooling == "average" else F.max_pool2d(x, 2)
            x = F.relu(self._convolved(self.features[str(LAYER_TABLE[layer][0])], x, has_border))
            if layer in requested:
                features[layer] = x
                if len(features) == len(requested):
                    break
        return features


def _check_deep_enough(file: TensorFile, shapes: Shapes, deepest: str) -> None:
    """Says of a file that holds the network's first layers where it ends."""
    present = file.shapes()
    first_missing = next((name for name in shapes if name not in present), None)
    reached = [layer for layer in LAYER_TABLE if weight_shapes(layer).items() <= present.items()]
    if first_missing is not None and reached:
        raise WeightsError(
            f"{file}: holds VGG-19 up to {reached[-1]} only (it has no {first_missing}), not {deepest}; "
            "choose layers up to there, or give a file with more of them"
        )
