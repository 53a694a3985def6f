"""Settings as other programs hold them: JSON, and words on a command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.frames import join_moment, same_moment, split_moment
from vidstyle.settings.definitions import Settings
from vidstyle.settings.values import cuts_file, join_region, split_region


def to_json(settings: Settings) -> dict[str, Any]:
    """Returns every setting as JSON can hold it; `Settings(**...)` of it is the same again."""
    return {
        spec.name: str(value) if isinstance(value, (Path, Fraction)) else list(value) if type(value) is tuple else value
        for spec in fields(Settings)
        for value in [getattr(settings, spec.name)]
    }


def flag_of(setting: str) -> str:
    """Returns how a setting is called on the command line."""
    return f"--{setting.replace('_', '-')}"


def painting_flags(settings: Settings) -> dict[str, str]:
    """Returns those settings that change the output, as flags with their values in words."""
    stylizing = (spec.name for spec in fields(Settings) if spec.metadata["paints"])
    return {flag_of(name): " ".join(_words(name, getattr(settings, name))) for name in stylizing}


def moments_of(settings: Settings) -> str:
    """Returns the moments of `style_at` and which of its styles each has: "0:1 12.5s:2", however written."""
    parts = [split_moment(text) for text in settings.style_at]
    names = list(dict.fromkeys(Path(name) for _, name in parts))
    return " ".join(f"{same_moment(moment)}:{names.index(Path(name)) + 1}" for moment, name in parts)


def joining_flags() -> frozenset[str]:
    """Returns the flags of settings that change nothing before the last step, when all is put together."""
    return frozenset(flag_of(spec.name) for spec in fields(Settings) if spec.metadata["joins"])


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
        words.append(flag_of(spec.name))
        if isinstance(value, Path):
            words.append(shown(value))
        elif spec.name == "cuts":
            words.append(value if value in ("auto", "off") else cuts_file(shown(Path(value))))
        elif spec.name == "region":
            words += [join_region(*map(shown, split_region(region))) for region in value]
        elif spec.name == "style_at":
            words += [join_moment(moment, shown(Path(name))) for moment, name in map(split_moment, value)]
        elif not isinstance(value, bool):
            words += _words(spec.name, value)
    return words


def _words(name: str, value: Any) -> list[str]:
    if name == "frames":
        return [":".join("" if end is None else str(end) for end in value)]
    if name in ("temporal_window", "style_crop"):
        return [",".join(map(str, value))]
    return [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
