"""Color: kept, or matched."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.method.recoloring import palette_of, with_colors_of

LUMA = np.array([0.299, 0.587, 0.114])


def noise(seed, low=0, high=256, size=(24, 32)):
    return np.random.default_rng(seed).integers(low, high, (*size, 3), dtype=np.uint8)


def chroma(picture):
    return picture - (picture @ LUMA)[..., None]


def test_a_picture_keeps_its_own_colors():
    assert np.array_equal(with_colors_of(noise(1), noise(1)), noise(1))


def test_luminance_is_the_paintings_and_chroma_the_contents():
    content, stylized = noise(1, 100, 140), noise(2, 90, 170)
    result = with_colors_of(content, stylized)
    assert np.abs(result @ LUMA - stylized @ LUMA).max() < 1
    assert np.abs(chroma(result) - chroma(content)).max() < 1.5


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
def test_luminance_and_hue_hold_where_colors_must_pale(content, stylized):
    content, stylized = (np.array(each, np.uint8)[None, None] for each in (content, stylized))
    result = with_colors_of(content, stylized)
    assert np.abs(result @ LUMA - stylized @ LUMA).max() < 1
    # The chroma points where the content's does: no channel changes its side.
    assert (chroma(content) * chroma(result) > -60).all()


@pytest.mark.parametrize("seed", [3, 4])
def test_a_style_takes_the_contents_palette(seed):
    rng = np.random.default_rng(seed)
    mixed = (rng.normal(size=(60, 60, 3)) @ np.diag([20, 10, 5]) @ rng.normal(size=(3, 3)) * 0.3 + 120).clip(60, 190)
    wanted, style = palette_of(mixed.astype(np.uint8)), noise(seed, 100, 150, (60, 60))
    got = palette_of(wanted.given_to(style))
    assert got.mean == pytest.approx(wanted.mean, abs=0.1)
    assert np.abs(got.covariance - wanted.covariance).max() < 0.5


def test_a_palette_matched_to_itself_stays():
    style = noise(5, 40, 200)
    assert np.array_equal(palette_of(style).given_to(style), style)


def test_flat_colors_have_a_palette_too():
    flat = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    assert np.array_equal(palette_of(flat).given_to(flat), flat)
    assert np.abs(palette_of(flat).given_to(noise(1)).astype(int) - (200, 30, 90)).max() <= 2
    assert palette_of(noise(1)).given_to(flat).shape == flat.shape


def test_a_large_style_takes_little_memory_beside_its_own():
    style = noise(6, size=(1200, 1000))
    tracemalloc.start()
    recolored = palette_of(noise(7)).given_to(style)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert recolored.shape == style.shape
    assert peak_bytes < 3 * style.nbytes


def test_a_palette_is_of_all_rows():
    picture = np.vstack([noise(8, 0, 100, (700, 501)), noise(9, 90, 256, (1, 501))])
    pixels = picture.reshape(-1, 3).astype(np.float64)
    assert np.array_equal(palette_of(picture).mean, pixels.mean(axis=0))
    assert palette_of(picture).covariance == pytest.approx(np.cov(pixels.T, bias=True), rel=1e-9, abs=1e-9)
    wanted = palette_of(noise(7, 60, 180))
    assert palette_of(wanted.given_to(picture)).mean == pytest.approx(wanted.mean, abs=1)
