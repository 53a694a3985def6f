"""Optical flow between two frames: how it is estimated, where it is trusted, and pictures carried along it."""

from __future__ import annotations

from typing import Protocol

import torch

from vidstyle.frames import Picture
from vidstyle.method.flow.dis import DisFlow
from vidstyle.method.flow.raft import RAFT, RaftFlow, check_torchvision
from vidstyle.method.warping import FlowField
from vidstyle.weights.fetching import OnDownload, is_fetched


class FlowEstimator(Protocol):
    """Estimates where things have gone between two pictures."""

    def __call__(self, here: Picture, there: Picture) -> FlowField:
        """Returns `(H, W, 2)` float32 px, x then y: what is at p in `here` is at ``p + flow[p]`` in `there`.

        Args:
            here, there: `(H, W, 3)` uint8 RGB of one size.
        """


def check_flow(method: str) -> None:
    """Makes sure that a way to estimate flow is to be had: "dis", "raft" or "off".

    Raises:
        FlowError: it is not; the message says what is missing.
    """
    if method == "raft":
        check_torchvision()


def flow_to_be_fetched(method: str) -> str:
    """Returns whose weights must be fetched before flow can be estimated, in words; "" if none."""
    return RAFT.what if method == "raft" and not is_fetched(RAFT) else ""


def load_flow(method: str, device: torch.device, on_download: OnDownload | None = None) -> FlowEstimator:
    """Returns the estimator of that name, "dis" or "raft".

    Args:
        device: where RAFT runs; DIS runs on the CPU. on_download: called while RAFT's weights are fetched.

    Raises:
        FlowError: it cannot be loaded. WeightsError: RAFT's weights cannot be had.
    """
    return RaftFlow(device, on_download) if method == "raft" else DisFlow()
