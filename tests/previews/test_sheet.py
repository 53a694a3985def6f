"""Sheets of labeled pictures: what stands where, and labels in any script."""

import cv2
import numpy as np
import pytest
from clips import picture

from vidstyle.previews import sheet
from vidstyle.previews.sheet import GAP_PX, LABEL_PX, NARROWEST_PX, draw_label, draw_sheet, text_width


@pytest.fixture(params=["fonts", "ASCII"])
def fonts(request, monkeypatch):
    """OpenCV 5, which has fonts, and OpenCV 4, which has ASCII letters alone."""
    if request.param == "ASCII":
        monkeypatch.setattr(sheet, "_HAS_FONTS", False)
    elif not hasattr(cv2, "FontFace"):
        pytest.skip("OpenCV has no fonts before version 5")


@pytest.mark.parametrize("size", [(64, 48), (300, 16), (16, 90)])
def test_pictures_stand_in_the_sheet_untouched_with_their_labels_above(size, fonts):
    rows = [[(f"{row}{column}", picture(3 * row + column, size)) for column in range(3)] for row in range(2)]
    drawn = draw_sheet("a title", rows, [("name", "a line"), ("", "another, \u00fc")])
    width, height = size
    for row in range(2):
        for column in range(3):
            top = GAP_PX + LABEL_PX + row * (LABEL_PX + height + GAP_PX) + LABEL_PX
            left = GAP_PX + column * (width + GAP_PX)
            assert np.array_equal(drawn[top : top + height, left : left + width], rows[row][column][1])
            assert (drawn[top - LABEL_PX : top, left : left + width] < 128).any()
    assert drawn.shape[1] == 2 * GAP_PX + max(NARROWEST_PX, 3 * width + 2 * GAP_PX)
    assert (drawn[:LABEL_PX] < 128).any()
    assert (drawn[-GAP_PX - LABEL_PX : -GAP_PX] < 128).any()


def test_pictures_of_several_sizes_stand_in_columns_and_the_last_row_may_be_shorter():
    rows = [[("a", picture(1, (30, 20))), ("b", picture(2, (40, 16)))], [("c", picture(3, (30, 20)))]]
    drawn = draw_sheet("t", rows)
    assert drawn.shape == (2 * GAP_PX + LABEL_PX + 2 * (LABEL_PX + 20 + GAP_PX), 2 * GAP_PX + NARROWEST_PX, 3)
    top, left = GAP_PX + 2 * LABEL_PX, 2 * GAP_PX + 40
    assert np.array_equal(drawn[top : top + 16, left : left + 40], rows[0][1][1])
    assert (drawn[top + 20 :, left:] == 255).all()


@pytest.mark.parametrize("text", ["long " * 60, "content 1 : style 1000", "長い" * 60])
def test_letters_are_never_cut_off(text, fonts):
    narrow = picture(0, (16, 16))
    for drawn in (
        draw_sheet("t", [[(text, narrow), (text, narrow)]]),
        draw_sheet(text, [[("x", narrow)]], [("name", text)]),
    ):
        assert (drawn[:, -GAP_PX:] == 255).all()
    labeled = draw_sheet("t", [[(text, narrow), (text, narrow)]])
    band = labeled[GAP_PX + LABEL_PX : GAP_PX + 2 * LABEL_PX, GAP_PX:-GAP_PX]
    column = max(16, text_width(text, 9))
    assert np.array_equal(band[:, :column], band[:, column + GAP_PX : 2 * column + GAP_PX])
    assert (band[:, column - 1 : column + GAP_PX] == 255).all()


def test_labels_are_all_of_one_size_that_fits():
    def heights(*labels):
        """Returns how high the letters stand above each of the pictures, which are 100 px wide."""
        drawn = draw_sheet("t", [[(label, picture(0, (100, 20))) for label in labels]])
        lines = [drawn[30:52, 8 + 108 * column : 108 + 108 * column] for column in range(len(labels))]
        return [int((line < 128).any((1, 2)).sum()) for line in lines]

    short, long = heights("III", "I" * 26)
    assert short == long < heights("III")[0]


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV has no fonts before version 5")
@pytest.mark.parametrize("text", ["größe", "ночь", "νύχτα", "星夜", "밤하늘", "ليلة"])
def test_names_in_any_script_are_drawn(text):
    assert not np.array_equal(draw_label(text, 200, 15), draw_label("?" * len(text), 200, 15))
