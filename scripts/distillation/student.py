"""The student: the compact network in training, with its maps into the teacher's channels."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from distillation.teacher import LAYERS
from vidstyle.method.features.compact import CompactFeatures, packed
from vidstyle.method.features.vgg19 import LAYER_TABLE
from vidstyle.method.losses import SMALLEST_NORM, gram_matrix, measured


class Student(nn.Module):
    """The compact network in training, with its maps A `(teacher's channels, student's channels)`."""

    def __init__(self, network: CompactFeatures, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network, self.precision = network, precision
        for convolution in self.network.convolutions:
            nn.init.kaiming_normal_(convolution.weight)
            nn.init.zeros_(convolution.bias)
        self.maps = nn.ParameterDict(
            {
                k: nn.Parameter(torch.randn(LAYER_TABLE[k][2], c) / math.sqrt(c))
                for k, c in network.layer_channels.items()
            }
        )

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Returns the student's own activations by layer of `(B, 3, H, W)` in [0, 1]."""
        with torch.autocast(images.device.type, self.precision, enabled=self.precision != torch.float32):
            return self.network(images, LAYERS)

    def mapped(self, layer: str, features: Tensor) -> Tensor:
        """Returns the student's estimate `(B, teacher's C, P)` float32 of the teacher's `(B, C, P)` activations."""
        with torch.autocast(features.device.type, self.precision, enabled=self.precision != torch.float32):
            return (self.maps[layer] @ features).float()

    def gap(self, layer: str, grams: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        """Returns the student's estimate of how far the teacher's Gram matrices `(B, C, C)` are apart."""
        return measured(grams[layer] - targets[layer], self.maps[layer])

    def style_loss(self, grams: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        """Returns the style loss `(B,)` that the finished network will measure."""
        losses = []
        for layer in LAYERS:
            norm = measured(targets[layer], self.maps[layer]).square().sum((1, 2)).clamp_min(SMALLEST_NORM)
            losses.append(self.gap(layer, grams, targets).square().sum((1, 2)) / norm)
        return torch.stack(losses).mean(0)

    def shipped(self) -> dict[str, Tensor]:
        """Returns what the package ships: the convolutions, and for each layer R with A^T A = R^T R."""
        state = dict(self.network.state_dict())
        for layer, a in self.maps.items():
            a = a.detach().double().cpu()
            values, vectors = torch.linalg.eigh(a.T @ a)
            state[f"metric_{layer}"] = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
        return packed(state)


def grams_of(features: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the Gram matrices `(B, C, C)` by layer."""
    return {layer: gram_matrix(values) for layer, values in features.items()}
