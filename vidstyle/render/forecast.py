"""A dry run: what a render would do and take, from its plan, a measured frame and rules of thumb."""

from __future__ import annotations

import shutil
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from vidstyle.devices import threads
from vidstyle.errors import counted
from vidstyle.frames import Forecast, Frame
from vidstyle.job.folder import JobFolder
from vidstyle.job.lock import check_free
from vidstyle.looks.frame_masks import Masks
from vidstyle.media.write.codecs import CODECS, Encoding
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.render.engines import cluster_size
from vidstyle.render.estimate import Pace, measured_pace, memory_bytes
from vidstyle.render.plan import RenderPlan, plan_render, still_notes, with_job
from vidstyle.render.request import Request
from vidstyle.shots import SEGMENT_FRAMES
from vidstyle.text import look_rows

# From so many later frames of an unfinished job on, their times are used instead of a measured frame's.
_ENOUGH_FRAMES = 5
# Of stylized frames at the default quality of each codec: the largest of three measured runs of 24 frames at 640 px
# (h264: 0.28 to 0.45 bits).
PNG_BYTES_PER_PX = 2.2
_BITS_PER_PX = {
    "h264": 0.45,
    "hevc": 0.48,
    "av1": 0.37,
    "vp9": 0.43,
    "prores": 6.2,
    "ffv1": 13.2,
    "gif": 7.0,
    "webp": 2.9,
}
# Steps of quality that halve a file, measured likewise.
_HALVING = {"h264": 6, "hevc": 6, "av1": 16, "vp9": 12, "webp": 28}
# job/README.md: job folder and output together stay under so many finished videos and a segment of frames.
_VIDEOS, _VIDEOS_ELSEWHERE = 2.5, 3.5


@dataclass(frozen=True, slots=True)
class _Left:
    """Frames that are left: first ones of a shot, others, and the shots that these are of.

    Of the frames, `leading` ones only lead in parts of split shots, and are not in the output.
    """

    first_frames: int = 0
    later_frames: int = 0
    shots: int = 0
    leading: int = 0

    @property
    def frames(self) -> int:
        return self.first_frames + self.later_frames - self.leading


def forecast_of(request: Request) -> Forecast:
    """Returns what `run` would do and take.

    Raises:
        VidstyleError: whatever `run` would raise before its first frame.
    """
    plan, analysis_s = plan_render(request, is_dry_run=True), 0.0
    if plan.finished_frames is not None:
        left = _Left()
    elif request.kind == "still":
        left = _Left(first_frames=1, shots=1)
        if not request.missing_weights():
            _ = request.stylizer  # raises what is wrong with them
    else:
        check_free(plan.job_path)
        started = time.perf_counter()
        plan = with_job(plan, request.listeners.say_analysis)
        analysis_s = time.perf_counter() - started
        left = _left_of(plan)
    notes = [*plan.notes, *(plan.job.manifest.notes if plan.job is not None else ())]
    pace = _pace(plan, left, notes) if left.frames else None
    total_s = None if left.frames else 0.0
    if pace is not None:
        stylizing_s = left.first_frames * pace.first_frame_s + left.later_frames * pace.later_frame_s
        # The input is decoded twice: once to be analyzed, once to be stylized.
        total_s = stylizing_s / _shots_at_once(plan, left, notes) + 2 * analysis_s
    return _forecast(plan, left, pace, total_s, notes)


def _forecast(plan: RenderPlan, left: _Left, pace: Pace | None, total_s: float | None, notes: list[str]) -> Forecast:
    request, job = plan.request, plan.job
    frames = plan.finished_frames or (1 if job is None else job.manifest.frame_count)
    needed, free = _disk(plan, frames, notes)
    return Forecast(
        plan=request.plan(frames, frames - left.frames, job),
        codec=_codec(request),
        duration_s=None if job is None else _duration_s(job),
        cuts=() if job is None else tuple(job.manifest.info.range_start + cut for cut in job.manifest.cuts),
        is_finished=plan.finished_frames is not None,
        first_frame_s=None if pace is None else pace.first_frame_s,
        later_frame_s=None if pace is None or not left.later_frames else pace.later_frame_s,
        total_s=total_s,
        disk_bytes=needed,
        free_bytes=free,
        memory_bytes=None
        if pace is None
        else memory_bytes(request.stylizer.network, request.settings, request.width, request.height),
        notes=tuple(notes),
        look=look_rows(request.settings, request.styles, request.timeline.changing),
    )


# -- frames and shots ------------------------------------------------------------------------------


def _left_of(plan: RenderPlan) -> _Left:
    job = plan.job
    if job is None:
        return _Left()
    if plan.is_new:
        shots = len(job.manifest.shots)
        leading = sum(len(shot.lead_in) for shot in job.manifest.shots)
        return _Left(shots, job.manifest.frame_count + leading - shots, shots, leading)
    missing = {shot: job.missing_positions(shot) for shot in job.manifest.shots if not job.is_done(shot)}
    first = sum(shot.first in positions for shot, positions in missing.items())
    leading = sum(position < shot.start for shot, positions in missing.items() for position in positions)
    return _Left(first, sum(map(len, missing.values())) - first, len(missing), leading)


def _shots_at_once(plan: RenderPlan, left: _Left, notes: list[str]) -> int:
    """Returns how many shots are rendered at a time at full speed: one on each GPU, or as many as a cluster can."""
    request, settings = plan.request, plan.request.settings
    if settings.cluster is not None and plan.job is not None:
        shots, machines = cluster_size(settings, request.device.type, plan.job.manifest.threads)
        at_once = f"{counted(shots, 'shot')} at once on {counted(machines, 'machine')}"
        notes.append(f"the cluster renders {at_once}, which are taken to be as fast as this one")
        return max(1, min(shots, left.shots))
    devices = torch.cuda.device_count() if request.device.type == "cuda" else 1
    return max(1, min(settings.workers, left.shots, devices))


