"""Studios for tests: servers in processes of their own, and waiting for what they do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 120.0
_MAIN = "import sys; from vidstyle.cli.studio import main; sys.exit(main())"


def until(look: Callable[[], T], log: Callable[[], object], step_s: float = 0.1) -> T:
    """Returns what `look` returns once that is true; `log` tells, if it never is, what the awaited process did."""
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited in vain; so far:\n{log()}"
        time.sleep(step_s)
    return seen


class StudioServer:
    """`vidstyle studio FOLDER` in a process of its own; a context manager.

    Attributes: `url`; `temporary`, where it keeps what it needs while it runs.
    """

    def __init__(self, folder: Path, *words: str) -> None:
        self._words, self._log = [str(folder), "--port", "0", *words], folder.parent / f"{folder.name}-server.txt"
        self.temporary = folder.parent / f"{folder.name}-temporary"
        self.temporary.mkdir()

    def __enter__(self) -> StudioServer:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, *self._words],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(self.temporary)},
            )
        self.url = until(self._address, lambda: self.log)
        return self

    def _address(self) -> str:
        assert self.is_alive, self.log
        found = re.search(r"http://\S+", self.log)
        return found[0] if found else ""

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8")

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def end(self, by: int = signal.SIGTERM) -> None:
        """Asks it to end, and waits until it has."""
        if self.is_alive:
            self._process.send_signal(by)
        self._process.wait(PATIENCE_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
