"""Everything that a page tells of a finished render, found in one pass over input and output."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidstyle.errors import SourceError, VidstyleError
from vidstyle.frames import Frame, Picture, middles, resize
from vidstyle.job.fingerprints import source_fingerprint
from vidstyle.job.journal import JournalEntry
from vidstyle.job.render_record import RenderRecord
from vidstyle.job.source import open_with_settings
from vidstyle.looks.styles import load_styles
from vidstyle.media.read.frame_folder import FrameFolderSource, folder_files
from vidstyle.media.read.open_source import open_source
from vidstyle.media.read.source import Source
from vidstyle.media.stills.alpha import over_white
from vidstyle.media.stills.images import reduced_size
from vidstyle.metrics import MEASURED_SIZE_PX, StabilityMeter, Step
from vidstyle.report.thumbnails import MOST_PICTURES, Pair, Shown, encoded, shown_size, style_picture
from vidstyle.settings import Settings

# Called with frames compared, and in all.
OnReport = Callable[[int, int], None]
# A value a frame, NaN where there is none.
Column = npt.NDArray[np.float64]

JOURNALLED = ("seconds", "loss", "evaluations", "retries", "fallback")
MEASURED = ("warp_error", "source_warp_error", "flicker", "source_flicker")
MOST_STYLES = 6


@dataclass(frozen=True, slots=True)
class Facts:
    """A finished render, ready to be told.

    Attributes:
        chronicle: what was kept of it. times_s: of its frames, since the first one.
        columns: a value a frame by name, those of `JOURNALLED` and `MEASURED`.
        drift: the largest of a shot, see `metrics.Stability`; NaN where it was not measured.
        pairs: frames before and after.
        styles: name and picture (WebP) of each style, or None. missing: what is not known, a sentence each.
    """

    render_record: RenderRecord
    times_s: Column
    columns: dict[str, Column]
    drift: float
    pairs: tuple[Pair, ...]
    styles: tuple[tuple[str, bytes | None], ...]
    missing: tuple[str, ...]

    @property
    def count(self) -> int:
        """Frames."""
        return len(self.times_s)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Positions of frames that begin a shot, but for the first one."""
        return self.render_record.manifest.cuts


@dataclass(slots=True)
class _Pass:
    """What one pass over input and output has found."""

    shown: list[Shown]
    steps: dict[int, Step]
    drift: float
    is_whole: bool = True


def gathered(render_record: RenderRecord, output: Path, on_report: OnReport | None = None) -> Facts:
    """Reads input and output once, a frame at a time, and returns what a page tells.

    Where the input is gone or another one now, what needs it is left out, and `missing` says so.

    Raises:
        SourceError: the output cannot be read.
    """
    manifest = render_record.manifest
    count, missing = manifest.frame_count, []
    found: _Pass | None = None
    try:
        with _input(render_record) as source:
            found = _walked(render_record, output, source, on_report)
        if not found.is_whole:
            missing.append("Input and output hold different numbers of pictures, so they are not compared.")
            found = None
    except SourceError:
        name = manifest.info.path.name or manifest.info.path
        missing.append(f"{name} is not what was painted any more, or cannot be read, so nothing is compared with it.")
    if found is None:
        found = _walked(render_record, output, None, on_report)
    known = {entry.frame: entry for entry in render_record.entries if entry.frame < count}
    if len(known) < count:
        what = f"of {count - len(known):,} of {count:,} frames" if known else "any more"
        missing.append(f"Loss, time and evaluations are not known {what}: the notes on them are gone.")
    if not manifest.versions:
        missing.append("The versions that painted it are not known any more.")
    first = manifest.timestamps[0]
    base = manifest.info.time_base
    return Facts(
        render_record=render_record,
        times_s=np.array([float((pts - first) * base) for pts in manifest.timestamps]),
        columns={name: _column(count, known, name) for name in JOURNALLED}
        | {name: _column(count, found.steps, name) for name in MEASURED},
        drift=found.drift,
        pairs=encoded(found.shown),
        styles=_styles(render_record),
        missing=tuple(missing),
    )


