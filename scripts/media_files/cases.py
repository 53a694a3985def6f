"""One file each: how it is made, how it is rendered, and what has to come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from media_files.drawing import Levels
from vidstyle import Settings

# Writes a file, or a folder of them, into a folder and returns its path.
Maker = Callable[[Path], Path]
# Nothing is painted and little is lost in encoding, so that colors can be compared; no flow is estimated for nothing.
UNPAINTED: dict[str, Any] = {
    "iterations": 0,
    "first_iterations": 0,
    "size": "source",
    "device": "cpu",
    "cuts": "off",
    "init": "content",
    "flow": "off",
}
FINE_CRF = 4
_WITHOUT_CRF = ("prores", "ffv1")
_CRF_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi")


class UnwritableError(Exception):
    """PyAV cannot write such a file; the message says why."""


@dataclass(frozen=True)
class Expected:
    """What has to come out; None: as it went in.

    Attributes:
        error: what the one line of the error says, as a regular expression; empty: there is none.
        notes: what notes say, each as a regular expression. frames: which frames of the source come out.
        times: of all frames in seconds after the first. picture: a frame as it should be seen, `(H, W, 3)`.
        error_levels: largest mean color error, in levels of 255. displayed_px, aspect: size and pixel shape.
        color: range, matrix, primaries and transfer. bits: depth of the output's levels.
        audio: whether there is sound. copied: whether its packets are the same; None: either.
        languages: whether tracks keep theirs.
        subtitles, chapters, covers, attachments: how many. metadata: what must stand there.
        names: of files in an output folder. alpha: planes, 0 to 255, of pictures.
    """

    error: str = ""
    notes: tuple[str, ...] = ()
    frames: Sequence[int] | None = None
    times: Sequence[Fraction] | None = None
    picture: Callable[[int], Levels] | None = None
    error_levels: float = 1.0
    displayed_px: tuple[int, int] | None = None
    aspect: Fraction | None = None
    color: tuple[str, str, str, str] | None = None
    bits: int = 8
    audio: bool = True
    copied: bool | None = None
    audio_codec: str = ""
    languages: bool = True
    subtitles: int | None = None
    chapters: int | None = None
    covers: int | None = None
    attachments: int | None = None
    metadata: Mapping[str, str] | None = None
    names: tuple[str, ...] | None = None
    alpha: Callable[[int], Any] | None = None
    codec: str = ""
    pix_fmt: str = ""
    combing: float | None = None


@dataclass(frozen=True)
class Case:
    """A file with a property or two.

    Attributes:
        what: the properties, in words. make: writes it into a folder and returns what is rendered.
        output: its name, with a slash at its end for a folder. settings: besides those of `UNPAINTED`.
        stream: the video stream that is rendered, None: the default one.
        every: which share of the frames is compared level by level.
    """

    name: str
    what: str
    make: Maker
    output: str = "out.mp4"
    settings: Mapping[str, Any] = field(default_factory=dict)
    expected: Expected = Expected()
    stream: int | None = None
    every: int = 1

    @property
    def unknown_settings(self) -> list[str]:
        """Settings that this version of the package does not have."""
        known = {spec.name for spec in fields(Settings)}
        return [name for name in self.settings if name not in known]

    def render_settings(self) -> Settings:
        """Returns what it is rendered with."""
        has_crf = self.output.endswith(_CRF_SUFFIXES) and self.settings.get("codec") not in _WITHOUT_CRF
        return Settings(**{**UNPAINTED, **({"crf": FINE_CRF} if has_crf else {}), **self.settings})
