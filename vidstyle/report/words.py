"""The figures of a page, in words."""

from __future__ import annotations

import math

import numpy as np

from vidstyle.errors import counted
from vidstyle.report.facts import Column, Facts
from vidstyle.text import duration

Figure = tuple[str, str, str]


def lead(facts: Facts) -> str:
    """Returns what was painted, in one line."""
    manifest = facts.render_record.manifest
    size = f"{manifest.width}x{manifest.height}"
    what = f"{manifest.info.path}, painted at {size} px by the network {manifest.settings['network']}"
    return what if facts.count == 1 else f"{what} · {facts.count:,} frames · {clock(_lasting_s(facts))}"


def figures(facts: Facts) -> list[Figure]:
    """Returns name, value and remark of the figures that sum a render up; those that are not known are left out."""
    columns, is_still = facts.columns, facts.count == 1
    shots = len(facts.cuts) + 1
    found: list[Figure] = []
    if not is_still:
        found.append(("Frames", f"{facts.count:,}", f"in {counted(shots, 'shot', ',')}"))
    seconds = _known(columns["seconds"])
    if seconds.size:
        share = "" if seconds.size == facts.count else f"of {seconds.size:,} frames"
        found.append(("Painting took", duration(float(seconds.sum())), share or "all frames added up"))
        if is_still:
            found[-1] = ("Painting took", duration(float(seconds.sum())), "")
        else:
            found.append(("Time a frame", f"{np.median(seconds):.2g} s", f"median; longest {seconds.max():.2g} s"))
        evaluations, loss = _known(columns["evaluations"]), _known(columns["loss"])
        found.append(
            ("Evaluations", f"{evaluations.sum():,.0f}", "" if is_still else f"{evaluations.mean():.1f} a frame")
        )
        if loss.size:
            found.append(("Loss", f"{np.median(loss):.4g}", "" if is_still else "median"))
    for name, column, source, remark in (
        ("Warping error", "warp_error", "source_warp_error", ""),
        ("Flicker", "flicker", "source_flicker", ", where it is still"),
    ):
        errors, own = _known(columns[column]), _known(columns[source])
        if errors.size:
            found.append((name, f"{errors.mean():.2f}", f"the input's own: {own.mean():.2f}{remark}"))
    if not math.isnan(facts.drift):
        found.append(("Drift", f"{facts.drift:.2f}", "of a shot's mean level, less the input's"))
    return found


def clock(seconds: float) -> str:
    """Returns a moment as players show it: "0:04.32", "1:02:03.50"."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 100:05.2f}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"


def _lasting_s(facts: Facts) -> float:
    info = facts.render_record.manifest.info
    last_s = info.last_duration_s if info.last_duration_s is not None else 0 if info.rate is None else 1 / info.rate
    return float(facts.times_s[-1]) + float(last_s)


def _known(column: Column) -> Column:
    return column[np.isfinite(column)]
