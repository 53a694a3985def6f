"""The terms of the objective against values worked out by hand, and their gradients against differences."""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from vidstyle.method.losses import (
    MEANS_WEIGHT,
    content_scale,
    gatys_content_loss,
    gatys_style_loss,
    gram_matrices,
    gram_matrix,
    measured,
    mixture,
    relative_content_loss,
    relative_moments_loss,
    relative_style_loss,
    temporal_loss,
    total_variation,
    weighted_grams,
)


def features_of(*channels):
    return torch.tensor(channels, dtype=torch.float32)[None]


def test_gram_matrix_is_the_mean_product_of_channels():
    features = features_of([[1.0, 2.0]], [[3.0, -1.0]])
    expected = torch.tensor([[[2.5, 0.5], [0.5, 5.0]]])
    torch.testing.assert_close(gram_matrix(features), expected, rtol=0, atol=0)


def test_gram_matrix_does_not_depend_on_size_for_a_repeated_pattern():
    features = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(gram_matrix(features.repeat(1, 1, 3, 2)), gram_matrix(features))


def test_gram_matrix_does_not_overflow_in_float16():
    features = torch.full((1, 2, 64, 64), 200.0, dtype=torch.float16)
    assert gram_matrix(features).flatten().tolist() == [40_000.0] * 4


@pytest.mark.parametrize("positions", [(1, 1), (3, 5), (4, 4), (7, 37)])
def test_gram_matrix_is_the_plain_product_for_any_number_of_positions(positions):
    features = torch.rand(2, 3, *positions, dtype=torch.float64)
    flat = features.flatten(2)
    torch.testing.assert_close(gram_matrix(features), flat @ flat.transpose(1, 2) / flat.shape[2])


def test_gram_matrix_and_its_gradient_can_be_differentiated():
    features = torch.rand(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda f: gram_matrix(f)[:, 0], (features,))  # of a matrix that is not symmetric
    assert gradgradcheck(gram_matrix, (features,))


@pytest.mark.parametrize("positions", [(1, 1), (3, 5), (7, 37)])
def test_means_stand_below_the_gram_matrix(positions):
    features = torch.rand(2, 3, *positions, dtype=torch.float64)
    moments = gram_matrix(features, has_means=True)
    assert torch.equal(moments[:, :-1], gram_matrix(features))
    torch.testing.assert_close(moments[:, -1], features.mean((2, 3)))


