"""Which frames stand for a clip."""

from hypothesis import given
from hypothesis import strategies as st

from vidstyle.frames import middles


def test_middles_of_thirds():
    assert [middles(count, 3) for count in (0, 1, 2, 3, 96)] == [[], [0], [0, 1], [0, 1, 2], [16, 48, 80]]


@given(st.integers(1, 10**7), st.integers(1, 12))
def test_middles_are_spread_over_the_whole(count, most):
    positions = middles(count, most)
    assert positions == sorted(set(positions))
    assert len(positions) == min(most, count)
    assert positions[0] >= 0
    assert positions[-1] < count
    assert abs(positions[0] - (count - 1 - positions[-1])) <= 1
