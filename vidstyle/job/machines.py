"""Who is at work on a job of a cluster, for those who ask how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vidstyle.errors import VidstyleError
from vidstyle.job.folder import MACHINES_NAME, read_record, write_record


def note_machines(path: Path, at_work: Mapping[int, tuple[str, str]]) -> None:
    """Writes down which machines are at work; a folder that cannot be written to is noticed elsewhere.

    Args:
        at_work: a number and the name of the machine, by the number of the shot that it paints.
    """
    names = dict(at_work.values())
    try:
        write_record(path / MACHINES_NAME, {"machines": sorted(names.values()), "shots": sorted(at_work)})
    except VidstyleError:
        return


def forget_machines(path: Path) -> None:
    """Removes what `note_machines` has written."""
    (path / MACHINES_NAME).unlink(missing_ok=True)


def machines_at_work(path: Path) -> tuple[str, ...]:
    """Returns the names of the machines at work on a job, empty where it is not painted by a cluster."""
    names = read_record(path / MACHINES_NAME).get("machines")
    return tuple(map(str, names)) if isinstance(names, list) else ()