def test_gram_matrices_with_means_and_their_gradient_can_be_differentiated():
    features = torch.rand(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    places = torch.tensor([0, 3, 17])
    groups = [(torch.arange(20), torch.rand(20, dtype=torch.float64)), (places, torch.tensor([0.5, 0.5, 0.2]).double())]
    for moments in (
        lambda f: gram_matrix(f, has_means=True),
        lambda f: gram_matrices(f, places, has_means=True),
        lambda f: weighted_grams(f, groups, has_means=True),
    ):
        assert gradcheck(lambda f, of=moments: of(f)[:, 0], features)  # of a matrix that is not symmetric
        assert gradcheck(lambda f, of=moments: of(f)[:, -1], features)
        assert gradgradcheck(moments, features)


def test_means_of_some_positions_and_of_groups_are_theirs():
    features, places = torch.rand(1, 3, 4, 5), torch.tensor([0, 3, 17])
    weights = torch.tensor([0.5, 0.25, 1.0])
    rows = features[0].flatten(1).T[places]
    whole, part = gram_matrices(features, places, has_means=True)
    torch.testing.assert_close(whole[-1], features.mean((0, 2, 3)))
    torch.testing.assert_close(part[-1], rows.mean(0))
    (group,) = weighted_grams(features, [(places, weights)], has_means=True)
    torch.testing.assert_close(group[-1], weights @ rows)


def test_gradient_of_a_gram_matrix_is_rounded_as_it_always_was():
    # Renders with --style-loss gram are the same to the byte as those of version 0.3.
    generator = torch.Generator().manual_seed(3)
    features = (
        torch.rand(1, 3, 5, 7, generator=generator).contiguous(memory_format=torch.channels_last).requires_grad_()
    )
    down = torch.rand(1, 3, 3, generator=generator)  # not symmetric
    (gradient,) = torch.autograd.grad(gram_matrix(features), features, down)
    rows = features.detach().permute(0, 2, 3, 1).reshape(1, 35, 3)
    expected = rows @ ((down + down.transpose(1, 2)) / 35)
    assert torch.equal(gradient.permute(0, 2, 3, 1).reshape(1, 35, 3), expected)


def test_the_gram_matrix_of_some_positions_is_that_of_their_features():
    features = torch.rand(1, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    places = torch.tensor([0, 3, 17, 34])
    whole, part = gram_matrices(features, places)
    assert torch.equal(whole, gram_matrix(features)[0])
    rows = features[0].flatten(1)[:, places]
    assert torch.allclose(part, rows @ rows.T / 4, atol=1e-12)
    features.requires_grad_()
    assert gradcheck(lambda f: gram_matrices(f, places), features)
    assert gradgradcheck(lambda f: gram_matrices(f, places), features)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_gradient_of_a_gram_matrix_lies_in_memory_as_its_features_do(precision):
    features = torch.rand(1, 8, 6, 10).to(precision, memory_format=torch.channels_last).requires_grad_()
    (gradient,) = torch.autograd.grad(gram_matrix(features).square().sum(), features)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert (gradient.dtype, gradient.shape) == (precision, features.shape)


def test_gram_matrix_of_bfloat16_is_nearly_that_of_its_values():
    features = torch.rand(1, 8, 120, 160, generator=torch.Generator().manual_seed(0)).bfloat16()
    wanted, gram = gram_matrix(features.double()), gram_matrix(features)
    assert gram.dtype == torch.float32
    # One product over all positions errs by 1.7e-3 and more: it is rounded to 8 bits.
    assert float((gram - wanted).norm() / wanted.norm()) < 1e-3


def test_relative_style_loss_is_the_share_of_the_targets_norm():
    target = torch.tensor([[[3.0, 0.0], [0.0, 4.0]]])
    assert relative_style_loss(target * 1.5, target).item() == pytest.approx(0.25)
    assert relative_style_loss(target, target).item() == 0


def test_relative_style_loss_of_a_black_target_is_finite():
    assert math.isfinite(relative_style_loss(torch.full((1, 2, 2), 100.0), torch.zeros(1, 2, 2)).item())


def test_measured_gram_is_the_gram_of_mapped_features():
    metric, features = torch.rand(3, 3), torch.rand(1, 3, 4, 6)
    mapped = torch.einsum("ij,bjhw->bihw", metric, features)
    torch.testing.assert_close(measured(gram_matrix(features), metric), gram_matrix(mapped))


def test_relative_moments_loss_is_that_of_means_and_covariances():
    first, second = (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(k)) for k in range(2))
    (mean, other), (covariance, wanted) = zip(
        *((f.mean((0, 2, 3)), torch.cov(f[0].flatten(1), correction=0)) for f in (first, second)), strict=True
    )
    expected = MEANS_WEIGHT * (mean - other).square().sum() / other.square().sum()
    of_covariance = (covariance - wanted).square().sum() / wanted.square().sum()
    moments, target = gram_matrix(first, has_means=True), gram_matrix(second, has_means=True)
    for long_side_px, weight in ((80, 0.1), (160, 0.1), (226.274, 0.2), (320, 0.3), (1920, 0.3)):
        found = relative_moments_loss(moments, target, long_side_px).item()
        assert found == pytest.approx(float(expected + weight * of_covariance), rel=1e-3)
    assert relative_moments_loss(target, target, 320).item() == 0


def test_mixture_of_moments_has_the_mean_of_the_covariances():
    first, second = (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(k)) for k in range(2))
    shares = [(0.25, gram_matrix(first, has_means=True)), (0.75, gram_matrix(second, has_means=True))]
    mixed, means = mixture(shares)[0], 0.25 * first.mean((0, 2, 3)) + 0.75 * second.mean((0, 2, 3))
    covariances = [torch.cov(f[0].flatten(1), correction=0) for f in (first, second)]
    torch.testing.assert_close(mixed[3], means)
    torch.testing.assert_close(
        mixed[:3] - torch.outer(means, means), 0.25 * covariances[0] + 0.75 * covariances[1], rtol=1e-3, atol=1e-6
    )


def test_mixture_of_gram_matrices_is_their_mean():
    first, second = (gram_matrix(torch.rand(1, 3, 8, 8)) for _ in range(2))
    torch.testing.assert_close(mixture([(0.25, first), (0.75, second)]), 0.25 * first + 0.75 * second)


def test_relative_moments_loss_of_a_style_without_any_contrast_is_small():
    # A blank style has no covariances at all to be relative to.
    blank = gram_matrix(torch.full((1, 3, 8, 8), 0.5), has_means=True)
    grain = gram_matrix(
        torch.full((1, 3, 8, 8), 0.5) + torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.01,
        has_means=True,
    )
    assert relative_moments_loss(grain, blank, 320).item() < 0.01
    black = gram_matrix(torch.zeros(1, 3, 8, 8), has_means=True)
    assert math.isfinite(relative_moments_loss(grain, black, 320).item())


