"""What another process answers while it paints, wherever it is, and what becomes of it here."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from math import nan
from typing import Any

from vidstyle import errors
from vidstyle.errors import VidstyleError
from vidstyle.frames import Picture
from vidstyle.method.stylizer import StylizedFrame
from vidstyle.workers.shot_stylizer import SavedFrame

logger = logging.getLogger(__name__)

_MEASURES = ("loss", "evaluations", "retries", "seconds", "fallback")


def frame_answer(frame: SavedFrame) -> dict[str, Any]:
    """Returns all about a frame that was saved but its image, as JSON can hold it."""
    answer: dict[str, Any] = {"position": frame.position, "index": frame.index}
    return answer | {name: getattr(frame.stylized, name) for name in _MEASURES}


def frame_of(answer: Mapping[str, Any], machines: int = 1) -> SavedFrame:
    """Returns the frame of an answer that has an `image`, `(H, W, 3)` uint8 RGB; the paint stays with the worker."""
    stylized = StylizedFrame(answer["image"], answer["image"], *(answer[name] for name in _MEASURES))
    return SavedFrame(answer["position"], answer["index"], stylized, machines)


def frame_without_answer(position: int, index: int, image: Picture, machines: int) -> SavedFrame:
    """Returns a frame that is there, `(H, W, 3)` uint8 RGB, while its answer never came."""
    stylized = StylizedFrame(image, image, loss=nan, evaluations=0, retries=0, seconds=nan, fallback=0)
    return SavedFrame(position, index, stylized, machines, is_known=False)


def error_answer(error: BaseException) -> dict[str, Any]:
    """Returns an error as JSON can hold it; to be called where it was caught."""
    return {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}


def error_of(answer: Mapping[str, Any]) -> Exception:
    """Returns the error of an answer: one of ours as it was, any other as a `RuntimeError`."""
    logger.info("in a worker:\n%s", answer["traceback"])
    kind = getattr(errors, answer["error"], None)
    if isinstance(kind, type) and issubclass(kind, VidstyleError):
        return kind(answer["message"])
    return RuntimeError(f"in a worker: {answer['error']}: {answer['message']}")
