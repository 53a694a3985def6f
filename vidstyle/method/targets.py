"""What a frame is optimized for: the statistics of its styles, mixed, and of its own content at low strength."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from vidstyle.errors import SourceError
from vidstyle.frames import Picture, resize
from vidstyle.method.coverage import Coverage
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.look import Look
from vidstyle.method.losses import STYLE_LOSSES, mixture
from vidstyle.method.objective import Objective, StyleTargets, TemporalTarget, style_targets, to_tensor
from vidstyle.method.options import Options
from vidstyle.method.recoloring import Palette, palette_of
from vidstyle.method.regions import Regions
from vidstyle.method.tiling import bytes_per_px
from vidstyle.method.warping import WarpedFrame


class StylePictures(Protocol):
    """A style: one picture or several whose statistics are averaged. `name` is for messages."""

    @property
    def name(self) -> str: ...

    def pictures(self) -> Iterator[tuple[Picture, float]]:
        """Yields what counts of each picture, `(H, W, 3)` uint8 RGB, and its share of the picture's area."""


class StyleTargetCache:
    """The Gram matrices of styles, for frames of several sizes, each measured once.

    Attributes: `network` and `options`, with which they are measured; `count`, of styles.
    """

    def __init__(self, network: FeatureNetwork, styles: Sequence[StylePictures], options: Options) -> None:
        self.network, self.options, self.count = network, options, len(styles)
        self._styles = tuple(styles)
        self._targets: dict[tuple[int, int, int, int], StyleTargets] = {}
        self._palette: Palette | None = None

    def at(
        self,
        width: int,
        height: int,
        blend: Sequence[float] = (1.0,),
        levels: int | None = None,
        memory_share: float = 1,
    ) -> StyleTargets:
        """Returns the targets for frames of that size.

        Args:
            blend: the styles' shares, which add up to 1. levels: of the pyramid; None: as many as the options say.
            memory_share: see `memory_bytes`.

        Raises:
            SourceError: a style's picture cannot be read.
        """
        levels = self.options.levels if levels is None else levels
        parts = []
        for number, share in enumerate(blend):
            key = number, width, height, levels
            if share and key not in self._targets:
                self._targets[key] = self._measured(number, width, height, levels, memory_share)
            if share:
                parts.append((share, self._targets[key]))
        return mixed_targets(parts)

    def match(self, picture: Picture) -> None:
        """Gives the styles, from now on, the palette of a picture, `(H, W, 3)` uint8 RGB."""
        palette = palette_of(picture)
        if self._palette is None or not self._palette.is_same(palette):
            self._palette = palette
            self.forget()

    def _measured(self, number: int, width: int, height: int, levels: int, memory_share: float) -> StyleTargets:
        options = replace(self.options, levels=levels)
        memory_bytes = self.memory_bytes(width, height, memory_share)
        mean: StyleTargets | None = None
        for count, (picture, share) in enumerate(self._styles[number].pictures()):
            if self._palette is not None:
                picture = self._palette.given_to(picture)
            # Brush strokes of a part are those of the whole picture.
            scale = options.style_size * math.sqrt(share)
            one = style_targets(self.network, picture, width, height, options, memory_bytes, scale)
            mean = one if mean is None else mixed_targets([(count / (count + 1), mean), (1 / (count + 1), one)])
        if mean is None:
            raise SourceError(f"{self._styles[number].name}: holds no picture")
        return mean

    def memory_bytes(self, width: int, height: int, share: float = 1) -> float:
        """Returns the memory for activations of a picture of that size.

        Args:
            share: of the limit; below 1, of the smaller of limit and need.
        """
        allowed = self.options.activations_gib * 2**30
        if share == 1:
            return allowed
        return share * min(allowed, bytes_per_px(self.network, self.options.layers) * width * height)

    def forget(self) -> None:
        """Gives the memory back."""
        self._targets.clear()


class FrameTargets:
    """What one frame is optimized for: its styles, mixed by its look, and for the rest of full strength, its content.

    Halfway between the content's own statistics and the style's lies what has half of the style. A smaller
    weight of the style would not do: content is only seen where it is coarse, so that at any weight above 0 fine
    paint covers it all.
    """

    def __init__(
        self,
        styles: StyleTargetCache,
        look: Look,
        content: Picture,
        coverage: Coverage | None = None,
        region_styles: Sequence[StyleTargetCache] = (),
        memory_share: float = 1,
    ) -> None:
        """Takes as many styles as the look has shares, and the frame, `(H, W, 3)` uint8 RGB.

        Args:
            coverage: of the frame; None: all of it is stylized. region_styles: one for each region.
            memory_share: see `StyleTargetCache.memory_bytes`.
        """
        self._network, self._options = styles.network, look.applied(styles.options)
        self._device = styles.network.get_buffer("mean").device
        self._styles, self._look, self._content, self._coverage = styles, look, content, coverage
        self._region_styles, self._memory_share = region_styles, memory_share

    def objective(
        self, width: int, height: int, levels: int | None = None, warped: WarpedFrame | None = None
    ) -> Objective:
        """Returns the objective of the frame, reduced to a size in pixels.

        Args:
            levels: see `StyleTargetCache.at`. warped: what the temporal loss holds the frame to; of that size.
        """
        temporal = None if warped is None else TemporalTarget.of(warped, self._device)
        unsettled = None if temporal is None else temporal.unsettled
        targets = self.style_targets(width, height, levels)
        return Objective(
            self._network,
            self._options,
            targets,
            to_tensor(resize(self._content, width, height), self._device),
            temporal,
            self._styles.memory_bytes(width, height, self._memory_share),
            self.regions(width, height, levels, unsettled),
        )

    def style_targets(self, width: int, height: int, levels: int | None = None) -> StyleTargets:
        """Returns the Gram matrices for the frame at that size; see `StyleTargetCache.at`."""
        strength = self._look.strength
        style = self._styles.at(width, height, self._look.blend, levels, self._memory_share)
        if strength == 1 or self._coverage is not None:
            return style  # regions have contents of their own; see `Regions.soften`
        options = self._options if levels is None else replace(self._options, levels=levels)
        content = resize(self._content, width, height)
        memory_bytes = self._styles.memory_bytes(width, height, self._memory_share)
        own = style_targets(self._network, content, width, height, options, memory_bytes)
        return mixed_targets([(strength, style), (1 - strength, own)])

    def regions(
        self, width: int, height: int, levels: int | None = None, unsettled: Tensor | None = None
    ) -> Regions | None:
        """Returns the frame's regions, reduced to a size in pixels; None where it is all in one style.

        Args:
            levels: see `StyleTargetCache.at`. unsettled: see `Regions`; of that size.
        """
        if self._coverage is None:
            return None
        weights = torch.tensor(self._coverage.resized(width, height).shares, device=self._device)[None]
        grams = [self.style_targets(width, height, levels).grams]
        others = self._region_styles[: weights.shape[1] - 1]
        grams += [style.at(width, height, levels=levels, memory_share=self._memory_share).grams for style in others]
        return Regions(weights, grams, STYLE_LOSSES[self._options.style_loss], unsettled)


def mixed_targets(shares: Sequence[tuple[float, StyleTargets]]) -> StyleTargets:
    """Returns what lies between targets for one size, by their shares, which add up to 1; see `losses.mixture`."""
    if len(shares) == 1:
        return shares[0][1]
    first = shares[0][1]
    grams = tuple(
        {layer: mixture([(share, targets.grams[level][layer]) for share, targets in shares]) for layer in of_level}
        for level, of_level in enumerate(first.grams)
    )
    return StyleTargets(first.width, first.height, grams)
