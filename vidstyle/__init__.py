"""vidstyle turns footage into moving paintings: neural style transfer for videos, frame folders and stills."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vidstyle.errors import VidstyleError
from vidstyle.frames import FrameDone, Plan, Result
from vidstyle.settings import Settings

if TYPE_CHECKING:
    from vidstyle.pipeline import stylize, stylize_image
    from vidstyle.stylizer import Stylizer

__version__ = "0.1.0"
__all__ = ["FrameDone", "Plan", "Result", "Settings", "Stylizer", "VidstyleError", "stylize", "stylize_image"]

# Names whose modules import torch are looked up when they are first used: `vidstyle --help` and
# errors of usage answer at once.
_LATER = {"stylize": "pipeline", "stylize_image": "pipeline", "Stylizer": "stylizer"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(f"vidstyle.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'vidstyle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
