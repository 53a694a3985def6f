"""Where and in what precision to compute, and how the process of a render uses its machine.

How it uses the machine only a program, never a library, may decide. torch is imported late: it reads some of that once.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from vidstyle.errors import DeviceError

if TYPE_CHECKING:
    import torch

# The environment in which torch's idle threads never spin on the cores that another process of the render needs:
# of `workers.pool`, and of the cluster's tasks. Two workers of two threads each on two cores: 29 s with torch's
# default, 10 s with the short spinning of a single process, 7.6 s with none.
BESIDE_OTHERS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
# glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_NEVER, _PAD_BYTES = 2**31 - 1, 64 << 20


def resolve_device(name: str) -> torch.device:
    """Returns the device for "auto", "cpu", "cuda" or "mps"; auto is the fastest one present.

    Raises:
        DeviceError: the device is not available here.
    """
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, is_present in present.items() if is_present))
    if not present[name]:
        raise DeviceError(f"device {name} is not available to this build of torch; use --device auto")
    return torch.device(name)


def resolve_precision(name: str, device: torch.device) -> torch.dtype:
    """Returns the precision of the network; "auto" is the fastest one that `device` computes natively.

    Losses and the picture itself are float32 in any case; Gram matrices are rounded to the network's precision.

    Raises:
        DeviceError: the device cannot compute in that precision.
    """
    import torch

    if name == "float16" and device.type == "cpu":
        raise DeviceError("float16 on the CPU is slower than float32 and overflows; use --precision auto")
    if name != "auto":
        precision: torch.dtype = getattr(torch, name)
        return precision
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and _cpu_has_bfloat16():
        return torch.bfloat16
    return torch.float32


def _cpu_has_bfloat16() -> bool:
    import torch

    # Without native instructions bfloat16 is emulated, at less than float32's speed.
    # Older releases of torch cannot be asked; float32 is right everywhere.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Computes with as many threads as a job began with; sums come out differently with another number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def tune_process() -> None:
    """Makes this process paint as fast as the command line does; to be called before torch is imported."""
    share_cores()
    keep_freed_memory()


def share_cores() -> None:
    """Lets idle threads sleep soon; to be called before torch is imported, which reads this once.

    By default they spin for milliseconds, which is no gain here, and beside any other work costs a factor of
    three and more: 512 px frames took 4.9 s alone and 19 to 29 s beside another render, with this 4.5 and 10.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    os.environ.setdefault("KMP_BLOCKTIME", "1")


def keep_freed_memory() -> None:
    """Makes freed memory serve again instead of going back to the system, where the allocator is glibc's.

    By default each of the optimization's large arrays is mapped anew, and the system fills it with zeros page by
    page: 4,000 pages for each evaluation at 512x288, a tenth to a quarter of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another C library
        allocator = ctypes.CDLL(None)
        for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _PAD_BYTES)):
            allocator.mallopt(parameter, value)
