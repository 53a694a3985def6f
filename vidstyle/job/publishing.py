"""The last step: the output gets its name. It can be killed at any moment, and is then done again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from vidstyle.errors import JobError, OutputError, VidstyleError
from vidstyle.files import move_whole, remedy, sha256_of, sync_folder, write_whole
from vidstyle.job.folder import PAINTED_NAME, PUBLISHING_NAME, JobFolder, read_record, write_record
from vidstyle.job.seams import published_frame
from vidstyle.media.stills.decoding import is_intact_png
from vidstyle.media.stills.images import read_layers, write_image
from vidstyle.media.streams.side_streams import StreamSelection
from vidstyle.media.write.joining import join_video


def joined_path(job: JobFolder, output: Path) -> Path:
    """Returns the file that a video is written to before it gets its name."""
    return job.path / f"joined{output.suffix}"


def publish_video(job: JobFolder, output: Path, selection: StreamSelection, *, overwrite: bool) -> list[str]:
    """Joins the segments, checks what was written, gives it its name, and returns what the user should know.

    Args:
        selection: of side streams. overwrite: whether a file that has appeared under that name may be replaced.

    Raises:
        OutputError: it cannot be written, or does not hold what it should.
    """
    manifest, joined = job.manifest, joined_path(job, output)
    try:
        notes = join_video(joined, manifest.info, job.spec, job.segment_files(), manifest.timestamps, selection)
        with joined.open("rb+") as file:
            os.fsync(file.fileno())
        if output.exists() and not overwrite:
            raise OutputError(f"{output}: has appeared meanwhile; move it away and run again, or use --overwrite")
        # From here on the output may be there already when this step is done again.
        record = {"output": str(output.resolve()), "sha256": sha256_of(joined), "selection": asdict(selection)}
        write_record(job.path / PUBLISHING_NAME, record)
        move_whole(joined, output)
    except OutputError as error:
        raise OutputError(str(error).replace(str(joined), str(output))) from error
    except VidstyleError:
        raise
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror or error}); {remedy(error)}") from error
    finally:
        with suppress(OSError):  # which must not hide an earlier error
            joined.unlink(missing_ok=True)
    return [note.replace(joined.name, output.name, 1) for note in notes]


def is_published_video(job: JobFolder, output: Path, selection: StreamSelection) -> bool:
    """Tells whether a killed run had finished the output, with the side streams that are selected now."""
    record = read_record(job.path / PUBLISHING_NAME)
    if job.manifest.kind != "video" or record.get("output") != str(output.resolve()) or not output.is_file():
        return False
    if record.get("selection") != asdict(selection):
        return False
    return sha256_of(output) == record.get("sha256")


def publish_frames(
    job: JobFolder, output: Path, names: Sequence[str], other_files: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """Moves all stylized frames into the output folder, under their names there.

    A new folder appears with all of them at once. Into an existing one they are moved one by one, and its other files
    stay as they are. Frames of another format than PNG are encoded again, and the PNG files stay in the job.

    Args:
        names: of the frames' files, by position; no two alike. other_files: contents by name.

    Raises:
        OutputError: they cannot be put there. JobError: a frame is gone or damaged.
    """
    target = output.resolve()  # a link to a folder is filled, not replaced
    # Frames lie here until all have their names: in the job, or beside an output on another disk.
    named, underway = job.path / PAINTED_NAME, target.with_name(f".{target.name}.part")
    try:
        for folder in (named, underway):
            for stray in folder.glob(".*.part*"):
                stray.unlink()
        digests = _begin(job, output, names, other_files)
        named.mkdir(exist_ok=True)
        for position, name in enumerate(names):
            frame = published_frame(job, position)
            if is_png_name(name) and frame.is_file():
                frame.replace(named / name)
            elif not any(_is(folder / name, digests[name]) for folder in (named, underway, target)):
                if not is_png_name(name) and frame.is_file() and job.has_frame(position):
                    _convert(frame, named / name)
                    continue
                _take_back(job, named, names)
                raise JobError(f"{frame}: gone or damaged; run the same command again to render it again")
        for name, content in other_files.items():
            if not any(_is(folder / name, digests[name]) for folder in (named, underway, target)):
                write_whole(named / name, content)
        sync_folder(named)
        if target.exists():
            _fill(target, named)
            return
        whole = named
        if not _same_disk(named, target.parent):
            underway.mkdir(exist_ok=True)
            _fill(underway, named)
            whole = underway
        whole.rename(target)
        sync_folder(target.parent)
    except VidstyleError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{output}: frames cannot be put there ({reason}); {remedy(error)}") from error


def is_publishing(job: JobFolder, output: Path) -> bool:
    """Tells whether all frames were stylized and a killed run had begun to move them into this folder."""
    record = read_record(job.path / PUBLISHING_NAME)
    return job.manifest.kind == "frames" and record.get("output") == str(output.resolve())


def _begin(job: JobFolder, output: Path, names: Sequence[str], other_files: Mapping[str, bytes]) -> dict[str, str]:
    """Checks every frame once more, records that the last step has begun, and returns all files' SHA-256 by name."""
    named = job.path / PAINTED_NAME
    if is_publishing(job, output):
        digests = read_record(job.path / PUBLISHING_NAME).get("digests")
        if isinstance(digests, dict) and set(digests) == {*names, *other_files}:
            return digests
        raise JobError(f"{job.path / PUBLISHING_NAME}: damaged; throw the job away with --restart")
    named.mkdir(exist_ok=True)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in other_files.items()}
    for position, name in enumerate(names):
        frame = published_frame(job, position)
        try:
            data = frame.read_bytes()
        except FileNotFoundError:
            data = b""
        if not is_intact_png(data):
            raise JobError(f"{frame}: gone or damaged; run the same command again to render it again")
        if not is_png_name(name):
            # Encoded first, since the record holds the digests of the files as they will be.
            _convert(frame, named / name)
            data = (named / name).read_bytes()
        digests[name] = hashlib.sha256(data).hexdigest()
    write_record(job.path / PUBLISHING_NAME, {"output": str(output.resolve()), "digests": digests})
    return digests


def is_png_name(name: str) -> bool:
    """Tells whether a frame's file in the job has the output's format, so that it only has to be moved."""
    return name.endswith(".png")


def _convert(frame: Path, target: Path) -> None:
    write_image(target, *read_layers(frame))


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_of(path) == digest


def _take_back(job: JobFolder, named: Path, names: Sequence[str]) -> None:
    """Moves frames back to where the next run looks for them."""
    for position, name in enumerate(names):
        if is_png_name(name) and (named / name).is_file():
            (named / name).replace(published_frame(job, position))
    (job.path / PUBLISHING_NAME).unlink(missing_ok=True)


def _fill(target: Path, named: Path) -> None:
    files = sorted(named.iterdir())
    for file in files:
        # Checked before the first file is moved, so that none is if one cannot be.
        if (target / file.name).is_dir():
            raise OutputError(f"{target / file.name}: a folder is in the way; choose another output")
    for file in files:
        move_whole(file, target / file.name)


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev
