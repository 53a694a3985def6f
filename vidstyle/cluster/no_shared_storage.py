"""`--no-shared-storage`: frames and files for machines that do not see this one's disks.

Input frames go to the machines through Ray, as large as they are stylized, a few at a time; stylized frames and encoded
segments come back with the answers. Styles, weights and settings over time travel once to each machine. Memory does not
grow with the length of a shot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from vidstyle.cluster.joining import load_ray
from vidstyle.cluster.storage import Storage, Workplace
from vidstyle.errors import SourceError
from vidstyle.files import write_whole
from vidstyle.frames import Frame, join_moment, resize, split_moment
from vidstyle.job.folder import JobFolder
from vidstyle.job.manifest import MANIFEST_NAME, read_manifest
from vidstyle.job.source import open_with_settings
from vidstyle.looks.frame_masks import Masks
from vidstyle.looks.stylizer import Stylizer
from vidstyle.media.read.frame_reader import FrameReader
from vidstyle.method.coverage import Coverage
from vidstyle.settings import Settings
from vidstyle.settings.kinds import join_region, split_region
from vidstyle.settings.words import to_json
from vidstyle.shots import Shot
from vidstyle.weights.loading import is_shipped, weights_file
from vidstyle.workers.shot_stylizer import ShotStylizer

# Of frames that travel together; a machine holds one such load while it waits for the next.
LOAD_BYTES = 8 << 20
# Inputs that are open at once; with more shots at a time they are opened again and again.
_MOST_OPEN = 64

# Frames, as large as they are stylized, each with its mask.
Load = list[tuple[Frame, "Coverage | None"]]


class RemoteStorage(Storage):
    """The job folder is on this machine's disks alone."""

    def order(self, ray: Any, settings: Settings) -> dict[str, Any]:
        job, source = self._job, self._source
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        store = ray.remote(FrameStore).options(num_cpus=0, scheduling_strategy=here)
        return {
            "manifest": (job.path / MANIFEST_NAME).read_bytes(),
            "shipped": ray.put(packed(settings, self._styles)),
            "store": store.remote(str(job.path.resolve()), str(source), to_json(settings)),
        }

    def take(self, shot: Shot, answer: Mapping[str, Any]) -> None:
        if "files" in answer:
            take_frame(self._job, answer["position"], answer["files"])
        elif "segment" in answer:
            take_segment(self._job, shot, answer["segment"], answer["content"])


