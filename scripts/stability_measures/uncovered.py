"""How well uncovered regions are painted, next to what surrounds them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from vidstyle import Stylizer
from vidstyle.frames import FloatPicture, Picture
from vidstyle.looks.styles import load_styles
from vidstyle.method.disocclusion import Motion
from vidstyle.method.objective import to_tensor
from vidstyle.method.targets import StyleTargetCache
from vidstyle.method.warping import came_from

LAYERS = ("relu1_1", "relu2_1", "relu3_1")
NEAR_PX = 8.0
# What was uncovered within so many frames counts: a pan uncovers a few pixels at a time.
RECENT_FRAMES = 8


class UncoveredStyle:
    """Style loss of the finest level, summed over frames, by region.

    A region is far too small for a Gram matrix of one frame, so features are gathered over all of them. The
    network is the one that painted, so only methods are comparable, not networks.
    """

    def __init__(self, stylizer: Stylizer, style: Path) -> None:
        self._stylizer, options = stylizer, stylizer.settings.options
        self._styles = StyleTargetCache(stylizer.network, load_styles(style, stylizer.settings), options)
        self._grams: dict[tuple[str, str], torch.Tensor] = {}
        self._counts: dict[tuple[str, str], float] = {}
        self._ages: FloatPicture | None = None

    def add(self, stylized: Picture, motion: Motion) -> None:
        """Takes a painted frame, `(H, W, 3)` uint8 RGB, and the source's motion into it."""
        if self._ages is None:
            self._ages = np.full_like(motion.trust, RECENT_FRAMES)
        older = cv2.remap(self._ages, *came_from(motion.flow), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) + 1
        self._ages = np.where(motion.trust < 0.5, np.float32(0), older)
        # Specks are no regions: their features are those of what surrounds them.
        uncovered = cv2.medianBlur((self._ages < RECENT_FRAMES).astype(np.uint8), 5).astype(np.float32)
        near = (cv2.GaussianBlur(uncovered, (0, 0), NEAR_PX) > 0.02) & (self._ages >= RECENT_FRAMES)
        with torch.no_grad():
            features = self._stylizer.network(to_tensor(stylized, self._stylizer.device), LAYERS)
        for layer in LAYERS:
            values = features[layer][0].float()
            for region, mask in (("uncovered", uncovered), ("near", near.astype(np.float32))):
                small = cv2.resize(mask, (values.shape[2], values.shape[1]), interpolation=cv2.INTER_AREA)
                inside = torch.from_numpy(small > 0.5).to(values.device)
                chosen = values[:, inside]
                key = layer, region
                self._grams[key] = self._grams.get(key, 0) + chosen @ chosen.T
                self._counts[key] = self._counts.get(key, 0) + chosen.shape[1]

    def losses(self) -> tuple[float, float]:
        """Returns the relative style loss, mean over layers, of uncovered regions and of their surroundings."""
        return self._loss("uncovered"), self._loss("near")

    def _loss(self, region: str) -> float:
        metrics = self._stylizer.network.metrics()
        if self._ages is None or not self._counts or min(self._counts[layer, region] for layer in LAYERS) == 0:
            return float("nan")
        height, width = self._ages.shape
        targets, losses = self._styles.at(width, height), []
        for layer in LAYERS:
            gram = self._grams[layer, region] / self._counts[layer, region]
            metric = metrics[layer].float() if layer in metrics else None
            target = targets.grams[0][layer][0, : gram.shape[0]]  # means may stand below
            gram = gram if metric is None else metric @ gram @ metric.T
            losses.append(float((gram - target).square().sum() / target.square().sum()))
        return sum(losses) / len(losses)
