"""vidstyle turns footage into moving paintings: neural style transfer for videos, frame folders and stills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidstyle.errors import VidstyleError
from vidstyle.frames import Forecast, FrameDone, Plan, Result
from vidstyle.lazy import looked_up_in
from vidstyle.settings import Settings
from vidstyle.version import __version__ as __version__

if TYPE_CHECKING:
    from vidstyle.chain.stylizer import Stylizer
    from vidstyle.job.status import Status, job_status
    from vidstyle.looks.coverage import Coverage, coverage_of
    from vidstyle.metrics import Stability, measure
    from vidstyle.monitoring import (
        FrameRecord,
        WarpErrorWatch,
        discard_job,
        is_job_running,
        job_history,
        job_picture,
        jobs_in,
        stop_job,
    )
    from vidstyle.pipeline import forecast, stylize, stylize_image
    from vidstyle.previews.preview import preview
    from vidstyle.previews.sketches import Clip, FramePainter, Sketch
    from vidstyle.process import tune_process
    from vidstyle.reporting.writing import report
    from vidstyle.settings.command import as_command
    from vidstyle.settings.config import Config, as_config, read_config, save_config
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

# All but errors, plain data and settings are looked up when they are first used, since most of their modules import
# torch: `vidstyle --help` and errors of usage answer at once.
_LATER = {
    "Clip": "previews.sketches",
    "Config": "settings.config",
    "Coverage": "looks.coverage",
    "FramePainter": "previews.sketches",
    "FrameRecord": "monitoring",
    "Sketch": "previews.sketches",
    "Stability": "metrics",
    "Status": "job.status",
    "Stylizer": "chain.stylizer",
    "WarpErrorWatch": "monitoring",
    "as_command": "settings.command",
    "as_config": "settings.config",
    "coverage_of": "looks.coverage",
    "discard_job": "monitoring",
    "forecast": "pipeline",
    "forecast_lines": "wording",
    "is_job_running": "monitoring",
    "job_history": "monitoring",
    "job_picture": "monitoring",
    "job_status": "job.status",
    "jobs_in": "monitoring",
    "measure": "metrics",
    "preview": "previews.preview",
    "read_config": "settings.config",
    "report": "reporting.writing",
    "save_config": "settings.config",
    "stop_job": "monitoring",
    "stylize": "pipeline",
    "stylize_image": "pipeline",
    "tune_process": "process",
}


__getattr__ = looked_up_in(__name__, _LATER)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
