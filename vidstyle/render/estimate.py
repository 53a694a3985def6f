"""What painting takes on this machine: seconds by a few evaluations of one frame, memory by a rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vidstyle.frames import SMALLEST_SIDE_PX, Picture, resize
from vidstyle.looks.stylizer import Stylizer
from vidstyle.method.coverage import Coverage
from vidstyle.method.features.network import FeatureNetwork
from vidstyle.method.keyframes import GAP_BYTES_PER_PX
from vidstyle.method.look import Look
from vidstyle.method.options import Steps
from vidstyle.method.solver import HISTORY
from vidstyle.method.stylizer import StylizedFrame
from vidstyle.method.tiling import bytes_per_px
from vidstyle.settings import Settings

# Time budget for measuring, and its cost in evaluations at full size.
BUDGET_S, _MEASURED_EVALUATIONS = 4.0, 9
# First a look at how fast this machine is, at a size that takes a moment.
_TRIAL_SIDE_PX = 320
_STEPS, _REPEATS_S = 2, 1.0
# Evaluations of a later frame that moves, by measure (scripts/benchmark_stability.py): 512 px, three clips of fast
# motion, the default objective, --least-gain 0.01; with the temporal loss, without it, and from the previous frame
# as it is. Still scenes need fewer. And of a keyframe, and how far apart they are where they are placed as needed.
USUAL_EVALUATIONS = {"held": 5.7, "warped": 7.4, "previous": 7.9, "keyframe": 12.0}
_USUAL_GAP_FRAMES = 5.5
_USUAL_LEAST_GAIN = 0.01
# All smaller copies of a picture together, relative to its pixels.
_PYRAMID = 4 / 3
# The peak of a process that stylizes a first and a later frame on the CPU in bfloat16 with the compact network.
MEASURED_MEMORY_BYTES = {(512, 288): 0.55e9, (1024, 576): 1.08e9, (1920, 1080): 2.67e9, (3840, 2160): 8.2e9}
# What the rule makes of it: a process with torch in it, and pictures in float32 beside the optimizer's.
_PROCESS_BYTES, _PICTURES = 0.35 * 2**30, 22
_FLOAT_PICTURE_BYTES_PER_PX = 12
_How = tuple[Coverage | None, Look | None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast frames are stylized.

    Attributes:
        first_frame_s: of a shot, and of stills. later_frame_s: of a frame that moves.
        width, height: at which that was measured, in pixels; smaller than the render's where that would take long.
    """

    first_frame_s: float
    later_frame_s: float
    width: int
    height: int


def usual_evaluations(settings: Settings) -> float:
    """Returns how often the objective is usually evaluated for a frame that starts from the stylized one before it.

    With keyframes: the mean over these and the frames between.
    """
    if not settings.iterations:
        return 0
    at_most = settings.iterations + 1
    takes_all = settings.optimizer == "adam" or settings.least_gain < _USUAL_LEAST_GAIN
    if settings.keyframe_frames > 1:
        gap_frames = _USUAL_GAP_FRAMES if settings.keyframe_every == "auto" else settings.keyframe_frames
        of_keyframe = at_most if takes_all else USUAL_EVALUATIONS["keyframe"]
        return min(at_most, of_keyframe) / gap_frames
    if takes_all:
        return at_most
    way = "previous" if not settings.is_warped else "held" if settings.temporal_weight else "warped"
    return min(at_most, USUAL_EVALUATIONS[way])


def first_evaluations(steps: Steps) -> int:
    """Returns how often the objective is evaluated at each size for a frame that starts afresh."""
    return steps.first + 1 if steps.first else 0


