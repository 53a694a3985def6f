"""The bank: training pictures with everything the teacher says of them, asked once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from distillation.teacher import LAYERS, ScaledTeacher, Styles

GROUP = 8  # pictures that the teacher sees at once, and consecutive places in the bank
DEEPEST_STRIDE = 4  # relu3's


class Bank:
    """Pictures, the teacher's activations, Gram matrices and style gradients at them.

    The teacher costs ten times the student, and what it says of a picture never changes: kept here,
    one hearing serves many steps. Of the shallow layers only every n-th position is kept, from an
    offset of the picture's own.
    """

    def __init__(self, teacher: ScaledTeacher, styles: Styles, count: int) -> None:
        """Makes room for `count` pictures, a multiple of GROUP, of the styles' width."""
        assert count % GROUP == 0  # noqa: S101
        self.teacher, self.styles = teacher, styles
        side_px, device = styles.images.shape[-1], styles.images.device
        kept = (side_px // DEEPEST_STRIDE) ** 2
        channels = {k: g.shape[1] for k, g in styles.grams.items()}
        self.images = torch.zeros(count, 3, side_px, side_px, dtype=torch.float16, device=device)
        self.gradients = torch.zeros_like(self.images)
        self.gradient_rms = torch.zeros(count, device=device)
        self.style_index = torch.zeros(count, dtype=torch.int64, device=device)
        self.offsets = torch.zeros(count, 2, dtype=torch.int64)
        self.features = {
            k: torch.zeros(count, c, kept, dtype=torch.bfloat16, device=device) for k, c in channels.items()
        }
        self.grams = {k: torch.zeros(count, c, c, device=device) for k, c in channels.items()}
        self.means = {k: torch.zeros(count, c, device=device) for k, c in channels.items()}

    def put(self, first: int, images: Tensor, style_index: Tensor, rng: np.random.Generator) -> None:
        """Replaces the GROUP pictures from place `first` on.

        Args:
            images: `(GROUP, 3, s, s)` float RGB in [0, 1]. style_index: `(GROUP,)`, the style that the
                gradients are taken for.
        """
        places = slice(first, first + GROUP)
        self.images[places] = images.half()
        self.style_index[places] = style_index
        self.offsets[places] = torch.from_numpy(rng.integers(0, DEEPEST_STRIDE, (GROUP, 2)))
        self.ask(first)

    def ask(self, first: int) -> None:
        """Has the teacher look at the GROUP pictures from place `first` on."""
        places = slice(first, first + GROUP)
        targets = self.styles.targets(self.style_index[places])
        features, grams, gradient = self.teacher.judged(self.images[places].float(), targets)
        for layer in LAYERS:
            self.features[layer][places] = self.sampled(features[layer], self.offsets[places]).bfloat16()
            self.grams[layer][places] = grams[layer]
            self.means[layer][places] = features[layer].float().mean((2, 3))
        # Only its direction and its size relative to the student's matter; float16 needs it near 1.
        rms = gradient.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-12)
        self.gradient_rms[places] = rms.flatten()
        self.gradients[places] = (gradient / rms).half()

    def sampled(self, features: Tensor, offsets: Tensor) -> Tensor:
        """Returns `(B, C, P)`: of activations `(B, C, h, w)` the positions that the bank keeps."""
        step = features.shape[-1] * DEEPEST_STRIDE // self.images.shape[-1]
        rows = [
            f[:, o[0] % step :: step, o[1] % step :: step].flatten(1) for f, o in zip(features, offsets, strict=True)
        ]
        return torch.stack(rows)
