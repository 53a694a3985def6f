"""What the machine can do: one large convolution, and how much of one evaluation is convolutions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vidstyle.method.objective import Objective

CHANNELS, SIDE_PX, RUNS = 128, 256, 7


def seconds_of(call: Callable[[], None], device: torch.device, runs: int = RUNS) -> float:
    """Returns the median time of a call; the first two are not counted."""
    times = []
    for _ in range(runs + 2):
        started = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times[2:])


def convolution_flops_per_s(device: torch.device, precision: torch.dtype) -> float:
    """Returns the throughput of a 3x3 convolution of 128 channels at 256x256, there and back to its input."""
    shape = (1, CHANNELS, SIDE_PX, SIDE_PX)
    values, gradient = (
        torch.randn(shape, device=device).to(precision, memory_format=torch.channels_last) for _ in "ab"
    )
    weights = torch.randn(CHANNELS, CHANNELS, 3, 3, device=device).to(precision, memory_format=torch.channels_last)
    only_input = [True, False, False]

    def there_and_back() -> None:
        F.conv2d(values, weights, padding=1)
        torch.ops.aten.convolution_backward(
            gradient, values, weights, [0], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, only_input
        )

    with torch.no_grad():
        return 2 * 2 * 9 * CHANNELS**2 * SIDE_PX**2 / seconds_of(there_and_back, device)


def convolution_flops(objective: Objective, image: Tensor) -> int:
    """Returns how many operations an evaluation of objective and gradient spends in convolutions."""
    leaf = image.clone().requires_grad_()
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(objective(leaf), leaf)
    counts = counter.get_flop_counts()["Global"]
    return sum(counts[operation] for operation in (torch.ops.aten.convolution, torch.ops.aten.convolution_backward))
