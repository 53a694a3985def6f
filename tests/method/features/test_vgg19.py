"""VGG-19's layer table, its partial files, and (where weights are at hand) the real thing."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vidstyle.errors import SettingsError, WeightsError
from vidstyle.method.features.vgg19 import LAYER_TABLE, Vgg19Features, weight_shapes
from vidstyle.weights.loading import load_network

REAL = os.environ.get("VIDSTYLE_VGG19_WEIGHTS")


def test_layer_table_has_torchvisions_indices():
    expected = {"relu1_1": 0, "relu1_2": 2, "relu2_1": 5, "relu3_1": 10, "relu3_4": 16, "relu4_2": 21, "relu5_4": 34}
    assert {layer: LAYER_TABLE[layer][0] for layer in expected} == expected
    assert len(LAYER_TABLE) == 16


def test_weight_shapes_count_the_parameters_up_to_relu5_1():
    sizes = [torch.Size(shape).numel() for shape in weight_shapes("relu5_1").values()]
    assert sum(sizes) == 12_944_960


@pytest.fixture
def partial_file(tmp_path):
    shapes = weight_shapes("relu2_1")
    save_file({name: torch.rand(shape) * 0.1 for name, shape in shapes.items()}, tmp_path / "part.safetensors")
    return tmp_path / "part.safetensors"


def test_a_file_needs_only_the_layers_asked_for(partial_file):
    network = load_network("vgg19", ["relu1_1", "relu2_1"], partial_file)
    features = network(torch.rand(1, 3, 20, 32), ["relu1_1", "relu2_1"])
    assert {layer: tuple(f.shape) for layer, f in features.items()} == {
        "relu1_1": (1, 64, 20, 32),
        "relu2_1": (1, 128, 10, 16),
    }
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_deeper_layer_than_the_file_has_is_named(partial_file):
    with pytest.raises(WeightsError, match=r"features\.7\.weight"):
        load_network("vgg19", ["relu2_2"], partial_file)


def test_pooling_average_and_max_differ(partial_file):
    image = torch.rand(1, 3, 16, 16)
    networks = [load_network("vgg19", ["relu2_1"], partial_file, pooling) for pooling in ("average", "max")]
    average, largest = (network(image, ["relu2_1"])["relu2_1"] for network in networks)
    assert not torch.allclose(average, largest)


@pytest.mark.parametrize(("deepest", "pooling"), [("conv1_1", "average"), ("relu2_1", "median")])
def test_unknown_layers_and_poolings_are_refused(deepest, pooling):
    with pytest.raises(SettingsError):
        Vgg19Features(deepest, pooling)


@pytest.mark.skipif(not REAL, reason="VIDSTYLE_VGG19_WEIGHTS names no file of real weights")
def test_real_weights_see_what_the_original_network_sees():
    network = load_network("vgg19", ["relu3_4"], Path(REAL or ""))
    red = torch.zeros(1, 3, 32, 32)
    red[:, 0] = 1
    features = network(red, ["relu1_1", "relu3_4"])
    inner = features["relu3_4"][..., 2:-2, 2:-2]
    assert features["relu1_1"].mean().item() > 0
    # A flat picture has flat features wherever zero borders cannot be seen.
    assert float(features["relu1_1"].std(dim=(2, 3)).max()) < 1e-3 * float(features["relu1_1"].max())
    assert float(inner.max()) > 0
