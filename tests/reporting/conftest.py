"""A finished render that several tests read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from renders import QUICK, render


@pytest.fixture(scope="session")
def finished_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a finished render of six frames in two shots, `out.mp4`, and its cache; not to be changed."""
    folder, cache = tmp_path_factory.mktemp("finished"), tmp_path_factory.mktemp("finished-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("VIDSTYLE_CACHE", str(cache))
        make_video(Path("in.mp4"), frames=6)
        cv2.imwrite("style.png", np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
        Path("cuts.txt").write_text("4\n")
        render(settings=replace(QUICK, cuts="cuts.txt"))
    return folder, cache


@pytest.fixture
def finished(finished_folders: tuple[Path, Path], cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The output of that render, in the current folder; what a test writes there is removed again."""
    folder, kept_cache = finished_folders
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VIDSTYLE_CACHE", str(kept_cache))
    before = set(folder.iterdir())
    yield Path("out.mp4")
    assert before <= set(folder.iterdir())
    for path in set(folder.iterdir()) - before:
        path.unlink()
