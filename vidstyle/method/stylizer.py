"""One frame's way: initialize, build the objective, minimize, accept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from vidstyle.frames import Picture
from vidstyle.method.coverage import Coverage
from vidstyle.method.flow import FlowEstimator
from vidstyle.method.keyframes import Gap, Painted, softened
from vidstyle.method.look import Look
from vidstyle.method.memory import MemoryFallback, MemoryGuard
from vidstyle.method.objective import to_picture, to_tensor
from vidstyle.method.options import Steps
from vidstyle.method.recoloring import with_colors_of
from vidstyle.method.solver import (
    FIRST_STEP_RMS,
    NEAR_STEP_RMS,
    Budget,
    OnEvaluation,
    Outcome,
    optimize,
    optimize_coarse_to_fine,
)
from vidstyle.method.targets import FrameTargets, StyleTargetCache
from vidstyle.method.temporal import Initialization, TemporalState
from vidstyle.method.transitions import Transition, moved_on

T = TypeVar("T")


@dataclass(frozen=True)
class StylizedFrame:
    """One stylized frame, and how it was found.

    Attributes:
        image: `(H, W, 3)` uint8 RGB, to be delivered.
        paint: what the next frame starts from: the image, or the same before it took the content's colors.
        loss, evaluations, retries: see `solver.Outcome`. seconds: that it took.
        fallback: how far the optimizer was cut down for want of memory; an index into `memory_fallbacks`.
    """

    image: Picture
    paint: Picture
    loss: float
    evaluations: int
    retries: int
    seconds: float
    fallback: int = 0


class FrameStylizer:
    """Stylizes the frames of a shot one after the other, each starting from the one before.

    Attributes:
        memory: its `fallback` says how far the optimizer was cut down for want of memory.
        on_evaluation: called while a frame is optimized, at every size that it goes through; see `solver.optimize`.
    """

    def __init__(
        self,
        styles: StyleTargetCache,
        region_styles: Sequence[StyleTargetCache] = (),
        estimate_flow: FlowEstimator | None = None,
        *,
        corrects_drift: bool = True,
    ) -> None:
        """Takes what is the same for all frames.

        Args:
            styles: with the network and the options. region_styles: one for each region.
            estimate_flow: None where frames are not warped. corrects_drift: see `TemporalState`.
        """
        self._styles, self._region_styles, self._options = styles, region_styles, styles.options
        self._device: torch.device = styles.network.get_buffer("mean").device
        self._estimate_flow = estimate_flow
        self._state = TemporalState(self._options, estimate_flow, corrects_drift=corrects_drift)
        self._flow_remedy = "" if estimate_flow is None else estimate_flow.memory_remedy
        self.memory = MemoryGuard(self._options.optimizer, self._device)
        self.on_evaluation: OnEvaluation | None = None

    def reset(self, first: Picture | None = None, fallback: int = 0) -> None:
        """Forgets the frames before, as at a cut.

        Args:
            first: see `TemporalState.reset`. fallback: the `StylizedFrame.fallback` to go on with.
        """
        self.memory.reset(fallback)
        self._state.reset(first)

    def skip(
        self,
        content: Picture,
        stylized: Picture | None,
        coverage: Coverage | None,
        look: Look,
        gap: Gap | None = None,
    ) -> None:
        """Takes a frame that was stylized before, so that the next one goes on from it; see `TemporalState.skip`.

        Args:
            gap: of a keyframe, as for `stylize`.
        """
        motion = None if gap is None else self._with_flow(content, gap.close)
        self._with_flow(content, partial(self._state.skip, content, stylized, coverage, look, motion))

    def stylize(
        self,
        content: Picture,
        coverage: Coverage | None,
        look: Look,
        steps: Steps | None = None,
        gap: Gap | None = None,
    ) -> StylizedFrame:
        """Stylizes the next frame of the shot, or the next keyframe, `(H, W, 3)` uint8 RGB.

        Args:
            coverage: where to stylize, and which region's style; None: all of it in the main styles.
            look: how this frame is to look. steps: how many it may take; None: as many as the options say.
            gap: the frames from the keyframe before up to this one; None: this frame follows the one before.

        Raises:
            OptimizationError: no finite picture could be found. DeviceError: memory is too small for this size.
        """
        started, steps = time.perf_counter(), steps or self._options.steps
        motion = None if gap is None else self._with_flow(content, gap.close)
        if coverage is not None and not coverage.is_stylized:
            self.skip(content, content, coverage, look)
            return StylizedFrame(content, content, math.nan, 0, 0, time.perf_counter() - started, self.memory.fallback)
        start = self._with_flow(content, partial(self._state.initialize, content, coverage, look, steps, motion))
        if start.transition is not None and steps.later:
            outcome = self._follow_transition(content, coverage, start, start.transition, steps)
        else:
            outcome = self._minimize(content, coverage, start, steps)
        # The next frame goes on from this one as delivered, in 8 bits, so that a render which was
        # interrupted can go on from its files and come out the same.
        stylized = to_picture(outcome.image) if start.repeats is None else start.repeats
        if self._options.keyframe_frames > 1 and start.repeats is None:
            stylized = softened(stylized)
        if coverage is not None and start.repeats is None:
            stylized = coverage.blended(content, stylized)
        is_repeated = start.repeats is not None
        self._with_flow(
            content, partial(self._state.accept, content, stylized, coverage, look, is_repeated=is_repeated)
        )
        # Never what the next frame goes on from: its colors would be swapped again and again.
        image = with_colors_of(content, stylized) if self._options.color == "content" else stylized
        found = outcome.loss, outcome.evaluations, outcome.retries
        seconds = time.perf_counter() - started + (0 if gap is None else gap.seconds)
        return StylizedFrame(image, stylized, *found, seconds, self.memory.fallback)

    def begin_gap(self, keyframe: Picture) -> Gap:
        """Returns what holds the frames up to the next keyframe; `extend` adds them.

        Args:
            keyframe: content of the frame that was last given to `stylize` or `skip`, `(H, W, 3)` uint8 RGB.
        """
        if self._estimate_flow is None:
            raise ValueError("without optical flow every frame is a keyframe")
        return Gap(self._estimate_flow, keyframe)

    def extend(self, gap: Gap, content: Picture) -> None:
        """Adds the next frame, `(H, W, 3)` uint8 RGB, to a gap."""
        started = time.perf_counter()
        self._with_flow(content, partial(gap.add, content))
        gap.seconds += time.perf_counter() - started

    def shorten(self, gap: Gap) -> None:
        """Ends a gap sooner where too much of a frame between would be shown by no keyframe; see `Gap.shorten`."""
        started = time.perf_counter()
        self._with_flow(gap.contents[-1], gap.shorten)
        gap.seconds += time.perf_counter() - started

    def settle(self) -> None:
        """Takes all paint for settled, as where a run of frames begins; see `TemporalState.settle`."""
        self._state.settle()

    def pass_by(self, look: Look) -> None:
        """Takes the look of a frame between two keyframes, in order, before the keyframe after it is stylized."""
        self._state.pass_by(look)

    def stylize_between(
        self,
        gap: Gap,
        number: int,
        keyframes: tuple[Painted, Painted],
        last: Painted,
        coverage: Coverage | None,
        look: Look,
    ) -> StylizedFrame:
        """Stylizes a frame between two keyframes.

        Args:
            number: of the frame in the gap, at least 1. keyframes: before and after. last: the frame before.
            coverage, look: as for `stylize`.
        """
        started, content = time.perf_counter(), gap.contents[number]
        if (coverage is not None and not coverage.is_stylized) or not (look.strength and self._options.iterations):
            stylized = content
        elif gap.is_repeated(number, coverage, last):
            stylized = last.paint if coverage is None else coverage.blended(content, last.paint)
        else:
            paint = self._with_flow(content, partial(gap.carried, number, *keyframes, last))
            stylized = np.clip(np.rint(paint), 0, 255).astype(np.uint8)
            if coverage is not None:
                stylized = coverage.blended(content, stylized)
        image = with_colors_of(content, stylized) if self._options.color == "content" else stylized
        seconds = time.perf_counter() - started
        return StylizedFrame(image, stylized, math.nan, 0, 0, seconds, self.memory.fallback)

    def _minimize(self, content: Picture, coverage: Coverage | None, start: Initialization, steps: Steps) -> Outcome:
        """Returns the best picture found from a start; see `MemoryGuard` for what happens where memory runs out."""
        if start.repeats is None and (not start.iterations or not start.look.strength):
            return Outcome(to_tensor(content, self._device), math.nan, 0, 0)
        for attempt in self.memory.attempts(content, self._forget_targets):
            with attempt:
                if not attempt.is_trial:
                    return self._minimize_once(content, coverage, start, steps, attempt.way)
                # Whether a smaller frame fits shows in its first step.
                trial = Initialization(start.look, attempt.content.astype(np.float32), 1)
                self._minimize_once(attempt.content, None, trial, steps, attempt.way)
        raise RuntimeError("attempts at a frame end with an error of their own")

    def _minimize_once(
        self, content: Picture, coverage: Coverage | None, start: Initialization, steps: Steps, way: MemoryFallback
    ) -> Outcome:
        """Builds the objective and minimizes it: small sizes first where a frame starts afresh."""
        height, width = content.shape[:2]
        targets = FrameTargets(self._styles, start.look, content, coverage, self._region_styles, way.share)
        objective = targets.objective(width, height, warped=start.warped)
        image = objective.pinned(to_tensor(start.start, self._device))
        if start.repeats is not None:
            with torch.no_grad():
                return Outcome(image, float(objective(image)), 1, 0)
        if start.is_afresh:
            budget = Budget(start.iterations, way.history, FIRST_STEP_RMS)
            return optimize_coarse_to_fine(image, objective, targets.objective, way.method, budget, self.on_evaluation)
        budget = Budget(start.iterations, way.history, NEAR_STEP_RMS, steps.least_gain)
        return optimize(image, objective, way.method, budget, self.on_evaluation)

    def _follow_transition(
        self,
        content: Picture,
        coverage: Coverage | None,
        start: Initialization,
        transition: Transition,
        steps: Steps,
    ) -> Outcome:
        """Stylizes a frame whose look changes, from a start that is moved toward what the look changes into."""
        freely = Initialization(transition.look, start.start, steps.later, is_afresh=True)
        ahead = self._minimize(content, coverage, freely, steps)
        picture = ahead.image[0].permute(1, 2, 0).float().cpu().numpy() * np.float32(255)
        moved, warped = moved_on(transition, content, picture, start.start, start.warped)
        if transition.is_enough:
            return replace(ahead, image=to_tensor(moved, self._device), loss=math.nan)
        return self._minimize(content, coverage, replace(start, start=moved, warped=warped), steps).after(ahead)

    def _with_flow(self, content: Picture, call: Callable[[], T]) -> T:
        return self.memory.with_flow(content, call, self._flow_remedy)

    def _forget_targets(self) -> None:
        for styles in (self._styles, *self._region_styles):
            styles.forget()
