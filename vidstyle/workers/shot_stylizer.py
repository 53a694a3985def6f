"""Stylizes shots into a job folder, in the same way in this process, in a worker's and on another machine."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import nan
from typing import Any, Protocol

from vidstyle.errors import SourceError
from vidstyle.frames import Frame, FrameDone, Picture, resize
from vidstyle.job.folder import JobFolder
from vidstyle.job.journal import JournalEntry
from vidstyle.looks.stylizer import Stylizer
from vidstyle.method.coverage import Coverage
from vidstyle.method.keyframes import AUTO_LOST, Gap, Painted
from vidstyle.method.look import Look
from vidstyle.method.stylizer import StylizedFrame
from vidstyle.method.temporal import frames_needed_before
from vidstyle.method.transitions import SETTLING_FRAMES
from vidstyle.shots import Shot

_MEASURES = ("loss", "evaluations", "retries", "seconds", "fallback")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A frame at the size that it is stylized at.

    Attributes:
        position: in the render. index: in the input. image: `(H, W, 3)` uint8 RGB. alpha: `(H, W)` uint8 or None.
        coverage, look: see `Stylizer.stylize`.
    """

    position: int
    index: int
    image: Picture
    alpha: Picture | None
    coverage: Coverage | None
    look: Look

    def painted(self, stylized: Picture) -> Painted:
        """Returns the frame as it was stylized, `(H, W, 3)` uint8 RGB."""
        return Painted.of(self.image, stylized, self.coverage)


@dataclass(frozen=True, slots=True)
class SavedFrame:
    """A frame that was just saved.

    Attributes:
        position: in the render; of a frame that leads in a part of a shot, its slot, see `Shot.slot`.
        index: in the input.
        stylized: the frame; from another process, its `paint` is the image as the output shows it.
        machines: how many are at work on the render.
        is_measured: whether time and loss are known; not for a frame whose machine was lost after it was saved.
    """

    position: int
    index: int
    stylized: StylizedFrame
    machines: int = 1
    is_measured: bool = True

    @property
    def entry(self) -> JournalEntry:
        """The frame's line in the journal."""
        return JournalEntry(self.position, **{name: getattr(self.stylized, name) for name in _MEASURES})

    def done(self, done: int, total: int, shots_done: int = 0) -> FrameDone:
        """Returns the frame as `on_frame` gets it; `done` of `total` frames are finished."""
        stylized = self.stylized
        figures = stylized.seconds, stylized.loss, stylized.evaluations, stylized.image
        return FrameDone(self.index, done, total, *figures, shots_done, self.machines)

    def to_json(self) -> dict[str, Any]:
        """Returns everything but the picture, as JSON can hold it."""
        measures = {name: getattr(self.stylized, name) for name in _MEASURES}
        return {"position": self.position, "index": self.index, **measures}

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], machines: int = 1) -> SavedFrame:
        """Returns the frame of `to_json` with the key `image`, `(H, W, 3)` uint8 RGB, as the output shows it."""
        stylized = StylizedFrame(answer["image"], answer["image"], *(answer[name] for name in _MEASURES))
        return cls(answer["position"], answer["index"], stylized, machines)

    @classmethod
    def unmeasured(cls, position: int, index: int, image: Picture, machines: int) -> SavedFrame:
        """Returns a frame, `(H, W, 3)` uint8 RGB, of which only the picture is known."""
        stylized = StylizedFrame(image, image, loss=nan, evaluations=0, retries=0, seconds=nan, fallback=0)
        return cls(position, index, stylized, machines, is_measured=False)


def fallbacks_of(job: JobFolder) -> dict[int, int]:
    """Returns the memory fallback of each frame that had one, by position; see `JournalEntry.fallback`."""
    return {entry.frame: entry.fallback for entry in job.journal().values() if entry.fallback}


class InputFrames(Protocol):
    """The frames of an input by their position in the render; see `media.read.frame_reader`."""

    @property
    def first_pts(self) -> int:
        """Timestamp of the input's very first frame, in ticks, known once a frame was read."""

    def frame(self, position: int) -> Frame:
        """Returns a frame.

        Raises:
            SourceError: it cannot be read.
        """


class FrameMasks(Protocol):
    """The masks of frames; see `looks.frame_masks.Masks`."""

    def of(self, frame: Frame, width: int, height: int) -> Coverage | None:
        """Returns how a frame of that size is covered; None where all of it gets one style."""


