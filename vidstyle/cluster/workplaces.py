"""The workplace of a process of the cluster, which is kept from one shot of a render to the next."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from vidstyle.cluster.no_shared_storage import RemoteWorkplace
from vidstyle.cluster.storage import SharedWorkplace, Workplace
from vidstyle.devices import keep_freed_memory
from vidstyle.errors import ClusterError, VidstyleError
from vidstyle.job.identity import versions_of
from vidstyle.settings import Settings

# This process's workplace, by id of the render.
_open: dict[str, Workplace] = {}


def workplace_for(order: Mapping[str, Any]) -> Workplace:
    """Returns this process's workplace for a render; that of another render is closed.

    Raises:
        ClusterError: this machine is not fit for it.
    """
    name = order["id"]
    if name not in _open:
        while _open:
            _open.popitem()[1].close()
        keep_freed_memory()
        machine = socket.gethostname()
        _check_versions(order["versions"], Settings(**order["settings"]), machine)
        try:
            _open[name] = RemoteWorkplace(order) if "store" in order else SharedWorkplace(order)
        except VidstyleError as error:
            raise ClusterError(f"machine {machine}: {error}") from error
    return _open[name]


def _check_versions(expected: Mapping[str, str], settings: Settings, machine: str) -> None:
    here = versions_of(settings)
    # Python's patch release changes no frame, and Ray itself compares the others.
    others = [
        f"{name} {here.get(name, 'none')}, and the render was begun with {release}"
        for name, release in expected.items()
        if name != "python" and here.get(name) != release
    ]
    if others:
        raise ClusterError(f"machine {machine} has {'; '.join(others)}; install the same releases on all machines")
