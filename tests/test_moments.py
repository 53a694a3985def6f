"""Moments in words."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.frames import join_moment, parse_moment, same_moment, split_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("120", 120),
        ("12.5s", Fraction(25, 2)),
        ("1:02.5", Fraction(125, 2)),
        ("1:00:00", Fraction(3600)),
        ("", None),
        ("-1", None),
        ("12.5", None),
        ("1:60", None),
        ("²", None),
    ],
)
def test_frame_numbers_seconds_and_clocks(text, moment):
    parsed = parse_moment(text)
    assert parsed == moment
    assert type(parsed) is type(moment)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("12.5s", "12.5s"),
        ("0:12.50", "12.5s"),
        ("0:00:12.5", "12.5s"),
        ("0120", "120"),
        ("0", "0"),
        ("0.0s", "0"),
        ("60s", "60s"),
        ("1:00", "60s"),
        ("99999:59:59.123456789012", "359999999.123456789012s"),
    ],
)
def test_one_moment_has_one_form(text, same):
    assert same_moment(text) == same
    assert parse_moment(same) == parse_moment(text)


@given(st.fractions(0, 10**6, max_denominator=10**6).map(lambda number: f"{float(number):.6f}s"))
def test_another_moment_has_another_form(text):
    assert parse_moment(same_moment(text)) == parse_moment(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0:a.jpg", ("0", "a.jpg")),
        ("12.5s:b.jpg", ("12.5s", "b.jpg")),
        ("1:02.5:b.jpg", ("1:02.5", "b.jpg")),
        ("3:C:\\b.jpg", ("3", "C:\\b.jpg")),
        ("0:1.jpg", ("0", "1.jpg")),
    ],
)
def test_a_moment_and_a_name(text, parts):
    assert split_moment(text) == parts


@given(st.integers(0, 10**6), st.text(st.characters(exclude_characters=":"), min_size=1, max_size=20))
def test_names_come_back(index, name):
    assert split_moment(f"{index}:{name}") == (str(index), name)
    assert split_moment(f"{index}s:{name}") == (f"{index}s", name)


@given(st.sampled_from(["0", "12", "1:02.5", "3s"]), st.text("0123:./sa", min_size=1, max_size=8))
def test_moments_and_paths_of_any_name_come_back(moment, name):
    word, back = split_moment(join_moment(moment, name))
    assert (word, Path(back)) == (moment, Path(name))


@pytest.mark.parametrize("text", ["a.jpg", "0:", ":a.jpg", "later:a.jpg"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(ValueError, match=text):
        split_moment(text)
