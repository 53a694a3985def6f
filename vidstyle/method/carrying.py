"""What a shot's painted past hands on to its next frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Mask, Picture
from vidstyle.method.coverage import Coverage
from vidstyle.method.disocclusion import Motion, motion_between
from vidstyle.method.flow import FlowEstimator
from vidstyle.method.inpainting import filled
from vidstyle.method.warping import came_from, carried_sharply, warped

# Older frames are only looked at where at least this share of the frame is uncovered: each costs two flows.
_LEAST_UNCOVERED = 0.002
# How fast, in levels per frame, mean and contrast are led back to those of the shot's first frame; nobody sees a
# change of a quarter. That they should not change is what the style asks for, whatever is filmed: photographs whose
# means are 40 levels apart, painted in one style, had means at most 3 apart. A chain left alone wanders all the same,
# by 0.01 a frame over 200 frames of a slow pan.
_HOLD_LEVELS = 0.25
# After so many frames paint counts as dry: until then it is held the less, the newer the place is, and has a style
# loss of its own. Otherwise what a pan uncovers, a few pixels at a time, would keep the looks of the content.
SETTLED_AFTER_FRAMES = 8
# Holes in the trust that are smaller than this are mended from around them, and make nothing new.
_SPECK_PX = 5


@dataclass(frozen=True, slots=True)
class WarpedFrame:
    """The painted past, as it would look in the frame to be painted.

    Attributes:
        start: `(H, W, 3)` float32 RGB, 0 to 255: carried paint, and content in its colors where there is none.
        reference: `(H, W, 3)` float32 RGB, 0 to 255: carried paint only.
        confidence: `(H, W)` float32 in [0, 1]: how firmly to hold on to the reference.
        wet: `(H, W)` bool: what was uncovered so lately that it is still being painted.
        new: `(H, W)` bool: what was uncovered in this frame.
        covered: share of the frame that the past covers.
    """

    start: FloatPicture
    reference: FloatPicture
    confidence: FloatPicture
    unsettled: Mask
    new: Mask
    covered: float

    def fading(self, toward: Picture | FloatPicture, share: float) -> WarpedFrame:
        """Returns the same with only a share of the paint's difference to a picture, `(H, W, 3)` RGB, left."""
        start, reference = (faded(paint, toward, share) for paint in (self.start, self.reference))
        return replace(self, start=start, reference=reference)


def faded(paint: FloatPicture, toward: Picture | FloatPicture, share: float) -> FloatPicture:
    """Returns a picture between another and paint, all `(H, W, 3)`; a share of 1 is all paint."""
    return np.asarray(toward + np.float32(share) * (paint - toward), np.float32)


def refreshed(paint: FloatPicture, was: FloatPicture | Picture, content: Picture, share: float) -> FloatPicture:
    """Returns paint through which the content shone by a share, with what that was replaced; all `(H, W, 3)`."""
    return np.asarray(np.clip(paint + np.float32(share) * (content - np.float32(was)), 0, 255), np.float32)


class _Past(NamedTuple):
    content: Picture
    stylized: Picture | None
    delivered: Picture | None
    coverage: Coverage | None


class _Piece(NamedTuple):
    back: int
    motion: Motion
    share: FloatPicture
    was_stylized: FloatPicture | None


