"""What all experiments use: a network on its device, pictures of one size, initializations, the optimizer."""

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
# From black or white, L-BFGS's first steps push values out of the range, where there is no gradient, and they hardly
# come back: for three pairs of pictures the loss ended at up to 21 times what it reached from gray. Restarted three
# times after ten steps, with all values within the range again, it ends at up to 1.3 times.
BORDER_RESTARTS, BORDER_STEPS = 3, 10
CONSTANTS = {"black": 0.0, "gray": 0.5, "white": 1.0}


class Bench:
    """A network on its device, and the settings that pictures are resized and optimized with.

    Attributes: `settings`, `network`, `device`.
    """

    def __init__(self, settings: Settings, layers: Sequence[str], on_download: OnDownload | None = None) -> None:
        """Loads the network up to the deepest of `layers`.

        Raises:
            SettingsError: there is no such layer. WeightsError: the weights cannot be loaded, or lack a layer.
            DeviceError: this machine does not have the device or the precision.
        """
        if not layers or len(set(layers)) != len(layers):
            raise SettingsError("layers: give at least one, each named once")
        self.settings, self.device = settings, resolve_device(settings.device)
        precision = resolve_precision(settings.precision, self.device)
        network = load_network(settings.network, layers, settings.weights, settings.pooling, on_download)
        self.network = network.placed(self.device, precision)
        self._layers = layers

    def fitted(self, picture: Picture | str | Path, what: str) -> Picture:
        """Returns a picture, `(H, W, 3)` uint8 RGB, reduced to the size in the settings.

        Args:
            what: names the picture in messages.

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
        """Returns white noise of the size of `like`, uniform, `(1, 3, H, W)` float32 in [0, 1)."""
        height, width = like.shape[:2]
        noise = np.random.default_rng(self.settings.seed).random((height, width, 3), np.float32)
        return to_tensor(255 * noise, self.device)

    def start(self, name: str, content: Picture, style: Picture) -> Tensor:
        """Returns the initialization of that name in `STARTS`, `(1, 3, H, W)` float32 RGB in [0, 1].

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
        """Returns the best picture found from `start` with the optimizer and the number of steps in the settings.

        From black or white, L-BFGS is restarted a few times from its best picture.

        Args:
            meter: counts the evaluations, and then the picture. on_evaluation: called after it, as by `optimize`.
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
        first_steps = [BORDER_STEPS] * BORDER_RESTARTS
        # Each run takes one evaluation more than steps.
        rest = iterations - sum(first_steps) - len(first_steps)
        if method != "lbfgs" or rest < 1 or bool(((start > 0) & (start < 1)).any()):
            return optimize(start, objective, method, Budget(iterations), on_evaluation)
        outcome, evaluations = Outcome(start, math.nan, 0, 0), 0

        def count(evaluations_of_run: int, loss: float, best: Tensor) -> None:
            on_evaluation(evaluations + evaluations_of_run, loss, best)

        for steps in (*first_steps, rest):
            outcome = optimize(outcome.image, objective, method, Budget(steps), count)
            evaluations += outcome.evaluations
        return replace(outcome, evaluations=evaluations)


class Meter:
    """Adds up the evaluations for all pictures of an experiment, and reports them."""

    def __init__(self, pictures: int, iterations: int, on_progress: OnProgress | None) -> None:
        """Takes the number of pictures to be stylized, and of the steps for each."""
        self._each = iterations + 1 if iterations else 0
        self._pictures, self._on_progress, self._finished = pictures, on_progress, 0

    def __call__(self, evaluations: int, loss: float, picture: Tensor) -> None:
        """Counts one evaluation of the picture that is being stylized."""
        if self._on_progress is not None:
            done = self._finished * self._each + min(evaluations, self._each)
            self._on_progress(done, self._pictures * self._each)

    def finish(self, outcome: Outcome) -> None:
        """Goes on to the next picture; one that cannot be improved further takes fewer evaluations than foreseen."""
        self._finished += 1
        self(0, outcome.loss, outcome.image)


def cropped_like(picture: Picture, other: Picture) -> Picture:
    """Returns the largest middle part of a picture, `(H, W, 3)`, with the aspect ratio of another."""
    height, width = picture.shape[:2]
    ratio = min(width / other.shape[1], height / other.shape[0])
    inner_width = min(width, max(1, round(other.shape[1] * ratio)))
    inner_height = min(height, max(1, round(other.shape[0] * ratio)))
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    return picture[top : top + inner_height, left : left + inner_width]


def title(experiment: str, bench: Bench, *words: str) -> str:
    """Returns a sheet's title: the experiment, the network, other words, and the number of steps."""
    steps = f"{bench.settings.iterations} steps" if bench.settings.iterations else "no steps"
    return ", ".join((f"{experiment}: network {bench.settings.network}", *words, steps))


def chosen(given: Collection[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """Returns layers in the order given, or the default ones where none are given."""
    return tuple(default if given is None else given)
