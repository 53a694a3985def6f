"""Frames and files for machines that do not see this one's disks; memory does not grow with the shot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidstyle.errors import SourceError
from vidstyle.frames import Frame, resize
from vidstyle.job.exchange import names_of
from vidstyle.job.folder import JobFolder
from vidstyle.job.manifest import read_manifest
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.method.coverage import Coverage
from vidstyle.settings import Settings
from vidstyle.shots import Shot

# Of frames that travel together; a machine has one such load in hand and one on its way.
LOAD_BYTES = 8 << 20
# Inputs that are held open at once; where more shots are painted at a time, they are opened again and again.
_MOST_OPEN = 64

# A frame, as large as it is painted, and its mask.
Load = list[tuple[Frame, "Coverage | None"]]


class FrameStore:
    """Hands out what is needed for painting; runs as a Ray actor on the machine that has the files."""

    def __init__(self, job: str, source: str, settings: Mapping[str, Any]) -> None:
        self._folder, self._source, self._settings = Path(job), Path(source), Settings(**settings)
        self._job = JobFolder(self._folder, read_manifest(self._folder))
        self._readers: dict[int, tuple[FrameReader, Masks]] = {}

    def names(self, number: int) -> tuple[list[str], list[int]]:
        """Returns what of a shot is there; see `exchange.names_of`."""
        self._close(number)  # an earlier attempt's
        self._job.look_anew()
        return names_of(self._job, self._job.manifest.shots[number])

    def file(self, name: str) -> bytes:
        """Returns the content of a file of the job folder.

        Raises:
            OSError: it cannot be read.
        """
        return (self._folder / name).read_bytes()

    def load(self, number: int, position: int) -> tuple[int, Load]:
        """Returns the input's very first timestamp, and frames of a shot from a position on that travel together.

        Raises:
            SourceError: the input cannot be read.
        """
        manifest = self._job.manifest
        shot, size = manifest.shots[number], (manifest.width, manifest.height)
        reader, masks = self._reader(number)
        load: Load = []
        size_bytes = 0
        while position < shot.stop and size_bytes < LOAD_BYTES:
            frame = reader.frame(position)
            coverage = masks.of(frame, *size)
            alpha = None if frame.alpha is None else resize(frame.alpha, *size)
            load.append((replace(frame, image=resize(frame.image, *size), alpha=alpha), coverage))
            size_bytes += load[-1][0].image.nbytes
            position += 1
        if position == shot.stop:
            self._close(number)
        return reader.first_pts, load

    def _reader(self, number: int) -> tuple[FrameReader, Masks]:
        if number not in self._readers:
            while len(self._readers) >= _MOST_OPEN:
                self._close(next(iter(self._readers)))
            source, settings = self._source, self._settings
            reader = FrameReader(lambda: open_with_settings(source, settings), self._job.manifest.timestamps)
            self._readers[number] = reader, Masks(settings)
        return self._readers[number]

    def _close(self, number: int) -> None:
        for held in self._readers.pop(number, ()):
            held.close()


class StoredFrames:
    """The frames of a shot and their masks, from a store, where they are painted.

    Args:
        ray: the module. store: the actor.
    """

    def __init__(self, ray: Any, store: Any, shot: Shot) -> None:
        self._ray, self._store, self._shot = ray, store, shot
        self.first_pts = 0
        self._start, self._load = shot.start, Load()
        self._coming: tuple[int, Any] | None = None

    def frame(self, position: int) -> Frame:
        """Returns a frame, as large as it is painted.

        Raises:
            SourceError: it cannot be had.
        """
        if not self._start <= position < self._start + len(self._load):
            self._fetch(position)
        return self._load[position - self._start][0]

    def of(self, frame: Frame, width: int, height: int) -> Coverage | None:
        """Returns how a frame that was just read is covered, at the size at which it is painted."""
        return next(coverage for each, coverage in self._load if each.index == frame.index)

    def _fetch(self, position: int) -> None:
        coming = self._coming
        self._load, self._coming = Load(), None  # not three at a time
        reference = coming[1] if coming is not None and coming[0] == position else self._asked(position)
        self._start = position
        self.first_pts, load = self._ray.get(reference)
        self._load = [_own(frame, coverage) for frame, coverage in load]
        if not self._load:
            raise SourceError(f"frame {position} of the render lies outside its shot")
        following = position + len(self._load)
        if following < self._shot.stop:
            self._coming = following, self._asked(following)

    def _asked(self, position: int) -> Any:
        return self._store.load.remote(self._shot.number, position)


def _own(frame: Frame, coverage: Coverage | None) -> tuple[Frame, Coverage | None]:
    """Returns both with arrays of their own: those of the object store are read-only, and keep their room there."""
    alpha = None if frame.alpha is None else frame.alpha.copy()
    covered = None if coverage is None else Coverage(coverage.shown.copy(), coverage.shares.copy())
    return replace(frame, image=frame.image.copy(), alpha=alpha), covered
