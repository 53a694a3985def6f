"""How the look changes over time: the look of a frame follows from its own time and nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

from vidstyle.errors import SettingsError, SourceError
from vidstyle.frames import Moment, parse_moment, split_moment
from vidstyle.looks.animation import Point, read_animation
from vidstyle.method.look import Look, shares
from vidstyle.settings import Settings
from vidstyle.settings.named_files import given_styles

_Values = tuple[float, ...]
_DEFAULTS = {spec.name: spec.default for spec in fields(Settings)}


class Track:
    """One setting over time: linear between its points, steady before the first and after the last.

    All points of a track are frame numbers, or all are times; 0 is both.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        """Takes points in ascending order, at least one.

        Raises:
            SourceError: they do not ascend, or mix times with frame numbers.
        """
        moments: list[Moment] = []
        kinds = set()
        for point in points:
            if point.moment:
                kinds.add(type(point.moment))
            if len(kinds) > 1:
                raise SourceError(f"{point.place}: times and frame numbers cannot be mixed; write all in one way")
            if moments and point.moment <= moments[-1]:
                raise SourceError(f"{point.place}: is not later than the one before it; put them in order")
            moments.append(point.moment)
        self._points = tuple(points)
        self._moments, self._values = moments, [point.values for point in points]
        self._is_counted = isinstance(moments[-1], int)

    def at(self, index: int, time_s: Fraction | float) -> _Values:
        """Returns the values for the frame of that index, at that time after the first of the input."""
        here: Moment = index if self._is_counted else Fraction(time_s)
        after = bisect_right(self._moments, here)
        if after in (0, len(self._moments)):
            return self._values[max(0, after - 1)]
        start, stop = self._moments[after - 1], self._moments[after]
        share = float(Fraction(here - start) / Fraction(stop - start))
        pairs = zip(self._values[after - 1], self._values[after], strict=True)
        return tuple(_between(*pair, share) for pair in pairs)

    def unreached(self, index: int, time_s: Fraction) -> Point | None:
        """Returns the first point after the frame of that index, at that time, if there is one."""
        here: Moment = index if self._is_counted else time_s
        return next((point for point in self._points if point.moment > here), None)


def _between(before: float, following: float, share: float) -> float:
    """Returns what is that share of the way between two values, and neither below nor above both.

    Rounding would repaint what stands still, where both are the same, and leave the legal range at its end.
    """
    lowest, highest = sorted((before, following))
    return min(max((1 - share) * before + share * following, lowest), highest)


class Timeline:
    """The looks of all frames.

    Attributes: `changing`, the names of settings that change; `is_changing`, whether any does.
    """

    def __init__(self, settings: Settings, styles: int) -> None:
        """Reads what the settings say over time, for so many styles.

        Raises:
            SourceError: the file of `animate` cannot be read, or says what cannot be.
            SettingsError: a blend is not for so many styles, or two settings say it.
        """
        self._steady = look_of(settings, styles)
        points = _style_points(settings, styles)
        if settings.animate is not None:
            points += _read(settings.animate, styles, settings)
        self._tracks = {
            name: Track([point for point in points if point.setting == name])
            for name in {point.setting: 0 for point in points}
        }
        self.changing = tuple(self._tracks)
        self.is_changing = bool(self._tracks)

    def look(self, index: int, time_s: Fraction | float) -> Look:
        """Returns the look of the frame of that index, at that time after the first of the input."""
        if not self._tracks:
            return self._steady
        values = {name: track.at(index, time_s) for name, track in self._tracks.items()}
        steady = self._steady
        (strength,) = values.get("strength", (steady.strength,))
        (content_weight,) = values.get("content_weight", (steady.content_weight,))
        return Look(strength, values.get("style_blend", steady.blend), content_weight)

    def notes(self, index: int, time_s: Fraction) -> list[str]:
        """Returns what to tell of moments that are not reached, where the last frame has that index and time."""
        found = (track.unreached(index, time_s) for track in self._tracks.values())
        end = (
            f"the last frame is number {index}, at {float(time_s):.2f} s"
            if index or time_s
            else "the only frame is at 0 s"
        )
        return [f"{point.place}: is never reached; {end}" for point in found if point is not None]


def look_of(settings: Settings, styles: int) -> Look:
    """Returns the look that the settings ask for, with so many styles.

    Raises:
        SettingsError: the blend is not for so many.
    """
    return Look(settings.strength, shares(settings.style_blend, styles), settings.content_weight)


def style_paths(style: str | Path | Sequence[str | Path] | None, settings: Settings) -> tuple[Path, ...]:
    """Returns all styles of a render: the one or those given, or those of `style_at`, each once.

    Raises:
        SettingsError: there are none, or both.
    """
    styles = given_styles(style)
    if not settings.style_at:
        if not styles:
            raise SettingsError("no style is given; name at least one picture")
        return styles
    if styles:
        raise SettingsError("style and style_at both name styles; leave one out")
    return tuple(dict.fromkeys(Path(name) for _, name in map(split_moment, settings.style_at)))


def _style_points(settings: Settings, styles: int) -> list[Point]:
    """Returns the blend at each point of `style_at`: one style alone."""
    if not settings.style_at:
        return []
    order = style_paths(None, settings)
    if styles != len(order):
        raise SettingsError(f"style_at names {len(order)} styles, but {styles} are given; leave one out")
    points = []
    for text in settings.style_at:
        word, name = split_moment(text)
        moment = parse_moment(word)
        alone = tuple(float(Path(name) == style) for style in order)
        points.append(Point(0 if moment is None else moment, "style_blend", alone, f"style_at {text}"))
    return points


def _read(path: Path, styles: int, settings: Settings) -> list[Point]:
    read = []
    for point in read_animation(path):
        name = point.setting
        if name == "style_blend" and settings.style_at:
            raise SettingsError("style_at and animate both say what styles count; leave one out")
        if getattr(settings, name) != _DEFAULTS[name]:
            raise SettingsError(f"{name} and animate ({point.place}) both say what {name} is; leave one out")
        if name == "content_weight" and not any((*point.values, settings.style_weight, settings.tv_weight)):
            raise SourceError(f"{point.place}: style_weight and tv_weight are 0, so that the content's must be more")
        if name == "style_blend":
            try:
                point = point._replace(values=shares(point.values, styles))
            except SettingsError as error:
                raise SourceError(f"{point.place}: {error}") from error
        read.append(point)
    return read
