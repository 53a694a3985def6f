"""Before and after a job: what may be continued, what may be begun, and what is cleared away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from vidstyle.errors import JobChangedError, JobError, VidstyleError
from vidstyle.files import check_writable
from vidstyle.job.folder import FINISHED_NAME, JobFolder, clear_job
from vidstyle.job.lock import is_lock_name, locked
from vidstyle.job.manifest import MANIFEST_NAME, Identity, Manifest, read_manifest

# A digest that no file has.
_MIXED = "changed under way"


def check_unchanged(path: Path, manifest: Manifest, now: Identity) -> None:
    """Makes sure that a job is continued with what it was begun with.

    Raises:
        JobChangedError: it is not; the message names what changed from what to what.
    """
    spoilt = [name for name, (_, digest) in manifest.identity.files.items() if digest == _MIXED]
    if spoilt:
        raise _mixed(path, spoilt)
    changed = manifest.identity.differences(now)
    if not changed:
        return
    old = [name for name, (_, digest) in now.files.items() if manifest.identity.files.get(name, ("", ""))[1] != digest]
    advice = f"put the old {' and '.join(old)} back to finish it" if old else f"finish it with: {manifest.command}"
    raise JobChangedError(
        f"{path}: an unfinished render of other things is there: {'; '.join(changed)}. Choose another output or "
        f"--job-dir, throw it away with --restart, or {advice}"
    )


def check_steady(path: Path, manifest: Manifest, files: Mapping[str, Sequence[str]]) -> None:
    """Makes sure that files which are read all along are, after painting, what they were before.

    Args:
        files: name and digest of each as it is now, by what it is there for.

    Raises:
        JobChangedError: they are not. The job is then marked, and `check_unchanged` refuses it: whatever is put
            back, which frames were painted with what is not known.
    """
    before = manifest.identity.files
    changed = {name: (words, _MIXED) for name, (words, digest) in files.items() if before[name][1] != digest}
    if changed:
        replace(manifest, identity=replace(manifest.identity, files={**before, **changed})).write(path)
        raise _mixed(path, list(changed))


def _mixed(path: Path, names: Sequence[str]) -> JobChangedError:
    what = " and ".join(names)
    return JobChangedError(f"{path}: {what} changed while frames were painted; begin anew with --restart")


def check_new_job(path: Path) -> None:
    """Makes sure that a new job folder neither takes over somebody's folder nor fails for want of a parent.

    Raises:
        JobError: something else is there. OutputError: it cannot be made.
    """
    if path.exists() and not path.is_dir():
        raise JobError(f"{path}: is a file where the job folder is wanted; choose another place with --job-dir")
    if path.is_dir():
        # A process killed in its first moments leaves locks and half a manifest.
        half = f".{Path(MANIFEST_NAME).stem}.part"
        strangers = sorted(p.name for p in path.iterdir() if not is_lock_name(p.name) and not p.name.startswith(half))
        if strangers:
            raise JobError(
                f"{path}: is no job folder, it holds {strangers[0]}; choose another place with --job-dir, or move it"
            )
    check_writable(path.resolve().parent)


def clear_leftovers(path: Path, identity: Identity) -> None:
    """Removes the folder of a job that was killed after all was done.

    One that was kept on purpose stays, as does one of another render.
    """
    if not path.is_dir() or (path / FINISHED_NAME).is_file():
        return
    with suppress(JobError, OSError), locked(path):  # an empty folder goes with its lock
        if (path / MANIFEST_NAME).is_file() and not read_manifest(path).identity.differences(identity):
            clear_job(path)


@contextmanager
def removed_if_empty(path: Path) -> Iterator[None]:
    """Leaves no trace of a render that fails, or is stopped, before its first frame."""
    try:
        yield
    except BaseException:
        # What cannot be read is not known to be empty.
        with suppress(VidstyleError, OSError):
            is_kept = (path / FINISHED_NAME).is_file()
            if not is_kept and JobFolder(path, read_manifest(path)).is_empty():
                clear_job(path)
        raise
