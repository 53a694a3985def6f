"""What is said where there is no Ray, or no cluster."""

from __future__ import annotations

import os
import socket
import sys
import threading
from types import SimpleNamespace

import pytest

from vidstyle.cluster.joining import (
    check_cluster,
    check_resources,
    connected,
    load_ray,
    needed_by_shot,
    shots_at_once,
)
from vidstyle.errors import ClusterError
from vidstyle.settings import Settings


@pytest.fixture
def listener():
    """The address of somebody who takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def ray_with(monkeypatch):
    """Puts a Ray whose `init` is given in the place of the real one."""

    def put(init):
        ray = SimpleNamespace(is_initialized=lambda: False, init=init, shutdown=lambda: None)
        monkeypatch.setitem(sys.modules, "ray", ray)
        return ray

    return put


def test_without_ray_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'vidstyle\[cluster\]'"):
        load_ray()


def nobody_answers(**_):
    raise ConnectionError("nobody answers\nand more")


def test_a_cluster_that_is_not_there_is_named(ray_with, listener):
    ray_with(nobody_answers)
    with pytest.raises(ClusterError, match=r"\(nobody answers\); start one with: ray start --head"), connected("auto"):
        pass
    with pytest.raises(ClusterError, match=rf"^{listener}: no Ray .*\(nobody answers\); check"), connected(listener):
        pass


@pytest.mark.parametrize(
    "ask", [check_cluster, lambda address: connected(address).__enter__()], ids=["way", "connected"]
)
def test_an_address_where_nobody_listens_is_said_without_ray(ray_with, ask):
    ray_with(lambda **_: pytest.fail("Ray was asked, and takes minutes"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ClusterError, match=rf"{address}: no Ray cluster can be reached there \(.*refused\); check"):
        ask(address)


def test_a_cluster_that_never_answers_is_given_up(ray_with, listener, monkeypatch):
    monkeypatch.setattr("vidstyle.cluster.joining._JOIN_S", 0.05)
    over = threading.Event()
    ray_with(lambda **_: over.wait())
    with pytest.raises(ClusterError, match=rf"{listener}: .*\(no answer within 0.05 s\); check"), connected(listener):
        pass
    over.set()


def test_a_token_that_is_wanted_is_named(ray_with, listener):
    def init(**_):
        try:
            raise RuntimeError("InvalidAuthToken: Authentication token is missing")
        except RuntimeError as error:
            raise ConnectionError("Failed to connect") from error

    ray_with(init)
    with pytest.raises(ClusterError, match=r"asks for a token, .* RAY_AUTH_MODE=token"), connected(listener):
        pass


def test_a_cluster_of_ones_own_does_not_give_way_to_others(ray_with, monkeypatch):
    for name in ("RAY_worker_niceness", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    asked = []
    ray_with(lambda **options: asked.append((options, threading.current_thread(), dict(os.environ))))
    with connected("local"):
        pass
    ((options, thread, environment),) = asked
    assert options["address"] == "local"
    assert thread is threading.current_thread()  # what Ray starts ends with the thread that has started it
    assert environment["RAY_worker_niceness"] == "0"


def test_a_connection_that_is_there_is_used_and_left(monkeypatch):
    ray = SimpleNamespace(is_initialized=lambda: True)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with connected("auto") as module:
        assert module is ray


def test_a_shot_must_fit_on_one_machine():
    machines = [
        {"Alive": True, "Resources": {"CPU": 4.0}},
        {"Alive": True, "Resources": {"CPU": 1.0, "GPU": 2.0}},
        {"Alive": False, "Resources": {"CPU": 99.0, "GPU": 9.0}},
    ]
    ray = SimpleNamespace(nodes=lambda: machines)
    check_resources(ray, {"CPU": 4, "GPU": 0})
    check_resources(ray, {"CPU": 1, "GPU": 0.5})
    with pytest.raises(ClusterError, match=r"has 4 CPUs and 1 GPU for a shot \(the most are 4 CPUs and 2 GPUs\)"):
        check_resources(ray, {"CPU": 4, "GPU": 1})


def test_shots_are_counted_by_what_is_scarce():
    machines = [
        {"Alive": True, "Resources": {"CPU": 4.0}},
        {"Alive": True, "Resources": {"CPU": 9.0, "GPU": 2.0}},
        {"Alive": False, "Resources": {"CPU": 99.0, "GPU": 9.0}},
        {"Alive": True, "Resources": {}},
    ]
    ray = SimpleNamespace(nodes=lambda: machines)
    assert shots_at_once(ray, {"CPU": 2, "GPU": 0}) == (6, 2)
    assert shots_at_once(ray, {"CPU": 1, "GPU": 0.5}) == (4, 1)


@pytest.mark.parametrize(
    ("settings", "device", "needed"),
    [
        (Settings(cluster="auto"), "cpu", {"CPU": 4, "GPU": 0}),
        (Settings(cluster="auto"), "cuda", {"CPU": 1, "GPU": 1}),
        (Settings(cluster="auto", gpus_per_shot=0.5, cpus_per_shot=2), "cuda", {"CPU": 2, "GPU": 0.5}),
        (Settings(cluster="auto", gpus_per_shot=0), "cuda", {"CPU": 4, "GPU": 0}),
    ],
)
def test_a_shot_takes_a_gpu_or_as_many_cpus_as_threads(settings, device, needed):
    assert needed_by_shot(settings, device, threads=4) == needed
