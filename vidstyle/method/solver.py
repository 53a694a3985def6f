"""Moves one picture downhill on its objective, and never loses the best finite one it has seen."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vidstyle.errors import OptimizationError
from vidstyle.method.lbfgs import descend

logger = logging.getLogger(__name__)

# Adam: first step in units of the picture's range, cosine-decayed to a hundredth. Betas of 0.9 and 0.99 as in
# crowsonkb's style-transfer-pytorch: pictures forget faster than networks.
ADAM_STEP, ADAM_BETAS = 0.03, (0.9, 0.99)
# L-BFGS: remembered steps (each two pictures of float32), and the root mean square of the first step.
HISTORY, FIRST_STEP_RMS = 10, 0.01
# The same from a start that is nearly there already: a larger one is a step in the wrong length, evaluated in vain.
NEAR_STEP_RMS = 0.001
# The gain that decides on stopping is taken over so many evaluations: single ones of a line search may gain nothing.
# Over the first ones it is taken in proportion: where the first step gains next to nothing, as in a still scene, none
# of those after it was ever seen to.
GAIN_EVALUATIONS = 3
# What draws values outside [0, 1] back, relative to the objective, per squared unit of range.
OUTSIDE_WEIGHT = 10.0
RETRIES, SMALLER = 3, 0.1

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


@dataclass(frozen=True, slots=True)
class Budget:
    """How hard to try.

    Attributes:
        iterations: pictures tried after the start, each for one evaluation of objective and gradient, at most.
        history: how many steps L-BFGS remembers; each takes twice the picture's memory in float32.
        first_step_rms: of L-BFGS, in units of the picture's range; later steps have the length that the
            objective's curvature gives them.
        least_gain: stop where three evaluations lower the objective by less than this share, or the first one
            or two by less than their part of it; 0: never. Adam,
            whose first steps are meant to overshoot, does not stop early.
    """

    iterations: int
    history: int = HISTORY
    first_step_rms: float = FIRST_STEP_RMS
    least_gain: float = 0.0


class _NonFiniteError(Exception):
    """The objective or its gradient is not finite."""


class _EnoughError(Exception):
    """All evaluations are used up, or they gain too little; a line search does not stop by itself."""


class _Descent:
    """Counts evaluations and keeps the best finite picture, whichever optimizer asks."""

    def __init__(
        self,
        objective: ObjectiveFunction,
        start: Tensor,
        most_evaluations: int,
        budget: Budget,
        on_evaluation: OnEvaluation | None = None,
    ) -> None:
        self.objective, self.most_evaluations, self.budget, self.on_evaluation = (
            objective,
            most_evaluations,
            budget,
            on_evaluation,
        )
        self.best, self.best_loss, self.evaluations = start, math.inf, 0
        self._bests: list[float] = []

    def evaluate(self, image: Tensor) -> tuple[float, Tensor]:
        """Returns the objective and its gradient at `(1, 3, H, W)` RGB in [0, 1]."""
        if self.evaluations >= self.most_evaluations or self._gains_too_little():
            raise _EnoughError
        self.evaluations += 1
        image = image.detach().requires_grad_()
        total = self.objective(image)
        (gradient,) = torch.autograd.grad(total, image)
        loss = float(total.detach())
        if not math.isfinite(loss) or not bool(torch.isfinite(gradient).all()):
            raise _NonFiniteError
        if loss < self.best_loss:
            self.best, self.best_loss = image.detach().clone(), loss
        self._bests.append(self.best_loss)
        if self.on_evaluation is not None:
            self.on_evaluation(self.evaluations, self.best_loss, self.best)
        return loss, gradient

    def begin_again(self) -> None:
        """Forgets what was gained before, so that the first evaluation is not taken for one that gains nothing."""
        self._bests.clear()

    def _gains_too_little(self) -> bool:
        steps = min(len(self._bests) - 1, GAIN_EVALUATIONS)
        if not self.budget.least_gain or steps < 1:
            return False
        least = self.budget.least_gain * steps / GAIN_EVALUATIONS
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
        effort: with 0 iterations `start` is returned with a loss of NaN.
        on_evaluation: called after each finite evaluation; what it raises ends the search and is passed on.

    Raises:
        OptimizationError: the objective is not finite at `start`.
    """
    iterations = budget.iterations
    if method == "adam":
        budget = replace(budget, least_gain=0)
    # One more evaluation than steps, for the picture after the last step.
    descent = _Descent(objective, start.detach(), iterations + 1, budget, on_evaluation)
    run, retries = {"lbfgs": _lbfgs, "adam": _adam}[method], 0
    while iterations:
        try:
            run(descent, descent.best, SMALLER**retries)
            break
        except _EnoughError:
            break
        except _NonFiniteError:
            if not math.isfinite(descent.best_loss) or retries == RETRIES:
                break
            retries += 1
            descent.begin_again()
            logger.debug("the objective was not finite; going on from the best picture with smaller steps")
    if iterations and not math.isfinite(descent.best_loss):
        raise OptimizationError(
            "the objective is not finite even at the start picture; try --precision float32 or smaller weights"
        )
    loss = descent.best_loss if iterations else math.nan
    return Outcome(descent.best, loss, descent.evaluations, retries)


def _adam(descent: _Descent, start: Tensor, step_factor: float) -> None:
    image = start.clone(memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam([image], lr=ADAM_STEP * step_factor, betas=ADAM_BETAS)
    first, most_evaluations = descent.evaluations, descent.most_evaluations
    for iteration in range(first, most_evaluations):
        progress = (iteration - first) / max(1, most_evaluations - first)
        rate = ADAM_STEP * step_factor * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * progress)))
        optimizer.param_groups[0]["lr"] = rate
        _, image.grad = descent.evaluate(image)
        optimizer.step()
        image.clamp_(0, 1)


def _lbfgs(descent: _Descent, start: Tensor, step_factor: float) -> None:
    pull = OUTSIDE_WEIGHT / start.numel()

    def evaluate(values: Tensor) -> tuple[float, Tensor]:
        image = values.view(start.shape)
        inside = image.clamp(0, 1)
        loss, gradient = descent.evaluate(inside)
        # Outside [0, 1] the picture is what it is at the border, plus a pull back, so that values
        # which wandered out are not lost to the optimizer for good (Gatys et al. leave values free).
        outside = image - inside
        loss += pull * float(torch.dot(outside.flatten(), outside.flatten()))
        gradient = torch.where(outside == 0, gradient, outside * (2 * pull))
        return loss, gradient.reshape(-1)

    descend(start.flatten(), evaluate, descent.budget.history, descent.budget.first_step_rms * step_factor)
