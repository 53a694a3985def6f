"""A Ray cluster of three nodes on this machine, each with its own raylet, and a film for it."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import make_video

from vidstyle import Settings, stylize

STORE_BYTES = 100 << 20
# Shots of 3 to 5 frames.
CUTS = (3, 7, 12, 15, 19, 24, 27, 31, 36, 40, 45)
FRAMES = 50


class Nodes:
    """The cluster, to which nodes are added and of which they are killed."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        # Without CPUs, so that tasks run on nodes that may be taken away.
        quiet = {"include_dashboard": False, "object_store_memory": STORE_BYTES}
        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **quiet})
        self._quiet = {"object_store_memory": STORE_BYTES}
        self.address = self._cluster.address
        self._nodes: list[Any] = []

    def fill(self, count: int = 3) -> None:
        """Adds nodes until there are so many besides the head, each for one shot at a time."""
        while len(self._nodes) < count:
            self._nodes.append(self._cluster.add_node(num_cpus=1, **self._quiet))

    def kill(self) -> None:
        """Kills a node: its raylet, and with it everything that runs there."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)

    def close(self) -> None:
        """Ends everything."""
        self._cluster.shutdown()


@pytest.fixture(scope="session")
def all_nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    if sys.platform == "win32":
        pytest.skip("Ray's test cluster is not for Windows")
    # What raylets start inherits these.
    tests = str(Path(__file__).parent.parent)
    root = str(Path(__file__).parent.parent.parent)
    changes = {
        "PYTHONPATH": os.pathsep.join([root, tests]),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",  # a token lies in the user's home, if there is one
        "RAY_worker_niceness": "0",  # else whatever else the machine does goes first
        # Lost nodes are noticed sooner than by default, but a busy one is not taken for lost.
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_failure_threshold": "10",
        "RAY_health_check_timeout_ms": "5000",
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    nodes = Nodes()
    try:
        yield nodes
    finally:
        nodes.close()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(scope="session")
def connection(all_nodes: Nodes) -> Iterator[Any]:
    """Ray, connected: renders use that, and find processes of earlier ones, which have torch and vidstyle at hand."""
    import ray

    ray.init(address=all_nodes.address, logging_level=logging.ERROR, log_to_driver=False)
    try:
        yield ray
    finally:
        ray.shutdown()


@pytest.fixture
def nodes(all_nodes: Nodes, connection: Any) -> Nodes:
    """Three nodes that can paint one shot each, and a head that cannot."""
    all_nodes.fill()
    return all_nodes


def quick(**changes: Any) -> Settings:
    """Returns settings for the film."""
    few = {"iterations": 1, "first_iterations": 2, "size": 32, "device": "cpu", "cuts": "cuts.txt"}
    return Settings(**few | ({"cpus_per_shot": 1} if "cluster" in changes else {}) | changes)


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the film; not to be changed."""
    folder = tmp_path_factory.mktemp("film")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_film()
    return folder


@pytest.fixture(scope="session")
def alone(film_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What one process makes of this very file of the film: another one need not be the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(film_folder)
        patch.setenv("VIDSTYLE_CACHE", str(tmp_path_factory.mktemp("cache of the film")))
        stylize("in.mp4", "style.png", "alone.mp4", quick())
    return (film_folder / "alone.mp4").read_bytes()


def make_film() -> None:
    """Makes a clip of twelve shots, a style and a list of cuts in the current folder."""
    rng = np.random.default_rng(3)
    views = [cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (96, 72)) for _ in range(12)]
    starts = (0, *CUTS)
    images = [
        np.ascontiguousarray(views[shot][f : f + 48, f : f + 64])
        for shot, (start, stop) in enumerate(zip(starts, (*CUTS, FRAMES), strict=True))
        for f in range(stop - start)
    ]
    make_video(Path("in.mp4"), images=images, audio="aac")
    cv2.imwrite("style.png", rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    Path("cuts.txt").write_text("".join(f"{cut}\n" for cut in CUTS))


@pytest.fixture
def film(film_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip of twelve shots, a style and a list of cuts in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("in.mp4", "style.png", "cuts.txt"):
        shutil.copy(film_folder / name, name)
    return tmp_path


@pytest.fixture
def settings() -> Any:
    """Makes settings for the film; `cluster` is to be given."""
    return quick
