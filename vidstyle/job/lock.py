"""One process at a time works on a job; the system releases the locks of processes that die."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vidstyle.errors import JobError, JobStoppedError
from vidstyle.files import sync_folder
from vidstyle.job.folder import LOCK_NAME, STOP_NAME

# Workers of a killed process end by themselves within this time.
WORKERS_END_S = 20.0
BUSY_S = 0.5
_LOCK = re.compile(re.escape(LOCK_NAME) + r"(\.worker[0-9]+)?")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Locks a job folder, which is made if it is missing, until the block ends.

    Raises:
        JobError: another process is at work on it, or the folder cannot be made.
    """
    try:
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)
        lock = FileLock(path / LOCK_NAME)
        # `is_running` holds the lock for a moment.
        lock.acquire(timeout=BUSY_S)
    except Timeout as error:
        raise _busy(path) from error
    except OSError as error:
        raise JobError(f"{path}: cannot be made or written to ({error.strerror or error}); see --job-dir") from error
    try:
        (path / STOP_NAME).unlink(missing_ok=True)  # it was for an earlier run
        _wait_for_workers(path)
        yield
    finally:
        with suppress(OSError):
            (path / STOP_NAME).unlink(missing_ok=True)
        # Removed while locked, so that it cannot be another process's lock; Windows removes no open file.
        if sys.platform != "win32":
            _remove_if_empty(path)
        lock.release()
        if sys.platform == "win32":
            _remove_if_empty(path)


def stop_if_asked(path: Path) -> None:
    """Raises an error if the file `stop` asks for it, in a render without frames so far.

    Raises:
        JobStoppedError: the render is to stop.
    """
    if (path / STOP_NAME).is_file():
        raise JobStoppedError(f"{path}: stopped, as asked, before the first frame; run the same command to start over")


def is_lock_name(name: str) -> bool:
    """Tells whether a file in a job folder is a lock."""
    return _LOCK.fullmatch(name) is not None


def _remove_if_empty(path: Path) -> None:
    """Removes a folder that holds only locks: its job is finished, or was never begun."""
    with suppress(OSError):
        if all(is_lock_name(p.name) for p in path.iterdir()):
            for file in path.iterdir():
                file.unlink()
            path.rmdir()


@contextmanager
def locked_by_worker(path: Path, number: int) -> Iterator[None]:
    """Locks a file of this worker's own, by which later processes know that it may still write to the job folder."""
    with FileLock(path / f"{LOCK_NAME}.worker{number}"):
        yield


def _wait_for_workers(path: Path) -> None:
    deadline = time.monotonic() + WORKERS_END_S
    for file in path.glob(f"{LOCK_NAME}.worker*"):
        try:
            with FileLock(file).acquire(timeout=max(0.0, deadline - time.monotonic())):
                pass
        except Timeout as error:
            raise JobError(f"{path}: workers of an earlier run are still at work on this job; stop them") from error


def check_free(path: Path) -> None:
    """Makes sure that no process is at work on a job folder, which may be missing; nothing is written.

    Raises:
        JobError: one is, in the words of `locked`.
    """
    if is_running(path):
        raise _busy(path)


def _busy(path: Path) -> JobError:
    return JobError(f"{path}: another vidstyle is at work on this job; wait for it, or stop it first")


def is_running(path: Path) -> bool:
    """Tells whether a process is at work on the job folder."""
    if not (path / LOCK_NAME).is_file():
        return False
    try:
        with FileLock(path / LOCK_NAME).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False
