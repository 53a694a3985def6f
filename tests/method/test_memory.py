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


class Attempts:
    """Attempts that fail where `is_too_much(picture, way)`; those that were made stand in `ways`."""

    def __init__(self, is_too_much, words="DefaultCPUAllocator: can't allocate memory: 99999 bytes"):
        self.is_too_much, self.words, self.ways, self.forgotten = is_too_much, words, [], 0

    def __call__(self, picture, way):
        self.ways.append((way.method, way.history))
        if self.is_too_much(picture, way):
            raise RuntimeError(self.words)
        return picture.shape[:2]

    def forget(self):
        self.forgotten += 1


def guard():
    return MemoryGuard("lbfgs", torch.device("cpu"))


def test_too_little_memory_is_met_with_cheaper_ways_and_remembered():
    attempts, memory = Attempts(lambda picture, way: way.method == "lbfgs"), guard()
    for _ in range(2):
        assert memory.optimize(FRAME, attempts, attempts.forget) == (48, 64)
    assert attempts.ways == [("lbfgs", 10), ("lbfgs", 10), ("lbfgs", 10), ("lbfgs", 3), ("adam", 0), ("adam", 0)]
    assert memory.fallback == 3
    memory.reset()
    assert memory.fallback == 0
    memory.reset(99)
    assert memory.fallback == 3


def test_a_want_of_memory_that_passes_changes_nothing():
    failures, memory = iter([True, False]), guard()
    assert memory.optimize(FRAME, Attempts(lambda *_: next(failures)), list) == (48, 64)
    assert memory.fallback == 0


@pytest.mark.parametrize(
    ("most_px", "advice"), [(40 * 30, "--size 40"), (60 * 60, "--size 51"), (0, "a machine with more memory")]
)
def test_what_does_not_fit_at_all_comes_with_a_size_that_does(most_px, advice):
    attempts = Attempts(lambda picture, way: picture.shape[0] * picture.shape[1] > most_px or len(picture) > 40)
    with pytest.raises(DeviceError, match="64x48 pixels") as caught:
        guard().optimize(FRAME, attempts, attempts.forget)
    assert advice in str(caught.value)
    assert [method for method, _ in attempts.ways[:5]] == ["lbfgs", "lbfgs", "lbfgs", "lbfgs", "adam"]
    assert attempts.forgotten == len(attempts.ways) - 5


def test_other_faults_are_not_taken_for_a_want_of_memory():
    with pytest.raises(RuntimeError, match="sky"):
        guard().optimize(FRAME, Attempts(lambda *_: True, "the sky is falling"), list)
    with pytest.raises(RuntimeError, match="sky"):
        guard().warp(FRAME, lambda: Attempts(lambda *_: True, "the sky is falling")(FRAME, memory_fallbacks("adam")[0]))


def test_a_want_of_memory_in_the_flow_is_reported_as_such():
    calls = []

    def greedy():
        calls.append(1)
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DeviceError, match="optical flow at 64x48 pixels; use --flow dis or a smaller --size"):
        guard().warp(FRAME, greedy, "--flow dis or ")
    assert len(calls) == 2
