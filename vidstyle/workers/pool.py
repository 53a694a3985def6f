"""Several shots at once: worker processes of this machine, each of which gets the next shot that is not taken.

Processes of one machine are not a small cluster: Ray is a large package that few need, its releases for Windows are
not stable, and starting it takes longer than many a render.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from vidstyle import errors
from vidstyle.devices import BESIDE_OTHERS
from vidstyle.errors import DeviceError, VidstyleError
from vidstyle.job.folder import JobFolder
from vidstyle.settings import Settings
from vidstyle.settings.words import to_json
from vidstyle.shots import Shot
from vidstyle.workers.shot_stylizer import SavedFrame
from vidstyle.workers.worker import END

logger = logging.getLogger(__name__)

_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from vidstyle.workers import worker; worker.run()"
_END_S = 10
# Answers that wait until this process takes them; then the workers wait.
_MOST_WAITING = 16


class Workers:
    """Worker processes of one job; a context manager that ends them.

    Results are those of a single process: shots do not depend on each other, and every worker computes with
    the job's number of threads, whatever the number of workers.
    """

    def __init__(self, count: int, job: JobFolder, source: Path, styles: Sequence[Path], settings: Settings) -> None:
        """Takes a count of at least 1, a job, and the input, styles and settings as given to `stylize`."""
        self._count, self._device = count, settings.device
        self._task: dict[str, Any] = {
            "job": str(job.path.resolve()),
            "source": str(source.resolve()),
            "styles": [str(style.resolve()) for style in styles],
            "settings": to_json(settings),
        }
        self._answers: queue.Queue[tuple[int, Any]] = queue.Queue(_MOST_WAITING)
        self._ended = threading.Event()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for process in self._processes:
            if kind is not None:
                process.terminate()
        for process in self._processes:
            try:
                process.wait(_END_S if kind is None else 2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()

    def stylize(self, shots: Sequence[Shot]) -> Iterator[SavedFrame]:
        """Yields frames as they are saved, in any order.

        Raises:
            VidstyleError: what a worker raised, or that one has died.
        """
        waiting = list(shots)
        for number in range(min(self._count, len(waiting))):
            self._start(number)
            self._send(number, {"shot": waiting.pop(0).number})
        working = set(range(len(self._processes)))
        while working:
            number, answer = self._next_answer()
            if answer is None:
                if number not in working:
                    continue  # it has ended as it should
                raise self._death_of(number)
            if "error" in answer:
                raise _error_of(answer)
            if "position" in answer:
                yield SavedFrame.from_json(answer)
            elif waiting:
                self._send(number, {"shot": waiting.pop(0).number})
            else:
                self._send(number, END)
                working.remove(number)

    def _start(self, number: int) -> None:
        environment = {**os.environ, **BESIDE_OTHERS, **_device_of(number, self._device)}
        # Modules are found where this process found them, and never in the current folder.
        paths = [str(Path(__file__).resolve().parents[2]), *filter(None, sys.path)]
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._processes.append(process)
        self._send(number, {**self._task, "number": number})
        threading.Thread(target=self._listen, args=(number, process), daemon=True).start()

    def _send(self, number: int, message: Mapping[str, Any]) -> None:
        stream = self._processes[number].stdin
        if stream is not None:
            # The end of a dead worker's answers says so in `stylize`.
            with suppress(OSError):
                stream.write(json.dumps(message).encode() + b"\n")
                stream.flush()

    def _listen(self, number: int, process: subprocess.Popen[bytes]) -> None:
        stream = process.stdout
        answer: Any = None
        with suppress(OSError, ValueError):
            for line in stream or ():
                answer = json.loads(line)
                if "shape" in answer:
                    height, width, channels = answer["shape"]
                    body = stream.read(height * width * channels) if stream is not None else b""
                    answer["image"] = np.frombuffer(body, np.uint8).reshape(height, width, channels)
                self._queue_answer(number, answer)
        self._queue_answer(number, None)

    def _queue_answer(self, number: int, answer: Any) -> None:
        while not self._ended.is_set():
            with suppress(queue.Full):
                self._answers.put((number, answer), timeout=0.5)
                return

    def _next_answer(self) -> tuple[int, Any]:
        while True:
            with suppress(queue.Empty):
                # In short waits, since on Windows Ctrl-C does not end a long one.
                return self._answers.get(timeout=0.5)

    def _death_of(self, number: int) -> VidstyleError:
        try:
            status = self._processes[number].wait(_END_S)
        except subprocess.TimeoutExpired:
            status = 0
        cause = f"was killed by signal {-status}, often since memory ran out" if status < 0 else f"ended ({status})"
        return DeviceError(
            f"worker {number} {cause}; finished frames are kept: run the command again, perhaps with fewer --workers"
        )


def _error_of(answer: Mapping[str, Any]) -> Exception:
    """Returns a worker's error: one of `vidstyle.errors` as it was, any other as a `RuntimeError`."""
    logger.info("in a worker:\n%s", answer["traceback"])
    kind = getattr(errors, answer["error"], None)
    if isinstance(kind, type) and issubclass(kind, VidstyleError):
        return kind(answer["message"])
    return RuntimeError(f"in a worker: {answer['error']}: {answer['message']}")


def _device_of(number: int, device: str) -> dict[str, str]:
    """Returns the environment that gives worker `number` a GPU of its own, where there are several."""
    import torch

    if device not in ("auto", "cuda") or not torch.cuda.is_available():
        return {}
    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name for name in visible.split(",") if name] or [str(index) for index in range(count)]
    return {"CUDA_VISIBLE_DEVICES": names[number % len(names)]}
