"""Fixtures for all tests."""

from __future__ import annotations

import os

# Before torch is imported: idle threads sleep soon, as under the command line; beside other work that is much faster.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import make_folder, make_video, picture, write_raw
from hypothesis import settings

# How long an example takes says how busy the machine is; nothing is timed in tests.
settings.register_profile("vidstyle", deadline=None)
settings.load_profile("vidstyle")


@pytest.fixture(autouse=True)
def quiet_ffmpeg() -> None:
    """Damaged files are made on purpose; FFmpeg's own lines about them would bury pytest's."""
    av.logging.set_level(None)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for every test, since finished renders are remembered there."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames, 64x48, 25 per second, with AAC sound; not to be changed."""
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", audio="aac")


@pytest.fixture(scope="session")
def silent_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames, 64x48, 25 per second, no sound; not to be changed."""
    return make_video(tmp_path_factory.mktemp("silent") / "silent.mp4")


@pytest.fixture
def frame_folder(tmp_path: Path) -> Path:
    """Twelve PNG frames named f1.png to f12.png."""
    return make_folder(tmp_path / "frames", [f"f{i}.png" for i in range(1, 13)])


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """One PNG."""
    return write_raw(tmp_path / "still.png", picture(3))


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder that plays the input."""
    return make_folder(tmp_path / "inputs", ["in0.png"])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder for outputs."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.fixture
def painting_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip of ten frames and a style in the current folder; segments of four frames."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vidstyle.render.plan.SEGMENT_FRAMES", 4)
    make_video(Path("in.mp4"), frames=10, audio="aac")
    cv2.imwrite("style.png", np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
