"""Paints shots into a job folder: the one way, whether in this process or in a worker's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vidstyle.errors import SourceError
from vidstyle.frames import Frame, FrameDone, Picture
from vidstyle.job.folder import JobFolder, JournalEntry
from vidstyle.looks import Look
from vidstyle.masking import Masks
from vidstyle.media.base import Source
from vidstyle.media.images import resize
from vidstyle.shots import Shot
from vidstyle.stylizer import Painted, Stylizer, needed_before


@dataclass(frozen=True, slots=True)
class PaintedFrame:
    """A frame that was just saved: its position in the render, its index in the input, and what was painted."""

    position: int
    index: int
    painted: Painted

    @property
    def entry(self) -> JournalEntry:
        """What the journal keeps of it."""
        painted = self.painted
        figures = painted.seconds, painted.loss, painted.evaluations, painted.retries, painted.economy
        return JournalEntry(self.position, *figures)

    def done(self, done: int, total: int) -> FrameDone:
        """Returns what a listener is told of it."""
        painted = self.painted
        return FrameDone(self.index, done, total, painted.seconds, painted.loss, painted.evaluations, painted.image)


class ShotPainter:
    """Paints what is missing of shots, in ascending order, since the source is read only forward.

    Args:
        job: where frames are saved. source: the job's input, not yet read from.
        stylizer: with a size of "source"; frames are fitted here. masks: not yet read from, either.
    """

    def __init__(self, job: JobFolder, source: Source, stylizer: Stylizer, masks: Masks) -> None:
        self._job, self._source, self._stylizer, self._masks = job, source, stylizer, masks
        self._economies = {entry.frame: entry.economy for entry in job.journal().values() if entry.economy}
        self._passed = 0  # frames of the source that were read or skipped
        self._last: Frame | None = None

    def paint(self, shot: Shot) -> Iterator[PaintedFrame]:
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
        as_painted = self._before(shot, missing, settings.looks_back_frames)
        palette_from = self._fitted(self._read(shot.start)) if missing and settings.color == "match" else None
        last: int | None = None
        for run in shot.segments:
            for position in (p for p in run if p in missing or p in needed):
                if position - 1 != last or position == shot.start:
                    first, economy = self._first(shot, position, missing), self._economy(shot, position, missing)
                    self._stylizer.restart(first, economy, palette_from)
                last = position
                frame = self._read(position)
                image, look = self._fitted(frame), self._look(frame)
                coverage = self._masks.of(frame, job.manifest.width, job.manifest.height)
                if position not in missing:
                    before = self._load(position) if position in as_painted else None
                    self._stylizer.pass_over(image, before, coverage, look)
                    continue
                painted = self._stylizer.paint(image, coverage, look)
                self._economies[position] = painted.economy
                alpha = None if frame.alpha is None else resize(frame.alpha, *image.shape[1::-1])
                job.save_frame(position, painted.paint, alpha, painted.image)
                yield PaintedFrame(position, frame.index, painted)
            if is_video and not job.has_segment(run):
                job.close_segment(shot, run)
        if is_video:
            job.tidy(shot)

    def _before(self, shot: Shot, missing: set[int], count: int | None) -> set[int]:
        """Returns the last `count` frames of the shot before each missing one, or all before the last."""
        if count is None:
            return set(range(shot.start, max(missing, default=shot.start)))
        return {before for p in missing for before in range(max(shot.start, p - count), p)}

    def _first(self, shot: Shot, position: int, missing: set[int]) -> Picture | None:
        """Returns the shot's first frame, as painted, where a chain that goes on at `position` is held to it."""
        is_to_be_painted = position == shot.start and position in missing
        return self._load(shot.start) if self._job.settings.is_warped and not is_to_be_painted else None

    def _economy(self, shot: Shot, position: int, missing: set[int]) -> int:
        """Returns how far the optimiser was cut down when the frame before the next missing one was painted."""
        following = min((p for p in missing if p >= position), default=shot.start)
        return 0 if following == shot.start else self._economies.get(following - 1, 0)

    def _load(self, position: int) -> Picture:
        painted = self._job.load_frame(position)
        if painted is None:
            raise SourceError(f"{self._job.frame_path(position)}: gone or damaged; run the command again")
        return painted

    def _look(self, frame: Frame) -> Look:
        """Returns how a frame is to look, which follows from its place in the input alone."""
        time_s = (frame.pts - self._source.first_pts) * frame.time_base
        return self._stylizer.timeline.look(frame.index, time_s)

    def _fitted(self, frame: Frame) -> Picture:
        return resize(frame.image, self._job.manifest.width, self._job.manifest.height)

    def _read(self, position: int) -> Frame:
        if self._last is not None and position == self._passed - 1:
            return self._last  # a shot's first frame may be looked at before it is painted
        path = self._source.info.path
        try:
            while self._passed < position:
                self._passed += 1
                self._source.skip()
            self._passed += 1
            frame = next(self._source)
        except StopIteration as error:
            raise SourceError(f"{path}: ends earlier than it did before; it was changed under way") from error
        if frame.pts != self._job.manifest.timestamps[position]:
            raise SourceError(f"{path}: frame {frame.index} has another time than before; it was changed under way")
        self._last = frame
        return frame
