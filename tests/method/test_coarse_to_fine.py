"""Coarse to fine."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from objectives import NETWORK

from vidstyle import Settings
from vidstyle.looks.styles import Style
from vidstyle.method.look import Look
from vidstyle.method.objective import level_count, to_tensor
from vidstyle.method.solver import Budget, optimize, optimize_coarse_to_fine, smaller_sizes
from vidstyle.method.targets import FrameTargets, StyleTargetCache


def picture(seed, height=72, width=100):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(small, np.ones((4, 4, 1), np.uint8)))


def both_ways(content, budget, alone=None, **changes):
    """Returns what comes of a budget at each size, and of one at full size alone."""
    options = Settings(**changes).options
    styles = StyleTargetCache(NETWORK, [Style("", (picture(2, 80, 80),))], options)
    targets, start = FrameTargets(styles, Look(1.0, (1.0,), 1.0), content), to_tensor(content)
    objective = targets.objective(100, 72)
    small_first = optimize_coarse_to_fine(start, objective, targets.objective, options.optimizer, budget)
    return small_first, optimize(start, objective, options.optimizer, alone or budget)


@given(st.integers(16, 5000), st.integers(16, 5000))
def test_sizes_double_up_to_the_full_one(width, height):
    levels = level_count(width, height, 0, 4)
    sizes = smaller_sizes(width, height, levels)
    assert [size[2] for size in sizes] == list(range(1, levels))
    for small, large in pairwise([*sizes, (width, height, levels)]):
        assert abs(2 * small[0] - large[0]) <= 1 and abs(2 * small[1] - large[1]) <= 1


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_small_first_goes_further_for_the_same_cost(optimizer):
    small_first, alone = both_ways(picture(1), Budget(12), Budget(16), levels=3, optimizer=optimizer)
    assert small_first.loss < alone.loss
    assert small_first.evaluations == 3 * 13
    assert tuple(small_first.image.shape) == (1, 3, 72, 100)
    assert float(small_first.image.min()) >= 0 and float(small_first.image.max()) <= 1


def test_one_level_has_nothing_smaller():
    one, alone = both_ways(picture(1), Budget(5), levels=1)
    assert torch.equal(one.image, alone.image)


def test_fine_detail_of_the_start_is_kept():
    # With next to no steps at full size, what small pictures cannot hold must still be there.
    content = picture(1)
    content[::2, ::2] //= 2
    outcome, _ = both_ways(content, Budget(1), levels=2, style_weight=0, tv_weight=0)
    assert float((outcome.image - to_tensor(content)).abs().mean()) < 0.02
