"""Answers go together where they come quickly."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.cluster import task
from vidstyle.cluster.task import together


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is moved."""
    now = [100.0]
    monkeypatch.setattr(task.time, "monotonic", lambda: now[0])
    return now


def after(clock, waits):
    for number, wait_s in enumerate(waits):
        clock[0] += wait_s
        yield {"position": number}


def numbers(batches):
    return [[answer["position"] for answer in batch] for batch in batches]


def test_slow_answers_go_one_by_one(clock):
    assert numbers(together(after(clock, [1, 0.5, 0.2, 3]))) == [[0], [1], [2], [3]]


def test_quick_answers_go_together_and_none_is_left(clock):
    assert numbers(together(after(clock, [1] + [0.08] * 5))) == [[0], [1, 2, 3], [4, 5]]


def test_no_answers_are_none(clock):
    assert list(together(iter(()))) == []


@pytest.mark.parametrize(
    "large",
    [
        {"image": np.zeros((1000, 1000, 3), np.uint8)},
        {"files": {"painted": bytes(2 << 20), "delivered": bytes(1 << 20)}},
        {"segment": 0, "content": bytes(3 << 20)},
    ],
)
def test_large_answers_do_not_pile_up(clock, large):
    assert [len(batch) for batch in together(iter([large] * 5))] == [2, 2, 1]


def test_what_was_held_back_comes_before_an_error(clock):
    def failing():
        yield {"position": 0}
        yield {"position": 1}
        raise ValueError("no")

    batches = together(failing())
    assert numbers([next(batches)]) == [[0, 1]]
    with pytest.raises(ValueError, match="no"):
        next(batches)
