"""What is said where there is no Ray, or no cluster."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from vidstyle.cluster.joining import check_resources, connected, load_ray
from vidstyle.errors import ClusterError


def test_without_ray_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'vidstyle\[cluster\]'"):
        load_ray()


@pytest.mark.parametrize(
    ("address", "said"),
    [("auto", "start one with: ray start --head"), ("10.0.0.1:6379", "10.0.0.1:6379: no Ray cluster .* check")],
)
def test_a_cluster_that_is_not_there_is_named(monkeypatch, address, said):
    def init(**_):
        raise ConnectionError("nobody answers\nand more")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(ClusterError, match=rf"\(nobody answers\).*{said}|{said}"), connected(address):
        pass


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
