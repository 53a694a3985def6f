"""Coarse to fine: a picture is painted small first, where large strokes settle at a fraction of the cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.coverage import Coverage
from vidstyle.features import FeatureNetwork
from vidstyle.frames import Picture
from vidstyle.media.images import resize
from vidstyle.objective import Objective, StyleTargets, style_targets, to_tensor
from vidstyle.optimize import Effort, Outcome, optimize
from vidstyle.regions import Regions
from vidstyle.settings import Settings
from vidstyle.tiling import bytes_per_px

# The smallest picture begins with longer steps than the others: it is the farthest from where it is to go.
SMALLEST_FIRST_STEP_RMS = 0.03


class StyleBySize:
    """The targets that one style sets for pictures of several sizes, each measured once.

    Attributes: `network` and `settings`, with which they are measured; `layers`, all that the settings name.
    """

    def __init__(self, network: FeatureNetwork, style: Picture, settings: Settings) -> None:
        """Takes a style, `(H, W, 3)` uint8 RGB."""
        self.network, self.settings, self._style = network, settings, style
        self.layers = {*settings.style_layers, settings.content_layer}
        self._targets: dict[tuple[int, int, int], StyleTargets] = {}

    def at(self, width: int, height: int, levels: int | None = None, memory_share: float = 1) -> StyleTargets:
        """Returns the targets for pictures of that size, with so many levels, or as many as the settings say."""
        settings = self.settings if levels is None else replace(self.settings, levels=levels)
        key = width, height, settings.levels
        if key not in self._targets:
            memory_bytes = self.memory_bytes(width, height, memory_share)
            self._targets[key] = style_targets(self.network, self._style, width, height, settings, memory_bytes)
        return self._targets[key]

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


def regions_of(
    styles: Sequence[StyleBySize],
    coverage: Coverage | None,
    memory_share: float,
    width: int,
    height: int,
    levels: int | None = None,
    wet: Tensor | None = None,
) -> Regions | None:
    """Returns the regions of a frame, reduced to a size in pixels; None where it is all painted in one style.

    Args:
        styles: the main one and those of regions. memory_share, levels: see `StyleBySize.at`.
        wet: see `Regions`; of that size.
    """
    if coverage is None:
        return None
    device = styles[0].network.get_buffer("mean").device
    weights = torch.tensor(coverage.resized(width, height).shares, device=device)[None]
    used = styles[: weights.shape[1]]
    return Regions(weights, [style.at(width, height, levels, memory_share).grams for style in used], wet)


def smaller_sizes(width: int, height: int, levels: int) -> list[tuple[int, int, int]]:
    """Returns width, height and levels of the pictures that are painted before the full one, smallest first.

    They are the full one's own pyramid levels, rounded up, so that the last k levels of each measure what the
    last k of the full one do.
    """
    return [(math.ceil(width / 2**k), math.ceil(height / 2**k), levels - k) for k in range(levels - 1, 0, -1)]


def optimized_coarse_to_fine(
    styles: StyleBySize,
    content: Picture,
    start: Tensor,
    objective: Objective,
    method: str,
    effort: Effort,
    memory_share: float = 1,
    regions_at: Callable[[int, int, int], Regions | None] = lambda width, height, levels: None,
) -> Outcome:
    """Optimises ever larger copies of a picture with the same effort each, and last the picture.

    A departure from Gatys et al. (2016), who optimise the full picture alone; Gatys et al. (Controlling
    Perceptual Factors in Neural Style Transfer, 2017, section 6) enlarge an optimised small picture, too.

    Args:
        content: `(H, W, 3)` uint8 RGB. start: `(1, 3, H, W)` float32 RGB in [0, 1]. objective: of `content`.
        method, effort: see `optimize`. memory_share: see `StyleBySize.memory_bytes`.
        regions_at: returns the regions of a picture of a width and height in pixels and so many levels.

    Returns:
        the outcome at full size, with the evaluations and retries of all.

    Raises:
        OptimizationError: the objective is not finite at `start`.
    """
    height, width = content.shape[:2]
    change: Tensor | None = None
    evaluations = retries = 0
    for small_width, small_height, levels in smaller_sizes(width, height, len(objective.style.grams)):
        size = (small_height, small_width)
        target = styles.at(small_width, small_height, levels, memory_share)
        small_content = to_tensor(resize(content, small_width, small_height), start.device)
        memory_bytes = styles.memory_bytes(small_width, small_height, memory_share)
        regions = regions_at(small_width, small_height, levels)
        small_objective = Objective(
            styles.network, styles.settings, target, small_content, memory_bytes=memory_bytes, regions=regions
        )
        reduced = small_objective.pinned(_reduced(start, size))
        own = replace(effort, first_step_rms=SMALLEST_FIRST_STEP_RMS) if change is None else effort
        outcome = optimize(_changed(reduced, change), small_objective, method, own)
        change = outcome.image - reduced
        evaluations, retries = evaluations + outcome.evaluations, retries + outcome.retries
    outcome = optimize(_changed(start, change), objective, method, effort)
    return replace(outcome, evaluations=evaluations + outcome.evaluations, retries=retries + outcome.retries)


def _reduced(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image, size, mode="bilinear", antialias=True)


def _changed(start: Tensor, change: Tensor | None) -> Tensor:
    """Returns a start with what was done to a smaller one; it keeps the fine detail that the smaller one has not."""
    if change is None:
        return start
    with torch.no_grad():
        enlarged = F.interpolate(change, start.shape[2:], mode="bicubic", align_corners=False)
        return enlarged.add_(start).clamp_(0, 1)
