"""The order of shots, and what is given out again, with a Ray that runs everything here."""

from __future__ import annotations

from typing import Any

import pytest

from vidstyle.cluster.schedule import Schedule
from vidstyle.errors import ClusterError
from vidstyle.shots import Shot

LENGTHS = (3, 9, 1, 5)
SHOTS = [Shot(number, sum(LENGTHS[:number]), sum(LENGTHS[: number + 1])) for number in range(4)]


class FakeRay:
    """Runs tasks, which are generators, one answer at a time."""

    def __init__(self) -> None:
        self.canceled: list[Any] = []

    def wait(self, tasks: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return tasks, []

    def get(self, answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, task: Any, force: bool) -> None:
        self.canceled.append(task)


def schedule(answers: Any, fatal: Any = lambda error: None) -> tuple[Schedule, list[int], FakeRay]:
    """Returns a schedule whose n-th task of a shot answers what `answers(number, n)` says, and the order of tasks."""
    order: list[int] = []

    def submit(shot: Shot) -> Any:
        order.append(shot.number)
        return iter(answers(shot.number, order.count(shot.number)))

    ray = FakeRay()
    return Schedule(ray, submit, fatal), order, ray


def test_the_longest_shot_goes_first_and_every_answer_comes():
    work, order, _ = schedule(lambda number, attempt: [f"{number}a", f"{number}b"])
    answers = [answer for _, answer in work.run(SHOTS) if answer is not None]
    assert order == [1, 3, 0, 2]
    assert sorted(answers) == sorted(f"{number}{letter}" for number in range(4) for letter in "ab")
    assert work.failures == {}


def test_shots_are_given_to_ray_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr("vidstyle.cluster.schedule._AHEAD", 2)
    most = []
    work, _, _ = schedule(lambda number, attempt: ["x"])
    for _ in work.run(SHOTS):
        most.append(len(work._running))
    assert max(most) <= 2


def test_a_shot_that_fails_is_given_out_again_at_once():
    work, order, _ = schedule(lambda number, attempt: [ValueError("no")] if (number, attempt) == (3, 1) else ["x"])
    assert [shot.number for shot, answer in work.run(SHOTS) if answer] == [1, 0, 2, 3]
    assert order == [1, 3, 0, 2, 3]


def test_a_shot_that_fails_three_times_is_given_up_and_the_others_are_not(caplog):
    work, order, _ = schedule(lambda number, attempt: [ValueError("no luck")] if number == 3 else ["x"])
    assert sorted(shot.number for shot, answer in work.run(SHOTS) if answer) == [0, 1, 2]
    assert order.count(3) == 3
    assert str(work.failures[3]) == "no luck"
    assert "shot 3 (frames 13 to 17) failed 3 times: no luck; the others go on" in caplog.text


def test_only_a_task_that_may_still_run_is_ended():
    raised = RuntimeError("of the task")
    raised.cause = ValueError("the task's own")
    work, _, ray = schedule(lambda number, attempt: [raised] if number == 2 and attempt == 1 else ["x"])
    list(work.run(SHOTS))
    assert ray.canceled == []
    work, _, ray = schedule(lambda number, attempt: [OSError("lost")] if number == 2 and attempt == 1 else ["x"])
    list(work.run(SHOTS))
    assert len(ray.canceled) == 1


def test_frames_done_in_between_give_a_shot_new_tries():
    work, order, _ = schedule(
        lambda number, attempt: [1, ValueError("killed")] if number == 3 and attempt < 6 else [1],
    )
    for shot, answer in work.run(SHOTS):
        if answer:
            work.note_progress(shot)
    assert order.count(3) == 6
    assert work.failures == {}


def test_an_error_that_concerns_all_shots_ends_it():
    work, _, ray = schedule(lambda number, attempt: [ValueError("no")], lambda error: ClusterError(f"all: {error}"))
    with pytest.raises(ClusterError, match="all: no"):
        list(work.run(SHOTS))
    assert len(ray.canceled) == 1  # it may still be at it
    work.cancel()
    assert len(ray.canceled) == 4
