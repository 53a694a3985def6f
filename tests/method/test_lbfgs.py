"""L-BFGS on functions whose lowest point is known."""

import contextlib

import pytest
import torch

from vidstyle.method.lbfgs import descend


class DoneError(Exception):
    """The budget is used up."""


def lowest(function, start, most_evaluations, history=10, first_step_rms=0.1):
    """Returns the losses seen, and the values of the lowest."""
    losses, values_seen = [], []

    def evaluate(values):
        if len(losses) == most_evaluations:
            raise DoneError
        values = values.detach().requires_grad_()
        loss = function(values)
        (gradient,) = torch.autograd.grad(loss, values)
        losses.append(float(loss.detach()))
        values_seen.append(values.detach().clone())
        return losses[-1], gradient

    with contextlib.suppress(DoneError):
        descend(start, evaluate, history, first_step_rms)
    return losses, values_seen[losses.index(min(losses))]


def test_a_quadratic_of_few_curvatures_is_solved_in_few_steps():
    curvatures = torch.tensor([1.0, 10.0, 100.0, 1000.0]).repeat(50)
    target = torch.rand(200, generator=torch.Generator().manual_seed(1))
    losses, best = lowest(lambda x: (curvatures * (x - target) ** 2).sum(), torch.zeros(200), most_evaluations=40)
    assert losses[0] > 1000
    assert min(losses) < 1e-6
    torch.testing.assert_close(best, target, atol=1e-3, rtol=0)


def test_a_curved_valley_is_followed():
    def rosenbrock(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    losses, best = lowest(rosenbrock, torch.tensor([-1.2, 1.0]), most_evaluations=120)
    assert min(losses) < 1e-6
    torch.testing.assert_close(best, torch.ones(2), atol=1e-2, rtol=0)


@pytest.mark.parametrize("rms", [0.001, 0.05])
def test_the_first_step_has_the_length_that_was_asked_for(rms):
    seen = []

    def evaluate(values):
        seen.append(values)
        if len(seen) == 2:
            raise DoneError
        return 1.0, torch.linspace(-3, 8, 100)

    with pytest.raises(DoneError):
        descend(torch.zeros(100), evaluate, 10, rms)
    assert float(seen[1].square().mean().sqrt()) == pytest.approx(rms)


def test_a_step_that_is_too_long_is_made_shorter():
    losses, _ = lowest(lambda x: (x**2).sum(), torch.full((4,), 0.01), most_evaluations=8, first_step_rms=5)
    assert losses[1] > losses[0]
    assert min(losses) < 1e-8


def test_a_flat_function_ends_the_search():
    losses, best = lowest(lambda x: (0 * x).sum(), torch.ones(5), most_evaluations=10)
    assert losses == [0]
    assert best.tolist() == [1] * 5


def test_only_so_many_steps_are_remembered():
    curvatures = torch.logspace(0, 4, 60)
    short, long = (
        min(lowest(lambda x: (curvatures * (x - 1) ** 2).sum(), torch.zeros(60), 60, history)[0]) for history in (2, 20)
    )
    assert long < 0.7 * short
