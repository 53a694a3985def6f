"""Which releases a render is made with: others may give minutely different frames."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import av
import cv2
import numpy as np
import torch

from vidstyle.settings import Settings
from vidstyle.version import __version__


def versions_of(settings: Settings) -> dict[str, str]:
    """Returns the release of everything that a render with these settings depends on."""
    versions = {
        "vidstyle": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "av": av.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }
    if settings.is_warped and settings.flow == "raft":
        with suppress(PackageNotFoundError):
            versions["torchvision"] = version("torchvision")
    return versions


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Returns what is another release now, in words."""
    return [f"{name} {was}, now {now[name]}" for name, was in before.items() if now.get(name, was) != was]
