"""Flow by RAFT, torchvision's implementation: better than DIS where things move far, made for a GPU.

Teed, Deng: RAFT: Recurrent All-Pairs Field Transforms for Optical Flow, ECCV 2020.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import cv2
import numpy as np
import torch

from vidstyle.errors import FlowError
from vidstyle.frames import Picture
from vidstyle.method.warping import FlowField
from vidstyle.method.weights import PublishedWeights, TensorReader

# The network halves pictures three times, and its pyramid of correlations needs 16 cells on a side.
STEP_PX, SMALLEST_SIDE_PX = 8, 128


def _builder() -> Any:
    try:
        return import_module("torchvision.models.optical_flow").raft_large
    except Exception as error:  # an ImportError, or what a build for another torch raises while it loads
        version = torch.__version__.partition("+")[0]
        raise FlowError(
            f"--flow raft needs a torchvision that suits torch {version}, and it cannot be loaded ({error}); "
            "install both from the same index, as with vidstyle[raft], or use --flow dis"
        ) from error


class RaftFlow:
    """Estimates flow with RAFT (large, 12 updates); see `FlowEstimator`."""

    # torchvision's documentation of Raft_Large_Weights.C_T_SKHT_V2, 21 MB.
    memory_remedy = "--flow dis or "
    published: PublishedWeights | None = PublishedWeights(
        url="https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth",
        name="raft-large.safetensors",
        owner="RAFT's weights",
        remedy="use a machine with a connection once and copy its cache folder, "
        "or use --flow dis, which needs no download",
    )

    def __init__(self, model: torch.nn.Module, device: torch.device) -> None:
        self._model, self._device = model.eval().to(device), device

    @classmethod
    def check(cls) -> None:
        """Makes sure that torchvision, which is imported for RAFT only, can be.

        Raises:
            FlowError: it cannot; the message says how to get one that suits torch.
        """
        _builder()

    @classmethod
    def load(cls, read: TensorReader, device: torch.device) -> RaftFlow:
        """Returns an estimator on that device; see `FlowEstimator`."""
        model = _builder()(weights=None)
        model.load_state_dict(read({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}))
        return cls(model, device)

    def __call__(self, here: Picture, there: Picture) -> FlowField:
        """Returns `(H, W, 2)` float32 px of two `(H, W, 3)` uint8 RGB pictures."""
        height, width = here.shape[:2]
        ratio = max(1.0, SMALLEST_SIDE_PX / min(height, width))
        size = tuple(math.ceil(side * ratio / STEP_PX) * STEP_PX for side in (width, height))
        with torch.inference_mode():
            pair = (self._tensor(picture, size) for picture in (here, there))
            flow = self._model(*pair)[-1][0].permute(1, 2, 0).float().cpu().numpy()
        fitted = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(fitted * np.array([width / size[0], height / size[1]]), np.float32)

    def _tensor(self, picture: Picture, size: tuple[int, ...]) -> torch.Tensor:
        fitted = cv2.resize(picture, (size[0], size[1]), interpolation=cv2.INTER_LINEAR)
        return torch.tensor(fitted, device=self._device).permute(2, 0, 1)[None].float() / 127.5 - 1
