"""Whom a render tells what it does."""

from pathlib import Path

import pytest
from renders import QUICK

from vidstyle import stylize
from vidstyle.looks import stylizer

pytestmark = pytest.mark.usefixtures("painting_scene")


def test_whoever_is_told_of_weights_is_told_of_those_of_flow(monkeypatch):
    load, told = stylizer.load_flow, []

    def loaded(method, device, on_download=None):
        on_download(3, 21)
        return load(method, device, on_download)

    monkeypatch.setattr(stylizer, "load_flow", loaded)
    stylize("in.mp4", "style.png", "out.mp4", QUICK, on_download=lambda *bytes_done: told.append(bytes_done))
    assert Path("out.mp4").exists()
    assert told == [(3, 21)]
