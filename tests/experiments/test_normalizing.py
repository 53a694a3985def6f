"""Normalized networks: mean activations of one, the same answers but for a constant for each filter."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vidstyle import Settings
from vidstyle.errors import SettingsError
from vidstyle.experiments import normalization, normalized
from vidstyle.method.features.vgg19 import weight_shapes
from vidstyle.weights.loading import load_network

GENERATOR = torch.Generator().manual_seed(5)
# Of two sizes: means go over all positions, not over pictures.
PICTURES = [torch.rand(1, 3, *size, generator=GENERATOR) for size in ((24, 32), (48, 40))]
IMAGE = torch.rand(1, 3, 32, 32, generator=GENERATOR)


@pytest.fixture
def file(tmp_path):
    tensors = {name: torch.randn(shape, generator=GENERATOR) * 0.1 for name, shape in weight_shapes("relu2_1").items()}
    tensors["features.2.weight"][7] = 0  # a filter that answers to nothing
    tensors["features.2.bias"][7] = -1
    save_file(tensors, tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors"


def means_of(network, layer):
    seen = [network(picture, [layer])[layer] for picture in PICTURES]
    return sum(values.sum((0, 2, 3)) for values in seen) / sum(values[0, 0].numel() for values in seen)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_each_filter_of_vgg19_answers_with_one_on_average(file, pooling):
    network = load_network("vgg19", ["relu2_1"], file, pooling)
    even = normalized(network, PICTURES)
    for layer in ("relu1_1", "relu1_2", "relu2_1"):
        before, after = means_of(network, layer), means_of(even, layer)
        answering = before > 0
        torch.testing.assert_close(after[answering], torch.ones_like(after[answering]), rtol=1e-4, atol=1e-4)
        ratio = torch.where(answering, before, 1.0).view(1, -1, 1, 1)
        torch.testing.assert_close(
            even(IMAGE, [layer])[layer] * ratio, network(IMAGE, [layer])[layer], rtol=1e-3, atol=1e-4
        )
    assert float(means_of(even, "relu1_2")[7]) == 0


def test_the_network_given_stays_as_it_was(file):
    network = load_network("vgg19", ["relu2_1"], file)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    normalized(network, PICTURES)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_compact_network_can_be_normalized_and_then_measures_plainly():
    even = normalized(load_network("compact", ["relu1_1"]), PICTURES)
    means = means_of(even, "relu3_4")
    torch.testing.assert_close(means[means > 0], torch.ones_like(means[means > 0]), rtol=1e-3, atol=1e-3)
    assert all(torch.equal(metric, torch.eye(len(metric))) for metric in even.metrics().values())


def test_there_must_be_pictures():
    with pytest.raises(SettingsError, match="at least one"):
        normalized(load_network("compact", ["relu1_1"]), [])


def test_the_comparison_shows_both_networks_with_both_poolings(file):
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    settings = Settings(
        network="vgg19",
        weights=file,
        style_layers=("relu1_1", "relu2_1"),
        iterations=3,
        precision="float32",
        device="cpu",
    )
    sheet = normalization(picture, [picture[:24]], settings)
    assert [panel.label for panel in sheet.panels if panel.terms] == [
        "as it is, average",
        "normalized, average",
        "as it is, max",
        "normalized, max",
    ]
    assert all(set(panel.terms) == {"relu1_1", "relu2_1"} for panel in sheet.panels if panel.terms)
    assert len({panel.image.tobytes() for panel in sheet.panels}) == 5
