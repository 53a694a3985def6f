"""What every perceptual network offers: a picture goes in, activations by layer name come out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.method.weights import PublishedWeights, Shapes, TensorFile

PaddingMode = Literal["zeros", "replicate"]

# ImageNet's channel means and standard deviations, with which VGG-19 was trained (torchvision's
# documentation of its weights); the compact network was distilled from a teacher fed the same way.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class _HalfSize(torch.autograd.Function):
    """Average pooling by two, whose gradient is an enlargement: torch's own fills and sums, six times as slowly."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Returns `(N, C, h // 2, w // 2)` of `(N, C, h, w)`."""
        ctx.size = values.shape[2:]
        return F.avg_pool2d(values, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Returns `(N, C, h, w)`; can be differentiated again."""
        height, width = ctx.size
        up = F.interpolate(gradient / 4, scale_factor=2, mode="nearest")
        # An odd last row or column was not looked at.
        return F.pad(up, (0, width % 2, 0, height % 2)) if height % 2 or width % 2 else up


def half_size(values: Tensor) -> Tensor:
    """Returns the means of 2x2 values, `(N, C, h // 2, w // 2)` of `(N, C, h, w)`."""
    halved: Tensor = _HalfSize.apply(values)  # type: ignore[no-untyped-call]
    return halved


class FeatureNetwork(nn.Module):
    """A fixed network whose activations describe content and style.

    ``network(image, layers)`` takes ``(N, 3, H, W)`` float RGB in [0, 1] and returns, for each name
    in ``layers``, activations ``(N, C, h, w)`` in the network's precision. Nothing deeper than the
    deepest layer asked for is computed. Parameters never require gradients.

    Attributes:
        name: what ``--network`` calls it.
        layer_names: the layers that can be asked for, shallow to deep.
        smallest_side_px: the smallest side of a picture that still reaches the deepest layer.
        shipped: name of its own weights' file beside the module, or else
        published: where its own weights are fetched from.
    """

    name: str
    layer_names: tuple[str, ...]
    smallest_side_px: int
    shipped: ClassVar[str] = ""
    published: ClassVar[PublishedWeights | None] = None

    @classmethod
    def load(cls, file: TensorFile, layers: Sequence[str], pooling: str) -> FeatureNetwork:
        """Returns the network with a file's weights, deep enough for `layers`, float32, on the CPU, without gradients.

        Raises:
            WeightsError: the file cannot be read, or is not this network's.
        """
        raise NotImplementedError

    @classmethod
    def published_shapes(cls) -> Shapes:
        """Returns names and shapes of those tensors of the published file that are kept."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def placed(self, device: torch.device, precision: torch.dtype) -> FeatureNetwork:
        """Moves the network to a device, and its convolutions to a precision and their fastest layout.

        Buffers (means, metrics) stay float32.
        """
        self.to(device)
        for parameter in self.parameters():
            layout = torch.channels_last if parameter.dim() == 4 else torch.contiguous_format
            parameter.data = parameter.data.to(dtype=precision, memory_format=layout)
        return self

    def normalized(self, image: Tensor) -> Tensor:
        """Returns the picture `(N, 3, H, W)` in ImageNet's units and the network's precision."""
        scaled = (image - self.get_buffer("mean")) / self.get_buffer("std")
        precision = next(self.parameters()).dtype
        return scaled.to(dtype=precision, memory_format=torch.channels_last)

    def convolutions_by_layer(self) -> Sequence[tuple[str | None, int, int]]:
        """Returns, for each convolution, the layer it makes (if any), its channels, and pixels between positions."""
        raise NotImplementedError

    def stride_px(self, layer: str) -> int:
        """Returns how many pixels of the picture lie between two positions of a layer."""
        return next(stride for name, _, stride in self.convolutions_by_layer() if name == layer)

    def layer_size(self, layer: str, picture: Tensor) -> torch.Size:
        """Returns height and width of a layer for pictures `(N, 3, H, W)`; half-size pooling drops an odd row."""
        stride = self.stride_px(layer)
        return torch.Size((picture.shape[2] // stride, picture.shape[3] // stride))

    def reach_px(self, layers: Collection[str]) -> int:
        """Returns the radius of the receptive field of `layers` in pixels of the picture, at most."""
        # Convolutions of 3x3 see one position farther each; pooling sees its own two.
        return sum(stride for _, _, stride in self._needed_for(layers))

    def values_per_px(self, layers: Collection[str]) -> float:
        """Returns how many activations are kept for the gradient for each pixel of the picture."""
        needed = self._needed_for(layers)
        pooled = (channels / after**2 for (_, channels, stride), (_, _, after) in pairwise(needed) if after > stride)
        return sum(channels / stride**2 for _, channels, stride in needed) + sum(pooled)

    def _needed_for(self, layers: Collection[str]) -> Sequence[tuple[str | None, int, int]]:
        plan = self.convolutions_by_layer()
        deepest = max(index for index, (name, _, _) in enumerate(plan) if name in layers)
        return plan[: deepest + 1]

    def metrics(self) -> Mapping[str, Tensor]:
        """Returns, by layer, the square matrices R under which distances between features are measured.

        ``|R (f - g)|`` stands for the distance that the loss should see. Layers that are not in the
        mapping are measured as they are (R is the identity).
        """
        return {}

    def forward(self, image: Tensor, layers: Collection[str], *, has_border: bool = False) -> dict[str, Tensor]:
        """Returns the activations of `layers` for `(N, 3, H, W)` float RGB in [0, 1].

        Args:
            has_border: whether the outermost `reach_px(layers)` pixels are context: convolutions run unpadded then, and
                the layer with the largest receptive field has no positions there.
        """
        raise NotImplementedError

    @staticmethod
    def _convolved(convolution: nn.Module, values: Tensor, has_border: bool) -> Tensor:
        """Returns what a convolution makes of `(N, C, h, w)`: two rows and columns less where there is a border."""
        if not has_border:
            return cast("Tensor", convolution(values))
        return F.conv2d(values, convolution.get_parameter("weight"), convolution.get_parameter("bias"))
