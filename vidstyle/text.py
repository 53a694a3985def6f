"""The words that users read: status, plan, forecast, result, notes, the look, and the figures of a report.

Nothing here imports torch, so that help and errors of usage answer at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vidstyle.errors import counted
from vidstyle.frames import Forecast, Plan, Result, split_moment

if TYPE_CHECKING:
    from vidstyle.job.journal import JournalEntry
    from vidstyle.job.manifest import Manifest
    from vidstyle.job.status import Status
    from vidstyle.metrics import Stability
    from vidstyle.settings import Settings

# More cuts than these are not listed.
_MOST_CUTS = 12
# Shorter times are given to a tenth of a second.
_ROUGH_S = 10
_COLORS = {"content": "the content's", "match": "the style's, with the palette of each shot's first frame"}

# -- status, plan, result ------------------------------------------------------------------


def status_lines(status: Status) -> str:
    """Returns how much of a render is done."""
    share = 100 * status.done / max(1, status.total)
    line = f"{status.output}: {status.done:,} of {status.total:,} frames ({share:.1f} %)"
    if status.shots > 1:
        line += f", {status.shots_done:,} of {status.shots:,} shots"
    if status.is_finished:
        return line + (", finished, but changed since" if status.is_changed else ", finished")
    if status.seconds_per_frame is not None:
        processes_at_work = max(1, len(status.machines))
        left = timedelta(seconds=round(status.seconds_per_frame * (status.total - status.done) / processes_at_work))
        by_whom = "one process" if processes_at_work == 1 else f"{processes_at_work} machines"
        line += f", {status.seconds_per_frame:.2f} s a frame, {left} left for {by_whom}"
    if status.is_running:
        names = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in Counter(status.machines).items())
        return f"{line}, running on {names}" if names else f"{line}, running"
    return f"{line}, stopped\ncontinue with: {status.command}"


def stability_lines(stability: Stability) -> str:
    """Returns how steady a stylized video is."""

    def pair(stylized: float, source: float) -> str:
        return (
            "nothing to measure" if math.isnan(stylized) else f"{stylized:.2f} of 255 (the source's own: {source:.2f})"
        )

    return "\n".join(
        (
            f"frames         {stability.frames:,}",
            f"warping error  {pair(stability.warp_error, stability.source_warp_error)}",
            f"flicker        {pair(stability.flicker, stability.source_flicker)}, where the source is still",
            f"drift          {stability.drift:.2f} of 255, less the source's own",
        )
    )


def plan_line(plan: Plan) -> str:
    """Returns what a render is about to do."""
    frames = "an unknown number of frames" if plan.frame_count is None else counted(plan.frame_count, "frame", ",")
    return (
        f"{plan.source} -> {plan.output}: {frames} at {plan.width}x{plan.height}, "
        f"network {plan.network}, {plan.device} {plan.precision}"
    )


def result_line(result: Result) -> str:
    """Returns what a render did."""
    frames = counted(result.frames, "frame", ",")
    if result.was_finished:
        return f"{result.output}: finished already by the same command ({frames}); nothing to do"
    seconds_each = result.seconds / max(1, result.stylized)
    of_them = "" if result.stylized == result.frames else f", {result.stylized:,} of them now"
    timing = f"{result.seconds:.1f} s ({seconds_each:.2f} s a frame)" if result.stylized else f"{result.seconds:.1f} s"
    return f"wrote {result.output}: {frames}{of_them} in {timing}"


# -- forecast and look ---------------------------------------------------------------------


def forecast_lines(forecast: Forecast) -> str:
    """Returns what a render would do, and the time, disk space and memory it would take, one line for each."""
    return "\n".join(f"{name:9}{text}" for name, text in forecast_rows(forecast))


def forecast_rows(forecast: Forecast) -> list[tuple[str, str]]:
    """Returns the same as pairs of name and words."""
    plan = forecast.plan
    rows = [
        ("input", f"{plan.source}: {counted(plan.frame_count or 0, 'frame', ',')}{_length(forecast)}"),
        ("output", f"{plan.output}: {plan.width}x{plan.height}, {forecast.codec}"),
        *forecast.look,
        ("shots", _shots(forecast)),
        ("network", f"{plan.network} on {plan.device} in {plan.precision}"),
        ("time", _time(forecast)),
    ]
    if not forecast.is_finished:
        rows.append(("disk", f"up to {size(forecast.disk_bytes)}, of {size(forecast.free_bytes)} free"))
    if forecast.memory_bytes is not None:
        rows.append(("memory", size(forecast.memory_bytes)))
    return [(name, text) for name, text in rows if text]


def _length(forecast: Forecast) -> str:
    duration_s, done = forecast.duration_s, forecast.plan.done
    length = "" if duration_s is None else f", {duration_s:,.2f} s"
    return length + (f", {done:,} of them painted already" if done and not forecast.is_finished else "")


def _shots(forecast: Forecast) -> str:
    if forecast.duration_s is None:
        return ""
    if not forecast.cuts:
        return f"{forecast.plan.shots:,}"
    shown = ", ".join(map(str, forecast.cuts[:_MOST_CUTS])) + (", ..." if len(forecast.cuts) > _MOST_CUTS else "")
    return f"{forecast.plan.shots:,}; cuts at {'frame' if len(forecast.cuts) == 1 else 'frames'} {shown}"


def _time(forecast: Forecast) -> str:
    if forecast.is_finished:
        return "finished already by the same command; nothing to do"
    if forecast.total_s is None or forecast.first_frame_s is None:
        return "not known yet" if forecast.total_s is None else "nothing is left to paint"
    each = f"{forecast.first_frame_s:.2g} s"
    if forecast.later_frame_s is not None:
        each = f"{forecast.later_frame_s:.2g} s a frame that moves, {each} a shot's first"
    return f"about {duration(forecast.total_s)} ({each})"


def look_rows(settings: Settings, styles: Sequence[Path], changing: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Returns the styles, and whatever else of the look is not the default, as pairs of name and words.

    Args:
        styles: all of them. changing: names of the settings that the file `Settings.animate` changes over time.
    """
    rows = [("style", _styles(settings, styles))]
    if settings.strength != 1:
        rows.append(("strength", f"{settings.strength:g}"))
    if settings.mask is not None:
        rows.append(("mask", f"{settings.mask.name}: what it shows white is painted"))
    for mask, style in settings.regions:
        rows.append(("region", f"{style.name} where {mask.name} is white"))
    if settings.color in _COLORS:
        rows.append(("color", _COLORS[settings.color]))
    if settings.animate is not None:
        names = ", ".join(name.replace("_", "-") for name in changing)
        rows.append(("changes", f"{names}, as {settings.animate.name} says"))
    return tuple(rows)


