"""Masks are read with the frames that they belong to, and errors in them are reported."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_video
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import SourceError
from vidstyle.frames import ClipInfo
from vidstyle.media.read.masks import MaskReader, check_masks, resized_mask


def flat(level, size=(64, 48)):
    return np.full((size[1], size[0]), level, np.uint8)


def folder_of(path, levels, size=(64, 48)):
    path.mkdir()
    for number, level in enumerate(levels, 1):
        cv2.imwrite(str(path / f"m{number}.png"), flat(level, size))
    return path


def picture_of(path, level=255, size=(64, 48)):
    cv2.imwrite(str(path), flat(level, size))
    return path


def info(width=64, height=48, **changes):
    return ClipInfo(Path("in.mp4"), "video", width, height, Fraction(25), 12, Fraction(1, 25), **changes)


def test_one_picture_serves_all_frames(tmp_path):
    with MaskReader(picture_of(tmp_path / "m.png", 99)) as masks:
        assert masks.is_for_all
        assert [int(masks.at(index).max()) for index in (0, 5, 700)] == [99, 99, 99]


def test_a_folder_is_aligned_by_index_in_natural_order(tmp_path):
    with MaskReader(folder_of(tmp_path / "m", [20 * k for k in range(1, 12)])) as masks:
        assert [int(masks.at(index).max()) for index in (0, 1, 1, 4, 10)] == [20, 40, 40, 100, 220]


def test_a_video_is_aligned_by_index_in_display_order(tmp_path):
    images = [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(1, 12)]
    with MaskReader(make_video(tmp_path / "m.mp4", images=images)) as masks:
        levels = [int(np.median(masks.at(index))) for index in (0, 3, 10)]
    assert np.abs(np.subtract(levels, [20, 80, 220])).max() <= 3


def test_colors_count_by_their_brightness_and_transparent_parts_are_black(tmp_path):
    layers = np.zeros((48, 64, 4), np.uint8)
    layers[..., :3], layers[:, :32, 3] = 255, 255
    cv2.imwrite(str(tmp_path / "m.png"), layers)
    with MaskReader(tmp_path / "m.png") as masks:
        mask = masks.at(0)
    assert mask[:, :32].min() == 255
    assert mask[:, 32:].max() == 0


def test_nearly_black_and_nearly_white_are_black_and_white():
    levels = np.arange(256, dtype=np.uint8)[None]
    mask = resized_mask(levels, 256, 1)[0]
    assert mask[:8].tolist() == [0] * 8
    assert mask[8:248].tolist() == list(range(8, 248))
    assert mask[248:].tolist() == [255] * 8


def test_an_edge_that_is_enlarged_is_soft_and_black_stays_black():
    mask = np.hstack([flat(0, (8, 8)), flat(255, (8, 8))])
    large = resized_mask(mask, 64, 32)
    assert large.shape == (32, 64)
    assert not large[:, :24].any()
    assert large[:, 40:].min() == 255


@given(st.integers(16, 4000), st.integers(16, 4000), st.floats(0.1, 4))
def test_a_mask_of_the_same_shape_fits_at_any_size(tmp_path_factory, width, height, ratio):
    size = max(16, round(width * ratio)), max(16, round(height * ratio))
    if min(width, height) * ratio >= 16:
        reader = MaskReader.__new__(MaskReader)
        reader._path, reader._reader = Path("m.png"), type("Any", (), {"info": info(*size)})()
        reader.check_shape(info(width, height))


@pytest.mark.parametrize(("size", "fits"), [((128, 96), True), ((63, 48), True), ((32, 23), True), ((64, 40), False)])
def test_a_mask_of_another_shape_is_refused(tmp_path, size, fits):
    with MaskReader(picture_of(tmp_path / "m.png", size=size)) as masks:
        if fits:
            masks.check_shape(info())
        else:
            with pytest.raises(SourceError, match=r"m.png: 64x40 pixels, but in.mp4 has 64x48; a mask has the shape"):
                masks.check_shape(info())


def test_a_mask_made_from_what_a_player_shows_fits_pixels_that_are_not_square(tmp_path):
    with MaskReader(picture_of(tmp_path / "m.png", size=(128, 48))) as masks:
        masks.check_shape(info(sample_aspect_ratio=Fraction(2)))
        with pytest.raises(SourceError, match="128x48"):
            masks.check_shape(info())


def test_masks_that_end_too_early_are_said(tmp_path):
    folder = folder_of(tmp_path / "m", [255] * 5)
    assert check_masks(folder, 0, 4, True) == []
    with pytest.raises(SourceError, match=r"m: has masks for 5 frames only, and frame 5 is painted, too; give one"):
        check_masks(folder, 0, 11, True)
    with pytest.raises(SourceError, match="5 frames only"):
        check_masks(folder, 7, 9, False)


def test_masks_that_are_left_over_are_noted_at_the_inputs_end_only(tmp_path):
    folder = folder_of(tmp_path / "m", [255] * 5)
    (note,) = check_masks(folder, 0, 2, True)
    assert note.endswith("has more masks than the input has frames; the first 3 count")
    assert check_masks(folder, 0, 2, False) == []


def test_black_all_over_is_nothing_to_paint(tmp_path):
    with pytest.raises(SourceError, match=r"m.png: black all over, so there is nothing to paint; make white"):
        check_masks(picture_of(tmp_path / "m.png", 0), 0, 9, True)
    folder = folder_of(tmp_path / "m", [255, 0, 0, 255])
    assert check_masks(folder, 0, 3, True) == []
    with pytest.raises(SourceError, match="black in every frame from 1 to 2, so there is nothing"):
        check_masks(folder, 1, 2, False)


@pytest.mark.parametrize("name", ["m.txt", "m.png", "nowhere.png"])
def test_what_is_no_picture_is_said_with_its_name(tmp_path, name):
    if name != "nowhere.png":
        (tmp_path / name).write_text("not a picture")
    with pytest.raises(SourceError, match=name):
        MaskReader(tmp_path / name)


def test_a_picture_in_a_folder_that_cannot_be_read_is_found_in_the_first_pass(tmp_path):
    folder = folder_of(tmp_path / "m", [255] * 5)
    (folder / "m4.png").write_bytes((folder / "m4.png").read_bytes()[:60])
    with pytest.raises(SourceError, match=r"m4\.png"):
        check_masks(folder, 0, 4, True)
