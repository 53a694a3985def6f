"""Which pictures can be painted, and at which size."""

import pytest

from vidstyle import Settings
from vidstyle.errors import SourceError
from vidstyle.fitting import working_size


@pytest.mark.parametrize(
    ("size", "limit", "even", "expected"),
    [
        ((1920, 1080), 640, False, (640, 360)),
        ((320, 180), 640, False, (320, 180)),
        ((451, 300), "source", False, (451, 300)),
        ((451, 300), "source", True, (452, 300)),
        ((1080, 1920), 640, True, (360, 640)),
        ((4000, 16), 100, True, (4000, 16)),
        ((4000, 64), 100, True, (1000, 16)),
    ],
)
def test_working_size_limits_the_long_side_and_never_enlarges(size, limit, even, expected):
    assert working_size(*size, Settings(size=limit), even=even) == expected


def test_pictures_too_large_to_be_carried_are_refused_with_a_remedy():
    with pytest.raises(SourceError, match="at most 32,766 px on a side; use a smaller --size, or --flow off"):
        working_size(40_000, 64, Settings(size="source"))
    assert working_size(40_000, 64, Settings(size="source", flow="off")) == (40_000, 64)
    assert working_size(40_000, 640, Settings(size=1024)) == (1024, 16)
