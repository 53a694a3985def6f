"""Shots as Ray tasks: the longest first, tried again where they fail, none waiting for another."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vidstyle.shots import Shot

logger = logging.getLogger(__name__)

# A shot that fails so often in a row is given up.
TRIES = 3
# Shots that Ray has at a time: more than there are machines, and few enough to ask for all of them often.
_AHEAD = 256
_WAIT_S = 0.5
_SILENCE_S = 30


class Schedule:
    """Has Ray work on shots, and yields the tasks' answers as they come.

    Ray's own retries are not used: they would run a task from its beginning and drop as many answers as came before,
    but a shot continues where it was left.

    Attributes:
        failures: the last error of each shot that was given up, by its number.

    Args:
        ray: the module. submit: makes a streaming task of a shot, and returns its generator of references.
        fatal: returns what to raise for an error that concerns all shots, or None.
        on_silence: called after every half minute without an answer.
    """

    def __init__(
        self,
        ray: Any,
        submit: Callable[[Shot], Any],
        fatal: Callable[[Exception], Exception | None],
        on_silence: Callable[[], None] = lambda: None,
    ) -> None:
        self._ray, self._submit, self._fatal, self._on_silence = ray, submit, fatal, on_silence
        self._silent_waits = 0
        self.failures: dict[int, Exception] = {}
        self._failed: dict[int, int] = {}  # failures in a row, by number of the shot
        self._running: dict[Any, Shot] = {}

    def run(self, shots: Sequence[Shot]) -> Iterator[tuple[Shot, Any]]:
        """Yields shots with their tasks' answers, and a shot with None when a task of it has ended, well or not."""
        waiting = deque(sorted(shots, key=lambda shot: (shot.start - shot.stop, shot.number)))
        while waiting or self._running:
            while waiting and len(self._running) < _AHEAD:
                shot = waiting.popleft()
                self._running[self._submit(shot)] = shot
            for task in self._ready():
                shot = self._running[task]
                try:
                    answer = self._ray.get(next(task))
                except StopIteration:
                    del self._running[task]
                    yield shot, None
                except Exception as error:
                    del self._running[task]
                    # If only an answer was lost with a machine, the task may still run. A task that raised has ended,
                    # and canceling it would kill the next one, which its process may run already.
                    if getattr(error, "cause", None) is None:
                        self._ray.cancel(task, force=True)
                    if self._retries(shot, error):
                        waiting.appendleft(shot)
                    yield shot, None
                else:
                    yield shot, answer

    def note_progress(self, shot: Shot) -> None:
        """Forgets the earlier failures of a shot that has made progress since."""
        self._failed.pop(shot.number, None)

    def cancel(self) -> None:
        """Ends all tasks."""
        for task in self._running:
            self._ray.cancel(task, force=True)
        self._running.clear()

    def _ready(self) -> list[Any]:
        tasks = list(self._running)
        ready, _ = self._ray.wait(tasks, num_returns=1, timeout=_WAIT_S, fetch_local=False)
        self._silent_waits = 0 if ready else self._silent_waits + 1
        if self._silent_waits and self._silent_waits * _WAIT_S % _SILENCE_S == 0:
            self._on_silence()
        if ready:  # all of them, so that the first ones in the list are not preferred
            ready, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0, fetch_local=False)
        return list(ready)

    def _retries(self, shot: Shot, error: Exception) -> bool:
        cause = getattr(error, "cause", None)
        error = cause if isinstance(cause, Exception) else error
        fatal = self._fatal(error)
        if fatal is not None:
            raise fatal from error
        self._failed[shot.number] = self._failed.get(shot.number, 0) + 1
        if self._failed[shot.number] < TRIES:
            logger.info("shot %d is tried again: %s", shot.number, error)
            return True
        frames = f"frames {shot.start} to {shot.stop - 1}"
        logger.warning("shot %d (%s) failed %d times: %s; the others go on", shot.number, frames, TRIES, error)
        self.failures[shot.number] = error
        return False