class RemoteWorkplace(Workplace):
    """On a machine that does not see the job: its frames come from the store, and go back with the answers."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        ray = load_ray()
        self._ray, self._store = ray, order["store"]
        self._temporary = TemporaryDirectory(prefix="vidstyle-", ignore_cleanup_errors=True)
        try:
            folder = Path(self._temporary.name) / "job"
            folder.mkdir()
            (folder / MANIFEST_NAME).write_bytes(order["manifest"])
            settings, styles = unpacked(ray.get(order["shipped"]), Settings(**order["settings"]), folder.parent)
            manifest = read_manifest(folder)
            torch.set_num_threads(manifest.threads)
            self._job = JobFolder(folder, manifest)
            self._job.make_folders()
            self._stylizer = Stylizer(styles, settings)
        except BaseException:
            self._temporary.cleanup()
            raise

    def stylize(self, number: int, fallbacks: Mapping[int, int]) -> Iterator[dict[str, Any]]:
        job, shot = self._job, self._job.manifest.shots[number]
        names, starts = self._ray.get(self._store.names.remote(number))
        known = set(starts)
        job.forget_files(run for run in (shot.fades_in, *shot.segments) if run.start in known)
        try:
            for name in names:
                (job.path / name).write_bytes(self._ray.get(self._store.file.remote(name)))
            frames = StoredFrames(self._ray, self._store, shot)
            shot_stylizer = ShotStylizer(job, frames, self._stylizer, frames, fallbacks)
            for frame in shot_stylizer.stylize([shot]):
                # A segment is encoded after its last frame was yielded, so it is sent before the next one.
                yield from segments_since(job, shot, known)
                content = frame_bytes(job, frame.position)
                yield frame.to_json() | {"image": frame.stylized.image, "files": content}
            yield from segments_since(job, shot, known)
        finally:
            self._clear()

    def _clear(self) -> None:
        for folder in (self._job.frames_folder, self._job.delivered_folder, self._job.segments_folder):
            for file in folder.iterdir():
                file.unlink(missing_ok=True)

    def close(self) -> None:
        self._temporary.cleanup()


class FrameStore:
    """Gives out the files and input frames of shots; runs as a Ray actor on the machine that has them."""

    def __init__(self, job: str, source: str, settings: Mapping[str, Any]) -> None:
        self._folder, self._source, self._settings = Path(job), Path(source), Settings(**settings)
        self._job = JobFolder(self._folder, read_manifest(self._folder))
        self._readers: dict[int, tuple[FrameReader, Masks]] = {}

    def names(self, number: int) -> tuple[list[str], list[int]]:
        """Returns which files of a shot are there; see `names_of`."""
        self._close(number)  # left by an earlier attempt
        self._job.forget_files()
        return names_of(self._job, self._job.manifest.shots[number])

    def file(self, name: str) -> bytes:
        """Returns the content of a file of the job folder.

        Raises:
            OSError: it cannot be read.
        """
        return (self._folder / name).read_bytes()

    def load(self, number: int, position: int) -> tuple[int, Load]:
        """Returns the input's very first timestamp, and as many frames of a shot as travel together.

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
    """The frames of a shot and their masks from a store, for `ShotStylizer`.

    Args:
        ray: the module. store: the actor.
    """

    def __init__(self, ray: Any, store: Any, shot: Shot) -> None:
        self._ray, self._store, self._shot = ray, store, shot
        self.first_pts = 0
        self._start, self._load = shot.start, Load()
        self._next_load: tuple[int, Any] | None = None

    def frame(self, position: int) -> Frame:
        """Returns a frame, as large as it is stylized.

        Raises:
            SourceError: it cannot be read.
        """
        if not self._start <= position < self._start + len(self._load):
            self._fetch(position)
        return self._load[position - self._start][0]

    def of(self, frame: Frame, width: int, height: int) -> Coverage | None:
        """Returns how the frame that was just read is covered, at the size at which it is stylized."""
        return next(coverage for each, coverage in self._load if each.index == frame.index)

    def _fetch(self, position: int) -> None:
        next_load = self._next_load
        self._load, self._next_load = Load(), None  # so that two are in memory, not three
        reference = next_load[1] if next_load is not None and next_load[0] == position else self._request(position)
        self._start = position
        self.first_pts, load = self._ray.get(reference)
        self._load = [_own(frame, coverage) for frame, coverage in load]
        if not self._load:
            raise SourceError(f"frame {position} of the render lies outside its shot")
        following = position + len(self._load)
        if following < self._shot.stop:
            self._next_load = following, self._request(following)

    def _request(self, position: int) -> Any:
        return self._store.load.remote(self._shot.number, position)


def _own(frame: Frame, coverage: Coverage | None) -> tuple[Frame, Coverage | None]:
    """Returns copies: the arrays of Ray's object store are read-only, and take its memory as long as they are used."""
    alpha = None if frame.alpha is None else frame.alpha.copy()
    covered = None if coverage is None else Coverage(coverage.shown.copy(), coverage.shares.copy())
    return replace(frame, image=frame.image.copy(), alpha=alpha), covered


@dataclass(frozen=True)
class ShippedFiles:
    """The files that the settings name, with a number for each path.

    Attributes:
        contents: of files, by number of the path and file name; a folder has several. folders: numbers of folders.
        styles, regions, style_at: numbers of the styles that these name, in order.
        weights, animate: number, or None.
    """

    contents: dict[int, dict[str, bytes]]
    folders: frozenset[int]
    styles: tuple[int, ...]
    regions: tuple[int, ...]
    style_at: tuple[int, ...]
    weights: int | None
    animate: int | None


