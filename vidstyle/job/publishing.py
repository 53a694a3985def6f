"""The last step: what a job has made takes its final name. It can be killed anywhere, and is gone through again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vidstyle.errors import JobError, OutputError, VidstyleError
from vidstyle.files import move_whole, remedy, sha256_of, sync_folder
from vidstyle.job.folder import PAINTED_NAME, PUBLISHING_NAME, JobFolder, read_record, write_record
from vidstyle.media.joining import join_video


def joined_path(job: JobFolder, output: Path) -> Path:
    """Returns where a video lies while it is put together."""
    return job.path / f"joined{output.suffix}"


def publish_video(job: JobFolder, output: Path, *, overwrite: bool) -> list[str]:
    """Joins the segments, checks what was written, gives it its name, and returns what the user should know.

    Args:
        overwrite: whether what has that name meanwhile may be replaced.

    Raises:
        OutputError: it cannot be written, or is not what it should be.
    """
    manifest, joined = job.manifest, joined_path(job, output)
    try:
        notes = join_video(joined, manifest.info, job.spec, job.segment_files(), manifest.timestamps)
        with joined.open("rb+") as file:
            os.fsync(file.fileno())
        if output.exists() and not overwrite:
            raise OutputError(f"{output}: has appeared meanwhile; move it away and run again, or use --overwrite")
        # From here on the output may be there already when the job is gone through again.
        write_record(job.path / PUBLISHING_NAME, {"sha256": sha256_of(joined)})
        move_whole(joined, output)
    except OutputError as error:
        raise OutputError(str(error).replace(str(joined), str(output))) from error
    except VidstyleError:
        raise
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror or error}); {remedy(error)}") from error
    finally:
        joined.unlink(missing_ok=True)
    return [note.replace(joined.name, output.name, 1) for note in notes]


def is_published_video(job: JobFolder, output: Path) -> bool:
    """Tells whether a killed run had given the output its name already."""
    if job.manifest.kind != "video":
        return False
    digest = read_record(job.path / PUBLISHING_NAME).get("sha256")
    return digest is not None and output.is_file() and sha256_of(output) == digest


def publish_frames(job: JobFolder, output: Path, names: Sequence[str]) -> None:
    """Gives all painted frames their names and puts them into the output folder.

    A folder that does not exist yet appears with all of them at once; into one that does they are moved one
    by one, and nothing else in it is touched.

    Args:
        names: of the frames' files, by position.

    Raises:
        OutputError: they cannot be put there. JobError: a frame is gone.
    """
    target = output.resolve()  # a link to a folder is filled, not replaced
    named = job.path / PAINTED_NAME
    write_record(job.path / PUBLISHING_NAME, {"frames": len(names)})
    try:
        named.mkdir(exist_ok=True)
        for position, name in enumerate(names):
            frame = job.frame_path(position)
            if frame.is_file():
                frame.replace(named / name)
            elif not (named / name).is_file() and not (target / name).is_file():
                raise JobError(f"{frame}: gone before it could be put into {output}; run again with --restart")
        if not target.exists() and _same_disk(named, target.parent):
            sync_folder(named)
            named.rename(target)
            sync_folder(target.parent)
            return
        for name in names:
            # Known before the first is moved: half a move is the worst of all.
            if (target / name).is_dir():
                raise OutputError(f"{target / name}: a folder is in the way; choose another output")
        target.mkdir(exist_ok=True)
        for file in sorted(named.iterdir()):
            move_whole(file, target / file.name)
    except VidstyleError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{output}: frames cannot be put there ({reason}); {remedy(error)}") from error


def is_publishing(job: JobFolder) -> bool:
    """Tells whether all frames were painted and a killed run had begun to put them into the output folder."""
    return job.manifest.kind == "frames" and (job.path / PUBLISHING_NAME).is_file()


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev
