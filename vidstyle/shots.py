"""Shots: where one ends and the next begins, found in the pictures or read from the user's list."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.errors import SourceError
from vidstyle.frames import MOMENT_FORMS, Picture, parse_moment

# Longest run of frames that is encoded at once.
SEGMENT_FRAMES = 240
# Frames that a later part of a split shot paints before its own first one, and over how many of them, the last ones,
# the part before fades into it. At a seam in each of two real clips at 192 px, the warping error was 25 and 33 levels
# where paint starts afresh, and still 21 and 25 after a lead-in of 24: two chains of the same content stay apart,
# though their means are at most 1.2 levels apart. So it is the fade that hides the seam: over 8 frames it has 2.1 and
# 2.0 times the error of the same frames in one chain, over 16 it has 1.7 and 1.2 times. A job that was begun needs the
# same numbers to go on.
LEAD_IN_FRAMES = 24
FADE_FRAMES = 16

# Pictures are compared at this many pixels on the long side: grain averages out, shapes remain.
_LONG_SIDE_PX = 64
_BLOCK_PX = 8
# How far a block is searched for, in pixels of the small picture: pans of up to 19 % of the width per frame.
_REACH_PX = 12
# PySceneDetect asks for 15, on an HSV difference in which the hue of gray and the saturation of black count
# fully. Here they do not, and `_novelty` keeps motion out, so cuts between two dark shots can be had.
_LEAST_SCORE = 2.0
# PySceneDetect asks for 3, and so misses cuts between shots that move fast. Less will do where the frames around can
# be explained by motion; not in fire, water or confetti, where each frame is half new.
_LEAST_RATIO = 1.75
_LEAST_RATIO_IN_TURMOIL = 3.0
_WINDOW_FRAMES = 2
# Below this a frame counts as a repeat of the last one. Animation repeats each drawing once or twice;
# were the zeros part of the mean, every drawing would stand out against it.
_REPEAT_SCORE = 0.5
# What moved blocks leave unexplained, divided by the texture within blocks. Measured on photographs: at least 0.97 for
# 99 of 100 cuts (also in the dark, and within one photograph), at most 0.8 for 99 of 100 pans, zooms and whip pans.
_LEAST_NOVELTY = 0.8
# Half a gray level of texture, so that flat pictures divide by something.
_TEXTURE_FLOOR = 0.5
# Standard deviation of the light, in gray levels, below which a picture has no contrast to adjust.
_LEAST_CONTRAST = 2.0
# A picture that comes back after so few frames was interrupted by a flash, not by a shot. Also one frame less than
# the shortest shot: PySceneDetect's 15 frames would swallow fast montage.
_FLASH_FRAMES = 3
# Near-uniform dark or white: this share of the pixels is past the first level; it ends past the second, so that
# a night scene near the level does not come and go.
_UNIFORM_SHARE = 0.98
_DARK_LEVELS = (20, 36)
_WHITE_LEVELS = (235, 215)

_MAX_CUTS_BYTES = 16 * 2**20
# Most tools print times rounded to milliseconds; a time rounded up must not slip to the next frame.
_TIME_SLACK_S = Fraction(1, 2000)

# (h, w, 3) float32: a small picture as points of the HSV cone.
_Cone = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shot:
    """What lies between two cuts, or a part of it: stylized in order, and without anything of other shots.

    Attributes:
        number: counted from 0. start, stop: half-open range of positions in the render.
        segment_frames: length of the longest segment.
        lead_in: of a later part, the slots of the frames before its first that it paints for itself; see `slot`.
        fades_in: of a later part, the positions at which the part before fades into it; its last ones.
        fades_out: of a part that another follows, its last positions, at which it fades into that one.
        origin: position at which the whole shot begins, where this is a part; else `start`.
    """

    number: int
    start: int
    stop: int
    segment_frames: int = SEGMENT_FRAMES
    lead_in: range = range(0)
    fades_in: range = range(0)
    fades_out: range = range(0)
    origin: int | None = None

    @property
    def first(self) -> int:
        """Position of the first frame that is stylized."""
        return self.start - len(self.lead_in)

    @property
    def segments(self) -> tuple[range, ...]:
        """The shot's positions in runs of at most `segment_frames`; what fades out is the last one."""
        stop = self.stop - len(self.fades_out)
        starts = range(self.start, stop, self.segment_frames)
        runs = tuple(range(start, min(start + self.segment_frames, stop)) for start in starts)
        return (*runs, self.fades_out) if self.fades_out else runs

    @property
    def runs(self) -> tuple[range, ...]:
        """All positions that are stylized, in order: what leads in, if anything does, and the segments."""
        return (range(self.first, self.start), *self.segments) if self.lead_in else self.segments

    def slot(self, position: int) -> int:
        """Returns the number under which a frame is kept: its position, or where it leads in, one of its own.

        Two parts paint the frames at their seam, and both are kept until one is made of them.
        """
        return position if position >= self.start else self.lead_in[position - self.first]


