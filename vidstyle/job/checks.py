"""Which job may be continued, where a new one may be begun, and which folders are removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from vidstyle.errors import JobChangedError, JobError, VidstyleError
from vidstyle.files import check_writable
from vidstyle.job.folder import FINISHED_NAME, JobFolder, clear_job
from vidstyle.job.identity import Identity
from vidstyle.job.lock import is_lock_name, locked
from vidstyle.job.manifest import MANIFEST_NAME, Manifest, read_manifest

# A digest that no file has.
_MIXED = "changed during the render"


def check_unchanged(path: Path, manifest: Manifest, now: Identity) -> None:
    """Makes sure that a job is continued with the settings and files that it was begun with.

    Raises:
        JobChangedError: it is not; the message names each change.
    """
    changed_files = [name for name, (_, digest) in manifest.identity.files.items() if digest == _MIXED]
    if changed_files:
        raise _mixed(path, changed_files)
    changed = manifest.identity.differences(now)
    if not changed:
        return
    old = [name for name, (_, digest) in now.files.items() if manifest.identity.files.get(name, ("", ""))[1] != digest]
    advice = f"put the old {' and '.join(old)} back to finish it" if old else f"finish it with: {manifest.command}"
    raise JobChangedError(
        f"{path}: holds an unfinished render that differs: {'; '.join(changed)}. Choose another output or "
        f"--job-dir, throw it away with --restart, or {advice}"
    )


def check_steady(path: Path, manifest: Manifest, files: Mapping[str, Sequence[str]]) -> None:
    """Makes sure that files which are read throughout the render have not changed during it.

    Args:
        files: name and digest of each as it is now, under its name in `Identity.files`.

    Raises:
        JobChangedError: one has changed. The job is then marked, and `check_unchanged` refuses it: even if the file
            is put back, nobody knows which frames were made from which content.
    """
    before = manifest.identity.files
    changed = {name: (words, _MIXED) for name, (words, digest) in files.items() if before[name][1] != digest}
    if changed:
        replace(manifest, identity=replace(manifest.identity, files={**before, **changed})).write(path)
        raise _mixed(path, list(changed))


def _mixed(path: Path, names: Sequence[str]) -> JobChangedError:
    what = " and ".join(names)
    return JobChangedError(f"{path}: {what} changed during the render; start over with --restart")


def check_new_job(path: Path) -> None:
    """Makes sure that a new job folder can be made, and would not use a folder with other things in it.

    Raises:
        JobError: something else has that name. OutputError: it cannot be made.
    """
    if path.exists() and not path.is_dir():
        raise JobError(f"{path}: is a file, and the job folder needs that name; choose another with --job-dir")
    if path.is_dir():
        # A process that is killed in its first moments leaves locks and part of a manifest.
        part = f".{Path(MANIFEST_NAME).stem}.part"
        others = sorted(p.name for p in path.iterdir() if not is_lock_name(p.name) and not p.name.startswith(part))
        if others:
            raise JobError(
                f"{path}: is no job folder, since it holds {others[0]}; choose another with --job-dir, or move it"
            )
    check_writable(path.resolve().parent)


def clear_leftovers(path: Path, identity: Identity) -> None:
    """Removes the folder of a job that was killed after its output was complete.

    A folder that is kept on purpose (--keep-job) stays, and so does that of another render.
    """
    if not path.is_dir() or (path / FINISHED_NAME).is_file():
        return
    with suppress(JobError, OSError), locked(path):  # an empty folder goes with its lock
        if (path / MANIFEST_NAME).is_file() and not read_manifest(path).identity.differences(identity):
            clear_job(path)


@contextmanager
def removed_if_empty(path: Path) -> Iterator[None]:
    """Removes the job folder of a render that fails, or is stopped, before its first frame."""
    try:
        yield
    except BaseException:
        # A folder that cannot be read may hold frames, and stays.
        with suppress(VidstyleError, OSError):
            is_kept = (path / FINISHED_NAME).is_file()
            if not is_kept and JobFolder(path, read_manifest(path)).is_empty():
                clear_job(path)
        raise
