"""The objective: how far a picture is from the content's features and the style's Gram matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.frames import FloatPicture, Picture, resize
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.losses import (
    STYLE_LOSSES,
    at_least_float32,
    content_scale,
    gram_matrices,
    gram_matrix,
    measured,
    relative_content_loss,
    temporal_loss,
    total_variation,
)
from vidstyle.method.options import Options
from vidstyle.method.regions import SMALLEST_REGION, UNSETTLED_WEIGHT, Regions
from vidstyle.method.tiling import Tile, own_features, summed_over_tiles, tiles_by_picture
from vidstyle.method.warping import WarpedFrame

# The coarsest level's long side lies in (half of this, this]: there relu3 sees what conv4 and conv5
# see of the full picture, and large strokes are measured.
COARSEST_LONG_SIDE_PX = 160


def to_tensor(image: Picture | FloatPicture, device: torch.device | str = "cpu") -> Tensor:
    """Returns `(1, 3, H, W)` float32 RGB in [0, 1] of `(H, W, 3)` RGB, uint8 or float32 from 0 to 255."""
    return torch.tensor(image, device=device).permute(2, 0, 1)[None].contiguous().float() / 255


def to_picture(tensor: Tensor) -> Picture:
    """Returns `(H, W, 3)` uint8 RGB, rounded, of `(1, 3, H, W)` float RGB in [0, 1]."""
    scaled = (tensor.detach()[0].permute(1, 2, 0) * 255).round_().clamp_(0, 255)
    picture: Picture = scaled.to(torch.uint8).cpu().numpy()
    return picture


def level_count(width: int, height: int, asked: int, smallest_side_px: int) -> int:
    """Returns how many pyramid levels a picture gets: `asked`, or by its size where that is 0.

    Never so many that the coarsest level's short side falls under `smallest_side_px`.
    """
    by_size = 1 + max(0, math.ceil(math.log2(max(width, height) / COARSEST_LONG_SIDE_PX)))
    possible = 1 + max(0, int(math.log2(min(width, height) / smallest_side_px)))
    return min(asked or by_size, possible)


def content_weights(width: int, height: int, levels: int, asked: int) -> list[float]:
    """Returns what the content loss of each pyramid level counts for a picture, finest level first.

    `asked` levels count, from the coarsest on, and together as many as that. Where there are two or more, and finer
    ones besides, the window moves with the coarsest level's size, so that things of one size in the picture are held
    alike in pictures of all sizes: at a long side of 160 px it counts in full, and the less, the nearer it is to 80 px,
    where the next finer one takes its place.
    """
    held = min(asked, levels)
    weights = [0.0] * (levels - held) + [1.0] * held
    if 1 < held < levels:
        coarsest_px = max(width, height) / 2 ** (levels - 1)
        share = min(1.0, max(0.0, math.log2(COARSEST_LONG_SIDE_PX / coarsest_px)))
        weights[-1] -= share
        weights[levels - held - 1] += share
    return weights


def pyramid(image: Tensor, levels: int, is_smooth: bool = False) -> list[Tensor]:
    """Returns `(B, 3, H, W)` and its half-size copies, `levels` pictures, finest first.

    Args:
        is_smooth: whether pixels are means of 4x4 with binomial weights, not of 2x2. A grid of 2 to 3 px passes the
            means of 2x2 as one of 5 px, which counts as texture there, so that the optimizer paints it.
    """
    pictures = [image]
    for _ in range(levels - 1):
        # An odd last row or column is kept, averaged over what there is of it.
        if is_smooth:
            pictures.append(_smoothly_halved(pictures[-1]))
        else:
            pictures.append(F.avg_pool2d(pictures[-1], 2, ceil_mode=True, count_include_pad=False))
    return pictures


def _smoothly_halved(image: Tensor) -> Tensor:
    """Returns `(B, 3, ceil(H / 2), ceil(W / 2))` of `(B, 3, H, W)`; the edge is repeated."""
    height, width = image.shape[2:]
    weights = image.new_tensor([1, 3, 3, 1]) / 8
    kernel = (weights[:, None] * weights).expand(image.shape[1], 1, 4, 4)
    continued_image = F.pad(image, (1, 1 + width % 2, 1, 1 + height % 2), mode="replicate")
    return F.conv2d(continued_image, kernel, stride=2, groups=image.shape[1])


@dataclass(frozen=True)
class StyleTargets:
    """The style's Gram matrices `(1, C, C)`, measured with the network's metrics, by level and layer.

    Below them, `(1, C + 1, C)`, stand the means where the style loss needs them. They hold for pictures of `width` x
    `height` pixels only.
    """

    width: int
    height: int
    grams: tuple[Mapping[str, Tensor], ...]


def style_targets(
    network: FeatureNetwork,
    style: Picture,
    width: int,
    height: int,
    options: Options,
    memory_bytes: float = math.inf,
    scale: float = 1.0,
) -> StyleTargets:
    """Returns the targets that `style` sets for pictures of `width` x `height`.

    The style picture is resized to the frame's area, as Gatys et al. (2016, section 2) do, so that
    its strokes have the same size in pixels whatever the file's resolution.

    Args:
        scale: by how much its strokes are to be larger or smaller than so.
    """
    levels = level_count(width, height, options.levels, network.smallest_side_px)
    style_height, style_width = style.shape[:2]
    ratio = scale * math.sqrt(width * height / (style_width * style_height))
    # A narrow strip of a style still has to reach the coarsest level's deepest layer.
    ratio = max(ratio, network.smallest_side_px * 2 ** (levels - 1) / min(style_width, style_height))
    fitted = resize(style, max(1, round(style_width * ratio)), max(1, round(style_height * ratio)))
    layers, metrics, grams = options.style_layers, network.metrics(), []
    style_loss = STYLE_LOSSES[options.style_loss]
    with torch.no_grad():
        for picture in pyramid(to_tensor(fitted, network.get_buffer("mean").device), levels, style_loss.is_smooth):
            (tiles,) = tiles_by_picture(network, layers, [picture], memory_bytes)
            found = summed_over_tiles(
                picture, tiles, partial(_gram_parts, network, layers, picture, style_loss.has_means)
            )
            named = zip(layers, found, strict=True)
            grams.append({layer: measured(gram, metrics.get(layer)) for layer, gram in named})
    return StyleTargets(width, height, tuple(grams))


def _gram_parts(
    network: FeatureNetwork, layers: Sequence[str], picture: Tensor, has_means: bool, tile: Tile, pixels: Tensor
) -> list[Tensor]:
    """Returns a tile's part in the Gram matrices of a picture by layer, `(1, C, C)`, or `(1, C + 1, C)` with means."""
    parts = []
    for layer, features in own_features(network, tile, pixels, layers).items():
        share = _positions(features) / network.layer_size(layer, picture).numel()
        parts.append(gram_matrix(features, has_means) * share)
    return parts


