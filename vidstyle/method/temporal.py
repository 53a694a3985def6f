"""What the next frame of a shot starts from: the stylized frames before it, warped by optical flow."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from vidstyle.frames import FloatPicture, Picture
from vidstyle.method.coverage import Coverage, are_same
from vidstyle.method.disocclusion import Motion, motion_between
from vidstyle.method.flow import FlowEstimator
from vidstyle.method.inpainting import inpainted
from vidstyle.method.look import Look
from vidstyle.method.options import Options, Steps
from vidstyle.method.transitions import SETTLING_FRAMES, LookHistory, Transition
from vidstyle.method.warping import WarpedFrame, came_from, mixed, warped, warped_sharply, with_new_content

# Where the frames before cover less of a frame than this, it takes a first frame's steps.
_COVERED_ENOUGH = 0.5
# Older frames are only looked at where at least this share of the frame is disoccluded: each costs two flows.
_LEAST_DISOCCLUDED = 0.002
# How fast, in levels per frame, mean and contrast return to those of the shot's first frame; nobody sees a
# change of a quarter. That they should not change is what the style asks for, whatever is filmed: photographs whose
# means are 40 levels apart, stylized in one style, had means at most 3 apart. A chain of frames left alone drifts all
# the same, by 0.01 a frame over 200 frames of a slow pan.
_DRIFT_CORRECTION_LEVELS = 0.25
# After so many frames paint counts as settled: until then the temporal loss grows with the age of the pixel, and new
# places have a style loss of their own. Otherwise what a pan disoccludes, a few pixels at a time, would stay content.
SETTLED_AFTER_FRAMES = 8
# The same in keyframes, which take more steps each.
_SETTLED_AFTER_KEYFRAMES = 3
# Holes in the trust that are smaller than this are filled from around them, and disocclude nothing.
_SPECK_PX = 5


@dataclass(frozen=True, slots=True)
class Initialization:
    """What a frame's optimization starts from.

    Attributes:
        look: what the frame is to look like. start: `(H, W, 3)` float32 RGB, 0 to 255.
        iterations: the most optimizer steps, at each size if the frame starts afresh.
        warped: what the temporal loss holds the frame to, if anything. transition: how the start follows the look.
        is_afresh: whether nothing of the start is stylized yet.
        repeats: the stylized frame before, `(H, W, 3)` uint8 RGB, where this is that frame once more.
    """

    look: Look
    start: FloatPicture
    iterations: int
    warped: WarpedFrame | None = None
    transition: Transition | None = None
    is_afresh: bool = False
    repeats: Picture | None = None


class _PastFrame(NamedTuple):
    """A frame before: its content, its paint, and both blended as `coverage` says; `(H, W, 3)` uint8 RGB each."""

    content: Picture
    paint: Picture | None
    blended: Picture | None
    coverage: Coverage | None


class _Piece(NamedTuple):
    """What a frame `back` frames ago shows of this one and nearer ones do not: `share` of each pixel, `(H, W)`."""

    back: int
    motion: Motion
    share: FloatPicture
    was_stylized: FloatPicture | None


class TemporalState:
    """The frames of a shot that the next one depends on.

    Paint is taken from the nearest frame of the temporal window in which a thing was seen, as Ruder et al. (2016,
    section 4.3) do for their long-term consistency.
    """

    def __init__(self, options: Options, estimate_flow: FlowEstimator | None, *, corrects_drift: bool = True) -> None:
        """Starts with nothing.

        Args:
            estimate_flow: None where frames are not warped.
            corrects_drift: whether mean and contrast return to those of the shot's first frame.
        """
        self._options = options
        self._estimate_flow = estimate_flow if options.is_warped else None
        self._window = options.temporal_window if options.is_warped else (1,)
        self._corrects_drift = corrects_drift
        self._settled_after = _SETTLED_AFTER_KEYFRAMES if options.keyframe_frames > 1 else SETTLED_AFTER_FRAMES
        self._past: deque[_PastFrame] = deque(maxlen=max(self._window))
        self._looks = LookHistory()
        self._first_levels: tuple[FloatPicture, FloatPicture] | None = None
        self._ages: FloatPicture | None = None

    def reset(self, first: Picture | None = None) -> None:
        """Forgets everything, as at a cut.

        Args:
            first: the stylized first frame of a shot that is continued after `skip`, `(H, W, 3)` uint8 RGB.
        """
        self._forget_frames()
        self._looks.reset()
        if first is not None:
            self._first_levels = _levels(first)

    def initialize(
        self, content: Picture, coverage: Coverage | None, look: Look, steps: Steps, motion: Motion | None = None
    ) -> Initialization:
        """Returns what the optimization of the next frame, `(H, W, 3)` uint8 RGB, starts from.

        Args:
            motion: how it follows from the frame before, as far as that is known; None: it is estimated.
        """
        self._forget_other_sizes(content)
        options, last = self._options, self._past[-1] if self._past else None
        if options.init == "noise":
            noise = np.random.default_rng(options.seed).random(content.shape, np.float32)
            return Initialization(look, 255 * noise, steps.first, is_afresh=True)
        if last is None or options.init == "content":
            return Initialization(look, content.astype(np.float32), steps.first, is_afresh=True)
        before = np.asarray(last.paint, np.float32)
        transition = self._looks.transition(look)
        if transition is None and self._is_repeated(last, content, coverage, look, steps):
            return Initialization(look, before, 0, repeats=last.blended)
        # Where strength falls, so must the paint that is there: the content loss alone, which is coarse, leaves its
        # fine strokes, and at strength 0 they would vanish at once.
        strength = (self._looks.last or look).strength
        left = min(1.0, look.strength / strength) if strength else 1.0
        content_share = 0.0 if transition is None else transition.content_share
        if self._estimate_flow is None:
            if content_share:
                before = with_new_content(before, last.content, content, content_share)
            start = before if left == 1 else mixed(before, content, left)
            return Initialization(look, start, steps.later, transition=transition)
        pieces = self._pieces(content, self._estimate_flow, coverage, motion)
        from_past = self._warped(content, pieces, coverage, content_share)
        if left != 1:
            from_past = from_past.mixed(content, left)
        is_new = from_past.covered < _COVERED_ENOUGH and steps.later > 0
        return Initialization(look, from_past.start, steps.first if is_new else steps.later, from_past, transition)

    def accept(
        self,
        content: Picture,
        stylized: Picture,
        coverage: Coverage | None,
        look: Look,
        *,
        is_repeated: bool = False,
    ) -> None:
        """Takes the frame that `initialize` was called for; both pictures are `(H, W, 3)` uint8 RGB.

        Args:
            is_repeated: whether it was the frame before once more, so that nothing was warped to it.
        """
        # Ages change last: where memory runs out meanwhile, all of this is tried again.
        ages = self._ages_without_steps(content, coverage) if is_repeated else self._ages
        self._add(content, stylized, coverage)
        self._ages = ages
        self._looks.add(look)

    def settle(self) -> None:
        """Takes all paint for settled, so that what follows does not depend on when it was uncovered."""
        self._ages = None

    def pass_by(self, look: Look) -> None:
        """Takes the look of a frame between two keyframes, which later frames do not start from."""
        self._looks.add(look)

    def skip(
        self,
        content: Picture,
        stylized: Picture | None,
        coverage: Coverage | None,
        look: Look,
        motion: Motion | None = None,
    ) -> None:
        """Takes the next frame without `initialize`: one that needs no optimization, or was stylized in an earlier run.

        Args:
            stylized: as it was stylized, `(H, W, 3)` uint8 RGB; it need not be known further back than the window.
            motion: see `initialize`.
        """
        self._forget_other_sizes(content)
        ages = self._ages_without_steps(content, coverage, motion)
        if self._estimate_flow is not None or stylized is not None:
            self._add(content, stylized, coverage)
        self._ages = ages
        self._looks.add(look)

    def _is_repeated(
        self, last: _PastFrame, content: Picture, coverage: Coverage | None, look: Look, steps: Steps
    ) -> bool:
        """Whether a frame is the one before once more, as in a held drawing, with nothing left to optimize."""
        if look != self._looks.last or not steps.later or not steps.least_gain or self._is_settling():
            return False
        return np.array_equal(last.content, content) and are_same(last.coverage, coverage)

    def _is_settling(self) -> bool:
        return self._ages is not None and bool((self._ages < self._settled_after).any())

    def _forget_frames(self) -> None:
        self._past.clear()
        self._first_levels = self._ages = None

    def _forget_other_sizes(self, content: Picture) -> None:
        if self._past and self._past[-1].content.shape != content.shape:
            self._forget_frames()

    def _add(self, content: Picture, blended: Picture | None, coverage: Coverage | None) -> None:
        if self._first_levels is None and blended is not None:
            self._first_levels = _levels(blended)
        paint = blended
        if coverage is not None and blended is not None:
            paint = coverage.paint_of(content, blended)
        self._past.append(_PastFrame(content, paint, blended, coverage))

    def _ages_without_steps(
        self, content: Picture, coverage: Coverage | None, motion: Motion | None = None
    ) -> FloatPicture | None:
        """Returns the ages of pixels after a frame that is not optimized."""
        if not self._past or self._estimate_flow is None:
            return self._ages
        return self._aged(self._pieces(content, self._estimate_flow, coverage, motion), content, coverage)

    # -- warping -------------------------------------------------------------------------------

    def _warped(
        self, content: Picture, pieces: list[_Piece], coverage: Coverage | None, content_share: float
    ) -> WarpedFrame:
        """Returns the frames before, warped to a frame, `(H, W, 3)` uint8 RGB of their size.

        Only what is stylized counts, in the frames before and, by the coverage, in this one.

        Args:
            content_share: of the content in the past paint; so much of it is replaced by this frame's, which is sharp.
        """
        ages = self._aged(pieces, content, coverage)
        covered = _covered(pieces)
        paint, confidence = self._warped_paint(pieces, covered, content, content_share)
        if coverage is None:
            paint = self._drift_corrected(paint)
        start = inpainted(content, paint, covered)
        confidence *= ages / np.float32(self._settled_after)
        share = 1 - _uncovered(pieces, coverage)
        if coverage is not None:
            confidence *= coverage.amount
        warped_frame = WarpedFrame(start, paint, confidence, ages < self._settled_after, ages < 1, share)
        self._ages = ages
        return warped_frame

    def _warped_paint(
        self, pieces: list[_Piece], covered: FloatPicture, content: Picture, content_share: float
    ) -> tuple[FloatPicture, FloatPicture]:
        """Returns the warped paint, `(H, W, 3)` float32 RGB, 0 to 255, and its confidence, `(H, W)`."""
        paint, confidence = None, np.zeros_like(covered)
        for piece in pieces:
            past = self._past[-piece.back]
            if past.paint is None:
                raise ValueError("a frame within the window was skipped without its stylized picture")
            of_piece = warped_sharply(past.paint, piece.motion.flow)
            if content_share:
                old = warped_sharply(past.content, piece.motion.flow)
                of_piece = with_new_content(of_piece, old, content, content_share)
            confidence += np.minimum(piece.share, piece.motion.confidence)
            if len(pieces) == 1:
                return of_piece, confidence
            of_piece *= (piece.share / np.maximum(covered, np.float32(1e-6)))[..., None]
            paint = of_piece if paint is None else paint + of_piece
        return np.asarray(paint, np.float32), confidence

    def _pieces(
        self,
        content: Picture,
        estimate_flow: FlowEstimator,
        coverage: Coverage | None,
        from_last: Motion | None = None,
    ) -> list[_Piece]:
        """Returns what each frame of the window covers that nearer ones do not: Ruder et al. (2016, section 4.3)."""
        pieces: list[_Piece] = []
        for back in (back for back in self._window if back <= len(self._past)):
            past = self._past[-back]
            motion, was_stylized = from_last if back == 1 else None, None
            if motion is None:
                motion = motion_between(estimate_flow, past.content, content)
            if past.coverage is not None:
                # What was not stylized then has nothing to pass on, however surely it is seen again.
                was_stylized = warped(past.coverage.holds_paint, motion.flow)
                trust, confidence = motion.trust * was_stylized, motion.confidence * was_stylized
                motion = replace(motion, trust=trust, confidence=confidence)
            covered = _covered(pieces) if pieces else np.zeros_like(motion.trust)
            pieces.append(_Piece(back, motion, np.maximum(motion.trust - covered, 0), was_stylized))
            if _uncovered(pieces, coverage) < _LEAST_DISOCCLUDED:
                break
        return pieces

    def _aged(self, pieces: list[_Piece], content: Picture, coverage: Coverage | None) -> FloatPicture:
        """Returns how many frames ago each pixel was disoccluded, `(H, W)`, at most until it counts as settled.

        Ages are not interpolated, so that after so many frames they do not depend on what they were before: a
        render that is continued knows them from as many frames of the source.
        """
        nearest = pieces[0].motion
        before = np.full_like(nearest.trust, self._settled_after) if self._ages is None else self._ages
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
        # What comes back after a while was stylized then, and is settled.
        is_back = nearest.trust < np.minimum(0.5, _covered(pieces[1:], like=nearest.trust))
        settled = np.float32(self._settled_after)
        older = np.where(is_back, settled, np.minimum(older, settled))
        ages = np.where(is_new, np.float32(0), older)
        if coverage is not None:
            ages[~coverage.holds_paint] = self._settled_after
        return ages

    def _drift_corrected(self, paint: FloatPicture) -> FloatPicture:
        """Brings mean and contrast closer to those of the shot's first frame, by a little each frame."""
        last = self._past[-1].paint
        if self._first_levels is None or last is None or not self._corrects_drift:
            return paint
        mean, contrast = _levels(last)
        first_mean, first_contrast = self._first_levels
        at_most = _DRIFT_CORRECTION_LEVELS
        step = np.clip(first_mean - mean, -at_most, at_most)
        gain = 1 + np.clip(first_contrast - contrast, -at_most, at_most) / np.maximum(contrast, 1)
        corrected = cv2.transform(paint, np.column_stack([np.diag(gain), mean + step - gain * mean]))
        return np.asarray(np.clip(corrected, 0, 255, out=corrected), np.float32)