def test_means_under_a_metric_are_those_of_mapped_features():
    features, metric = torch.rand(1, 3, 4, 4), torch.rand(3, 3)
    mapped = torch.einsum("ij,bjhw->bihw", metric, features)
    moments = measured(gram_matrix(features, has_means=True), metric)
    torch.testing.assert_close(moments, gram_matrix(mapped, has_means=True))


def test_relative_content_loss_of_a_flat_picture_is_one():
    target = features_of([[1.0, 2.0], [3.0, 6.0]])
    flat = torch.full_like(target, target.mean().item())
    variance = content_scale(target)
    assert relative_content_loss(flat, target, variance).item() == pytest.approx(3 / 4)  # 1 but for n - 1 in var()


def test_content_scale_of_a_blank_picture_is_not_zero():
    assert content_scale(torch.ones(1, 2, 3, 3)) == 1e-8


def test_total_variation_counts_squared_differences_both_ways():
    image = torch.zeros(1, 3, 2, 2)
    image[..., 0, 0] = 1
    assert total_variation(image).item() == pytest.approx(0.5 + 0.5)


def test_total_variation_of_one_column_counts_only_downwards():
    assert total_variation(torch.tensor([[[[0.0], [2.0]]]])).item() == pytest.approx(4.0)


def test_gatys_content_loss_is_equation_1():
    assert gatys_content_loss(features_of([[1.0, 2.0]]), features_of([[0.0, 4.0]])).item() == pytest.approx(2.5)


def test_gatys_style_loss_is_equations_3_and_4():
    features, target = features_of([[1.0, 2.0]], [[0.0, 1.0]]), features_of([[0.0, 0.0]], [[0.0, 1.0]])
    # G = [[5, 2], [2, 1]], A = [[0, 0], [0, 1]], N = 2, M = 2: (25 + 4 + 4) / (4 * 4 * 4)
    assert gatys_style_loss(features, target).item() == pytest.approx(33 / 64)


def test_gatys_style_loss_is_the_relative_one_in_other_units():
    features, target = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)
    gram_target = gram_matrix(target)
    relative = relative_style_loss(gram_matrix(features), gram_target).item()
    units = float(gram_target.square().sum()) / (4 * 3**2)  # M^2 of G = F F^T is in gram_matrix's mean
    assert gatys_style_loss(features, target).item() == pytest.approx(relative * units, rel=1e-5)


def test_gatys_losses_of_a_hand_worked_layer_are_exact_in_float64():
    features = torch.tensor([[[[1.5, -2.0], [0.25, 3.0]], [[0.5, 1.0], [-1.0, 2.0]]]], dtype=torch.float64)
    target = torch.tensor([[[[1.0, 0.0], [0.25, -1.0]], [[2.0, 1.0], [0.0, 0.5]]]], dtype=torch.float64)
    # F - P = 0.5, -2, 0, 4 and -1.5, 0, -1, 1.5: squares 0.25 + 4 + 16 and 2.25 + 1 + 2.25, half of 25.75.
    assert float(gatys_content_loss(features, target)) == pytest.approx(12.875, abs=1e-6)
    # G = [[2.25 + 4 + 0.0625 + 9, 0.75 - 2 - 0.25 + 6], [., 0.25 + 1 + 1 + 4]] = [[15.3125, 4.5], [4.5, 6.25]]
    # A = [[1 + 0.0625 + 1, 2 - 0.5], [., 4 + 1 + 0.25]] = [[2.0625, 1.5], [1.5, 5.25]]
    # G - A = [[13.25, 3], [3, 1]]; N = 2, M = 4: (175.5625 + 9 + 9 + 1) / (4 * 4 * 16)
    assert float(gatys_style_loss(features, target)) == pytest.approx(194.5625 / 256, abs=1e-6)


