"""vidstyle turns footage into moving paintings: neural style transfer for videos, frame folders and stills."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vidstyle.errors import VidstyleError
from vidstyle.frames import Forecast, FrameDone, Plan, Result
from vidstyle.settings import Settings
from vidstyle.version import __version__ as __version__

if TYPE_CHECKING:
    from vidstyle.devices import tune_process
    from vidstyle.job.status import Status, job_status
    from vidstyle.looks.stylizer import Stylizer
    from vidstyle.method.coverage import Coverage, coverage_of
    from vidstyle.method.features import NETWORKS
    from vidstyle.metrics import Stability, measure
    from vidstyle.previews.sketches import Clip, Sketch, Sketcher
    from vidstyle.render.api import forecast, preview, stylize, stylize_image
    from vidstyle.reporting.monitoring import (
        FrameRecord,
        WarpErrorWatch,
        discard_job,
        is_job_running,
        job_history,
        job_picture,
        jobs_in,
        stop_job,
    )
    from vidstyle.reporting.page import report
    from vidstyle.settings.command import as_command
    from vidstyle.settings.config import Config, as_config, read_config, save_config
    from vidstyle.text import forecast_lines

__all__ = [
    "Clip",
    "Config",
    "Coverage",
    "Forecast",
    "FrameDone",
    "FrameRecord",
    "NETWORKS",
    "Plan",
    "Result",
    "Settings",
    "Sketch",
    "Sketcher",
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
    "NETWORKS": "method.features",
    "Clip": "previews.sketches",
    "Config": "settings.config",
    "Coverage": "method.coverage",
    "Sketcher": "previews.sketches",
    "FrameRecord": "reporting.monitoring",
    "Sketch": "previews.sketches",
    "Stability": "metrics",
    "Status": "job.status",
    "Stylizer": "looks.stylizer",
    "WarpErrorWatch": "reporting.monitoring",
    "as_command": "settings.command",
    "as_config": "settings.config",
    "coverage_of": "method.coverage",
    "discard_job": "reporting.monitoring",
    "forecast": "render.api",
    "forecast_lines": "text",
    "is_job_running": "reporting.monitoring",
    "job_history": "reporting.monitoring",
    "job_picture": "reporting.monitoring",
    "job_status": "job.status",
    "jobs_in": "reporting.monitoring",
    "measure": "metrics",
    "preview": "render.api",
    "read_config": "settings.config",
    "report": "reporting.page",
    "save_config": "settings.config",
    "stop_job": "reporting.monitoring",
    "stylize": "render.api",
    "stylize_image": "render.api",
    "tune_process": "devices",
}


def looked_up_in(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Returns a package's `__getattr__` (PEP 562), which imports modules when their names are first used.

    Args:
        package: its dotted name. modules: of each name, the module of the package that has it.
    """

    def look_up(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return look_up


__getattr__ = looked_up_in(__name__, _LATER)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
