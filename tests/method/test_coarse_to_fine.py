"""Coarse to fine."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from objectives import NETWORK

from vidstyle import Settings
from vidstyle.method import solver as descent
from vidstyle.method.coarse_to_fine import optimized_coarse_to_fine, smaller_sizes
from vidstyle.method.objective import Objective, level_count, to_tensor
from vidstyle.method.solver import Budget
from vidstyle.method.targets import StyleTargetCache


def picture(seed, height=72, width=100):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(small, np.ones((4, 4, 1), np.uint8)))


def both_ways(steps, **changes):
    """Returns what comes of so many steps at each size, and of the same cost at full size alone."""
    settings, content = Settings(levels=3, **changes), picture(1)
    styles = StyleTargetCache(NETWORK, picture(2, 80, 80), settings)
    objective = Objective(NETWORK, settings, styles.at(100, 72), to_tensor(content))
    start = to_tensor(content)
    small_first = optimized_coarse_to_fine(styles, content, start, objective, settings.optimizer, Budget(steps))
    alone = descent.optimize(start, objective, settings.optimizer, Budget(round(steps * 1.32)))
    return small_first, alone


@given(st.integers(16, 5000), st.integers(16, 5000))
def test_sizes_double_up_to_the_full_one(width, height):
    levels = level_count(width, height, 0, 4)
    sizes = smaller_sizes(width, height, levels)
    assert [size[2] for size in sizes] == list(range(1, levels))
    for small, large in pairwise([*sizes, (width, height, levels)]):
        assert abs(2 * small[0] - large[0]) <= 1 and abs(2 * small[1] - large[1]) <= 1


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_small_first_goes_further_for_the_same_cost(optimizer):
    small_first, alone = both_ways(12, optimizer=optimizer)
    assert small_first.loss < alone.loss
    assert small_first.evaluations == 3 * 13
    assert tuple(small_first.image.shape) == (1, 3, 72, 100)
    assert float(small_first.image.min()) >= 0 and float(small_first.image.max()) <= 1


def test_one_level_has_nothing_smaller():
    settings, content = Settings(levels=1), picture(1)
    styles = StyleTargetCache(NETWORK, picture(2, 80, 80), settings)
    objective = Objective(NETWORK, settings, styles.at(100, 72), to_tensor(content))
    one = optimized_coarse_to_fine(styles, content, to_tensor(content), objective, "lbfgs", Budget(5))
    assert torch.equal(one.image, descent.optimize(to_tensor(content), objective, "lbfgs", Budget(5)).image)


def test_fine_detail_of_the_start_is_kept():
    # Without steps at full size, what small pictures cannot hold must still be there.
    settings, content = Settings(levels=2, style_weight=0, tv_weight=0), picture(1)
    content[::2, ::2] //= 2
    styles = StyleTargetCache(NETWORK, picture(2, 80, 80), settings)
    objective = Objective(NETWORK, settings, styles.at(100, 72), to_tensor(content))
    outcome = optimized_coarse_to_fine(styles, content, to_tensor(content), objective, "lbfgs", Budget(1))
    assert float((outcome.image - to_tensor(content)).abs().mean()) < 0.02
