"""The command `vidstyle experiment`: one subcommand for each experiment, with flags for the settings that it uses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidstyle import experiments
from vidstyle.cli.arguments import Parser, add_setting, in_flags, readable, wrong_usage
from vidstyle.cli.exit_status import USAGE, ExitStatus, terminable
from vidstyle.cli.main import prepare_console
from vidstyle.cli.progress import LateBar
from vidstyle.devices import keep_freed_memory, share_cores
from vidstyle.errors import SettingsError
from vidstyle.experiments.defaults import EVERY, GIF_FRAME_MS, SETTINGS, STARTS, STYLE_WEIGHTS
from vidstyle.method.features import POOLINGS
from vidstyle.settings import Settings
from vidstyle.settings.definitions import ALL_SETTINGS
from vidstyle.settings.words import flag_of
from vidstyle.version import __version__

PROGRAM = "vidstyle-experiment"
# Settings whose help for renders does not apply here.
HELP = {
    "iterations": "steps of the optimizer for each picture; 0 shows the starts",
    "activations_gib": "memory in GiB for the network's activations; pictures that need more are refused",
}
NETWORK = ("size", "network", "weights", "device", "precision", "activations_gib")
OPTIMIZED = (*NETWORK, "iterations", "optimizer", "seed")
TRANSFERRED = (*OPTIMIZED, "pooling", "levels", "content_weight", "tv_weight", "style_layers")


@dataclass(frozen=True)
class _Experiment:
    """One subcommand.

    Attributes:
        function: its name in `vidstyle.experiments`. pictures: names of its positional arguments.
        settings: names of the settings that it uses. flags: keyword arguments of the function, by name, with the
            arguments of argparse's `add_argument`.
        iterations: the default. moves: whether it can write a GIF.
    """

    function: str
    help: str
    pictures: tuple[str, ...]
    settings: tuple[str, ...]
    flags: dict[str, dict[str, Any]]
    iterations: int = SETTINGS.iterations
    moves: bool = False

    def typed_flags(self) -> dict[str, str]:
        """Returns the flag for each name that messages of the function use."""
        flags = {name: flag_of(name) for name in self.settings}
        flags |= {"style_weight": "--style-weights"} if "style_weights" in self.flags else {}
        return flags | ({"frame_ms": "--gif-ms"} if self.moves else {})


def _number(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return readable(parse, "a number")


_START = {"choices": STARTS, "default": "content", "help": "what each picture starts from (default: content)"}
_LAYERS = {"nargs": "+", "metavar": "LAYER"}
COMMANDS = {
    "content-reconstruction": _Experiment(
        "content_reconstruction",
        "what each layer holds of a picture's content, from noise",
        ("picture",),
        (*OPTIMIZED, "pooling"),
        {"layers": _LAYERS | {"help": "layers, a picture each (default: relu1_2 ... relu5_2, or all of compact's)"}},
        iterations=200,
    ),
    "style-reconstruction": _Experiment(
        "style_reconstruction",
        "textures from noise by the first style layers, with average and max pooling",
        ("picture",),
        (*OPTIMIZED, "style_layers"),
        {
            "layers": {"type": _number(int), "metavar": "N", "help": "up to the first N style layers (default: all)"},
            "poolings": {
                "nargs": "+",
                "choices": POOLINGS,
                "help": "a row each (default: both with vgg19, compact's own else)",
            },
        },
        iterations=200,
    ),
    "starting-points": _Experiment(
        "starting_points",
        "the same transfer from different starts",
        ("content", "style"),
        (*TRANSFERRED, "style_weight", "content_layer"),
        {"starts": {"nargs": "+", "choices": STARTS, "default": STARTS, "help": "a picture each (default: all)"}},
        iterations=120,  # black and white, at the border of the range, take the longest
    ),
    "trade-off": _Experiment(
        "trade_off",
        "content against style: the same transfer with different weights",
        ("content", "style"),
        (*TRANSFERRED, "content_layer"),
        {
            "style_weights": {
                "nargs": "+",
                "type": _number(float),
                "metavar": "W",
                "default": STYLE_WEIGHTS,
                "help": f"a picture each (default: {' '.join(f'{weight:g}' for weight in STYLE_WEIGHTS)})",
            },
            "start": _START,
        },
    ),
    "content-layers": _Experiment(
        "content_layers",
        "the same transfer with the content held by different layers",
        ("content", "style"),
        (*TRANSFERRED, "style_weight"),
        {
            "layers": _LAYERS | {"help": "layers, a picture each (default: relu2_2 relu4_2, or all of compact's)"},
            "start": _START,
        },
    ),
    "progress": _Experiment(
        "progress",
        "a transfer as it proceeds: a strip of pictures, or a .gif",
        ("content", "style"),
        (*TRANSFERRED, "style_weight", "content_layer"),
        {
            "every": {
                "type": _number(int),
                "metavar": "N",
                "default": EVERY,
                "help": f"steps from picture to picture (default: {EVERY})",
            },
            "start": _START,
        },
        moves=True,
    ),
    "normalization": _Experiment(
        "normalization",
        "textures by a network as it is and with filters of equal mean activation, with average and max pooling",
        ("picture",),
        (*OPTIMIZED, "style_layers"),
        {
            "over": {
                "nargs": "+",
                "type": Path,
                "metavar": "PICTURE",
                "default": (),
                "help": "pictures to take mean activations over (default: the picture itself)",
            }
        },
        iterations=200,
    ),
    "feature-maps": _Experiment(
        "feature_maps",
        "what each filter of a layer answers to a picture",
        ("picture",),
        (*NETWORK, "pooling"),
        {"layer": {"metavar": "LAYER", "default": "relu3_1", "help": "layer to be shown (default: relu3_1)"}},
    ),
}


def build_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """Returns the parser; the flags of settings derive from `Settings`, with the defaults of the experiments.

    Args:
        program: its name in usage lines and messages.
    """
    parser = Parser(
        prog=program,
        description="Runs an experiment of neural style transfer and writes its pictures as one labeled sheet.",
        epilog=f"Example: {program} content-reconstruction photo.jpg; {program} NAME --help says more.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    names = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    for name, experiment in COMMANDS.items():
        own = names.add_parser(name, help=experiment.help, description=experiment.help, allow_abbrev=False)
        for picture in experiment.pictures:
            own.add_argument(picture, type=Path, metavar=picture.upper(), help="picture file")
        for flag, words in experiment.flags.items():
            own.add_argument(flag_of(flag), **words)
        written = f"picture to write (default: PICTURE_{name}.png, by the first one)"
        own.add_argument("-o", "--output", type=Path, metavar="FILE", help=written)
        if experiment.moves:
            own.add_argument("--gif-ms", **_gif_words())
        for setting in experiment.settings:
            default = experiment.iterations if setting == "iterations" else getattr(SETTINGS, setting)
            add_setting(own, ALL_SETTINGS[setting], default, HELP.get(setting))
        add_setting(own, ALL_SETTINGS["overwrite"])
        talk = own.add_mutually_exclusive_group()
        talk.add_argument("--quiet", action="store_true", help="print nothing but errors")
        talk.add_argument("--verbose", action="store_true", help="print what happens, and tracebacks")
    return parser


def _gif_words() -> dict[str, Any]:
    return {
        "type": _number(int),
        "metavar": "MS",
        "default": GIF_FRAME_MS,
        "help": f"milliseconds for each picture of a .gif (default: {GIF_FRAME_MS})",
    }


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Runs one experiment and returns its exit status: 0 done, 1 failed, 2 wrong usage, from 128 on a signal.

    Args:
        arguments: those of the process by default. program: its name in usage lines and messages.
    """
    parser = build_parser(program)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has printed why, or the help
        return int(stop.code or 0)
    experiment = COMMANDS[options.name]
    flags = experiment.typed_flags()
    given = {name: getattr(options, name) for name in experiment.settings}
    try:
        settings = replace(SETTINGS, overwrite=options.overwrite, **given)
    except SettingsError as error:
        print(wrong_usage(f"{program} {options.name}", in_flags(str(error), flags)), file=sys.stderr)
        return USAGE
    prepare_console(options)
    share_cores()
    keep_freed_memory()
    exit_status = ExitStatus(
        program,
        options.name,
        verbose=options.verbose,
        what_is_kept=lambda: "no picture was written",
        worded=lambda message: in_flags(message, flags),
    )
    with exit_status, terminable():
        _run(options, experiment, settings)
    return exit_status.status


def _run(options: argparse.Namespace, experiment: _Experiment, settings: Settings) -> None:
    pictures = [getattr(options, name) for name in experiment.pictures]
    target = options.output or Path(f"{pictures[0].stem}_{options.name}.png")
    frame_ms = options.gif_ms if experiment.moves else None
    own = {name: getattr(options, name) for name in experiment.flags}
    read = [*pictures, *own.get("over", ()), *([] if settings.weights is None else [settings.weights])]
    experiments.check_target(target, read, frame_ms=frame_ms, overwrite=settings.overwrite)
    download = LateBar("fetching weights", shown=not options.quiet, unit="B", unit_scale=True)
    steps = LateBar(options.name, shown=not options.quiet, unit="step")
    if "iterations" in experiment.settings:
        own["on_progress"] = steps
    try:
        sheet = getattr(experiments, experiment.function)(*pictures, **own, settings=settings, on_download=download)
    finally:
        steps.close()
        download.close()
    experiments.write_sheet(target, sheet, frame_ms)
    if options.quiet:
        return
    for panel in sheet.panels:
        if panel.terms:
            print(f"{panel.label}: {', '.join(f'{name} {value:.4g}' for name, value in panel.terms.items())}")
    print(f"wrote {target}: {sheet.title}")
