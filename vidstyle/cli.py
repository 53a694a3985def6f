"""The command line: words become settings, errors become exit statuses; nothing else happens here."""

from __future__ import annotations

import argparse
import io
import logging
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from datetime import timedelta
from typing import Any

import vidstyle
from vidstyle.ending import USAGE, Ending, terminable
from vidstyle.errors import SettingsError
from vidstyle.frames import FrameDone, Plan, Result
from vidstyle.process import keep_freed_memory, share_cores
from vidstyle.progress import FrameBar, LateBar
from vidstyle.settings import Settings


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser; flags, defaults, choices and help come from the fields of `Settings`."""
    parser = argparse.ArgumentParser(
        prog="vidstyle",
        description="Turns a video, a folder of frames or a picture into a painting in the style of another.",
        epilog="Example: vidstyle input.mp4 --style starry.jpg",
        allow_abbrev=False,
    )
    # Both are needed but for --status; main() asks for them.
    parser.add_argument(
        "input", nargs="?", metavar="INPUT", help="video, folder of frames, pattern (shot.%%04d.png) or picture"
    )
    parser.add_argument("--style", metavar="IMAGE", help="picture whose style is taken")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUTPUT",
        help="video (.mp4 .mkv .mov .webm .avi .gif .webp), picture, or folder (existing, or with / at its end); "
        "default: INPUT_STYLE.mp4 (.mov with --codec prores, .mkv with ffv1), .png or a folder, here",
    )
    for spec in fields(Settings):
        add_setting(parser, spec)
    parser.add_argument("--status", metavar="OUTPUT", help="print how far the render of OUTPUT is, and do nothing else")
    parser.add_argument(
        "--measure",
        nargs=2,
        metavar=("SOURCE", "RESULT"),
        help="print how steady a painted video or folder is, against what it was painted from, and do nothing else",
    )
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("--quiet", action="store_true", help="print nothing but errors")
    talk.add_argument("--verbose", action="store_true", help="print what happens, and tracebacks")
    parser.add_argument("--version", action="version", version=f"vidstyle {vidstyle.__version__}")
    return parser


def add_setting(
    parser: argparse.ArgumentParser, spec: Field[Any], default: Any = None, help_text: str | None = None
) -> None:
    """Adds a field of `Settings` as a flag, with its own default and help unless others are given."""
    flag, meta = f"--{spec.name.replace('_', '-')}", spec.metadata
    value = spec.default if default is None else default
    help_text = (help_text or meta["help"]).replace("%", "%%")
    if meta["parse"] is None:
        parser.add_argument(flag, action="store_true", default=value, help=help_text)
        return
    shown = _shown(value)
    parser.add_argument(
        flag,
        type=readable(meta["parse"], meta["metavar"] or "a name"),
        choices=meta["choices"] or None,
        default=value,
        nargs="+" if meta["many"] else None,
        action=_Collected if meta["many"] else "store",
        metavar=meta["metavar"] or None,
        help=f"{help_text} (default: {shown})" if shown else help_text,
    )


class _Collected(argparse.Action):
    """Takes several words, after the same flag or after several of them, instead of the default."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, (*(() if before is self.default else before), *values))


def _shown(default: Any) -> str:
    if default is None or default in ((0, None), ()):
        return ""
    if isinstance(default, tuple):
        return ("," if isinstance(default[0], int) else " ").join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


def readable(parse: Callable[[str], Any], form: str) -> Callable[[str], Any]:
    """Returns `parse` as argparse takes it: a word that it refuses is said to be no `form`."""

    def read(word: str) -> Any:
        try:
            return parse(word)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{word!r} cannot be read as {form}") from error

    return read


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 wrong usage, from 128 on a signal."""
    parser = build_parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    given = {spec.name: getattr(options, spec.name) for spec in fields(Settings)}
    try:
        _check_needed(options)
        settings = Settings(**given)
    except SettingsError as error:
        parser.print_usage(sys.stderr)
        print(f"vidstyle: error: {error}", file=sys.stderr)
        return USAGE
    prepare_console(options)
    share_cores()
    keep_freed_memory()
    screen = _Screen(options)
    ending = Ending(
        "vidstyle", options.input or options.status, verbose=options.verbose, what_is_kept=screen.what_is_kept
    )
    with ending, terminable():
        if options.status is not None:
            print(_status_lines(vidstyle.job_status(options.status, settings.job_dir)))
        elif options.measure is not None:
            source, result = options.measure
            print(_stability_lines(vidstyle.measure(source, result, frames=settings.frames)))
        else:
            _render(options, settings, screen)
    return ending.status


def _check_needed(options: argparse.Namespace) -> None:
    defaults = {spec.name: spec.default for spec in fields(Settings)}
    given = {name for name, value in vars(options).items() if value != defaults.get(name)} - {"verbose", "quiet"}
    if options.status is not None:
        if given - {"status", "job_dir"}:
            raise SettingsError("--status OUTPUT stands alone, but for --job-dir")
        return
    if options.measure is not None:
        if given - {"measure", "frames"}:
            raise SettingsError("--measure SOURCE RESULT stands alone, but for --frames")
        return
    missing = [name for name, value in (("INPUT", options.input), ("--style", options.style)) if value is None]
    if missing:
        raise SettingsError(f"the following arguments are required: {', '.join(missing)}")


def prepare_console(options: argparse.Namespace) -> None:
    """Makes streams take any name of a file, and logging as talkative as the options say."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the console's encoding does not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.ERROR if options.quiet else logging.WARNING,
        format="vidstyle: %(message)s",
    )


