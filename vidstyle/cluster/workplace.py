"""What a process of the cluster keeps from one shot of a render to the next: network, style, opened input."""

from __future__ import annotations

import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from vidstyle.cluster.frame_store import StoredFrames
from vidstyle.cluster.joining import load_ray
from vidstyle.cluster.shipped_files import unpacked
from vidstyle.devices import keep_freed_memory
from vidstyle.errors import ClusterError, VidstyleError
from vidstyle.files import sha256_of
from vidstyle.job.exchange import frame_bytes, segments_since
from vidstyle.job.fingerprints import check_look
from vidstyle.job.folder import JobFolder
from vidstyle.job.lock import locked_by_worker
from vidstyle.job.manifest import MANIFEST_NAME, read_manifest
from vidstyle.job.source import open_with_settings
from vidstyle.job.versions import versions_of
from vidstyle.looks.frame_masks import Masks
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.method.stylizer import Stylizer
from vidstyle.settings import Settings
from vidstyle.workers.answers import frame_answer
from vidstyle.workers.shot_stylizer import ShotStylizer

logger = logging.getLogger(__name__)


class Workplace(ABC):
    """Paints shots of one render in this process.

    Raises:
        ClusterError: this machine is not fit for it.
    """

    @abstractmethod
    def stylize(self, number: int, memory_fallbacks: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        """Yields an answer for each frame of a shot when it is saved; see `task.paint_shot`."""

    @abstractmethod
    def close(self) -> None:
        """Releases every file."""


class SharedWorkplace(Workplace):
    """On a machine that sees the job folder, the input and the styles under the paths that the order gives."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        settings, folder, source = Settings(**order["settings"]), Path(order["job"]), Path(order["source"])
        _check_sight(folder / MANIFEST_NAME, order["manifest_sha256"])
        for path in (source, *map(Path, order["styles"])):
            # A pattern of numbered files is no file itself.
            if not path.exists() and not path.parent.is_dir():
                raise _unseen(path)
        manifest = read_manifest(folder)
        torch.set_num_threads(manifest.threads)
        self._job = JobFolder(folder, manifest)
        self._stylizer = Stylizer(order["styles"], settings)
        check_look(manifest.identity.files, [Path(style) for style in order["styles"]], settings)
        # Reading a film through on every machine, for its checksum, would take minutes.
        if source.is_file() and source.stat().st_size != order["source_bytes"]:
            raise _unseen(source, "another file is there")
        self._masks = Masks(settings)
        self._reader = FrameReader(lambda: open_with_settings(source, settings), manifest.timestamps)

    def stylize(self, number: int, memory_fallbacks: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        job = self._job
        # A task of an earlier attempt, whose machine is thought to be gone, may still be at it.
        with locked_by_worker(job.path, number):
            job.look_anew()
            shot_stylizer = ShotStylizer(job, self._reader, self._stylizer, self._masks, memory_fallbacks)
            for frame in shot_stylizer.stylize(job.manifest.shots[number]):
                yield frame_answer(frame) | {"image": frame.stylized.image}

    def close(self) -> None:
        self._reader.close()
        self._masks.close()


class RemoteWorkplace(Workplace):
    """On a machine that sees nothing: frames come from the store, and what is painted goes with the answers."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        ray = load_ray()
        self._ray, self._store = ray, order["store"]
        self._place = TemporaryDirectory(prefix="vidstyle-", ignore_cleanup_errors=True)
        try:
            place = Path(self._place.name)
            folder = place / "job"
            folder.mkdir()
            (folder / MANIFEST_NAME).write_bytes(order["manifest"])
            settings, styles = unpacked(ray.get(order["shipped"]), Settings(**order["settings"]), place)
            manifest = read_manifest(folder)
            torch.set_num_threads(manifest.threads)
            self._job = JobFolder(folder, manifest)
            self._job.make_folders()
            self._stylizer = Stylizer(styles, settings)
        except BaseException:
            self._place.cleanup()
            raise

    def stylize(self, number: int, memory_fallbacks: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        job, shot = self._job, self._job.manifest.shots[number]
        names, starts = self._ray.get(self._store.names.remote(number))
        known = set(starts)
        job.look_anew(run for run in (shot.fades_in, *shot.segments) if run.start in known)
        try:
            for name in names:
                (job.path / name).write_bytes(self._ray.get(self._store.file.remote(name)))
            frames = StoredFrames(self._ray, self._store, shot)
            shot_stylizer = ShotStylizer(job, frames, self._stylizer, frames, memory_fallbacks)
            for frame in shot_stylizer.stylize(shot):
                # A segment is closed after its last frame was handed on, so that it goes before the next one.
                yield from segments_since(job, shot, known)
                content = frame_bytes(job, frame.position)
                yield frame_answer(frame) | {"image": frame.stylized.image, "files": content}
            yield from segments_since(job, shot, known)
        finally:
            self._clear()

    def _clear(self) -> None:
        for folder in (self._job.frames_folder, self._job.delivered_folder, self._job.segments_folder):
            for file in folder.iterdir():
                file.unlink(missing_ok=True)

    def close(self) -> None:
        self._place.cleanup()


_kept: dict[str, Workplace] = {}


def workplace_for(order: Mapping[str, Any]) -> Workplace:
    """Returns this process's workplace for a render; that of another render is given up.

    Raises:
        ClusterError: this machine is not fit for it.
    """
    name = order["id"]
    if name not in _kept:
        while _kept:
            _kept.popitem()[1].close()
        keep_freed_memory()
        machine = socket.gethostname()
        _check_versions(order["versions"], Settings(**order["settings"]), machine)
        try:
            _kept[name] = RemoteWorkplace(order) if order["store"] is not None else SharedWorkplace(order)
        except VidstyleError as error:
            raise ClusterError(f"machine {machine}: {error}") from error
    return _kept[name]


def _check_versions(wanted: Mapping[str, str], settings: Settings, machine: str) -> None:
    here = versions_of(settings)
    # Python's own last number changes no frame, and Ray looks at the first two.
    others = [
        f"{name} {here.get(name, 'none')}, and the render was begun with {release}"
        for name, release in wanted.items()
        if name != "python" and here.get(name) != release
    ]
    if others:
        raise ClusterError(f"machine {machine} has {'; '.join(others)}; install the same releases on all machines")


def _check_sight(path: Path, digest: str) -> None:
    try:
        is_same = sha256_of(path) == digest
    except OSError as error:
        raise _unseen(path) from error
    if not is_same:
        raise _unseen(path, "another file is there")


def _unseen(path: Path, why: str = "not seen there") -> ClusterError:
    return ClusterError(
        f"{path}: {why}; put input, styles and job folder (--job-dir) on storage that every machine has under the "
        "same path, or use --no-shared-storage"
    )
