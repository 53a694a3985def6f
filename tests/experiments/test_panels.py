"""Sheets of an experiment, as pictures and as GIFs."""

import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import OutputError, SettingsError
from vidstyle.experiments import Panel, Sheet, check_target, write_sheet
from vidstyle.previews.sheet import draw_sheet

RED, BLUE = (np.full((20, width, 3), color, np.uint8) for width, color in ((30, (255, 0, 0)), (40, (0, 0, 255))))
SHEET = Sheet("title", (Panel("a", RED), Panel("b", BLUE), Panel("c", RED)), 2)


def test_panels_stand_in_rows_under_their_labels():
    rows = [[("a", RED), ("b", BLUE)], [("c", RED)]]
    assert np.array_equal(SHEET.picture(), draw_sheet("title", rows))


def test_a_gif_shows_the_panels_one_after_the_other(tmp_path):
    write_sheet(tmp_path / "a.gif", SHEET, 200)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 3
        durations = []
        for number in range(3):
            gif.seek(number)
            durations.append(gif.info["duration"])
    assert durations == [200, 200, 800]


def test_a_picture_is_the_sheet(tmp_path):
    write_sheet(tmp_path / "a.png", SHEET)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), SHEET.picture())


def test_targets_that_cannot_be_written_are_refused(tmp_path):
    there = tmp_path / "there.png"
    there.write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    for target, inputs, message in (
        (tmp_path / "a.txt", [], "unknown suffix"),
        (tmp_path / "a.gif", [], "unknown suffix"),
        (there, [], "exists already"),
        (tmp_path / "folder.png", [], "is a folder"),
        (tmp_path / "none" / "a.png", [], "no such folder"),
    ):
        with pytest.raises(OutputError, match=message):
            check_target(target, inputs)
    with pytest.raises(OutputError, match="is an input itself"):
        check_target(there, [there], overwrite=True)
    check_target(there, [], overwrite=True)
    check_target(tmp_path / "a.gif", [], frame_ms=100)
    with pytest.raises(SettingsError, match="frame_ms is 5"):
        check_target(tmp_path / "a.gif", [], frame_ms=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "there.png"]
