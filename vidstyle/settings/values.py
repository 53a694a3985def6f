"""One setting: how a word on the command line becomes a value, and which values are legal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from vidstyle.errors import SettingsError
from vidstyle.frames import split_moment

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


def split_region(text: str) -> tuple[Path, Path]:
    """Returns mask and style of "MASK=STYLE", split at the last "=" that stands alone; "==" is one in a name.

    Raises:
        SettingsError: it is not of that form.
    """
    alone = [run for run in re.finditer("=+", text) if len(run[0]) % 2]
    mask, style = (text[: alone[-1].end() - 1], text[alone[-1].end() :]) if alone else ("", "")
    if not mask or not style:
        raise SettingsError(f"region is {text!r}; give it as MASK=STYLE, with == for each = in the name of a file")
    return Path(mask.replace("==", "=")), Path(style.replace("==", "="))


def join_region(mask: str, style: str) -> str:
    """Returns what `split_region` splits into the paths of these two names."""
    # After the sign that stands alone, one that begins a name would be taken for its other half.
    style = f"./{style}" if style.startswith("=") else style
    return "=".join(name.replace("=", "==") for name in (mask, style))


def parse_region(text: str) -> str:
    """Returns "MASK=STYLE" as it is, if it is that."""
    split_region(text)
    return text


def parse_crop(text: str) -> tuple[float, ...]:
    """Returns left, top, width and height, in shares of a picture, from "0.5,0,0.5,1"."""
    shares = tuple(float(word) for word in text.split(","))
    if len(shares) != 4:
        raise ValueError(text)
    return shares


def parse_style_at(text: str) -> str:
    """Returns "12.5s:b.jpg" as it is, if it is a moment and a name."""
    split_moment(text)
    return text


def parse_name(text: str) -> str:
    """Returns a name as it is, if it is one."""
    if not text.strip():
        raise ValueError(text)
    return text


def parse_cuts(text: str) -> str:
    """Returns "auto", "off" or the name of a file."""
    if not text:
        raise ValueError(text)
    return text


def cuts_file(name: str) -> str:
    """Returns the name of a file with cuts in a form that is not one of the other words for cuts."""
    return f"./{name}" if name in ("auto", "off") else name


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
    joins: bool = False,
) -> Any:
    """Returns a dataclass field that carries what a command line needs to know of it.

    Args:
        default: its value when nothing is said. help_text: one sentence, without the default.
        parse: makes a value of a word on the command line; None for a switch.
        choices: the legal words, if there are only some. low, high: the legal range of a number.
        metavar: what help calls the value. many: whether several words are taken.
        paints: whether another value gives other frames, so that a job cannot be continued with it.
        joins: whether it counts when finished segments are put together only, so that a job can be.
    """
    metadata = {"help": help_text, "parse": parse, "choices": choices, "low": low, "high": high, "metavar": metavar}
    return field(default=default, metadata=metadata | {"many": many, "paints": paints, "joins": joins})


# What one value is, in words.
_KINDS: dict[Any, str] = {
    None: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word in quotes",
    Path: "the name of a file in quotes",
    parse_size: "a whole number of pixels, or 'source'",
    parse_rate: "a number above 0, or a fraction in quotes, as '30000/1001'",
    parse_frames: "A and B: from Python (0, 100) or (5, None), in a file '0:100' or '5:'",
    parse_window: "whole numbers from 1 on, in a list, as [1, 5, 15]",
    parse_crop: "four numbers, left, top, width and height in shares of the picture, as [0.5, 0, 0.5, 1]",
    parse_name: "a name in quotes",
    parse_cuts: "'auto', 'off' or the name of a file, in quotes",
}
_LISTS: dict[Any, str] = {
    float: "numbers, as [0.7, 0.3]",
    str: "names, as ['relu1_1', 'relu2_1']",
    parse_region: "masks with their styles, as ['sky.png=wave.jpg']",
    parse_style_at: "moments with their styles, as ['0:a.jpg', '12.5s:b.jpg']",
}


def no_such_kind(name: str, value: Any, metadata: Mapping[str, Any]) -> SettingsError:
    """Returns the error for a value that is of another kind than the setting's: it says what to give."""
    parse = metadata["parse"]
    kind = f"a list of {_LISTS[parse]}" if metadata["many"] else _KINDS[parse]
    return SettingsError(f"{name} is {value!r}; give {kind}")


def checked(name: str, value: Any, default: Any, metadata: dict[str, Any]) -> Any:
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
            if isinstance(value, str):
                raise ValueError(value)
            value = start, stop = tuple(value)
            typed = int(start), None if stop is None else int(stop)
        elif parse is parse_window:
            if isinstance(value, str) or any(isinstance(number, bool) or int(number) != number for number in value):
                raise ValueError(value)
            typed = value = tuple(int(number) for number in value)
        elif parse is parse_crop:
            if isinstance(value, str) or len(value) != 4 or any(isinstance(share, bool) for share in value):
                raise ValueError(value)
            typed = value = tuple(float(share) for share in value)
        elif metadata["many"]:
            if isinstance(value, str) or any(isinstance(word, bool) for word in value):
                raise ValueError(value)
            typed = tuple(parse(word) for word in value)
        else:
            typed = {parse_size: int, parse_rate: Fraction}.get(parse, parse)(value)
    except SettingsError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise no_such_kind(name, value, metadata) from error
    whole = parse in (int, parse_size, parse_frames)
    if typed is None or isinstance(value, bool) != (parse is None) or (whole and typed != value):
        raise no_such_kind(name, value, metadata)
    numbers = typed if isinstance(typed, tuple) else (typed,)
    for number in numbers:
        if isinstance(number, (int, float, Fraction)) and not isinstance(number, bool):
            low, high = metadata["low"], metadata["high"]
            if not math.isfinite(number) or not low <= number <= high:
                raise SettingsError(f"{name} is {_plain(number)}; the range is {_plain(low)} to {_plain(high)}")
    return typed


def _plain(number: float | Fraction) -> str:
    """Returns a number as people write it: whole ones without a point."""
    is_whole = math.isfinite(number) and number == int(number)
    return str(int(number) if is_whole else number)


def check_series(frames: FrameRange, layers: tuple[str, ...], window: tuple[int, ...]) -> None:
    """Makes sure that a range of frames, layers of style and a window back are each a series of its kind.

    Raises:
        SettingsError: one is not.
    """
    start, stop = frames
    if start < 0 or (stop is not None and stop <= start):
        raise SettingsError(f"frames {start}:{'' if stop is None else stop} is empty; give A:B with 0 <= A < B")
    if not layers or len(set(layers)) != len(layers):
        raise SettingsError("style_layers needs at least one layer, each named once")
    if not window or window[0] != 1 or list(window) != sorted(set(window)):
        raise SettingsError("temporal_window begins with 1, the frame before, and ascends")