@dataclass(frozen=True)
class TemporalTarget:
    """What a frame should look like where the frames before it show the same.

    `picture` is `(1, 3, H, W)` float32 RGB in [0, 1]; `confidence`, `(1, 1, H, W)` float32 in [0, 1], says how surely.
    `unsettled`, `(1, 1, H, W)` float32, is 1 where paint is so new that it has a style loss of its own; None: nowhere.
    """

    picture: Tensor
    confidence: Tensor
    unsettled: Tensor | None = None

    @classmethod
    def of(cls, warped: WarpedFrame, device: torch.device) -> TemporalTarget:
        """Returns a warped frame as tensors."""
        confidence = torch.tensor(warped.confidence, device=device)[None, None]
        unsettled = None
        if warped.unsettled.any():
            unsettled = torch.tensor(warped.unsettled, device=device)[None, None].float()
        return cls(to_tensor(warped.reference, device), confidence, unsettled)


@dataclass(frozen=True)
class ContentTarget:
    """What a level's content loss compares with.

    Attributes:
        features: of the content, `(1, C, h, w)` float32 or finer. scale: what their squared differences are divided by.
        weight: of the level's loss. amount: how much each position is stylized, `(h, w)`; None: in full.
    """

    features: Tensor
    scale: float
    weight: float
    amount: Tensor | None


