"""Too little memory."""

import gc
import weakref

import pytest
import torch

from vidstyle.method.memory import free_caches, is_memory_error, memory_fallbacks


class Broken(torch.autograd.Function):
    """Runs out of memory on the way back."""

    @staticmethod
    def forward(context, values):
        return values * 2

    @staticmethod
    def backward(context, gradient):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9999 bytes")


def failed_pass():
    """A backward pass that fails half-way; returns a reference to an activation of the other half."""
    start = torch.ones(1000, requires_grad=True)
    activation = start * 2
    other = activation * activation
    kept = weakref.ref(activation)
    # What was computed last goes back first, so the other half is still waiting when this one fails.
    total = (Broken.apply(start) + other).sum()
    with pytest.raises(RuntimeError, match="can't allocate"):
        torch.autograd.grad(total, start)
    return kept


def test_what_a_failed_pass_left_behind_is_thrown_away():
    kept = failed_pass()
    free_caches(torch.device("cpu"))
    gc.collect()
    assert kept() is None


def test_each_way_is_cheaper_than_the_last():
    assert [str(way) for way in memory_fallbacks("lbfgs")] == [
        "L-BFGS with a history of 10",
        "L-BFGS with a history of 10, in tiles",
        "L-BFGS with a history of 3, in tiles",
        "Adam, in tiles",
    ]
    assert [str(way) for way in memory_fallbacks("adam")] == ["Adam", "Adam, in tiles"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("not enough memory"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_a_want_of_memory_is_recognized(error, expected):
    assert is_memory_error(error) is expected
