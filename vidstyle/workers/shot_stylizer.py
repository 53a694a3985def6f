"""Stylizes shots into a job folder, in the same way in this process, in a worker's and on another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Protocol

from vidstyle.errors import SourceError
from vidstyle.frames import Frame, FrameDone, Picture, resize
from vidstyle.job.folder import JobFolder
from vidstyle.job.journal import JournalEntry
from vidstyle.looks.stylizer import Stylizer
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.method.stylizer import StylizedFrame
from vidstyle.method.temporal import frames_needed_before
from vidstyle.shots import Shot

_MEASURES = ("loss", "evaluations", "retries", "seconds", "fallback")


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

    def stylize(self, shots: Sequence[Shot]) -> Iterator[SavedFrame]:
        """Yields each frame that was missing, once it is saved.

        Raises:
            SourceError: the input cannot be read, or has changed since it was analyzed.
            OutputError, JobError: the job folder cannot be written to.
            DeviceError, OptimizationError: see `Stylizer.stylize`.
        """
        job, is_video = self._job, self._job.manifest.kind == "video"
        runs_of_shots = [(shot, run) for shot in shots for run in shot.runs]
        for shot, run in runs_of_shots:
            if run.start == shot.first:
                missing = set(job.missing_positions(shot))
                needed, saved_before = self._needed(shot, missing)
                palette_from = self._palette_from(shot) if missing and job.settings.color == "match" else None
                last: int | None = None
            for position in (p for p in run if p in missing or p in needed):
                if position - 1 != last or position == shot.first:
                    first, fallback = self._first(shot, position, missing), self._fallback(shot, position, missing)
                    self._stylizer.restart(first, fallback, palette_from)
                last = position
                frame = self._frames.frame(position)
                image, look = self._resized(frame), self._look(frame)
                coverage = self._masks.of(frame, job.manifest.width, job.manifest.height)
                if position not in missing:
                    before = self._load(shot.slot(position)) if position in saved_before else None
                    self._stylizer.skip(image, before, coverage, look)
                    continue
                stylized = self._stylizer.stylize(image, coverage, look)
                slot = shot.slot(position)
                self._fallbacks[slot] = stylized.fallback
                alpha = None if frame.alpha is None else resize(frame.alpha, *image.shape[1::-1])
                job.save_frame(slot, stylized.paint, alpha, stylized.image)
                yield SavedFrame(slot, frame.index, stylized)
            if is_video and run in job.own_segments(shot) and not job.has_segment(run):
                job.close_segment(shot, run)
            if is_video and run.stop == shot.stop:
                job.tidy(shot)

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

    def _look(self, frame: Frame) -> Look:
        """Returns the look of a frame, which depends only on its index and time in the input."""
        time_s = (frame.pts - self._frames.first_pts) * frame.time_base
        return self._stylizer.timeline.look(frame.index, time_s)

    def _resized(self, frame: Frame) -> Picture:
        return resize(frame.image, self._job.manifest.width, self._job.manifest.height)


def _before(shot: Shot, missing: set[int], count: int) -> set[int]:
    """Returns the last `count` frames of the shot before each missing one."""
    return {before for p in missing for before in range(max(shot.first, p - count), p)}
