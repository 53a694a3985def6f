"""The defaults of the experiments; this module does not import torch, so that help answers at once."""

from __future__ import annotations

from vidstyle.settings import Settings

# Small enough for a minute on two cores. float32, since an optimization that starts from noise depends on the last
# digits of its gradients, and a comparison is to show the method, not its rounding. The published objective: Gram
# matrices, and content at one level.
SETTINGS = Settings(size=256, iterations=100, precision="float32", style_loss="gram", content_levels=1)
# What an optimization can start from (Gatys et al. 2016, section 3.3, and constants).
STARTS = ("content", "style", "noise", "black", "gray", "white")
STYLE_WEIGHTS = (0.1, 1.0, 10.0, 30.0, 100.0, 1000.0)
EVERY, GIF_FRAME_MS = 10, 250
