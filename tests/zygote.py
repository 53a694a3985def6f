"""Renders that can be killed: processes forked from one that has everything imported, so that each starts at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from studios import until

# Runs in a process of its own. Nothing is computed before the fork: threads do not survive one.
PROGRAM = """
import json, os, sys
import torch._dynamo  # what torch's optimizers import when the first one is made
import vidstyle.render.plan
import vidstyle.render.run
from vidstyle.cli.main import main

vidstyle.render.plan.SEGMENT_FRAMES = int(sys.argv[1])

def crash_at(number, folder):
    # Ends the process, as a power cut would, right before the number-th change to a name in the folder.
    def watch(event, details):
        nonlocal number
        if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir") \\
                and folder in os.path.abspath(str(details[0])):
            number -= 1
            if not number:
                os._exit(9)
    sys.addaudithook(watch)

for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if not pid:
        os.chdir(order["folder"])
        os.environ["VIDSTYLE_CACHE"] = order["cache"]
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        os.setpgid(0, 0)
        if order["crash_at"]:
            crash_at(order["crash_at"], order["folder"])
        try:
            status = main(order["arguments"])
        except BaseException as error:
            print(repr(error), flush=True)
            status = 99
        sys.stdout.flush()
        os._exit(status)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


class Zygote:
    """Starts renders one after the other, each in `folder`; a context manager."""

    folder = Path()

    def __init__(self, segment_frames: int = 3) -> None:
        self._segment_frames = segment_frames
        self._pid: int | None = None

    @property
    def log(self) -> Path:
        """What the renders in the folder have printed."""
        return self.folder / "log.txt"

    def __enter__(self) -> Zygote:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self._segment_frames)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill_earlier()
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def start(self, arguments: list[str], crash_at: int = 0) -> int:
        """Starts a command and returns its process number; `crash_at`: ends before that change of a file's name."""
        self._kill_earlier()
        self.log.touch()
        order = {"arguments": arguments, "log": str(self.log), "crash_at": crash_at, "folder": str(self.folder)}
        order["cache"] = os.environ["VIDSTYLE_CACHE"]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._pid = int(self._process.stdout.readline())
        return self._pid

    def until(self, look: Callable[[], object]) -> None:
        """Waits until what `look` returns is true, and fails if the command ends before."""

        def seen() -> object:
            assert self._is_alive(), f"the command ended too soon:\n{self.log.read_text()}"
            return look()

        until(seen, self.log.read_text, 0.005)

    def _is_alive(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self) -> int:
        """Waits for the command and returns its exit status, negative for a signal."""
        self._pid = None
        return os.waitstatus_to_exitcode(int(self._process.stdout.readline()))

    def _kill_earlier(self) -> None:
        """Kills a command that a test, which has failed, did not wait for: its status is none of the next one's."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                kill(self._pid)
            self.end()

    def run(self, arguments: list[str], crash_at: int = 0) -> int:
        """Runs a command to its end and returns its exit status."""
        self.start(arguments, crash_at)
        return self.end()


def kill(pid: int) -> None:
    """Kills a process, and none of its children."""
    os.kill(pid, signal.SIGKILL)
