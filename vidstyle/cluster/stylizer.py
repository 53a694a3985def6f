"""Has a cluster stylize the shots of a render; runs on the machine where the command was given."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from vidstyle.cluster.joining import check_resources, connected, needed_by_shot
from vidstyle.cluster.schedule import TRIES, Schedule
from vidstyle.cluster.storage import SharedStorage, Storage
from vidstyle.cluster.task import stylize_shot
from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import ClusterError, JobError, VidstyleError
from vidstyle.frames import Picture, join_moment, split_moment
from vidstyle.job.folder import JobFolder
from vidstyle.job.identity import versions_of
from vidstyle.job.status import forget_machines, note_machines
from vidstyle.media.read.open_source import open_source
from vidstyle.media.stills.images import read_layers
from vidstyle.settings import Settings
from vidstyle.settings.kinds import join_region
from vidstyle.settings.words import to_json
from vidstyle.shots import Shot
from vidstyle.workers.shot_stylizer import SavedFrame, fallbacks_of

logger = logging.getLogger(__name__)

# Answers of a task that wait to be taken in here, so that memory is bounded; enough that no task waits.
_AHEAD_FRAMES = 4
# How long files that another machine has written may take to appear here; NFS looks once a minute.
_APPEAR_WITHIN_S = 90.0
# The file with the machines at work is flushed to the disk, and seldom read.
_NOTE_EVERY_S = 1.0


class ClusterStylizer:
    """Stylizes shots of a job on all machines of a cluster; a context manager.

    The frames are those of a single process on a machine of the same kind: shots do not depend on each other, and every
    task computes with the job's number of threads.
    """

    def __init__(
        self,
        job: JobFolder,
        source: Path,
        styles: Sequence[Path],
        settings: Settings,
        missing: Mapping[int, Iterable[int]],
    ) -> None:
        """Takes a job, input, styles and settings as given to `stylize`, and the job's missing frames by shot."""
        self._job, self._settings = job, settings
        self._storage = _storage_class(settings)(job, source.resolve(), styles)
        self._device = resolve_device(settings.device)
        self._fallbacks: dict[int, int] = {}
        self._at_work: dict[int, tuple[str, str]] = {}  # node and name of the machine, by number of the shot
        # Frames whose answers have not come, by number of the shot.
        self._unanswered = {number: set(positions) for number, positions in missing.items()}
        self._noted_s = 0.0
        self._connection = ExitStack()

    def __enter__(self) -> ClusterStylizer:
        with ExitStack() as stack:
            self._ray = stack.enter_context(connected(self._settings.cluster or "auto"))
            check_resources(self._ray, self._needed())
            self._order = self._ray.put(self._order_for(self._ray))
            self._connection = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def stylize(self, shots: Sequence[Shot]) -> Iterator[SavedFrame]:
        """Yields frames as they are saved, in any order.

        Raises:
            ClusterError: a machine cannot do the job, or shots failed several times; all others are done then.
        """
        needed = self._needed()
        task = self._ray.remote(stylize_shot).options(
            num_cpus=needed["CPU"],
            num_gpus=needed["GPU"],
            max_retries=0,
            num_returns="streaming",
            _generator_backpressure_num_objects=_AHEAD_FRAMES,
        )
        self._fallbacks = fallbacks_of(self._job)
        schedule = Schedule(self._ray, partial(self._submit, task), _fatal, self._warn_if_no_machine)
        try:
            for shot, answers in schedule.run(shots):
                if answers is None:
                    self._at_work.pop(shot.number, None)
                    yield from self._lost(shot)
                for answer in answers or ():
                    yield from self._take(shot, answer)
                    if "position" in answer:
                        schedule.note_progress(shot)
                self._note_machines()
        finally:
            schedule.cancel()
            forget_machines(self._job.path)
        if schedule.failures:
            raise _given_up(schedule.failures, self._job.manifest.shots)
        self._wait_for_files(shots)
        for shot in shots:
            yield from self._lost(shot)

    def _take(self, shot: Shot, answer: dict[str, Any]) -> Iterator[SavedFrame]:
        """Takes in an answer of a task, and yields its frame, if it has one."""
        if "node" in answer:
            self._at_work[shot.number] = answer["node"], answer["machine"]
        self._storage.take(shot, answer)
        if "position" in answer:
            position = answer["position"]
            self._fallbacks[position] = answer["fallback"]
            self._unanswered[shot.number].discard(position)
            yield SavedFrame.from_json(answer, self._machines)

    def _lost(self, shot: Shot) -> Iterator[SavedFrame]:
        """Yields the frames of a shot whose answers were lost with a machine, once the whole shot is done."""
        unanswered, job = self._unanswered[shot.number], self._job
        if not unanswered:
            return
        job.forget_files()
        if job.is_done(shot):
            for position in sorted(unanswered):
                picture = saved_picture(job, shot, position)
                unanswered.discard(position)
                index = job.manifest.info.range_start + position
                yield SavedFrame.unmeasured(position, index, picture, self._machines)

    @property
    def _machines(self) -> int:
        return max(1, len({node for node, _ in self._at_work.values()}))

    def _needed(self) -> dict[str, float]:
        return needed_by_shot(self._settings, self._device.type, self._job.manifest.threads)

    def _order_for(self, ray: Any) -> dict[str, Any]:
        """Returns what every task gets: plain values, so that another release can read them and say that it differs."""
        settings = self._settings
        precision = str(resolve_precision(settings.precision, self._device)).removeprefix("torch.")
        settings = replace(with_whole_paths(settings), device=self._device.type, precision=precision)
        return {
            "id": uuid.uuid4().hex,
            "versions": versions_of(settings),
            "settings": to_json(settings),
            **self._storage.order(ray, settings),
        }

    def _note_machines(self) -> None:
        now_s = time.monotonic()
        if now_s - self._noted_s > _NOTE_EVERY_S:
            note_machines(self._job.path, self._at_work)
            self._noted_s = now_s

    def _submit(self, task: Any, shot: Shot) -> Any:
        return task.remote(self._order, shot.number, self._fallbacks_of(shot))

    def _warn_if_no_machine(self) -> None:
        """Warns where no machine is left that could do a shot; Ray goes on as soon as one joins."""
        try:
            check_resources(self._ray, self._needed())
        except ClusterError as error:
            logger.warning("waiting for machines: %s", error)

    def _fallbacks_of(self, shot: Shot) -> dict[int, int]:
        slots = map(shot.slot, range(shot.first, shot.stop))
        return {slot: self._fallbacks[slot] for slot in slots if self._fallbacks.get(slot)}

    def _wait_for_files(self, shots: Sequence[Shot]) -> None:
        """Waits until everything that the tasks have written has appeared here, too."""
        job, deadline = self._job, time.monotonic() + _APPEAR_WITHIN_S
        for shot in shots:
            job.forget_files()
            while not job.is_done(shot):
                if time.monotonic() > deadline:
                    raise JobError(
                        f"{job.path}: the frames of shot {shot.number} do not appear here; check that the storage "
                        "is the same for all machines, and run the command again"
                    )
                time.sleep(1)
                job.forget_files()


