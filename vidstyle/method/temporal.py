"""Where the painting of a frame begins: with what of its shot was painted before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidstyle.frames import FloatPicture, Picture
from vidstyle.method.carrying import Chain, WarpedFrame, faded, refreshed
from vidstyle.method.coverage import Coverage, are_same
from vidstyle.method.flow import FlowEstimator
from vidstyle.method.look import Look
from vidstyle.method.noise import DriftingNoise
from vidstyle.method.transitions import LookHistory, Transition
from vidstyle.settings import Settings

# Where the past covers less of a frame than this, it is painted with a first frame's steps.
_COVERED_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Initialization:
    """What a frame's optimization begins with.

    Attributes:
        look: what the frame is to look like. start: `(H, W, 3)` float32 RGB, 0 to 255. iterations: the most steps.
        carried: what holds the paint, if anything does. is_near: whether the start is painted already.
        is_done: whether there is nothing left to paint. is_afresh: whether nothing is painted at all.
        coverage: what of it is painted. as_delivered: the result, where that is known. lead: what the start is led
            to, where the look changes.
    """

    look: Look
    start: FloatPicture
    iterations: int
    carried: WarpedFrame | None = None
    is_near: bool = False
    is_done: bool = False
    is_afresh: bool = False
    coverage: Coverage | None = None
    as_delivered: Picture | None = None
    lead: Transition | None = None


class Past:
    """What of a shot was painted: the paint itself, the looks that it has, and noise that drifts along."""

    def __init__(self, settings: Settings, estimate: FlowEstimator | None, *, is_held: bool) -> None:
        """Begins with nothing.

        Args:
            estimate: of optical flow, if the settings need one. is_held: whether mean and contrast are to stay.
        """
        self._settings, self._flow = settings, estimate
        self._chain = Chain(settings.temporal_window if settings.is_warped else (1,), is_held=is_held)
        self._looks, self._noise = LookHistory(), DriftingNoise(settings.seed)

    def restart(self, first: Picture | None = None) -> None:
        """Forgets everything, as at a cut.

        Args:
            first: the painted first frame of a shot that is gone on with, `(H, W, 3)` uint8 RGB.
        """
        self._chain.restart()
        self._looks.restart()
        self._noise.restart()
        if first is not None:
            self._chain.begin(first)

    def forget_other_sizes(self, content: Picture) -> None:
        """Begins a new chain where the frames change their size."""
        last = self._chain.last
        if last is not None and last.content.shape != content.shape:
            self._chain.restart()

    def pass_over(self, content: Picture, stylized: Picture | None, coverage: Coverage | None) -> None:
        """Takes a frame that is not painted now, with its paint if that is known; both `(H, W, 3)` uint8 RGB."""
        if self._settings.init == "noise":
            self._noise.follow(content, self._flow)
        self._carry_on(content, stylized, coverage)

    def add(self, content: Picture, stylized: Picture, coverage: Coverage | None, *, is_repeated: bool = False) -> None:
        """Takes a frame for which `beginning` was asked; both pictures are `(H, W, 3)` uint8 RGB.

        Args:
            is_repeated: whether it was the frame before once more, so that nothing was carried to it.
        """
        if is_repeated:
            self._carry_on(content, stylized, coverage)
        else:
            self._chain.add(content, stylized, coverage)

    def _carry_on(self, content: Picture, stylized: Picture | None, coverage: Coverage | None) -> None:
        if self._settings.is_warped and self._flow is not None:
            self._chain.pass_over(content, stylized, self._flow, coverage)
        elif stylized is not None:
            self._chain.add(content, stylized, coverage)

    def add_look(self, look: Look) -> None:
        """Takes the look of the frame that was added or passed over."""
        self._looks.add(look)

    def initialization(self, content: Picture, coverage: Coverage | None, look: Look) -> Initialization:
        """Returns what the optimization of the next frame, `(H, W, 3)` uint8 RGB, begins with."""
        settings, last = self._settings, self._chain.last
        afresh = max(settings.iterations, settings.first_iterations)
        if settings.init == "noise":
            return Initialization(look, 255 * self._noise.follow(content, self._flow), afresh, is_afresh=True)
        if last is None or settings.init == "content":
            return Initialization(look, content.astype(np.float32), afresh, is_afresh=True)
        before = np.asarray(last.stylized, np.float32)
        lead = self._looks.lead(look)
        is_repeated = lead is None and look == self._looks.last
        is_repeated = is_repeated and np.array_equal(last.content, content) and are_same(last.coverage, coverage)
        if is_repeated and settings.iterations and settings.least_gain and not self._chain.is_settling:
            # A drawing that is held, or a still: there is nothing to paint, and nothing to drift.
            return Initialization(look, before, 0, is_done=True, as_delivered=last.delivered)
        # Where strength falls, so must the paint that is there: the content loss alone, which is coarse, leaves its
        # fine strokes, and at strength 0 they would vanish at once.
        strength = (self._looks.last or look).strength
        left = min(1.0, look.strength / strength) if strength else 1.0
        content_share = 0.0 if lead is None else lead.content_share
        if not settings.is_warped or self._flow is None:
            before = refreshed(before, last.content, content, content_share) if content_share else before
            before = before if left == 1 else faded(before, content, left)
            return Initialization(look, before, settings.iterations, is_near=True, lead=lead)
        carried = self._chain.carried(content, self._flow, coverage, content_share)
        carried = carried if left == 1 else carried.fading(content, left)
        is_new = carried.covered < _COVERED_ENOUGH and settings.iterations > 0
        steps = afresh if is_new else settings.iterations
        return Initialization(look, carried.start, steps, carried, is_near=True, lead=lead)
