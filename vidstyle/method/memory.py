"""Too little memory: how to recognize it, make room, and go on with less."""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import torch

from vidstyle.errors import DeviceError
from vidstyle.frames import SMALLEST_SIDE_PX, Picture, resize
from vidstyle.method.solver import HISTORY

logger = logging.getLogger(__name__)
T = TypeVar("T")

# The CPU's allocators have no exception of their own: torch's, and those of the convolutions beneath it.
_CPU_WORDS = ("not enough memory", "can't allocate memory", "cannot allocate memory", "could not create a primitive")
# Share of the memory for activations that is used once memory has run out.
TILED = 1 / 4
# Largest size that is likely to fit: tried downwards in such steps.
_SMALLER = 0.8


@dataclass(frozen=True, slots=True)
class MemoryFallback:
    """A way to optimize that takes less memory than the one before it.

    Attributes:
        method: the optimizer. history: steps that L-BFGS remembers.
        share: of the memory for activations that would be used; below 1 pictures are evaluated in tiles.
    """

    method: str
    history: int
    share: float

    def __str__(self) -> str:
        how = "Adam" if self.method == "adam" else f"L-BFGS with a history of {self.history}"
        return how if self.share == 1 else f"{how}, in tiles"


def memory_fallbacks(method: str) -> tuple[MemoryFallback, ...]:
    """Returns the ways to optimize in order of what they cost, from the one asked for."""
    adam = MemoryFallback("adam", 0, 1), MemoryFallback("adam", 0, TILED)
    if method == "adam":
        return adam
    # Tiles first: they take time, but leave the picture as it would be.
    return (
        MemoryFallback("lbfgs", HISTORY, 1),
        MemoryFallback("lbfgs", HISTORY, TILED),
        MemoryFallback("lbfgs", 3, TILED),
        adam[-1],
    )


def is_memory_error(error: BaseException) -> bool:
    """Tells whether an exception means that memory, of the host or the device, ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        any(words in text for words in _CPU_WORDS) or "bad_alloc" in text or "out of memory" in text
    )


def free_caches(device: torch.device) -> None:
    """Gives back what torch keeps for later, after collecting what nobody refers to."""
    # A backward pass that failed leaves the rest of its work queued, and with it every activation; the next
    # one throws that away, so here is a small one.
    with suppress(RuntimeError):
        start = torch.zeros(1, device=device, requires_grad=True)
        torch.autograd.grad(start * start, start)
    gc.collect()
    if sys.platform == "linux":
        # glibc keeps what was freed in pieces; without this the next attempt finds as little as the last.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


class Attempt:
    """One try at optimizing a frame, as a context manager that suppresses out-of-memory errors.

    Attributes:
        content: the frame, `(H, W, 3)` uint8 RGB; of a trial, reduced. way: how to go about it.
        is_trial: whether it only tells if a frame of that size fits. has_succeeded: known once it is left.
    """

    def __init__(self, content: Picture, way: MemoryFallback, *, is_trial: bool = False) -> None:
        self.content, self.way, self.is_trial, self.has_succeeded = content, way, is_trial, False

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.has_succeeded = error is None
        return error is not None and is_memory_error(error)


class MemoryGuard:
    """Tries again what needs more memory than there is: first after making room, then with less.

    Attributes:
        fallback: an index into `memory_fallbacks`: above 0 once memory did not suffice for what was asked for. It
            stays there, so that a shot's frames are optimized alike.
    """

    def __init__(self, optimizer: str, device: torch.device) -> None:
        self.fallback = 0
        self._ways, self._device = memory_fallbacks(optimizer), device

    def reset(self, fallback: int = 0) -> None:
        """Goes back to an index into `memory_fallbacks`."""
        self.fallback = min(fallback, len(self._ways) - 1)

    def attempts(self, content: Picture, forget: Callable[[], None]) -> Iterator[Attempt]:
        """Yields attempts at a frame, `(H, W, 3)` uint8 RGB; the caller stops once one that is no trial has succeeded.

        Args:
            forget: gives memory back that a trial has taken.

        Raises:
            DeviceError: memory does not suffice for the cheapest way; the message names a size that fits.
        """
        height, width = content.shape[:2]
        yield Attempt(content, self._ways[self.fallback])
        free_caches(self._device)
        logger.warning("too little memory for %dx%d pixels; trying again", width, height)
        yield Attempt(content, self._ways[self.fallback])
        while self.fallback + 1 < len(self._ways):
            free_caches(self._device)
            self.fallback += 1
            logger.warning("still too little memory; going on with %s", self._ways[self.fallback])
            yield Attempt(content, self._ways[self.fallback])
        side_px = max(width, height)
        advice = "close other programs, or use a machine with more memory"
        while True:
            side_px = int(side_px * _SMALLER)
            ratio = side_px / max(width, height)
            if min(width, height) * ratio < SMALLEST_SIDE_PX:
                break
            free_caches(self._device)
            smaller = resize(content, max(1, round(width * ratio)), max(1, round(height * ratio)))
            trial = Attempt(smaller, self._ways[-1], is_trial=True)
            yield trial
            forget()
            if trial.has_succeeded:
                advice = f"the largest that is likely to fit is --size {side_px}"
                break
        free_caches(self._device)
        raise DeviceError(f"too little memory to paint {width}x{height} pixels; {advice}")

    def with_flow(self, content: Picture, attempt: Callable[[], T], remedy: str = "") -> T:
        """Returns what a call that estimates optical flow returns, made a second time where memory runs out.

        Args:
            content: a frame, `(H, W, 3)`. attempt: changes nothing if it fails. remedy: advice that ends in " or ".

        Raises:
            DeviceError: memory does not suffice.
        """
        for number in range(2):
            if number:
                free_caches(self._device)
            with Attempt(content, self._ways[self.fallback]):
                return attempt()
        height, width = content.shape[:2]
        raise DeviceError(
            f"too little memory for optical flow at {width}x{height} pixels; use {remedy}a smaller --size"
        )