class ShotStylizer:
    """Stylizes the missing frames of shots; quickest in ascending order, since inputs are read forward.

    Args:
        job: where frames are saved. frames: of the job's input. masks: of these frames.
        stylizer: frames are resized before it gets them.
        fallbacks: see `fallbacks_of`.
    """

    def __init__(
        self,
        job: JobFolder,
        frames: InputFrames,
        stylizer: Stylizer,
        masks: FrameMasks,
        fallbacks: Mapping[int, int],
    ) -> None:
        self._job, self._frames, self._stylizer, self._masks = job, frames, stylizer, masks
        self._fallbacks = dict(fallbacks)
        self._last: int | None = None  # position of the frame that the stylizer has last seen, of the shot
        self._palette: Picture | None = None
        self._skipped: tuple[set[int], set[int]] = set(), set()
        self._ahead: dict[int, _Ready] = {}  # frames that were read, and then left to the next gap

    def stylize(self, shots: Sequence[Shot]) -> Iterator[SavedFrame]:
        """Yields each frame that was missing, once it is saved.

        Raises:
            SourceError: the input cannot be read, or has changed since it was analyzed.
            OutputError, JobError: the job folder cannot be written to.
            DeviceError, OptimizationError: see `Stylizer.stylize`.
        """
        job, is_video = self._job, self._job.manifest.kind == "video"
        stylized_run = self._by_keyframes if job.settings.keyframe_frames > 1 else self._one_by_one
        for shot in shots:
            missing, self._last = set(job.missing_positions(shot)), None
            self._palette = self._palette_from(shot) if missing and job.settings.color == "match" else None
            self._skipped = self._needed(shot, missing)
            for run in shot.runs:
                yield from stylized_run(shot, run, missing)
                if is_video and run in job.own_segments(shot) and not job.has_segment(run):
                    job.close_segment(shot, run)
            if is_video:
                job.tidy(shot)

    # -- every frame from the one before -------------------------------------------------------

    def _one_by_one(self, shot: Shot, run: range, missing: set[int]) -> Iterator[SavedFrame]:
        frames, (needed, saved_before) = self._stylizer.frames, self._skipped
        for position in (p for p in run if p in missing or p in needed):
            if position - 1 != self._last or position == shot.first:
                self._restart(shot, position, missing, self._fallback(shot, position, missing))
            self._last, here = position, self._ready(position)
            if position in missing:
                yield self._save(shot, here, frames.stylize(here.image, here.coverage, here.look))
            else:
                before = self._load(shot.slot(position)) if position in saved_before else None
                frames.skip(here.image, before, here.coverage, here.look)

    # -- keyframes, and the frames between -----------------------------------------------------

    def _by_keyframes(self, shot: Shot, run: range, missing: set[int]) -> Iterator[SavedFrame]:
        """Yields the missing frames of a run: a keyframe each, and then those between it and the one before.

        A run ends with a keyframe, so that none depends on a later run, and one that is continued has its first
        keyframe in the run before.
        """
        frames, last_missing = self._stylizer.frames, max((p for p in missing if p in run), default=None)
        if last_missing is None:
            return
        self._ahead.clear()
        here, keyframe = self._ready(max(shot.first, run.start - 1)), None
        if here.position != self._last:
            fallback = 0 if here.position in missing else self._fallbacks.get(shot.slot(here.position), 0)
            self._restart(shot, here.position, missing, fallback)
            for position in range(max(shot.first, here.position - SETTLING_FRAMES), here.position):
                frames.pass_by(self._look_at(position))
            keyframe = yield from self._keyframe(shot, here, missing, None)
        else:
            keyframe = here.painted(self._load(shot.slot(here.position)))
        frames.settle()
        while here.position < last_missing:
            gap, between, after = self._next_gap(shot, here, run)
            for each in between:
                frames.pass_by(each.look)
            next_keyframe = yield from self._keyframe(shot, after, missing, gap)
            if any(each.position in missing for each in between):
                if keyframe is None or next_keyframe is None:
                    raise SourceError(f"{self._job.path}: a keyframe is gone or damaged; run the command again")
                yield from self._between(shot, gap, between, (keyframe, next_keyframe), missing)
            here, keyframe = after, next_keyframe
        self._last = here.position

    def _keyframe(
        self, shot: Shot, here: _Ready, missing: set[int], gap: Gap | None
    ) -> Generator[SavedFrame, None, Painted | None]:
        """Stylizes a keyframe and yields it, or takes it from the job, and returns it; None where it is not needed."""
        frames, slot = self._stylizer.frames, shot.slot(here.position)
        if here.position in missing:
            found = frames.stylize(here.image, here.coverage, here.look, gap=gap)
            yield self._save(shot, here, found)
            return here.painted(found.paint)
        # Gone where it is encoded and no frame that is missing depends on it.
        stylized = self._job.load_frame(slot)
        frames.skip(here.image, stylized, here.coverage, here.look, gap)
        frames.memory.reset(max(frames.memory.fallback, self._fallbacks.get(slot, 0)))
        return None if stylized is None else here.painted(stylized)

    def _next_gap(self, shot: Shot, keyframe: _Ready, run: range) -> tuple[Gap, list[_Ready], _Ready]:
        """Returns the gap up to the next keyframe, the frames between, and that keyframe."""
        settings, frames = self._job.settings, self._stylizer.frames
        gap, after = frames.begin_gap(keyframe.image), []
        for position in range(keyframe.position + 1, run.stop):
            here = self._ready(position)
            frames.extend(gap, here.image)
            after.append(here)
            is_lost = settings.keyframes_are_chosen and gap.lost > AUTO_LOST
            if is_lost or len(gap) == settings.keyframe_frames or self._is_look_changing(shot, position):
                break
        if settings.keyframes_are_chosen:
            frames.shorten(gap)
            self._ahead = {each.position: each for each in after[len(gap) :]}
            after = after[: len(gap)]
        return gap, after[:-1], after[-1]

    def _is_look_changing(self, shot: Shot, position: int) -> bool:
        """Tells whether the look changes with the next frame, or has changed lately: then each frame is a keyframe."""
        if not self._stylizer.timeline.is_changing:
            return False
        near = range(max(shot.first, position - SETTLING_FRAMES), min(position + 2, shot.stop))
        return len({self._look_at(each) for each in near}) > 1

    def _between(
        self, shot: Shot, gap: Gap, between: Sequence[_Ready], keyframes: tuple[Painted, Painted], missing: set[int]
    ) -> Iterator[SavedFrame]:
        """Yields the missing frames between two keyframes."""
        last: Painted | None = keyframes[0]
        for number, here in enumerate(between, 1):
            if here.position not in missing:
                last = None
                continue
            if last is None:
                before = between[number - 2]
                last = before.painted(self._load(shot.slot(before.position)))
            found = self._stylizer.frames.stylize_between(gap, number, keyframes, last, here.coverage, here.look)
            yield self._save(shot, here, found)
            last = here.painted(found.paint)

    # -- frames --------------------------------------------------------------------------------

    def _ready(self, position: int) -> _Ready:
        """Reads a frame, and returns it as it is stylized."""
        if position in self._ahead:
            return self._ahead[position]
        frame, manifest = self._frames.frame(position), self._job.manifest
        image = self._resized(frame)
        alpha = None if frame.alpha is None else resize(frame.alpha, *image.shape[1::-1])
        coverage = self._masks.of(frame, manifest.width, manifest.height)
        return _Ready(
            position, frame.index, image, alpha, coverage, self._look_of(frame.index, frame.pts, frame.time_base)
        )

    def _save(self, shot: Shot, here: _Ready, stylized: StylizedFrame) -> SavedFrame:
        slot = shot.slot(here.position)
        self._fallbacks[slot] = stylized.fallback
        self._job.save_frame(slot, stylized.paint, here.alpha, stylized.image)
        return SavedFrame(slot, here.index, stylized)

    def _restart(self, shot: Shot, position: int, missing: set[int], fallback: int) -> None:
        self._stylizer.restart(self._first(shot, position, missing), fallback, self._palette)

    def _needed(self, shot: Shot, missing: set[int]) -> tuple[set[int], set[int]]:
        """Returns the finished frames to `skip` before the missing ones, and those whose pictures are loaded."""
        settings = self._job.settings
        needed = _before(shot, missing, frames_needed_before(settings.options)) - missing
        return needed, _before(shot, missing, settings.looks_back_frames)

    def _first(self, shot: Shot, position: int, missing: set[int]) -> Picture | None:
        """Returns the stylized first frame of the shot, to which those from `position` on are held."""
        is_to_be_stylized = position == shot.first and position in missing
        return self._load(shot.slot(shot.first)) if self._job.settings.is_warped and not is_to_be_stylized else None

    def _fallback(self, shot: Shot, position: int, missing: set[int]) -> int:
        """Returns the memory fallback of the frame before the next missing one."""
        following = min((p for p in missing if p >= position), default=shot.first)
        return 0 if following == shot.first else self._fallbacks.get(shot.slot(following - 1), 0)

    def _palette_from(self, shot: Shot) -> Picture:
        """Returns the input's frame whose palette the style takes: the whole shot's first, for all parts of it."""
        return self._resized(self._frames.frame(shot.start if shot.origin is None else shot.origin))

    def _load(self, slot: int) -> Picture:
        stylized = self._job.load_frame(slot)
        if stylized is None:
            raise SourceError(f"{self._job.frame_path(slot)}: gone or damaged; run the command again")
        return stylized

    def _look_at(self, position: int) -> Look:
        """Returns the look of the frame at a position in the render."""
        manifest = self._job.manifest
        index, pts = manifest.info.range_start + position, manifest.timestamps[position]
        return self._look_of(index, pts, manifest.info.time_base)

    def _look_of(self, index: int, pts: int, time_base: Fraction) -> Look:
        """Returns the look of a frame, which depends only on its index and time in the input."""
        time_s = (pts - self._frames.first_pts) * time_base
        return self._stylizer.timeline.look(index, time_s)

    def _resized(self, frame: Frame) -> Picture:
        return resize(frame.image, self._job.manifest.width, self._job.manifest.height)


def _before(shot: Shot, missing: set[int], count: int) -> set[int]:
    """Returns the last `count` frames of the shot before each missing one."""
    return {before for p in missing for before in range(max(shot.first, p - count), p)}
