"""What the tests of the chain paint: small pictures, in a few steps."""

from __future__ import annotations

import numpy as np

QUICK = {"iterations": 4, "first_iterations": 6, "precision": "float32", "device": "cpu"}


def picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Returns colored blobs, `(H, W, 3)` uint8 RGB: smooth enough to be content."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(small, np.ones((8, 8, 1), np.uint8)))
