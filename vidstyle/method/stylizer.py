"""The chain: each frame starts from the painted frame before it, carried along by optical flow."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import DeviceError
from vidstyle.frames import SMALLEST_SIDE_PX, Picture, checked_picture, resize, working_size
from vidstyle.looks.frame_arguments import MaybeCoverage, checked_coverage, checked_look
from vidstyle.looks.styles import Style, StylesGiven, load_region_styles, load_styles
from vidstyle.looks.timeline import Timeline
from vidstyle.method.coarse_to_fine import optimized_coarse_to_fine
from vidstyle.method.coverage import Coverage
from vidstyle.method.features import load_network
from vidstyle.method.flow import load_flow
from vidstyle.method.look import Look
from vidstyle.method.memory import MemoryFallback, free_caches, is_memory_error, memory_fallbacks, too_little_memory
from vidstyle.method.objective import Objective, Reference, to_picture, to_tensor
from vidstyle.method.recoloring import with_colors_of
from vidstyle.method.solver import FIRST_STEP_RMS, NEAR_STEP_RMS, Budget, OnEvaluation, Outcome, optimize
from vidstyle.method.targets import FrameTargets, StyleTargetCache
from vidstyle.method.temporal import Initialization, Past
from vidstyle.method.transitions import led
from vidstyle.settings import Settings
from vidstyle.weights.fetching import OnDownload

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class StylizedFrame:
    """One painted frame: `image` `(H, W, 3)` uint8 RGB, and how it was come by (see `descent.Outcome`).

    `paint` is what the chain goes on from: the image, or the same before it took the content's colors.
    `economy` says how far the optimizer was cut down for want of memory: an index into `economies()`.
    """

    image: Picture
    paint: Picture
    loss: float
    evaluations: int
    retries: int
    seconds: float
    fallback: int = 0


class Stylizer:
    """Paints frames in one style or a blend of several, each starting from the one before.

    Attributes: `settings`; `device` and `precision` as resolved; `network`; `styles`, their Gram matrices by frame
    size, and `region_styles`, those of regions; `timeline`, of looks; `look`, the one at time 0;
    `economy`, an index into `economies()`: above 0 where memory did not suffice for the optimizer asked for;
    `on_evaluation`, called while a frame is painted, at every size that it goes through; see `descent.optimize`.

    ::

        stylizer = Stylizer("starry.jpg", Settings(size=480))
        for image in my_frames:           # (H, W, 3) uint8 RGB
            painted = stylizer(image)     # the same, at most 480 px long

    The network is loaded and the style measured once. Pictures of another size start a new chain. Files beside an
    input (`mask`, the masks of `region`) are not read here, and frames have no time of their own: with those settings
    `paint` asks for each frame's `coverage`, with `style_at` or `keyframes` for its `look`.
    """

    def __init__(
        self,
        style: StylesGiven = (),
        settings: Settings | None = None,
        *,
        region_styles: Sequence[Style] | None = None,
        on_download: OnDownload | None = None,
    ) -> None:
        """Loads the network and the style.

        Args:
            style: a picture file, `(H, W, 3)` uint8 RGB, a folder of pictures or a video, or several of these; none
                where `Settings.style_at` names them.
            region_styles: what `load_region_styles` returned, if it was called; None: they are loaded here.
            on_download: called with bytes done and in all while weights are fetched.

        Raises:
            SourceError: the style cannot be read or is smaller than 16 px.
            SettingsError: the network has no such layer, or the blend is not for so many styles.
            WeightsError: no weights. DeviceError: no such device or precision here. FlowError: no such flow here.
        """
        self.settings = settings = settings or Settings()
        self.device = resolve_device(settings.device)
        self.precision = resolve_precision(settings.precision, self.device)
        styles = load_styles(style, settings)
        self.timeline = Timeline(settings, len(styles))
        self.look = self.timeline.look(0, Fraction(0))
        self._said = partial(checked_look, settings, self.timeline, self.look)
        layers = (*settings.style_layers, settings.content_layer)
        network = load_network(settings.network, layers, settings.weights, settings.pooling, on_download)
        self.network = network.placed(self.device, self.precision)
        self.styles = StyleTargetCache(self.network, styles, settings)
        alone = replace(settings, style_blend=())  # that is for the main styles
        of_regions = load_region_styles(settings) if region_styles is None else region_styles
        self.region_styles = [StyleTargetCache(self.network, each, alone) for each in of_regions]
        self.fallback, self._is_matched = 0, False
        self.on_evaluation: OnEvaluation | None = None
        estimate = load_flow(settings.flow, self.device, on_download) if settings.needs_flow else None
        self._past = Past(settings, estimate, is_held=not self.timeline.is_changing)

    def restart(self, first: Picture | None = None, fallback: int = 0, palette_from: Picture | None = None) -> None:
        """Forgets the frames before, as at a cut: the next one is painted as a first frame.

        Args:
            first: the painted first frame of a shot that is gone on with after `pass_over`.
            economy: the `Painted.economy` of the frame before the next one to be painted, where a shot is gone on
                with.
            palette_from: the shot's first frame, unpainted, `(H, W, 3)` uint8 RGB, whose palette the style takes
                with color "match"; without, the next frame's.
        """
        self._is_matched = False
        if palette_from is not None:
            self._match(checked_picture(palette_from, "frame"))
        self.fallback = min(fallback, len(memory_fallbacks(self.settings.optimizer)) - 1)
        self._past.restart(None if first is None else checked_picture(first, "painted frame"))

    def _match(self, content: Picture) -> None:
        if self.settings.color == "match" and not self._is_matched:
            for styles in (self.styles, *self.region_styles):
                styles.match(content)
        self._is_matched = True

    def pass_over(
        self, image: Picture, stylized: Picture | None, coverage: MaybeCoverage = ..., look: Look | None = None
    ) -> None:
        """Takes a frame that was painted before, so that the next one goes on from it.

        Frames are passed over in order, at least as many of a shot's last as `look_changes.needed_before` says.

        Args:
            image: the frame, `(H, W, 3)` uint8 RGB. painted: the same as it was painted; needed for the last
                `Settings.looks_back_frames`. coverage, look: those that it was painted with.

        Raises:
            SettingsError: see `paint`. DeviceError: memory is too small.
            SourceError: a picture is not `(H, W, 3)` uint8, or too small.
        """
        content, coverage, look = self.fit(image), checked_coverage(coverage, self.settings), self._said(look)
        before = None if stylized is None else checked_picture(stylized, "painted frame")
        self._match(content)
        self._past.forget_other_sizes(content)
        self._with_room(content, lambda: self._past.pass_over(content, before, _fitted(coverage, content)))
        self._past.add_look(look)

    def __call__(self, image: Picture) -> Picture:
        """Returns the painted frame, `(h, w, 3)` uint8 RGB, of `(H, W, 3)` uint8 RGB."""
        return self.stylize(image).image

    def fit(self, image: Picture) -> Picture:
        """Returns `(H, W, 3)` uint8 RGB at the size it is painted at."""
        image = checked_picture(image, "frame")
        return resize(
            image, *working_size(image.shape[1], image.shape[0], self.settings.size, is_warped=self.settings.needs_flow)
        )

    def stylize(self, image: Picture, coverage: MaybeCoverage = ..., look: Look | None = None) -> StylizedFrame:
        """Paints `(H, W, 3)` uint8 RGB, reduced to the size that the settings allow.

        Args:
            coverage: where to paint, and which region's style; see `coverage_of`. None: all of it in the main style.
            look: how this frame is to look; None for the settings' own look. See `timeline`.

        Raises:
            SettingsError: the settings leave one of these to the caller, and it is missing, or for other regions.
            SourceError: the picture is not `(H, W, 3)` uint8, or smaller than 16 px.
            OptimizationError: no finite picture could be found.
            DeviceError: the device's memory is too small for a picture of this size.
        """
        started = time.perf_counter()
        content, look = self.fit(image), self._said(look)
        coverage = _fitted(checked_coverage(coverage, self.settings), content)
        self._match(content)
        self._past.forget_other_sizes(content)
        if coverage is not None and not coverage.is_stylized:
            self._with_room(content, lambda: self._past.pass_over(content, content, coverage))
            self._past.add_look(look)
            return StylizedFrame(content, content, math.nan, 0, 0, time.perf_counter() - started, self.fallback)
        initialization = self._with_room(content, lambda: self._past.initialization(content, coverage, look))
        outcome = self._led(content, replace(initialization, coverage=coverage))
        # The chain goes on from the frame as delivered, in 8 bits, so that a render which was
        # interrupted can go on from its files and come out the same.
        stylized = to_picture(outcome.image)
        self._past.add_look(look)
        if initialization.as_delivered is not None:
            stylized = initialization.as_delivered
        elif coverage is not None:
            stylized = coverage.blended(content, stylized)
        is_repeated = initialization.is_done
        self._with_room(content, lambda: self._past.add(content, stylized, coverage, is_repeated=is_repeated))
        seconds = time.perf_counter() - started
        # Never what the chain goes on from: its colors would be swapped again and again.
        image = with_colors_of(content, stylized) if self.settings.color == "content" else stylized
        return StylizedFrame(
            image, stylized, outcome.loss, outcome.evaluations, outcome.retries, seconds, self.fallback
        )

    def _led(self, content: Picture, initialization: Initialization) -> Outcome:
        """Paints; where the look changes, from a start that is led toward what it changes into."""
        lead, steps = initialization.lead, self.settings.iterations
        if lead is None or not steps:
            return self._within_memory(content, initialization)
        ahead = Initialization(lead.look, initialization.start, steps, is_afresh=True, coverage=initialization.coverage)
        free = self._within_memory(content, ahead)
        paint = free.image[0].permute(1, 2, 0).float().cpu().numpy() * np.float32(255)
        start, carried = led(lead, content, paint, initialization.start, initialization.carried)
        if lead.is_enough:
            return replace(free, image=to_tensor(start, self.device), loss=math.nan)
        outcome = self._within_memory(content, replace(initialization, start=start, carried=carried))
        evaluations, retries = free.evaluations + outcome.evaluations, free.retries + outcome.retries
        return replace(outcome, evaluations=evaluations, retries=retries)

    def _with_room(self, content: Picture, call: Callable[[], T]) -> T:
        """Returns what a call with optical flow in it returns; where memory runs out, tried again after making room."""
        try:
            return call()
        except Exception as error:
            if not is_memory_error(error):
                raise
        free_caches(self.device)
        try:
            return call()
        except Exception as error:
            if not is_memory_error(error):
                raise
            height, width = content.shape[:2]
            remedy = "--flow dis or a smaller --size" if self.settings.flow == "raft" else "a smaller --size"
            message = f"too little memory for optical flow at {width}x{height} pixels; use {remedy}"
            raise DeviceError(message) from error

    def _within_memory(self, content: Picture, initialization: Initialization) -> Outcome:
        """Paints; where memory runs out, again after making room, and then in cheaper ways."""
        ways, failures = memory_fallbacks(self.settings.optimizer), 0
        height, width = content.shape[:2]
        while True:
            try:
                return self._optimized(content, initialization, ways[self.fallback])
            except Exception as error:
                if not is_memory_error(error):
                    raise
            # Outside the handler: the exception held the failed attempt's pictures.
            free_caches(self.device)
            failures += 1
            if failures == 1:
                logger.warning("too little memory for %dx%d pixels; trying again", width, height)
            elif self.fallback + 1 < len(ways):
                self.fallback += 1
                logger.warning("still too little memory; going on with %s", ways[self.fallback])
            else:
                raise too_little_memory(width, height, lambda w, h: self._fits(resize(content, w, h)), SMALLEST_SIDE_PX)

    def _fits(self, content: Picture) -> bool:
        try:
            self._optimized(
                content, Initialization(self.look, content.astype(np.float32), 1), memory_fallbacks("adam")[-1]
            )
        except Exception as error:
            if not is_memory_error(error):
                raise
            return False
        finally:
            for styles in (self.styles, *self.region_styles):
                styles.forget()
            free_caches(self.device)
        return True

    def _optimized(self, content_picture: Picture, initialization: Initialization, way: MemoryFallback) -> Outcome:
        settings, device = self.settings, self.device
        height, width = content_picture.shape[:2]
        content = to_tensor(content_picture, device)
        carried, coverage = initialization.carried, initialization.coverage
        reference = unsettled = None
        if carried is not None:
            confidence = torch.tensor(carried.confidence, device=device)[None, None]
            unsettled = (
                torch.tensor(carried.unsettled, device=device)[None, None].float() if carried.unsettled.any() else None
            )
            reference = Reference(to_tensor(carried.reference, device), confidence, unsettled)
        frame_targets = FrameTargets(self.styles, initialization.look, content_picture, coverage, self.region_styles)
        target = frame_targets.at(width, height, memory_share=way.share)
        memory_bytes = frame_targets.memory_bytes(width, height, way.share)
        regions_at = partial(frame_targets.regions, memory_share=way.share)
        regions = regions_at(width, height, unsettled=unsettled)
        objective = Objective(self.network, frame_targets.settings, target, content, reference, memory_bytes, regions)
        start = objective.pinned(to_tensor(initialization.start, device))
        if initialization.is_done:
            with torch.no_grad():
                return Outcome(start, float(objective(start)), 1, 0)
        if not initialization.iterations or not initialization.look.strength:
            return Outcome(content, math.nan, 0, 0)
        budget = Budget(
            initialization.iterations,
            way.history,
            NEAR_STEP_RMS if initialization.is_near else FIRST_STEP_RMS,
            settings.least_gain if initialization.is_near else 0,
        )
        if initialization.is_afresh:
            rest = (way.method, budget, way.share)
            return optimized_coarse_to_fine(
                frame_targets, content_picture, start, objective, *rest, regions_at, self.on_evaluation
            )
        return optimize(start, objective, way.method, budget, self.on_evaluation)


def _fitted(coverage: Coverage | None, content: Picture) -> Coverage | None:
    return None if coverage is None else coverage.resized(content.shape[1], content.shape[0])
