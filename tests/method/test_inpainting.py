"""Holes in the paint, inpainted with content in the colors of the paint around them."""

import cv2
import numpy as np
import pytest

from vidstyle.method.inpainting import inpainted


def content(seed=0, height=96, width=128):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def hole(top=30, bottom=60, left=40, right=80):
    trust = np.ones((96, 128), np.float32)
    trust[top:bottom, left:right] = 0
    return trust


def test_the_paints_colors_are_found_again():
    picture = content()
    paint = picture * np.array([0.5, 0.8, 1.2], np.float32) + np.array([60, 10, -30], np.float32)
    broken = paint * hole()[..., None]
    result = inpainted(picture, broken, hole())[30:60, 40:80]
    assert np.abs(result.mean((0, 1)) - paint[30:60, 40:80].mean((0, 1))).max() < 6
    gap = np.abs(result - paint[30:60, 40:80]).mean()
    assert gap < 0.3 * np.abs(picture[30:60, 40:80] - paint[30:60, 40:80]).mean()


def test_nearer_paint_counts_more():
    picture = np.full((96, 128, 3), 100, np.uint8)
    paint = np.zeros((96, 128, 3), np.float32)
    paint[:, :64], paint[:, 64:] = 40, 200
    result = inpainted(picture, paint, hole(40, 56, 20, 30))[40:56, 20:30]
    assert np.abs(result - 40).max() < 3


@pytest.mark.parametrize("trusted", [0, 1])
def test_without_paint_content_stays_and_without_holes_nothing_breaks(trusted):
    picture = content()
    result = inpainted(picture, picture.astype(np.float32), np.full((96, 128), trusted, np.float32))
    assert result.dtype == np.float32
    if not trusted:
        assert np.array_equal(result, picture)
    assert bool(np.isfinite(result).all())


def test_a_speck_of_paint_far_away_is_better_than_none():
    trust = np.zeros((96, 128), np.float32)
    trust[:4, :4] = 1
    paint = np.full((96, 128, 3), (10, 200, 30), np.float32)
    result = inpainted(np.full((96, 128, 3), 90, np.uint8), paint, trust)
    assert np.abs(result - (10, 200, 30)).max() < 1


def test_paint_stays_as_it_is_up_to_its_border():
    picture = content()
    paint = content(seed=1).astype(np.float32)
    result = inpainted(picture, paint, hole())
    assert np.array_equal(result[hole() == 1], paint[hole() == 1])
