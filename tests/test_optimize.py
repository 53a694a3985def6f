"""The optimisers on objectives whose answer is known, and on ones that break."""

import math

import pytest
import torch

from vidstyle.errors import OptimizationError
from vidstyle.optimize import RETRIES, optimize

TARGET = torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
START = torch.full_like(TARGET, 0.5)
SCALES = torch.logspace(-1, 1, TARGET.numel()).view(TARGET.shape)


def quadratic(image):
    return (SCALES * (image - TARGET).square()).mean()


@pytest.mark.parametrize(("method", "tolerance"), [("lbfgs", 1e-5), ("adam", 1e-2)])
def test_optimize_reaches_the_minimum(method, tolerance):
    outcome = optimize(START, quadratic, method, 150)
    assert outcome.loss < tolerance * float(quadratic(START))
    assert outcome.retries == 0


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("iterations", [1, 2, 7, 30])
def test_optimize_tries_as_many_pictures_after_the_start_as_allowed(method, iterations):
    outcome = optimize(START, quadratic, method, iterations)
    assert outcome.evaluations == iterations + 1
    assert outcome.loss < float(quadratic(START))
    assert outcome.loss == pytest.approx(float(quadratic(outcome.image)), rel=1e-5)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_optimize_stays_inside_the_range(method):
    outcome = optimize(START, lambda x: (x - 3 * TARGET + 1).square().mean(), method, 60)
    assert float(outcome.image.min()) >= 0
    assert float(outcome.image.max()) <= 1
    torch.testing.assert_close(outcome.image, (3 * TARGET - 1).clamp(0, 1), atol=0.05, rtol=0)


def test_optimize_without_iterations_returns_the_start():
    outcome = optimize(START, quadratic, "lbfgs", 0)
    assert outcome.evaluations == 0
    assert math.isnan(outcome.loss)
    assert torch.equal(outcome.image, START)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_optimize_goes_on_from_the_best_picture_after_a_non_finite_value(method, broken):
    calls = 0

    def breaks_once(image):
        nonlocal calls
        calls += 1
        return quadratic(image) * (broken if calls == 6 else 1)

    outcome = optimize(START, breaks_once, method, 40)
    assert outcome.retries == 1
    assert outcome.loss < 0.7 * float(quadratic(START))
    assert bool(torch.isfinite(outcome.image).all())


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_optimize_keeps_the_last_finite_picture_when_all_else_breaks(method):
    calls = 0

    def breaks_for_good(image):
        nonlocal calls
        calls += 1
        return quadratic(image) * (1 if calls < 5 else math.nan)

    outcome = optimize(START, breaks_for_good, method, 40)
    assert outcome.retries == RETRIES
    assert outcome.loss == pytest.approx(float(quadratic(outcome.image)), rel=1e-5)


def test_optimize_says_so_when_nothing_is_finite():
    with pytest.raises(OptimizationError, match="float32"):
        optimize(START, lambda x: x.sum() * math.nan, "lbfgs", 5)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_optimize_is_repeatable_to_the_bit(method):
    first, second = (optimize(START, quadratic, method, 25).image for _ in range(2))
    assert torch.equal(first, second)
