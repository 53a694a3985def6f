"""What the networks share: pooling with a gradient of its own, and what the settings know of them."""

from dataclasses import fields

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from vidstyle.method.features import LAYERS, vgg19
from vidstyle.method.features.network import half_size
from vidstyle.settings import Settings


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


def test_settings_offer_what_the_networks_have():
    """Neither imports the other: the settings do without torch, and the networks without the settings."""
    choices = {spec.name: spec.metadata["kind"].choices for spec in fields(Settings)}
    assert choices["pooling"] == vgg19.POOLINGS
    assert choices["network"] == tuple(LAYERS)
    assert Settings().style_layers == LAYERS["compact"]
