"""The arguments of the command `vidstyle`: flags, defaults, choices and help derive from the settings."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import vidstyle
from vidstyle.errors import SettingsError
from vidstyle.settings import Settings
from vidstyle.settings.command import SUBCOMMANDS
from vidstyle.settings.config import read_config, with_quality
from vidstyle.settings.definitions import ALL_SETTINGS, RENAMED
from vidstyle.settings.kinds import Switch
from vidstyle.settings.quality import QUALITIES, quality_help
from vidstyle.settings.setting import GROUPS, Setting
from vidstyle.settings.words import flag_of
from vidstyle.version import __version__

PACKAGE = Path(vidstyle.__file__).parent
_NOT_GIVEN = object()
_USAGE = """%(prog)s INPUT --style STYLE [STYLE ...] [-o OUTPUT] [options]
       %(prog)s --status OUTPUT
       %(prog)s --measure SOURCE RESULT
       %(prog)s COMMAND ..."""
_EPILOG = """example: vidstyle input.mp4 --style starry.jpg

commands, instead of an input (a file of such a name is given as ./help):
{commands}

"vidstyle help" lists the topics of the manual, and "vidstyle help TOPIC" prints one.
The manual's pages are the README.md files below {folder}"""


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line, without all options above it."""

    def error(self, message: str) -> NoReturn:
        """Prints a message, with the option that was probably meant or its new name, and exits with status 2."""
        typed = next((word for word in message.split() if word.startswith("--")), "").partition("=")[0]
        if message.startswith("unrecognized arguments: ") and typed:
            known = [flag for action in self._actions for flag in action.option_strings]
            now = {flag_of(old): flag_of(new) for old, new in RENAMED.items()}.get(typed)
            nearest = difflib.get_close_matches(typed, known, 1)
            if now in known:
                message = f"{typed} is now {now}"
            elif nearest:
                message += f"; did you mean {nearest[0]}?"
        self.exit(2, f"{wrong_usage(self.prog, message)}\n")


class _HelpFormatter(argparse.HelpFormatter):
    """Leaves the line breaks in description and epilog as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text


def wrong_usage(program: str, message: object) -> str:
    """Returns the line that is printed about wrong usage."""
    return f"{program}: error: {message}; see {program} --help"


def in_flags(message: str, flags: Mapping[str, str]) -> str:
    """Returns a message with flags in place of the names of settings.

    Args:
        flags: the flag for each name. A name of one word, as `size`, may mean something else within a message, and is
            replaced only where the message begins with it, or after "and".
    """
    for name, flag in flags.items():
        before = r"(?<![\w./\\'-])" if "_" in name else r"(?:(?<=\A)|(?<=and ))"
        message = re.sub(rf"{before}{name}(?=[ ,;])", flag, message)
    return message


def typed_flags(options: argparse.Namespace) -> dict[str, str]:
    """Returns the flag of each setting that messages are to call by its flag, by name.

    Where a --config file, which has names, may be to blame, these are only the flags on the command line.
    """
    names = ALL_SETTINGS if options.config is None else options.given
    return {name: flag_of(name) for name in names}


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser; flags, defaults, choices and help come from the fields of `Settings`."""
    commands = "\n".join(f"  {name:12}{purpose}" for name, purpose in SUBCOMMANDS.items())
    parser = Parser(
        prog="vidstyle",
        usage=_USAGE,
        description="Turns a video, a folder of frames or a picture into a painting in the style of another.",
        epilog=_EPILOG.format(commands=commands, folder=PACKAGE).replace("%", "%%"),
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    _add_files(parser)
    parser.add_argument("--quality", choices=tuple(QUALITIES), help=quality_help())
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="read settings, style and quality from a TOML file, as size = 640 or style = 'starry.jpg'; its paths are "
        "relative to the file, and the command line wins over it",
    )
    parser.add_argument(
        "--save-config",
        metavar="FILE",
        help="at the end, write style and settings to a .toml file for --config; what belongs to this machine, run, "
        "film (--frames, masks, lists of cuts) or output (--codec) is left out",
    )
    groups = {name: parser.add_argument_group(title) for name, title in GROUPS.items()}
    for spec in ALL_SETTINGS.values():
        add_setting(groups[spec.group], spec)
    _add_other_work(parser)
    return parser


def _add_other_work(parser: argparse.ArgumentParser) -> None:
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--preview",
        metavar="SHEET",
        help="instead of rendering, paint three frames at three strengths onto a labeled picture, with a forecast of "
        "what the render would take",
    )
    instead.add_argument(
        "--dry-run",
        action="store_true",
        help="instead of rendering, print what would be done, and what it would take in time, disk and memory",
    )
    parser.add_argument(
        "--status",
        metavar="OUTPUT",
        help="only print how far the render of OUTPUT is; with --report, write the page of a finished one",
    )
    parser.add_argument(
        "--measure",
        nargs=2,
        metavar=("SOURCE", "RESULT"),
        help="only print how steady a painted video or folder is, compared with what it was painted from",
    )
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("--quiet", action="store_true", help="print nothing but errors")
    talk.add_argument("--verbose", action="store_true", help="print what happens, and tracebacks")
    parser.add_argument("--version", action="version", version=f"vidstyle {__version__}")


def _add_files(parser: argparse.ArgumentParser) -> None:
    # Not all work needs these two; see `check_needed`.
    parser.add_argument(
        "input", nargs="?", metavar="INPUT", help="video, folder of frames, pattern (shot.%%04d.png) or picture"
    )
    parser.add_argument(
        "--style",
        nargs="+",
        metavar="STYLE",
        help="the style: a picture, a folder of pictures or a video; or several, see --style-blend",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUTPUT",
        help="video (.mp4 .mkv .mov .webm .avi .gif .webp), picture, or folder (existing, or with / at its end); "
        "default: INPUT_STYLE.mp4 (.mov with --codec prores, .mkv with ffv1), .png or a folder, in the current folder",
    )


def add_setting(
    parser: argparse._ActionsContainer, spec: Setting, default: Any = None, help_text: str | None = None
) -> None:
    """Adds a setting as a flag, with its own default and help unless others are given."""
    flag, kind = flag_of(spec.name), spec.kind
    value = spec.default if default is None else default
    help_text = (help_text or spec.help).replace("%", "%%")
    if isinstance(kind, Switch):
        parser.add_argument(flag, action="store_true", default=value, help=help_text)
        return
    shown = spec.shown(value)
    parser.add_argument(
        flag,
        type=readable(kind.parse, kind.metavar or "a name"),
        choices=kind.choices or None,
        default=value,
        nargs="+" if kind.is_list else None,
        action=_Collected if kind.is_list else "store",
        metavar=kind.metavar or None,
        help=f"{help_text} (default: {shown})" if shown else help_text,
    )


class _Collected(argparse.Action):
    """Takes several words, after the same flag or after several of them, instead of the default."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        before = getattr(namespace, self.dest)
        is_first = before is self.default or before is _NOT_GIVEN
        setattr(namespace, self.dest, (*(() if is_first else before), *values))