def _input(render_record: RenderRecord) -> Source:
    """Returns the input as it was painted, not yet read from.

    Raises:
        SourceError: it is gone, or another one now.
    """
    manifest = render_record.manifest
    path = render_record.place(manifest.info.path)
    try:
        source = open_with_settings(path, Settings(**manifest.settings))
    except VidstyleError as error:
        raise SourceError(str(error)) from error
    if source_fingerprint(source)[1] != manifest.identity.files["input"][1]:
        source.close()
        raise SourceError(f"{path}: is not what was painted any more")
    return source


def _walked(render_record: RenderRecord, output: Path, source: Source | None, on_report: OnReport | None) -> _Pass:
    manifest = render_record.manifest
    count, cuts = manifest.frame_count, set(manifest.cuts)
    wanted = set(middles(count, MOST_PICTURES))
    found, meter = _Pass([], {}, math.nan), StabilityMeter()
    position = -1
    with _stylized(render_record, output, source) as results:
        aspect = results.info.sample_aspect_ratio
        for position, (frame, result) in enumerate(_frames(source, results)):
            if result is None or position >= count or (source is not None and frame is None):
                found.is_whole = False
                break
            after = over_white(result.image, result.alpha)
            before = None if frame is None else over_white(frame.image, frame.alpha)
            if position in cuts:  # nothing is carried across
                found.drift = float(np.fmax(found.drift, meter.result().drift))
                meter = StabilityMeter()
            if before is not None and count > 1:
                step = _measured(meter, before, after)
                if step is not None:
                    found.steps[position] = step
            if position in wanted:
                time_s = float((manifest.timestamps[position] - manifest.timestamps[0]) * manifest.info.time_base)
                found.shown.append(_shown(position, time_s, before, after, aspect))
            if on_report is not None:
                on_report(position + 1, count)
    found.is_whole = found.is_whole and position + 1 == count
    found.drift = float(np.fmax(found.drift, meter.result().drift))
    return found


def _frames(source: Source | None, results: Source) -> Iterator[tuple[Frame | None, Frame | None]]:
    if source is None:
        yield from ((None, result) for result in results)
    else:
        yield from zip_longest(source, results)


def _measured(meter: StabilityMeter, before: Picture, after: Picture) -> Step | None:
    height, width = after.shape[:2]
    size = reduced_size(width, height, MEASURED_SIZE_PX)
    return meter.add(resize(before, *size), resize(after, *size))


def _shown(position: int, time_s: float, before: Picture | None, after: Picture, aspect: Fraction) -> Shown:
    height, width = after.shape[:2]
    size = shown_size(max(1, round(width * aspect)), height)
    return Shown(position, time_s, None if before is None else resize(before, *size), resize(after, *size))


def _stylized(render_record: RenderRecord, output: Path, source: Source | None) -> Source:
    """Returns the output, not yet read from; of a folder those pictures that the render has put there."""
    manifest = render_record.manifest
    if manifest.kind != "frames":
        return open_source(output)
    files = folder_files(output)
    if source is not None:
        suffix = f".{manifest.settings['frame_format']}"
        files = [output / name for name in source.file_names(manifest.timestamps, suffix)]
    return FrameFolderSource(output, files, fps=Fraction(25))


def _column(count: int, rows: Mapping[int, JournalEntry | Step], name: str) -> Column:
    column = np.full(count, np.nan)
    for position, row in rows.items():
        column[position] = getattr(row, name)
    return column


def _styles(render_record: RenderRecord) -> tuple[tuple[str, bytes | None], ...]:
    settings = Settings(**render_record.manifest.settings)
    shown: list[tuple[str, bytes | None]] = []
    for name in render_record.styles[:MOST_STYLES]:
        picture = None
        with suppress(VidstyleError, OSError):
            (style,) = load_styles(render_record.place(name), settings)
            picture = style_picture(next(style.pictures())[0])
        shown.append((Path(name).name or name, picture))
    return tuple(shown)
