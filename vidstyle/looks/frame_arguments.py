"""What settings leave to the caller of a stylizer: where each frame is painted, and how it looks at its moment."""

from __future__ import annotations

from types import EllipsisType

from vidstyle.errors import SettingsError
from vidstyle.looks.timeline import Timeline
from vidstyle.method.coverage import Coverage
from vidstyle.method.look import Look
from vidstyle.settings import Settings

# `...` stands for what was not said, since None says that there is none.
MaybeCoverage = Coverage | None | EllipsisType


def checked_coverage(coverage: MaybeCoverage, settings: Settings) -> Coverage | None:
    """Returns a frame's coverage, once it is known that the caller says what the settings leave to it.

    Raises:
        SettingsError: it is not said, though the settings name masks; or is for other regions.
    """
    regions = len(settings.regions)
    if isinstance(coverage, EllipsisType):
        if not regions and settings.mask is None:
            return None
        which, given = ("region", "regions=[...]") if regions else ("mask", "mask")
        remedy = f"hand over each frame's own: coverage=vidstyle.coverage_of(image.shape[:2], {given})"
        raise SettingsError(f"{which} names files beside an input, and none is read here; {remedy}")
    if coverage is not None and len(coverage.shares) != 1 + regions:
        count = len(coverage.shares) - 1
        raise SettingsError(f"coverage is for {count} regions, and region names {regions}; give one for each")
    return coverage


def checked_look(settings: Settings, timeline: Timeline, steady: Look, look: Look | None) -> Look:
    """Returns a frame's look, or the steady one where none is given.

    Raises:
        SettingsError: none is given, though it changes over time.
    """
    if look is None and timeline.is_changing:
        which = "style_at" if settings.style_at else "keyframes"
        remedy = "hand over each frame's own: look=stylizer.timeline.look(index, time_s)"
        raise SettingsError(f"with {which} the look changes over time; {remedy}")
    return look or steady
