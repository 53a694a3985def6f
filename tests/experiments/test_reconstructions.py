"""Reconstructions from noise: the paper's losses go down, shallow layers hold more, wrong numbers are refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vidstyle import Settings
from vidstyle.errors import SettingsError, WeightsError
from vidstyle.experiments import content_reconstruction, style_reconstruction
from vidstyle.experiments.reconstructions import GatysObjective
from vidstyle.method.features.vgg19 import weight_shapes
from vidstyle.method.losses import gatys_content_loss, gatys_style_loss
from vidstyle.weights.loading import load_network

PICTURE = np.kron(np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
QUICK = Settings(size=48, iterations=12, precision="float32", device="cpu")


@pytest.fixture
def vgg19(tmp_path):
    generator = torch.Generator().manual_seed(0)
    shapes = weight_shapes("relu2_1").items()
    save_file(
        {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes}, tmp_path / "v.safetensors"
    )
    return Settings(
        network="vgg19",
        weights=tmp_path / "v.safetensors",
        size=32,
        iterations=3,
        precision="float32",
        device="cpu",
        style_layers=("relu1_1", "relu2_1"),
    )


def test_the_objective_is_the_papers_in_units_of_its_start():
    network = load_network("compact", ["relu2_1"])
    target, start = (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(n)) for n in (1, 2))
    metric = network.metrics()["relu2_1"]
    seen, wanted = (
        torch.einsum("ij,bjhw->bihw", metric, network(image, ["relu2_1"])["relu2_1"]) for image in (start, target)
    )
    content = GatysObjective(network, target, start, content_layers=["relu2_1"])
    style = GatysObjective(network, target, start, style_layers=["relu2_1"])
    assert content.unit == pytest.approx(float(gatys_content_loss(seen, wanted)), rel=1e-4)
    assert style.unit == pytest.approx(float(gatys_style_loss(seen, wanted)), rel=1e-4)
    assert float(content(start)) == pytest.approx(1)
    assert float(content(target)) == 0
    assert float(style(target)) == 0


def test_content_comes_out_of_noise_and_best_from_the_first_layer():
    sheet = content_reconstruction(PICTURE, None, replace(QUICK, iterations=25))
    assert [panel.label for panel in sheet.panels] == ["picture", "relu1_1", "relu2_1", "relu3_1", "relu3_4"]
    assert np.array_equal(sheet.panels[0].image, PICTURE)
    errors = [np.abs(panel.image.astype(float) - PICTURE).mean() for panel in sheet.panels[1:]]
    noise = content_reconstruction(PICTURE, ["relu1_1"], replace(QUICK, iterations=0)).panels[1].image
    assert errors[0] < 4 < errors[3] < 0.75 * np.abs(noise.astype(float) - PICTURE).mean()
    assert all(panel.terms["of the noise's"] < 0.05 for panel in sheet.panels[1:])


def test_the_same_seed_gives_the_same_picture_and_another_seed_another():
    once, again, other = (
        content_reconstruction(PICTURE, ["relu2_1"], Settings(size=32, iterations=2, device="cpu", seed=seed)).panels[1]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(once.image, again.image)
    assert not np.array_equal(once.image, other.image)


def test_textures_are_made_of_ever_more_layers_and_progress_is_told():
    counts = []
    sheet = style_reconstruction(PICTURE, 2, None, QUICK, on_progress=lambda *count: counts.append(count))
    assert [panel.label for panel in sheet.panels] == ["picture", "relu1_1", "relu1_1 to relu2_1"]
    assert sheet.columns == 3
    assert all(panel.terms["of the noise's"] < 0.1 for panel in sheet.panels[1:])
    assert counts[-1] == (26, 26)
    assert sorted(counts) == counts


def test_average_and_max_pooling_are_rows_that_differ(vgg19):
    sheet = style_reconstruction(PICTURE, None, None, vgg19)
    assert [panel.label for panel in sheet.panels] == [
        "picture",
        "relu1_1, average",
        "relu1_1 to relu2_1, average",
        "picture",
        "relu1_1, max",
        "relu1_1 to relu2_1, max",
    ]
    # Before the first pooling there is nothing to differ.
    assert np.array_equal(sheet.panels[1].image, sheet.panels[4].image)
    assert not np.array_equal(sheet.panels[2].image, sheet.panels[5].image)


def test_a_file_without_deep_layers_is_told_by_the_layer_where_it_ends(vgg19):
    with pytest.raises(WeightsError, match=r"up to relu2_1 only .*features\.7\.weight.*not relu5_2"):
        content_reconstruction(PICTURE, None, vgg19)


@pytest.mark.parametrize("count", [0, 5])
def test_more_layers_than_there_are_are_refused(count):
    with pytest.raises(SettingsError, match="give 1 to 4"):
        style_reconstruction(PICTURE, count, None, QUICK)


@pytest.mark.parametrize("layers", [[], ["relu9_1"], ["relu1_1", "relu1_1"]])
def test_layers_that_are_none_are_refused(layers):
    with pytest.raises(SettingsError, match=r"at least one|no layer 'relu9_1'; it has relu1_1"):
        content_reconstruction(PICTURE, layers, QUICK)


def test_max_pooling_is_refused_where_there_is_none():
    with pytest.raises(SettingsError, match="pooling max is for vgg19"):
        style_reconstruction(PICTURE, 1, ["max"], QUICK)


def test_a_picture_too_large_for_the_memory_is_refused():
    with pytest.raises(SettingsError, match="use a smaller size"):
        content_reconstruction(np.zeros((400, 600, 3), np.uint8), None, Settings(size="source", activations_gib=0.05))
