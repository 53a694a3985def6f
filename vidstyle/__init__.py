"""vidstyle turns footage into moving paintings: neural style transfer for videos, frame folders and stills."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vidstyle.errors import VidstyleError
from vidstyle.frames import Forecast, FrameDone, Plan, Result
from vidstyle.settings import Settings
from vidstyle.version import __version__ as __version__

if TYPE_CHECKING:
    from vidstyle.command import as_command
    from vidstyle.coverage import Coverage, coverage_of
    from vidstyle.job.status import Status, job_status
    from vidstyle.looking import Clip, FramePainter, Sketch
    from vidstyle.metrics import Stability, measure
    from vidstyle.pipeline import forecast, stylize, stylize_image
    from vidstyle.previewing import preview
    from vidstyle.process import tune_process
    from vidstyle.reporting.writing import report
    from vidstyle.settings.config import Config, as_config, read_config, save_config
    from vidstyle.stylizer import Stylizer
    from vidstyle.watching import (
        FrameRecord,
        WarpErrorWatch,
        discard_job,
        is_job_running,
        job_history,
        job_picture,
        jobs_in,
        stop_job,
    )
    from vidstyle.wording import forecast_lines

__all__ = [
    "Clip",
    "Config",
    "Coverage",
    "Forecast",
    "FrameDone",
    "FramePainter",
    "FrameRecord",
    "Plan",
    "Result",
    "Settings",
    "Sketch",
    "Stability",
    "Status",
    "Stylizer",
    "VidstyleError",
    "WarpErrorWatch",
    "as_command",
    "as_config",
    "coverage_of",
    "discard_job",
    "forecast",
    "forecast_lines",
    "is_job_running",
    "job_history",
    "job_picture",
    "job_status",
    "jobs_in",
    "measure",
    "preview",
    "read_config",
    "report",
    "save_config",
    "stop_job",
    "stylize",
    "stylize_image",
    "tune_process",
]

# Names whose modules import torch are looked up when they are first used: `vidstyle --help` and
# errors of usage answer at once.
_LATER = {
    "Clip": "looking",
    "Config": "settings.config",
    "Coverage": "coverage",
    "FramePainter": "looking",
    "FrameRecord": "watching",
    "Sketch": "looking",
    "Stability": "metrics",
    "Status": "job.status",
    "Stylizer": "stylizer",
    "WarpErrorWatch": "watching",
    "as_command": "command",
    "as_config": "settings.config",
    "coverage_of": "coverage",
    "discard_job": "watching",
    "forecast": "pipeline",
    "forecast_lines": "wording",
    "is_job_running": "watching",
    "job_history": "watching",
    "job_picture": "watching",
    "job_status": "job.status",
    "jobs_in": "watching",
    "measure": "metrics",
    "preview": "previewing",
    "read_config": "settings.config",
    "report": "reporting.writing",
    "save_config": "settings.config",
    "stop_job": "watching",
    "stylize": "pipeline",
    "stylize_image": "pipeline",
    "tune_process": "process",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(f"vidstyle.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'vidstyle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
