"""A stylizer for the tests of the chain."""

from __future__ import annotations

import pytest
from chains import QUICK, picture

from vidstyle import Settings, Stylizer


@pytest.fixture
def stylizer() -> Stylizer:
    """Paints quickly, in a style of blobs."""
    return Stylizer(picture(99, 64, 64), Settings(**QUICK))
