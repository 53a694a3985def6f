"""The compact network: a narrow student of VGG-19 that travels inside the package.

Its layers carry the names of the VGG-19 layers that they were distilled to stand for
(`scripts/distill.py`). For each of them a linear map A into the teacher's channels was learned with
the network; since A is linear, the teacher's Gram distance as the student sees it is
``|A (G - G*) A^T|``, and with ``A^T A = R^T R`` that is ``|R (G - G*) R^T|`` at the student's width.
Only R is kept in the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.errors import WeightsError
from vidstyle.method.features.network import FeatureNetwork, half_size
from vidstyle.method.weights import TensorFile

# What the package ships: channels x convolutions of each stage; half-size pooling between stages.
SHAPE = "16x2,48x2,128x4"
# Limits for untrusted files: no network from one is larger than some 200 MB.
LARGEST_CHANNELS, LARGEST_DEPTH = 512, 8
LARGEST_INT8 = 127
FIRST_LAYERS = ("relu1_1", "relu2_1", "relu3_1")

# (channels, the names that the convolutions' outputs bear) of each stage.
Stages = tuple[tuple[int, tuple[str | None, ...]], ...]


def stages_of(shape: str) -> Stages:
    """Returns the stages of a network such as "16x2,48x2,128x4".

    Raises:
        ValueError: not of this form, a third stage of fewer than two convolutions, or channels that do
            not grow from stage to stage (which is how they are told apart in a file).
    """
    found = [re.fullmatch(r"(\d{1,4})x(\d{1,4})", part) for part in shape.split(",")]
    parts = [(int(part[1]), int(part[2])) for part in found if part]
    grow = len(found) == len(parts) == len(FIRST_LAYERS) and all(a[0] < b[0] for a, b in pairwise(parts))
    fits = all(1 <= width <= LARGEST_CHANNELS and 1 <= depth <= LARGEST_DEPTH for width, depth in parts)
    if not grow or not fits or parts[-1][1] < 2:
        raise ValueError(f"{shape!r} is no shape: CHANNELSxCONVOLUTIONS of three stages, channels growing, {SHAPE} say")
    stages = []
    for first, (width, depth) in zip(FIRST_LAYERS, parts, strict=True):
        last = ("relu3_4",) if first == FIRST_LAYERS[-1] else ()
        stages.append((width, (first, *(None,) * (depth - 1 - len(last)), *last)))
    return tuple(stages)


class CompactFeatures(FeatureNetwork):
    """VGG-19's relu1_1 to relu3_4 as a narrow network of 3x3 convolutions and average pooling."""

    name = "compact"
    shipped = "compact.safetensors"
    layer_names = ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
    smallest_side_px = 4

    def __init__(self, shape: str = SHAPE) -> None:
        super().__init__()
        self.stages = stages_of(shape)
        self.convolutions = nn.ModuleList()
        width_in = 3
        for width, names in self.stages:
            for _ in names:
                # The first convolution's border is replicated (as for `vgg19`: see there) in `forward`.
                self.convolutions.append(nn.Conv2d(width_in, width, 3, padding=1 if len(self.convolutions) else 0))
                width_in = width
        self.layer_channels = {name: width for width, names in self.stages for name in names if name is not None}
        for layer, width in self.layer_channels.items():
            self.register_buffer(f"metric_{layer}", torch.eye(width))

    @classmethod
    def load(cls, file: TensorFile, layers: Sequence[str] = (), pooling: str = "average") -> CompactFeatures:
        """Returns the network with a file's weights, of any shape; see `FeatureNetwork`."""
        network = cls(shape_in(file))
        state = network.state_dict()
        scales = {name.replace(".weight", ".scale"): (len(v),) for name, v in state.items() if v.dim() == 4}
        found = file.read({name: tuple(v.shape) for name, v in state.items()} | scales)
        for name in scales:
            weight = name.replace(".scale", ".weight")
            found[weight] = found[weight] * found.pop(name).view(-1, 1, 1, 1)
            file.check_finite(weight, found[weight])
        network.load_state_dict(found)
        return network.requires_grad_(False).eval()

    def convolutions_by_layer(self) -> Sequence[tuple[str | None, int, int]]:
        """Returns, for each convolution, the layer it makes (if any), its channels, and pixels between positions."""
        return [(name, width, 2**stage) for stage, (width, names) in enumerate(self.stages) for name in names]

    def metrics(self) -> Mapping[str, Tensor]:
        """Returns R by layer, `(C, C)` float32: see the module's introduction."""
        return {layer: self.get_buffer(f"metric_{layer}") for layer in self.layer_channels}

    def forward(self, image: Tensor, layers: Collection[str], *, has_border: bool = False) -> dict[str, Tensor]:
        """Returns the activations of `layers` for `(N, 3, H, W)` float RGB in [0, 1]; see `FeatureNetwork`."""
        requested = set(layers)
        features: dict[str, Tensor] = {}
        # Padded before the conversion: replicating is slow in channels-last bfloat16.
        x, depth = self.normalized(image if has_border else F.pad(image, (1, 1, 1, 1), mode="replicate")), 0
        for stage, (_, names) in enumerate(self.stages):
            if stage:
                x = half_size(x)
            for name in names:
                x = F.relu_(self._convolved(self.convolutions[depth], x, has_border))
                depth += 1
                if name in requested:
                    features[name or ""] = x
                    if len(features) == len(requested):
                        return features
        return features


def shape_in(file: TensorFile) -> str:
    """Returns the shape, such as "16x2,48x2,128x4", of the compact network whose weights a file holds.

    Raises:
        WeightsError: the file cannot be read, or holds another network.
    """
    shapes = file.shapes()
    widths: list[int] = []
    while len(widths) <= len(FIRST_LAYERS) * LARGEST_DEPTH:
        shape_here, width_in = shapes.get(f"convolutions.{len(widths)}.weight", ()), widths[-1] if widths else 3
        # What a network of this shape will allocate, the file has to hold.
        if len(shape_here) != 4 or shape_here[1:] != (width_in, 3, 3):
            break
        widths.append(shape_here[0])
    shape = ",".join(f"{width}x{len(list(run))}" for width, run in groupby(widths))
    try:
        stages_of(shape)
    except ValueError as error:
        raise WeightsError(f"{file}: belongs to another network than compact (see --network)") from error
    return shape


def packed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the network's state as its files hold it.

    Convolutions are int8 with a float32 scale `(C,)` for each output channel: the error, 0.7 % of the
    filters' norm, is far below what the student lacks. All else is float16.
    """
    file: dict[str, Tensor] = {}
    for name, value in state.items():
        value = value.detach().cpu()
        if value.dim() == 4:
            scale = value.abs().amax((1, 2, 3)).clamp_min(1e-12) / LARGEST_INT8
            file[name.replace(".weight", ".scale")] = scale.float()
            file[name] = (value / scale.view(-1, 1, 1, 1)).round().to(torch.int8).contiguous()
        else:
            file[name] = value.half().contiguous()
    return file
