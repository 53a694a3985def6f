"""What the command line says, in words."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from vidstyle.errors import counted
from vidstyle.frames import Forecast, Plan, Result

if TYPE_CHECKING:
    from vidstyle.job.status import Status
    from vidstyle.metrics import Stability

# More cuts than these are not listed.
_MOST_CUTS = 12
# Below this, tenths of a second are told.
_ROUGH_S = 10


def status_lines(status: Status) -> str:
    """Returns how far a render is."""
    share = 100 * status.done / max(1, status.total)
    line = f"{status.output}: {status.done:,} of {status.total:,} frames ({share:.1f} %)"
    if status.shots > 1:
        line += f", {status.shots_done:,} of {status.shots:,} shots"
    if status.is_finished:
        return line + (", finished, but changed since" if status.is_changed else ", finished")
    if status.seconds_per_frame is not None:
        processes_at_work = max(1, len(status.machines))
        left = timedelta(seconds=round(status.seconds_per_frame * (status.total - status.done) / processes_at_work))
        whom = "one process" if processes_at_work == 1 else f"{processes_at_work} machines"
        line += f", {status.seconds_per_frame:.2f} s a frame, {left} left for {whom}"
    if status.is_running:
        names = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in Counter(status.machines).items())
        return f"{line}, running on {names}" if names else f"{line}, running"
    return f"{line}, stopped\ncontinue with: {status.command}"


def stability_lines(stability: Stability) -> str:
    """Returns how steady a painted video is."""

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
    each = result.seconds / max(1, result.stylized)
    of_them = "" if result.stylized == result.frames else f", {result.stylized:,} of them now"
    timing = f"{result.seconds:.1f} s ({each:.2f} s a frame)" if result.stylized else f"{result.seconds:.1f} s"
    return f"wrote {result.output}: {frames}{of_them} in {timing}"


def forecast_lines(forecast: Forecast) -> str:
    """Returns what a render would do and take, a line a thing."""
    plan = forecast.plan
    rows = [
        ("input", f"{plan.source}: {counted(plan.frame_count or 0, 'frame', ',')}{_lasting(forecast)}"),
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
    return "\n".join(f"{name:9}{text}" for name, text in rows if text)


def _lasting(forecast: Forecast) -> str:
    duration_s, done = forecast.duration_s, forecast.plan.done
    lasting = "" if duration_s is None else f", {duration_s:,.2f} s"
    return lasting + (f", {done:,} of them painted already" if done and not forecast.is_finished else "")


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
