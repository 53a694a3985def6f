"""Random crops of the pictures in a folder."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle.media.stills.images import read_image

LONG_SIDE_PX = 1024


class Pictures:
    """Random crops of a folder's pictures, augmented; all pictures stay in memory as uint8 RGB."""

    def __init__(self, folder: Path, held_out: set[str], only: str = "") -> None:
        """Reads a folder and its sub-folders.

        Args:
            held_out: file stems that are left out. only: the name of a sub-folder; others are left out.

        Raises:
            SystemExit: there are none. SourceError: one cannot be read.
        """
        self.images: list[np.ndarray] = []
        self.digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() not in {".png", ".jpg", ".jpeg"} or path.stem in held_out:
                continue
            if only and only not in path.relative_to(folder).parts[:-1]:
                continue
            image = read_image(path)
            k = min(1.0, LONG_SIDE_PX / max(image.shape[:2]))
            self.images.append(cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA))
            self.digest.update(self.images[-1].tobytes())
        if not self.images:
            raise SystemExit(f"distill: no pictures in {folder}{' / ' + only if only else ''}")

    def crop(self, rng: np.random.Generator, side_px: int, noisy: bool = True) -> Tensor:
        """Returns one augmented crop `(3, side_px, side_px)` float32 RGB in [0, 1]."""
        image = self.images[rng.integers(len(self.images))]
        # The part of the picture that the crop shows: log-uniform from the crop's own size to the whole.
        short = min(image.shape[:2])
        zoom = math.exp(rng.uniform(0, math.log(max(short / side_px, 1.01))))
        part_px = min(short, int(side_px * zoom))
        top = rng.integers(image.shape[0] - part_px + 1)
        left = rng.integers(image.shape[1] - part_px + 1)
        part = image[top : top + part_px, left : left + part_px]
        part = cv2.resize(part, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        if rng.random() < 0.5:
            part = part[:, ::-1]
        if rng.random() < 0.2:
            part = part[..., rng.permutation(3)]
        if rng.random() < 0.3:
            part = (part - 0.5) * rng.uniform(0.5, 1.6) + 0.5 + rng.uniform(-0.15, 0.15)
        if noisy and rng.random() < 0.2:
            part = part + rng.normal(0, rng.uniform(0.01, 0.12), part.shape).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(part, np.float32)).permute(2, 0, 1).clamp(0, 1)

    def batch(self, rng: np.random.Generator, count: int, side_px: int, noisy: bool = True) -> Tensor:
        """Returns `(count, 3, side_px, side_px)` float32 RGB in [0, 1]."""
        return torch.stack([self.crop(rng, side_px, noisy) for _ in range(count)])
