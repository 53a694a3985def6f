"""How the process of a render uses its machine: what only a program, never a library, may decide."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

# The environment in which torch's idle threads never spin on the cores that another process of the render needs:
# of `painting.workers`, and of the cluster's tasks. Two workers of two threads each on two cores: 29 s with torch's
# default, 10 s with the short spinning of a single process, 7.6 s with none.
BESIDE_OTHERS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
# glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_NEVER, _PAD_BYTES = 2**31 - 1, 64 << 20


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

    By default each of the optimisation's large arrays is mapped anew, and the system fills it with zeros page by
    page: 4,000 pages for each evaluation at 512x288, a tenth to a quarter of its time.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another C library
        allocator = ctypes.CDLL(None)
        for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _PAD_BYTES)):
            allocator.mallopt(parameter, value)
