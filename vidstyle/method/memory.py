"""Too little memory: how to recognize it, make room, and go on with less."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import torch

from vidstyle.errors import DeviceError
from vidstyle.method.solver import HISTORY

# The CPU's allocators have no exception of their own: torch's, and those of the convolutions beneath it.
_CPU_WORDS = ("not enough memory", "can't allocate memory", "cannot allocate memory", "could not create a primitive")
# Of the memory for activations, where it ran out.
TILED = 1 / 4
# Largest size that is likely to fit: tried downwards in such steps.
_SMALLER = 0.8


@dataclass(frozen=True, slots=True)
class MemoryFallback:
    """A way to optimize that takes less memory than the one before it.

    Attributes:
        method: the optimizer. history: steps that L-BFGS remembers.
        share: of the memory for activations that would be used; below 1 pictures are painted in tiles.
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


def too_little_memory(width: int, height: int, fits: Callable[[int, int], bool], smallest_px: int) -> DeviceError:
    """Returns the error for a picture that cannot be painted even at the least cost, with a size that can.

    Args:
        width, height: in pixels. fits: tells by trying whether a size can be painted.
        smallest_px: sides are not tried below this.
    """
    side_px = max(width, height)
    while True:
        side_px = int(side_px * _SMALLER)
        ratio = side_px / max(width, height)
        if min(width, height) * ratio < smallest_px:
            advice = "close other programs, or use a machine with more memory"
            break
        if fits(max(1, round(width * ratio)), max(1, round(height * ratio))):
            advice = f"the largest that is likely to fit is --size {side_px}"
            break
    return DeviceError(f"too little memory to paint {width}x{height} pixels; {advice}")
