"""Keyframes: a few frames of a shot are optimized, and the frames between take their paint from both sides.

A departure from Ruder et al. (2016), whose every frame is optimized from the one before it: what one keyframe does not
show the other does, no place is older than the way from a keyframe, and a frame between costs two flows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture
from vidstyle.method.coverage import Coverage, are_same
from vidstyle.method.disocclusion import Motion, agreement, motions_between, with_confidence
from vidstyle.method.flow import FlowEstimator
from vidstyle.method.inpainting import inpainted
from vidstyle.method.warping import FlowField, is_inside, warped, warped_once, warped_sharply

# With --keyframe-every auto: the share of a frame that the keyframe before may have lost from sight, and that of a
# frame between which no keyframe may show. That is filled with content and not painted: larger patches were seen.
AUTO_LOST, _AUTO_UNSEEN = 0.12, 0.025
# Of each frame of a gap are kept: its content, and the ways to its neighbors and to both keyframes.
GAP_BYTES_PER_PX = 3 + 4 * 12
# Where both sides show a place in different paint, this many levels of difference make the choice between them twice
# as steep: a blend of two contours is two contours, half as strong each.
_SEAM_LEVELS, _SEAM_PX = 60.0, 3.0
# How much of a frame between is the frame before it, warped: from so much at the keyframe before to so much at the one
# after, so that paint has arrived there. Pictures warped by different fractions of a pixel are
# not equally sharp, and flicker without it: over three clips the warping error was 1.2 times as large.
_HELD_AT_FIRST, _HELD_AT_LAST = 0.9, 0.3


# What a keyframe's pixel gives to each of its neighbors in a row, and in a column. The finest detail does not survive
# being warped; where keyframes had it and the frames between had not, paint pulsed to anyone who looked.
_SOFTNESS = 0.04
# Detail is what a blur by so much takes away; at most so much of it is added to a frame between.
_DETAIL_PX, _MOST_SHARPENING = 1.0, 0.6


class Painted(NamedTuple):
    """A frame that is stylized: its content and its paint, `(H, W, 3)` uint8 RGB each, and how it is covered."""

    content: Picture
    paint: Picture
    coverage: Coverage | None

    @classmethod
    def of(cls, content: Picture, stylized: Picture, coverage: Coverage | None) -> Painted:
        """Returns a frame as it was stylized, `(H, W, 3)` uint8 RGB, with the paint in it."""
        paint = stylized if coverage is None else coverage.paint_of(content, stylized)
        return cls(content, paint, coverage)


class _Way(NamedTuple):
    """The way to another frame: flow `(H, W, 2)` float32 px, and its trust `(H, W)` float32 in [0, 1]."""

    flow: FlowField
    trust: FloatPicture


class Gap:
    """The frames from one keyframe to the next, both included, and how each follows from both.

    It grows by one frame at a time, and takes `GAP_BYTES_PER_PX` for each.

    Attributes:
        contents: of its frames, `(H, W, 3)` uint8 RGB each. seconds: that finding the ways took.
    """

    def __init__(self, estimate_flow: FlowEstimator, keyframe: Picture) -> None:
        """Begins at a keyframe's content, `(H, W, 3)` uint8 RGB."""
        self._estimate_flow = estimate_flow
        self.contents, self.seconds = [keyframe], 0.0
        self._chain: _Way | None = None
        self._steps_back: list[_Way] = []
        self._steps_ahead: list[_Way] = []
        self._from_before: list[_Way] = []
        self._from_after: list[_Way] = []

    def __len__(self) -> int:
        """Returns how many frames there are from the keyframe to the newest frame."""
        return len(self.contents) - 1

    def add(self, content: Picture) -> None:
        """Takes the next frame, `(H, W, 3)` uint8 RGB of the keyframe's size. Nothing is changed where it fails."""
        motions = motions_between(self._estimate_flow, self.contents[-1], content)
        back, ahead = (_Way(motion.flow, motion.trust) for motion in motions)
        chain = back if self._chain is None else _joined(back, self._chain)
        from_before = _verified(chain, self.contents[0], content)
        self._chain = chain
        self._steps_back.append(back)
        self._steps_ahead.append(ahead)
        self._from_before.append(from_before)
        self.contents.append(content)

    @property
    def lost(self) -> float:
        """The share of the newest frame that the keyframe before does not show."""
        return 1 - float(self._from_before[-1].trust.mean())

    def close(self) -> Motion:
        """Ends at the newest frame, which is the next keyframe; returns how it follows from the keyframe before."""
        self._from_after.clear()
        chain: _Way | None = None
        for content, step in zip(self.contents[-2:0:-1], self._steps_ahead[:0:-1], strict=True):
            chain = step if chain is None else _joined(step, chain)
            self._from_after.append(_verified(chain, self.contents[-1], content))
        self._from_after.reverse()
        return with_confidence(*self._from_before[-1])

    def shorten(self) -> None:
        """Closes the gap, ending it sooner as long as too much of a frame between is shown by no keyframe."""
        self.close()
        while len(self) > 1 and self._unseen() > _AUTO_UNSEEN:
            count = len(self) * 3 // 4
            for of_each in (self._steps_back, self._steps_ahead, self._from_before):
                del of_each[count:]
            del self.contents[count + 1 :]
            self.close()

    def _unseen(self) -> float:
        """Returns the largest share of a frame between that no keyframe shows."""
        ways = zip(self._from_before, self._from_after, strict=False)  # the keyframe after itself is in the first only
        return max(1 - float(np.maximum(before.trust, after.trust).mean()) for before, after in ways)

    def carried(self, number: int, before: Painted, after: Painted, last: Painted) -> FloatPicture:
        """Returns a frame between in the paint of both keyframes, `(H, W, 3)` float32 RGB, 0 to 255.

        It is held to the frame before it, too, and as sharp as keyframes are. What none of the three shows is content
        in the colors of the paint around it.

        Args:
            number: of the frame, counted from the keyframe before, which is 0. before, after: the keyframes.
            last: the frame before this one.
        """
        share = number / len(self)
        ways = self._from_before[number - 1], self._from_after[number - 1]
        trusts = [_trust_of(way, frame) for way, frame in zip(ways, (before, after), strict=True)]
        paints = [warped_once(frame.paint, way.flow) for way, frame in zip(ways, (before, after), strict=True)]
        weight = _weight_of_after(trusts, paints, share)
        paint = paints[0] + weight[..., None] * (paints[1] - paints[0])
        covered = np.maximum(*trusts)
        step = self._steps_back[number - 1]
        usual = _HELD_AT_FIRST + (_HELD_AT_LAST - _HELD_AT_FIRST) * share
        held = _trust_of(step, last) * np.maximum(np.float32(usual), 1 - covered)
        paint += held[..., None] * (warped_sharply(last.paint, step.flow) - paint)
        paint = inpainted(self.contents[number], paint, np.maximum(covered, held))
        wanted = [_rms(_detail(np.asarray(frame.paint, np.float32))) for frame in (before, after)]
        return _sharpened(paint, (1 - share) * wanted[0] + share * wanted[1])

    def is_repeated(self, number: int, coverage: Coverage | None, last: Painted) -> bool:
        """Tells whether a frame between is the frame before it once more, as in a held drawing."""
        return np.array_equal(self.contents[number], last.content) and are_same(coverage, last.coverage)


