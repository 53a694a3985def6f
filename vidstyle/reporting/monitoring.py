"""Renders under way, seen from outside: the jobs of a folder, their frames, and how steady these are.

All of it is read from job folders, whether or not a process works on them.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import JobError, SourceError, VidstyleError
from vidstyle.frames import Frame, Picture, resize
from vidstyle.job.folder import STOP_NAME, JobFolder, clear_job
from vidstyle.job.journal import JournalEntry, read_journal
from vidstyle.job.lock import is_running, locked
from vidstyle.job.manifest import MANIFEST_NAME, read_manifest
from vidstyle.job.source import open_with_settings
from vidstyle.job.status import Status, job_path, job_status
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_layers, reduced_size
from vidstyle.metrics import MEASURED_SIZE_PX, StabilityMeter

# Warping errors are measured for at most this many pairs of frames, spread over the render.
_MOST_PAIRS = 150


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A stylized frame as its job's journal has it.

    Attributes:
        frame: position in the render, from 0. seconds: spent on it.
        loss: the objective at the picture that was kept; NaN where nothing was stylized.
    """

    frame: int
    seconds: float
    loss: float


def jobs_in(folder: str | Path) -> tuple[Status, ...]:
    """Returns the status of each job in a folder, by name; damaged job folders are left out."""
    found = []
    for path in sorted(Path(folder).glob("*.vidstyle")):
        if (path / MANIFEST_NAME).is_file():
            with suppress(VidstyleError):
                found.append(job_status(path))
    return tuple(found)


def job_history(output: str | Path, job_dir: Path | None = None) -> tuple[FrameRecord, ...]:
    """Returns the record of each stylized frame of a render, by position; none if its job folder is gone."""
    path = _folder_of(output, job_dir)
    newest: dict[int, JournalEntry] = {entry.frame: entry for entry in read_journal(path)}
    count = read_manifest(path).frame_count if newest else 0  # entries past it are frames that lead in parts of shots
    shown = sorted(frame for frame in newest if frame < count)
    return tuple(FrameRecord(frame, newest[frame].seconds, newest[frame].loss) for frame in shown)


def job_picture(output: str | Path, job_dir: Path | None = None) -> tuple[int, Picture] | None:
    """Returns position and picture, `(h, w, 3)` uint8 RGB, of the last stylized frame of a render.

    None if there is none yet, or if the pictures have been removed since all frames are encoded.

    Raises:
        JobError: there is no such job, or its manifest is damaged.
    """
    path = _folder_of(output, job_dir)
    job = JobFolder(path, read_manifest(path))
    for file in sorted(job.delivered_folder.glob("[0-9]*.png"), reverse=True):
        with suppress(SourceError, ValueError):  # it may just have been encoded
            position = int(file.stem)
            if position < job.manifest.frame_count:  # files past it are frames that lead in parts of shots
                return position, read_layers(file)[0]
    return None


def stop_job(output: str | Path, job_dir: Path | None = None) -> bool:
    """Asks the process that works on a render to stop after its current frame; returns whether there is such a process.

    Its frames are kept, and the same command continues the render.

    Raises:
        JobError: the job folder cannot be written to.
    """
    path = _folder_of(output, job_dir)
    if not is_running(path):
        return False
    try:
        (path / STOP_NAME).touch()
    except OSError as error:
        raise JobError(f"{path}: cannot be written to ({error.strerror or error}); stop its process") from error
    return True


def is_job_running(output: str | Path, job_dir: Path | None = None) -> bool:
    """Tells whether a process works on a render; this may also be the analysis before the first frame."""
    return is_running(_folder_of(output, job_dir))


def discard_job(output: str | Path, job_dir: Path | None = None) -> None:
    """Removes the job folder of a render, with all frames in it that were stylized; a finished output stays.

    Raises:
        JobError: there is none, a process works on it, or it cannot be removed.
    """
    path = _folder_of(output, job_dir)
    if not (path / MANIFEST_NAME).is_file():
        raise JobError(f"{path}: is no job folder; nothing was removed")
    with locked(path):
        clear_job(path)


def _folder_of(output: str | Path, job_dir: Path | None) -> Path:
    """Returns the job folder of an output, or `output` itself if that is a job folder."""
    path = job_path(output, job_dir)
    is_job_folder = not (path / MANIFEST_NAME).is_file() and (Path(output) / MANIFEST_NAME).is_file()
    return Path(output) if is_job_folder else path


class WarpErrorWatch:
    """Measures the warping error between neighboring frames of a render under way; see `Stability`.

    Of a long render, up to 150 pairs of frames are measured, spread evenly.

    Attributes: `errors`, position of the later frame and error, so far.
    """

    def __init__(self, output: str | Path, job_dir: Path | None = None) -> None:
        """Takes a render as `job_status` does.

        Raises:
            JobError: there is no such job, or its manifest is damaged.
        """
        path = _folder_of(output, job_dir)
        self._job = JobFolder(path, read_manifest(path))
        self._segment: tuple[range, FrameReader] | None = None
        self.errors: list[tuple[int, float]] = []
        self._steps = self._measured()

    def update(self, budget_s: float = 1.0) -> None:
        """Measures frames that are new since the last call, for about `budget_s`; ends at one that cannot be read."""
        deadline = time.monotonic() + budget_s
        # If the input or a segment lacks a frame, the generator ends with a RuntimeError (PEP 479).
        with suppress(VidstyleError, OSError, StopIteration, RuntimeError):
            while time.monotonic() < deadline and next(self._steps):
                pass

    def close(self) -> None:
        """Closes all files."""
        self._steps.close()
        self._close_segment()

    def _measured(self) -> Generator[bool, None, None]:
        """Measures one pair of frames for each True; yields False while the next pair is not stylized yet."""
        manifest = self._job.manifest
        apart = max(1, -(-manifest.frame_count // _MOST_PAIRS))
        size = reduced_size(manifest.width, manifest.height, MEASURED_SIZE_PX)
        before: Frame | None = None
        with FrameReader(lambda: open_with_settings(self._source_path(), self._job.settings)) as frames:
            for position in range(apart, manifest.frame_count, apart):
                if apart > 1 or before is None:
                    before = frames.frame(position - 1)
                now = frames.frame(position)
                meter = StabilityMeter()
                for at, frame in ((position - 1, before), (position, now)):
                    while (stylized := self._stylized(at)) is None:
                        yield False
                    meter.add(resize(frame.image, *size), resize(stylized, *size))
                self.errors.append((position, meter.result().warp_error))
                before = now
                yield True

    def _source_path(self) -> Path:
        """Returns the path of the input; a relative path may also be relative to the folder of the output."""
        path = self._job.manifest.info.path
        return path if path.exists() else self._job.path.parent / path

    def _stylized(self, position: int) -> Picture | None:
        """Returns a finished frame, from its file or from the segment that it is encoded in."""
        file = self._job.delivered_path(position)
        if file.is_file():
            with suppress(SourceError):  # it may just have been encoded
                return read_layers(file)[0]
        if self._job.manifest.kind != "video":
            return None
        run = next(run for shot in self._job.manifest.shots for run in shot.segments if position in run)
        if not self._job.segment_path(run).with_suffix(".json").is_file():
            return None
        if self._segment is None or self._segment[0] != run:
            self._close_segment()
            path = self._job.segment_path(run)
            self._segment = run, FrameReader(lambda: open_source(path))
        return self._segment[1].frame(position - run.start).image

    def _close_segment(self) -> None:
        if self._segment is not None:
            self._segment[1].close()
        self._segment = None
