"""Seams between parts of one shot: over some frames, the earlier part's paint fades into the later one's.

Both parts paint these frames, each in its own chain, which optical flow carries along with what moves: paint of the
one and of the other lies on the same things, and what is between the two does so, too. The process that has all of
it does the mixing, so that no part waits for another.
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
    """The seams of a job that are open, each to be closed as soon as both sides of it are painted.

    Args:
        are_closed: whether all of them are known to be.
    """

    def __init__(self, job: JobFolder, *, are_closed: bool = False) -> None:
        self._job = job
        shots = () if are_closed else job.manifest.shots
        self._open = [(before, after) for before, after in pairwise(shots) if after.lead_in and not _has(job, after)]
        self._seams = {slot: seam for seam in self._open for slot in _slots(*seam)}

    def add(self, slot: int) -> None:
        """Takes note of a frame that was saved.

        Raises:
            OutputError: what is made of the seam cannot be written.
        """
        seam = self._seams.get(slot)
        # Another machine's frames may be seen a little later; the seam is closed at the end then.
        if seam is not None and seam in self._open and all(map(self._job.has_frame, _slots(*seam))):
            self._open.remove(seam)
            _close(self._job, *seam)

    def close(self) -> None:
        """Closes those that are left, once all shots are painted, and removes what led in.

        Raises:
            OutputError: what is made of them cannot be written. JobError: a frame is gone.
        """
        while self._open:
            _close(self._job, *self._open.pop(0))
        if self._job.manifest.kind == "video":
            for shot in self._job.manifest.shots:
                self._job.remove_frames(slot for slot in shot.lead_in if self._job.frame_path(slot).is_file())


def output_path(job: JobFolder, position: int) -> Path:
    """Returns the file of a frame of an output folder: as it was delivered, or if it lies in a seam, as made of two."""
    delivered = job.delivered_path(position)
    return job.path / SEAMS_NAME / delivered.name if position in job.manifest.fading else delivered


def _slots(before: Shot, after: Shot) -> list[int]:
    """Returns where the frames are kept that a seam is made of."""
    return [shot.slot(position) for position in after.fades_in for shot in (before, after)]


def _has(job: JobFolder, after: Shot) -> bool:
    """Tells whether the seam before a part is closed."""
    if job.manifest.kind == "video":
        return job.has_segment(after.fades_in)
    paths = [output_path(job, position) for position in after.fades_in]
    return all(path.is_file() and is_intact_png(path.read_bytes()) for path in paths)


def _close(job: JobFolder, before: Shot, after: Shot) -> None:
    mixed = _mixed(job, before, after)
    if job.manifest.kind == "video":
        job.write_segment(after.fades_in, (over_white(*layers) for layers in mixed))
        job.note_segment(before, after.fades_in)
        job.tidy(after)
        return
    for position, layers in zip(after.fades_in, mixed, strict=True):
        write_image(output_path(job, position), *layers)


def _mixed(job: JobFolder, before: Shot, after: Shot) -> Iterator[tuple[Picture, Picture | None]]:
    """Yields colors and alpha of each frame of a seam."""
    steps = len(after.fades_in) + 1
    for step, position in enumerate(after.fades_in, start=1):
        earlier, alpha = job.delivered_layers(before.slot(position))
        later, _ = job.delivered_layers(after.slot(position))
        mixed = cv2.addWeighted(earlier, 1 - step / steps, later, step / steps, 0)
        yield np.asarray(mixed, np.uint8), alpha
