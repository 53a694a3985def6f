"""Large pictures in tiles: the network sees a piece at a time, and sums over tiles equal those over the picture.

Each tile is evaluated with a border as wide as the network sees, which is cut off its activations, so there are no
seams: what is left are the activations of the whole picture, but for the rounding of the convolutions. Activations
are not kept but computed a second time on the way back (Chen et al., Training Deep Nets with Sublinear Memory Cost,
2016), so that memory for them is that of one tile, at a third more time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from vidstyle.features import FeatureNetwork

# Gradients and what convolutions need meanwhile take as much again as the activations: by measure, 3.8 GiB at
# 1920x1080 for VGG-19 in bfloat16, of which its activations are 1.55 GB and what does not depend on the network 0.8.
GRADIENTS = 2
# Of the memory for activations a tile takes a quarter, to leave room for the smaller levels, which are not tiled.
TILE_SHARE = 4

# Features of a tile's own positions by layer, and the tile -> tensors to be summed over tiles.
Measure = Callable[[Mapping[str, Tensor], "Tile"], Sequence[Tensor]]


@dataclass(frozen=True, slots=True)
class Span:
    """What a tile is along one side of the picture, in pixels: its own part, and with the border that it needs."""

    start: int
    stop: int
    outer_start: int
    outer_stop: int

    def own(self, stride_px: int, length: int) -> slice:
        """Returns the tile's own positions among the `length` that a layer of that stride has for its pixels."""
        start = (self.start - self.outer_start) // stride_px
        # At the picture's end an odd last row has no position of its own: half-size pooling leaves it out.
        return slice(start, min(length, start + (self.stop - self.start) // stride_px))

    def in_picture(self, stride_px: int) -> slice:
        """Returns the same positions, counted from the picture's start."""
        return slice(self.start // stride_px, self.stop // stride_px)


@dataclass(frozen=True, slots=True)
class Tile:
    """One piece of a picture."""

    rows: Span
    columns: Span

    def of(self, picture: Tensor) -> Tensor:
        """Returns the tile with its border, `(1, 3, h, w)`, of a picture, `(1, 3, H, W)`."""
        rows, columns = self.rows, self.columns
        return picture[..., rows.outer_start : rows.outer_stop, columns.outer_start : columns.outer_stop]

    def own(self, features: Tensor, stride_px: int) -> Tensor:
        """Returns the features of the tile's own positions, of those with its border."""
        height, width = features.shape[2:]
        own = features[..., self.rows.own(stride_px, height), self.columns.own(stride_px, width)]
        return features if own.shape == features.shape else own

    def part(self, values: Tensor, stride_px: int) -> Tensor:
        """Returns the tile's part of a whole layer's values, `(..., h, w)`."""
        part = values[..., self.rows.in_picture(stride_px), self.columns.in_picture(stride_px)]
        return values if part.shape == values.shape else part


def tiles_of(width: int, height: int, stride_px: int, reach_px: int, most_px: float) -> list[Tile]:
    """Returns tiles that cover a picture without overlap, of about `most_px` pixels with their borders at most.

    Args:
        stride_px: tiles begin at multiples of it, so that pooling pairs the same pixels as in the whole picture.
        reach_px: how far from a position the network looks.
    """
    border_px = math.ceil(reach_px / stride_px) * stride_px
    if width * height <= most_px:
        side_px = max(width, height)
    else:
        # Tiles much smaller than their borders would be evaluated for nothing.
        side_px = max(2 * border_px, int(math.sqrt(most_px)) - 2 * border_px)
    rows, columns = (_spans(length, side_px, stride_px, border_px) for length in (height, width))
    return [Tile(row, column) for row in rows for column in columns]


def _spans(length: int, side_px: int, stride_px: int, border_px: int) -> list[Span]:
    count = math.ceil(length / max(side_px, stride_px))
    step = max(1, math.ceil(length / count / stride_px)) * stride_px
    starts = list(range(0, length, step))
    # A last piece of less than a position would be a picture too small for the network.
    if len(starts) > 1 and length - starts[-1] < stride_px:
        starts.pop()
    stops = [*starts[1:], length]
    return [
        Span(start, stop, max(0, start - border_px), min(length, stop + border_px))
        for start, stop in zip(starts, stops, strict=True)
    ]


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
    return [tiles_of(width, height, stride_px, network.reach_px(layers), most_px) for width, height in sizes]


def summed_over_tiles(
    network: FeatureNetwork, picture: Tensor, layers: Collection[str], tiles: Sequence[Tile], measure: Measure
) -> list[Tensor]:
    """Returns the sums over all tiles of what `measure` returns for each.

    Args:
        picture: `(1, 3, H, W)` float RGB in [0, 1]. layers: those that `measure` needs.
    """

    def of_tile(tile: Tile, pixels: Tensor) -> tuple[Tensor, ...]:
        features = network(pixels, layers)
        return tuple(measure({name: tile.own(features[name], network.stride_px(name)) for name in layers}, tile))

    if len(tiles) == 1:
        return list(of_tile(tiles[0], picture))
    sums: list[Tensor] = []
    for tile in tiles:
        terms = _computed_again(partial(of_tile, tile), tile.of(picture))
        sums = [a + b for a, b in zip(sums, terms, strict=True)] if sums else list(terms)
    return sums


def _computed_again(function: Callable[[Tensor], tuple[Tensor, ...]], values: Tensor) -> tuple[Tensor, ...]:
    """Returns what a function returns; for its gradient it is called a second time instead of being remembered."""
    if not (torch.is_grad_enabled() and values.requires_grad):
        return function(values)
    # Imported here: it draws torch's compiler in, a second that only large pictures are worth.
    from torch.utils.checkpoint import checkpoint

    terms: tuple[Tensor, ...] = checkpoint(function, values, use_reentrant=False, preserve_rng_state=False)
    return terms
