"""What the tests of the objective and of its optimization look at, and by what."""

from __future__ import annotations

import numpy as np

from vidstyle.method.features.compact import CompactFeatures
from vidstyle.weights.loading import load_network

# With all its layers, in float32; not to be changed.
NETWORK = load_network("compact", CompactFeatures.layer_names)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Returns white noise, `(H, W, 3)` uint8 RGB."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