def packed(settings: Settings, styles: Sequence[Path]) -> ShippedFiles:
    """Returns every file that stylizing needs besides frames and masks.

    Raises:
        OSError: a file cannot be read.
    """
    numbers: dict[Path, int] = {}
    contents: dict[int, dict[str, bytes]] = {}
    folders = set()

    def number(path: Path) -> int:
        if path not in numbers:
            numbers[path] = len(numbers)
            files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
            contents[numbers[path]] = {file.name: file.read_bytes() for file in files}
            folders.update([numbers[path]] if path.is_dir() else [])
        return numbers[path]

    network = settings.network, settings.weights
    return ShippedFiles(
        styles=tuple(number(style) for style in styles),
        regions=tuple(number(style) for _, style in settings.regions),
        style_at=tuple(number(Path(name)) for _, name in map(split_moment, settings.style_at)),
        weights=None if is_shipped(*network) else number(weights_file(*network)),
        animate=None if settings.animate is None else number(settings.animate),
        contents=contents,
        folders=frozenset(folders),
    )


def unpacked(shipped: ShippedFiles, settings: Settings, folder: Path) -> tuple[Settings, list[Path]]:
    """Writes all files into a folder, and returns settings and styles that name them there."""
    paths = []
    for number, files in shipped.contents.items():
        unpacked_to = folder / f"shipped{number}"
        unpacked_to.mkdir()
        for name, content in files.items():
            (unpacked_to / name).write_bytes(content)
        paths.append(unpacked_to if number in shipped.folders else unpacked_to / next(iter(files)))
    regions = zip((split_region(region)[0] for region in settings.region), shipped.regions, strict=True)
    style_at = zip((split_moment(text)[0] for text in settings.style_at), shipped.style_at, strict=True)
    named = replace(
        settings,
        region=tuple(join_region(str(mask), str(paths[style])) for mask, style in regions),
        style_at=tuple(join_moment(moment, str(paths[style])) for moment, style in style_at),
        weights=None if shipped.weights is None else paths[shipped.weights],
        animate=None if shipped.animate is None else paths[shipped.animate],
    )
    return named, [paths[style] for style in shipped.styles]


def names_of(job: JobFolder, shot: Shot) -> tuple[list[str], list[int]]:
    """Returns the names of the files of a shot's stylized frames, and the starts of its finished segments."""
    is_video = job.manifest.kind == "video"
    whole = [run.start for run in (shot.fades_in, *shot.segments) if run and is_video and job.has_segment(run)]
    paths = (
        path
        for slot in map(shot.slot, range(shot.first, shot.stop))
        if job.has_frame(slot)
        for path in dict.fromkeys((job.frame_path(slot), job.delivered_path(slot)))
    )
    return [path.relative_to(job.path).as_posix() for path in paths], whole


def frame_bytes(job: JobFolder, position: int) -> dict[str, bytes]:
    """Returns the contents of a stylized frame's files."""
    stylized, delivered = job.frame_path(position), job.delivered_path(position)
    content = {"stylized": stylized.read_bytes()}
    return content if delivered == stylized else content | {"delivered": delivered.read_bytes()}


def take_frame(job: JobFolder, position: int, content: Mapping[str, bytes]) -> None:
    """Saves a frame that comes from another machine.

    Raises:
        OutputError: it cannot be written.
    """
    # In the order of `JobFolder.save_frame`: the stylized frame is last.
    if "delivered" in content:
        write_whole(job.delivered_path(position), content["delivered"])
    write_whole(job.frame_path(position), content["stylized"])


def segments_since(job: JobFolder, shot: Shot, known: set[int]) -> Iterator[dict[str, Any]]:
    """Yields an answer for each finished segment of a shot whose start is not `known`, and adds it to these."""
    for run in shot.segments:
        if run.start not in known and job.manifest.kind == "video" and job.segment_path(run).is_file():
            known.add(run.start)
            yield {"segment": run.start, "content": job.segment_path(run).read_bytes()}


def take_segment(job: JobFolder, shot: Shot, start: int, content: bytes) -> None:
    """Saves a segment that comes from another machine, and removes its frames.

    Raises:
        OutputError: it cannot be written.
    """
    run = next(run for run in shot.segments if run.start == start)
    write_whole(job.segment_path(run), content)
    job.note_segment(shot, run)
    if job.is_done(shot):
        job.tidy(shot)
