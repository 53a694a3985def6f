"""How a command ends: errors become one line and an exit status, signals unwind what is half done."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from vidstyle.errors import VidstyleError

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class TerminatedError(BaseException):
    """SIGTERM, SIGBREAK, or SIGHUP from a terminal that was closed: what is half written is cleared away first."""


@contextmanager
def terminable() -> Iterator[None]:
    """Makes SIGTERM, SIGHUP and SIGBREAK unwind the render like Ctrl-C does; else they would leave temporary files."""

    def stop(number: int, frame: object) -> None:
        raise TerminatedError(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    # Windows has SIGBREAK alone for a process that another one asks to end.
    known = ("SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in known if hasattr(signal, name)]
    # What is ignored, as by nohup, stays so.
    before = {number: signal.signal(number, stop) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ExitStatus:
    """A block whose errors are printed, in one line each, and kept from leaving it.

    Attributes: `status`, the command's exit status once the block is left.
    """

    def __init__(
        self,
        program: str,
        subject: object,
        *,
        verbose: bool,
        what_is_kept: Callable[[], str],
        worded: Callable[[str], str] = str,
    ) -> None:
        """Takes what an error line begins with, and what says after an interruption what is there already.

        Args:
            subject: what a fault of ours is said to have happened with. verbose: print tracebacks, too.
            worded: makes of an error's message what is printed.
        """
        self.status = DONE
        self._program, self._subject, self._verbose = program, subject, verbose
        self._what_is_kept, self._worded = what_is_kept, worded

    def __enter__(self) -> ExitStatus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, (TerminatedError, KeyboardInterrupt)):
            terminated = isinstance(error, TerminatedError)
            how = "terminated" if terminated else "interrupted"
            with suppress(OSError):  # the terminal may be gone
                self._say(f"{how}; {self._what_is_kept()}")
            self.status = 128 + error.args[0] if terminated else INTERRUPTED
            return True
        if not isinstance(error, Exception):
            return error is None
        if self._verbose:
            traceback.print_exception(kind, error, trace)
        self._say(self._line(error))
        self.status = FAILED
        return True

    def _line(self, error: Exception) -> str:
        if isinstance(error, VidstyleError):
            return self._worded(str(error))
        if isinstance(error, ImportError):
            remedy = "install vidstyle's packages again"
            if "libGL" in str(error):
                remedy = "install libGL, or opencv-python-headless instead of opencv-python"
            return f"a package cannot be loaded ({error}); {remedy}"
        # A fault of ours: one line, and where to find more.
        return (
            f"{self._subject}: unexpected {type(error).__name__}: {error}; "
            "run again with --verbose for the traceback and report it"
        )

    def _say(self, line: str) -> None:
        print(f"{self._program}: {line}", file=sys.stderr)
