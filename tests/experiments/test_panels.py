"""Sheets: panels where they belong, files whole or not at all."""

import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import OutputError, SettingsError
from vidstyle.experiments import Panel, Sheet, check_target, write_sheet
from vidstyle.experiments.panels import GAP_PX, LABEL_PX

RED, BLUE = (np.full((20, width, 3), color, np.uint8) for width, color in ((30, (255, 0, 0)), (40, (0, 0, 255))))
SHEET = Sheet("title", (Panel("a", RED), Panel("b", BLUE), Panel("c", RED)), 2)


def test_panels_stand_in_rows_under_their_labels():
    picture = SHEET.picture()
    row, column = 20 + GAP_PX + LABEL_PX, 40 + GAP_PX
    assert picture.shape == (LABEL_PX + 2 * row + GAP_PX, 2 * column + GAP_PX, 3)
    top = 2 * LABEL_PX
    assert np.array_equal(picture[top : top + 20, GAP_PX : GAP_PX + 30], RED)
    assert np.array_equal(picture[top : top + 20, GAP_PX + column : GAP_PX + column + 40], BLUE)
    assert np.array_equal(picture[top + row : top + row + 20, GAP_PX : GAP_PX + 30], RED)
    assert (picture[LABEL_PX:top, GAP_PX : GAP_PX + 30] < 128).any()  # the letter
    assert (picture[top + row :, GAP_PX + column :] == 255).all()


def test_a_long_label_stays_over_its_panel():
    long = Sheet("t", (Panel("W" * 200, RED), Panel("", RED)), 2).picture()
    assert (long[LABEL_PX : 2 * LABEL_PX, (long.shape[1] - GAP_PX) // 2 :] == 255).all()


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


def test_letters_are_never_cut_off():
    panels = [Panel("content 1 : style 1000", np.full((16, 16, 3), 99, np.uint8)) for _ in range(2)]
    short, long = (Sheet(title, tuple(panels), 2).picture() for title in ("t", "a long title " * 9))
    for sheet in (short, long):
        assert (sheet[:, -GAP_PX:] == 255).all()
    assert long.shape[1] > short.shape[1] > 2 * (16 + GAP_PX) + GAP_PX
    # Both labels are written whole: they look the same.
    column = (short.shape[1] - GAP_PX) // 2
    labels = [short[LABEL_PX : 2 * LABEL_PX, GAP_PX + i * column : (i + 1) * column] for i in range(2)]
    assert np.array_equal(*labels)
    assert (labels[0] < 128).any()
    assert (labels[0][:, -1] == 255).all()
