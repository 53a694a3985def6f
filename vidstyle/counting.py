"""Numbers with their nouns, in one or in many."""

from __future__ import annotations


def counted(number: int, noun: str, form: str = "d") -> str:
    """Returns a number with its noun, as "1 process" or "2 processes".

    Args:
        form: how the number is written, as `format` takes it; "," parts thousands.
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:{form}} {noun if number == 1 else plural}"


def counted_were(number: int, noun: str) -> str:
    """Returns the same with its verb, as "1 frame was" or "2 frames were"."""
    return f"{counted(number, noun)} {'was' if number == 1 else 'were'}"
