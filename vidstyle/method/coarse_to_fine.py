"""Coarse to fine: a picture is painted small first, where large strokes settle at a fraction of the cost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.frames import Picture, resize
from vidstyle.method.objective import Objective, to_tensor
from vidstyle.method.regions import Regions
from vidstyle.method.solver import Budget, OnEvaluation, Outcome, optimize
from vidstyle.method.targets import FrameTargets, StyleTargetCache

# The smallest picture begins with longer steps than the others: it is the farthest from where it is to go.
SMALLEST_FIRST_STEP_RMS = 0.03


def smaller_sizes(width: int, height: int, levels: int) -> list[tuple[int, int, int]]:
    """Returns width, height and levels of the pictures that are painted before the full one, smallest first.

    They are the full one's own pyramid levels, rounded up, so that the last k levels of each measure what the
    last k of the full one do.
    """
    return [(math.ceil(width / 2**k), math.ceil(height / 2**k), levels - k) for k in range(levels - 1, 0, -1)]


def optimized_coarse_to_fine(
    frame_targets: FrameTargets | StyleTargetCache,
    content: Picture,
    start: Tensor,
    objective: Objective,
    method: str,
    budget: Budget,
    memory_share: float = 1,
    regions_at: Callable[[int, int, int], Regions | None] = lambda width, height, levels: None,
    on_evaluation: OnEvaluation | None = None,
) -> Outcome:
    """Optimizes ever larger copies of a picture with the same effort each, and last the picture.

    A departure from Gatys et al. (2016), who optimize the full picture alone; Gatys et al. (Controlling
    Perceptual Factors in Neural Style Transfer, 2017, section 6) enlarge an optimized small picture, too.

    Args:
        aim: what sets the targets.
        content: `(H, W, 3)` uint8 RGB. start: `(1, 3, H, W)` float32 RGB in [0, 1]. objective: of `content`.
        method, effort: see `optimize`. memory_share: see `StyleBySize.memory_bytes`.
        regions_at: returns the regions of a picture of a width and height in pixels and so many levels.
        on_evaluation: see `optimize`; its pictures are of the size that is being painted.

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
        target = frame_targets.at(small_width, small_height, levels, memory_share)
        small_content = to_tensor(resize(content, small_width, small_height), start.device)
        memory_bytes = frame_targets.memory_bytes(small_width, small_height, memory_share)
        regions = regions_at(small_width, small_height, levels)
        small_objective = Objective(
            frame_targets.network,
            frame_targets.settings,
            target,
            small_content,
            memory_bytes=memory_bytes,
            regions=regions,
        )
        reduced = small_objective.pinned(_reduced(start, size))
        own = replace(budget, first_step_rms=SMALLEST_FIRST_STEP_RMS) if change is None else budget
        outcome = optimize(_changed(reduced, change), small_objective, method, own, on_evaluation)
        change = outcome.image - reduced
        evaluations, retries = evaluations + outcome.evaluations, retries + outcome.retries
    outcome = optimize(_changed(start, change), objective, method, budget, on_evaluation)
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
