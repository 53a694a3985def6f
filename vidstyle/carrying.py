"""What a shot's painted past hands on to its next frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.filling import colour_matched
from vidstyle.flow import FlowEstimator
from vidstyle.flow.trust import motion_between
from vidstyle.flow.warp import came_from, carried_sharply, warped
from vidstyle.frames import FloatPicture, Picture

# Older frames are only looked at where at least this share of the frame is uncovered: each costs two flows.
_LEAST_UNCOVERED = 0.002
# How fast, in levels per frame, mean and contrast are led back to those of the shot's first frame; nobody sees a
# change of a quarter. That they should not change is what the style asks for, whatever is filmed: photographs whose
# means are 40 levels apart, painted in one style, had means at most 3 apart. A chain left alone wanders all the same,
# by 0.01 a frame over 200 frames of a slow pan.
_HOLD_LEVELS = 0.25


@dataclass(frozen=True, slots=True)
class Carried:
    """The painted past, as it would look in the frame to be painted.

    Attributes:
        start: `(H, W, 3)` float32 RGB, 0 to 255: carried paint, and content in its colours where there is none.
        reference: `(H, W, 3)` float32 RGB, 0 to 255: carried paint only.
        confidence: `(H, W)` float32 in [0, 1]: how firmly to hold on to the reference.
        covered: share of the frame that the past covers.
    """

    start: FloatPicture
    reference: FloatPicture
    confidence: FloatPicture
    covered: float


class _Past(NamedTuple):
    content: Picture
    painted: Picture


class Chain:
    """The frames of a shot that the next one depends on.

    Args:
        window: how many frames back to look, ascending; paint is taken from the nearest in which a thing was
            seen, as Ruder et al. (2016, section 4.3) do for their long-term consistency.
    """

    def __init__(self, window: tuple[int, ...]) -> None:
        self._window = window
        self._past: deque[_Past] = deque(maxlen=max(window))
        self._levels: tuple[FloatPicture, FloatPicture] | None = None

    @property
    def last(self) -> _Past | None:
        """The previous frame: `content` and `painted`, `(H, W, 3)` uint8 RGB; None at a shot's start."""
        return self._past[-1] if self._past else None

    def restart(self) -> None:
        """Forgets everything, as at a cut."""
        self._past.clear()
        self._levels = None

    def begin(self, painted: Picture) -> None:
        """Takes a shot's first painted frame for the one whose mean and contrast are kept."""
        self._levels = _levels(painted)

    def add(self, content: Picture, painted: Picture) -> None:
        """Takes the next frame, as it was and as it was painted; both `(H, W, 3)` uint8 RGB."""
        if self._levels is None:
            self.begin(painted)
        self._past.append(_Past(content, painted))

    def carried(self, content: Picture, estimate: FlowEstimator) -> Carried:
        """Returns what the past makes of a frame, `(H, W, 3)` uint8 RGB of the size of the others.

        There must be a previous frame.
        """
        height, width = content.shape[:2]
        paint = np.zeros((height, width, 3), np.float32)
        covered, confidence = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
        for back in (back for back in self._window if back <= len(self._past)):
            if 1 - float(covered.mean()) < _LEAST_UNCOVERED:
                break
            past = self._past[-back]
            motion = motion_between(estimate, past.content, content)
            # What nearer frames have not covered yet: Ruder et al. (2016, section 4.3).
            new = np.maximum(motion.trust - covered, 0)
            paint += new[..., None] * carried_sharply(past.painted, motion.flow)
            confidence += np.minimum(new, motion.confidence)
            covered += new
        paint /= np.maximum(covered, 1e-6)[..., None]
        paint = self._held(paint)
        start = colour_matched(content, paint, covered)
        start += covered[..., None] * (paint - start)
        return Carried(start, paint, confidence, float(covered.mean()))

    def _held(self, paint: FloatPicture) -> FloatPicture:
        """Leads mean and contrast back to where they were when the shot began, a little each frame."""
        if self._levels is None or not self._past:
            return paint
        mean, contrast = _levels(self._past[-1].painted)
        first_mean, first_contrast = self._levels
        step = np.clip(first_mean - mean, -_HOLD_LEVELS, _HOLD_LEVELS)
        gain = 1 + np.clip(first_contrast - contrast, -_HOLD_LEVELS, _HOLD_LEVELS) / np.maximum(contrast, 1)
        held = (paint - mean) * gain + (mean + step)
        return np.asarray(np.clip(held, 0, 255), np.float32)


def _levels(picture: Picture) -> tuple[FloatPicture, FloatPicture]:
    """Returns mean and standard deviation of the channels, each `(3,)` float32, 0 to 255."""
    mean, contrast = cv2.meanStdDev(picture)
    return mean[:, 0].astype(np.float32), contrast[:, 0].astype(np.float32)


class DriftingNoise:
    """Noise that moves with what is seen, for starts from noise: fresh where something is uncovered.

    Each pixel remembers where in a fixed field of noise it looks, and that place is carried along the flow;
    so motion of a fraction of a pixel adds up, and nothing is ever blurred.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._content: Picture | None = None
        self._places: FloatPicture | None = None

    def restart(self) -> None:
        """Begins anew, as at a cut."""
        self._content = self._places = None

    def follow(self, content: Picture, estimate: FlowEstimator | None) -> npt.NDArray[np.float32]:
        """Returns noise for the next frame of the shot, `(H, W, 3)` float32 in [0, 1), uniform.

        Args:
            content: `(H, W, 3)` uint8 RGB. estimate: None for noise that stays where it is.
        """
        height, width = content.shape[:2]
        places = np.dstack(came_from(np.zeros((height, width, 2), np.float32)))
        before = self._content
        if estimate is not None and before is not None and self._places is not None and before.shape == content.shape:
            motion = motion_between(estimate, before, content)
            is_seen = (motion.trust > 0.5)[..., None]
            places = np.where(is_seen, warped(self._places, motion.flow), places)
        self._content, self._places = content, places
        field = np.random.default_rng(self._seed).random((height, width, 3), np.float32)
        columns, rows = np.rint(places[..., 0]).astype(int) % width, np.rint(places[..., 1]).astype(int) % height
        return np.asarray(field[rows, columns], np.float32)
