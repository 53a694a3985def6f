"""Errors become one line and an exit status; signals end a command in order, so that it can clean up."""

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
    """The process was asked to end: by SIGTERM, SIGBREAK, or SIGHUP from a terminal that was closed."""


@contextmanager
def terminable() -> Iterator[None]:
    """Makes SIGTERM, SIGHUP and SIGBREAK raise an error as Ctrl-C does, so that temporary files are removed."""

    def stop(number: int, frame: object) -> None:
        raise TerminatedError(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    # SIGBREAK is how one process asks another to end on Windows.
    known = ("SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in known if hasattr(signal, name)]
    # A signal that is ignored, as under nohup, stays ignored.
    before = {number: signal.signal(number, stop) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ExitStatus:
    """A context manager that prints an error as one line and keeps it from spreading.

    Attributes: `status`, the command's exit status after the block.
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
        """Takes what to print.

        Args:
            program: what each line begins with. subject: the input or command, for unexpected errors.
            verbose: whether to print tracebacks, too.
            what_is_kept: says after an interruption what is on disk already.
            worded: makes what is printed of an error's message.
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
                self._print(f"{how}; {self._what_is_kept()}")
            self.status = 128 + error.args[0] if terminated else INTERRUPTED
            return True
        if not isinstance(error, Exception):
            return error is None
        if self._verbose:
            traceback.print_exception(kind, error, trace)
        self._print(self._line(error))
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
        # A bug.
        return (
            f"{self._subject}: unexpected {type(error).__name__}: {error}; "
            "run again with --verbose for the traceback and report it"
        )

    def _print(self, line: str) -> None:
        print(f"{self._program}: {line}", file=sys.stderr)
