"""What the page shows of renders: cards in HTML, points of curves, and messages without markup."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

import vidstyle
from vidstyle.studio.renders import FINISHED, RUNNING, Job

# Curves of longer renders show means of several frames.
_MOST_POINTS = 400

Points = dict[str, list[float]]


def card(job: Job) -> str:
    """Returns one render in HTML: name, phase, progress bar and the time left."""
    status = job.status
    done, total = (status.done, status.total) if status is not None else (0, 0)
    share = 100 if job.phase == FINISHED else 100 * done / total if total else 0
    facts = [job.phase if not job.detail else f"{job.phase}: {job.detail}"]
    if total:
        facts.append(f"{done:,} of {total:,} frames")
    if status is not None and status.seconds_per_frame is not None:
        facts.append(f"{status.seconds_per_frame:.2f} s a frame")
        if job.phase == RUNNING and done < total:
            left = timedelta(seconds=round(status.seconds_per_frame * (total - done)))
            facts.append(f"{left} left")
    return (
        f'<div class="job {job.phase}"><div class="name">{html.escape(job.name)}</div>'
        f'<div class="bar"><div style="width:{share:.1f}%"></div></div>'
        f'<div class="facts">{html.escape(" · ".join(facts))}</div></div>'
    )


def cards(jobs: Sequence[Job]) -> str:
    """Returns all renders, one below the other."""
    if not jobs:
        return '<div class="none">Nothing is being painted here. Find a look, and start a render there.</div>'
    return "".join(map(card, jobs))


def choice(job: Job) -> str:
    """Returns a render's name and phase."""
    return f"{job.name} ({job.phase})"


def download(job: Job) -> str:
    """Returns a link to the output of a finished render, and its notes; nothing for other renders."""
    if job.phase != FINISHED:
        return ""
    name = html.escape(job.name)
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in job.notes)
    return (
        f'<a class="download" href="download/{quote(job.name)}" download="{name}">Download {name}</a>'
        f'<ul class="notes">{notes}</ul>'
    )


def history_points(records: Sequence[vidstyle.FrameRecord]) -> tuple[Points, Points]:
    """Returns the curves of losses and of seconds per frame."""
    losses = [(record.frame, record.loss) for record in records if math.isfinite(record.loss)]
    seconds = [(record.frame, record.seconds) for record in records]
    return points(losses, "loss"), points(seconds, "seconds")


def points(pairs: Sequence[tuple[int, float]], name: str) -> Points:
    """Returns a curve through pairs of frame and value; for very many of them, through means of neighbors."""
    run = max(1, math.ceil(len(pairs) / _MOST_POINTS))
    runs = [pairs[start : start + run] for start in range(0, len(pairs), run)]
    return {
        "frame": [float(pairs[0]) for pairs in (run[len(run) // 2] for run in runs)],
        name: [sum(value for _, value in run) / len(run) for run in runs],
    }


def plain(error: Exception | str) -> str:
    """Returns a message in which nothing is Markdown or HTML: it may hold names of files, which can be anything."""
    return "".join(f"&#{ord(c)};" if not (c.isalnum() or c.isspace()) else c for c in str(error))
