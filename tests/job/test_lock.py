"""One process at a time; the dead hold nothing."""

import subprocess
import sys
import time

import pytest

from vidstyle.errors import JobError
from vidstyle.job import lock
from vidstyle.job.lock import is_lock_name, is_running, locked, locked_by_worker

HOLDER = """
import sys, time
from pathlib import Path
from vidstyle.job.lock import locked, locked_by_worker
path = Path(sys.argv[1])
with locked(path) if sys.argv[2] == "main" else locked_by_worker(path, 0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path):
    """Starts another process that holds a lock of tmp_path / "job"."""
    processes = []

    def start(which):
        command = [sys.executable, "-c", HOLDER, str(tmp_path / "job"), which]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_process_is_refused_while_the_first_lives(tmp_path, hold):
    holder = hold("main")
    assert is_running(tmp_path / "job")
    with pytest.raises(JobError, match="another vidstyle is at work"), locked(tmp_path / "job"):
        pass
    holder.kill()
    holder.wait()
    assert not is_running(tmp_path / "job")
    with locked(tmp_path / "job"):
        assert is_running(tmp_path / "job")


def test_workers_that_outlive_their_process_are_waited_for(tmp_path, hold, monkeypatch):
    (tmp_path / "job").mkdir()
    worker = hold("worker")
    monkeypatch.setattr(lock, "WORKERS_END_S", 0.2)
    with pytest.raises(JobError, match="workers of an earlier run"), locked(tmp_path / "job"):
        pass
    monkeypatch.setattr(lock, "WORKERS_END_S", 30)
    worker.kill()
    started = time.monotonic()
    with locked(tmp_path / "job"), locked_by_worker(tmp_path / "job", 0):
        assert time.monotonic() - started < 10


def test_a_folder_with_nothing_but_locks_does_not_stay(tmp_path):
    with locked(tmp_path / "job"), locked_by_worker(tmp_path / "job", 3):
        assert (tmp_path / "job").is_dir()
    assert not (tmp_path / "job").exists()
    with locked(tmp_path / "job"):
        (tmp_path / "job" / "manifest.json").write_text("{}")
    assert (tmp_path / "job" / "manifest.json").is_file()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(JobError, match="cannot be made"), locked(tmp_path / "none" / "job"):
        pass


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lock", True), ("lock.worker12", True), ("lockscreen.png", False), ("lock.worker", False), ("lock.txt", False)],
)
def test_only_locks_are_taken_for_locks(tmp_path, name, expected):
    assert is_lock_name(name) is expected
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / name).write_text("")
    with locked(tmp_path / "job"):
        pass
    assert (tmp_path / "job" / name).exists() is not expected
