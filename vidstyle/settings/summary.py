"""What frames are to look like, in words for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidstyle.frames import split_moment
from vidstyle.settings.definitions import Settings

_COLORS = {"content": "the content's", "match": "the style's, with the palette of each shot's first frame"}


def look_rows(settings: Settings, styles: Sequence[Path], changing: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Returns what is said of the look, by name: the styles, and what else is not as ever.

    Args:
        styles: all of them. changing: names of settings that `Settings.keyframes` says.
    """
    rows = [("style", _styles(settings, styles))]
    if settings.strength != 1:
        rows.append(("strength", f"{settings.strength:g}"))
    if settings.mask is not None:
        rows.append(("mask", f"{settings.mask.name}: what it shows white is painted"))
    for mask, style in settings.regions:
        rows.append(("region", f"{style.name} where {mask.name} is white"))
    if settings.color in _COLORS:
        rows.append(("color", _COLORS[settings.color]))
    if settings.keyframes is not None:
        names = ", ".join(name.replace("_", "-") for name in changing)
        rows.append(("changes", f"{names}, as {settings.keyframes.name} says"))
    return tuple(rows)


def _styles(settings: Settings, styles: Sequence[Path]) -> str:
    if settings.style_at:
        parts = map(split_moment, settings.style_at)
        return ", ".join(f"{Path(name).name} at {moment}" for moment, name in parts)
    weights = settings.style_blend
    if len(weights) < 2:
        return ", ".join(path.name for path in styles)
    pairs = zip(styles, weights, strict=True)
    return ", ".join(f"{path.name} {100 * weight / sum(weights):.0f} %" for path, weight in pairs)
