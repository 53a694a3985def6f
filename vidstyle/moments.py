"""Moments of a clip in words: frame numbers, seconds, and times as clocks show them."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

# A frame's index, or seconds after the first frame of the input.
Moment = int | Fraction

MOMENT_FORMS = "a frame index (120), seconds (12.5s), MM:SS(.fff) or HH:MM:SS(.fff)"
_INDEX = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?)s")
_CLOCK = re.compile(r"(?:([0-9]{1,6}):(?=[0-5]?[0-9]:))?([0-9]{1,6}):([0-5]?[0-9](?:\.[0-9]{1,12})?)")


def parse_moment(text: str) -> Moment | None:
    """Returns a frame index as an integer, a time as a fraction of seconds, or None if it is neither."""
    if _INDEX.fullmatch(text):
        return int(text)
    if seconds := _SECONDS.fullmatch(text):
        return Fraction(seconds[1])
    if clock := _CLOCK.fullmatch(text):
        return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + Fraction(clock[3])
    return None


def same_moment(text: str) -> str:
    """Returns a moment's words in the one way that all words for it have: an index, or seconds, and 0 for both.

    Raises:
        ValueError: it is none.
    """
    moment = parse_moment(text)
    if moment is None:
        raise ValueError(text)
    if not moment or isinstance(moment, int):
        return str(int(moment))
    # As many digits as a time can have.
    return f"{Decimal(moment.numerator) / Decimal(moment.denominator):f}s"


def split_moment(text: str) -> tuple[str, str]:
    """Returns the two parts of "12.5s:b.jpg" or "1:02.5:b.jpg": a moment, the longest there is, and a name.

    Raises:
        ValueError: it does not begin with a moment, or no name follows.
    """
    for colon in reversed([place for place, character in enumerate(text) if character == ":"]):
        if text[colon + 1 :] and parse_moment(text[:colon]) is not None:
            return text[:colon], text[colon + 1 :]
    raise ValueError(text)


def join_moment(moment: str, name: str) -> str:
    """Returns what `split_moment` splits into this moment and the path of this name."""
    text = f"{moment}:{name}"
    # A name such as 12:30.png would make another moment of it.
    return text if split_moment(text) == (moment, name) else f"{moment}:./{name}"