def softened(picture: Picture) -> Picture:
    """Returns a keyframe as stylized, `(H, W, 3)` uint8 RGB, without detail too fine to be carried to other frames."""
    kernel = np.array([_SOFTNESS, 1 - 2 * _SOFTNESS, _SOFTNESS], np.float32)
    return np.asarray(cv2.sepFilter2D(picture, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101), np.uint8)


def _detail(picture: FloatPicture) -> FloatPicture:
    return np.asarray(picture - cv2.GaussianBlur(picture, (0, 0), _DETAIL_PX), np.float32)


def _rms(values: FloatPicture) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _sharpened(paint: FloatPicture, detail_rms: float) -> FloatPicture:
    """Returns paint, `(H, W, 3)` on a scale of 0 to 255, with so much more of its detail that this has that RMS.

    With k times the detail d added, the detail is d + k e, where e is the detail of d: a quadratic equation for k.
    """
    detail = _detail(paint)
    finer = _detail(detail)
    square, half, missing = _rms(finer) ** 2, float((detail * finer).mean()), detail_rms**2 - _rms(detail) ** 2
    if missing <= 0 or not square:
        return paint
    amount = min((math.sqrt(half * half + square * missing) - half) / square, _MOST_SHARPENING)
    return np.asarray(np.clip(paint + np.float32(amount) * detail, 0, 255), np.float32)


def _joined(step: _Way, rest: _Way) -> _Way:
    """Returns the way that first takes a step and then the rest."""
    flow = np.asarray(step.flow + warped(rest.flow, step.flow), np.float32)
    trust = np.minimum(step.trust, warped(rest.trust, step.flow)) * is_inside(flow)
    return _Way(flow, np.asarray(trust, np.float32))


def _verified(way: _Way, keyframe: Picture, content: Picture) -> _Way:
    """Returns a way that is only trusted where the keyframe, warped by it, shows what the frame shows."""
    trust = way.trust * agreement(keyframe, content, way.flow, way.trust > 0.5)
    return _Way(way.flow, np.asarray(trust, np.float32))


def _trust_of(way: _Way, frame: Painted) -> FloatPicture:
    """Returns the trust of a way, `(H, W)`; 0 where there is no paint at its end."""
    if frame.coverage is None:
        return way.trust
    return np.asarray(way.trust * warped(frame.coverage.holds_paint, way.flow), np.float32)


def _weight_of_after(trusts: list[FloatPicture], paints: list[FloatPicture], share: float) -> FloatPicture:
    """Returns how much the keyframe after counts against the one before, `(H, W)` float32 in [0, 1].

    Args:
        trusts: `(H, W)` of both sides. paints: `(H, W, 3)` of both. share: of the way that lies behind the frame.
    """
    slack = np.float32(1e-4)  # where neither is trusted, time alone decides
    difference = cv2.GaussianBlur(np.abs(paints[1] - paints[0]).mean(2), (0, 0), _SEAM_PX)
    odds = np.log((trusts[1] + slack) / (trusts[0] + slack)) + np.float32(math.log(share / (1 - share)))
    return np.asarray(
        1 / (1 + np.exp(-np.clip(odds * (1 + difference / np.float32(_SEAM_LEVELS)), -80, 80))), np.float32
    )
