"""Regions of a frame, each with the Gram matrices of a style of its own, taken over that region only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.method.losses import StyleLoss, at_least_float32, measured, mixture, weighted_grams
from vidstyle.method.tiling import Tile

# A region of fewer positions in a layer has no statistics to speak of.
SMALLEST_REGION = 64
# How much a new place's own style loss counts, relative to a first frame's. By measure and by eye: at 0.1 a pan
# leaves soft paint behind; at 0.3 its style loss is that of its surroundings, or nearly; at 1 small places take on all
# colors of the style, and paint becomes less steady.
UNSETTLED_WEIGHT = 0.3

# Gram matrices of a style, `(1, C, C)` or with means `(1, C + 1, C)`, by level and layer.
StyleGrams = Sequence[Mapping[str, Tensor]]


@dataclass(frozen=True)
class _Group:
    """Positions of a layer with one style.

    Attributes:
        style: its number. weights: `(h, w)` float32 in [0, 1]. total: their sum. share: what its style loss is
            multiplied by, for each of its pixels to be pulled at as strongly as if the whole frame were one region.
    """

    style: int
    weights: Tensor
    total: float
    share: float


class Regions:
    """Where each of a frame's styles counts.

    Attributes:
        weights: `(1, K, H, W)` float32 in [0, 1], how much a pixel counts for each style; together at most 1.
        amount: `(1, 1, H, W)`, their sum. styles: what each sets as targets; see `StyleTargets.grams`.
    """

    def __init__(
        self, weights: Tensor, styles: Sequence[StyleGrams], style_loss: StyleLoss, unsettled: Tensor | None = None
    ) -> None:
        """Takes the weights, and the Gram matrices of each style, measured for a style loss.

        Args:
            unsettled: `(1, 1, H, W)` float32, 1 where paint is so new that it has a style loss of its own.
        """
        self.weights, self.styles, self._style_loss, self._unsettled = weights, styles, style_loss, unsettled
        self.amount = weights.sum(1, keepdim=True).clamp_max(1)
        self._groups: dict[torch.Size, list[_Group]] = {}
        self._own: dict[tuple[int, str], Tensor] = {}
        self._mixed: dict[tuple[int, str], list[Tensor]] = {}
        self._strength = 1.0
        self._places: dict[tuple[torch.Size, int, Tile], list[tuple[Tensor, Tensor]]] = {}

    def pinned(self, image: Tensor, content: Tensor) -> Tensor:
        """Returns `(1, 3, H, W)`: the picture, and the content where nothing is stylized; no gradient leads there."""
        return torch.where(self.amount > 0, image, content)

    def amount_at(self, size: torch.Size) -> Tensor:
        """Returns how much each position of a layer of that size is stylized, `(h, w)` float32 in [0, 1]."""
        return F.interpolate(self.amount, size, mode="area")[0, 0]

    def grams(self, features: Tensor, size: torch.Size, stride_px: int, tile: Tile) -> Tensor:
        """Returns a tile's part in the Gram matrices of all G regions that the layer shows.

        Shape `(G, C, C)`, or `(G, C + 1, C)` where the style loss needs means.

        Args:
            features: of the tile's own positions, `(1, C, h, w)`. size: of the whole layer.
        """
        # Layers of different levels may have one size, but not one stride.
        key = size, stride_px, tile
        if key not in self._places:
            self._places[key] = []
            for group in self._groups_at(size):
                part = tile.part(group.weights, stride_px).flatten()
                places = torch.nonzero(part).flatten()
                self._places[key].append((places, part[places]))
        # Divided last: in bfloat16, weights of 1 are exact, and small shares of a sum are not.
        totals = torch.tensor([group.total for group in self._groups_at(size)], device=features.device)
        return weighted_grams(features, self._places[key], self._style_loss.has_means) / totals[:, None, None]

    def style_loss(
        self, grams: Tensor, size: torch.Size, level: int, layer: str, metric: Tensor | None, long_side_px: float
    ) -> Tensor:
        """Returns a layer's style loss, shape (), of sums over all tiles of what `grams` returned.

        Args:
            size, metric: of the layer. level: where it lies in the pyramid. long_side_px: of the level's picture.
        """
        total, groups = grams.new_zeros(()), self._groups_at(size)
        for gram, group, target in zip(measured(grams, metric), groups, self._targets(level, layer, size), strict=True):
            total = total + group.share * self._style_loss.distance(gram[None], target, long_side_px)[0]
        return total

    def _targets(self, level: int, layer: str, size: torch.Size) -> list[Tensor]:
        """Returns what each group of a layer aims at, `(1, C, C)` or `(1, C + 1, C)`."""
        if (level, layer) not in self._mixed:
            targets = [self.styles[group.style][level][layer] for group in self._groups_at(size)]
            own = self._own.get((level, layer))
            if own is not None and self._style_loss.has_means:
                shares = 1 - self._strength, self._strength
                targets = [
                    mixture(list(zip(shares, pair, strict=True))) for pair in zip(own[:, None], targets, strict=True)
                ]
            elif own is not None:  # not by `mixture`, to the bit as before there were means
                targets = [torch.lerp(*pair, self._strength) for pair in zip(own[:, None], targets, strict=True)]
            self._mixed[level, layer] = targets
        return self._mixed[level, layer]

    def soften(self, strength: float, level: int, grams: Mapping[str, Tensor]) -> None:
        """Sets the targets of each region between its own content (0) and its style (1).

        Args:
            grams: of the content, `(G, C, C)` or `(G, C + 1, C)` by layer, under the network's metric.
        """
        self._strength = strength
        self._own.update({(level, layer): own for layer, own in grams.items()})

    def _groups_at(self, size: torch.Size) -> list[_Group]:
        if size not in self._groups:
            weights = F.interpolate(self.weights, size, mode="area")[0]
            groups = _groups(weights, 0, 1)
            if self._unsettled is not None:
                is_new = F.interpolate(self._unsettled, size, mode="area")[0] > 0.5
                groups += _groups(weights * is_new, SMALLEST_REGION, UNSETTLED_WEIGHT)
            self._groups[size] = groups
        return self._groups[size]


def _groups(weights: Tensor, at_least: float, factor: float) -> list[_Group]:
    """Returns a group for each style that has positions, of weights `(K, h, w)`."""
    groups = []
    for style, of_style in enumerate(at_least_float32(weights)):
        total = float(of_style.sum())
        if total > 0 and total >= at_least:
            groups.append(_Group(style, of_style, total, factor * total / of_style.numel()))
    return groups
