"""The compact network: a narrow student of VGG-19 that travels inside the package.

Its layers carry the names of the VGG-19 layers that they were distilled to stand for
(`scripts/distill.py`). For each of them a linear map A into the teacher's channels was learned with
the network; since A is linear, the teacher's Gram distance as the student sees it is
``|A (G - G*) A^T|``, and with ``A^T A = R^T R`` that is ``|R (G - G*) R^T|`` at the student's width.
Only R is kept in the file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.errors import WeightsError
from vidstyle.features.network import FeatureNetwork, PaddingMode
from vidstyle.features.weights import read_weights

# (channels, the names that the convolutions' outputs bear); half-size pooling between stages.
STAGES: tuple[tuple[int, tuple[str | None, ...]], ...] = (
    (16, ("relu1_1", None)),
    (32, ("relu2_1", None)),
    (64, ("relu3_1", None, "relu3_4")),
)
LAYER_CHANNELS = {name: width for width, names in STAGES for name in names if name is not None}


class CompactFeatures(FeatureNetwork):
    """VGG-19's relu1_1 to relu3_4 as a 16-32-64 network of 3x3 convolutions and average pooling."""

    name = "compact"
    layer_names = tuple(LAYER_CHANNELS)
    smallest_side_px = 4

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        width_in = 3
        for width, names in STAGES:
            for _ in names:
                # Replicated borders at the first convolution only, as for `vgg19`: see there.
                mode: PaddingMode = "replicate" if width_in == 3 else "zeros"
                self.convolutions.append(nn.Conv2d(width_in, width, 3, padding=1, padding_mode=mode))
                width_in = width
        for layer, width in LAYER_CHANNELS.items():
            self.register_buffer(f"metric_{layer}", torch.eye(width))

    def metrics(self) -> Mapping[str, Tensor]:
        """Returns R by layer, `(C, C)` float32: see the module's introduction."""
        return {layer: self.get_buffer(f"metric_{layer}") for layer in LAYER_CHANNELS}

    def forward(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Returns the activations of `layers` for `(N, 3, H, W)` float RGB in [0, 1]."""
        wanted = set(layers)
        features: dict[str, Tensor] = {}
        x, depth = self.normalised(image), 0
        for stage, (_, names) in enumerate(STAGES):
            if stage:
                x = F.avg_pool2d(x, 2)
            for name in names:
                x = F.relu(self.convolutions[depth](x))
                depth += 1
                if name in wanted:
                    features[name or ""] = x
                    if len(features) == len(wanted):
                        return features
        return features


def compact_weights() -> Path:
    """Returns the file of the package's own weights.

    Raises:
        WeightsError: it is missing.
    """
    shipped = Path(__file__).with_name("compact.safetensors")
    if not shipped.is_file():
        raise WeightsError(f"{shipped} is missing: the installation is damaged; install vidstyle again")
    return shipped


def load_compact(path: Path | None = None) -> CompactFeatures:
    """Returns the compact network with the package's own weights, or with those of `path`.

    Raises:
        WeightsError: the file is missing, is not weights, or belongs to another network.
    """
    network = CompactFeatures()
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    network.load_state_dict(read_weights(path or compact_weights(), expected))
    return network.requires_grad_(False).eval()