def measured_pace(
    stylizer: Stylizer, image: Picture, coverage: Coverage | None = None, look: Look | None = None
) -> Pace:
    """Stylizes a frame with few steps, then copies of it moved by a pixel or two, and returns what that comes to.

    Args:
        stylizer: with the settings asked for; it forgets the frames before.
        image: a frame, `(H, W, 3)` uint8 RGB, at the size it is stylized at. coverage, look: see `Stylizer.stylize`.

    Raises:
        DeviceError, OptimizationError: as for stylizing.
    """
    how, asked = (coverage, look), stylizer.settings.options.steps
    few = Steps(min(_STEPS, asked.first), min(_STEPS, asked.later), least_gain=0)
    sample = _affordable(stylizer, image, how, few)
    stylizer.restart()
    stylizer.stylize(sample, *how, few)  # with what is done once for a size
    first = _quickest(stylizer, sample, how, few)
    first_s = first.seconds * max(1, first_evaluations(asked)) / max(1, first_evaluations(few))
    later_s = first_s
    if stylizer.settings.init not in ("content", "noise"):
        later_s = _later_s(stylizer, sample, how, few)
    stylizer.restart()
    larger = image.size / sample.size
    height, width = sample.shape[:2]
    return Pace(larger * first_s, larger * later_s, width, height)


def _affordable(stylizer: Stylizer, image: Picture, how: _How, few: Steps) -> Picture:
    """Returns the frame, reduced where measuring at its size would take longer than it may."""
    height, width = image.shape[:2]
    ratio = min(1.0, max(_TRIAL_SIDE_PX / max(width, height), SMALLEST_SIDE_PX / min(width, height)))
    small = resize(image, round(width * ratio), round(height * ratio))
    stylizer.restart()
    stylizer.stylize(small, *how, few)
    stylizer.restart()
    evaluations = max(1, first_evaluations(few)) * _PYRAMID
    s_per_px = stylizer.stylize(small, *how, few).seconds / evaluations / (small.shape[0] * small.shape[1])
    most_px = BUDGET_S / (_MEASURED_EVALUATIONS * s_per_px)
    ratio = max(ratio, min(1.0, math.sqrt(most_px / (width * height))))
    return resize(image, round(width * ratio), round(height * ratio))


def _quickest(stylizer: Stylizer, image: Picture, how: _How, few: Steps) -> StylizedFrame:
    """Stylizes a first frame more than once where that takes a moment: what else the machine does disturbs less."""
    stylizer.restart()
    quickest, spent_s = stylizer.stylize(image, *how, few), 0.0
    while spent_s + quickest.seconds < _REPEATS_S:
        stylizer.restart()
        again = stylizer.stylize(image, *how, few)
        spent_s += again.seconds
        quickest = min(quickest, again, key=lambda stylized: stylized.seconds)
    return quickest


def _later_s(stylizer: Stylizer, image: Picture, how: _How, few: Steps) -> float:
    """Returns the seconds for a frame after `image`, which was just stylized: flow, warping, and its evaluations."""
    without_steps_s = stylizer.stylize(_moved(image, 1), *how, few._replace(later=0)).seconds
    evaluations = usual_evaluations(stylizer.settings)
    if not evaluations:
        return without_steps_s
    stylized = stylizer.stylize(_moved(image, 2), *how, few)
    of_steps_s = max(0.0, stylized.seconds - without_steps_s)
    return without_steps_s + evaluations * of_steps_s / max(1, stylized.evaluations)


def _moved(image: Picture, by_px: int) -> Picture:
    return np.roll(image, by_px, axis=1)


def memory_bytes(network: FeatureNetwork, settings: Settings, width: int, height: int) -> int:
    """Returns the memory that stylizing takes at its peak, by a rule that is within 15 % of `MEASURED_MEMORY_BYTES`."""
    px = width * height
    activations = _PYRAMID * px * bytes_per_px(network, settings.options.layers)
    # Adam keeps two pictures, L-BFGS two for each step that it remembers.
    kept = 2 * (1 if settings.optimizer == "adam" else HISTORY) + _PICTURES
    floats = kept * _FLOAT_PICTURE_BYTES_PER_PX * px
    gap = GAP_BYTES_PER_PX * px * settings.keyframe_frames if settings.keyframe_frames > 1 else 0
    return round(_PROCESS_BYTES + floats + gap + min(activations, settings.activations_gib * 2**30))
