"""What the network sees of a picture: a border around it, and where it is large, a tile at a time.

Convolutions that are padded with zeros see an edge along the border. It is in a style's Gram matrices, the more so the
smaller the style is, and the optimizer reproduces it where that is easiest, at the border of the frame (a line of 2 to
3 px, and lumps along it). So pictures are continued by reflection as far as the network
looks, convolutions are not padded at all, and only the picture's own positions count.

Sums over tiles equal those over the picture: each tile has a border, too, so there are no seams; what is left are the
activations of the whole picture, but for the rounding of the convolutions. Activations are not kept but computed a
second time on the way back (Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016), so that memory for them
is that of one tile, at a third more time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.method.features.network import FeatureNetwork

# Gradients and what convolutions need meanwhile take as much again as the activations: by measure, 3.8 GiB at
# 1920x1080 for VGG-19 in bfloat16, of which its activations are 1.55 GB and what does not depend on the network 0.8.
GRADIENTS = 2
# Of the memory for activations a tile takes a quarter, to leave room for the smaller levels, which are not tiled.
TILE_SHARE = 4

# A tile, and its pixels with their border, `(1, 3, h, w)` -> tensors to be summed over tiles.
Measure = Callable[["Tile", Tensor], Sequence[Tensor]]


class _Own(torch.autograd.Function):
    """Part of a layer, whose gradient keeps the layer's layout: autograd's has another, and sums of both are slow."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, rows: slice, columns: slice) -> Tensor:
        """Returns `(N, C, h', w')` of `(N, C, h, w)`, channels last."""
        ctx.size, ctx.rows, ctx.columns = features.shape, rows, columns
        return features[..., rows, columns].contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Returns `(N, C, h, w)`, channels last; can be differentiated again."""
        (height, width), rows, columns = ctx.size[2:], ctx.rows, ctx.columns
        around = (columns.start, width - columns.stop, rows.start, height - rows.stop)
        # Padded with channels as the last dimension, as they lie in memory.
        return F.pad(gradient.permute(0, 2, 3, 1), (0, 0, *around)).permute(0, 3, 1, 2), None, None


@dataclass(frozen=True, slots=True)
class Span:
    """What a tile is along one side of the picture, in pixels."""

    start: int
    stop: int

    def positions(self, stride_px: int) -> int:
        """Returns how many positions a layer of that stride has for it; an odd last row has none of its own."""
        return (self.stop - self.start) // stride_px

    def in_picture(self, stride_px: int) -> slice:
        """Returns the same positions, counted from the picture's start."""
        return slice(self.start // stride_px, self.stop // stride_px)


@dataclass(frozen=True, slots=True)
class Tile:
    """One piece of a picture, which the network sees with a border of `border_px` on all sides."""

    rows: Span
    columns: Span
    border_px: int

    def of(self, continued: Tensor) -> Tensor:
        """Returns the tile with its border, `(1, 3, h, w)`, of a picture that was continued by as much."""
        rows, columns = (slice(span.start, span.stop + 2 * self.border_px) for span in (self.rows, self.columns))
        return continued[..., rows, columns]

    def own(self, features: Tensor, stride_px: int) -> Tensor:
        """Returns the features of the tile's own positions: shallow layers, which look less far, have some around."""
        around = (features.shape[2] - self.rows.positions(stride_px)) // 2
        if not around:
            return features
        rows, columns = (slice(around, around + span.positions(stride_px)) for span in (self.rows, self.columns))
        own: Tensor = _Own.apply(features, rows, columns)  # type: ignore[no-untyped-call]
        return own

    def part(self, values: Tensor, stride_px: int) -> Tensor:
        """Returns the tile's part of a whole layer's values, `(..., h, w)`."""
        part = values[..., self.rows.in_picture(stride_px), self.columns.in_picture(stride_px)]
        return values if part.shape == values.shape else part


def tiles_of(width: int, height: int, stride_px: int, border_px: int, most_px: float) -> list[Tile]:
    """Returns tiles that cover a picture without overlap, of about `most_px` pixels with their borders at most.

    A picture of no more pixels than that, without its border, is one tile.

    Args:
        stride_px: tiles begin at multiples of it, so that pooling pairs the same pixels as in the whole picture.
        border_px: how far from a position the network looks.
    """
    if width * height <= most_px:
        side_px = max(width, height)
    else:
        # Tiles much smaller than their borders would be evaluated for nothing.
        side_px = max(2 * border_px, int(math.sqrt(most_px)) - 2 * border_px)
    rows, columns = (_spans(length, side_px, stride_px) for length in (height, width))
    return [Tile(row, column, border_px) for row in rows for column in columns]


def _spans(length: int, side_px: int, stride_px: int) -> list[Span]:
    count = math.ceil(length / max(side_px, stride_px))
    step = max(1, math.ceil(length / count / stride_px)) * stride_px
    starts = list(range(0, length, step))
    # A last piece of less than a position would be a picture too small for the network.
    if len(starts) > 1 and length - starts[-1] < stride_px:
        starts.pop()
    return [Span(start, stop) for start, stop in zip(starts, [*starts[1:], length], strict=True)]


def continued(picture: Tensor, border_px: int) -> Tensor:
    """Returns a picture, `(1, 3, H, W)`, continued by reflection on all sides; a small one more than once."""
    while border_px:
        step_px = min(border_px, picture.shape[2] - 1, picture.shape[3] - 1)
        if not step_px:  # a line of pixels has nothing to reflect
            return F.pad(picture, (border_px,) * 4, mode="replicate")
        picture, border_px = F.pad(picture, (step_px,) * 4, mode="reflect"), border_px - step_px
    return picture


def bytes_per_px(network: FeatureNetwork, layers: Collection[str]) -> float:
    """Returns how much memory activations and their gradients take for each pixel of a picture."""
    return GRADIENTS * network.values_per_px(layers) * next(network.parameters()).element_size()


def tiles_by_picture(
    network: FeatureNetwork, layers: Collection[str], pictures: Sequence[Tensor], memory_bytes: float
) -> list[list[Tile]]:
    """Returns tiles for each of some pictures, `(1, 3, H, W)`: one where the activations of all fit into memory.

    Args:
        pictures: those whose activations live at the same time. memory_bytes: for all of them.
    """
    per_px = bytes_per_px(network, layers)
    sizes = [(picture.shape[3], picture.shape[2]) for picture in pictures]
    fits = per_px * sum(width * height for width, height in sizes) <= memory_bytes
    most_px = math.inf if fits else memory_bytes / (TILE_SHARE * per_px)
    stride_px = max(network.stride_px(layer) for layer in layers)
    reach_px = network.reach_px(layers)
    return [tiles_of(width, height, stride_px, reach_px, most_px) for width, height in sizes]


def own_features(network: FeatureNetwork, tile: Tile, pixels: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """Returns the features `(1, C, h, w)` of a tile's own positions, by layer.

    Args:
        pixels: of the tile with its border, `(1, 3, h, w)` float RGB in [0, 1].
    """
    features = network(pixels, layers, has_border=True)
    return {name: tile.own(features[name], network.stride_px(name)) for name in layers}


def summed_over_tiles(picture: Tensor, tiles: Sequence[Tile], measure: Measure) -> list[Tensor]:
    """Returns the sums over all tiles of a picture, `(1, 3, H, W)` float RGB in [0, 1], of what `measure` returns."""
    whole = continued(picture, tiles[0].border_px)
    if len(tiles) == 1:
        return list(measure(tiles[0], whole))
    sums: list[Tensor] = []
    for tile in tiles:
        terms = _recomputed_on_the_way_back(partial(_as_tuple, measure, tile), tile.of(whole))
        sums = [a + b for a, b in zip(sums, terms, strict=True)] if sums else list(terms)
    return sums


def _as_tuple(measure: Measure, tile: Tile, pixels: Tensor) -> tuple[Tensor, ...]:
    return tuple(measure(tile, pixels))


def _recomputed_on_the_way_back(function: Callable[[Tensor], tuple[Tensor, ...]], values: Tensor) -> tuple[Tensor, ...]:
    """Returns what a function returns; for its gradient it is called a second time instead of being remembered."""
    if not (torch.is_grad_enabled() and values.requires_grad):
        return function(values)
    # Imported here: it draws torch's compiler in, a second that only large pictures are worth.
    from torch.utils.checkpoint import checkpoint

    terms: tuple[Tensor, ...] = checkpoint(function, values, use_reentrant=False, preserve_rng_state=False)
    return terms
