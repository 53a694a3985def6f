"""Killed anywhere and continued, a render comes out as if nothing had happened."""

import random
import sys
import time
from hashlib import sha256
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import audio_digest, make_video, times_s
from zygote import Zygote, kill

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")]

# By the number of workers: each of these imports everything anew.
KILLS = {1: 4, 2: 1}
CUTS = "4\n6\n11\n"
QUICK = ["--iterations", "2", "--first-iterations", "3", "--size", "32", "--device", "cpu", "--cuts", "cuts.txt"]


@pytest.fixture(scope="module")
def one_zygote():
    with Zygote() as zygote:
        yield zygote


@pytest.fixture
def zygote(one_zygote, tmp_path):
    """What renders are forked from, here in the test's own folder."""
    one_zygote.folder = tmp_path
    return one_zygote


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A command without its output, in a folder with everything that it names."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    images = [cv2.resize(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8), (64, 48)) for _ in range(14)]
    make_video(tmp_path / "in.mp4", images=images, audio="aac")
    cv2.imwrite("style.png", cv2.resize(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (60, 60)))
    Path("cuts.txt").write_text(CUTS)
    return ["in.mp4", "--style", "style.png", *QUICK]


def content(output):
    """Hashes of every decoded frame, their times, and the sound's packets; or of a folder's files."""
    if output.is_dir():
        return {p.name: sha256(p.read_bytes()).hexdigest() for p in output.iterdir()}
    with av.open(str(output)) as container:
        frames = [sha256(f.to_ndarray(format="rgb24").tobytes()).hexdigest() for f in container.decode(video=0)]
    return frames, times_s(output), audio_digest(output), sha256(output.read_bytes()).hexdigest()


def names_in(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != "log.txt")


@pytest.mark.parametrize(
    ("output", "workers", "keyframe_every"),
    [("out.mp4", 1, "1"), ("out", 1, "1"), ("out", 1, "3"), ("out.mp4", 2, "3")],
)
def test_a_render_killed_at_random_moments_equals_one_that_was_not(
    command, tmp_path, zygote, output, workers, keyframe_every
):
    command = [*command, "--workers", str(workers), "--keyframe-every", keyframe_every]
    names, job = names_in(tmp_path), tmp_path / f"{output}.vidstyle"
    rng = random.Random(output + str(workers))
    suffix = "/" if output == "out" else ""
    assert zygote.run([*command, "--workers", "1", "-o", f"whole_{output}{suffix}"]) == 0
    for _ in range(KILLS[workers]):
        pid = zygote.start([*command, "-o", f"{output}{suffix}"])
        # At a random moment after a few frames.
        wait_for_changes(zygote, job, rng.randint(1, 4 // workers))
        time.sleep(rng.uniform(0.0, 0.05))
        kill(pid)
        assert zygote.end() == -9
    assert zygote.run([*command, "-o", f"{output}{suffix}"]) == 0
    assert "continuing at frame" in zygote.log.read_text()
    assert content(tmp_path / output) == content(tmp_path / f"whole_{output}")
    assert names_in(tmp_path) == sorted([*names, output, f"whole_{output}"])


def wait_for_changes(zygote, job, count):
    """Waits until files in a job folder have come or gone `count` times."""
    seen = [files_in(job)]

    def have_changed():
        now = files_in(job)
        if now != seen[-1]:
            seen.append(now)
        return len(seen) > count

    zygote.until(have_changed)


def files_in(job):
    return {p.name for p in job.glob("*/*") if not p.name.startswith(".")}


@pytest.mark.parametrize("output", ["out.mp4", "out", "there"])
def test_a_process_that_ends_before_any_change_of_the_disk_loses_nothing(command, tmp_path, zygote, output):
    command = [*command, "--frames", "4:7", "--iterations", "1", "--first-iterations", "1"]
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "notes.txt").write_text("keep")
    suffix = "" if output == "out.mp4" else "/"
    statuses = []
    assert zygote.run([*command, "-o", f"whole_{output}{suffix}"]) == 0
    # Each run makes a few changes more, so that all of them are passed through; the first one makes none.
    crash_at = 1
    while not statuses or statuses[-1] == 9:
        assert len(statuses) < 99
        statuses.append(zygote.run([*command, "-o", f"{output}{suffix}"], crash_at))
        crash_at = max(2, crash_at % 9 + 1) + len(statuses) // 16
    assert statuses[-1] == 0, zygote.log.read_text()
    assert len(statuses) > 8
    got = content(tmp_path / output)
    if output == "there":
        got.pop("notes.txt")
    assert got == content(tmp_path / f"whole_{output}")
    assert [name for name in names_in(tmp_path) if "vidstyle" in name] == []
