"""Whom a render tells what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vidstyle.frames import FrameDone, Plan
from vidstyle.render.analysis import OnAnalysis
from vidstyle.reporting.data import OnReport
from vidstyle.weights.fetching import OnDownload

OnStart = Callable[[Plan], None]
OnFrame = Callable[[FrameDone], None]


@dataclass(frozen=True)
class Listeners:
    """Whom to tell what; see `pipeline.stylize`."""

    on_start: OnStart | None = None
    on_frame: OnFrame | None = None
    on_download: OnDownload | None = None
    on_analysis: OnAnalysis | None = None
    on_report: OnReport | None = None

    def say_start(self, plan: Plan) -> None:
        """Tells what is about to be done."""
        if self.on_start is not None:
            self.on_start(plan)

    def say_analysis(self, seen: int, count: int | None) -> None:
        """Tells how many frames the first look has seen, of how many, if that is known."""
        if self.on_analysis is not None:
            self.on_analysis(seen, count)

    def say_frame(self, frame: FrameDone) -> None:
        """Tells of a frame that is finished."""
        if self.on_frame is not None:
            self.on_frame(frame)
