"""Renders: a queue of processes that run one after the other, and outlive the server.

A small file in the folder keeps the queue; everything else is read from job folders. The server may end at any moment:
a render that runs goes on, and the next server finds it again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import filelock

import vidstyle
from vidstyle.studio.folder import JOB_SUFFIX, Folder, RefusedError

# Windows has neither sessions nor SIGTERM for others; it ignores `start_new_session`.
_GENTLE_END: int = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
_OWN_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
STATE_FOLDER = ".vidstyle-studio"
_LONGEST_LOG_BYTES = 16_384
# The phases of a render, in the order in which the page shows them.
RUNNING, WAITING, PAUSED, STOPPED, FAILED, FINISHED = "painting", "waiting", "paused", "stopped", "failed", "finished"
# Options that make a command read or write other files than a render does.
_REFUSED_OPTIONS = {"--output", "--report", "--job-dir", "--config", "--save-config", "--preview", "--cluster"}
_QUEUED, _STARTED = "queued", "started"


@dataclass
class _QueueEntry:
    """A render that was asked for: `wanted` is "queued", "started", "paused" or "stopped"."""

    name: str
    command: str
    wanted: str = _QUEUED


@dataclass(frozen=True, slots=True)
class Job:
    """A render as the page shows it.

    Attributes:
        name: of its output, in the folder. phase: "painting", "waiting" and so on. detail: of the phase, in words.
        status: read from its job folder; None while there is none. command: begins or continues it.
        notes: printed at its end.
    """

    name: str
    phase: str
    detail: str
    status: vidstyle.Status | None
    command: str
    notes: tuple[str, ...] = field(default=())


class Renders:
    """All renders of a folder; a context manager that unlocks the folder at its end, and leaves renders running."""

    def __init__(self, folder: Folder) -> None:
        """Locks the folder, and reads the queue that the last server has left.

        Raises:
            RefusedError: another server works in the folder.
        """
        self._folder, self._lock = folder, threading.RLock()
        self._place = folder.path / STATE_FOLDER
        if self._place.is_symlink():
            raise RefusedError(f"{self._place}: is a link; remove it")
        self._place.mkdir(exist_ok=True)
        self._held = filelock.FileLock(self._place / "lock")
        try:
            self._held.acquire(timeout=0)
        except filelock.Timeout as error:
            raise RefusedError(f"{folder.path}: another studio is at work in this folder; use its page") from error
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._queue = self._read()
        self._is_closed = threading.Event()
        self._runner = threading.Thread(target=self._run, name="vidstyle-queue", daemon=True)

    def __enter__(self) -> Renders:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed.set()
        self._runner.join()
        self._held.release()

    # -- reading -------------------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        """Returns all renders of the folder, in the order of their phases."""
        with self._lock:
            # A job folder that --job-dir named may belong to an output in another folder.
            known = {
                status.output.name: status
                for status in vidstyle.jobs_in(self._folder.path)
                if status.job is not None and status.job.name == f"{status.output.name}{JOB_SUFFIX}"
            }
            jobs = [self._job(entry, known.pop(entry.name, None)) for entry in self._queue.values()]
            for name, status in known.items():
                if status.job is None or not self._folder.holds(status.job):
                    continue  # a link that leads out of the folder
                phase = FINISHED if status.is_finished else RUNNING if status.is_running else STOPPED
                jobs.append(Job(name, phase, "begun from a shell", status, status.command))
        order = (RUNNING, WAITING, PAUSED, STOPPED, FAILED, FINISHED)
        return sorted(jobs, key=lambda job: order.index(job.phase))

    def job(self, name: str) -> Job:
        """Returns the render of that name.

        Raises:
            RefusedError: there is none.
        """
        for job in self.jobs():
            if job.name == name:
                return job
        raise RefusedError("There is no such render any more")

    def _job(self, entry: _QueueEntry, status: vidstyle.Status | None) -> Job:
        command = entry.command if status is None else status.command
        output, log = self._folder.path / entry.name, self._log(entry.name)
        notes = tuple(re.findall(r"^note: (.*)$", log, re.MULTILINE))

        def job(phase: str, detail: str = "") -> Job:
            return Job(entry.name, phase, detail, status, command, notes if phase == FINISHED else ())

        process = self._processes.get(entry.name)
        is_alive = (process is not None and process.poll() is None) or vidstyle.is_job_running(output)
        if is_alive:
            detail = {PAUSED: "pausing", STOPPED: "stopping"}.get(entry.wanted, "")
            return job(RUNNING, detail or ("looking through the clip" if status is None else ""))
        if status is not None and status.is_finished:
            return job(FINISHED, "changed since" if status.is_changed else "")
        if entry.wanted == _QUEUED:
            return job(WAITING)
        if entry.wanted in (PAUSED, STOPPED):
            return job(entry.wanted)
        if status is None and output.exists():
            return job(FINISHED)  # a picture has no job folder
        errors = re.findall(r"^vidstyle: (.*)$", log, re.MULTILINE)
        return job(FAILED, errors[-1] if errors else "its process was ended from outside")

    def _log(self, name: str) -> str:
        with suppress(OSError), self._log_path(name).open("rb") as file:
            file.seek(max(0, self._log_path(name).stat().st_size - _LONGEST_LOG_BYTES))
            return file.read().decode("utf-8", "replace").replace("\r", "\n")
        return ""

    def _log_path(self, name: str) -> Path:
        return self._place / f"{name}.log"

    # -- acting --------------------------------------------------------------------------------

    def add(self, output: Path, command: str) -> str:
        """Queues a render whose output is to be in the folder, and returns its name.

        Raises:
            RefusedError: a render of that name is there already, or the output is.
        """
        with self._lock:
            name = self.free(output.name).name
            self._queue[name] = _QueueEntry(name, command)
            self._write()
        return name

    def free(self, name: str) -> Path:
        """Returns the path for a new output of that name.

        Raises:
            RefusedError: it is no plain name, or a render or an output of that name is there already.
        """
        path = self._folder.output(name)
        if path.exists() or any(job.name == path.name for job in self.jobs()):
            raise RefusedError(f"{path.name} is there already; choose another name for the output")
        return path

    def pause(self, name: str) -> None:
        """Stops a render after its current frame; its frames stay, and `go_on` continues it."""
        self._end(name, PAUSED)

    def stop(self, name: str) -> None:
        """Stops a render after its current frame, or takes it out of the queue; its frames stay until `discard`."""
        self._end(name, STOPPED)

    def _end(self, name: str, wanted: str) -> None:
        with self._lock:
            job = self.job(name)
            if job.phase == WAITING and wanted == STOPPED and job.status is None:
                del self._queue[name]
                self._write()
                return
            if job.phase not in (RUNNING, WAITING, PAUSED):
                return
            self._queue.setdefault(name, _QueueEntry(name, job.command)).wanted = wanted
            self._write()
            process = self._processes.get(name)
            if process is not None and process.poll() is None:
                process.send_signal(_GENTLE_END)
                return
        with suppress(vidstyle.VidstyleError):  # it may just have ended by itself
            vidstyle.stop_job(self._folder.path / name)

    def go_on(self, name: str) -> None:
        """Queues a render that was paused or stopped, or has failed."""
        with self._lock:
            job = self.job(name)
            if job.phase in (PAUSED, STOPPED, FAILED):
                self._check_command(job)
                self._queue.pop(name, None)
                self._queue[name] = _QueueEntry(name, job.command)
                self._write()

    def _check_command(self, job: Job) -> None:
        """Checks that a command from a job folder, which anybody may have written, only renders into this folder.

        Raises:
            RefusedError: it would do something else.
        """
        try:
            words = job.command.split() if sys.platform == "win32" else shlex.split(job.command)
        except ValueError:
            words = []
        outputs = [Path(after) for word, after in pairwise(words) if word == "-o"]
        places = [output.parent.resolve() / output.name for output in outputs]
        is_here = sys.platform == "win32" or places == [self._folder.path / job.name]
        is_odd = any(
            word.partition("=")[0] in _REFUSED_OPTIONS or word.startswith("-o") != (word == "-o") for word in words
        )
        # A plain word may be a command of vidstyle's own, such as "studio".
        is_render = words[:1] == ["vidstyle"] and not any(re.fullmatch(r"[a-z]+", word) for word in words[1:2])
        if not is_render or not is_here or is_odd:
            raise RefusedError(f"{job.name} was begun in another way; continue it from a shell, with its command line")

    def discard(self, name: str) -> None:
        """Removes a render and its job folder; a finished output stays.

        Raises:
            RefusedError: it is running, or its job folder cannot be removed.
        """
        with self._lock:
            job = self.job(name)
            if job.phase == RUNNING:
                raise RefusedError("Stop it first")
            if job.status is not None and job.status.job is not None:
                try:
                    vidstyle.discard_job(self._folder.path / name)
                except vidstyle.VidstyleError as error:
                    raise RefusedError(str(error)) from error
            self._queue.pop(name, None)
            self._log_path(name).unlink(missing_ok=True)
            self._write()

    # -- the queue -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_closed.wait(0.5):
            with suppress(OSError, vidstyle.VidstyleError):
                self.begin_next()

    def begin_next(self) -> None:
        """Starts the render that has waited longest, unless another one is running."""
        with self._lock:
            waiting = [entry for entry in self._queue.values() if entry.wanted == _QUEUED]
            if waiting and all(job.phase != RUNNING for job in self.jobs()):
                self._start(waiting[0])

    def _start(self, entry: _QueueEntry) -> None:
        entry.wanted = _STARTED
        self._write()
        # Started in its own session or process group, so that it outlives the server and its terminal.
        if sys.platform == "win32":
            words: list[str] | str = f"{subprocess.list2cmdline([sys.executable])} -m {entry.command}"
        else:
            words = [sys.executable, "-m", *shlex.split(entry.command)]
        with self._log_path(entry.name).open("wb") as log:
            process = subprocess.Popen(
                words,
                cwd=self._folder.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TQDM_MININTERVAL": "60", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                creationflags=_OWN_GROUP,
            )
        self._processes[entry.name] = process
        # Waiting for it in a thread leaves no zombie; a daemon thread, since the render may outlive the server.
        threading.Thread(target=process.wait, name="vidstyle-render", daemon=True).start()

    # -- the file of the queue ------------------------------------------------------------------

    def _read(self) -> dict[str, _QueueEntry]:
        queue = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            for values in json.loads((self._place / "queue.json").read_text(encoding="utf-8")):
                with suppress(RefusedError):
                    entry = _QueueEntry(**values)
                    if entry.command.startswith("vidstyle ") and self._folder.output(entry.name):
                        queue[entry.name] = entry
        return queue

    def _write(self) -> None:
        part = self._place / ".queue.json.part"
        part.write_text(json.dumps([asdict(entry) for entry in self._queue.values()], indent=1), encoding="utf-8")
        part.replace(self._place / "queue.json")
