"""Pyramid, style targets and objective, with the network that ships."""

import math

import numpy as np
import pytest
import torch
from beyond_border import continued_features
from hypothesis import given
from hypothesis import strategies as st
from objectives import NETWORK, noise

from vidstyle.method.features.compact import CompactFeatures
from vidstyle.method.losses import STYLE_LOSSES, gram_matrix, measured
from vidstyle.method.objective import (
    COARSEST_LONG_SIDE_PX,
    UNSETTLED_WEIGHT,
    Objective,
    TemporalTarget,
    content_weights,
    level_count,
    pyramid,
    style_targets,
    to_picture,
    to_tensor,
)
from vidstyle.settings import Settings
from vidstyle.weights.loading import load_network


def objective_of(content, style, **changes):
    settings = Settings(**changes).options
    targets = style_targets(NETWORK, style, content.shape[1], content.shape[0], settings)
    return Objective(NETWORK, settings, targets, to_tensor(content))


def test_to_picture_undoes_to_tensor():
    image = noise(5, 7)
    assert np.array_equal(to_picture(to_tensor(image)), image)


def test_to_picture_rounds_and_clips():
    tensor = torch.tensor([-1.0, 0.5, 254.6 / 255, 2.0]).repeat(1, 3, 1, 1)
    assert to_picture(tensor)[0, :, 0].tolist() == [0, 128, 255, 255]


@pytest.mark.parametrize(
    ("size", "levels"), [((640, 360), 3), ((512, 288), 3), ((320, 180), 2), ((160, 90), 1), ((1024, 768), 4)]
)
def test_level_count_grows_with_size(size, levels):
    assert level_count(*size, asked=0, smallest_side_px=4) == levels


@given(st.integers(16, 8192), st.integers(16, 8192))
def test_coarsest_level_is_near_its_size_and_never_too_small(width, height):
    levels = level_count(width, height, 0, 4)
    assert min(width, height) / 2 ** (levels - 1) >= 4
    assert max(width, height) / 2 ** (levels - 1) <= COARSEST_LONG_SIDE_PX or min(width, height) / 2**levels < 4


@pytest.mark.parametrize(
    ("long_side_px", "levels", "asked", "weights"),
    [
        (640, 3, 1, [0, 0, 1]),
        (700, 4, 1, [0, 0, 0, 1]),  # one level alone, whatever its size
        (640, 3, 2, [0, 1, 1]),  # 320 and 160 px
        (320, 2, 2, [1, 1]),
        (960, 4, 2, [0, math.log2(4 / 3), 1, 1 - math.log2(4 / 3)]),  # the coarsest has 120 px
        (256, 2, 2, [1, 1]),
        (320, 1, 2, [1]),
        (640, 3, 9, [1, 1, 1]),
    ],
)
def test_content_is_held_at_the_coarsest_levels(long_side_px, levels, asked, weights):
    assert content_weights(long_side_px, 100, levels, asked) == pytest.approx(weights)
    assert content_weights(100, long_side_px, levels, asked) == pytest.approx(weights)


@given(st.integers(161, 8000), st.integers(2, 4))
def test_content_is_held_alike_at_sizes_that_are_nearly_the_same(long_side_px, asked):
    held = []
    for side_px in (long_side_px, long_side_px + 1):
        levels = level_count(side_px, side_px, 0, 4)
        weights = content_weights(side_px, side_px, levels, asked)
        assert sum(weights) == pytest.approx(min(asked, levels))
        assert all(0 <= weight <= 2 for weight in weights)
        if levels > asked or asked == 2:
            # By the level's size, which is nearly the same in both, though there be a level more.
            held.append([*weights, *[0.0] * (16 - levels)])
    assert len(held) < 2 or held[0] == pytest.approx(held[1], abs=0.02)


def test_pyramid_halves_and_keeps_an_odd_edge():
    image = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 3, 3, 5)
    shapes = [tuple(level.shape[2:]) for level in pyramid(image, 3)]
    assert shapes == [(3, 5), (2, 3), (1, 2)]
    assert pyramid(image, 2)[1][0, 0, 0].tolist() == [0.5, 2.5, 4.0]


def test_a_smooth_pyramid_does_not_take_a_fine_grid_for_a_coarse_one():
    columns = torch.arange(64)
    grid = (0.5 + 0.5 * torch.cos(2 * np.pi * 0.4 * columns)).expand(1, 3, 64, 64)
    plain, smooth = (pyramid(grid, 2, is_smooth)[1][..., 4:-4, 4:-4].std() for is_smooth in (False, True))
    assert smooth < plain / 5


def test_a_smooth_pyramid_is_as_large_as_the_other_and_keeps_what_is_flat():
    for size in ((1, 1), (5, 7), (6, 8)):
        levels = pyramid(torch.full((1, 3, *size), 0.25), 3, True)
        assert [level.shape for level in levels] == [level.shape for level in pyramid(torch.zeros(1, 3, *size), 3)]
        assert all(bool((level == 0.25).all()) for level in levels)


def test_the_style_itself_has_no_style_loss_and_the_content_no_content_loss():
    image = noise(64, 96)
    assert float(objective_of(image, image, tv_weight=0)(to_tensor(image))) == pytest.approx(0, abs=1e-6)


def test_style_of_another_size_is_fitted_to_the_frames_area():
    style = np.kron(noise(16, 24), np.ones((8, 8, 1), np.uint8))
    targets = style_targets(NETWORK, style, 96, 64, Settings().options)
    small = style_targets(NETWORK, style[::2, ::2], 96, 64, Settings().options)
    for a, b in zip(targets.grams, small.grams, strict=True):
        for layer in a:
            gap = (a[layer] - b[layer]).square().sum() / a[layer].square().sum()
            assert float(gap) < 0.05


