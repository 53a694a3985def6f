"""How steady a stylized video is: warping error, flicker and drift, from the files alone.

The measures need no exact flow, but take it where it is given. Levels are on a scale of 0 to 255 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import cv2
import numpy as np

from vidstyle.errors import SourceError, counted
from vidstyle.frames import Frame, Mask, Picture, resize
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import reduced_size
from vidstyle.method.disocclusion import consistent
from vidstyle.method.flow.dis import DisFlow
from vidstyle.method.warping import FlowField, warped

# Pictures are compared at most this large: what an eye at some distance sees, and comparable between renders.
MEASURED_SIZE_PX = 512
# A pixel is still where it moves less than this, and the source differs by no more than grain does.
_STILL_PX, _STILL_LEVELS = 0.25, 3.0

# Position of a frame, from 1 -> backward flow `(H, W, 2)` float32 px at the measured size, and where it holds.
ExactFlow = Callable[[int], tuple[FlowField, Mask]]


@dataclass(frozen=True, slots=True)
class Stability:
    """Measures of a whole video; NaN where there was nothing to measure.

    Attributes:
        frames: how many were compared.
        warp_error: root mean square between a stylized frame and the one before it, warped the source's
            flow, over pixels where that can be trusted; mean over frames. Lai et al. (Learning Blind Video
            Temporal Consistency, ECCV 2018) measure so, too.
        source_warp_error: the same of the source itself: noise, changing light, and the flow's own faults.
        flicker: root mean square between a stylized frame and the one before it, where the source is still.
        source_flicker: the same of the source itself: its grain.
        drift: largest departure of a frame's mean level, in any channel, from the first frame's, less the
            source's own.
    """

    frames: int
    warp_error: float
    source_warp_error: float
    flicker: float
    source_flicker: float
    drift: float


@dataclass(frozen=True, slots=True)
class Step:
    """The same between one frame and the one before it; NaN where there was nothing to measure."""

    warp_error: float
    source_warp_error: float
    flicker: float
    source_flicker: float


class StabilityMeter:
    """Measures a stylized video, frame by frame."""

    def __init__(self) -> None:
        self._flow = DisFlow()
        self._last: tuple[Picture, Picture] | None = None
        self._first_levels: tuple[np.ndarray, np.ndarray] | None = None
        self._frames = 0
        self._steps: list[Step] = []
        self._drift = math.nan

    def add(self, source: Picture, stylized: Picture, exact: tuple[FlowField, Mask] | None = None) -> Step | None:
        """Takes the next frame, and returns what was measured between it and the one before; None for the first.

        Args:
            source, stylized: `(H, W, 3)` uint8 RGB, of the same size in every call.
            exact: backward flow `(H, W, 2)` float32 px and `(H, W)` bool, where it holds; DIS otherwise.
        """
        self._frames += 1
        levels = stylized.mean((0, 1)), source.mean((0, 1))
        if self._last is None or self._first_levels is None:
            self._last, self._first_levels = (source, stylized), levels
            return None
        before, stylized_before = self._last
        flow, trusted = exact or self._estimated(before, source)
        source_gap = _squared_gap(warped(before, flow), source)
        moved = np.square(flow).sum(-1)
        grain = _squared_gap(before, source)
        still = trusted & (moved < _STILL_PX**2) & (grain <= _STILL_LEVELS**2)
        step = Step(
            _root_mean(_squared_gap(warped(stylized_before, flow), stylized), trusted),
            _root_mean(source_gap, trusted),
            _root_mean(_squared_gap(stylized_before, stylized), still),
            _root_mean(grain, still),
        )
        self._steps.append(step)
        gone = (levels[0] - self._first_levels[0]) - (levels[1] - self._first_levels[1])
        self._drift = float(np.fmax(self._drift, np.abs(gone).max()))
        self._last = (source, stylized)
        return step

    def result(self) -> Stability:
        """Returns the measures of all frames so far."""
        return Stability(
            frames=self._frames,
            warp_error=_mean([step.warp_error for step in self._steps]),
            source_warp_error=_mean([step.source_warp_error for step in self._steps]),
            flicker=_mean([step.flicker for step in self._steps]),
            source_flicker=_mean([step.source_flicker for step in self._steps]),
            drift=self._drift,
        )

    def _estimated(self, before: Picture, now: Picture) -> tuple[FlowField, Mask]:
        backward = self._flow(now, before)
        return backward, consistent(backward, self._flow(before, now))


def measure(
    source: str | Path,
    stylized: str | Path,
    exact_flow: ExactFlow | None = None,
    frames: tuple[int, int | None] = (0, None),
) -> Stability:
    """Measures how steady a stylized video or frame folder is, against the one that it was stylized from.

    Both are compared frame by frame, in order, at the stylized size or 512 px, whichever is smaller.

    Args:
        source, stylized: video, folder of frames or pattern. exact_flow: the source's motion where it is known,
            at the measured size. frames: those of the source that were stylized, from the first up to, not
            including, the second, or to the end.

    Raises:
        SourceError: one cannot be read, they have different numbers of frames, or only one.
    """
    meter, size, position = StabilityMeter(), None, 0
    for position, (frame, result) in enumerate(_pairs(Path(source), Path(stylized), frames)):
        height, width = result.image.shape[:2]
        size = size or reduced_size(width, height, MEASURED_SIZE_PX)
        exact = exact_flow(position) if exact_flow is not None and position else None
        meter.add(resize(frame.image, *size), resize(result.image, *size), exact)
    if not position:
        raise SourceError(f"{stylized}: has one frame only, and steadiness is between frames; give a video or a folder")
    return meter.result()


def _pairs(source: Path, stylized: Path, frames: tuple[int, int | None]) -> Iterator[tuple[Frame, Frame]]:
    with open_source(source) as pictures, open_source(stylized) as results:
        for position, (frame, result) in enumerate(zip_longest(islice(pictures, *frames), results)):
            if result is None:
                remedy = "where only a part was painted, say which: frames=(A, B), on the command line --frames A:B"
                raise SourceError(f"{stylized}: has {counted(position, 'frame')} and {source} has more; {remedy}")
            if frame is None:
                raise SourceError(f"{stylized}: has more than the {position} frames of {source}; is it of this source?")
            yield frame, result


def _squared_gap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns `(H, W)`: the mean over channels of the squared differences."""
    gap = cv2.absdiff(np.asarray(one, np.float32), np.asarray(other, np.float32))
    return np.asarray((gap * gap).mean(-1))


def _root_mean(squares: np.ndarray, where: Mask) -> float:
    return float(np.sqrt(squares[where].mean())) if where.any() else math.nan


def _mean(values: list[float]) -> float:
    measured = [value for value in values if not math.isnan(value)]
    return sum(measured) / len(measured) if measured else math.nan
