"""L-BFGS for pictures: few and large values, a budget of evaluations, gradients that may come from bfloat16.

Nocedal, Wright: Numerical Optimization, 2006, algorithms 7.4 and 7.5. Ours instead of torch.optim's, because that one
imports torch's compiler when the first one is made, which takes a second, starts with a step of next to no length,
and passes over the picture some fifteen times more for each evaluation.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

# A step must lower the objective by this share of what the slope promises (Armijo's condition). Its length is the
# curvature's, and hardly ever wrong; so curvature is not tested, but a pair of steps without any is not remembered.
LEAST_DECREASE = 1e-4
# What a step that does not is multiplied by, at least and at most; one that has become this short is given up.
SHORTER, SHORTEST = (0.1, 0.5), 1e-3

# Values `(n,)` -> objective and gradient `(n,)`. Whatever it raises ends the search.
Evaluate = Callable[[Tensor], tuple[float, Tensor]]


class _Pair(NamedTuple):
    """A step, the gradient's change along it, and one over their product."""

    step: Tensor
    change: Tensor
    inverse: float


class _Curvature:
    """What the last steps say about the objective's curvature."""

    def __init__(self, history: int) -> None:
        self._pairs: deque[_Pair] = deque(maxlen=history)
        self._scale = 1.0

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def learn(self, step: Tensor, change: Tensor) -> None:
        product, square = float(torch.dot(step, change)), float(torch.dot(change, change))
        if product > 0 and square > 0:
            self._pairs.append(_Pair(step, change, 1 / product))
            self._scale = product / square

    def forget(self) -> None:
        self._pairs.clear()

    def downhill(self, gradient: Tensor) -> Tensor:
        """Returns minus the inverse Hessian times the gradient, `(n,)`: the two-loop recursion.

        Its products stay tensors: as numbers each would have to be waited for, where the device is a GPU.
        """
        direction, shares = -gradient, []
        for pair in reversed(self._pairs):
            shares.append(torch.dot(pair.step, direction).mul_(pair.inverse))
            direction.addcmul_(pair.change, shares[-1], value=-1)
        direction.mul_(self._scale)
        for pair, share in zip(self._pairs, reversed(shares), strict=True):
            direction.addcmul_(pair.step, share - torch.dot(pair.change, direction).mul_(pair.inverse))
        return direction


def descend(start: Tensor, evaluate: Evaluate, history: int, first_step_rms: float) -> None:
    """Goes downhill until `evaluate` raises, or no step leads further down.

    Args:
        start: `(n,)` float32. evaluate: called with values of the same shape, one after the other.
        history: how many steps to remember; each takes twice the memory of `start`.
        first_step_rms: root mean square of the first step, and of the first after a setback.
    """
    curvature, values = _Curvature(history), start
    loss, gradient = evaluate(values)
    while True:
        if curvature:
            direction, length = curvature.downhill(gradient), 1.0
        else:
            norm = float(gradient.norm())
            direction, length = -gradient, first_step_rms * math.sqrt(gradient.numel()) / norm if norm else 0.0
        slope = float(torch.dot(direction, gradient))
        if not slope < 0 or not math.isfinite(length * slope):
            if not curvature:
                return  # flat
            curvature.forget()
            continue
        shortest = SHORTEST * length
        while True:
            tried = values.add(direction, alpha=length)
            tried_loss, tried_gradient = evaluate(tried)
            if tried_loss <= loss + LEAST_DECREASE * length * slope or length < shortest:
                break
            # Where the parabola through what is known has its lowest point.
            lowest = -slope * length / (2 * (tried_loss - loss - slope * length))
            length *= min(max(lowest, SHORTER[0]), SHORTER[1])
        if tried_loss >= loss:
            if not curvature:
                return
            curvature.forget()
            continue
        curvature.learn(direction.mul_(length), tried_gradient - gradient)
        values, loss, gradient = tried, tried_loss, tried_gradient
