"""The objective: how far a picture is from the content's features and the style's Gram matrices."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.features import FeatureNetwork
from vidstyle.frames import FloatPicture, Picture
from vidstyle.losses import (
    at_least_float32,
    content_scale,
    gram_matrices,
    gram_matrix,
    measured,
    relative_content_loss,
    relative_style_loss,
    temporal_loss,
    total_variation,
)
from vidstyle.media.images import resize
from vidstyle.settings import Settings

# The coarsest level's long side lies in (half of this, this]: there relu3 sees what conv4 and conv5
# see of the full picture, and large strokes are measured.
COARSEST_LONG_SIDE_PX = 160
# A region of fewer positions in a layer has no statistics to speak of.
SMALLEST_REGION = 64
# How much a new place's own style loss counts, relative to a first frame's. By measure and by eye: at 0.1 a pan
# uncovers soft paint; at 0.3 its style loss is that of its surroundings, or nearly; at 1 small places take on all
# colours of the style, and paint becomes less steady.
WET_WEIGHT = 0.3


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


def pyramid(image: Tensor, levels: int) -> list[Tensor]:
    """Returns `(1, 3, H, W)` and its half-size copies, `levels` pictures, finest first."""
    pictures = [image]
    for _ in range(levels - 1):
        # ceil_mode: an odd last row or column is kept, averaged over what there is of it.
        pictures.append(F.avg_pool2d(pictures[-1], 2, ceil_mode=True, count_include_pad=False))
    return pictures


@dataclass(frozen=True)
class StyleTargets:
    """The style's Gram matrices `(1, C, C)`, measured with the network's metrics, by level and layer.

    They hold for pictures of `width` x `height` pixels only.
    """

    width: int
    height: int
    grams: tuple[Mapping[str, Tensor], ...]


def style_targets(network: FeatureNetwork, style: Picture, width: int, height: int, settings: Settings) -> StyleTargets:
    """Returns the targets that `style` sets for pictures of `width` x `height`.

    The style picture is resized to the frame's area, as Gatys et al. (2016, section 2) do, so that
    its strokes have the same size in pixels whatever the file's resolution.
    """
    levels = level_count(width, height, settings.levels, network.smallest_side_px)
    style_height, style_width = style.shape[:2]
    ratio = math.sqrt(width * height / (style_width * style_height))
    # A narrow strip of a style still has to reach the coarsest level's deepest layer.
    ratio = max(ratio, network.smallest_side_px * 2 ** (levels - 1) / min(style_width, style_height))
    fitted = resize(style, max(1, round(style_width * ratio)), max(1, round(style_height * ratio)))
    with torch.no_grad():
        pictures = pyramid(to_tensor(fitted, network.get_buffer("mean").device), levels)
        grams = tuple(_measured_grams(network, picture, settings.style_layers) for picture in pictures)
    return StyleTargets(width, height, grams)


def _measured_grams(network: FeatureNetwork, picture: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    features, metrics = network(picture, layers), network.metrics()
    return {layer: measured(gram_matrix(features[layer]), metrics.get(layer)) for layer in layers}


@dataclass(frozen=True)
class Reference:
    """What a frame should look like where the past is known.

    `picture` is `(1, 3, H, W)` float32 RGB in [0, 1]; `confidence`, `(1, 1, H, W)` float32 in [0, 1], says how surely.
    `wet`, `(1, 1, H, W)` float32, is 1 where paint is so new that it must answer for itself; None if it is so nowhere.
    """

    picture: Tensor
    confidence: Tensor
    wet: Tensor | None = None


class Objective:
    """w_content C + w_style S + w_tv TV + w_temporal T for one content picture; see the losses for each term.

    S is the mean over levels and style layers; C is taken at the coarsest level, so that brush
    strokes are free to differ from the content where they are finer than it can see.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        settings: Settings,
        style: StyleTargets,
        content: Tensor,
        reference: Reference | None = None,
    ) -> None:
        """Measures `content`, `(1, 3, H, W)` float32 RGB in [0, 1] of the size that `style` was made for."""
        self.network, self.settings, self.style, self.reference = network, settings, style, reference
        self.metrics = network.metrics()
        with torch.no_grad():
            coarsest = pyramid(content, len(style.grams))[-1]
            self.content = self._content_features(network(coarsest, [settings.content_layer]))
            self.content_scale = content_scale(self.content)
        self._wet: dict[torch.Size, Tensor | None] = {}

    def _content_features(self, features: Mapping[str, Tensor]) -> Tensor:
        layer = self.settings.content_layer
        metric, values = self.metrics.get(layer), features[layer]
        values = at_least_float32(values)
        return values if metric is None else F.conv2d(values, metric[:, :, None, None].to(values.dtype))

    def _style_loss(self, layer: str, features: Tensor, target: Tensor) -> Tensor:
        """Returns a layer's style loss, shape (), and that of new places alone, times their share of the frame.

        In the Gram matrix of the whole frame new places hardly count, and would stay content. This pulls at each
        of their pixels as the whole frame's loss does at a first frame's, but for the weight.
        """
        metric, places = self.metrics.get(layer), self._wet_places(features)
        if places is None:
            return relative_style_loss(measured(gram_matrix(features), metric), target)[0]
        losses = relative_style_loss(measured(gram_matrices(features, places), metric), target)
        return losses[0] + losses[1] * (WET_WEIGHT * len(places) / (features.shape[2] * features.shape[3]))

    def _wet_places(self, features: Tensor) -> Tensor | None:
        """Returns the numbers `(P,)` of a layer's positions that are new, or None where they are too few."""
        if self.reference is None or self.reference.wet is None:
            return None
        size = features.shape[2:]
        if size not in self._wet:
            fitted = F.interpolate(self.reference.wet, size, mode="area")
            places = torch.nonzero(fitted.flatten() > 0.5).flatten()
            self._wet[size] = places if len(places) >= SMALLEST_REGION else None
        return self._wet[size]

    def __call__(self, image: Tensor) -> Tensor:
        """Returns the objective, shape (), of `(1, 3, H, W)` float32 RGB in [0, 1]."""
        settings, levels = self.settings, len(self.style.grams)
        total = image.new_zeros(())
        style_scale = settings.style_weight / (levels * len(settings.style_layers))
        for level, (picture, targets) in enumerate(zip(pyramid(image, levels), self.style.grams, strict=True)):
            coarsest = level == levels - 1
            layers = {*settings.style_layers, *([settings.content_layer] if coarsest else [])}
            features = self.network(picture, layers)
            for layer, target in targets.items():
                total = total + style_scale * self._style_loss(layer, features[layer], target)
            if coarsest:
                content = relative_content_loss(self._content_features(features), self.content, self.content_scale)
                total = total + settings.content_weight * content
        if settings.tv_weight:
            total = total + settings.tv_weight * total_variation(image)
        if self.reference is not None and settings.temporal_weight:
            held = temporal_loss(image, self.reference.picture, self.reference.confidence)
            total = total + settings.temporal_weight * held
        return total
