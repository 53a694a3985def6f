"""VGG-19 as the teacher, and the style pictures whose Gram matrices are the targets."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.method.features.compact import CompactFeatures
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.losses import gram_matrix, relative_style_loss
from vidstyle.weights.loading import load_network

LAYERS = CompactFeatures.layer_names


class ScaledTeacher(nn.Module):
    """VGG-19 with each layer in units of its own root mean square over some pictures.

    Its activations run into the hundreds, which the student's maps would take thousands of steps to
    reach. All losses are relative, so the scale is free.
    """

    def __init__(self, teacher: FeatureNetwork, images: Tensor) -> None:
        """Measures the root mean squares on `images`, `(B, 3, H, W)` float32 RGB in [0, 1]."""
        super().__init__()
        self.teacher = teacher
        with torch.no_grad():
            parts = [teacher(chunk, LAYERS) for chunk in images.split(8)]
        self.rms = {k: float(torch.stack([p[k].float().square().mean() for p in parts]).mean().sqrt()) for k in LAYERS}

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Returns scaled activations by layer of `(B, 3, H, W)` in [0, 1]."""
        return {k: f / self.rms[k] for k, f in self.teacher(images, LAYERS).items()}

    def grams(self, images: Tensor) -> dict[str, Tensor]:
        """Returns the Gram matrices `(B, C, C)` by layer of `(B, 3, H, W)` in [0, 1]."""
        with torch.no_grad():
            parts = [{k: gram_matrix(f) for k, f in self(chunk).items()} for chunk in images.split(8)]
        return {k: torch.cat([part[k] for part in parts]) for k in LAYERS}

    def judged(self, images: Tensor, targets: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """Returns activations, Gram matrices and the style loss's gradient `(B, 3, H, W)` at each picture."""
        images = images.clone().requires_grad_()
        features = self(images)
        grams = {k: gram_matrix(f) for k, f in features.items()}
        style = torch.stack([relative_style_loss(grams[k], targets[k]) for k in LAYERS]).mean(0)
        (gradient,) = torch.autograd.grad(style.sum(), images)
        return {k: f.detach() for k, f in features.items()}, {k: g.detach() for k, g in grams.items()}, gradient


def load_teacher(weights: Path, device: torch.device, precision: torch.dtype, images: Tensor) -> ScaledTeacher:
    """Returns the teacher with the weights of a file, scaled on `images`, `(B, 3, H, W)` in [0, 1]."""
    vgg = load_network("vgg19", ["relu3_4"], weights).placed(device, precision)
    assert isinstance(vgg, FeatureNetwork)  # noqa: S101
    return ScaledTeacher(vgg, images)


class Styles:
    """Crops of paintings, each at two levels of a pyramid, and the teacher's Gram matrices of them.

    Entry 2 k is a crop of the k-th part of a painting at full size, entry 2 k + 1 the whole part at
    half size: what the two levels of an optimized picture (`OptimizedPictures`) are held against.
    """

    def __init__(self, parts: Tensor) -> None:
        """Takes parts of paintings, `(N, 3, 2 s, 2 s)` float32 RGB in [0, 1]; all crops are s px wide."""
        side_px = parts.shape[-1] // 2
        inset = side_px // 2
        fine = parts[:, :, inset : inset + side_px, inset : inset + side_px]
        self.images = torch.stack([fine, F.avg_pool2d(parts, 2)], 1).flatten(0, 1)
        self.grams: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.images)

    def targets(self, index: Tensor) -> dict[str, Tensor]:
        """Returns the teacher's Gram matrices by layer, `(len(index), C, C)`."""
        return {k: g[index] for k, g in self.grams.items()}
