"""Transparency: nothing bleeds, what is opaque stays as it is."""

from __future__ import annotations

import tracemalloc

import numpy as np
from clips import picture
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.stills.alpha import filled, over_white


def _disc(size: int = 64) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size / 2
    return np.where(np.hypot(x, y) < size / 3, 255, 0).astype(np.uint8)


def test_opaque_pixels_stay_and_nothing_else_shows() -> None:
    alpha = _disc()
    image = np.zeros((64, 64, 3), np.uint8)
    image[alpha > 0] = (200, 30, 60)
    got = filled(image, alpha)
    assert np.array_equal(got, np.full_like(got, (200, 30, 60)))


def test_what_lies_beneath_transparent_pixels_does_not_matter() -> None:
    alpha, rng = _disc(), np.random.default_rng(0)
    image = picture(3, (64, 64))
    other = np.where(alpha[..., None] > 0, image, rng.integers(0, 256, image.shape, dtype=np.uint8))
    assert np.array_equal(filled(image, alpha), filled(other, alpha))
    assert np.array_equal(filled(image, alpha)[alpha > 0], image[alpha > 0])


def test_each_side_takes_the_color_next_to_it() -> None:
    image, alpha = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)
    image[:, :8], image[:, -8:] = 50, 220
    alpha[:, :8] = alpha[:, -8:] = 255
    got = filled(image, alpha)[32, :, 0].astype(int)
    assert abs(got[9] - 50) < 25
    assert abs(got[-10] - 220) < 25
    assert np.diff(got).min() >= 0


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 10**6), st.sampled_from([0, 0.02, 0.5]))
def test_a_plain_color_is_continued_whatever_is_opaque(width: int, height: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    color = rng.integers(0, 256, 3)
    alpha = np.where(rng.random((height, width)) < share, rng.integers(1, 256, (height, width)), 0).astype(np.uint8)
    image = np.where(alpha[..., None] > 0, color, rng.integers(0, 256, (height, width, 3))).astype(np.uint8)
    got = filled(image, alpha)
    want = color if alpha.any() else 128
    assert np.abs(got.astype(int) - want).max() <= 1


def test_opaque_pictures_are_not_touched() -> None:
    image = picture(1)
    assert filled(image, np.full(image.shape[:2], 255, np.uint8)) is image


def test_over_white() -> None:
    image = np.full((2, 2, 3), 55, np.uint8)
    alpha = np.array([[0, 255], [51, 128]], np.uint8)
    assert over_white(image, alpha)[..., 0].tolist() == [[255, 55], [215, 155]]
    assert over_white(image, None) is image


def test_large_pictures_are_put_over_white_and_filled_in_little_memory() -> None:
    rng = np.random.default_rng(2)
    image, alpha = rng.integers(0, 256, (2000, 2000, 3), dtype=np.uint8), np.full((2000, 2000), 64, np.uint8)
    peaks = []
    for work in (over_white, filled):
        tracemalloc.start()
        got = work(image, alpha)
        peaks.append(tracemalloc.get_traced_memory()[1] / alpha.size)
        tracemalloc.stop()
        assert got.shape == image.shape
    # Bytes a pixel, of which three are the picture.
    assert peaks[0] < 8
    assert peaks[1] < 25
    assert np.array_equal(
        over_white(image, alpha), np.rint(255 + np.float32(64 / 255) * (image.astype(np.float32) - 255))
    )
