"""A render that is only rehearsed: what it would refuse is refused, and nothing is written or fetched."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, replace

import torch

from vidstyle.devices import threads
from vidstyle.errors import JobError, counted
from vidstyle.frames import Forecast, Frame
from vidstyle.job.folder import JobFolder
from vidstyle.job.lock import check_free
from vidstyle.job.manifest import MANIFEST_NAME, read_manifest
from vidstyle.job.status import job_path
from vidstyle.looks.frame_masks import Masks
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.render.disk import free_bytes, render_bytes
from vidstyle.render.estimate import Pace, measured_pace, memory_bytes
from vidstyle.render.run import Render
from vidstyle.render.shots import places_of
from vidstyle.text import look_rows
from vidstyle.weights.loading import missing_weights

# So many later frames of an unfinished job tell more than measuring does.
_ENOUGH_FRAMES = 5


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left to paint: frames that begin a shot, others, the shots that these are of.

    Of those, `leading` frames are painted to lead in parts of shots, and no frames of the render.
    """

    first_frames: int
    later_frames: int
    shots: int
    leading: int = 0

    @property
    def frames(self) -> int:
        return self.first_frames + self.later_frames - self.leading


class DryRun(Render):
    """One call of `forecast`: a render up to its first frame."""

    def forecast(self) -> Forecast:
        """Returns what `run` would do and take.

        Raises:
            VidstyleError: whatever `run` would raise before its first frame.
        """
        path, identity, count = self._entry()
        if count is not None:
            return self._told(None, _Left(0, 0, 0), 0.0, finished_frames=count)
        if self._request.kind == "still":
            self._load()
            return self._told(None, _Left(1, 0, 1), 0.0)
        check_free(path)
        started = time.perf_counter()
        job = self._job(path, identity)
        seconds = time.perf_counter() - started
        self._notes += job.manifest.notes
        is_new = self._settings.restart or not (path / MANIFEST_NAME).is_file()
        return self._told(job, _all_of(job) if is_new else _left_of(job), seconds)

    def _told(self, job: JobFolder | None, left: _Left, survey_s: float, finished_frames: int = 0) -> Forecast:
        frames = finished_frames or (1 if job is None else job.manifest.frame_count)
        pace = self._pace(job, left) if left.frames else None
        total_s = None if left.frames else 0.0
        if pace is not None:
            stylizing_s = left.first_frames * pace.first_frame_s + left.later_frames * pace.later_frame_s
            # The input is read once to find cuts, and once to paint.
            total_s = stylizing_s / self._processes_at_work(left, job) + 2 * survey_s
        disk, free = self._disk(job, frames)
        size = self._request.width, self._request.height
        return Forecast(
            plan=self._request.plan(frames, frames - left.frames, job),
            codec=self._codec(),
            duration_s=None if job is None else _duration_s(job),
            cuts=() if job is None else tuple(job.manifest.info.range_start + cut for cut in job.manifest.cuts),
            is_finished=bool(finished_frames),
            first_frame_s=None if pace is None else pace.first_frame_s,
            later_frame_s=None if pace is None or not left.later_frames else pace.later_frame_s,
            total_s=total_s,
            disk_bytes=disk,
            free_bytes=free,
            memory_bytes=None if pace is None else memory_bytes(self._stylizer.network, self._settings, *size),
            notes=tuple(self._notes),
            look=look_rows(self._settings, self._request.styles, self._request.timeline.changing),
        )

    # -- seconds and bytes ---------------------------------------------------------------------

    def _pace(self, job: JobFolder | None, left: _Left) -> Pace | None:
        """Returns how fast frames are painted, or None where the network is still to be fetched."""
        missing = self._missing_weights()
        if missing:
            whose = " and ".join(missing)
            self._notes.append(f"{whose} are not here yet; a render fetches them, and then time can be foretold")
            return None
        with threads(torch.get_num_threads() if job is None else job.manifest.threads):
            if job is None:
                self._notes += self._notes_of_still()
            frame, coverage = self._stylized_frame()
            look = self._stylizer.look if job is None else self._strongest_look(job)
            pace = measured_pace(self._stylizer, self._request.fitted(frame.image), coverage, look)
        if (pace.width, pace.height) != (self._request.width, self._request.height):
            self._notes.append(f"time was measured at {pace.width}x{pace.height} pixels, and multiplied")
        if job is None or left.frames == job.manifest.frame_count:
            return pace
        starts = {shot.slot(shot.first) for shot in job.manifest.shots}
        seconds = [entry.seconds for entry in job.journal().values() if entry.frame not in starts]
        return replace(pace, later_frame_s=statistics.mean(seconds)) if len(seconds) >= _ENOUGH_FRAMES else pace

    def _stylized_frame(self) -> tuple[Frame, Coverage | None]:
        """Returns the first frame of which something is painted, or else the last one, and where it is."""
        with Masks(self._settings) as masks:
            for frame in self._request.source:
                coverage = masks.of(frame, self._request.width, self._request.height)
                if coverage is None or coverage.is_stylized:
                    break
        return frame, coverage

    def _strongest_look(self, job: JobFolder) -> Look:
        """Returns the look of the frame that is painted most strongly: at strength 0 nothing is, in no time."""
        timeline, info = self._stylizer.timeline, job.manifest.info
        first_pts, timestamps = self._request.source.first_pts, job.manifest.timestamps
        looks = (
            timeline.look(index, (pts - first_pts) * info.time_base)
            for index, pts in enumerate(timestamps if timeline.is_changing else timestamps[:1], info.range_start)
        )
        return max(looks, key=lambda look: look.strength)

    def _processes_at_work(self, left: _Left, job: JobFolder | None) -> int:
        """Returns how many processes paint without taking from each other: one on each GPU, or as a cluster has it."""
        if self._settings.cluster is not None and job is not None:
            places, machines = places_of(self._settings, self._request.device.type, job.manifest.threads)
            at_once = f"{counted(places, 'shot')} at once on {counted(machines, 'machine')}"
            self._notes.append(f"the cluster paints {at_once}, which are taken to be as fast as this one")
            return max(1, min(places, left.shots))
        devices = torch.cuda.device_count() if self._request.device.type == "cuda" else 1
        return max(1, min(self._settings.workers, left.shots, devices))

    def _disk(self, job: JobFolder | None, frames: int) -> tuple[int, int]:
        """Returns the bytes that are needed, and those that are free, and notes where they are too few."""
        place = (self._request.output if job is None else job.path).resolve().parent
        encoding = None if self._request.spec is None else self._request.spec.encoding
        how = {"is_png": self._request.suffix == ".png", "is_elsewhere": self._settings.job_dir is not None}
        how["is_recolored"] = self._settings.color == "content"
        needed = render_bytes(encoding, self._request.width * self._request.height, frames, **how)
        free = free_bytes(place)
        if needed > free:
            self._notes.append(f"{place}: may run out of room; the render would stop there, and can be continued")
        return needed, free

    def _codec(self) -> str:
        """Returns in words how pictures are encoded."""
        if self._request.spec is None:
            return (self._request.suffix if self._request.kind == "frames" else self._request.output.suffix.lower())[1:]
        encoding = self._request.spec.encoding
        quality = "" if encoding.crf is None else f", crf {encoding.crf}"
        return f"{encoding.codec} {encoding.pixel_format}{quality}"

    # -- what a render does otherwise ----------------------------------------------------------

    def _weights_fingerprint(self) -> tuple[str, str]:
        settings = self._settings
        if not missing_weights(settings.network, settings.weights, None):
            return super()._weights_fingerprint()
        # They are taken for those of the unfinished job, if there is one.
        with suppress(JobError, KeyError):
            name, digest = read_manifest(job_path(self._request.output, settings.job_dir)).identity.files["weights"]
            return name, digest
        return "not fetched yet", ""

    def _load(self) -> None:
        if not self._missing_weights():
            super()._load()

    def _missing_weights(self) -> list[str]:
        settings = self._settings
        flow = settings.flow if settings.is_warped else None
        return missing_weights(settings.network, settings.weights, flow)


def _all_of(job: JobFolder) -> _Left:
    shots = len(job.manifest.shots)
    leading = sum(len(shot.lead_in) for shot in job.manifest.shots)
    return _Left(shots, job.manifest.frame_count + leading - shots, shots, leading)


def _left_of(job: JobFolder) -> _Left:
    missing = {shot: job.missing_positions(shot) for shot in job.manifest.shots if not job.is_done(shot)}
    first = sum(shot.first in positions for shot, positions in missing.items())
    leading = sum(position < shot.start for shot, positions in missing.items() for position in positions)
    return _Left(first, sum(map(len, missing.values())) - first, len(missing), leading)


def _duration_s(job: JobFolder) -> float:
    info, timestamps = job.manifest.info, job.manifest.timestamps
    last_s = 0 if info.rate is None else 1 / info.rate
    return float((timestamps[-1] - timestamps[0]) * info.time_base + last_s)