def test_gatys_gradients_are_those_of_the_papers_equations():
    generator = torch.Generator().manual_seed(3)
    features, target = (torch.rand(1, 2, 3, 4, dtype=torch.float64, generator=generator) for _ in range(2))
    features.requires_grad_()
    (content,) = torch.autograd.grad(gatys_content_loss(features, target), features)
    torch.testing.assert_close(content, (features - target).detach(), rtol=0, atol=1e-6)  # equation 2
    (style,) = torch.autograd.grad(gatys_style_loss(features, target), features)
    flat, flat_target = features.detach().flatten(2)[0], target.flatten(2)[0]
    gap = flat @ flat.T - flat_target @ flat_target.T
    expected = gap.T @ flat / (2**2 * 12**2)  # equation 6
    torch.testing.assert_close(style.flatten(2)[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        lambda f: relative_style_loss(gram_matrix(f).double(), torch.eye(2, dtype=torch.float64)[None]).sum(),
        lambda f: relative_moments_loss(gram_matrix(f, has_means=True), torch.eye(3, 2).double()[None], 320).sum(),
        lambda f: total_variation(f),
        lambda f: relative_content_loss(f, torch.ones_like(f), 0.3),
        lambda f: gatys_content_loss(f, torch.ones_like(f)),
        lambda f: gatys_style_loss(f, torch.ones_like(f)),
    ],
)
def test_gradients_agree_with_differences(loss):
    features = torch.rand(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(loss, (features,), eps=1e-6, atol=1e-6, rtol=1e-6)


def test_temporal_loss_is_the_mean_of_weighted_squares_over_all_pixels():
    image, reference = torch.full((1, 3, 1, 4), 0.5), torch.tensor([0.5, 0.3, 0.1, 0.9]).expand(1, 3, 1, 4)
    confidence = torch.tensor([[[[1.0, 1.0, 0.5, 0.0]]]])
    # (0 + 0.04 + 0.5 * 0.16 + 0) / 4
    assert temporal_loss(image, reference, confidence).item() == pytest.approx(0.03)
    assert temporal_loss(image, image, confidence).item() == 0


def test_temporal_loss_pulls_the_picture_and_only_where_it_is_sure():
    generator = torch.Generator().manual_seed(0)
    image, reference = (torch.rand(1, 3, 4, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    confidence = torch.rand(1, 1, 4, 5, generator=generator, dtype=torch.float64)
    confidence[..., 2] = 0
    image.requires_grad_()
    assert gradcheck(lambda x: temporal_loss(x, reference, confidence), image)
    (gradient,) = torch.autograd.grad(3 * temporal_loss(image, reference, confidence), image)
    torch.testing.assert_close(gradient, 3 * 2 * confidence * (image - reference).detach() / image.numel())
    assert not gradient[..., 2].any()
    assert bool((gradient[..., :2] != 0).all())


def test_weighted_grams_are_those_of_rows_times_the_weights_roots():
    features = torch.rand(1, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    groups = [
        (torch.arange(35), torch.rand(35, dtype=torch.float64)),
        (torch.tensor([1, 30]), torch.tensor([0.5, 0.5])),
    ]
    rows = features[0].flatten(1).T
    for gram, (places, weights) in zip(weighted_grams(features, groups), groups, strict=True):
        scaled = rows[places] * weights.double().sqrt()[:, None]
        torch.testing.assert_close(gram, scaled.T @ scaled)
    features.requires_grad_()
    assert gradcheck(lambda f: weighted_grams(f, groups)[:, 0], features)  # of matrices that are not symmetric
    assert gradgradcheck(lambda f: weighted_grams(f, groups), features)


def test_weighted_grams_with_equal_weights_are_the_gram_matrix():
    features = torch.rand(1, 4, 6, 7)
    (gram,) = weighted_grams(features, [(torch.arange(42), torch.full((42,), 1 / 42))])
    torch.testing.assert_close(gram, gram_matrix(features)[0])


def test_weighted_grams_of_a_tile_without_positions_are_zero():
    empty = torch.zeros(0, dtype=torch.int64), torch.zeros(0)
    assert not weighted_grams(torch.rand(1, 3, 4, 4), [empty]).any()


def test_weighted_content_loss_and_scale_count_a_position_by_its_weight():
    target, weights = torch.rand(1, 2, 3, 4), torch.zeros(3, 4)
    weights[:, :2] = 1
    assert content_scale(target, weights) == pytest.approx(float(target[..., :2].var(correction=0)), rel=1e-5)
    other = target + 2 * (1 - weights)
    assert relative_content_loss(other, target, 1.0, weights).item() == 0
    assert relative_content_loss(target + 1, target, 1.0, weights).item() == pytest.approx(0.5)


def test_weighted_total_variation_counts_a_pair_by_the_mean_of_its_weights():
    image = torch.tensor([[[[0.0, 1.0, 3.0]]]], dtype=torch.float64)
    weights = torch.tensor([[[[0.0, 1.0, 1.0]]]], dtype=torch.float64)
    assert total_variation(image, weights).item() == pytest.approx((0.5 * 1 + 1 * 4) / 2)
    picture = torch.rand(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert total_variation(picture, torch.ones(1, 1, 4, 5).double()).item() == pytest.approx(
        total_variation(picture).item()
    )
    uneven = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    assert gradcheck(lambda x: total_variation(x, uneven), picture)
