"""Breaks in time are told from jitter."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.recoder import GAP_S, STEADY_FRAMES, Drift

milliseconds = st.integers(-39, 39).map(lambda number: Fraction(number, 1000))


@given(st.lists(st.tuples(milliseconds, st.booleans()), max_size=40))
def test_jitter_around_the_right_time_moves_nothing(jitter: list[tuple[Fraction, bool]]) -> None:
    drift = Drift()
    for number, (apart_s, _) in enumerate(jitter):
        assert drift.correction_s(apart_s if number % STEADY_FRAMES else Fraction(0)) == 0


@given(milliseconds)
def test_what_stays_is_corrected(apart_s: Fraction) -> None:
    drift = Drift()
    moved = [drift.correction_s(apart_s) for _ in range(STEADY_FRAMES)]
    assert moved == [0] * (STEADY_FRAMES - 1) + [apart_s if abs(apart_s) > Fraction(4, 1000) else 0]


def test_breaks_are_corrected_at_once_and_broken_clocks_not() -> None:
    drift = Drift()
    assert drift.correction_s(GAP_S * 2) == GAP_S * 2
    assert drift.correction_s(Fraction(3600)) == 3600
    assert drift.correction_s(-GAP_S * 2) == -GAP_S * 2
    assert drift.correction_s(Fraction(-2)) == 0