class Chain:
    """The frames of a shot that the next one depends on.

    Args:
        window: how many frames back to look, ascending; paint is taken from the nearest in which a thing was
            seen, as Ruder et al. (2016, section 4.3) do for their long-term consistency.
        is_held: whether mean and contrast are led back to those of the shot's first frame.
    """

    def __init__(self, window: tuple[int, ...], *, is_held: bool = True) -> None:
        self._window, self._is_held = window, is_held
        self._past: deque[_Past] = deque(maxlen=max(window))
        self._levels: tuple[FloatPicture, FloatPicture] | None = None
        self._ages: FloatPicture | None = None

    @property
    def last(self) -> _Past | None:
        """The previous frame; None at a shot's start.

        `content`, `painted` and `delivered` are `(H, W, 3)` uint8 RGB: the paint alone, and blended into the content
        as `coverage` says; that is None where all is paint.
        """
        return self._past[-1] if self._past else None

    @property
    def is_settling(self) -> bool:
        """Whether anything was uncovered so lately that it is still being painted."""
        return self._ages is not None and bool((self._ages < SETTLED_AFTER_FRAMES).any())

    def restart(self) -> None:
        """Forgets everything, as at a cut."""
        self._past.clear()
        self._levels = self._ages = None

    def begin(self, stylized: Picture) -> None:
        """Takes a shot's first painted frame for the one whose mean and contrast are kept."""
        self._levels = _levels(stylized)

    def add(self, content: Picture, delivered: Picture | None, coverage: Coverage | None = None) -> None:
        """Takes the frame that was carried last, or a shot's first, as painted; both `(H, W, 3)` uint8 RGB.

        What is further back than the window need not be known as painted.
        """
        if self._levels is None and delivered is not None:
            self.begin(delivered)
        stylized = delivered
        if coverage is not None and delivered is not None:
            stylized = coverage.paint_of(content, delivered)
        self._past.append(_Past(content, stylized, delivered, coverage))

    def pass_over(
        self,
        content: Picture,
        delivered: Picture | None,
        estimate: FlowEstimator,
        coverage: Coverage | None = None,
    ) -> None:
        """Takes the next frame as `add` does, one that need not be painted: an earlier run's, or a repeated one."""
        if self.last is not None:
            self._age(self._pieces(content, estimate, coverage), content, coverage)
        self.add(content, delivered, coverage)

    def carried(
        self, content: Picture, estimate: FlowEstimator, coverage: Coverage | None = None, content_share: float = 0
    ) -> WarpedFrame:
        """Returns what the past makes of a frame, `(H, W, 3)` uint8 RGB of the size of the others.

        There must be a previous frame. Only what is painted counts, in the past and, by the coverage, in this one.

        Args:
            unpainted: share of the content in the past paint; so much of it is taken from the frame itself instead,
                so that it stays sharp.
        """
        pieces = self._pieces(content, estimate, coverage)
        ages = self._age(pieces, content, coverage)
        covered = _covered(pieces)
        paint, confidence = self._paint(pieces, covered, content, content_share)
        if coverage is None:
            paint = self._held(paint)
        start = filled(content, paint, covered)
        confidence *= ages / np.float32(SETTLED_AFTER_FRAMES)
        share = 1 - _uncovered(pieces, coverage)
        if coverage is not None:
            confidence *= coverage.amount
        return WarpedFrame(start, paint, confidence, ages < SETTLED_AFTER_FRAMES, ages < 1, share)

    def _paint(
        self, pieces: list[_Piece], covered: FloatPicture, content: Picture, content_share: float
    ) -> tuple[FloatPicture, FloatPicture]:
        """Returns the carried paint, `(H, W, 3)` float32 RGB, 0 to 255, and its confidence, `(H, W)`."""
        paint, confidence = None, np.zeros_like(covered)
        for piece in pieces:
            stylized = self._past[-piece.back].stylized
            if stylized is None:
                raise ValueError("a frame within the window was passed over without its paint")
            carried = carried_sharply(stylized, piece.motion.flow)
            if content_share:
                was = carried_sharply(self._past[-piece.back].content, piece.motion.flow)
                carried = refreshed(carried, was, content, content_share)
            confidence += np.minimum(piece.share, piece.motion.confidence)
            if len(pieces) == 1:
                return carried, confidence
            carried *= (piece.share / np.maximum(covered, np.float32(1e-6)))[..., None]
            paint = carried if paint is None else paint + carried
        return np.asarray(paint, np.float32), confidence

    def _pieces(self, content: Picture, estimate: FlowEstimator, coverage: Coverage | None) -> list[_Piece]:
        """Returns what each frame of the window covers that nearer ones do not: Ruder et al. (2016, section 4.3)."""
        pieces: list[_Piece] = []
        for back in (back for back in self._window if back <= len(self._past)):
            past = self._past[-back]
            motion, was_stylized = motion_between(estimate, past.content, content), None
            if past.coverage is not None:
                # What was not painted then has nothing to hand on, however surely it is seen again.
                was_stylized = warped(past.coverage.holds_paint, motion.flow)
                trust, confidence = motion.trust * was_stylized, motion.confidence * was_stylized
                motion = replace(motion, trust=trust, confidence=confidence)
            covered = _covered(pieces) if pieces else np.zeros_like(motion.trust)
            pieces.append(_Piece(back, motion, np.maximum(motion.trust - covered, 0), was_stylized))
            if _uncovered(pieces, coverage) < _LEAST_UNCOVERED:
                break
        return pieces

    def _age(self, pieces: list[_Piece], content: Picture, coverage: Coverage | None) -> FloatPicture:
        """Makes everything a frame older, but what was not there before, and returns the ages, `(H, W)`.

        Ages are not interpolated, so that after `DRY_FRAMES` frames they do not depend on what they were before:
        a render that goes on knows them from as many frames of the source.
        """
        nearest = pieces[0].motion
        before = np.full_like(nearest.trust, SETTLED_AFTER_FRAMES) if self._ages is None else self._ages
        x_px, y_px = came_from(nearest.flow)
        # Rounded to whole pixels, a slow motion would never move them: with this it does in some of the frames.
        dither_x_px, dither_y_px = np.random.default_rng(int(content.sum(dtype=np.int64))).random(2) - 0.5
        x_px, y_px = x_px + np.float32(dither_x_px), y_px + np.float32(dither_y_px)
        older = cv2.remap(before, x_px, y_px, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) + 1
        covered = _covered(pieces)
        seen = covered if coverage is None else np.where(coverage.holds_paint, covered, np.float32(1))
        is_new = cv2.blur(seen, (_SPECK_PX, _SPECK_PX), borderType=cv2.BORDER_REPLICATE) < 0.5
        was_stylized = pieces[0].was_stylized
        if was_stylized is not None:
            # The edge of a mask is no fault of the flow's: what it uncovers is new, however narrow.
            is_new |= (was_stylized < 0.5) & (covered < 0.5)
        # What comes back after a while was painted then, and is dry.
        is_back = nearest.trust < np.minimum(0.5, _covered(pieces[1:], like=nearest.trust))
        older = np.where(is_back, np.float32(SETTLED_AFTER_FRAMES), np.minimum(older, np.float32(SETTLED_AFTER_FRAMES)))
        ages = np.where(is_new, np.float32(0), older)
        if coverage is not None:
            ages[~coverage.holds_paint] = SETTLED_AFTER_FRAMES
        self._ages = ages
        return ages

    def _held(self, paint: FloatPicture) -> FloatPicture:
        """Leads mean and contrast back to where they were when the shot began, a little each frame."""
        last = self._past[-1].stylized
        if self._levels is None or last is None or not self._is_held:
            return paint
        mean, contrast = _levels(last)
        first_mean, first_contrast = self._levels
        step = np.clip(first_mean - mean, -_HOLD_LEVELS, _HOLD_LEVELS)
        gain = 1 + np.clip(first_contrast - contrast, -_HOLD_LEVELS, _HOLD_LEVELS) / np.maximum(contrast, 1)
        held = cv2.transform(paint, np.column_stack([np.diag(gain), mean + step - gain * mean]))
        return np.asarray(np.clip(held, 0, 255, out=held), np.float32)


def _covered(pieces: list[_Piece], like: FloatPicture | None = None) -> FloatPicture:
    """Returns `(H, W)` float32 in [0, 1]: what the pieces cover together; like tells the size where there are none."""
    if not pieces:
        return np.zeros_like(like)
    return np.asarray(sum(piece.share for piece in pieces), np.float32)


def _uncovered(pieces: list[_Piece], coverage: Coverage | None) -> float:
    """Returns the share of what is to be painted that no piece covers."""
    covered = _covered(pieces)
    if coverage is None:
        return 1 - float(covered.mean())
    places = coverage.holds_paint
    return 1 - float(covered[places].mean()) if places.any() else 0.0


def _levels(picture: Picture) -> tuple[FloatPicture, FloatPicture]:
    """Returns mean and standard deviation of the channels, each `(3,)` float32, 0 to 255."""
    mean, contrast = cv2.meanStdDev(picture)
    return mean[:, 0].astype(np.float32), contrast[:, 0].astype(np.float32)
