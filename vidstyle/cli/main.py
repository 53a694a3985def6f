"""The command `vidstyle`: words become settings, progress becomes bars, errors become exit statuses."""

from __future__ import annotations

import argparse
import io
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import vidstyle
from vidstyle.cli.arguments import build_parser, in_flags, parsed, settings_of, typed_flags, wrong_usage
from vidstyle.cli.exit_status import USAGE, ExitStatus, terminable
from vidstyle.cli.progress import FrameBar, LateBar
from vidstyle.devices import keep_freed_memory, share_cores
from vidstyle.errors import SettingsError
from vidstyle.frames import FrameDone, Plan
from vidstyle.settings import Settings
from vidstyle.settings.command import SUBCOMMANDS
from vidstyle.settings.config import check_config, left_out, save_config
from vidstyle.text import forecast_lines, plan_line, result_line, stability_lines, status_lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 wrong usage, from 128 on a signal."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words and words[0] in SUBCOMMANDS:
        status: int = import_module(f"vidstyle.cli.{words[0]}").main(words[1:], f"vidstyle {words[0]}")
        return status
    try:
        options = parsed(build_parser(), words)
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    try:
        settings = settings_of(options)
    except SettingsError as error:
        print(wrong_usage("vidstyle", in_flags(str(error), typed_flags(options))), file=sys.stderr)
        return USAGE
    prepare_console(options)
    share_cores()
    keep_freed_memory()
    screen = _Screen(options)
    exit_status = ExitStatus(
        "vidstyle",
        options.input or options.status,
        verbose=options.verbose,
        what_is_kept=screen.what_is_kept,
        worded=lambda message: in_flags(message, typed_flags(options)),
    )
    with exit_status, terminable():
        if options.status is not None:
            _print_status(options, settings, screen)
        elif options.measure is not None:
            source, result = options.measure
            print(stability_lines(vidstyle.measure(source, result, frames=settings.frames)))
        else:
            with _config_saved(options, settings, screen):
                command = _plan if options.dry_run or options.preview is not None else _render
                command(options, settings, screen)
    return exit_status.status


def print_any_character() -> None:
    """Makes the streams take any name of a file."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the console's encoding does not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def prepare_console(options: argparse.Namespace) -> None:
    """Makes the streams take any name of a file, and logs as much as the options say."""
    print_any_character()
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.ERROR if options.quiet else logging.WARNING,
        format="vidstyle: %(message)s",
    )


class _Screen:
    """What is shown while a render runs, and what is known of it when it stops."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.shown = not options.quiet
        self.download = LateBar("fetching weights", shown=self.shown, unit="B", unit_scale=True)
        self.analyze = LateBar("looking for cuts", shown=self.shown, unit="frame", delay=1, leave=False)
        self.preview = LateBar("painting a preview", shown=self.shown, unit="picture", leave=False)
        self.report = LateBar("comparing for the report", shown=self.shown, unit="frame", delay=1, leave=False)
        self._bar: FrameBar | None = None
        self._plan: Plan | None = None
        self._done = 0

    def on_start(self, plan: Plan) -> None:
        self.analyze.close()
        self._plan, self._done = plan, plan.done
        self._bar = FrameBar(
            plan.frame_count, shown=self.shown, done=plan.done, shots=plan.shots, is_clustered=plan.is_clustered
        )
        if self.shown:
            print(plan_line(plan), flush=True)
            if plan.done and plan.frame_count is not None and plan.done < plan.frame_count:
                print(f"continuing at frame {plan.done + 1:,} of {plan.frame_count:,}", flush=True)
            self._bar.show()

    def on_frame(self, frame: FrameDone) -> None:
        self._done = frame.done
        if self._bar is not None:
            self._bar.frame_done(frame)

    def on_report(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self.report(done, total)

    def close(self) -> None:
        for bar in (self.analyze, self.download, self.preview, self.report, self._bar):
            if bar is not None:
                bar.close()

    def what_is_kept(self) -> str:
        if self._plan is None or self._plan.job is None or not self._done:
            return "no output was written"
        frames = "frame is" if self._done == 1 else "frames are"
        return f"{self._done:,} {frames} kept in {self._plan.job}; continue with: {self._plan.command}"


def _print_status(options: argparse.Namespace, settings: Settings, screen: _Screen) -> None:
    """Prints how far a render is; with --report, writes the page of a finished one."""
    status = vidstyle.job_status(options.status, settings.job_dir)
    print(status_lines(status))
    if settings.report is None:
        return
    try:
        vidstyle.report(status.output, settings.report, overwrite=settings.overwrite, on_report=screen.on_report)
    finally:
        screen.close()
    if screen.shown:
        print(f"wrote {settings.report}")


@contextmanager
def _config_saved(options: argparse.Namespace, settings: Settings, screen: _Screen) -> Iterator[None]:
    """Writes the settings to a file, if asked to, when the block has ended well."""
    path = None if options.save_config is None else Path(options.save_config)
    if path is not None:
        check_config(path, settings, [Path(style) for style in options.style or ()], overwrite=settings.overwrite)
    yield
    if path is not None:
        save_config(path, settings, options.style or (), overwrite=settings.overwrite)
        if screen.shown and left_out(settings):
            print(f"note: {path}: holds the look, without what is of this film: {', '.join(left_out(settings))}")


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
            on_analysis=screen.analyze,
            on_report=screen.on_report,
        )
    finally:
        screen.close()
    if screen.shown:
        for note in result.notes:
            print(f"note: {note}")
        print(result_line(result))
        if settings.report is not None:
            print(f"wrote {settings.report}")


def _plan(options: argparse.Namespace, settings: Settings, screen: _Screen) -> None:
    """Prints what a render would do; with --preview, paints a few frames as well."""
    source, style, output = options.input, options.style, options.output
    try:
        if options.preview is None:
            forecast = vidstyle.forecast(source, style, output, settings, on_analysis=screen.analyze)
        else:
            forecast = vidstyle.preview(
                source,
                style,
                options.preview,
                settings,
                output=output,
                on_analysis=screen.analyze,
                on_download=screen.download,
                on_picture=screen.preview,
            )
    finally:
        screen.close()
    if screen.shown:
        print(forecast_lines(forecast))
        for note in forecast.notes:
            print(f"note: {note}")
        if options.preview is not None:
            print(f"wrote {options.preview}")