def _storage_class(settings: Settings) -> type[Storage]:
    if not settings.no_shared_storage:
        return SharedStorage
    from vidstyle.cluster.no_shared_storage import RemoteStorage

    return RemoteStorage


def with_whole_paths(settings: Settings) -> Settings:
    """Returns the same settings with paths that do not depend on the current folder."""

    def whole(path: Path | None) -> Path | None:
        return None if path is None else path.resolve()

    return replace(
        settings,
        mask=whole(settings.mask),
        weights=whole(settings.weights),
        animate=whole(settings.animate),
        region=tuple(join_region(str(mask.resolve()), str(style.resolve())) for mask, style in settings.regions),
        style_at=tuple(
            join_moment(moment, str(Path(name).resolve())) for moment, name in map(split_moment, settings.style_at)
        ),
    )


def saved_picture(job: JobFolder, shot: Shot, position: int) -> Picture:
    """Returns a frame of a shot, `(H, W, 3)` uint8 RGB, from its file or from the segment that it is encoded in.

    Raises:
        SourceError: it is in neither.
    """
    run = next(run for run in shot.segments if position in run)
    if job.manifest.kind == "video" and job.has_segment(run):
        start = position - run.start
        with open_source(job.segment_path(run), frames=(start, start + 1)) as source:
            return next(source).image
    return read_layers(job.delivered_path(position))[0]


def _fatal(error: Exception) -> Exception | None:
    """Returns what to raise where an error concerns all shots, else None."""
    if isinstance(error, ClusterError):
        return error
    if "No module named 'vidstyle" in str(error):
        return ClusterError("a machine of the cluster has no vidstyle; install it on all, in Ray's environment")
    return None


def _given_up(failures: dict[int, Exception], shots: Sequence[Shot]) -> ClusterError:
    number, error = next(iter(failures.items()))
    shot = shots[number]
    count = "a shot" if len(failures) == 1 else f"{len(failures)} shots"
    first_line = str(error).strip().partition("\n")[0]
    reason = str(error) if isinstance(error, VidstyleError) else f"{type(error).__name__}: {first_line}"
    return ClusterError(
        f"{count} failed {TRIES} times, first number {number} (frames {shot.start} to {shot.stop - 1} of the render): "
        f"{reason}; all others are done and kept: run the command again once that is mended"
    )
