"""Tiles: geometry, and sums that equal those over the whole picture."""

import math

import pytest
import torch
from beyond_border import continued_features
from hypothesis import given
from hypothesis import strategies as st
from objectives import noise

from vidstyle.method.features.compact import CompactFeatures
from vidstyle.method.features.vgg19 import Vgg19Features
from vidstyle.method.objective import Objective, TemporalTarget, style_targets, to_tensor
from vidstyle.method.tiling import bytes_per_px, continued, own_features, summed_over_tiles, tiles_by_picture, tiles_of
from vidstyle.settings import Settings
from vidstyle.weights.loading import load_network

LAYERS = CompactFeatures.layer_names
NETWORK = load_network("compact", LAYERS).placed(torch.device("cpu"), torch.float64)
CPU = torch.device("cpu")


@given(
    st.integers(16, 300),
    st.integers(16, 300),
    st.sampled_from([4, 8, 16]),
    st.integers(1, 60),
    st.integers(3000, 10**5),
)
def test_tiles_cover_each_position_of_each_layer_once(width, height, stride_px, border_px, most_px):
    tiles = tiles_of(width, height, stride_px, border_px, most_px)
    whole = continued(torch.zeros(1, 1, height, width), border_px)
    for stride in (1, 2, 4, 8, 16):
        if stride > stride_px:
            continue
        seen = torch.zeros(height // stride, width // stride, dtype=torch.int32)
        for tile in tiles:
            part = tile.part(seen, stride)
            part += 1
            size = (tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start)
            assert tile.of(whole).shape[2:] == tuple(side + 2 * border_px for side in size)
            features = torch.zeros(1, 1, *(side // stride + 2 * 3 for side in size))
            assert tile.own(features, stride).shape[2:] == part.shape
        assert bool((seen == 1).all())


@given(st.integers(100, 3000), st.integers(100, 3000), st.integers(20_000, 10**6))
def test_tiles_have_no_more_pixels_with_their_border_than_allowed(width, height, most_px):
    tiles = tiles_of(width, height, 4, 22, most_px)
    if width * height <= most_px:
        assert len(tiles) == 1
    for tile in tiles if len(tiles) > 1 else ():
        assert tile.rows.start % 4 == tile.columns.start % 4 == 0
        pixels = (tile.rows.stop - tile.rows.start + 44) * (tile.columns.stop - tile.columns.start + 44)
        # A last piece too small to stand alone lies with the one before it.
        assert pixels <= max(most_px, (4 * 24 + 8) ** 2) * 1.1


@pytest.mark.parametrize(("width", "height"), [(97, 64), (40, 30), (9, 300)])
def test_a_pictures_border_looks_no_different(width, height):
    picture = torch.full((1, 3, height, width), 0.6, dtype=torch.float64)
    (tiles,) = tiles_by_picture(NETWORK, LAYERS, [picture], math.inf)
    found = {}
    summed_over_tiles(picture, tiles, lambda *seen: found.update(own_features(NETWORK, *seen, LAYERS)) or [])
    for layer, features in found.items():
        assert features.shape[2:] == NETWORK.layer_size(layer, picture)
        # Padded with zeros, they are off by their own norm.
        assert (features - features[..., :1, :1]).abs().max() < 1e-9


@pytest.mark.parametrize("layer", ["relu1_2", "relu2_1", "relu3_4", "relu4_1"])
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_own_positions_are_those_of_a_far_larger_picture(layer, pooling):
    torch.manual_seed(0)
    network = Vgg19Features("relu4_1", pooling).to(torch.float64)
    picture = torch.rand(1, 3, 45, 58, dtype=torch.float64)
    (tiles,) = tiles_by_picture(network, ["relu4_1", layer], [picture], math.inf)
    found = {}
    layers = {"relu4_1", layer}
    summed_over_tiles(picture, tiles, lambda *seen: found.update(own_features(network, *seen, layers)) or [])
    far_px, stride_px = 40, network.stride_px(layer)
    around, (height, width) = far_px // stride_px, network.layer_size(layer, picture)
    whole = network(continued(picture, far_px), [layer])[layer]
    torch.testing.assert_close(found[layer], whole[..., around : around + height, around : around + width])


@pytest.mark.parametrize(("height", "width"), [(5, 9), (1, 7)])
def test_a_small_picture_is_continued_more_than_once(height, width):
    picture = torch.rand(1, 3, height, width)
    wide = continued(picture, 22)
    assert wide.shape[2:] == (height + 44, width + 44)
    assert torch.equal(wide[..., 22:-22, 22:-22], picture)


def test_own_positions_have_the_gradient_of_a_plain_crop():
    features = torch.rand(2, 3, 7, 8, dtype=torch.float64, requires_grad=True)
    (tile,) = tiles_of(6, 5, 1, 3, math.inf)
    assert torch.equal(tile.own(features, 1), features[..., 1:6, 1:7])
    assert torch.autograd.gradcheck(lambda values: tile.own(values, 1), features)


def test_what_the_network_sees_is_what_it_says():
    assert [NETWORK.stride_px(layer) for layer in LAYERS] == [1, 2, 4, 4]
    assert NETWORK.reach_px(LAYERS) == 2 * 1 + 2 * 2 + 4 * 4
    assert Vgg19Features("relu4_1").reach_px(["relu4_1"]) == 2 + 4 + 16 + 8
    assert NETWORK.reach_px(["relu2_1"]) == 2 + 2
    # Channels by the square of the stride, and what pooling hands on.
    assert NETWORK.values_per_px(["relu2_1"]) == 16 + 16 + 16 / 4 + 48 / 4
    assert bytes_per_px(NETWORK, ["relu1_1"]) == 2 * 16 * 8


def test_a_picture_that_fits_is_one_tile():
    picture = torch.rand(1, 3, 90, 120, dtype=torch.float64)
    need = bytes_per_px(NETWORK, LAYERS) * 90 * 120
    assert len(tiles_by_picture(NETWORK, LAYERS, [picture], need)[0]) == 1
    assert len(tiles_by_picture(NETWORK, LAYERS, [picture], math.inf)[0]) == 1
    assert len(tiles_by_picture(NETWORK, LAYERS, [picture], need * 0.99)[0]) > 1


@pytest.mark.parametrize(
    ("width", "height", "levels", "dtype", "exact"),
    [(203, 161, 0, torch.float64, 1e-9), (140, 170, 1, torch.float32, 1e-4)],
)
def test_objective_and_gradient_in_tiles_are_those_of_the_whole_picture(width, height, levels, dtype, exact):
    network = load_network("compact", LAYERS).placed(CPU, dtype)
    settings = Settings(levels=levels).options
    content = to_tensor(noise(height, width, 1))
    unsettled = torch.zeros(1, 1, height, width)
    unsettled[..., 40:110, 60:] = 1
    reference = TemporalTarget(to_tensor(noise(height, width, 2)), torch.rand(1, 1, height, width), unsettled)
    image = to_tensor(noise(height, width, 3)).to(dtype).requires_grad_()
    found = []
    for memory_bytes in (math.inf, 1e6):
        targets = style_targets(network, noise(120, 160), width, height, settings, memory_bytes)
        objective = Objective(network, settings, targets, content, reference, memory_bytes)
        total = objective(image)
        (gradient,) = torch.autograd.grad(total, image)
        found.append((float(total.detach()), gradient, len(objective._tiles[0])))
    (whole, gradient, one), (tiled, tiled_gradient, several) = found
    assert one == 1
    assert several >= 4
    assert tiled == pytest.approx(whole, rel=exact)
    assert float((tiled_gradient - gradient).norm() / gradient.norm()) < exact


def test_activations_are_computed_again_instead_of_kept():
    picture = torch.rand(1, 3, 128, 160, dtype=torch.float64, requires_grad=True)
    tiles = tiles_of(160, 128, 4, NETWORK.reach_px(["relu1_1"]), 80 * 80)
    kept = []

    def squares(tile, pixels):
        return [own_features(NETWORK, tile, pixels, ["relu1_1"])["relu1_1"].square().sum()]

    def remember(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(remember, lambda tensor: tensor):
        (total,) = summed_over_tiles(picture, tiles, squares)
    # 16 channels of each pixel would be 327,680.
    assert sum(kept) <= 3 * 128 * 160 * 4
    (gradient,) = torch.autograd.grad(total, picture)
    whole = continued_features(NETWORK, picture, "relu1_1").square().sum()
    assert torch.allclose(gradient, torch.autograd.grad(whole, picture)[0])
