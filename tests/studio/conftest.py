"""Looks that are painted quickly."""

from functools import partial

import pytest

import vidstyle


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks take one step more for a frame than for its draft, instead of twice as many."""
    monkeypatch.setattr(vidstyle, "Settings", partial(vidstyle.Settings, first_iterations=26, iterations=20))
