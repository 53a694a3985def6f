"""The look of one frame: how strongly it is stylized, in which blend of styles, and how near to its content."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidstyle.errors import SettingsError, counted
from vidstyle.method.options import Options


@dataclass(frozen=True, slots=True)
class Look:
    """What a frame is to look like, beside what is the same for all frames of a render.

    Attributes:
        strength: 0 is the content as it is, 1 as strongly as the weights of the losses make it.
        blend: the styles' shares, each at least 0, together 1.
        content_weight: see the setting.
    """

    strength: float
    blend: tuple[float, ...]
    content_weight: float

    def applied(self, options: Options) -> Options:
        """Returns options with the look's strength and content weight."""
        if (options.strength, options.content_weight) == (self.strength, self.content_weight):
            return options
        return replace(options, strength=self.strength, content_weight=self.content_weight)


def shares(blend: Sequence[float], styles: int) -> tuple[float, ...]:
    """Returns what each of so many styles counts, together 1, of weights, or without any equal shares.

    Raises:
        SettingsError: there are more or fewer weights than styles, or one is negative, or all are 0.
    """
    if not blend:
        return (1 / styles,) * styles
    if len(blend) != styles:
        has = f"{counted(len(blend), 'weight')} for {counted(styles, 'style')}"
        raise SettingsError(f"style_blend has {has}; give one for each")
    total = math.fsum(blend)
    if min(blend) < 0 or not 0 < total < math.inf:
        shown = " ".join(f"{weight:g}" for weight in blend)
        raise SettingsError(f"style_blend is {shown}; weights are at least 0, and one of them is more")
    return tuple(weight / total for weight in blend)
