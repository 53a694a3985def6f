"""How words on the command line become values."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import SettingsError
from vidstyle.settings.kinds import Frames, Rate, WholeOr, join_region, split_region

FRAMES, RATE, SIZE = Frames(), Rate("RATE", 0.01, 1000), WholeOr("PX", 16, 4096, "source", "a whole number of pixels")


@given(st.integers(0, 10**9), st.one_of(st.none(), st.integers(0, 10**9)))
def test_parse_frames_reads_what_is_written(start, stop):
    assert FRAMES.parse(f"{start}:{'' if stop is None else stop}") == (start, stop)


@pytest.mark.parametrize("text", ["5", "a:b", "1:2:3", ""])
def test_parse_frames_refuses_other_words(text):
    with pytest.raises(ValueError):
        FRAMES.parse(text)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_parse_rate_is_exact(numerator, denominator):
    assert RATE.parse(f"{numerator}/{denominator}") == Fraction(numerator, denominator)


def test_parse_rate_refuses_a_zero_denominator():
    with pytest.raises(ValueError):
        RATE.parse("1/0")


def test_parse_size_reads_numbers_and_source():
    assert (SIZE.parse("512"), SIZE.parse("source")) == (512, "source")


NAMES = st.text("=./ab", min_size=1, max_size=8)


@given(NAMES, NAMES)
def test_a_region_keeps_its_names_whatever_they_hold(mask, style):
    assert split_region(join_region(mask, style)) == (Path(mask), Path(style))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("m.png=s.jpg", ("m.png", "s.jpg")),
        ("take=2.png=s.jpg", ("take=2.png", "s.jpg")),
        ("take==2.png=s.jpg", ("take=2.png", "s.jpg")),
        ("m.png=/e==q/s.jpg", ("m.png", "/e=q/s.jpg")),
        ("m===s", ("m=", "s")),
    ],
)
def test_a_region_is_split_at_the_last_sign_that_stands_alone(text, names):
    assert split_region(text) == tuple(map(Path, names))


@pytest.mark.parametrize("text", ["a", "a==b", "=a", "a="])
def test_a_region_needs_both(text):
    with pytest.raises(SettingsError, match="give it as MASK=STYLE"):
        split_region(text)
