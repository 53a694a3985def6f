"""Joining a Ray cluster, and what its machines have."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vidstyle.errors import ClusterError
from vidstyle.settings import Settings

HOW_TO_INSTALL = "pip install 'vidstyle[cluster]'"
# A head that runs takes a connection at once; Ray itself waits minutes for one that does not.
_CONNECT_S = 10.0
# Joining takes 1 to 3 s, and much longer on a busy machine.
_JOIN_S = 60.0


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
        address: "auto" for the cluster that this machine is part of, "local" for one that is started for this
            block, or the address of the head.

    Raises:
        ClusterError: Ray is not installed, there is no such cluster, or it is of another release.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    _check_listening(address)
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False, "address": address}
    if address == "local":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # By default Ray's processes have a low priority, and a render would be slower than without Ray.
        os.environ.setdefault("RAY_worker_niceness", "0")
        options["include_dashboard"] = False
    with _own_signals():
        if address == "local":
            _started(ray, options)
        else:
            _join(ray, address, options)
    try:
        yield ray
    finally:
        with _own_signals():
            ray.shutdown()


def check_cluster(address: str) -> None:
    """Makes sure that a cluster can be joined, as far as that shows at once.

    Raises:
        ClusterError: Ray is not installed, or nothing listens at the address.
    """
    if not load_ray().is_initialized():
        _check_listening(address)


def _check_listening(address: str) -> None:
    """Raises an error if nothing listens at the address; "auto" and "local" are no addresses."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, error) from error


def _started(ray: Any, options: Mapping[str, Any]) -> None:
    # In this thread: on Linux, Ray's processes end with the thread that started them.
    try:
        ray.init(**options)
    except Exception as error:
        raise _unreachable("local", error) from error


def _join(ray: Any, address: str, options: Mapping[str, Any]) -> None:
    """Calls `ray.init` in a thread, since it may never return, and does not react to Ctrl-C while it waits."""
    errors: list[Exception] = []

    def join() -> None:
        try:
            ray.init(**options)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=join, name="joining a cluster", daemon=True)
    thread.start()
    thread.join(_JOIN_S)
    if thread.is_alive():
        raise _unreachable(address, TimeoutError(f"no answer within {_JOIN_S:g} s"))
    for error in errors:
        raise _unreachable(address, error) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Restores the signal handlers that Ray replaces, so that a render that is ended leaves its files in order."""
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
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    if "token" in str(root).lower():
        return ClusterError(
            f"{address}: the Ray cluster there asks for a token, which this command has not given; set "
            "RAY_AUTH_MODE=token here and on all machines, with the same ~/.ray/auth_token"
        )
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if address == "local":
        return ClusterError(f"no Ray cluster can be started here ({reason}); use --workers instead")
    if address == "auto":
        return ClusterError(
            f"no Ray cluster can be reached from here ({reason}); start one with: ray start --head, or give its address"
        )
    return ClusterError(
        f"{address}: no Ray cluster can be reached there ({reason}); check that the address is the one that "
        "`ray start --head` has printed, that this machine has joined it, and that no firewall is between"
    )


def needed_by_shot(settings: Settings, device: str, threads: int) -> dict[str, float]:
    """Returns what a shot takes of a machine, by Ray's names of resources.

    Args:
        device: "cpu", "cuda" or "mps". threads: with which one process computes.
    """
    gpus = settings.gpus_per_shot if settings.gpus_per_shot is not None else float(device == "cuda")
    return {"CPU": settings.cpus_per_shot or float(1 if gpus else threads), "GPU": gpus}


def shots_at_once(ray: Any, needed: Mapping[str, float]) -> tuple[int, int]:
    """Returns how many shots the cluster can render at a time, and on how many machines."""
    required = {name: count for name, count in needed.items() if count}
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    places = [min(int(have.get(name, 0) / count) for name, count in required.items()) for have in machines]
    return sum(places), sum(place > 0 for place in places)


def check_resources(ray: Any, needed: Mapping[str, float]) -> None:
    """Makes sure that some machine of the cluster has what a shot needs.

    Args:
        needed: by Ray's names of resources: "CPU", "GPU".

    Raises:
        ClusterError: none has, so the shot would wait forever.
    """
    if shots_at_once(ray, needed)[0]:
        return
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    required = " and ".join(f"{count:g} {name}{'s' if count > 1 else ''}" for name, count in needed.items() if count)
    most = " and ".join(f"{max((have.get(name, 0) for have in machines), default=0):g} {name}s" for name in needed)
    raise ClusterError(
        f"no machine of the cluster has {required} for a shot (the most are {most}); see --cpus-per-shot and "
        "--gpus-per-shot"
    )
