"""How the machines of a cluster get at a job: here, on storage that all of them share.

`Storage` is used where the command was given, `Workplace` where shots are stylized; a process keeps the latter, with
network, style and opened input, from one shot of a render to the next. `no_shared_storage` has the other pair.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from vidstyle.errors import ClusterError
from vidstyle.files import sha256_of
from vidstyle.job.folder import JobFolder
from vidstyle.job.identity import check_look
from vidstyle.job.lock import locked_by_worker
from vidstyle.job.manifest import MANIFEST_NAME, read_manifest
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.stylizer import Stylizer
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.settings import Settings
from vidstyle.shots import Shot
from vidstyle.workers.shot_stylizer import ShotStylizer

logger = logging.getLogger(__name__)


class Storage(ABC):
    """Gives the tasks of a render what they need, and takes in what they have made.

    Args:
        job: of the render. source: its input, as a whole path. styles: as given.
    """

    def __init__(self, job: JobFolder, source: Path, styles: Sequence[Path]) -> None:
        self._job, self._source, self._styles = job, source, styles

    @abstractmethod
    def order(self, ray: Any, settings: Settings) -> dict[str, Any]:
        """Returns what a `Workplace` needs to know besides the settings; `ray` is the module."""

    @abstractmethod
    def take(self, shot: Shot, answer: Mapping[str, Any]) -> None:
        """Saves the files that an answer holds.

        Raises:
            OutputError: they cannot be written.
        """


class SharedStorage(Storage):
    """All machines see the job folder, the input and the styles, under the same paths."""

    def order(self, ray: Any, settings: Settings) -> dict[str, Any]:
        return {
            "job": str(self._job.path.resolve()),
            "manifest_sha256": sha256_of(self._job.path / MANIFEST_NAME),
            "source": str(self._source),
            "source_bytes": self._source.stat().st_size if self._source.is_file() else 0,
            "styles": [str(style.resolve()) for style in self._styles],
        }

    def take(self, shot: Shot, answer: Mapping[str, Any]) -> None:
        """Does nothing: the machine that answers has written all files itself."""


class Workplace(ABC):
    """Stylizes shots of one render in this process.

    Raises:
        ClusterError: this machine is not fit for it.
    """

    @abstractmethod
    def stylize(self, number: int, fallbacks: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        """Yields an answer for each frame of a shot when it is saved; see `task.stylize_shot`."""

    @abstractmethod
    def close(self) -> None:
        """Releases every file."""


class SharedWorkplace(Workplace):
    """On a machine that sees the job folder, the input and the styles under the order's paths."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        settings, folder, source = Settings(**order["settings"]), Path(order["job"]), Path(order["source"])
        _check_same(folder / MANIFEST_NAME, order["manifest_sha256"])
        for path in (source, *map(Path, order["styles"])):
            # A pattern of numbered files is not a file itself.
            if not path.exists() and not path.parent.is_dir():
                raise _not_seen(path)
        manifest = read_manifest(folder)
        torch.set_num_threads(manifest.threads)
        self._job = JobFolder(folder, manifest)
        self._stylizer = Stylizer(order["styles"], settings)
        check_look(manifest.identity.files, [Path(style) for style in order["styles"]], settings)
        # A checksum would take every machine minutes for a film.
        if source.is_file() and source.stat().st_size != order["source_bytes"]:
            raise _not_seen(source, "another file is there")
        self._masks = Masks(settings)
        self._reader = FrameReader(lambda: open_with_settings(source, settings), manifest.timestamps)

    def stylize(self, number: int, fallbacks: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        job = self._job
        # A task of an earlier attempt may still be at work, on a machine that seemed to be lost.
        with locked_by_worker(job.path, number):
            job.forget_files()
            shot_stylizer = ShotStylizer(job, self._reader, self._stylizer, self._masks, fallbacks)
            for frame in shot_stylizer.stylize([job.manifest.shots[number]]):
                yield frame.to_json() | {"image": frame.stylized.image}

    def close(self) -> None:
        self._reader.close()
        self._masks.close()


def _check_same(path: Path, digest: str) -> None:
    try:
        is_same = sha256_of(path) == digest
    except OSError as error:
        raise _not_seen(path) from error
    if not is_same:
        raise _not_seen(path, "another file is there")


def _not_seen(path: Path, reason: str = "not seen there") -> ClusterError:
    return ClusterError(
        f"{path}: {reason}; put input, styles and job folder (--job-dir) on storage that every machine has under the "
        "same path, or use --no-shared-storage"
    )
