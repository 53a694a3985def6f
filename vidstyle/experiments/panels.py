"""What an experiment shows: pictures with a line of text each, in rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from vidstyle.errors import OutputError, SettingsError
from vidstyle.files import check_writable, written_whole
from vidstyle.frames import Picture
from vidstyle.media.stills.images import IMAGE_SUFFIXES, write_image
from vidstyle.previews.sheet import draw_sheet

# Viewers slow down shorter frames; the last one, shown four times as long, has to fit into GIF's 16 bits of 10 ms.
SHORTEST_MS, LONGEST_MS = 20, 100_000


@dataclass(frozen=True)
class Panel:
    """One picture of an experiment.

    Attributes:
        label: one line. image: `(H, W, 3)` uint8 RGB.
        terms: losses at the picture, by name; empty for a picture that was not optimized.
    """

    label: str
    image: Picture
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """The pictures of an experiment, in rows of `columns`, under a title.

    Attributes: `title`, one line that names the experiment and its network; `panels`; `columns`.
    """

    title: str
    panels: tuple[Panel, ...]
    columns: int

    def picture(self) -> Picture:
        """Returns the sheet, `(H, W, 3)` uint8 RGB, each panel under its label; see `previews.sheet.draw_sheet`."""
        cells = [(panel.label, panel.image) for panel in self.panels]
        return draw_sheet(
            self.title, [cells[start : start + self.columns] for start in range(0, len(cells), self.columns)]
        )


def check_target(target: Path, inputs: Sequence[Path], *, frame_ms: int | None = None, overwrite: bool = False) -> None:
    """Checks that a sheet can be written, before anything is stylized.

    Args:
        frame_ms: how long a GIF is to show each panel; None for an experiment that cannot be a GIF.

    Raises:
        SettingsError: GIFs cannot show panels for that long.
        OutputError: the suffix is unknown, the file exists or is an input, or the folder cannot be written to.
    """
    suffixes = IMAGE_SUFFIXES if frame_ms is None else (*IMAGE_SUFFIXES, ".gif")
    if frame_ms is not None and not SHORTEST_MS <= frame_ms <= LONGEST_MS:
        raise SettingsError(f"frame_ms is {frame_ms}; the range is {SHORTEST_MS} to {LONGEST_MS}")
    if target.suffix.lower() not in suffixes:
        raise OutputError(f"{target}: unknown suffix for a sheet of pictures; use one of {', '.join(suffixes)}")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; give a file name")
    if target.exists():
        if any(path.exists() and target.samefile(path) for path in inputs):
            raise OutputError(f"{target}: is an input itself; choose another output")
        if not overwrite:
            raise OutputError(f"{target}: exists already; choose another output or use --overwrite")
    check_writable(target.parent)


def write_sheet(target: str | Path, sheet: Sheet, frame_ms: int | None = None) -> None:
    """Writes a sheet as a picture, or its panels one after the other as a GIF, whole or not at all.

    Args:
        frame_ms: how long a GIF shows each panel, the last one four times as long; None: no GIF is written.

    Raises:
        OutputError: the suffix is unknown or the file cannot be written.
    """
    target = Path(target)
    if frame_ms is None or target.suffix.lower() != ".gif":
        write_image(target, sheet.picture())
        return
    frames = [Image.fromarray(Sheet(sheet.title, (panel,), 1).picture()) for panel in sheet.panels]
    durations = [frame_ms] * (len(frames) - 1) + [4 * frame_ms]
    with written_whole(target) as part:
        frames[0].save(part, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
