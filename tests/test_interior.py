"""The interior-point method reaches the optimum from wherever it starts."""

import numpy as np
import pytest

from cvxar import LassoProblem, losses, solve
from cvxar.architectures import Symmetrized
from cvxar.dense_rows import DenseRows
from cvxar.interior import Programme, maximise


def programme(rng):
    """Return a random regression with bounded slopes, some unknowns penalised."""
    n, k = int(rng.integers(3, 25)), int(rng.integers(1, 6))
    penalised = int(rng.integers(0, k + 1))
    matrix = rng.normal(size=(n, k))
    target = np.concatenate([np.round(rng.normal(size=n), int(rng.integers(0, 2))), np.zeros(penalised)])
    weight, cost = rng.uniform(0.5, 3.0, n), rng.uniform(0.01, 5.0, penalised)
    lower, upper = rng.uniform(0.1, 1.0, 2)
    curvature = rng.choice([0.0, 0.3, 1.0, 2.0]) / weight
    return Programme(
        DenseRows(matrix, penalised),
        target / max(np.max(np.abs(target)), 1.0),
        np.concatenate([-lower * weight, -cost]),
        np.concatenate([upper * weight, cost]),
        np.concatenate([curvature, np.zeros(penalised)]),
    )


@pytest.mark.parametrize("block", range(3))
def test_every_start_leads_to_the_optimum(block):
    for seed in range(100 * block, 100 * block + 100):
        rng = np.random.default_rng(seed)
        problem = programme(rng)
        k = problem.rows.matrix.shape[1]
        for size in (0.0, 0.1, 10.0):
            best = maximise(problem, size * rng.normal(size=k), 1e-10)
            assert abs(best.gap) <= 1e-9 * best.value + 1e-15


def test_circles_of_the_corrector_are_left():
    x = [0.79606242, 1.87707913, 2.11700597, 1.56082079, 1.63321944, -0.42792264]
    y, weight = [0.5, 0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 3.0, 3.0, 2.0, 2.0, 2.0]
    problem = LassoProblem(
        x, y, beta=1.0, architecture=Symmetrized(), loss=losses.Huber(0.3), sample_weight=weight
    )
    assert solve(problem).certificate.holds(1e-8)


@pytest.mark.parametrize("loss", [losses.Huber(0.3), losses.Absolute(), losses.Quantile(0.1)])
def test_a_perfect_unpenalised_fit_has_no_beta_max(loss):
    x, weight = np.array([997.9, 999.8, 1003.1]), [0.3, 1.7, 0.9]
    assert LassoProblem(x, [0.5] * 3, beta=1.0, loss=loss, sample_weight=weight).beta_max == 0
    exact = LassoProblem(x, 0.3 * x + 7, beta=1.0, loss=loss, sample_weight=weight, skip=True)
    assert exact.beta_max == 0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("loss", [losses.Absolute(), losses.Quantile(0.3)])
def test_beta_max_is_the_smallest_one_without_any_unpenalised_column(loss, seed):
    """Targets of 0 leave the dual vector open; a wrong one puts beta_max too high."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=13), 1.0 * (rng.random(13) < 0.25)
    problem = LassoProblem(x, y, beta=1.0, loss=loss, fit_intercept=False)
    for share, active in ((1.0, False), (0.999, True), (0.3, True)):
        solution = solve(problem.with_beta(share * problem.beta_max))
        assert solution.certificate.holds(1e-8)
        assert (solution.l1_norm > 0) == active
