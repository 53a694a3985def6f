"""Files: written whole or not at all, known by their content, and where the cache is."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from vidstyle.errors import OutputError, VidstyleError


def part_path(target: Path) -> Path:
    """Returns the temporary name beside `target` under which it is written.

    The suffix stays last, since it tells encoders what to write. The process number keeps two
    renders of the same name from writing into one file.
    """
    return target.with_name(f".{target.stem}.part{os.getpid()}{target.suffix}")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yields a temporary path beside `target`; renames it to `target` when the block ends well.

    If the block raises, whatever was written is removed and `target` is as it was before.

    Raises:
        OutputError: the folder of `target` cannot be written to.
    """
    part = part_path(target)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        # SourceError is an OSError too: what the block itself reports is not about the output.
        if isinstance(error, VidstyleError):
            raise
        raise OutputError(f"{target}: cannot be written ({error.strerror or error}); {remedy(error)}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_whole(target: Path, content: bytes) -> None:
    """Writes a file whole or not at all, as `written_whole` does.

    Raises:
        OutputError: it cannot be written.
    """
    with written_whole(target) as part:
        part.write_bytes(content)


def remedy(error: OSError) -> str:
    """Returns what to do about a file that cannot be written."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return "make room, then run the same command again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "check the permissions, then run the same command again"
    return "run the same command again, or choose another place"


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut; where the system has no way to, does nothing."""
    if sys.platform == "win32":  # folders cannot be opened there
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def move_whole(source: Path, target: Path) -> None:
    """Moves a file onto `target`, which is there whole or not at all, also from one disk to another.

    Raises:
        OutputError: it cannot be written there.
    """
    try:
        source.replace(target)
        sync_folder(target.parent)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise OutputError(f"{target}: cannot be written ({error.strerror or error}); {remedy(error)}") from error
    with written_whole(target) as part:
        shutil.copyfile(source, part)
    source.unlink()


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's content in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """Returns the folder for what can be had again: `VIDSTYLE_CACHE`, or the system's place for caches."""
    if os.environ.get("VIDSTYLE_CACHE"):
        return Path(os.environ["VIDSTYLE_CACHE"])
    return user_cache_path("vidstyle", appauthor=False, opinion=False)


def check_writable(folder: Path) -> None:
    """Makes sure that a file can be created in `folder`.

    Raises:
        OutputError: the folder does not exist, is none, or is not writable.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder; create it first or choose another output")
    try:
        # Without a name where the system knows such files: nothing is left behind, whatever happens.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"{folder}: not writable ({error.strerror}); choose another output") from error
