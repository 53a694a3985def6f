"""Too little memory."""

import gc
import weakref

import numpy as np
import pytest
import torch

from vidstyle.errors import DeviceError
from vidstyle.method.memory import MemoryGuard, free_caches, is_memory_error, memory_fallbacks


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


FRAME = np.zeros((48, 64, 3), np.uint8)


def guard():
    return MemoryGuard("lbfgs", torch.device("cpu"))


def optimized(memory, is_too_much, words="DefaultCPUAllocator: can't allocate memory: 99999 bytes"):
    """Tries a frame until memory suffices; returns the ways that were tried."""
    ways = []
    for attempt in memory.attempts(FRAME, lambda: None):
        ways.append((attempt.way.method, attempt.way.history))
        with attempt:
            if is_too_much(attempt):
                raise RuntimeError(words)
        if attempt.has_succeeded and not attempt.is_trial:
            return ways
    return None


@pytest.fixture(autouse=True)
def _quick_caches(monkeypatch):
    monkeypatch.setattr("vidstyle.method.memory.free_caches", lambda device: None)


def test_too_little_memory_is_met_with_cheaper_ways_and_remembered():
    memory = guard()
    first, second = (optimized(memory, lambda attempt: attempt.way.method == "lbfgs") for _ in range(2))
    assert first == [("lbfgs", 10), ("lbfgs", 10), ("lbfgs", 10), ("lbfgs", 3), ("adam", 0)]
    assert second == [("adam", 0)]
    assert memory.fallback == 3
    memory.reset()
    assert memory.fallback == 0
    memory.reset(99)
    assert memory.fallback == 3


def test_a_want_of_memory_that_passes_changes_nothing():
    failures, memory = iter([True, False]), guard()
    assert len(optimized(memory, lambda _: next(failures))) == 2
    assert memory.fallback == 0


@pytest.mark.parametrize(
    ("most_px", "advice"), [(40 * 30, "--size 40"), (60 * 60, "--size 51"), (0, "a machine with more memory")]
)
def test_what_does_not_fit_at_all_comes_with_a_size_that_does(most_px, advice):
    def is_too_much(attempt):
        height, width = attempt.content.shape[:2]
        return height * width > most_px or height > 40

    with pytest.raises(DeviceError, match="64x48 pixels") as caught:
        optimized(guard(), is_too_much)
    assert advice in str(caught.value)


def test_other_faults_are_not_taken_for_a_want_of_memory():
    def falling():
        raise RuntimeError("the sky is falling")

    with pytest.raises(RuntimeError, match="sky"):
        optimized(guard(), lambda _: True, "the sky is falling")
    with pytest.raises(RuntimeError, match="sky"):
        guard().with_flow(FRAME, falling)


def test_a_want_of_memory_in_the_flow_is_reported_as_such():
    calls = []

    def greedy():
        calls.append(1)
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DeviceError, match="optical flow at 64x48 pixels; use --flow dis or a smaller --size"):
        guard().with_flow(FRAME, greedy, "--flow dis or ")
    assert len(calls) == 2