class Objective:
    """w_content C + w_style S + w_tv TV + w_temporal T for one content picture; see the losses for each term.

    S is the mean over levels and style layers; C is taken at the coarsest levels, so that brush
    strokes are free to differ from the content where they are finer than these can see. With regions all terms count
    only what is stylized, and S is the mean over the frame of each pixel's region's.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        options: Options,
        style: StyleTargets,
        content: Tensor,
        temporal: TemporalTarget | None = None,
        memory_bytes: float = math.inf,
        regions: Regions | None = None,
    ) -> None:
        """Measures `content`, `(1, 3, H, W)` float32 RGB in [0, 1] of the size that `style` was made for.

        Args:
            memory_bytes: for the network's activations; where it does not suffice, pictures are seen in tiles.
            regions: where which style counts; None: `style` everywhere.
        """
        self.regions, self._unstylized = regions, content
        self.network, self.options, self.style, self.temporal = network, options, style, temporal
        self.metrics, self._style = network.metrics(), STYLE_LOSSES[options.style_loss]
        pictures = pyramid(content, self.levels, self._style.is_smooth)
        self._tiles = tiles_by_picture(network, options.layers, pictures, memory_bytes)
        self._unsettled: dict[torch.Size, Tensor | None] = {}
        self._unsettled_count: dict[torch.Size, int] = {}
        self._unsettled_places: dict[tuple[torch.Size, int, Tile], Tensor] = {}
        with torch.no_grad():
            weights = content_weights(style.width, style.height, self.levels, options.content_levels)
            self.content = {
                level: self._content_target(level, picture, weight)
                for level, (picture, weight) in enumerate(zip(pictures, weights, strict=True))
                if weight
            }
            if regions is not None and options.strength < 1:
                for level, picture in enumerate(pictures):
                    grams = summed_over_tiles(picture, self._tiles[level], partial(self._terms, picture, None))
                    named = zip(options.style_layers, grams, strict=True)
                    own = {layer: measured(gram, self.metrics.get(layer)) for layer, gram in named}
                    regions.soften(options.strength, level, own)

    @property
    def levels(self) -> int:
        """How many pictures the pyramid has."""
        return len(self.style.grams)

    def __call__(self, image: Tensor) -> Tensor:
        """Returns the objective, shape (), of `(1, 3, H, W)` float32 RGB in [0, 1]."""
        options, levels = self.options, self.levels
        image, total = self.pinned(image), image.new_zeros(())
        style_scale = options.style_weight / (levels * len(options.style_layers))
        for level, (picture, targets) in enumerate(
            zip(pyramid(image, levels, self._style.is_smooth), self.style.grams, strict=True)
        ):
            target = self.content.get(level)
            terms = summed_over_tiles(picture, self._tiles[level], partial(self._terms, picture, target))
            content = picture.new_zeros(()) if target is None else terms.pop() * target.weight
            for (layer, style), gram in zip(targets.items(), terms, strict=True):
                total = total + style_scale * self._style_loss(level, layer, gram, style, picture)
            total = total + options.content_weight * content
        if options.tv_weight:
            amount = None if self.regions is None else self.regions.amount
            total = total + options.tv_weight * total_variation(image, amount)
        if self.temporal is not None and options.temporal_weight:
            held = temporal_loss(image, self.temporal.picture, self.temporal.confidence)
            total = total + options.temporal_weight * held
        return total

    def pinned(self, image: Tensor) -> Tensor:
        """Returns `(1, 3, H, W)`: the picture, but the content where nothing is to be stylized."""
        return image if self.regions is None else self.regions.pinned(image, self._unstylized)

    def _terms(self, picture: Tensor, content: ContentTarget | None, tile: Tile, pixels: Tensor) -> list[Tensor]:
        """Returns a tile's part in a level's Gram matrices, by style layer, and in its content loss, if it has one.

        The matrices are `(1, C, C)`, or where places are new `(2, C, C)`: theirs, too. With regions there are as many
        for each. Where the style loss needs means, they stand below: `(., C + 1, C)`.
        """
        options, network = self.options, self.network
        layers = {*options.style_layers, *([] if content is None else [options.content_layer])}
        has_means = self._style.has_means
        features, terms = own_features(network, tile, pixels, layers), []
        for layer in options.style_layers:
            size = network.layer_size(layer, picture)
            if self.regions is not None:
                terms.append(self.regions.grams(features[layer], size, network.stride_px(layer), tile))
            elif (unsettled := self._unsettled_mask(size)) is not None:
                terms.append(self._grams_with_new_places(layer, features[layer], tile, unsettled))
            else:
                terms.append(gram_matrix(features[layer], has_means) * (_positions(features[layer]) / size.numel()))
        if content is not None:
            terms.append(self._content_loss(content, features, tile))
        return terms

    # -- content -------------------------------------------------------------------------------

    def _content_target(self, level: int, picture: Tensor, weight: float) -> ContentTarget:
        features = self._content_features(level, picture)
        amount = None if self.regions is None else self.regions.amount_at(features.shape[2:])
        return ContentTarget(features, content_scale(features, amount), weight, amount)

    def _content_features(self, level: int, picture: Tensor) -> Tensor:
        """Returns the content's features `(1, C, h, w)`, float32 or finer, as the network's metric sees them."""
        layer = self.options.content_layer
        parts: list[tuple[Tile, Tensor]] = []

        def measure(tile: Tile, pixels: Tensor) -> list[Tensor]:
            features = own_features(self.network, tile, pixels, [layer])
            parts.append((tile, self._under_metric(features[layer])))
            return []

        summed_over_tiles(picture, self._tiles[level], measure)
        if len(parts) == 1:
            return parts[0][1]
        size = self.network.layer_size(layer, picture)
        whole = parts[0][1].new_empty((1, parts[0][1].shape[1], *size))
        for tile, part in parts:
            tile.part(whole, self.network.stride_px(layer)).copy_(part)
        return whole

    def _under_metric(self, features: Tensor) -> Tensor:
        """Returns content features `(1, C, h, w)` under the network's metric."""
        metric, values = self.metrics.get(self.options.content_layer), at_least_float32(features)
        return values if metric is None else F.conv2d(values, metric[:, :, None, None].to(values.dtype))

    def _content_loss(self, held: ContentTarget, features: Mapping[str, Tensor], tile: Tile) -> Tensor:
        layer = self.options.content_layer
        stride_px = self.network.stride_px(layer)
        target = tile.part(held.features, stride_px)
        share = target.numel() / held.features.numel()
        amount = None if held.amount is None else tile.part(held.amount, stride_px)
        return relative_content_loss(self._under_metric(features[layer]), target, held.scale, amount) * share

    # -- style ---------------------------------------------------------------------------------

    def _grams_with_new_places(self, layer: str, features: Tensor, tile: Tile, unsettled: Tensor) -> Tensor:
        """Returns a tile's part in the Gram matrix of a layer, and in that of its new places.

        Shape `(2, C, C)`, or `(2, C + 1, C)` where the style loss needs means.

        Args:
            unsettled: where the layer's positions are new, `(h, w)` bool.
        """
        size = unsettled.shape
        share = _positions(features) / size.numel()
        # Layers of different levels may have one size, but not one stride.
        key = size, self.network.stride_px(layer), tile
        if key not in self._unsettled_places:
            self._unsettled_places[key] = torch.nonzero(tile.part(unsettled, key[1]).flatten()).flatten()
        places = self._unsettled_places[key]
        if not len(places):
            gram = gram_matrix(features, self._style.has_means) * share
            return torch.cat([gram, torch.zeros_like(gram)])
        whole, new = gram_matrices(features, places, self._style.has_means)
        return torch.stack([whole * share, new * (len(places) / self._unsettled_count[size])])

    def _style_loss(self, level: int, layer: str, grams: Tensor, target: Tensor, picture: Tensor) -> Tensor:
        """Returns a layer's style loss, shape (), and that of new places alone, times their share of the frame.

        In the Gram matrix of the whole frame new places hardly count, and would stay content. This pulls at each
        of their pixels as the whole frame's loss does at a first frame's, but for the weight.
        """
        long_side_px = max(picture.shape[2:])
        if self.regions is not None:
            size = self.network.layer_size(layer, picture)
            return self.regions.style_loss(grams, size, level, layer, self.metrics.get(layer), long_side_px)
        losses = self._style.distance(measured(grams, self.metrics.get(layer)), target, long_side_px)
        if len(losses) == 1:
            return losses[0]
        size = self.network.layer_size(layer, picture)
        return losses[0] + losses[1] * (UNSETTLED_WEIGHT * self._unsettled_count[size] / size.numel())

    def _unsettled_mask(self, size: torch.Size) -> Tensor | None:
        """Returns where a layer's positions are new, `(h, w)` bool, or None where they are too few."""
        if self.temporal is None or self.temporal.unsettled is None:
            return None
        if size not in self._unsettled:
            mask = F.interpolate(self.temporal.unsettled, size, mode="area")[0, 0] > 0.5
            self._unsettled_count[size] = int(mask.sum())
            self._unsettled[size] = mask if self._unsettled_count[size] >= SMALLEST_REGION else None
        return self._unsettled[size]


def _positions(features: Tensor) -> int:
    return features.shape[2] * features.shape[3]
