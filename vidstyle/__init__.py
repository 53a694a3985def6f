"""vidstyle turns footage into moving paintings: neural style transfer for videos, frame folders and stills."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vidstyle.errors import VidstyleError
from vidstyle.frames import Forecast, FrameDone, Plan, Result
from vidstyle.settings import Settings
from vidstyle.version import __version__ as __version__

if TYPE_CHECKING:
    from vidstyle.job.status import Status, job_status
    from vidstyle.metrics import Stability, measure
    from vidstyle.pipeline import forecast, stylize, stylize_image
    from vidstyle.previewing import preview
    from vidstyle.reporting.writing import report
    from vidstyle.settings.config import Config, read_config, save_config
    from vidstyle.stylizer import Stylizer

__all__ = [
    "Config",
    "Forecast",
    "FrameDone",
    "Plan",
    "Result",
    "Settings",
    "Stability",
    "Status",
    "Stylizer",
    "VidstyleError",
    "forecast",
    "job_status",
    "measure",
    "preview",
    "read_config",
    "report",
    "save_config",
    "stylize",
    "stylize_image",
]

# Names whose modules import torch are looked up when they are first used: `vidstyle --help` and
# errors of usage answer at once.
_LATER = {
    "Config": "settings.config",
    "Stability": "metrics",
    "Status": "job.status",
    "Stylizer": "stylizer",
    "forecast": "pipeline",
    "job_status": "job.status",
    "measure": "metrics",
    "preview": "previewing",
    "read_config": "settings.config",
    "report": "reporting.writing",
    "save_config": "settings.config",
    "stylize": "pipeline",
    "stylize_image": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(f"vidstyle.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'vidstyle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
