"""Settings as other programs hold them: JSON, and words on a command line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.frames import same_moment, split_moment
from vidstyle.settings.definitions import ALL_SETTINGS, Settings
from vidstyle.settings.kinds import WritePath


def to_json(settings: Settings) -> dict[str, Any]:
    """Returns every setting as JSON can hold it; `Settings(**...)` of it is the same again."""
    return {
        name: str(value) if isinstance(value, (Path, Fraction)) else list(value) if type(value) is tuple else value
        for name in ALL_SETTINGS
        for value in [getattr(settings, name)]
    }


def flag_of(setting: str) -> str:
    """Returns how a setting is called on the command line."""
    return f"--{setting.replace('_', '-')}"


def frame_changing_flags(settings: Settings) -> dict[str, str]:
    """Returns those settings that change the output, as flags with their values in words."""
    return {
        flag_of(name): " ".join(spec.kind.words(getattr(settings, name)))
        for name, spec in ALL_SETTINGS.items()
        if spec.changes_frames
    }


def moments_of(settings: Settings) -> str:
    """Returns the moments of `style_at` and which of its styles each has: "0:1 12.5s:2", however written."""
    parts = [split_moment(text) for text in settings.style_at]
    names = list(dict.fromkeys(Path(name) for _, name in parts))
    return " ".join(f"{same_moment(moment)}:{names.index(Path(name)) + 1}" for moment, name in parts)


def joining_flags() -> frozenset[str]:
    """Returns the flags of settings that change nothing before the last step, when all is put together."""
    return frozenset(flag_of(spec.name) for spec in ALL_SETTINGS.values() if spec.when_joining)


def to_words(settings: Settings, written: WritePath = str) -> list[str]:
    """Returns the command line's words for every setting that is not its default and is to be said again.

    Args:
        written: how paths are written.
    """
    words = []
    for spec in ALL_SETTINGS.values():
        value = getattr(settings, spec.name)
        if value == spec.default or not spec.is_repeated:
            continue
        words.append(flag_of(spec.name))
        if not isinstance(value, bool):
            words += spec.kind.words(value, written)
    return words
