"""How well uncovered places are painted is measured by what is there alone."""

import numpy as np
import pytest
from scripting import loaded_script

from vidstyle import Settings, Stylizer
from vidstyle.media.stills.images import read_image
from vidstyle.method.disocclusion import Motion


@pytest.fixture(scope="module")
def benchmark():
    with loaded_script("benchmark_stability") as module:
        yield module


def test_uncovered_places_that_show_the_style_have_next_to_no_style_loss(benchmark):
    style = benchmark.SAMPLES / "starry.jpg"
    stylizer = Stylizer(style, Settings(size=160))
    picture = stylizer.fit(read_image(style))
    height, width = picture.shape[:2]
    trust = np.ones((height, width), np.float32)
    trust[:, : width // 2] = 0
    motion = Motion(np.zeros((height, width, 2), np.float32), trust, trust)
    losses = []
    for painted in (picture, np.full_like(picture, 128)):
        uncovered = benchmark.UncoveredStyle(stylizer, style)
        uncovered.add(painted, motion)
        losses.append(uncovered.losses())
    (of_style, near_style), (of_gray, near_gray) = losses
    assert max(of_style, near_style) < 0.3 < 0.6 < min(of_gray, near_gray)
