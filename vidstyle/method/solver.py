"""Moves a picture downhill on its objective, small sizes first, and never loses the best finite one it has seen."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import OptimizationError
from vidstyle.method.lbfgs import descend
from vidstyle.method.objective import Objective

logger = logging.getLogger(__name__)

# Adam: first step in units of the picture's range, cosine-decayed to a hundredth. Betas of 0.9 and 0.99 as in
# crowsonkb's style-transfer-pytorch: pictures forget faster than networks.
ADAM_STEP, ADAM_BETAS = 0.03, (0.9, 0.99)
# L-BFGS: remembered steps (each two pictures of float32), and the root mean square of the first step.
HISTORY, FIRST_STEP_RMS = 10, 0.01
# The same from a start that is nearly there already: a larger one is a step in the wrong length, evaluated in vain.
NEAR_STEP_RMS = 0.001
# The smallest picture begins with longer steps than the others: it is the farthest from where it is to go.
SMALLEST_FIRST_STEP_RMS = 0.03
# An optimization stops by its gain over so many evaluations, since a single one of a line search may gain nothing.
# Before there are as many, the threshold is scaled: where the first step gains next to nothing, as in a still scene,
# later ones were never seen to.
GAIN_EVALUATIONS = 3
# What draws values outside [0, 1] back, relative to the objective, per squared unit of range.
OUTSIDE_WEIGHT = 10.0
RETRIES, SMALLER = 3, 0.1

# Picture `(1, 3, H, W)` -> objective of shape ().
ObjectiveFunction = Callable[[Tensor], Tensor]
# Called with the evaluations so far, the lowest objective among them, and its picture, `(1, 3, H, W)`.
OnEvaluation = Callable[[int, float, Tensor], None]


@dataclass(frozen=True)
class Outcome:
    """The picture that was kept.

    Attributes:
        image: `(1, 3, H, W)` float32 RGB in [0, 1], finite. loss: the objective there.
        evaluations: how often the objective and its gradient were computed.
        retries: how often the optimizer was started again with smaller steps after a non-finite value.
    """

    image: Tensor
    loss: float
    evaluations: int
    retries: int

    def after(self, *before: Outcome) -> Outcome:
        """Returns the same with the evaluations and retries of what came before."""
        evaluations = self.evaluations + sum(each.evaluations for each in before)
        return replace(self, evaluations=evaluations, retries=self.retries + sum(each.retries for each in before))


@dataclass(frozen=True, slots=True)
class Budget:
    """How hard to try.

    Attributes:
        iterations: pictures tried after the start, each for one evaluation of objective and gradient, at most.
        history: how many steps L-BFGS remembers; each takes twice the picture's memory in float32.
        first_step_rms: of L-BFGS, in units of the picture's range; later steps have the length that the
            objective's curvature gives them.
        least_gain: stop where three evaluations lower the objective by less than this share, or the first one
            or two by less than their part of it; 0: never. Adam, whose first steps are meant to overshoot, does
            not stop early.
    """

    iterations: int
    history: int = HISTORY
    first_step_rms: float = FIRST_STEP_RMS
    least_gain: float = 0.0


class _NonFiniteError(Exception):
    """The objective or its gradient is not finite."""


class _EnoughError(Exception):
    """All evaluations are used up, or they gain too little; a line search does not stop by itself."""


class _Search:
    """Counts evaluations and keeps the best finite picture, whichever optimizer asks."""

    def __init__(
        self, objective: ObjectiveFunction, start: Tensor, budget: Budget, on_evaluation: OnEvaluation | None
    ) -> None:
        self._objective, self._least_gain, self._on_evaluation = objective, budget.least_gain, on_evaluation
        # One more evaluation than steps, for the picture after the last step.
        self.most_evaluations, self.evaluations = budget.iterations + 1, 0
        self.best, self.best_loss, self._shape = start, math.inf, start.shape
        self._pull = OUTSIDE_WEIGHT / start.numel()
        self._bests: list[float] = []

    def evaluate(self, values: Tensor) -> tuple[float, Tensor]:
        """Returns the objective and its gradient at the values of a picture, `(n,)`.

        Outside [0, 1] the picture is what it is at the border, plus a pull back, so that values which wandered out
        are not lost to the optimizer for good (Gatys et al. leave values free).
        """
        if self.evaluations >= self.most_evaluations or self._gains_too_little():
            raise _EnoughError
        self.evaluations += 1
        free = values.view(self._shape)
        image = free.clamp(0, 1).detach().requires_grad_()
        total = self._objective(image)
        (gradient,) = torch.autograd.grad(total, image)
        image = image.detach()
        loss = float(total.detach())
        if not math.isfinite(loss) or not bool(torch.isfinite(gradient).all()):
            raise _NonFiniteError
        if loss < self.best_loss:
            self.best, self.best_loss = image, loss
        self._bests.append(self.best_loss)
        if self._on_evaluation is not None:
            self._on_evaluation(self.evaluations, self.best_loss, self.best)
        outside = free - image
        loss += self._pull * float(torch.dot(outside.flatten(), outside.flatten()))
        gradient = torch.where(outside == 0, gradient, outside * (2 * self._pull))
        return loss, gradient.reshape(-1)

    def begin_again(self) -> None:
        """Forgets what was gained before, so that the first evaluation is not taken for one that gains nothing."""
        self._bests.clear()

    def _gains_too_little(self) -> bool:
        steps = min(len(self._bests) - 1, GAIN_EVALUATIONS)
        if not self._least_gain or steps < 1:
            return False
        least = self._least_gain * steps / GAIN_EVALUATIONS
        return self._bests[-1 - steps] - self.best_loss < least * abs(self.best_loss)


def optimize(
    start: Tensor,
    objective: ObjectiveFunction,
    method: str,
    budget: Budget,
    on_evaluation: OnEvaluation | None = None,
) -> Outcome:
    """Returns the best picture found from `start`.

    Args:
        start: `(1, 3, H, W)` float32 RGB in [0, 1]. method: "lbfgs" or "adam".
        budget: with 0 iterations `start` is returned with a loss of NaN.
        on_evaluation: called after each finite evaluation; what it raises ends the search and is passed on.

    Raises:
        OptimizationError: the objective is not finite at `start`.
    """
    if not budget.iterations:
        return Outcome(start.detach(), math.nan, 0, 0)
    if method == "adam":
        budget = replace(budget, least_gain=0)
    search, retries = _Search(objective, start.detach(), budget, on_evaluation), 0
    while True:
        try:
            if method == "adam":
                _adam(search, ADAM_STEP * SMALLER**retries)
            else:
                first_step_rms = budget.first_step_rms * SMALLER**retries
                descend(search.best.flatten(), search.evaluate, budget.history, first_step_rms)
            break
        except _EnoughError:
            break
        except _NonFiniteError:
            if not math.isfinite(search.best_loss) or retries == RETRIES:
                break
            retries += 1
            search.begin_again()
            logger.debug("the objective was not finite; going on from the best picture with smaller steps")
    if not math.isfinite(search.best_loss):
        raise OptimizationError(
            "the objective is not finite even at the start picture; try --precision float32 or smaller weights"
        )
    return Outcome(search.best, search.best_loss, search.evaluations, retries)


def _adam(search: _Search, first_rate: float) -> None:
    image = search.best.clone(memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam([image], lr=first_rate, betas=ADAM_BETAS)
    first = search.evaluations
    for iteration in range(first, search.most_evaluations):
        progress = (iteration - first) / max(1, search.most_evaluations - first)
        optimizer.param_groups[0]["lr"] = first_rate * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * progress)))
        image.grad = search.evaluate(image.flatten())[1].view(image.shape)
        optimizer.step()
        image.clamp_(0, 1)


def smaller_sizes(width: int, height: int, levels: int) -> list[tuple[int, int, int]]:
    """Returns width, height and levels of the pictures that are optimized before the full one, smallest first.

    They are the full one's own pyramid levels, rounded up, so that the last k levels of each measure the style that
    the last k of the full one do. Content is held alike, too, except that a size of no more levels than
    `content_levels` holds it in full at each.
    """
    return [(math.ceil(width / 2**k), math.ceil(height / 2**k), levels - k) for k in range(levels - 1, 0, -1)]


def optimize_coarse_to_fine(
    start: Tensor,
    objective: Objective,
    objective_at: Callable[[int, int, int], Objective],
    method: str,
    budget: Budget,
    on_evaluation: OnEvaluation | None = None,
) -> Outcome:
    """Optimizes ever larger copies of a picture with the same budget each, and last the picture.

    A departure from Gatys et al. (2016), who optimize the full picture alone; Gatys et al. (Controlling
    Perceptual Factors in Neural Style Transfer, 2017, section 6) enlarge an optimized small picture, too.

    Args:
        start: `(1, 3, H, W)` float32 RGB in [0, 1]. objective: of the full picture.
        objective_at: returns the objective for a width and height in pixels and so many levels.
        method, budget: see `optimize`. on_evaluation: see there; its pictures are of the size that is optimized.

    Returns:
        the outcome at full size, with the evaluations and retries of all.

    Raises:
        OptimizationError: the objective is not finite at `start`.
    """
    height, width = start.shape[2:]
    change: Tensor | None = None
    done: list[Outcome] = []
    for small_width, small_height, levels in smaller_sizes(width, height, objective.levels):
        small_objective = objective_at(small_width, small_height, levels)
        reduced = F.interpolate(start, (small_height, small_width), mode="bilinear", antialias=True)
        reduced = small_objective.pinned(reduced)
        own = replace(budget, first_step_rms=SMALLEST_FIRST_STEP_RMS) if change is None else budget
        done.append(optimize(_changed(reduced, change), small_objective, method, own, on_evaluation))
        change = done[-1].image - reduced
    return optimize(_changed(start, change), objective, method, budget, on_evaluation).after(*done)


def _changed(start: Tensor, change: Tensor | None) -> Tensor:
    """Returns a start with what was done to a smaller one; it keeps the fine detail that the smaller one has not."""
    if change is None:
        return start
    with torch.no_grad():
        enlarged = F.interpolate(change, start.shape[2:], mode="bicubic", align_corners=False)
        return enlarged.add_(start).clamp_(0, 1)