class _Screen:
    """What is shown while a render runs, and what must be known if it stops."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.shown = not options.quiet
        self.download = LateBar("fetching VGG-19", shown=self.shown, unit="B", unit_scale=True)
        self.survey = LateBar("looking for cuts", shown=self.shown, unit="frame", delay=1, leave=False)
        self._bar: FrameBar | None = None
        self._plan: Plan | None = None
        self._done = 0

    def on_start(self, plan: Plan) -> None:
        self.survey.close()
        self._plan, self._done = plan, plan.done
        self._bar = FrameBar(plan.frame_count, shown=self.shown, done=plan.done)
        if self.shown:
            print(_plan_line(plan), flush=True)
            if plan.done and plan.frame_count is not None and plan.done < plan.frame_count:
                print(f"continuing at frame {plan.done + 1:,} of {plan.frame_count:,}", flush=True)
            self._bar.show()

    def on_frame(self, frame: FrameDone) -> None:
        self._done = frame.done
        if self._bar is not None:
            self._bar.frame_done(frame)

    def close(self) -> None:
        for bar in (self.survey, self.download, self._bar):
            if bar is not None:
                bar.close()

    def what_is_kept(self) -> str:
        if self._plan is None or self._plan.job is None or not self._done:
            return "no output was written"
        frames = "frame is" if self._done == 1 else "frames are"
        return f"{self._done:,} {frames} kept in {self._plan.job}; continue with: {self._plan.command}"


def _render(options: argparse.Namespace, settings: Settings, screen: _Screen) -> None:
    try:
        result = vidstyle.stylize(
            options.input,
            options.style,
            options.output,
            settings,
            on_start=screen.on_start,
            on_frame=screen.on_frame,
            on_download=screen.download,
            on_survey=screen.survey,
        )
    finally:
        screen.close()
    if screen.shown:
        for note in result.notes:
            print(f"note: {note}")
        print(_result_line(result))


def _status_lines(status: vidstyle.Status) -> str:
    share = 100 * status.done / max(1, status.total)
    line = f"{status.output}: {status.done:,} of {status.total:,} frames ({share:.1f} %)"
    if status.shots > 1:
        line += f", {status.shots_done:,} of {status.shots:,} shots"
    if status.is_finished:
        return line + (", finished, but changed since" if status.is_changed else ", finished")
    if status.seconds_per_frame is not None:
        left = timedelta(seconds=round(status.seconds_per_frame * (status.total - status.done)))
        line += f", {status.seconds_per_frame:.2f} s a frame, {left} left for one process"
    if status.is_running:
        return line + ", running"
    return f"{line}, stopped\ncontinue with: {status.command}"


def _stability_lines(stability: vidstyle.Stability) -> str:
    def pair(painted: float, source: float) -> str:
        return "nothing to measure" if math.isnan(painted) else f"{painted:.2f} of 255 (the source's own: {source:.2f})"

    return "\n".join(
        (
            f"frames         {stability.frames:,}",
            f"warping error  {pair(stability.warp_error, stability.source_warp_error)}",
            f"flicker        {pair(stability.flicker, stability.source_flicker)}, where the source is still",
            f"drift          {stability.drift:.2f} of 255, less the source's own",
        )
    )


def _plan_line(plan: Plan) -> str:
    count = "an unknown number of" if plan.frame_count is None else f"{plan.frame_count:,}"
    frames = "frame" if plan.frame_count == 1 else "frames"
    return (
        f"{plan.source} -> {plan.output}: {count} {frames} at {plan.width}x{plan.height}, "
        f"network {plan.network}, {plan.device} {plan.precision}"
    )


def _result_line(result: Result) -> str:
    frames = "frame" if result.frames == 1 else "frames"
    if result.was_finished:
        return f"{result.output}: finished already by the same command ({result.frames:,} {frames}); nothing to do"
    each = result.seconds / max(1, result.painted)
    of_them = "" if result.painted == result.frames else f", {result.painted:,} of them now"
    timing = f"{result.seconds:.1f} s ({each:.2f} s a frame)" if result.painted else f"{result.seconds:.1f} s"
    return f"wrote {result.output}: {result.frames:,} {frames}{of_them} in {timing}"
