"""Several processes make what one would."""

import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_folder, make_video

from vidstyle import Settings, stylize
from vidstyle.errors import DamagedSourceError, DeviceError
from vidstyle.workers.pool import Workers

pytestmark = pytest.mark.slow  # each process imports torch
CUTS = "4\n7\n11\n"


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A clip of four shots and a style in the current folder."""
    monkeypatch.chdir(tmp_path)
    make_video(Path("in.mp4"), frames=14, audio="aac")
    cv2.imwrite("style.png", np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    Path("cuts.txt").write_text(CUTS)


def settings(**changes):
    return Settings(
        **{"iterations": 1, "first_iterations": 2, "size": 32, "device": "cpu", "cuts": "cuts.txt"} | changes
    )


def test_two_workers_make_what_one_process_does(scene):
    # Three shots, of which two are parts of one.
    make_video(Path("in.mp4"), frames=54, audio="aac")
    Path("cuts.txt").write_text("4\n")
    make_folder(Path("paintings"), ["a.png", "b.png"])
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 20:50] = 200
    cv2.imwrite("mask.png", mask)
    changes = {"style_blend": (2, 1), "color": "match", "mask": "mask.png", "region": ("mask.png=style.png",)}
    changes |= {"split_shots": 48}
    stylize("in.mp4", ["style.png", "paintings"], "one.mp4", settings(**changes))
    # Workers import nothing from the current folder.
    for name in ("queue", "json", "av", "torch"):
        Path(f"{name}.py").write_text("raise SystemExit('imported from the current folder')")
    frames = []
    changed = settings(workers=2, **changes)
    result = stylize("in.mp4", ["style.png", "paintings"], "two.mp4", changed, on_frame=frames.append)
    assert Path("two.mp4").read_bytes() == Path("one.mp4").read_bytes()
    assert (result.stylized, result.notes) == (54, ())
    assert sorted(frame.index for frame in frames) == list(range(54))
    assert [frame.done for frame in frames] == list(range(1, 55))
    assert all(frame.image.shape == (24, 32, 3) for frame in frames)
    assert not Path("two.mp4.vidstyle").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_worker_that_dies_is_reported_and_its_shot_continued(scene, monkeypatch):
    pids = []
    start = Workers._start

    def noting(self, number):
        start(self, number)
        pids.append(self._processes[-1].pid)

    monkeypatch.setattr(Workers, "_start", noting)
    with pytest.raises(DeviceError, match="killed by signal 9, often since memory ran out"):
        stylize(
            "in.mp4", "style.png", "out.mp4", settings(workers=2), on_frame=lambda _: os.kill(pids[0], signal.SIGKILL)
        )
    result = stylize("in.mp4", "style.png", "out.mp4", settings())
    assert 0 < result.stylized < 14
    stylize("in.mp4", "style.png", "whole.mp4", settings())
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_what_a_worker_raises_is_raised_here(scene):
    def damage(plan):
        data = bytearray(Path("in.mp4").read_bytes())
        start = data.index(b"mdat") + 8
        data[start + 200 : -2000] = bytes(len(data) - start - 2200)
        Path("in.mp4").write_bytes(data)

    with pytest.raises(DamagedSourceError, match=r"in\.mp4"):
        stylize("in.mp4", "style.png", "out.mp4", settings(workers=2), on_start=damage)
