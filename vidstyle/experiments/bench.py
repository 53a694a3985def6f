"""What experiments begin with: a network on its device, pictures of one size, a start."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import SettingsError
from vidstyle.experiments.defaults import STARTS
from vidstyle.frames import Picture, resize
from vidstyle.media.stills.images import read_picture
from vidstyle.method.objective import to_tensor
from vidstyle.method.solver import Budget, ObjectiveFunction, OnEvaluation, Outcome, optimize
from vidstyle.method.tiling import bytes_per_px
from vidstyle.settings import Settings
from vidstyle.settings.working_size import working_size
from vidstyle.weights.fetching import OnDownload
from vidstyle.weights.loading import load_network

# Called with evaluations done and evaluations in all.
OnProgress = Callable[[int, int | None], None]
# At the border of the range L-BFGS's first steps throw values out of it, where there is no gradient, and they hardly
# come back: from black and white it ended, in three pairs, at up to 21 times what it reached from gray. Begun anew, it
# has all values at the border again; so it ends at up to 1.3 times.
BORDER_LEGS, BORDER_STEPS = 3, 10
CONSTANTS = {"black": 0.0, "gray": 0.5, "white": 1.0}


class Bench:
    """A network on its device, and the settings by which pictures are fitted and painted.

    Attributes: `settings`, `network`, `device`.
    """

    def __init__(self, settings: Settings, layers: Sequence[str], on_download: OnDownload | None = None) -> None:
        """Loads the network, deep enough for `layers`.

        Raises:
            SettingsError: no such layer. WeightsError: the weights cannot be had, or lack a layer.
            DeviceError: no such device or precision here.
        """
        if not layers or len(set(layers)) != len(layers):
            raise SettingsError("layers: give at least one, each named once")
        self.settings, self.device = settings, resolve_device(settings.device)
        precision = resolve_precision(settings.precision, self.device)
        network = load_network(settings.network, layers, settings.weights, settings.pooling, on_download)
        self.network = network.placed(self.device, precision)
        self._layers = layers

    def fitted(self, picture: Picture | str | Path, what: str) -> Picture:
        """Returns a picture, `(H, W, 3)` uint8 RGB, reduced to the size that the settings allow.

        Args:
            what: it is, for messages.

        Raises:
            SourceError: it cannot be read, or is too small.
            SettingsError: its activations would need more memory than the settings allow.
        """
        image = read_picture(picture, what)
        width, height = working_size(image.shape[1], image.shape[0], self.settings)
        need_gib = bytes_per_px(self.network, self._layers) * width * height / 2**30
        if need_gib > self.settings.activations_gib:
            raise SettingsError(
                f"{width}x{height} pixels need {need_gib:.1f} GiB for activations, more than activations_gib allows "
                f"({self.settings.activations_gib:g}); use a smaller size"
            )
        return resize(image, width, height)

    def tensor(self, picture: Picture) -> Tensor:
        """Returns `(1, 3, H, W)` float32 RGB in [0, 1] on the device."""
        return to_tensor(picture, self.device)

    def noise(self, like: Picture) -> Tensor:
        """Returns white noise by the settings' seed, uniform, `(1, 3, H, W)` float32 in [0, 1)."""
        return to_tensor(255 * np.random.default_rng(self.settings.seed).random(like.shape, np.float32), self.device)

    def start(self, name: str, content: Picture, style: Picture) -> Tensor:
        """Returns the start of a name in `STARTS` at the content's size, `(1, 3, H, W)` float32 RGB in [0, 1].

        Raises:
            SettingsError: no such start.
        """
        if name == "content":
            return self.tensor(content)
        if name == "style":
            height, width = content.shape[:2]
            return self.tensor(resize(cropped_like(style, content), width, height))
        if name == "noise":
            return self.noise(content)
        if name not in CONSTANTS:
            raise SettingsError(f"no start {name!r}; choose among {', '.join(STARTS)}")
        return torch.full_like(self.tensor(content), CONSTANTS[name])

    def stylized(
        self, start: Tensor, objective: ObjectiveFunction, meter: Meter, on_evaluation: OnEvaluation | None = None
    ) -> Outcome:
        """Returns the best picture found from `start`, with the optimizer and the steps of the settings.

        From black or white L-BFGS begins anew from its best picture a few times.

        Args:
            meter: counts evaluations, and then the picture. on_evaluation: called after it, as `optimize` would.
        """

        def listen(evaluations: int, loss: float, best: Tensor) -> None:
            meter(evaluations, loss, best)
            if on_evaluation is not None:
                on_evaluation(evaluations, loss, best)

        outcome = self._optimized(start, objective, listen)
        meter.finish(outcome)
        return outcome

    def _optimized(self, start: Tensor, objective: ObjectiveFunction, on_evaluation: OnEvaluation) -> Outcome:
        method, iterations = self.settings.optimizer, self.settings.iterations
        legs = [BORDER_STEPS] * BORDER_LEGS
        # Each leg has one evaluation more than steps.
        rest = iterations - sum(legs) - len(legs)
        if method != "lbfgs" or rest < 1 or bool(((start > 0) & (start < 1)).any()):
            return optimize(start, objective, method, Budget(iterations), on_evaluation)
        outcome, evaluations = Outcome(start, math.nan, 0, 0), 0

        def count(here: int, loss: float, best: Tensor) -> None:
            on_evaluation(evaluations + here, loss, best)

        for steps in (*legs, rest):
            outcome = optimize(outcome.image, objective, method, Budget(steps), count)
            evaluations += outcome.evaluations
        return replace(outcome, evaluations=evaluations)


class Meter:
    """Adds up the evaluations of an experiment's pictures for whoever listens."""

    def __init__(self, pictures: int, iterations: int, on_progress: OnProgress | None) -> None:
        """Takes how many pictures are painted, and for how many steps each."""
        self._each = iterations + 1 if iterations else 0
        self._pictures, self._on_progress, self._finished = pictures, on_progress, 0

    def __call__(self, evaluations: int, loss: float, picture: Tensor) -> None:
        """Counts one evaluation of the picture that is being painted."""
        if self._on_progress is not None:
            done = self._finished * self._each + min(evaluations, self._each)
            self._on_progress(done, self._pictures * self._each)

    def finish(self, outcome: Outcome) -> None:
        """Goes on to the next picture; one that could not be improved any more had fewer evaluations."""
        self._finished += 1
        self(0, outcome.loss, outcome.image)


def cropped_like(picture: Picture, other: Picture) -> Picture:
    """Returns the middle of a picture, `(H, W, 3)`, in the shape of another, as large as possible."""
    height, width = picture.shape[:2]
    ratio = min(width / other.shape[1], height / other.shape[0])
    inner_width = min(width, max(1, round(other.shape[1] * ratio)))
    inner_height = min(height, max(1, round(other.shape[0] * ratio)))
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    return picture[top : top + inner_height, left : left + inner_width]


def title(experiment: str, bench: Bench, *words: str) -> str:
    """Returns a sheet's title: the experiment, the network, and what else is to be said."""
    steps = f"{bench.settings.iterations} steps" if bench.settings.iterations else "no steps"
    return ", ".join((f"{experiment}: network {bench.settings.network}", *words, steps))


def chosen(given: Collection[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """Returns layers in the order given, or the default ones where none are given."""
    return tuple(default if given is None else given)
