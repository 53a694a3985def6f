"""Paints shots into a job folder: the one way, whether in this process or in a worker's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from vidstyle.errors import SourceError
from vidstyle.frames import Frame, FrameDone, Picture, resize
from vidstyle.job.folder import JobFolder
from vidstyle.job.journal import JournalEntry
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.method.stylizer import StylizedFrame, Stylizer
from vidstyle.method.transitions import needed_before
from vidstyle.shots import Shot


@dataclass(frozen=True, slots=True)
class SavedFrame:
    """A frame that was just saved.

    Attributes:
        position: in the render; of a frame that leads in a part, the slot that it is kept under, which lies past the
            render's last position; see `Shot.slot`.
        index: in the input. painted: what was painted.
        machines: how many are at work on the render.
        is_known: whether more is known of it than its picture; not where a machine was lost after it had saved it.
    """

    position: int
    index: int
    stylized: StylizedFrame
    machines: int = 1
    is_known: bool = True

    @property
    def entry(self) -> JournalEntry:
        """What the journal keeps of it."""
        stylized = self.stylized
        figures = stylized.seconds, stylized.loss, stylized.evaluations, stylized.retries, stylized.fallback
        return JournalEntry(self.position, *figures)

    def done(self, done: int, total: int, shots_done: int = 0) -> FrameDone:
        """Returns what a listener is told of it."""
        stylized = self.stylized
        figures = stylized.seconds, stylized.loss, stylized.evaluations, stylized.image
        return FrameDone(self.index, done, total, *figures, shots_done, self.machines)


def fallbacks_of(job: JobFolder) -> dict[int, int]:
    """Returns how far the optimizer was cut down for want of memory, for the frames that this has come to."""
    return {entry.frame: entry.fallback for entry in job.journal().values() if entry.fallback}


class FrameReader(Protocol):
    """Where the frames of an input come from, by their position in the render; see `FrameReader`."""

    @property
    def first_pts(self) -> int:
        """Timestamp of the input's very first frame, in ticks, known once a frame was read."""

    def frame(self, position: int) -> Frame:
        """Returns a frame.

        Raises:
            SourceError: it cannot be had.
        """


class FrameMasks(Protocol):
    """Where frames' masks come from; see `frame_masks.Masks`."""

    def of(self, frame: Frame, width: int, height: int) -> Coverage | None:
        """Returns how a frame of that size is covered; None where all of it is painted in one style."""


class ShotStylizer:
    """Paints what is missing of shots, best in ascending order: inputs are read forward.

    Args:
        job: where frames are saved. reader: of the job's input. masks: of its frames.
        stylizer: with a size of "source"; frames are fitted here.
        economies: how far the optimizer was cut down when frames were painted, by position; see `economies_of`.
    """

    def __init__(
        self,
        job: JobFolder,
        reader: FrameReader,
        stylizer: Stylizer,
        masks: FrameMasks,
        memory_fallbacks: Mapping[int, int],
    ) -> None:
        self._job, self._reader, self._stylizer, self._masks = job, reader, stylizer, masks
        self._fallbacks = dict(memory_fallbacks)

    def stylize(self, shot: Shot) -> Iterator[SavedFrame]:
        """Yields each frame of the shot that had to be painted, when it is saved.

        Raises:
            SourceError: the input cannot be read, or is no longer what was surveyed.
            OutputError, JobError: the job folder cannot be written to.
            DeviceError, OptimizationError: see `Stylizer.paint`.
        """
        job, is_video = self._job, self._job.manifest.kind == "video"
        missing = set(job.missing_positions(shot))
        settings = job.settings
        needed = self._before(shot, missing, needed_before(settings)) - missing
        as_stylized = self._before(shot, missing, settings.looks_back_frames)
        palette_from = self._palette_from(shot) if missing and settings.color == "match" else None
        last: int | None = None
        for run in shot.runs:
            for position in (p for p in run if p in missing or p in needed):
                if position - 1 != last or position == shot.first:
                    first, fallback = self._first(shot, position, missing), self._fallback(shot, position, missing)
                    self._stylizer.restart(first, fallback, palette_from)
                last = position
                frame = self._reader.frame(position)
                image, look = self._fitted(frame), self._look(frame)
                coverage = self._masks.of(frame, job.manifest.width, job.manifest.height)
                if position not in missing:
                    before = self._load(shot.slot(position)) if position in as_stylized else None
                    self._stylizer.pass_over(image, before, coverage, look)
                    continue
                stylized = self._stylizer.stylize(image, coverage, look)
                slot = shot.slot(position)
                self._fallbacks[slot] = stylized.fallback
                alpha = None if frame.alpha is None else resize(frame.alpha, *image.shape[1::-1])
                job.save_frame(slot, stylized.paint, alpha, stylized.image)
                yield SavedFrame(slot, frame.index, stylized)
            if is_video and run in job.closed_alone(shot) and not job.has_segment(run):
                job.close_segment(shot, run)
        if is_video:
            job.tidy(shot)

    def _before(self, shot: Shot, missing: set[int], count: int | None) -> set[int]:
        """Returns the last `count` frames of the shot before each missing one, or all before the last."""
        if count is None:
            return set(range(shot.first, max(missing, default=shot.first)))
        return {before for p in missing for before in range(max(shot.first, p - count), p)}

    def _first(self, shot: Shot, position: int, missing: set[int]) -> Picture | None:
        """Returns the shot's first frame, as painted, where a chain that goes on at `position` is held to it."""
        is_to_be_stylized = position == shot.first and position in missing
        return self._load(shot.slot(shot.first)) if self._job.settings.is_warped and not is_to_be_stylized else None

    def _fallback(self, shot: Shot, position: int, missing: set[int]) -> int:
        """Returns how far the optimizer was cut down when the frame before the next missing one was painted."""
        following = min((p for p in missing if p >= position), default=shot.first)
        return 0 if following == shot.first else self._fallbacks.get(shot.slot(following - 1), 0)

    def _palette_from(self, shot: Shot) -> Picture:
        """Returns the frame whose palette the style takes: all parts of a shot take the same."""
        return self._fitted(self._reader.frame(shot.start if shot.origin is None else shot.origin))

    def _load(self, slot: int) -> Picture:
        stylized = self._job.load_frame(slot)
        if stylized is None:
            raise SourceError(f"{self._job.frame_path(slot)}: gone or damaged; run the command again")
        return stylized

    def _look(self, frame: Frame) -> Look:
        """Returns how a frame is to look, which follows from its place in the input alone."""
        time_s = (frame.pts - self._reader.first_pts) * frame.time_base
        return self._stylizer.timeline.look(frame.index, time_s)

    def _fitted(self, frame: Frame) -> Picture:
        return resize(frame.image, self._job.manifest.width, self._job.manifest.height)
