"""The size that frames are stylized at, and which pictures can be."""

import numpy as np
import pytest
from clips import picture

from vidstyle import Settings
from vidstyle.errors import SourceError
from vidstyle.media.stills.images import read_picture, write_image
from vidstyle.settings.working_size import working_size


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


def test_a_picture_with_nothing_to_be_seen_is_refused(tmp_path):
    alpha = np.zeros((48, 64), np.uint8)
    write_image(tmp_path / "clear.png", picture(1), alpha)
    with pytest.raises(SourceError, match=r"clear\.png: transparent all over, so there is no style to be seen"):
        read_picture(tmp_path / "clear.png", "style")
    alpha[0, 0] = 255
    write_image(tmp_path / "dot.png", picture(1), alpha)
    assert read_picture(tmp_path / "dot.png", "style").shape == (48, 64, 3)
