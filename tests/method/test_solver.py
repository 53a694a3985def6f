"""The optimizers on objectives whose answer is known, and on ones that break."""

import math

import pytest
import torch

from vidstyle.errors import OptimizationError
from vidstyle.method.solver import GAIN_EVALUATIONS, NEAR_STEP_RMS, RETRIES, Budget, optimize

TARGET = torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
START = torch.full_like(TARGET, 0.5)
SCALES = torch.logspace(-1, 1, TARGET.numel()).view(TARGET.shape)


def quadratic(image):
    return (SCALES * (image - TARGET).square()).mean()


@pytest.mark.parametrize(("method", "tolerance"), [("lbfgs", 1e-5), ("adam", 1e-2)])
def test_optimize_reaches_the_minimum(method, tolerance):
    outcome = optimize(START, quadratic, method, Budget(150))
    assert outcome.loss < tolerance * float(quadratic(START))
    assert outcome.retries == 0


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("iterations", [1, 2, 7, 30])
def test_optimize_tries_as_many_pictures_after_the_start_as_allowed(method, iterations):
    outcome = optimize(START, quadratic, method, Budget(iterations))
    assert outcome.evaluations == iterations + 1
    assert outcome.loss < float(quadratic(START))
    assert outcome.loss == pytest.approx(float(quadratic(outcome.image)), rel=1e-5)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_each_evaluation_is_told_with_the_best_picture_so_far(method):
    told = []
    outcome = optimize(START, quadratic, method, Budget(9), lambda *words: told.append(words))
    assert [evaluations for evaluations, _, _ in told] == list(range(1, 11))
    losses = [loss for _, loss, _ in told]
    assert losses == sorted(losses, reverse=True)
    assert torch.equal(told[0][2], START)
    assert losses[-1] == outcome.loss
    assert torch.equal(told[-1][2], outcome.image)
    assert all(float(quadratic(image)) == pytest.approx(loss) for _, loss, image in told)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_optimize_stays_inside_the_range(method):
    outcome = optimize(START, lambda x: (x - 3 * TARGET + 1).square().mean(), method, Budget(60))
    assert float(outcome.image.min()) >= 0
    assert float(outcome.image.max()) <= 1
    torch.testing.assert_close(outcome.image, (3 * TARGET - 1).clamp(0, 1), atol=0.05, rtol=0)


def test_optimize_without_iterations_returns_the_start():
    outcome = optimize(START, quadratic, "lbfgs", Budget(0))
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

    outcome = optimize(START, breaks_once, method, Budget(40))
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

    outcome = optimize(START, breaks_for_good, method, Budget(40))
    assert outcome.retries == RETRIES
    assert outcome.loss == pytest.approx(float(quadratic(outcome.image)), rel=1e-5)


def test_optimize_says_so_when_nothing_is_finite():
    with pytest.raises(OptimizationError, match="float32"):
        optimize(START, lambda x: x.sum() * math.nan, "lbfgs", Budget(5))


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_optimize_is_repeatable_to_the_bit(method):
    first, second = (optimize(START, quadratic, method, Budget(25)).image for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("least_gain", [0.5, 0.1, 0.001])
def test_optimize_stops_when_steps_gain_too_little(least_gain):
    losses = []

    def noted(image):
        loss = quadratic(image) + 0.01
        losses.append(float(loss.detach()))
        return loss

    outcome = optimize(START, noted, "lbfgs", Budget(150, least_gain=least_gain))
    bests = [min(losses[: n + 1]) for n in range(len(losses))]
    steps = [min(n, GAIN_EVALUATIONS) for n in range(1, len(bests))]
    gains = [(bests[n - k] - bests[n]) / bests[n] / (k / GAIN_EVALUATIONS) for n, k in enumerate(steps, 1)]
    assert outcome.evaluations == len(losses) < 151
    assert gains[-1] < least_gain
    assert min(gains[:-1], default=1) >= least_gain


def test_optimize_at_the_minimum_stops_at_once():
    outcome = optimize(TARGET + 0.001, lambda x: quadratic(x) + 1, "lbfgs", Budget(150, least_gain=0.01))
    assert outcome.evaluations == 2


def test_adam_does_not_stop_early():
    assert optimize(START, quadratic, "adam", Budget(20, least_gain=0.5)).evaluations == 21


@pytest.mark.parametrize("rms", [NEAR_STEP_RMS, 0.03])
def test_the_first_step_has_the_length_asked_for(rms):
    seen = []

    def noted(image):
        seen.append(image.detach().clone())
        return (image - TARGET).sum() * 0 + image.sum()

    optimize(START, noted, "lbfgs", Budget(1, first_step_rms=rms))
    assert float((seen[1] - seen[0]).square().mean().sqrt()) == pytest.approx(rms, rel=1e-4)
