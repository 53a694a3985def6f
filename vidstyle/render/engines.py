"""What is left of a job, and what stylizes it: this process, several of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Protocol

from vidstyle.errors import counted
from vidstyle.frames import FrameDone
from vidstyle.job.folder import JobFolder
from vidstyle.job.seams import Seams
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.render.request import Request
from vidstyle.settings import Settings
from vidstyle.shots import Shot
from vidstyle.workers.pool import Workers
from vidstyle.workers.shot_stylizer import SavedFrame, ShotStylizer, fallbacks_of


class Progress:
    """How much of a job is done.

    Args:
        is_published: whether the job has come to its last step, so that nothing is left to stylize.

    Attributes:
        shots: those of which something is left. missing: positions of frames that are left, by number of the shot.
        done, total: frames. shots_done: how many shots. is_published: as given.
    """

    def __init__(self, job: JobFolder, *, is_published: bool) -> None:
        manifest, self.is_published = job.manifest, is_published
        self.shots = () if is_published else tuple(shot for shot in manifest.shots if not job.is_done(shot))
        self.missing = {shot.number: {p for p in job.missing_positions(shot) if p >= shot.start} for shot in self.shots}
        self._shot_of = {position: shot.number for shot in self.shots for position in range(shot.start, shot.stop)}
        self.total = manifest.frame_count
        self.done = self.total - sum(map(len, self.missing.values()))
        self.shots_done = len(manifest.shots) - sum(map(bool, self.missing.values()))

    def add(self, position: int) -> None:
        """Takes a frame that was saved."""
        number = self._shot_of[position]
        self.missing[number].discard(position)
        self.shots_done += not self.missing[number]
        self.done += 1


class _Engine(Protocol):
    def stylize(self, shots: Sequence[Shot]) -> Iterator[SavedFrame]:
        """Yields the missing frames of shots as they are saved, in any order."""


def stylized_frames(request: Request, job: JobFolder, progress: Progress, notes: list[str]) -> Iterator[FrameDone]:
    """Yields the frames that were left once they are saved, in any order.

    Args:
        progress: of the job; it is kept up to date. notes: messages for the end of the render are added to them.

    Raises:
        VidstyleError: see `ShotStylizer`, `Workers` and `ClusterStylizer`. JobStoppedError: the job is to stop.
    """
    seams = Seams(job, are_done=progress.is_published)
    with ExitStack() as stack:
        engine = _engine(request, job, progress, notes, stack)
        for frame in engine.stylize(progress.shots) if engine is not None else ():
            if frame.is_measured:
                job.note_frame(frame.entry)
            seams.add(frame.position)
            if frame.position < progress.total:  # the others lead in parts of split shots
                progress.add(frame.position)
                yield frame.done(progress.done, progress.total, progress.shots_done)
            job.stop_if_asked(progress.done)
    seams.finish()


def _engine(request: Request, job: JobFolder, progress: Progress, notes: list[str], stack: ExitStack) -> _Engine | None:
    settings, source, shots = request.settings, request.source, progress.shots
    if not shots:
        return None
    if settings.cluster is not None:
        # Imported here: without a cluster, Ray need not be installed.
        from vidstyle.cluster.stylizer import ClusterStylizer

        return stack.enter_context(ClusterStylizer(job, source.info.path, request.styles, settings, progress.missing))
    workers = min(settings.workers, len(shots))
    if workers < settings.workers:
        notes.append(f"{counted(len(shots), 'shot')} to render, so {counted(workers, 'process')} did")
    if workers > 1:
        return stack.enter_context(Workers(workers, job, source.info.path, request.styles, settings))
    frames = FrameReader(lambda: open_with_settings(source.info.path, settings), job.manifest.timestamps, source)
    masks = stack.enter_context(Masks(settings))
    return ShotStylizer(job, stack.enter_context(frames), request.stylizer, masks, fallbacks_of(job))


def check_cluster_if_asked(settings: Settings) -> None:
    """Makes sure that the settings' cluster, if any, can be joined, as far as that shows at once.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at the address.
    """
    if settings.cluster is not None:
        from vidstyle.cluster.joining import check_cluster

        check_cluster(settings.cluster)


def cluster_size(settings: Settings, device: str, threads: int) -> tuple[int, int]:
    """Returns how many shots the settings' cluster can render at a time, and on how many machines.

    Args:
        device: "cpu", "cuda" or "mps". threads: with which one process computes.

    Raises:
        ClusterError: it cannot be reached, or no machine of it can render a shot.
    """
    from vidstyle.cluster.joining import check_resources, connected, needed_by_shot, shots_at_once

    needed = needed_by_shot(settings, device, threads)
    with connected(settings.cluster or "auto") as ray:
        check_resources(ray, needed)
        return shots_at_once(ray, needed)
