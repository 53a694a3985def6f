"""Every setting of a render: default, legal values and help text, stated once.

The command line, and whatever else reads or writes settings, derives from the fields of `Settings`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from vidstyle.errors import SettingsError
from vidstyle.frames import SMALLEST_SIDE_PX

LARGEST_SIZE_PX = 16384
LONGEST_WINDOW_FRAMES = 120
FrameRange = tuple[int, "int | None"]


def parse_size(text: str) -> int | Literal["source"]:
    """Returns a size in pixels, or "source"."""
    return "source" if text == "source" else int(text)


def parse_rate(text: str) -> Fraction:
    """Returns frames per second from "25", "23.976" or "30000/1001"."""
    try:
        return Fraction(text)
    except ZeroDivisionError as error:
        raise ValueError(text) from error


def parse_frames(text: str) -> FrameRange:
    """Returns the half-open range of "A:B", "A:", ":B" or ":"; (0, None) is every frame."""
    start, colon, stop = text.partition(":")
    if not colon:
        raise ValueError(text)
    return int(start or 0), int(stop) if stop else None


def parse_window(text: str) -> tuple[int, ...]:
    """Returns how many frames back to look from "1,5,15"."""
    return tuple(int(word) for word in text.split(","))


def parse_cuts(text: str) -> str:
    """Returns "auto", "off" or the name of a file."""
    if not text:
        raise ValueError(text)
    return text


def setting(
    default: Any,
    help_text: str,
    *,
    parse: Callable[[str], Any] | None = None,
    choices: tuple[str, ...] = (),
    low: float = -math.inf,
    high: float = math.inf,
    metavar: str = "",
    many: bool = False,
    paints: bool = True,
) -> Any:
    """Returns a dataclass field that carries what a command line needs to know of it.

    Args:
        default: its value when nothing is said. help_text: one sentence, without the default.
        parse: makes a value of a word on the command line; None for a switch.
        choices: the legal words, if there are only some. low, high: the legal range of a number.
        metavar: what help calls the value. many: whether several words are taken.
        paints: whether another value gives other frames, so that a job cannot be continued with it.
    """
    metadata = {"help": help_text, "parse": parse, "choices": choices, "low": low, "high": high}
    return field(default=default, metadata=metadata | {"metavar": metavar, "many": many, "paints": paints})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to paint. Values are checked when the object is made.

    Raises:
        SettingsError: a value is not legal; the message says which are.
    """

    size: int | Literal["source"] = setting(
        640,
        "long side of the painted picture in pixels, or 'source' for the input's own; smaller inputs are not enlarged",
        parse=parse_size,
        low=SMALLEST_SIDE_PX,
        high=LARGEST_SIZE_PX,
        metavar="PX|source",
    )
    network: str = setting(
        "compact",
        "perceptual network: 'compact' comes with the package, 'vgg19' is slower and fetched once",
        parse=str,
        choices=("compact", "vgg19"),
    )
    weights: Path | None = setting(
        None,
        "weights of the network, .safetensors or .pth with torchvision's names, instead of its own",
        parse=Path,
        metavar="FILE",
        paints=False,
    )
    pooling: str = setting("average", "pooling of vgg19", parse=str, choices=("average", "max"))
    iterations: int = setting(
        20,
        "most optimiser steps for a frame that starts from the painted one before it; 0 leaves frames unpainted",
        parse=int,
        low=0,
        high=100_000,
        metavar="N",
    )
    first_iterations: int = setting(
        50,
        "steps at each size, from small to full, for frames that start afresh: a shot's first, stills, all with "
        "--init content or noise; at least --iterations",
        parse=int,
        low=0,
        high=100_000,
        metavar="N",
    )
    content_weight: float = setting(1.0, "weight of the content loss", parse=float, low=0, high=1e9, metavar="W")
    style_weight: float = setting(
        30.0,
        "weight of the style loss: 10 is subtle, 100 strong",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
    )
    tv_weight: float = setting(
        1.0,
        "weight of total variation, which smooths; 1 keeps fine grids away",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
    )
    content_layer: str = setting("relu3_4", "layer that holds the content", parse=str, metavar="LAYER")
    style_layers: tuple[str, ...] = setting(
        ("relu1_1", "relu2_1", "relu3_1", "relu3_4"),
        "layers whose Gram matrices hold the style",
        parse=str,
        metavar="LAYER",
        many=True,
    )
    levels: int = setting(
        0,
        "half-size copies of the picture that features are taken from, itself included; 0: by size",
        parse=int,
        low=0,
        high=10,
        metavar="N",
    )
    optimizer: str = setting("lbfgs", "optimiser", parse=str, choices=("lbfgs", "adam"))
    init: str = setting(
        "warped",
        "what a frame starts from: the previous painted frame carried along by optical flow, that frame as it is, "
        "its own content, or noise",
        parse=str,
        choices=("warped", "previous", "content", "noise"),
    )
    flow: str = setting(
        "dis",
        "optical flow: 'dis' is OpenCV's, 'raft' torchvision's (better on fast motion, for GPUs, fetched once); with "
        "'off' paint stays where it is on the screen",
        parse=str,
        choices=("dis", "raft", "off"),
    )
    temporal_weight: float = setting(
        500.0,
        "how firmly paint is held on to what moves, with --init warped: 0 lets it live, 2000 keeps it as it is",
        parse=float,
        low=0,
        high=1e9,
        metavar="W",
    )
    temporal_window: tuple[int, ...] = setting(
        (1,),
        "how many frames back to look for paint, with --init warped: 1,5,15 also finds what was hidden for a moment",
        parse=parse_window,
        low=1,
        high=LONGEST_WINDOW_FRAMES,
        metavar="N,N,...",
    )
    least_gain: float = setting(
        0.01,
        "a frame that starts from the painted one before it is done when three steps lower its objective by less than "
        "this share, or the first one by less than a third of it; 0: after all steps",
        parse=float,
        low=0,
        high=1,
        metavar="SHARE",
    )
    cuts: str = setting(
        "auto",
        "where shots begin and paint starts afresh: found by 'auto', none with 'off', or a FILE with a frame number or "
        "time (12.5s, 1:02.5) a line",
        parse=parse_cuts,
        metavar="auto|off|FILE",
        paints=False,
    )
    device: str = setting("auto", "where to compute", parse=str, choices=("auto", "cpu", "cuda", "mps"), paints=False)
    precision: str = setting(
        "auto",
        "precision of the network; 'auto' is the fastest one that the device computes natively",
        parse=str,
        choices=("auto", "float32", "bfloat16", "float16"),
        paints=False,
    )
    workers: int = setting(
        1,
        "processes that paint different shots at once, on a GPU each where there are several",
        parse=int,
        low=1,
        high=256,
        metavar="N",
        paints=False,
    )
    seed: int = setting(0, "seed of the noise", parse=int, low=0, high=2**63 - 1, metavar="N")
    fps: Fraction | None = setting(
        None,
        "frames per second of a frame folder made into a video (25 if not given)",
        parse=parse_rate,
        low=0.01,
        high=1000,
        metavar="RATE",
    )
    frames: FrameRange = setting(
        (0, None),
        "only frames A up to, not including, B, counted from 0 in display order",
        parse=parse_frames,
        metavar="A:B",
    )
    crf: int = setting(
        16, "quality of H.264 output, 0 (lossless) to 51 (worst)", parse=int, low=0, high=51, metavar="N"
    )
    keep_going: bool = setting(False, "paint what can be decoded of a damaged video instead of stopping")
    overwrite: bool = setting(False, "replace an existing output", paints=False)
    job_dir: Path | None = setting(
        None,
        "folder for what is needed to continue, instead of OUTPUT.vidstyle beside the output",
        parse=Path,
        metavar="FOLDER",
        paints=False,
    )
    keep_job: bool = setting(False, "keep the job folder when all is done", paints=False)
    restart: bool = setting(False, "throw away what an earlier run has painted, and begin anew", paints=False)

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = _checked(spec.name, getattr(self, spec.name), spec.default, dict(spec.metadata))
            object.__setattr__(self, spec.name, value)
        if self.pooling != "average" and self.network != "vgg19":
            raise SettingsError(f"pooling {self.pooling} is for vgg19; {self.network} has its own")
        start, stop = self.frames
        if start < 0 or (stop is not None and stop <= start):
            raise SettingsError(f"frames {start}:{'' if stop is None else stop} is empty; give A:B with 0 <= A < B")
        if not self.style_layers or len(set(self.style_layers)) != len(self.style_layers):
            raise SettingsError("style_layers needs at least one layer, each named once")
        window = self.temporal_window
        if not window or window[0] != 1 or list(window) != sorted(set(window)):
            raise SettingsError("temporal_window begins with 1, the frame before, and ascends")

    @property
    def is_warped(self) -> bool:
        """Whether paint is carried along by optical flow."""
        return self.init == "warped" and self.flow != "off"

    @property
    def needs_flow(self) -> bool:
        """Whether optical flow is estimated at all."""
        return self.init in ("warped", "noise") and self.flow != "off"

    @property
    def looks_back_frames(self) -> int:
        """How many painted frames before it a frame may depend on, besides the first of its shot."""
        if self.is_warped:
            return max(self.temporal_window)
        return 1 if self.init in ("warped", "previous") else 0


