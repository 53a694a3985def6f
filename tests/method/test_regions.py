"""Regions see their own part of the frame and nothing else."""

import numpy as np
import pytest
import torch
from beyond_border import continued_features
from objectives import NETWORK, noise

from vidstyle.looks.styles import Style
from vidstyle.method.coverage import coverage_of
from vidstyle.method.look import Look
from vidstyle.method.losses import STYLE_LOSSES, gram_matrix, measured
from vidstyle.method.objective import Objective, TemporalTarget, to_tensor
from vidstyle.method.regions import UNSETTLED_WEIGHT
from vidstyle.method.targets import FrameTargets, StyleTargetCache
from vidstyle.settings import Settings

HEIGHT, WIDTH = 64, 96
LOOK = Look(1.0, (1.0,), 1.0)


def left(columns, level=255):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, :columns] = level
    return mask


def objective_of(mask=None, regions=(), styles=(1,), reference=None, memory_bytes=float("inf"), **changes):
    """Returns an objective for content 0, and its styles."""
    settings = Settings(**{"levels": 1} | changes).options
    by_size = [StyleTargetCache(NETWORK, [Style("", (noise(80, 80, style),))], settings) for style in styles]
    coverage = coverage_of((HEIGHT, WIDTH), mask, list(regions), None)
    unsettled = None if reference is None else reference.unsettled
    content = noise(HEIGHT, WIDTH)
    look = Look(settings.strength, (1.0,), settings.content_weight)
    frame_targets = FrameTargets(by_size[0], look, content, coverage, by_size[1:])
    given, target = (
        frame_targets.regions(WIDTH, HEIGHT, unsettled=unsettled),
        frame_targets.style_targets(WIDTH, HEIGHT),
    )
    objective = Objective(NETWORK, settings, target, to_tensor(content), reference, memory_bytes, given)
    return objective, by_size


def style_loss(image, columns, style, layer="relu1_1"):
    """Returns the style loss of some columns alone."""
    features = continued_features(NETWORK, image, layer)[..., columns]
    loss = STYLE_LOSSES[style.options.style_loss]
    gram = measured(gram_matrix(features, loss.has_means), NETWORK.metrics().get(layer))
    return float(loss.distance(gram, style.at(WIDTH, HEIGHT, levels=1).grams[0][layer], WIDTH)[0])


ONLY_STYLE = {"content_weight": 0, "tv_weight": 0, "style_weight": 1, "style_layers": ("relu1_1",)}


def test_all_white_is_the_same_as_no_mask():
    image = to_tensor(noise(HEIGHT, WIDTH, 3))
    plain, masked = objective_of(levels=2)[0], objective_of(mask=left(WIDTH), levels=2)[0]
    assert float(masked(image)) == pytest.approx(float(plain(image)), rel=1e-4)


@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_the_style_is_measured_in_the_mask_only_and_counts_by_its_share(loss):
    # The content is put where nothing is painted, so the picture is content there.
    objective, (style,) = objective_of(mask=left(72), style_loss=loss, **ONLY_STYLE)
    image = to_tensor(noise(HEIGHT, WIDTH, 3))
    seen = objective.pinned(image)
    assert torch.equal(seen[..., 72:], to_tensor(noise(HEIGHT, WIDTH))[..., 72:])
    assert torch.equal(seen[..., :72], image[..., :72])
    assert float(objective(image)) == pytest.approx(0.75 * style_loss(seen, slice(0, 72), style), rel=1e-4)


def test_gray_changes_how_much_all_terms_count_and_nothing_else():
    image = to_tensor(noise(HEIGHT, WIDTH, 3))
    white, gray = objective_of(mask=left(WIDTH))[0], objective_of(mask=left(WIDTH, 51))[0]
    assert float(gray(image)) == pytest.approx(0.2 * float(white(image)), rel=1e-4)


def test_no_gradient_leads_to_what_is_not_painted():
    objective, _ = objective_of(mask=left(40), levels=2)
    image = to_tensor(noise(HEIGHT, WIDTH, 3)).requires_grad_()
    (gradient,) = torch.autograd.grad(objective(image), image)
    assert not gradient[..., 40:].any()
    assert bool((gradient[..., :40] != 0).any(0).any(0).all())