# -- seconds ---------------------------------------------------------------------------------------


def _pace(plan: RenderPlan, left: _Left, notes: list[str]) -> Pace | None:
    """Returns how long frames take, or None where weights are still to be fetched."""
    request, job = plan.request, plan.job
    missing = request.missing_weights()
    if missing:
        whose = " and ".join(missing)
        notes.append(f"{whose} are not here yet; a render fetches them, and from then on its time can be estimated")
        return None
    with threads(torch.get_num_threads() if job is None else job.manifest.threads):
        if job is None:
            notes += still_notes(request)
        frame, coverage = _frame_to_measure(request)
        look = request.stylizer.look if job is None else _strongest_look(request, job)
        pace = measured_pace(request.stylizer, request.resized(frame.image), coverage, look)
    if (pace.width, pace.height) != (request.width, request.height):
        notes.append(f"time was measured at {pace.width}x{pace.height} pixels, and multiplied")
    if job is None or left.frames == job.manifest.frame_count:
        return pace
    starts = {shot.slot(shot.first) for shot in job.manifest.shots}
    seconds = [entry.seconds for entry in job.journal().values() if entry.frame not in starts]
    return replace(pace, later_frame_s=statistics.mean(seconds)) if len(seconds) >= _ENOUGH_FRAMES else pace


def _frame_to_measure(request: Request) -> tuple[Frame, Coverage | None]:
    """Returns the first frame of which something is stylized, or else the last one, with its coverage."""
    with Masks(request.settings) as masks:
        for frame in request.source:
            coverage = masks.of(frame, request.width, request.height)
            if coverage is None or coverage.is_stylized:
                break
    return frame, coverage


def _strongest_look(request: Request, job: JobFolder) -> Look:
    """Returns the look of greatest strength among the frames: at strength 0 a frame takes no time."""
    timeline, info = request.stylizer.timeline, job.manifest.info
    first_pts, timestamps = request.source.first_pts, job.manifest.timestamps
    looks = (
        timeline.look(index, (pts - first_pts) * info.time_base)
        for index, pts in enumerate(timestamps if timeline.is_changing else timestamps[:1], info.range_start)
    )
    return max(looks, key=lambda look: look.strength)


def _duration_s(job: JobFolder) -> float:
    info, timestamps = job.manifest.info, job.manifest.timestamps
    last_s = 0 if info.rate is None else 1 / info.rate
    return float((timestamps[-1] - timestamps[0]) * info.time_base + last_s)


# -- bytes -----------------------------------------------------------------------------------------


def _disk(plan: RenderPlan, frames: int, notes: list[str]) -> tuple[int, int]:
    """Returns the bytes that are needed, and those that are free; a note says where these are too few."""
    request, settings = plan.request, plan.request.settings
    folder = (request.output if plan.job is None else plan.job.path).resolve().parent
    needed = render_bytes(
        None if request.spec is None else request.spec.encoding,
        request.width * request.height,
        frames,
        is_png=request.suffix == ".png",
        is_elsewhere=settings.job_dir is not None,
        is_recolored=settings.color == "content",
    )
    free = free_bytes(folder)
    if needed > free:
        notes.append(f"{folder}: may run out of room; the render would stop there, and can be continued")
    return needed, free


def _codec(request: Request) -> str:
    """Returns how pictures are encoded, in words."""
    if request.spec is None:
        return (request.suffix if request.kind == "frames" else request.output.suffix.lower())[1:]
    encoding = request.spec.encoding
    quality = "" if encoding.crf is None else f", crf {encoding.crf}"
    return f"{encoding.codec} {encoding.pixel_format}{quality}"


def video_bytes(encoding: Encoding, px: int, frames: int) -> float:
    """Returns the size of a stylized video without its sound.

    Args:
        px: pixels of a frame. frames: how many.
    """
    codec = CODECS[encoding.codec]
    bits = _BITS_PER_PX[encoding.codec]
    if encoding.crf is not None and codec.crf is not None and encoding.codec in _HALVING:
        bits *= 2 ** ((codec.crf - encoding.crf) / _HALVING[encoding.codec])
    return bits / 8 * px * frames


def render_bytes(
    encoding: Encoding | None, px: int, frames: int, *, is_png: bool, is_elsewhere: bool, is_recolored: bool = False
) -> int:
    """Returns the most that a job folder and its output take together.

    Args:
        encoding: of a video, or None. px: pixels of a frame. frames: how many.
        is_png: whether pictures are written as PNG. is_elsewhere: whether the job folder is on another disk.
        is_recolored: whether the job keeps frames in two colors.
    """
    png_bytes = PNG_BYTES_PER_PX * px
    if encoding is None:
        return round(png_bytes * frames * ((1 if is_png else 2) + is_recolored))
    videos = _VIDEOS_ELSEWHERE if is_elsewhere else _VIDEOS
    return round(
        videos * video_bytes(encoding, px, frames) + (1 + is_recolored) * png_bytes * min(frames, SEGMENT_FRAMES)
    )


def free_bytes(folder: Path) -> int:
    """Returns the room left on the disk of a folder, which may be missing."""
    existing = folder.resolve()
    while not existing.exists():
        existing = existing.parent
    return shutil.disk_usage(existing).free
