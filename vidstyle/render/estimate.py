"""What painting takes on this machine: seconds by a few evaluations of one frame, memory by a rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vidstyle.frames import SMALLEST_SIDE_PX, Picture, resize
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.method.solver import HISTORY
from vidstyle.method.stylizer import StylizedFrame, Stylizer
from vidstyle.method.tiling import bytes_per_px
from vidstyle.settings import Settings

# What measuring may take, and how often it evaluates the objective, in evaluations at full size.
BUDGET_S, _MEASURED_EVALUATIONS = 4.0, 9
# First a look at how fast this machine is, at a size that takes a moment.
_TRIAL_SIDE_PX = 320
_STEPS, _REPEATS_S = 2, 1.0
# Evaluations of a later frame that moves, by measure: 512 px, three clips of fast motion, --least-gain 0.01 (see
# README, "Steady paint"). Still scenes need a quarter.
USUAL_EVALUATIONS = {"held": 8.0, "carried": 10.8, "previous": 5.2}
_USUAL_LEAST_GAIN = 0.01
# All smaller copies of a picture together, relative to its pixels.
_PYRAMID = 4 / 3
# By measure at 512 to 3840 px on the CPU: a process with torch in it, and pictures in float32 beside the optimizer's.
_PROCESS_BYTES, _PICTURES = 0.35 * 2**30, 10
_FLOAT_PICTURE_BYTES_PER_PX = 12
_How = tuple[Coverage | None, Look | None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast frames are painted.

    Attributes:
        first_frame_s: of a shot, and of stills. later_frame_s: of a frame that moves.
        width, height: at which that was measured, in pixels; smaller than the render's where that would take long.
    """

    first_frame_s: float
    later_frame_s: float
    width: int
    height: int


def usual_evaluations(settings: Settings) -> float:
    """Returns how often the objective is usually evaluated for a frame that starts from the painted one before it."""
    if not settings.iterations:
        return 0
    at_most = settings.iterations + 1
    if settings.optimizer == "adam" or settings.least_gain < _USUAL_LEAST_GAIN:
        return at_most
    way = "previous" if not settings.is_warped else "held" if settings.temporal_weight else "carried"
    return min(at_most, USUAL_EVALUATIONS[way])


def first_evaluations(settings: Settings) -> int:
    """Returns how often the objective is evaluated at each size for a frame that starts afresh."""
    afresh = max(settings.iterations, settings.first_iterations)
    return afresh + 1 if afresh else 0


def pace_of(stylizer: Stylizer, image: Picture, coverage: Coverage | None = None, look: Look | None = None) -> Pace:
    """Paints a frame for a few steps, and then its copies moved by a pixel or two, and returns what that comes to.

    Args:
        stylizer: with the settings asked for; it forgets the frames before.
        image: a frame, `(H, W, 3)` uint8 RGB, at the size it is painted at. coverage, look: see `Stylizer.paint`.

    Raises:
        DeviceError, OptimizationError: as for painting.
    """
    asked, how = stylizer.settings, (coverage, look)
    steps = min(_STEPS, max(asked.iterations, asked.first_iterations))
    few = replace(asked, iterations=min(steps, asked.iterations), first_iterations=steps, least_gain=0)
    try:
        stylizer.settings = few
        sample = _affordable(stylizer, image, how)
        stylizer.restart()
        stylizer.stylize(sample, *how)  # with what is done once for a size
        first = _quickest(stylizer, sample, how)
        first_s = first.seconds * max(1, first_evaluations(asked)) / max(1, first_evaluations(few))
        later_s = first_s
        if asked.init not in ("content", "noise"):
            later_s = _later_s(stylizer, sample, how, few, usual_evaluations(asked))
    finally:
        stylizer.settings = asked
        stylizer.restart()
    larger = image.size / sample.size
    height, width = sample.shape[:2]
    return Pace(larger * first_s, larger * later_s, width, height)


def _affordable(stylizer: Stylizer, image: Picture, how: _How) -> Picture:
    """Returns the frame, reduced where measuring at its size would take longer than it may."""
    height, width = image.shape[:2]
    ratio = min(1.0, max(_TRIAL_SIDE_PX / max(width, height), SMALLEST_SIDE_PX / min(width, height)))
    analysis_source = resize(image, round(width * ratio), round(height * ratio))
    stylizer.stylize(analysis_source, *how)
    stylizer.restart()
    evaluations = max(1, first_evaluations(stylizer.settings)) * _PYRAMID
    s_per_px = (
        stylizer.stylize(analysis_source, *how).seconds
        / evaluations
        / (analysis_source.shape[0] * analysis_source.shape[1])
    )
    most_px = BUDGET_S / (_MEASURED_EVALUATIONS * s_per_px)
    ratio = max(ratio, min(1.0, math.sqrt(most_px / (width * height))))
    return resize(image, round(width * ratio), round(height * ratio))


def _quickest(stylizer: Stylizer, image: Picture, how: _How) -> StylizedFrame:
    """Paints a first frame more than once where that takes a moment: what else the machine does disturbs less."""
    stylizer.restart()
    quickest, spent_s = stylizer.stylize(image, *how), 0.0
    while spent_s + quickest.seconds < _REPEATS_S:
        stylizer.restart()
        again = stylizer.stylize(image, *how)
        spent_s += again.seconds
        quickest = min(quickest, again, key=lambda stylized: stylized.seconds)
    return quickest


def _later_s(stylizer: Stylizer, image: Picture, how: _How, few: Settings, evaluations: float) -> float:
    """Returns the seconds for a frame after `image`, which was just painted: flow, carrying, and its evaluations."""
    stylizer.settings = replace(few, iterations=0)
    aside_s = stylizer.stylize(_moved(image, 1), *how).seconds
    if not evaluations:
        return aside_s
    stylizer.settings = few
    stylized = stylizer.stylize(_moved(image, 2), *how)
    return aside_s + evaluations * max(0.0, stylized.seconds - aside_s) / max(1, stylized.evaluations)


def _moved(image: Picture, by_px: int) -> Picture:
    return np.roll(image, by_px, axis=1)


def memory_bytes(stylizer: Stylizer, width: int, height: int) -> int:
    """Returns the memory that painting takes at its peak, by a rule that was within a tenth from 512 to 3840 px."""
    settings, px = stylizer.settings, width * height
    activations = _PYRAMID * px * bytes_per_px(stylizer.network, stylizer.styles.layers)
    # Adam keeps two pictures, L-BFGS two for each step that it remembers.
    kept = 2 * (1 if settings.optimizer == "adam" else HISTORY) + _PICTURES
    floats = kept * _FLOAT_PICTURE_BYTES_PER_PX * px
    return round(_PROCESS_BYTES + floats + min(activations, settings.activations_gib * 2**30))
