"""Seams between the parts of a split shot (--split-shots): over some frames, one part fades into the next.

Both parts stylize these frames, each starting from its own frames before. Optical flow has strokes follow what moves
in either part, so that the two pictures, and their mixture, fit the same things. The process that collects all frames
mixes them, so that no part waits for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from vidstyle.frames import Picture
from vidstyle.job.folder import SEAMS_NAME, JobFolder
from vidstyle.media.stills.alpha import over_white
from vidstyle.media.stills.decoding import is_intact_png
from vidstyle.media.stills.images import write_image
from vidstyle.shots import Shot


class Seams:
    """The seams of a job that are not mixed yet; each is as soon as both of its sides are stylized.

    Args:
        are_done: whether all of them are known to be.
    """

    def __init__(self, job: JobFolder, *, are_done: bool = False) -> None:
        self._job = job
        shots = () if are_done else job.manifest.shots
        self._open = [(before, after) for before, after in pairwise(shots) if after.lead_in and not _has(job, after)]
        self._seams = {slot: seam for seam in self._open for slot in _slots(*seam)}

    def add(self, slot: int) -> None:
        """Takes a frame that was saved; mixes the seam that it completes, if it does.

        Raises:
            OutputError: the seam cannot be written.
        """
        seam = self._seams.get(slot)
        # Frames that another machine has written may appear a little later; the seam is then mixed in `finish`.
        if seam is not None and seam in self._open and all(map(self._job.has_frame, _slots(*seam))):
            self._open.remove(seam)
            _mix(self._job, *seam)

    def finish(self) -> None:
        """Mixes the seams that are left, once all shots are stylized, and removes what led in.

        Raises:
            OutputError: a seam cannot be written. JobError: a frame is gone.
        """
        while self._open:
            _mix(self._job, *self._open.pop(0))
        if self._job.manifest.kind == "video":
            for shot in self._job.manifest.shots:
                self._job.remove_frames(slot for slot in shot.lead_in if self._job.frame_path(slot).is_file())


def published_frame(job: JobFolder, position: int) -> Path:
    """Returns the file in the job of a frame as an output folder gets it: within a seam, the mixture of two frames."""
    delivered = job.delivered_path(position)
    return job.path / SEAMS_NAME / delivered.name if position in job.manifest.fading else delivered


def _slots(before: Shot, after: Shot) -> list[int]:
    """Returns the slots of the frames that a seam is made of."""
    return [shot.slot(position) for position in after.fades_in for shot in (before, after)]


def _has(job: JobFolder, after: Shot) -> bool:
    """Tells whether the seam before a part is done."""
    if job.manifest.kind == "video":
        return job.has_segment(after.fades_in)
    paths = [published_frame(job, position) for position in after.fades_in]
    return all(path.is_file() and is_intact_png(path.read_bytes()) for path in paths)


def _mix(job: JobFolder, before: Shot, after: Shot) -> None:
    mixed = _mixed(job, before, after)
    if job.manifest.kind == "video":
        job.write_segment(after.fades_in, (over_white(*layers) for layers in mixed))
        job.note_segment(before, after.fades_in)
        job.tidy(after)
        return
    for position, layers in zip(after.fades_in, mixed, strict=True):
        write_image(published_frame(job, position), *layers)


def _mixed(job: JobFolder, before: Shot, after: Shot) -> Iterator[tuple[Picture, Picture | None]]:
    """Yields colors, `(H, W, 3)` uint8, and alpha of each frame of a seam."""
    steps = len(after.fades_in) + 1
    for step, position in enumerate(after.fades_in, start=1):
        earlier, alpha = job.delivered_layers(before.slot(position))
        later, _ = job.delivered_layers(after.slot(position))
        mixed = cv2.addWeighted(earlier, 1 - step / steps, later, step / steps, 0)
        yield np.asarray(mixed, np.uint8), alpha