@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_each_region_has_the_style_that_it_was_given(loss):
    objective, (main, other) = objective_of(regions=[left(32)], styles=(1, 2), style_loss=loss, **ONLY_STYLE)
    image = to_tensor(noise(HEIGHT, WIDTH, 3))
    expected = style_loss(image, slice(0, 32), other) / 3 + style_loss(image, slice(32, 96), main) * 2 / 3
    assert float(objective(image)) == pytest.approx(expected, rel=1e-4)


def test_a_region_of_the_style_itself_has_no_style_loss():
    settings = Settings(levels=1, **ONLY_STYLE).options
    style = StyleTargetCache(NETWORK, [Style("", (noise(HEIGHT, WIDTH),))], settings)
    coverage = coverage_of((HEIGHT, WIDTH), None, [left(WIDTH)], None)
    main = StyleTargetCache(NETWORK, [Style("", (noise(HEIGHT, WIDTH, 1),))], settings)
    regions = FrameTargets(main, LOOK, noise(HEIGHT, WIDTH), coverage, [style]).regions(WIDTH, HEIGHT, 1)
    content = to_tensor(noise(HEIGHT, WIDTH))
    objective = Objective(NETWORK, settings, style.at(WIDTH, HEIGHT), content, regions=regions)
    assert float(objective(content)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("strength", [0.5, 1])
def test_a_region_of_the_whole_frame_is_the_same_as_none(style_loss, strength):
    # At 280 px covariances count twice as much as at 160 px.
    height, width = 64, 280
    settings = Settings(levels=2, style_loss=style_loss, strength=strength).options
    style, content = StyleTargetCache(NETWORK, [Style("", (noise(80, 80, 1),))], settings), noise(height, width)
    white = coverage_of((height, width), np.full((height, width), 255, np.uint8))
    look, image = Look(strength, (1.0,), 1.0), to_tensor(noise(height, width, 3))
    masked, plain = (
        float(FrameTargets(style, look, content, coverage).objective(width, height)(image))
        for coverage in (white, None)
    )
    assert masked == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("memory_bytes", [float("inf"), 3e6])
def test_without_strength_each_region_aims_at_its_own_content(memory_bytes):
    masks = {"mask": left(70), "regions": [left(40)], "styles": (1, 2), "levels": 2, "tv_weight": 0}
    losses = []
    for strength in (0, 0.5, 1):
        objective, _ = objective_of(**masks, strength=strength, memory_bytes=memory_bytes)
        losses.append(float(objective(to_tensor(noise(HEIGHT, WIDTH)))))
    assert losses[0] == pytest.approx(0, abs=1e-6)
    assert losses[0] < losses[1] < losses[2]


def test_tiles_see_what_the_whole_frame_does():
    image = to_tensor(noise(HEIGHT, WIDTH, 3)).requires_grad_()
    masks = {"mask": left(70), "regions": [left(40, 200)], "styles": (1, 2)}
    whole, tiled = objective_of(**masks)[0], objective_of(**masks, memory_bytes=3e6)[0]
    assert len(tiled._tiles[0]) > 1
    values, gradients = [], []
    for objective in (whole, tiled):
        total = objective(image)
        values.append(float(total.detach()))
        gradients.append(torch.autograd.grad(total, image)[0])
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-7)


def test_new_places_of_a_region_answer_to_its_style():
    unsettled = torch.zeros(1, 1, HEIGHT, WIDTH)
    unsettled[..., 20:40] = 1
    reference = TemporalTarget(torch.zeros(1, 3, HEIGHT, WIDTH), torch.zeros(1, 1, HEIGHT, WIDTH), unsettled)
    masks = {"regions": [left(32)], "styles": (1, 2)} | ONLY_STYLE
    image = to_tensor(noise(HEIGHT, WIDTH, 3))
    new, (main, other) = objective_of(**masks, reference=reference)
    own = style_loss(image, slice(20, 32), other) * 12 / 96 + style_loss(image, slice(32, 40), main) * 8 / 96
    assert float(new(image) - objective_of(**masks)[0](image)) == pytest.approx(UNSETTLED_WEIGHT * own, rel=1e-3)
