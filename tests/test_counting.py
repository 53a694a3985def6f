"""Numbers with their nouns."""

import pytest

from vidstyle.errors import counted, counted_were


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(0, "frame", "0 frames"), (1, "frame", "1 frame"), (1200, "shot", "1200 shots"), (2, "process", "2 processes")],
)
def test_one_is_told_from_many(number, noun, words):
    assert counted(number, noun) == words


def test_thousands_may_be_parted():
    assert counted(1200, "frame", ",") == "1,200 frames"


def test_verbs_go_with_the_number():
    assert [counted_were(number, "data track") for number in (1, 2)] == ["1 data track was", "2 data tracks were"]
