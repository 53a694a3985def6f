"""All that a report shows of a finished render, read from input, output and render record in one pass."""

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
from vidstyle.job.identity import source_fingerprint
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
from vidstyle.reporting.thumbnails import (
    MOST_PAIRS,
    EncodedPair,
    FramePair,
    encode_pairs,
    encode_style,
    thumbnail_size,
)
from vidstyle.settings import Settings

# Called with the number of frames compared so far, and of all frames.
OnReport = Callable[[int, int], None]
# One value for each frame, NaN where there is none.
Column = npt.NDArray[np.float64]

JOURNAL_COLUMNS = ("seconds", "loss", "evaluations", "retries", "fallback")
MEASURED_COLUMNS = ("warp_error", "source_warp_error", "flicker", "source_flicker")
MOST_STYLES = 6


@dataclass(frozen=True, slots=True)
class ReportData:
    """What a report shows of a finished render.

    Attributes:
        render_record: what was kept of the render. times_s: of its frames, counted from the first one.
        columns: one value for each frame by name, those of `JOURNAL_COLUMNS` and `MEASURED_COLUMNS`.
        drift: the largest of a shot, see `metrics.Stability`; NaN where it was not measured.
        pairs: some frames before and after.
        styles: name of each style, and its picture (WebP) or None. missing: what is not known, one sentence each.
    """

    render_record: RenderRecord
    times_s: Column
    columns: dict[str, Column]
    drift: float
    pairs: tuple[EncodedPair, ...]
    styles: tuple[tuple[str, bytes | None], ...]
    missing: tuple[str, ...]

    @property
    def frame_count(self) -> int:
        """How many frames the render has."""
        return len(self.times_s)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Positions of the frames that begin a shot, without the first frame."""
        return self.render_record.manifest.cuts

    @property
    def first_frame(self) -> int:
        """Number of the first frame in the input."""
        return self.render_record.manifest.info.range_start

    @property
    def duration_s(self) -> float:
        """How long the render plays, in seconds."""
        info = self.render_record.manifest.info
        last_s = info.last_duration_s if info.last_duration_s is not None else 0 if info.rate is None else 1 / info.rate
        return float(self.times_s[-1]) + float(last_s)


@dataclass(slots=True)
class _Comparison:
    """What one pass over input and output has found.

    `is_complete`: whether input and output had as many pictures as the render.
    """

    pairs: list[FramePair]
    steps: dict[int, Step]
    drift: float
    is_complete: bool = True


def read_report_data(render_record: RenderRecord, output: Path, on_report: OnReport | None = None) -> ReportData:
    """Reads input and output once, one frame at a time, and returns what a report shows.

    If the input is gone or has changed, whatever needs it is left out, and `missing` says so.

    Raises:
        SourceError: the output cannot be read.
    """
    manifest = render_record.manifest
    count, missing = manifest.frame_count, []
    found: _Comparison | None = None
    try:
        with _open_input(render_record) as source:
            found = _compare(render_record, output, source, on_report)
        if not found.is_complete:
            missing.append("Input and output hold different numbers of pictures, so they are not compared.")
            found = None
    except SourceError:
        name = manifest.info.path.name or manifest.info.path
        missing.append(f"{name} has changed since it was painted, or cannot be read, so nothing is compared with it.")
    if found is None:
        found = _compare(render_record, output, None, on_report)
    entries = {entry.frame: entry for entry in render_record.entries if entry.frame < count}
    if len(entries) < count:
        what = f"of {count - len(entries):,} of {count:,} frames" if entries else "any more"
        missing.append(f"Loss, time and evaluations are not known {what}: the notes on them are gone.")
    if not manifest.versions:
        missing.append("The versions of the programs that painted it are not known any more.")
    first = manifest.timestamps[0]
    base = manifest.info.time_base
    return ReportData(
        render_record=render_record,
        times_s=np.array([float((pts - first) * base) for pts in manifest.timestamps]),
        columns={name: _column(count, entries, name) for name in JOURNAL_COLUMNS}
        | {name: _column(count, found.steps, name) for name in MEASURED_COLUMNS},
        drift=found.drift,
        pairs=encode_pairs(found.pairs),
        styles=_styles(render_record),
        missing=tuple(missing),
    )


def _open_input(render_record: RenderRecord) -> Source:
    """Opens the input that was stylized.

    Raises:
        SourceError: it is gone or has changed.
    """
    manifest = render_record.manifest
    path = render_record.path_of(manifest.info.path)
    try:
        source = open_with_settings(path, Settings(**manifest.settings))
    except VidstyleError as error:
        raise SourceError(str(error)) from error
    if source_fingerprint(source)[1] != manifest.identity.files["input"][1]:
        source.close()
        raise SourceError(f"{path}: has changed since it was painted")
    return source


def _compare(
    render_record: RenderRecord, output: Path, source: Source | None, on_report: OnReport | None
) -> _Comparison:
    manifest = render_record.manifest
    count, cuts = manifest.frame_count, set(manifest.cuts)
    shown_positions = set(middles(count, MOST_PAIRS))
    found, meter = _Comparison([], {}, math.nan), StabilityMeter()
    position = -1
    with _open_output(render_record, output, source) as stylized:
        aspect = stylized.info.sample_aspect_ratio
        for position, (frame, result) in enumerate(_frame_pairs(source, stylized)):
            if result is None or position >= count or (source is not None and frame is None):
                found.is_complete = False
                break
            after = over_white(result.image, result.alpha)
            before = None if frame is None else over_white(frame.image, frame.alpha)
            if position in cuts:  # frames on both sides of a cut are not compared
                found.drift = float(np.fmax(found.drift, meter.result().drift))
                meter = StabilityMeter()
            if before is not None and count > 1:
                step = _measure_step(meter, before, after)
                if step is not None:
                    found.steps[position] = step
            if position in shown_positions:
                time_s = float((manifest.timestamps[position] - manifest.timestamps[0]) * manifest.info.time_base)
                found.pairs.append(_frame_pair(position, time_s, before, after, aspect))
            if on_report is not None:
                on_report(position + 1, count)
    found.is_complete = found.is_complete and position + 1 == count
    found.drift = float(np.fmax(found.drift, meter.result().drift))
    return found


def _frame_pairs(source: Source | None, stylized: Source) -> Iterator[tuple[Frame | None, Frame | None]]:
    if source is None:
        yield from ((None, frame) for frame in stylized)
    else:
        yield from zip_longest(source, stylized)


def _measure_step(meter: StabilityMeter, before: Picture, after: Picture) -> Step | None:
    height, width = after.shape[:2]
    size = reduced_size(width, height, MEASURED_SIZE_PX)
    return meter.add(resize(before, *size), resize(after, *size))


def _frame_pair(position: int, time_s: float, before: Picture | None, after: Picture, aspect: Fraction) -> FramePair:
    height, width = after.shape[:2]
    size = thumbnail_size(max(1, round(width * aspect)), height)
    return FramePair(position, time_s, None if before is None else resize(before, *size), resize(after, *size))


def _open_output(render_record: RenderRecord, output: Path, source: Source | None) -> Source:
    """Opens the output; in a folder of frames, only the pictures that the render wrote."""
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
            (style,) = load_styles(render_record.path_of(name), settings)
            picture = encode_style(next(style.pictures())[0])
        shown.append((Path(name).name or name, picture))
    return tuple(shown)
