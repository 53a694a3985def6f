"""Shots are counted as their last frames come, in any order."""

from vidstyle.render.shots import Tally
from vidstyle.shots import Shot

SHOTS = [Shot(0, 0, 3), Shot(1, 3, 5), Shot(2, 5, 9)]


def test_a_shot_is_done_with_its_last_frame():
    tally = Tally(SHOTS, {1: 2, 2: 1})
    assert tally.shots_done == 1
    counts = []
    for position in (4, 8, 3):
        tally.add(position)
        counts.append(tally.shots_done)
    assert counts == [1, 2, 3]