def test_a_strip_of_a_style_still_has_targets():
    targets = style_targets(NETWORK, noise(16, 2000), 640, 360, Settings().options)
    assert len(targets.grams) == 3
    assert all(bool(torch.isfinite(gram).all()) for level in targets.grams for gram in level.values())


@pytest.mark.parametrize("weight", ["content_weight", "style_weight", "tv_weight"])
def test_each_weight_multiplies_its_own_term(weight):
    content, style = noise(32, 48, 1), noise(40, 40, 2)
    others = {"content_weight": 0.0, "style_weight": 0.0, "tv_weight": 0.0}
    start = to_tensor(noise(32, 48, 3))
    once = float(objective_of(content, style, **others | {weight: 1.0})(start))
    thrice = float(objective_of(content, style, **others | {weight: 3.0})(start))
    assert once > 0
    assert thrice == pytest.approx(3 * once, rel=1e-5)


def test_gradient_of_the_objective_agrees_with_differences():
    network = load_network("compact", CompactFeatures.layer_names).placed(torch.device("cpu"), torch.float64)
    settings = Settings(levels=2, tv_weight=1.0).options
    content, style = noise(24, 32, 1), noise(24, 32, 2)
    targets = style_targets(network, style, 32, 24, settings)
    objective = Objective(network, settings, targets, to_tensor(content))
    image = to_tensor(noise(24, 32, 3)).double().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(image), image)
    direction = torch.randn(image.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step = 1e-8  # nearer than the next kink of a rectifier
    with torch.no_grad():
        difference = (objective(image + step * direction) - objective(image - step * direction)) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(float(difference), rel=1e-6)


def test_the_temporal_loss_is_part_of_the_objective_by_its_weight():
    content, style = noise(32, 48), noise(40, 40, 1)
    settings = Settings(temporal_weight=70).options
    targets = style_targets(NETWORK, style, 48, 32, settings)
    picture, confidence = to_tensor(noise(32, 48, 2)), torch.rand(1, 1, 32, 48)
    held = Objective(NETWORK, settings, targets, to_tensor(content), TemporalTarget(picture, confidence))
    free = objective_of(content, style)
    image = to_tensor(noise(32, 48, 3))
    expected = 70 * float((confidence * (image - picture) ** 2).mean())
    assert float(held(image) - free(image)) == pytest.approx(expected, rel=1e-4)
    assert float(held(picture)) == pytest.approx(float(free(picture)), rel=1e-6)


def test_every_level_that_holds_content_adds_its_weighted_loss():
    content, style, image = noise(64, 400), noise(80, 80, 1), to_tensor(noise(64, 400, 3))
    alone = {"content_weight": 1, "style_weight": 0, "tv_weight": 0}
    # One level held is the coarsest: of 400, 200 and 100 px.
    losses = [float(objective_of(content, style, levels=n, content_levels=1, **alone)(image)) for n in (1, 2, 3)]
    weights = content_weights(400, 64, 3, 2)
    assert min(losses) > 0.1
    assert weights == pytest.approx([0.678, 1, 0.322], abs=1e-3)
    both = float(objective_of(content, style, levels=3, content_levels=2, **alone)(image))
    assert both == pytest.approx(np.dot(weights, losses), rel=1e-5)


@pytest.mark.parametrize("name", STYLE_LOSSES)
@pytest.mark.parametrize("width", [96, 280])
def test_new_places_have_a_style_loss_of_their_own(name, width):
    content, style, loss = noise(64, width), noise(80, 80, 1), STYLE_LOSSES[name]
    settings = Settings(temporal_weight=0, levels=1, style_layers=("relu1_1",), style_loss=name).options
    targets = style_targets(NETWORK, style, width, 64, settings)
    unsettled = torch.zeros(1, 1, 64, width)
    unsettled[..., width - 26 :] = 1
    image = to_tensor(noise(64, width, 3))
    reference = TemporalTarget(torch.zeros(1, 3, 64, width), torch.zeros(1, 1, 64, width), unsettled)
    free = Objective(NETWORK, settings, targets, to_tensor(content))
    held = Objective(NETWORK, settings, targets, to_tensor(content), reference)
    features = continued_features(NETWORK, image, "relu1_1")
    gram = measured(gram_matrix(features[..., width - 26 :], loss.has_means), NETWORK.metrics().get("relu1_1"))
    own = float(loss.distance(gram, targets.grams[0]["relu1_1"], width)[0])
    expected = settings.style_weight * UNSETTLED_WEIGHT * 26 / width * own
    assert expected > 0.03
    assert float(held(image) - free(image)) == pytest.approx(expected, rel=1e-3)


def test_a_few_new_pixels_have_no_statistics_of_their_own():
    content, style = noise(32, 48), noise(40, 40, 1)
    settings = Settings(temporal_weight=0).options
    unsettled = torch.zeros(1, 1, 32, 48)
    unsettled[..., :7, :8] = 1
    image = to_tensor(noise(32, 48, 3))
    targets = style_targets(NETWORK, style, 48, 32, settings)
    reference = TemporalTarget(torch.zeros(1, 3, 32, 48), torch.zeros(1, 1, 32, 48), unsettled)
    held = Objective(NETWORK, settings, targets, to_tensor(content), reference)
    assert float(held(image)) == float(objective_of(content, style)(image))
