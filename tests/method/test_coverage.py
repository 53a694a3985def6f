"""What masks, regions and transparency make of a frame."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.method.coverage import are_same, coverage_of

SHAPE = (6, 8)


def flat(level):
    return np.full(SHAPE, level, np.uint8)


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape or SHAPE, dtype=np.uint8)


def test_a_frame_without_masks_and_opaque_has_no_coverage():
    assert coverage_of(SHAPE, None, [], None) is None
    assert coverage_of(SHAPE, None, [], flat(255)) is None
    assert coverage_of(SHAPE, flat(255), [], None) is not None


@given(st.integers(0, 99), st.integers(0, 3), st.booleans(), st.booleans())
def test_shares_are_never_more_than_the_mask_and_the_alpha_let_through(seed, regions, has_mask, has_alpha):
    mask, alpha = noise(seed) if has_mask else None, noise(seed + 1) if has_alpha else None
    coverage = coverage_of(SHAPE, mask, [noise(seed + 2 + k) for k in range(regions)], alpha)
    if coverage is None:
        assert not (has_mask or has_alpha or regions)
        return
    assert coverage.shares.shape == (1 + regions, *SHAPE)
    assert coverage.shares.min() >= 0
    expected = (flat(255) if mask is None else mask) / 255 * ((flat(255) if alpha is None else alpha) / 255)
    assert np.allclose(coverage.shares.sum(0), expected, atol=1e-6)


def test_what_no_region_covers_is_the_main_styles():
    coverage = coverage_of(SHAPE, None, [flat(51), flat(102)], None)
    assert np.allclose(coverage.shares[:, 0, 0], [0.4, 0.2, 0.4])


def test_regions_that_overlap_share_in_proportion():
    coverage = coverage_of(SHAPE, None, [flat(255), flat(85)], None)
    assert np.allclose(coverage.shares[:, 0, 0], [0, 0.75, 0.25])


def test_black_leaves_the_content_and_white_the_paint_to_the_pixel():
    mask = flat(0)
    mask[:, 3:5], mask[:, 5:] = 128, 255
    content, stylized = noise(1, *SHAPE, 3), noise(2, *SHAPE, 3)
    blended = coverage_of(SHAPE, mask, [], None).blended(content, stylized)
    assert np.array_equal(blended[:, :3], content[:, :3])
    assert np.array_equal(blended[:, 5:], stylized[:, 5:])
    middle = content[:, 3:5] + (stylized[:, 3:5].astype(float) - content[:, 3:5]) * 128 / 255
    assert np.abs(blended[:, 3:5] - middle).max() <= 0.5


def test_transparency_counts_less_but_is_painted_in_full():
    coverage = coverage_of(SHAPE, None, [], flat(51))
    content, stylized = noise(1, *SHAPE, 3), noise(2, *SHAPE, 3)
    assert np.array_equal(coverage.blended(content, stylized), stylized)
    assert np.allclose(coverage.amount, 0.2)
    assert coverage.holds_paint.all()
    half = flat(255)
    half[:, :4] = 0
    blended = coverage_of(SHAPE, None, [], half).blended(content, stylized)
    assert np.array_equal(blended, np.concatenate([content[:, :4], stylized[:, 4:]], 1))
    assert not coverage_of(SHAPE, None, [], flat(0)).is_stylized


@given(st.integers(0, 99), st.integers(1, 255))
def test_paint_can_be_had_back_from_what_it_was_blended_into(seed, level):
    content, stylized = noise(seed, *SHAPE, 3), noise(seed + 1, *SHAPE, 3)
    coverage = coverage_of(SHAPE, flat(level), [], None)
    back = coverage.paint_of(content, coverage.blended(content, stylized))
    if coverage.holds_paint.any():
        assert np.abs(back.astype(int) - stylized).max() <= 127.5 / level + 0.5
    else:
        assert level < 26
        assert np.array_equal(back, content)


def test_coverages_are_the_same_by_their_values():
    one, other = (coverage_of(SHAPE, noise(4), [noise(5)], None) for _ in range(2))
    assert are_same(None, None)
    assert are_same(one, other)
    assert not are_same(one, None)
    assert not are_same(one, coverage_of(SHAPE, noise(4), [noise(6)], None))
