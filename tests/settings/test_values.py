"""How words on the command line become values."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.settings.values import parse_frames, parse_rate, parse_size


@given(st.integers(0, 10**9), st.one_of(st.none(), st.integers(0, 10**9)))
def test_parse_frames_reads_what_is_written(start, stop):
    assert parse_frames(f"{start}:{'' if stop is None else stop}") == (start, stop)


@pytest.mark.parametrize("text", ["5", "a:b", "1:2:3", ""])
def test_parse_frames_refuses_other_words(text):
    with pytest.raises(ValueError):
        parse_frames(text)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_parse_rate_is_exact(numerator, denominator):
    assert parse_rate(f"{numerator}/{denominator}") == Fraction(numerator, denominator)


def test_parse_rate_refuses_a_zero_denominator():
    with pytest.raises(ValueError):
        parse_rate("1/0")


def test_parse_size_reads_numbers_and_source():
    assert (parse_size("512"), parse_size("source")) == (512, "source")
