"""The look of one frame: how strongly it is painted, from which styles, and how near to its content."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vidstyle.settings import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """What a frame is to look like, beside what is the same for all frames of a render.

    Attributes:
        strength: 0 is the content as it is, 1 paint as the settings' weights have it.
        blend: the styles' shares, each at least 0, together 1.
        content_weight: see the setting.
    """

    strength: float
    blend: tuple[float, ...]
    content_weight: float

    def applied(self, settings: Settings) -> Settings:
        """Returns settings with the look's strength and content weight."""
        if (settings.strength, settings.content_weight) == (self.strength, self.content_weight):
            return settings
        return replace(settings, strength=self.strength, content_weight=self.content_weight)


def look_of(settings: Settings, styles: int) -> Look:
    """Returns the look that the settings ask for, with so many styles."""
    return Look(settings.strength, (1 / styles,) * styles, settings.content_weight)
