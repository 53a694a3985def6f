"""What the networks share: pooling with a gradient of its own, and what the settings know of them."""

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from vidstyle.errors import SettingsError
from vidstyle.method.features import NETWORKS, NetworkEntry, check_layers, network_class
from vidstyle.method.features.network import FeatureNetwork, half_size
from vidstyle.method.objective import Objective, style_targets
from vidstyle.settings import Settings
from vidstyle.weights.loading import load_network


@pytest.mark.parametrize("size", [(4, 6), (5, 6), (4, 7), (5, 3)])
def test_half_size_is_average_pooling_and_so_is_its_gradient(size):
    values = torch.rand(2, 3, *size, dtype=torch.float64, requires_grad=True)
    assert torch.equal(half_size(values), F.avg_pool2d(values, 2))
    assert gradcheck(half_size, (values,))
    assert gradgradcheck(half_size, (values,))


def test_gradient_of_half_size_lies_in_memory_as_its_values_do():
    values = torch.rand(1, 8, 6, 10).to(memory_format=torch.channels_last).requires_grad_()
    (gradient,) = torch.autograd.grad(half_size(values).square().sum(), values)
    assert gradient.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_what_its_line_says(name):
    network = network_class(name)
    assert network.name == name
    assert bool(network.shipped) != (network.published is not None)
    check_layers(name, network.layer_names)
    with pytest.raises(SettingsError, match="has no layer 'relu9_9'"):
        check_layers(name, ["relu9_9"])


def test_settings_offer_what_the_networks_have():
    choices = {spec.name: getattr(spec.metadata["kind"], "choices", ()) for spec in fields(Settings)}
    assert choices["network"] == tuple(NETWORKS)
    assert choices["pooling"] == ("average", "max")
    assert Settings().style_layers == network_class(Settings().network).layer_names
    with pytest.raises(SettingsError, match="pooling max is for vgg19; compact has its own"):
        Settings(pooling="max")


def test_the_settings_can_be_read_without_torch():
    code = "import sys, vidstyle.settings; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_new_network_is_one_class_and_one_line(monkeypatch, tmp_path):
    class Luminance(FeatureNetwork):
        """One layer: brightness at half size."""

        name, layer_names, smallest_side_px, shipped = "luminance", ("gray",), 2, "luminance.safetensors"

        @classmethod
        def load(cls, file, layers, pooling):
            network = cls()
            network.weight = nn.Parameter(file.read({"gray": (1, 3, 1, 1)})["gray"])
            return network.requires_grad_(False)

        def convolutions_by_layer(self):
            return [("gray", 1, 2)]

        def forward(self, image, layers, *, has_border=False):
            gray = half_size(F.conv2d(self.normalized(image), self.weight))
            return {"gray": gray[..., 1:-1, 1:-1] if has_border else gray}

    monkeypatch.setitem(NETWORKS, "luminance", NetworkEntry("network:Luminance", "sees brightness only"))
    monkeypatch.setattr("vidstyle.method.features.network.Luminance", Luminance, raising=False)
    save_file({"gray": torch.full((1, 3, 1, 1), 1 / 3)}, tmp_path / "gray.safetensors")
    network = load_network("luminance", ["gray"], tmp_path / "gray.safetensors")
    options = replace(Settings(), content_layer="gray", style_layers=("gray",)).options
    image = torch.rand(1, 3, 16, 24)
    targets = style_targets(network, np.full((16, 24, 3), 90, np.uint8), 24, 16, options)
    assert float(Objective(network, options, targets, image)(image)) > 0