def frames_needed_before(options: Options) -> int:
    """Returns how many frames of a shot, right before the one to be stylized, must be given to `skip`."""
    # Ages depend on so many frames, and those on the frames that they were warped from.
    if options.is_warped:
        return options.looks_back_frames + SETTLED_AFTER_FRAMES
    # A transition depends on so many looks.
    return SETTLING_FRAMES if options.looks_back_frames else 0


def _covered(pieces: list[_Piece], like: FloatPicture | None = None) -> FloatPicture:
    """Returns `(H, W)` float32 in [0, 1]: what the pieces cover together; like tells the size where there are none."""
    if not pieces:
        return np.zeros_like(like)
    return np.asarray(sum(piece.share for piece in pieces), np.float32)


def _uncovered(pieces: list[_Piece], coverage: Coverage | None) -> float:
    """Returns the share of what is to be stylized that no piece covers."""
    covered = _covered(pieces)
    if coverage is None:
        return 1 - float(covered.mean())
    places = coverage.holds_paint
    return 1 - float(covered[places].mean()) if places.any() else 0.0


def _levels(picture: Picture) -> tuple[FloatPicture, FloatPicture]:
    """Returns mean and standard deviation of the channels, each `(3,)` float32, 0 to 255."""
    mean, contrast = cv2.meanStdDev(picture)
    return mean[:, 0].astype(np.float32), contrast[:, 0].astype(np.float32)
