"""How a command ends: one line, a status, and what is not ours passes."""

import signal
import threading

import pytest

from vidstyle.cli.exit_status import DONE, FAILED, INTERRUPTED, ExitStatus, TerminatedError, terminable
from vidstyle.errors import SourceError


def ended_with(error, *, verbose=False):
    ending = ExitStatus("program", "film.mp4", verbose=verbose, what_is_kept=lambda: "nothing is kept")
    with ending:
        if error is not None:
            raise error
    return ending.status


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (None, DONE, None),
        (SourceError("a.png: no such file; check the path"), FAILED, "program: a.png: no such file; check the path"),
        (KeyboardInterrupt(), INTERRUPTED, "program: interrupted; nothing is kept"),
        (TerminatedError(15), 143, "program: terminated; nothing is kept"),
        (ImportError("libGL.so.1"), FAILED, "opencv-python-headless instead of opencv-python"),
        (ImportError("torch"), FAILED, "a package cannot be loaded (torch); install vidstyle's packages again"),
        (KeyError("x"), FAILED, "program: film.mp4: unexpected KeyError: 'x'; run again with --verbose"),
    ],
)
def test_an_error_becomes_a_line_and_a_status(error, status, line, capsys):
    assert ended_with(error) == status
    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == (0 if line is None else 1)
    assert all(line in text for text in printed)


def test_verbose_shows_where(capsys):
    ended_with(KeyError("x"), verbose=True)
    assert "Traceback" in capsys.readouterr().err


def test_what_ends_the_process_passes():
    with pytest.raises(SystemExit):
        ended_with(SystemExit(3))


def test_a_signal_unwinds_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TerminatedError) as raised, terminable():
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.args == (signal.SIGTERM,)
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_may_run_a_command():
    done = []

    def run():
        with terminable():
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]
