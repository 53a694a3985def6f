"""The command line: words become settings, errors become exit statuses; nothing else happens here."""

from __future__ import annotations

import argparse
import io
import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields
from typing import Any

import vidstyle
from vidstyle.errors import SettingsError, VidstyleError
from vidstyle.frames import FrameDone, Plan, Result
from vidstyle.progress import DownloadBar, FrameBar
from vidstyle.settings import Settings

DONE, FAILED, USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class _TerminatedError(BaseException):
    """SIGTERM arrived: what is half written is cleared away before the process ends."""


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser; flags, defaults, choices and help come from the fields of `Settings`."""
    parser = argparse.ArgumentParser(
        prog="vidstyle",
        description="Turns a video, a folder of frames or a picture into a painting in the style of another.",
        epilog="Example: vidstyle input.mp4 --style starry.jpg",
        allow_abbrev=False,
    )
    parser.add_argument("input", metavar="INPUT", help="video, folder of frames, pattern (shot.%%04d.png) or picture")
    parser.add_argument("--style", required=True, metavar="IMAGE", help="picture whose style is taken")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUTPUT",
        help="video (.mp4 .mkv .mov .webm .avi .gif), picture, or folder (existing, or with / at its end); "
        "default: INPUT_STYLE.mp4, .png or a folder, here",
    )
    for spec in fields(Settings):
        _add_setting(parser, spec)
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("--quiet", action="store_true", help="print nothing but errors")
    talk.add_argument("--verbose", action="store_true", help="print what happens, and tracebacks")
    parser.add_argument("--version", action="version", version=f"vidstyle {vidstyle.__version__}")
    return parser


def _add_setting(parser: argparse.ArgumentParser, spec: Field[Any]) -> None:
    flag, meta = f"--{spec.name.replace('_', '-')}", spec.metadata
    help_text = meta["help"].replace("%", "%%")
    if meta["parse"] is None:
        parser.add_argument(flag, action="store_true", default=spec.default, help=help_text)
        return
    default = _shown(spec.default)
    parser.add_argument(
        flag,
        type=_readable(meta["parse"], spec.name),
        choices=meta["choices"] or None,
        default=spec.default,
        nargs="+" if meta["many"] else None,
        metavar=meta["metavar"] or None,
        help=f"{help_text} (default: {default})" if default else help_text,
    )


def _shown(default: Any) -> str:
    if default is None or default == (0, None):
        return ""
    if isinstance(default, tuple):
        return " ".join(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def _readable(parse: Callable[[str], Any], name: str) -> Callable[[str], Any]:
    def read(word: str) -> Any:
        return parse(word)

    read.__name__ = name  # argparse names it in "invalid ... value"
    return read


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 wrong usage, 130 or 143 stopped."""
    parser = build_parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    given = {spec.name: getattr(options, spec.name) for spec in fields(Settings)}
    try:
        settings = Settings(**given | {"style_layers": tuple(given["style_layers"])})
    except SettingsError as error:
        parser.print_usage(sys.stderr)
        print(f"vidstyle: error: {error}", file=sys.stderr)
        return USAGE
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the console's encoding does not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.ERROR if options.quiet else logging.WARNING,
        format="vidstyle: %(message)s",
    )
    try:
        with _terminable():
            _render(options, settings)
    except _TerminatedError:
        print("vidstyle: terminated; no output was written", file=sys.stderr)
        return TERMINATED
    except KeyboardInterrupt:
        print("vidstyle: interrupted; no output was written", file=sys.stderr)
        return INTERRUPTED
    except VidstyleError as error:
        if options.verbose:
            traceback.print_exc()
        print(f"vidstyle: {error}", file=sys.stderr)
        return FAILED
    except ImportError as error:
        if options.verbose:
            traceback.print_exc()
        remedy = "install vidstyle's packages again"
        if "libGL" in str(error):
            remedy = "install libGL, or opencv-python-headless instead of opencv-python"
        print(f"vidstyle: a package cannot be loaded ({error}); {remedy}", file=sys.stderr)
        return FAILED
    except Exception as error:  # a fault of ours: one line, and where to find more
        if options.verbose:
            traceback.print_exc()
        print(
            f"vidstyle: {options.input}: unexpected {type(error).__name__}: {error}; "
            "run again with --verbose for the traceback and report it",
            file=sys.stderr,
        )
        return FAILED
    return DONE


@contextmanager
def _terminable() -> Iterator[None]:
    """Makes SIGTERM unwind the render like Ctrl-C does; by default it would leave temporary files."""

    def stop(number: int, frame: object) -> None:
        raise _TerminatedError

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _render(options: argparse.Namespace, settings: Settings) -> None:
    shown = not options.quiet
    bar: FrameBar | None = None

    def on_start(plan: Plan) -> None:
        nonlocal bar
        if shown:
            print(_plan_line(plan), flush=True)
        bar = FrameBar(plan.frame_count, shown=shown)

    def on_frame(frame: FrameDone) -> None:
        if bar is not None:
            bar.frame_done(frame)

    download = DownloadBar(shown=shown)
    try:
        result = vidstyle.stylize(
            options.input,
            options.style,
            options.output,
            settings,
            on_start=on_start,
            on_frame=on_frame,
            on_download=download,
        )
    finally:
        download.close()
        if bar is not None:
            bar.close()
    if shown:
        for note in result.notes:
            print(f"note: {note}")
        print(_result_line(result))


def _plan_line(plan: Plan) -> str:
    count = "an unknown number of" if plan.frame_count is None else f"{plan.frame_count:,}"
    frames = "frame" if plan.frame_count == 1 else "frames"
    return (
        f"{plan.source} -> {plan.output}: {count} {frames} at {plan.width}x{plan.height}, "
        f"network {plan.network}, {plan.device} {plan.precision}"
    )


def _result_line(result: Result) -> str:
    frames = "frame" if result.frames == 1 else "frames"
    each = result.seconds / max(1, result.frames)
    return f"wrote {result.output}: {result.frames:,} {frames} in {result.seconds:.1f} s ({each:.2f} s a frame)"
