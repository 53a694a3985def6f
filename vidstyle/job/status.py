"""How far a job is, read from its folder alone: no input, no network, no torch."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vidstyle.errors import JobError, VidstyleError
from vidstyle.job.folder import FINISHED_NAME, MACHINES_NAME, JobFolder, read_record, write_record
from vidstyle.job.journal import read_journal
from vidstyle.job.lock import is_running
from vidstyle.job.manifest import MANIFEST_NAME, read_manifest
from vidstyle.job.render_record import output_digest, recorded

# The time a frame takes is judged by the last ones: those before may have been quicker or slower.
_TAIL_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Status:
    """A job's progress.

    Attributes:
        output: the file or folder it makes. job: its folder, or None where all is finished and the folder is gone.
        done, total: frames. shots_done, shots: shots. is_running: whether a process is at work on it.
        is_finished: whether the output has its final name. is_changed: whether the output has changed since.
        seconds_per_frame: median of the last frames, or with keyframes their mean; or None.
        command: what continues the job.
        machines: names of the cluster's machines at work on it.
    """

    output: Path
    job: Path | None
    done: int
    total: int
    shots_done: int
    shots: int
    is_running: bool
    is_finished: bool
    is_changed: bool
    seconds_per_frame: float | None
    command: str
    machines: tuple[str, ...] = ()


def job_path(output: str | Path, job_dir: Path | None = None) -> Path:
    """Returns the job folder of an output: `OUTPUT.vidstyle` beside it, unless another was chosen."""
    if job_dir is not None:
        return job_dir
    path = Path(output)
    if not path.name or path.name == "..":
        path = path.resolve()
    return path.with_name(f"{path.name}.vidstyle")


def job_status(output: str | Path, job_dir: Path | None = None) -> Status:
    """Returns how far the job of `output` is; a job folder may be named itself.

    Frames and segments are taken as done if their files are there; damage is found when the job goes on.

    Raises:
        JobError: there is no job and no finished render known by this name, or its manifest is damaged.
    """
    path = job_path(output, job_dir)
    if not (path / MANIFEST_NAME).is_file() and (Path(output) / MANIFEST_NAME).is_file():
        path = Path(output)
    if not (path / MANIFEST_NAME).is_file():
        record = recorded(Path(output))
        frames = record.get("frames")
        if not isinstance(frames, int):
            raise JobError(f"{output}: no job is known by this name (looked for {path}); check it, or give --job-dir")
        is_changed = record.get("content") != _digest(Path(output))
        return Status(Path(output), None, frames, frames, 0, 0, False, True, is_changed, None, "")
    manifest = read_manifest(path)
    job = JobFolder(path, manifest)
    done = shots_done = 0
    for shot in manifest.shots:
        count = sum(_frames_done(job, run) for run in shot.segments)
        done += count
        shots_done += count == shot.stop - shot.start
    record = read_record(path / FINISHED_NAME)
    is_finished, made = bool(record), Path(manifest.output)
    at_work = is_running(path)
    return Status(
        output=made,
        job=path,
        done=manifest.frame_count if is_finished else done,
        total=manifest.frame_count,
        shots_done=len(manifest.shots) if is_finished else shots_done,
        shots=len(manifest.shots),
        is_running=at_work,
        is_finished=is_finished,
        is_changed=is_finished and record.get("content") != _digest(made),
        seconds_per_frame=_seconds_per_frame(job),
        command=manifest.command,
        machines=machines_at_work(path) if at_work else (),
    )


def _seconds_per_frame(job: JobFolder) -> float | None:
    entries = read_journal(job.path, _TAIL_BYTES)
    if job.settings.keyframe_frames > 1:
        # The median is that of frames between keyframes, which take next to nothing.
        firsts = {shot.slot(shot.first) for shot in job.manifest.shots}
        later = [entry for entry in entries if entry.frame not in firsts]
        return statistics.fmean(entry.seconds for entry in later or entries) if entries else None
    return statistics.median(entry.seconds for entry in entries) if entries else None


def _digest(output: Path) -> str:
    """Returns `output_digest`, which is kept while the files look the same: a long film is read once, not each time."""
    files = sorted(output.iterdir()) if output.is_dir() else [output] if output.exists() else []
    return _digest_as_of(output, tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=64)
def _digest_as_of(output: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    return output_digest(output)


def _frames_done(job: JobFolder, run: range) -> int:
    if job.segment_path(run).with_suffix(".json").is_file():
        return len(run)
    return sum(job.frame_path(position).is_file() for position in run)


def note_machines(path: Path, at_work: Mapping[int, tuple[str, str]]) -> None:
    """Writes down which machines are at work; errors are left to the next frame, which raises them.

    Args:
        at_work: Ray's id and the name of the machine, by the number of the shot that it stylizes.
    """
    names = dict(at_work.values())
    try:
        write_record(path / MACHINES_NAME, {"machines": sorted(names.values()), "shots": sorted(at_work)})
    except VidstyleError:
        return


def forget_machines(path: Path) -> None:
    """Removes what `note_machines` has written."""
    (path / MACHINES_NAME).unlink(missing_ok=True)


def machines_at_work(path: Path) -> tuple[str, ...]:
    """Returns the names of the machines at work on a job, empty where it is not rendered by a cluster."""
    names = read_record(path / MACHINES_NAME).get("machines")
    return tuple(map(str, names)) if isinstance(names, list) else ()
