"""A disk that is full loses nothing: on a small disk of memory, in a namespace that any user may make."""

import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from clips import make_video

# Runs where a small disk is mounted on the folder `disk`.
SCENARIO = """
import contextlib, hashlib, io, json, os, shutil, sys
from pathlib import Path
from vidstyle.cli.main import main

disk = Path("disk")
command = ["in.mp4", "--style", "style.png", "--size", "48", "--iterations", "0", "--first-iterations", "0",
           "--device", "cpu", "--cuts", "cuts.txt", "--quiet", "-o"]

def run(name):
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        return main([*command, f"disk/{name}"]), errors.getvalue().strip()

def free_bytes():
    disk_now = os.statvfs(disk)
    return disk_now.f_bavail * disk_now.f_frsize

def digest(output):
    files = sorted(output.iterdir()) if output.is_dir() else [output]
    return [(f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files]

def remove(output):
    shutil.rmtree(output) if output.is_dir() else output.unlink()

def failures(name, lefts):
    output, ballast = disk / name, disk / "ballast"
    assert run(name) == (0, "")
    whole = digest(output)
    for left in lefts:
        remove(output)
        ballast.write_bytes(bytes(max(0, free_bytes() - left)))
        status, error = run(name)
        is_there = output.exists()
        ballast.unlink()
        assert run(name)[0] == 0
        yield status, error, is_there, digest(output) == whole, sorted(f.name for f in disk.iterdir())
    remove(output)

print(json.dumps({name: list(failures(name, lefts)) for name, lefts in json.loads(sys.argv[1]).items()}))
"""
# Bytes left on the disk, from not even those for the manifest to nearly all that are needed.
LEFT = {"out.mp4": [0, 36864, 77824, 90112], "out/": [0, 40960, 81920]}
DISK_BYTES = 2 << 20


def in_small_disk(folder, *command):
    mount = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs disk && exec "$@"'
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *command],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "disk").mkdir()
    if not shutil.which("unshare") or in_small_disk(tmp_path, "true").returncode:
        pytest.skip("no disks can be mounted here")
    rng = np.random.default_rng(5)
    images = [cv2.resize(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), (64, 48)) for _ in range(24)]
    make_video(tmp_path / "in.mp4", images=images, audio="aac")
    cv2.imwrite(str(tmp_path / "style.png"), cv2.resize(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (60, 60)))
    (tmp_path / "cuts.txt").write_text("4\n8\n12\n16\n20\n")
    return tmp_path


@pytest.mark.slow
def test_a_full_disk_is_an_error_that_loses_nothing(folder):
    run = in_small_disk(folder, sys.executable, "-c", SCENARIO, json.dumps(LEFT))
    assert run.returncode == 0, run.stderr
    for output, failures in json.loads(run.stdout).items():
        # How much is needed in the end differs a little between encoders.
        assert sum(status == 1 for status, *_ in failures) >= len(LEFT[output]) - 1
        for status, error, is_there, is_the_same, names in failures:
            assert is_there == (status == 0)
            assert is_the_same
            assert names == [output.rstrip("/")]
            if status:
                assert len(error.splitlines()) == 1
                assert "No space left on device); make room, then run the same command again" in error
