"""Presets: one word for size, network and numbers of steps, with the time that frames take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vidstyle.errors import SettingsError

STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Quality:
    """A preset.

    Attributes:
        settings: values by name; all presets set the same ones.
        first_frame_s, later_frame_s: seconds for a shot's first frame, and for one after it that moves, on two
            cores of an AMD EPYC with bfloat16.
    """

    settings: Mapping[str, Any]
    first_frame_s: float
    later_frame_s: float


def _quality(
    size: int, network: str, iterations: int, first_iterations: int, first_frame_s: float, later_frame_s: float
) -> Quality:
    values = {"size": size, "network": network, "iterations": iterations, "first_iterations": first_iterations}
    return Quality(MappingProxyType(values), first_frame_s, later_frame_s)


# Measured on 2026-11-29 on two cores of an AMD EPYC with AVX-512 and bfloat16 that reached 445 GFLOP/s in a large
# convolution (scripts/benchmark.py): a real clip of 16:9 at each size, nine frames (high: six); draft: the sample clip.
# The same kind of machine has been twice as fast. "best" was not run: it is 33 and 16 times standard's, by processor
# time. Help and manual take the seconds from here.
QUALITIES: dict[str, Quality] = {
    "draft": _quality(320, "compact", 4, 25, 2.1, 0.34),
    STANDARD: _quality(640, "compact", 20, 50, 17, 1.6),
    "high": _quality(960, "compact", 30, 80, 54, 3.7),
    "best": _quality(1280, "vgg19", 40, 100, 560, 26),
}


def quality_settings(name: str) -> dict[str, Any]:
    """Returns the values that a preset sets, by name.

    Raises:
        SettingsError: there is no such preset.
    """
    if not isinstance(name, str) or name not in QUALITIES:
        raise SettingsError(f"quality is {name!r}; choose one of {', '.join(QUALITIES)}")
    return dict(QUALITIES[name].settings)


def quality_help() -> str:
    """Returns the help text of --quality."""
    lines = [
        f"{name}: {row.settings['size']} px, {row.settings['network']}, {row.later_frame_s:g} s a frame and "
        f"{row.first_frame_s:g} s a shot's first"
        for name, row in QUALITIES.items()
    ]
    return (
        f"sets --size, --network, --iterations and --first-iterations, each of which wins over it where given; "
        f"without a GPU, on two cores, about {'; '.join(lines)} (default: {STANDARD})"
    )
