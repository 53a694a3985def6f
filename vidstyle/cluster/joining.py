"""The way into a Ray cluster."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vidstyle.errors import ClusterError

HOW_TO_INSTALL = "pip install 'vidstyle[cluster]'"


def load_ray() -> Any:
    """Returns the module `ray`.

    Raises:
        ClusterError: it is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ClusterError(f"Ray, which --cluster needs, cannot be loaded ({error}); {HOW_TO_INSTALL}") from error


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yields the module `ray`, connected to a cluster until the block ends.

    Where the calling program is connected already, that connection is used, and left.

    Args:
        address: "auto" for the cluster that this machine is part of, "local" for one that is started for the
            occasion, or the address of the head.

    Raises:
        ClusterError: Ray is not installed, there is no such cluster, or it is of another release.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == "local":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options |= {"address": "local", "include_dashboard": False}
    else:
        options["address"] = address
    with _own_signals():
        try:
            ray.init(**options)
        except (OSError, RuntimeError, ValueError) as error:
            raise _unreachable(address, error) from error
    try:
        yield ray
    finally:
        with _own_signals():
            ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Puts back the handlers that Ray replaces: a render that is ended leaves its files in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(number) is not None]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unreachable(address: str, error: Exception) -> ClusterError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if address == "auto":
        return ClusterError(
            f"no Ray cluster can be reached from here ({reason}); start one with: ray start --head, or give its address"
        )
    return ClusterError(f"{address}: no Ray cluster can be reached there ({reason}); check the address")


def check_resources(ray: Any, needed: Mapping[str, float]) -> None:
    """Makes sure that some machine of the cluster has what a shot needs.

    Args:
        needed: by Ray's names of resources: "CPU", "GPU".

    Raises:
        ClusterError: none has; such a shot would wait for ever.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(all(have.get(name, 0) >= count for name, count in needed.items()) for have in machines):
        return
    wanted = " and ".join(f"{count:g} {name}{'s' if count > 1 else ''}" for name, count in needed.items() if count)
    most = " and ".join(f"{max((have.get(name, 0) for have in machines), default=0):g} {name}s" for name in needed)
    raise ClusterError(
        f"no machine of the cluster has {wanted} for a shot (the most are {most}); see --cpus-per-shot and "
        "--gpus-per-shot"
    )
