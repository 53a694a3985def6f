"""How each kind of video file is written; `codecs` tells what pictures it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ContainerKind:
    """How one kind of file is written.

    Attributes:
        format: FFmpeg's name of the container.
        audio_encoder: for sound that cannot be copied; None where the container takes no sound.
        audio_rate: the only sample rate of that encoder in Hz, or None for any common one.
        options: container options.
        time_base: the container's only time base, or None where it takes the source's.
        constant_rate: whether frames are counted instead of timed, which allows no sound that starts late.
        square_pixels: whether no other shape of pixels can be noted in it.
        longest_ticks: for how many ticks of its time base one frame can be shown; None: for ever.
    """

    format: str
    audio_encoder: str | None
    audio_rate: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    time_base: Fraction | None = None
    constant_rate: bool = False
    square_pixels: bool = False
    longest_ticks: int | None = None


# The index in front of the pictures lets players start before the whole file is there.
_FASTSTART = {"movflags": "+faststart"}

CONTAINERS: dict[str, ContainerKind] = {
    ".mp4": ContainerKind("mp4", "aac", options=_FASTSTART, longest_ticks=2**31 - 1),
    ".mkv": ContainerKind("matroska", "aac"),
    ".mov": ContainerKind("mov", "aac", options=_FASTSTART, longest_ticks=2**31 - 1),
    ".webm": ContainerKind("webm", "libopus", audio_rate=48000, square_pixels=True),
    # Sample-exact: compressed sound in AVI starts late by the encoder's delay, and nothing there says so.
    ".avi": ContainerKind("avi", "pcm_s16le", constant_rate=True),
    ".gif": ContainerKind("gif", None, time_base=Fraction(1, 100), square_pixels=True, longest_ticks=2**16 - 1),
    ".webp": ContainerKind(
        "webp", None, options={"loop": "0"}, time_base=Fraction(1, 1000), square_pixels=True, longest_ticks=2**24 - 1
    ),
}
VIDEO_SUFFIXES = tuple(CONTAINERS)
