"""Noise that moves with what is seen."""

from __future__ import annotations

import numpy as np

from vidstyle.frames import FloatPicture, Picture
from vidstyle.method.disocclusion import motion_between
from vidstyle.method.flow import FlowEstimator
from vidstyle.method.warping import came_from, warped


class DriftingNoise:
    """Noise to start from, frame by frame: fresh where something is uncovered.

    Each pixel remembers where in a fixed field of noise it looks, and that place is carried along the flow;
    so motion of a fraction of a pixel adds up, and nothing is ever blurred.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._content: Picture | None = None
        self._places: FloatPicture | None = None
        self._frames = 0

    def restart(self) -> None:
        """Begins anew, as at a cut."""
        self._content, self._places, self._frames = None, None, 0

    def follow(self, content: Picture, estimate: FlowEstimator | None) -> FloatPicture:
        """Returns noise for the next frame of the shot, `(H, W, 3)` float32 in [0, 1), uniform.

        Args:
            content: `(H, W, 3)` uint8 RGB. estimate: None for noise that stays where it is.
        """
        height, width = content.shape[:2]
        places = np.dstack(came_from(np.zeros((height, width, 2), np.float32)))
        before = self._content
        if estimate is not None and before is not None and self._places is not None and before.shape == content.shape:
            motion = motion_between(estimate, before, content)
            is_seen = (motion.trust > 0.5)[..., None]
            # Fresh places lie elsewhere in each frame: a pan would otherwise show the same columns over and over.
            self._frames += 1
            fresh = places + np.random.default_rng((self._seed, self._frames)).integers(0, (width, height))
            places = np.where(is_seen, warped(self._places, motion.flow), fresh.astype(np.float32))
        self._content, self._places = content, places
        field = np.random.default_rng(self._seed).random((height, width, 3), np.float32)
        columns, rows = np.rint(places[..., 0]).astype(int) % width, np.rint(places[..., 1]).astype(int) % height
        return np.asarray(field[rows, columns], np.float32)
