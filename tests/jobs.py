"""Jobs without a render."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from clips import picture

from vidstyle.frames import ClipInfo
from vidstyle.job.folder import JobFolder
from vidstyle.job.manifest import Identity, Manifest
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json


def make_manifest(**changes: Any) -> Manifest:
    """Twelve frames of 64x48 at 25 per second in two shots, the second from frame 7 on."""
    values: dict[str, Any] = {
        "command": "vidstyle in --style style.png",
        "identity": Identity({"--size": "64"}, {"input": ("in", "ab" * 32)}, {"frame size": "64x48"}),
        "settings": to_json(Settings()),
        "versions": {"torch": "2.13.0"},
        "threads": 2,
        "output": "out.mp4",
        "kind": "video",
        "info": ClipInfo(Path("in"), "frames", 64, 48, Fraction(25), 12, Fraction(1, 25)),
        "width": 64,
        "height": 48,
        "timestamps": tuple(range(12)),
        "cuts": (7,),
        "segment_frames": 4,
        "notes": (),
    }
    return Manifest(**values | changes)


def make_job(path: Path, **changes: Any) -> JobFolder:
    """A new job folder."""
    path.mkdir()
    job = JobFolder(path, make_manifest(**changes))
    job.create()
    return job


def fill(job: JobFolder, positions: Any) -> None:
    """Saves frames that tell their position."""
    for position in positions:
        job.save_frame(position, picture(position))


def finish(job: JobFolder) -> JobFolder:
    """Does all but the last step."""
    for shot in job.manifest.shots:
        for run in shot.segments:
            fill(job, run)
            if job.manifest.kind == "video":
                job.close_segment(shot, run)
    return job
