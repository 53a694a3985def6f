"""Where the time of a render goes: a real one, with its stages timed from outside."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import vidstyle.render.plan
import vidstyle.render.run
import vidstyle.workers.shot_stylizer
from vidstyle import Settings, stylize
from vidstyle.job.folder import JobFolder
from vidstyle.media.read.frame_reader import Reader
from vidstyle.method.stylizer import Stylizer
from vidstyle.method.temporal import Past

# What happens for each frame, and once or for each segment.
PER_FRAME = {
    "decode": (Reader, "_read"),
    "resize": (vidstyle.workers.shot_stylizer, "resize"),
    "flow, carrying": (Past, "beginning"),
    "optimize": (Stylizer, "_within_memory"),
    "save": (JobFolder, "save_frame"),
}
PER_RUN = {
    "first look": (vidstyle.render.plan, "analyze"),
    "encode": (JobFolder, "close_segment"),
    "join": (vidstyle.render.run, "publish_video"),
}


@contextmanager
def _timed(stages: dict[str, tuple[Any, str]], spent: dict[str, list[float]]) -> Iterator[None]:
    def timing(stage: str, call: Any) -> Any:
        @functools.wraps(call)
        def run(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                spent[stage].append(time.perf_counter() - started)

        return run

    originals = {stage: getattr(owner, name) for stage, (owner, name) in stages.items()}
    try:
        for stage, (owner, name) in stages.items():
            setattr(owner, name, timing(stage, originals[stage]))
        yield
    finally:
        for stage, (owner, name) in stages.items():
            setattr(owner, name, originals[stage])


def stage_seconds(clip: Path, style: Path, settings: Settings, output: Path) -> dict[str, float]:
    """Renders a clip and returns mean seconds by stage for each frame after the first, and of the frames in all.

    "first frame" and "later frame" are of painting alone; "other" is what no stage accounts for.
    """
    spent: dict[str, list[float]] = defaultdict(list)
    finished: list[tuple[float, float, int]] = []
    with _timed(PER_FRAME | PER_RUN, spent):
        stylize(
            clip,
            style,
            output,
            settings,
            on_frame=lambda done: finished.append((time.perf_counter(), done.seconds, done.evaluations)),
        )
    later = len(finished) - 1
    means = {stage: sum(spent[stage][1:]) / later for stage in PER_FRAME}
    means |= {stage: sum(spent[stage]) / (later + 1) for stage in PER_RUN}
    wall = (finished[-1][0] - finished[0][0]) / later
    means["other"] = wall - sum(means[stage] for stage in PER_FRAME)
    means["first frame"] = finished[0][1]
    means["later frame"] = wall
    means["evaluations"] = sum(count for _, _, count in finished[1:]) / later
    return means