def _styles(settings: Settings, styles: Sequence[Path]) -> str:
    if settings.style_at:
        parts = map(split_moment, settings.style_at)
        return ", ".join(f"{Path(name).name} at {moment}" for moment, name in parts)
    weights = settings.style_blend
    if len(weights) < 2:
        return ", ".join(path.name for path in styles)
    pairs = zip(styles, weights, strict=True)
    return ", ".join(f"{path.name} {100 * weight / sum(weights):.0f} %" for path, weight in pairs)


# -- notes at the end of a render ----------------------------------------------------------


def trouble_notes(entries: Collection[JournalEntry], optimizer: str) -> list[str]:
    """Returns notes on frames that were stylized with smaller steps or with less memory than usual."""
    from vidstyle.method.memory import memory_fallbacks  # imports torch

    notes = []
    retried = sum(entry.retries > 0 for entry in entries)
    if retried:
        notes.append(retried_note(retried))
    for number, fallback in enumerate(memory_fallbacks(optimizer)):
        count = sum(entry.fallback == number for entry in entries)
        if number and count:
            notes.append(f"memory was short; {count} frames were painted with {fallback}")
    return notes


def retried_note(frames: int) -> str:
    """Returns the note on so many frames whose objective was not finite at first."""
    return f"the objective was not finite in {counted(frames, 'frame')}, painted again with smaller steps"


# -- figures of a report -------------------------------------------------------------------


def report_lead(manifest: Manifest, duration_s: float) -> str:
    """Returns in one line what a finished render stylized; `duration_s` is how long it plays."""
    what = (
        f"{manifest.info.path}, painted at {manifest.width}x{manifest.height} px "
        f"by the network {manifest.settings['network']}"
    )
    if manifest.frame_count == 1:
        return what
    return f"{what} · {manifest.frame_count:,} frames · {clock(duration_s)}"


def report_figures(
    columns: Mapping[str, npt.NDArray[np.float64]], shots: int, drift: float
) -> list[tuple[str, str, str]]:
    """Returns name, value and remark of the figures that sum a render up, without those that are not known.

    Args:
        columns: one value for each frame by name, as `reporting.data.ReportData` has them; NaN where it is not known.
        drift: see `metrics.Stability`; NaN where it was not measured.
    """
    known = {name: column[np.isfinite(column)] for name, column in columns.items()}
    count = len(columns["seconds"])
    is_still = count == 1
    figures = [] if is_still else [("Frames", f"{count:,}", f"in {counted(shots, 'shot', ',')}")]
    seconds, evaluations, loss = known["seconds"], known["evaluations"], known["loss"]
    if seconds.size:
        share = "all frames added up" if seconds.size == count else f"of {seconds.size:,} frames"
        figures.append(("Painting took", duration(float(seconds.sum())), "" if is_still else share))
        if not is_still:
            figures.append(("Time a frame", f"{seconds.mean():.2g} s", f"mean; longest {seconds.max():.2g} s"))
        mean = "" if is_still else f"{evaluations.mean():.1f} a frame"
        figures.append(("Evaluations", f"{evaluations.sum():,.0f}", mean))
    if loss.size:
        figures.append(("Loss", f"{np.median(loss):.4g}", "" if is_still else "median"))
    for name, column, source, remark in (
        ("Warping error", "warp_error", "source_warp_error", ""),
        ("Flicker", "flicker", "source_flicker", ", where it is still"),
    ):
        if known[column].size:
            own = f"the input's own: {known[source].mean():.2f}{remark}"
            figures.append((name, f"{known[column].mean():.2f}", own))
    if not math.isnan(drift):
        figures.append(("Drift", f"{drift:.2f}", "of a shot's mean level, less the input's"))
    return figures


# -- numbers -------------------------------------------------------------------------------


def clock(seconds: float) -> str:
    """Returns a moment as players show it: "0:04.32", "1:02:03.50"."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 100:05.2f}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"


def duration(seconds: float) -> str:
    """Returns a length of time as people say it, in two units at most."""
    if seconds < _ROUGH_S:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    # The smaller unit is rounded first, so that there are never 60 of it.
    for larger, smaller, unit_s, most in (("min", "s", 1, 60), ("h", "min", 60, 24)):
        whole, rest = divmod(round(seconds / unit_s), 60)
        if whole < most:
            return f"{whole} {larger} {rest} {smaller}"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{counted(days, 'day')} {hours} h"


def size(count: float) -> str:
    """Returns a number of bytes as people say it: decimal units, as disks have."""
    for name, unit in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= unit:
            return f"{count / unit:.{1 if count < 10 * unit else 0}f} {name}"
    return f"{count / 1000:.0f} kB"