def shots_of(
    cuts: Sequence[int], frame_count: int, segment_frames: int = SEGMENT_FRAMES, split_frames: int | None = None
) -> tuple[Shot, ...]:
    """Returns the shots of `frame_count` frames; each of `cuts` is the position at which a new one begins.

    Args:
        segment_frames: length of the longest segment.
        split_frames: shots that are longer become parts of nearly equal length, none longer than this; at least
            twice `LEAD_IN_FRAMES`. None: they stay whole.

    Raises:
        ValueError: cuts do not ascend strictly, or lie outside 1 to `frame_count - 1`.
    """
    if frame_count < 0:
        raise ValueError(f"{frame_count} frames; at least 0")
    if frame_count == 0 and not cuts:
        return ()
    bounds = [0, *cuts, frame_count]
    if any(start >= stop for start, stop in itertools.pairwise(bounds)):
        raise ValueError(f"cuts must ascend strictly within 1 to {frame_count - 1}")
    shots: list[Shot] = []
    slot = frame_count  # past those of the render
    for start, stop in itertools.pairwise(bounds):
        parts = 1 if split_frames is None else -(-(stop - start) // split_frames)
        marks = [start + (stop - start) * number // parts for number in range(parts + 1)]
        for first, last in itertools.pairwise(marks):
            is_later, is_followed = first != start, last != stop
            lead_in = range(slot, slot + LEAD_IN_FRAMES) if is_later else range(0)
            fades_in = range(first - FADE_FRAMES, first) if is_later else range(0)
            fades_out = range(last - FADE_FRAMES, last) if is_followed else range(0)
            shots.append(Shot(len(shots), first, last, segment_frames, lead_in, fades_in, fades_out, start))
            slot += len(lead_in)
    return tuple(shots)


class CutDetector:
    """Finds the positions at which a new shot begins, from small pictures in display order.

    The method is that of PySceneDetect's adaptive detector (Brandon Castellano, BSD 3-Clause): a cut is where the HSV
    difference to the last frame stands out against those of the two frames before and after. Three things are added.
    What a search for moved blocks can explain is motion, not a cut. A picture that comes back within a few frames was
    hidden by a flash. And a new shot begins where the picture comes out of black or white, however slowly.

    It keeps eight pictures of 64 pixels, and a number for each frame.
    """

    def __init__(self) -> None:
        self._recent: deque[_Cone] = deque(maxlen=2 * _FLASH_FRAMES + 2)
        # Whether each of the recent pictures is near-uniform dark or white.
        self._blank: deque[bool] = deque(maxlen=2 * _FLASH_FRAMES + 2)
        # Difference of each frame to the one before it.
        self._scores: list[float] = []
        self._cuts: set[int] = set()
        self._judged = 0

    def add(self, image: Picture) -> None:
        """Takes the next picture, `(H, W, 3)` uint8 RGB; about 256 pixels on the long side are enough."""
        small = _shrunk(image)
        cone = _cone(small)
        self._scores.append(float(cv2.absdiff(cone, self._recent[-1]).mean()) if self._recent else 0.0)
        was_blank = bool(self._blank) and self._blank[-1]
        self._recent.append(cone)
        self._blank.append(_is_blank(small, was_blank))
        if was_blank and not self._blank[-1] and not self._blinked():
            self._cuts.add(len(self._scores) - 1)
        while self._judged < len(self._scores) - _FLASH_FRAMES:
            self._judge()

    def finish(self) -> tuple[int, ...]:
        """Returns the positions, counted from 0 in calls of `add`, at which a new shot begins; never 0."""
        while self._judged < len(self._scores):
            self._judge()
        # Of cuts too close for a shot between them the last counts: what lies between is a blend or a white frame,
        # which should not be the start of the new shot.
        return tuple(
            cut for cut in sorted(self._cuts) if self._cuts.isdisjoint(range(cut + 1, cut + 1 + _FLASH_FRAMES))
        )

    def _judge(self) -> None:
        """Decides on the next position; pictures up to `_FLASH_FRAMES` later are known, unless the clip has ended."""
        position = self._judged
        self._judged += 1
        if position == 0 or self._scores[position] < _LEAST_SCORE:
            return
        ratio = self._ratio(position)
        if (
            ratio >= _LEAST_RATIO
            and self._is_new(position)
            and (ratio >= _LEAST_RATIO_IN_TURMOIL or not self._in_turmoil(position))
        ):
            self._cuts.add(position)

    def _ratio(self, position: int) -> float:
        """Returns the score relative to those around it."""
        # From near to far. The first frame has no difference to speak of.
        before = self._scores[max(1, position - _WINDOW_FRAMES) : position][::-1]
        after = self._scores[position + 1 : position + 1 + _WINDOW_FRAMES]
        # One neighbor may be as high: where a frame blends both shots, the cut has two steps.
        if before and after:
            max(before, after, key=lambda side: side[0]).pop(0)
        moving = [[score for score in side if score >= _REPEAT_SCORE] for side in (before, after)]
        # The livelier side counts, where PySceneDetect takes the mean of both: so the first frame of a sudden movement
        # does not stand out.
        around = max((sum(side) / len(side) for side in moving if side), default=0.0)
        return self._scores[position] / around if around else float("inf")

    def _is_new(self, position: int) -> bool:
        """Tells whether nothing shown shortly before `position` is still shown, or comes back shortly after."""
        before, after = self._around(position, 1 + _FLASH_FRAMES)
        # The likeliest explanation first: most candidates are motion.
        pairs = [(old, after[0]) for old in reversed(before)] + [(before[-1], new) for new in after[1:]]
        return all(_novelty(old, new) >= _LEAST_NOVELTY for old, new in pairs)

    def _in_turmoil(self, position: int) -> bool:
        """Tells whether neither of the frames next to `position` follows from its predecessor."""
        pairs = (side for side in self._around(position, 2) if len(side) == 2)
        return all(_novelty(old, new) >= _LEAST_NOVELTY for old, new in pairs)

    def _around(self, position: int, count: int) -> tuple[list[_Cone], list[_Cone]]:
        """Returns up to `count` pictures before `position`, and as many from there on."""
        here = position - len(self._scores) + len(self._recent)
        pictures = list(self._recent)
        return pictures[max(0, here - count) : here], pictures[here : here + count]

    def _blinked(self) -> bool:
        """Tells whether the newest picture, which ends a dark or white spell, was there just before that spell."""
        *pictures, newest = list(self._recent)[-2 - _FLASH_FRAMES :]
        blank = list(self._blank)[-1 - len(pictures) : -1]
        return any(
            not was_blank and _novelty(old, newest) < _LEAST_NOVELTY
            for old, was_blank in zip(pictures, blank, strict=True)
        )


def read_cuts(path: Path, indices: Sequence[int], times_s: Sequence[Fraction]) -> tuple[int, ...]:
    """Returns the positions at which the cuts listed in a text file begin a new shot, ascending.

    A line holds a frame index or a time; anything after a comma, white space or `#` is ignored. A cut applies to the
    first frame at or after it; one that leaves no frame before or after it is left out.

    Args:
        path: UTF-8 text, at most 16 MiB.
        indices: index in the input of each frame of the render, ascending.
        times_s: seconds of each frame of the render after the first frame of the input, ascending.

    Raises:
        SourceError: the file cannot be read, or a line is neither a frame index nor a time.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_CUTS_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if len(data) > _MAX_CUTS_BYTES:
        raise SourceError(f"{path}: more than {_MAX_CUTS_BYTES // 2**20} MiB, too large for a list of cuts")
    # As in text files opened by Python: all three line ends count.
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"{path}, line {line}: not UTF-8 text; save the list of cuts as UTF-8") from error
    positions = set()
    for number, line_text in enumerate(text.split("\n"), start=1):
        fields = line_text.partition("#")[0].replace(",", " , ").split(maxsplit=1)
        if not fields:
            continue
        cut = parse_moment(fields[0])
        if cut is None:
            shown = ascii(fields[0] if len(fields[0]) <= 40 else fields[0][:40] + "...")
            raise SourceError(f"{path}, line {number}: {shown} is no cut; write {MOMENT_FORMS}")
        positions.add(bisect_left(indices, cut) if isinstance(cut, int) else bisect_left(times_s, cut - _TIME_SLACK_S))
    return tuple(sorted(positions - {0, len(indices)}))


def _shrunk(image: Picture) -> Picture:
    """Returns `(H, W, 3)` uint8 RGB at 64 pixels on the long side, both sides whole blocks."""
    height, width = image.shape[:2]
    scale = _LONG_SIDE_PX / max(height, width) / _BLOCK_PX
    size = (max(1, round(width * scale)) * _BLOCK_PX, max(1, round(height * scale)) * _BLOCK_PX)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cone(image: Picture) -> _Cone:
    """Returns uint8 RGB as points of the HSV cone: chroma along two axes of hue, and value, each up to 255.

    Hue is circular there, and counts the less, the grayer or darker the color.
    """
    hue, saturation, value = cv2.split(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2HSV))
    first, second = cv2.polarToCart(saturation * value, hue, angleInDegrees=True)
    return np.asarray(cv2.merge([first, second, value]), np.float32)


def _novelty(old: _Cone, new: _Cone) -> float:
    """Returns how much of `new` cannot be had by moving blocks of `old`, in units of the texture of `new`.

    0: all is explained. 1: blocks of one flat color would do as well. More: not even colors agree.
    """
    rows, columns = _picture_area(np.maximum(old[..., 2], new[..., 2]))
    old, new = old[rows, columns], new[rows, columns]
    # Where a lamp goes on or a flash dies away, the shot is the same.
    explanations = [old, *_relit(old, new)]
    unexplained, texture = np.zeros(len(explanations)), 0.0
    height, width = new.shape[:2]
    for top, left in itertools.product(range(0, height, _BLOCK_PX), range(0, width, _BLOCK_PX)):
        block = new[top : top + _BLOCK_PX, left : left + _BLOCK_PX]
        texture += float(np.abs(block - block.mean(axis=(0, 1))).sum())
        area = (
            slice(max(0, top - _REACH_PX), top + _BLOCK_PX + _REACH_PX),
            slice(max(0, left - _REACH_PX), left + _BLOCK_PX + _REACH_PX),
        )
        unexplained += [_residual(explanation[area], block) for explanation in explanations]
    return float(unexplained.min() / (texture + _TEXTURE_FLOOR * new.size))


def _residual(area: _Cone, block: _Cone) -> float:
    """Returns the sum of differences between `block` and the part of `area` most like it."""
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(area, block, cv2.TM_SQDIFF))
    return float(cv2.norm(area[y : y + block.shape[0], x : x + block.shape[1]], block, cv2.NORM_L1))


def _relit(old: _Cone, new: _Cone) -> list[_Cone]:
    """Returns `old` with the contrast and brightness of `new`; nothing where either is flat, as that fits any."""
    contrasts = old[..., 2].std(), new[..., 2].std()
    if min(contrasts) < _LEAST_CONTRAST:
        return []
    lit = old * (contrasts[1] / contrasts[0])
    lit[..., 2] += new[..., 2].mean() - lit[..., 2].mean()
    return [lit]


def _picture_area(value: npt.NDArray[np.float32]) -> tuple[slice, slice]:
    """Returns the rows and columns of `(h, w)` values without black bars, which look alike in all shots."""
    light = value >= _DARK_LEVELS[0]
    area = []
    for axis, length in enumerate(value.shape):
        lines = np.flatnonzero(light.any(axis=1 - axis))
        # A line that is part bar, part picture goes as well.
        start, stop = (lines[0] + (lines[0] > 0), lines[-1] + (lines[-1] == length - 1)) if lines.size else (0, 0)
        area.append(slice(start, stop) if stop - start >= _BLOCK_PX else slice(0, length))
    return area[0], area[1]


def _is_blank(image: Picture, was_blank: bool) -> bool:
    """Tells whether uint8 RGB is near-uniform dark or white; to stop being so takes more than to become so."""
    dark, white = _DARK_LEVELS[was_blank], _WHITE_LEVELS[was_blank]
    if (image.max(axis=2) < dark).mean() >= _UNIFORM_SHARE:
        return True
    # Letterbox bars stay black when the picture fades to white. They are no more than half of the picture: a lit window
    # in a dark room is no white picture.
    light = image.min(axis=2) > white
    inside = light[light.any(axis=1)][:, light.any(axis=0)]
    return inside.size >= light.size / 2 and bool(inside.mean() >= _UNIFORM_SHARE)
