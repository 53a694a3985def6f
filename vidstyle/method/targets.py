"""What a frame aims at: Gram matrices of its styles, mixed, and of its own content where it is painted lightly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from vidstyle.errors import SourceError
from vidstyle.frames import Picture, resize
from vidstyle.looks.styles import StylesGiven, load_styles
from vidstyle.method.coverage import Coverage
from vidstyle.method.features import FeatureNetwork
from vidstyle.method.look import Look, look_of
from vidstyle.method.objective import StyleTargets, style_targets
from vidstyle.method.recoloring import Palette, palette_of
from vidstyle.method.regions import Regions
from vidstyle.method.tiling import bytes_per_px
from vidstyle.settings import Settings


class StyleTargetCache:
    """The targets that styles set for pictures of several sizes, each measured once.

    Attributes: `network` and `settings`, with which they are measured; `layers`, all that the settings name;
    `count`, of styles.
    """

    def __init__(self, network: FeatureNetwork, styles: StylesGiven, settings: Settings) -> None:
        """Takes one style or several; see `load_styles` for what they may be, and what is raised."""
        self.network, self.settings = network, settings
        self._styles = load_styles(styles, settings)
        self.count = len(self._styles)
        self.layers = {*settings.style_layers, settings.content_layer}
        self._targets: dict[tuple[int, int, int, int], StyleTargets] = {}
        self._palette: Palette | None = None

    def at(
        self,
        width: int,
        height: int,
        levels: int | None = None,
        memory_share: float = 1,
        blend: Sequence[float] | None = None,
    ) -> StyleTargets:
        """Returns the targets for pictures of that size, with so many levels, or as many as the settings say.

        Args:
            blend: the styles' shares, which add up to 1; None for the settings' own.
        """
        settings = self.settings if levels is None else replace(self.settings, levels=levels)
        shares = look_of(settings, self.count).blend if blend is None else blend
        parts = []
        for number, share in enumerate(shares):
            key = number, width, height, settings.levels
            if share and key not in self._targets:
                self._targets[key] = self._measured(number, width, height, settings, memory_share)
            if share:
                parts.append((share, self._targets[key]))
        return mixed(parts)

    def match(self, picture: Picture) -> None:
        """Gives the styles, from now on, the palette of a picture, `(H, W, 3)` uint8 RGB."""
        palette = palette_of(picture)
        if self._palette is None or not self._palette.is_same(palette):
            self._palette = palette
            self.forget()

    def _measured(self, number: int, width: int, height: int, settings: Settings, memory_share: float) -> StyleTargets:
        memory_bytes = self.memory_bytes(width, height, memory_share)
        mean: StyleTargets | None = None
        for count, (picture, share) in enumerate(self._styles[number].pictures()):
            if self._palette is not None:
                picture = self._palette.given_to(picture)
            # Brush strokes of a part are those of the whole picture.
            scale = settings.style_size * math.sqrt(share)
            one = style_targets(self.network, picture, width, height, settings, memory_bytes, scale)
            mean = one if mean is None else mixed([(count / (count + 1), mean), (1 / (count + 1), one)])
        if mean is None:
            raise SourceError(f"{self._styles[number].name}: holds no picture")
        return mean

    def memory_bytes(self, width: int, height: int, share: float = 1) -> float:
        """Returns the memory for activations of a picture of that size.

        Args:
            share: of what it may take; below 1, also of what it would take.
        """
        allowed = self.settings.activations_gib * 2**30
        if share == 1:
            return allowed
        return share * min(allowed, bytes_per_px(self.network, self.layers) * width * height)

    def forget(self) -> None:
        """Gives the memory back."""
        self._targets.clear()


class FrameTargets:
    """What one frame aims at: its styles, mixed by its look, and for what is missing of full strength, its content.

    Halfway between the content's own Gram matrices and the style's lies what has half of the style. A smaller
    weight of the style would not do: content is only seen where it is coarse, so that at any weight above 0 fine
    paint covers it all.

    Attributes: `network`; `settings`, with the look's own values.
    """

    def __init__(
        self,
        styles: StyleTargetCache,
        look: Look,
        content: Picture,
        coverage: Coverage | None = None,
        region_styles: Sequence[StyleTargetCache] = (),
    ) -> None:
        """Takes as many styles as the look has shares, and the frame, `(H, W, 3)` uint8 RGB.

        Args:
            coverage: of the frame; None: all of it is painted. region_styles: those of regions.
        """
        self.network, self.settings = styles.network, look.applied(styles.settings)
        self._styles, self._look, self._content = styles, look, content
        self._coverage, self._region_styles = coverage, region_styles

    def at(self, width: int, height: int, levels: int | None = None, memory_share: float = 1) -> StyleTargets:
        """Returns the targets for the frame at that size; see `StyleBySize.at`."""
        strength = self._look.strength
        style = self._styles.at(width, height, levels, memory_share, self._look.blend)
        if strength == 1 or self._coverage is not None:
            return style  # regions have contents of their own; see `Regions.soften`
        settings = self.settings if levels is None else replace(self.settings, levels=levels)
        content = resize(self._content, width, height)
        memory_bytes = self.memory_bytes(width, height, memory_share)
        own = style_targets(self.network, content, width, height, settings, memory_bytes)
        return mixed([(strength, style), (1 - strength, own)])

    def regions(
        self,
        width: int,
        height: int,
        levels: int | None = None,
        memory_share: float = 1,
        unsettled: Tensor | None = None,
    ) -> Regions | None:
        """Returns the frame's regions, reduced to a size in pixels; None where it is all painted in one style.

        Args:
            levels, memory_share: see `StyleBySize.at`. wet: see `Regions`; of that size.
        """
        if self._coverage is None:
            return None
        device = self.network.get_buffer("mean").device
        weights = torch.tensor(self._coverage.resized(width, height).shares, device=device)[None]
        grams = [self.at(width, height, levels, memory_share).grams]
        others = self._region_styles[: weights.shape[1] - 1]
        grams += [style.at(width, height, levels, memory_share).grams for style in others]
        return Regions(weights, grams, unsettled)

    def memory_bytes(self, width: int, height: int, share: float = 1) -> float:
        """Returns the memory for activations; see `StyleBySize.memory_bytes`."""
        return self._styles.memory_bytes(width, height, share)


def mixed(shares: Sequence[tuple[float, StyleTargets]]) -> StyleTargets:
    """Returns the mean of targets for one size, weighted by their shares, which add up to 1."""
    if len(shares) == 1:
        return shares[0][1]
    first = shares[0][1]
    grams = tuple({layer: _mean(shares, level, layer) for layer in grams} for level, grams in enumerate(first.grams))
    return StyleTargets(first.width, first.height, grams)


def _mean(shares: Sequence[tuple[float, StyleTargets]], level: int, layer: str) -> Tensor:
    return torch.stack([share * targets.grams[level][layer] for share, targets in shares]).sum(0)
