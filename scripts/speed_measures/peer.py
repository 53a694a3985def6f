"""The schedule of the closest peers: Gatys et al.'s layers of the whole VGG-19 in float32, 1,000 iterations a frame.

Johnson's neural-style and its PyTorch port: style at relu1_1 to relu5_1, content at relu4_2, L-BFGS or Adam. The time
of an iteration does not depend on the weights, so they are random here, and nothing is fetched.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from speed_measures.ceiling import seconds_of

ITERATIONS = 1000
# Channels of the convolutions up to conv5_1; 0: pooling.
_LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512)
_STYLE, _CONTENT = (0, 3, 6, 11, 16), 12


def iteration_seconds(width: int, height: int, device: torch.device) -> float:
    """Returns the median time of one evaluation of those losses and their gradient."""
    layers, width_in = [], 3
    for channels in _LAYERS:
        layers.append(
            torch.randn(channels, width_in, 3, 3, device=device) * (2 / (9 * width_in)) ** 0.5 if channels else None
        )
        width_in = channels or width_in
    picture = torch.rand(1, 3, height, width, device=device)

    def iterate() -> None:
        image = picture.clone().requires_grad_()
        values, loss = image, image.new_zeros(())
        for number, weights in enumerate(layers):
            values = F.max_pool2d(values, 2) if weights is None else F.relu(F.conv2d(values, weights, padding=1))
            if number in _STYLE:
                flat = values.flatten(2)[0]
                loss = loss + (flat @ flat.T / flat.numel()).square().mean()
            if number == _CONTENT:
                loss = loss + values.square().mean()
        torch.autograd.grad(loss, image)

    return seconds_of(iterate, device, runs=3)
