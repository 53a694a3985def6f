"""The sheet of a preview: which frames, how strongly, and how they are laid out."""

from dataclasses import replace

import numpy as np
import pytest
from clips import picture

from vidstyle.previews.sheet import Cell, drawn_sheet, shown
from vidstyle.settings import Settings


def test_pictures_are_painted_as_a_renders_but_in_fewer_steps():
    asked = Settings(strength=0.9, size=1280, first_iterations=200, seed=5)
    assert shown(asked) == replace(asked, size=512, first_iterations=30, flow="off")


@pytest.mark.parametrize(
    ("size", "network", "shown_px"), [("source", "compact", 512), (99, "compact", 99), (640, "vgg19", 256)]
)
def test_pictures_are_as_large_as_a_minute_allows(size, network, shown_px):
    assert shown(Settings(size=size, network=network)).size == shown_px


@pytest.mark.parametrize("size", [(64, 48), (300, 16), (16, 90)])
def test_pictures_stand_in_the_sheet_untouched_with_their_labels_above(size):
    cells = [[Cell(f"cell {row}{column}", picture(3 * row + column, size)) for column in range(3)] for row in range(2)]
    sheet = drawn_sheet("a title", cells, ["a line", "another, \u00fc"])
    width, height = size
    for row in range(2):
        for column in range(3):
            top = 8 + 22 + row * (22 + height + 8) + 22
            left = 8 + column * (width + 8)
            assert np.array_equal(sheet[top : top + height, left : left + width], cells[row][column].image)
            assert (sheet[top - 22 : top, left : left + width] < 128).any()
    assert sheet.shape[1] == 16 + max(480, 3 * width + 16)
    assert (sheet[-30:-8] < 128).any()


def test_a_line_that_is_too_long_is_made_smaller():
    sheet = drawn_sheet("long " * 200, [[Cell("x", picture(0))]], [])
    assert (sheet[:, -8:] == 255).all()


def test_labels_are_all_of_one_size():
    def heights(*labels):
        """Returns how high letters stand above each of the pictures, which are 64 px wide."""
        sheet = drawn_sheet("t", [[Cell(label, picture(0)) for label in labels]], [])
        lines = [sheet[30:52, 8 + 72 * column : 72 + 72 * column] for column in range(len(labels))]
        return [int((line < 128).any((1, 2)).sum()) for line in lines]

    short, long = heights("III", "IIIIIIIIIIIIIIII")
    assert short == long < heights("III")[0]
