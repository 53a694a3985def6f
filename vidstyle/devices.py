"""Where and in what precision to compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vidstyle.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """Returns the device for "auto", "cpu", "cuda" or "mps"; auto is the fastest one present.

    Raises:
        DeviceError: the device is not available here.
    """
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
    # Without native instructions bfloat16 is emulated, at less than float32's speed.
    # Older releases of torch cannot be asked; float32 is right everywhere.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Computes with as many threads as a job began with; sums come out differently with another number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
