"""What the method reads of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# The most frames from one keyframe to the next: where they are placed as needed, and at all. Farther apart, little is
# left of a flow joined step by step that can be trusted, and the frames between take much memory.
AUTO_GAP_FRAMES, MOST_GAP_FRAMES = 8, 32


class Steps(NamedTuple):
    """How many optimizer steps a frame may take.

    Attributes:
        first: at each size, for frames that start afresh; at least `later`.
        later: for frames that start from the stylized one before them; 0 leaves frames as they are.
        least_gain: later frames stop when three steps lower the objective by less than this share; 0: never.
    """

    first: int
    later: int
    least_gain: float


@dataclass(frozen=True, kw_only=True)
class Options:
    """Those of the settings that the method depends on; `vidstyle.settings` has defaults, ranges and help for each.

    `is_warped`, `looks_back_frames`, and what is said of keyframes follow from other settings: the most frames from
    one keyframe to the next (1: every frame is one), and whether they are placed where they are needed.
    """

    # The objective.
    content_layer: str
    style_layers: tuple[str, ...]
    levels: int
    style_loss: str
    content_levels: int
    content_weight: float
    style_weight: float
    tv_weight: float
    temporal_weight: float
    strength: float
    style_size: float
    activations_gib: float
    # The optimization.
    optimizer: str
    iterations: int
    first_iterations: int
    least_gain: float
    # From frame to frame.
    init: str
    is_warped: bool
    temporal_window: tuple[int, ...]
    looks_back_frames: int
    keyframe_frames: int
    keyframes_are_chosen: bool
    seed: int
    color: str

    @property
    def layers(self) -> frozenset[str]:
        """Every layer whose features are needed."""
        return frozenset((*self.style_layers, self.content_layer))

    @property
    def steps(self) -> Steps:
        """How many steps frames may take."""
        return Steps(max(self.iterations, self.first_iterations), self.iterations, self.least_gain)
