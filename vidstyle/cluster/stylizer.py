"""Has a cluster paint the shots of a render, from the machine where the command was given."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from vidstyle.cluster.frame_store import FrameStore
from vidstyle.cluster.joining import check_resources, connected, needed_by_shot
from vidstyle.cluster.schedule import TRIES, Schedule
from vidstyle.cluster.shipped_files import packed, with_whole_paths
from vidstyle.cluster.task import stylize_shot
from vidstyle.devices import resolve_device, resolve_precision
from vidstyle.errors import ClusterError, JobError, VidstyleError
from vidstyle.files import sha256_of
from vidstyle.job.exchange import saved_picture, take_frame, take_segment
from vidstyle.job.folder import JobFolder
from vidstyle.job.machines import forget_machines, note_machines
from vidstyle.job.manifest import MANIFEST_NAME
from vidstyle.job.versions import versions_of
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json
from vidstyle.shots import Shot
from vidstyle.workers.answers import frame_of, frame_without_answer
from vidstyle.workers.shot_stylizer import SavedFrame, fallbacks_of

logger = logging.getLogger(__name__)

# Frames that a task may be ahead of what was taken in here: memory stays bounded, and no task waits for the screen.
_AHEAD_FRAMES = 4
# How long files that another machine has written may take to be seen here; NFS looks once a minute.
_SEEN_WITHIN_S = 90.0
# Who is at work is a file written through to the disk, and seldom asked for.
_SAID_EVERY_S = 1.0


class ClusterStylizer:
    """Paints shots of a job on all machines of a cluster; a context manager.

    Results are those of a single process on a machine of the same kind: shots do not depend on each other, and every
    task computes with the job's number of threads.
    """

    def __init__(self, job: JobFolder, source: Path, styles: Sequence[Path], settings: Settings) -> None:
        """Args: see `pipeline.stylize`; the settings have a `cluster`."""
        self._job, self._source, self._styles, self._settings = job, source.resolve(), styles, settings
        self._device = resolve_device(settings.device)
        self._fallbacks: dict[int, int] = {}
        self._at_work: dict[int, tuple[str, str]] = {}  # node and name of the machine, by number of the shot
        self._due: dict[int, set[int]] = {}  # frames whose answers have not come, by number of the shot
        self._said_s = 0.0
        self._open = ExitStack()

    def __enter__(self) -> ClusterStylizer:
        with ExitStack() as opening:
            self._ray = opening.enter_context(connected(self._settings.cluster or "auto"))
            check_resources(self._ray, self._needed())
            self._order = self._ray.put(self._order_for(self._ray))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def stylize(self, shots: Sequence[Shot], missing: Mapping[int, Sequence[int]]) -> Iterator[SavedFrame]:
        """Yields frames as they are saved, in whatever order.

        Args:
            missing: frames that are to be painted, by number of the shot.

        Raises:
            ClusterError: a machine is not fit for the job, or shots failed for good; all others are done then.
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
        self._due = {shot.number: set(missing[shot.number]) for shot in shots}
        schedule = Schedule(self._ray, partial(self._submit, task), _fatal, self._say_if_alone)
        try:
            for shot, answers in schedule.run(shots):
                if answers is None:
                    self._at_work.pop(shot.number, None)
                    yield from self._unanswered(shot)
                for answer in answers or ():
                    yield from self._taken(shot, answer)
                    if "position" in answer:
                        schedule.note_progress(shot)
                self._say_who()
        finally:
            schedule.cancel()
            forget_machines(self._job.path)
        if schedule.failures:
            raise _given_up(schedule.failures, self._job.manifest.shots)
        self._wait_until_seen(shots)
        for shot in shots:
            yield from self._unanswered(shot)

    def _taken(self, shot: Shot, answer: dict[str, Any]) -> Iterator[SavedFrame]:
        """Takes in what a task has answered, and yields the frame, if it is one."""
        if "node" in answer:
            self._at_work[shot.number] = answer["node"], answer["machine"]
        elif "segment" in answer:
            take_segment(self._job, shot, answer["segment"], answer["content"])
        else:
            position = answer["position"]
            if "files" in answer:
                take_frame(self._job, position, answer["files"])
            self._fallbacks[position] = answer["fallback"]
            self._due[shot.number].discard(position)
            yield frame_of(answer, self._machines)

    def _unanswered(self, shot: Shot) -> Iterator[SavedFrame]:
        """Yields the frames of a shot whose answers were lost with a machine, once all of the shot is seen here."""
        due, job = self._due[shot.number], self._job
        if not due:
            return
        job.look_anew()
        if job.is_done(shot):
            for position in sorted(due):
                picture = saved_picture(job, shot, position)
                due.discard(position)
                yield frame_without_answer(position, job.manifest.info.range_start + position, picture, self._machines)

    @property
    def _machines(self) -> int:
        return max(1, len({node for node, _ in self._at_work.values()}))

    def _needed(self) -> dict[str, float]:
        return needed_by_shot(self._settings, self._device.type, self._job.manifest.threads)

    def _order_for(self, ray: Any) -> dict[str, Any]:
        """Returns what every task is told of the render, in plain words, so that another release can read it too."""
        settings, job = self._settings, self._job
        # Frames are fitted to the manifest's size, so the stylizer has nothing left to fit.
        precision = str(resolve_precision(settings.precision, self._device)).removeprefix("torch.")
        settings = replace(with_whole_paths(settings), size="source", device=self._device.type, precision=precision)
        order: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "versions": versions_of(settings),
            "settings": to_json(settings),
            "store": None,
        }
        manifest = job.path / MANIFEST_NAME
        if not settings.no_shared_storage:
            return order | {
                "job": str(job.path.resolve()),
                "manifest_sha256": sha256_of(manifest),
                "source": str(self._source),
                "source_bytes": self._source.stat().st_size if self._source.is_file() else 0,
                "styles": [str(style.resolve()) for style in self._styles],
            }
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        store = ray.remote(FrameStore).options(num_cpus=0, scheduling_strategy=here)
        return order | {
            "manifest": manifest.read_bytes(),
            "shipped": ray.put(packed(settings, self._styles)),
            "store": store.remote(str(job.path.resolve()), str(self._source), to_json(settings)),
        }

    def _say_who(self) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s > _SAID_EVERY_S:
            note_machines(self._job.path, self._at_work)
            self._said_s = now_s

    def _submit(self, task: Any, shot: Shot) -> Any:
        return task.remote(self._order, shot.number, self._cut_down(shot))

    def _say_if_alone(self) -> None:
        """Says so where there is no machine left to wait for; Ray goes on as soon as one comes."""
        try:
            check_resources(self._ray, self._needed())
        except ClusterError as error:
            logger.warning("waiting for machines: %s", error)

    def _cut_down(self, shot: Shot) -> dict[int, int]:
        slots = map(shot.slot, range(shot.first, shot.stop))
        return {slot: self._fallbacks[slot] for slot in slots if self._fallbacks.get(slot)}

    def _wait_until_seen(self, shots: Sequence[Shot]) -> None:
        """Waits until everything that the tasks have written is seen from here, too."""
        job, deadline = self._job, time.monotonic() + _SEEN_WITHIN_S
        for shot in shots:
            job.look_anew()
            while not job.is_done(shot):
                if time.monotonic() > deadline:
                    raise JobError(
                        f"{job.path}: what was painted of shot {shot.number} is not seen here; check that the storage "
                        "is the same for all machines, and run the command again"
                    )
                time.sleep(1)
                job.look_anew()


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
    said = str(error) if isinstance(error, VidstyleError) else f"{type(error).__name__}: {first_line}"
    return ClusterError(
        f"{count} failed {TRIES} times, first number {number} (frames {shot.start} to {shot.stop - 1} of the render): "
        f"{said}; everything else is done and kept: run the command again once that is mended"
    )