def _checked(name: str, value: Any, default: Any, metadata: dict[str, Any]) -> Any:
    """Returns `value` in the type that the setting has; a caller may say 25 for a rate, or a path in words."""
    parse, choices = metadata["parse"], metadata["choices"]
    if choices and value not in choices:
        raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(choices)}")
    if choices or (value is None and default is None) or (parse is parse_size and value == "source"):
        return value
    try:
        if parse is None:
            typed: Any = value if isinstance(value, bool) else None
        elif parse is parse_frames:
            value = start, stop = tuple(value)
            typed = int(start), None if stop is None else int(stop)
        elif parse is parse_window:
            if isinstance(value, str) or any(isinstance(number, bool) or int(number) != number for number in value):
                raise ValueError(value)
            typed = value = tuple(int(number) for number in value)
        elif metadata["many"]:
            typed = None if isinstance(value, str) else tuple(str(word) for word in value)
        else:
            typed = {parse_size: int, parse_rate: Fraction}.get(parse, parse)(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SettingsError(f"{name} is {value!r}; {metadata['help']}") from error
    whole = parse in (int, parse_size, parse_frames)
    if typed is None or isinstance(value, bool) != (parse is None) or (whole and typed != value):
        raise SettingsError(f"{name} is {value!r}; {metadata['help']}")
    numbers = typed if parse is parse_window else (typed,)
    for number in numbers:
        if isinstance(number, (int, float, Fraction)) and not isinstance(number, bool):
            low, high = metadata["low"], metadata["high"]
            if not math.isfinite(number) or not low <= number <= high:
                raise SettingsError(f"{name} is {number}; the range is {low} to {high}")
    return typed


def to_json(settings: Settings) -> dict[str, Any]:
    """Returns every setting as JSON can hold it; `Settings(**...)` of it is the same again."""
    return {
        spec.name: str(value) if isinstance(value, (Path, Fraction)) else list(value) if type(value) is tuple else value
        for spec in fields(Settings)
        for value in [getattr(settings, spec.name)]
    }


def painting_flags(settings: Settings) -> dict[str, str]:
    """Returns those settings that change the painted frames, as flags with their values in words."""
    painting = (spec.name for spec in fields(Settings) if spec.metadata["paints"])
    return {_flag(name): " ".join(_words(name, getattr(settings, name))) for name in painting}


def to_words(settings: Settings, shown: Callable[[Path], str] = str) -> list[str]:
    """Returns the command line's words for every setting that is not its default, but for `--restart`.

    Args:
        shown: how paths are written.
    """
    words = []
    for spec in fields(Settings):
        value = getattr(settings, spec.name)
        if value == spec.default or spec.name == "restart":
            continue
        words.append(_flag(spec.name))
        if isinstance(value, Path) or (spec.name == "cuts" and value not in ("auto", "off")):
            words.append(shown(Path(value)))
        elif not isinstance(value, bool):
            words += _words(spec.name, value)
    return words


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _words(name: str, value: Any) -> list[str]:
    if name == "frames":
        return [":".join("" if end is None else str(end) for end in value)]
    if name == "temporal_window":
        return [",".join(map(str, value))]
    return list(value) if isinstance(value, tuple) else [str(value)]
