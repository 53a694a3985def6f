"""Every file and folder that a render reads beside its input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vidstyle.settings.definitions import ALL_SETTINGS, Settings


class NamedFile(NamedTuple):
    """A file, folder or pattern that is read, and what it is there for, in words for messages."""

    path: Path
    what: str


def given_styles(style: str | Path | Sequence[str | Path] | None) -> tuple[Path, ...]:
    """Returns one style, or several, or none, as paths."""
    return tuple(Path(each) for each in ([style] if isinstance(style, (str, Path)) else style or ()))


def named_files(styles: Sequence[Path], settings: Settings) -> list[NamedFile]:
    """Returns the styles of a render and whatever else its settings name."""
    found = [NamedFile(style, "the style") for style in styles]
    for spec in ALL_SETTINGS.values():
        value = getattr(settings, spec.name)
        if value is not None:
            found += [NamedFile(path, what) for path, what in spec.kind.files(value)]
    return found