def readable(parse: Callable[[str], Any], form: str) -> Callable[[str], Any]:
    """Returns `parse` as argparse takes it: a word that it refuses is said to be no `form`."""

    def read(word: str) -> Any:
        try:
            return parse(word)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{word!r} cannot be read as {form}") from error

    return read


def parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options; its `given` holds the settings that stand on the command line, by name.

    Raises:
        SystemExit: argparse has printed why, or the help.
    """
    options = parser.parse_args(arguments, argparse.Namespace(**dict.fromkeys(ALL_SETTINGS, _NOT_GIVEN)))
    if options.input is None and options.style is not None and len(options.style) > 1:
        *options.style, options.input = options.style  # --style STYLE INPUT: the last word is no style
    values = {name: getattr(options, name) for name in ALL_SETTINGS}
    options.given = {name: value for name, value in values.items() if value is not _NOT_GIVEN}
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    """Returns the settings of a command; a style that only its --config names becomes its `style`.

    What stands on the command line wins over the file, and in each of them a setting over the quality.

    Raises:
        SettingsError: the file cannot be read, a value is not legal, or the command lacks something.
    """
    values: dict[str, Any] = {}
    if options.config is not None:
        config = read_config(options.config)
        values |= config.values
        # Styles that the command line names, in whichever way, replace those of the file and what each of them counts.
        if options.style is not None or "style_at" in options.given:
            for name in ("style_at", "style_blend"):
                values.pop(name, None)
        elif config.styles:
            options.style = [str(style) for style in config.styles]
    check_needed(options, has_style_at=bool({"style_at"} & {*values, *options.given}))
    if options.quality is not None:
        values = with_quality(values, options.quality, options.given.get("network"))
    return Settings(**values | options.given)


def check_needed(options: argparse.Namespace, *, has_style_at: bool = False) -> None:
    """Makes sure that a command has what it needs, and nothing that it does not take.

    Raises:
        SettingsError: it is not so.
    """
    others = {"input", "style", "output", "quality", "config", "save_config", "preview", "dry_run", "status", "measure"}
    given = {name for name in others if getattr(options, name)} | set(options.given)
    if options.status is not None:
        if given - {"status", "job_dir", "report", "overwrite"}:
            raise SettingsError("--status OUTPUT stands alone, but for --job-dir, --report and --overwrite")
        return
    if options.measure is not None:
        if given - {"measure", "frames"}:
            raise SettingsError("--measure SOURCE RESULT stands alone, but for --frames")
        return
    if options.dry_run and options.save_config is not None:
        raise SettingsError("--dry-run writes nothing; leave --save-config out")
    style = options.style or has_style_at or None
    missing = [name for name, value in (("INPUT", options.input), ("--style", style)) if value is None]
    # An empty name would be the current folder.
    empty = [("INPUT", [options.input]), ("--style", options.style or ()), ("--output", [options.output])]
    for name, words in empty:
        if "" in words:
            raise SettingsError(f"{name} is empty; name a file or folder")
    if missing:
        raise SettingsError(f"the following arguments are required: {', '.join(missing)}")
