"""The command line: the words that it may begin with, and the one that does what a render does."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from vidstyle.settings import Settings
from vidstyle.settings.named_files import given_styles
from vidstyle.settings.words import to_words

# Words that may stand in place of an input, with what each does; a file of such a name needs ./ in front. Each is a
# module of `vidstyle.cli` with a `main` that takes the words after it, and how it is called.
SUBCOMMANDS = {
    "help": "print the manual, a topic at a time",
    "studio": "serve a local page to find looks, and to start and watch renders",
    "experiment": "run an experiment of neural style transfer",
}


def as_command(
    source: str | Path,
    style: str | Path | Sequence[str | Path] | None,
    output: str | Path,
    settings: Settings | None = None,
) -> str:
    """Returns the command line that does what `stylize` with the same arguments does, to be typed in any folder."""
    return command_line(Path(source), given_styles(style), str(output), settings or Settings(), anywhere=True)


def command_line(source: Path, styles: Sequence[Path], target: str, settings: Settings, *, anywhere: bool) -> str:
    """Returns the command for a render as this system's shell takes it, without `--restart`.

    Args:
        styles: none where `style_at` names them.
        target: the output as it was given, with a separator at its end where a folder is to be made.
        anywhere: with whole paths, so that it may be typed in any folder.
    """

    def written(path: Path) -> str:
        text = str(Path.cwd() / path) if anywhere else str(path)
        # A name that begins with a dash would be taken for a flag.
        return f".{os.sep}{text}" if text.startswith("-") else text

    first = written(source)
    first = f".{os.sep}{first}" if first in SUBCOMMANDS else first
    output = written(Path(target)) + (os.sep if target.endswith(("/", os.sep)) else "")
    style_words = ["--style", *map(written, styles)] if styles else []
    words = ["vidstyle", first, *style_words, "-o", output, *to_words(settings, written)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
