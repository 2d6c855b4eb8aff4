"""The exact path against solves of their own, and against least-angle regression on explicit columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import explicit, inputs, orthonormal

from cvxar import LassoProblem, solve, solve_path
from cvxar.architectures import TwoLayer
from cvxar.errors import InputError
from cvxar.homotopy import between

KINDS = [TwoLayer("relu"), TwoLayer("abs"), TwoLayer("leaky_relu", 0.6), TwoLayer("leaky_relu", -0.5)]


def projected(problem):
    """Columns and target of the explicit Lasso, weighted, with the unpenalised part removed."""
    matrix, free = explicit(problem)
    root = np.sqrt(np.ones(len(problem.y)) if problem.sample_weight is None else problem.sample_weight)
    centred = np.column_stack([np.ones(len(root)), free[:, 1] - free[:, 1].mean()])
    basis = orthonormal(root[:, None] * centred)
    columns, target = root[:, None] * matrix, root * problem.y
    return columns - basis @ (basis.T @ columns), target - basis @ (basis.T @ target)


def distinct(matrix):
    """The columns that differ by more than sign, and are not zero: what least-angle regression can take."""
    keep = []
    for j in range(matrix.shape[1]):
        column = matrix[:, j]
        twins = [min(np.max(np.abs(column - s * matrix[:, i])) for s in (1, -1)) for i in keep]
        if np.max(np.abs(column)) > 1e-9 and min(twins, default=1.0) > 1e-9:
            keep.append(j)
    return matrix[:, keep]


@pytest.mark.parametrize("architecture", KINDS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_path_is_that_of_least_angle_regression(architecture, weighted):
    from sklearn.linear_model import lars_path

    rng = np.random.default_rng(3)
    x = np.round(rng.normal(size=24), 1)
    y = np.abs(x) + 0.5 * rng.normal(size=24)
    weight = rng.uniform(0.5, 2.0, 24) if weighted else None
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=True, sample_weight=weight)
    path = solve_path(problem, method="homotopy", min_ratio=1e-3)
    matrix, target = projected(problem)
    matrix = distinct(matrix)
    alphas, _, coefs = lars_path(matrix, target, method="lasso", alpha_min=0.9e-3 * problem.beta_max / 24)
    seen = 0
    for beta, z in zip(24 * alphas, coefs.T, strict=True):
        if not path.betas[-1] < beta < 0.999999 * problem.beta_max:
            continue
        seen += 1
        assert np.min(np.abs(path.betas / beta - 1)) < 1e-8  # an event there is an event here
        objective = 0.5 * np.sum((target - matrix @ z) ** 2) + beta * np.sum(np.abs(z))
        assert path.at(beta).certificate.primal == pytest.approx(objective, rel=1e-9)
    assert seen >= 5


@st.composite
def one_column(draw):
    """One column with ties, offsets, heavy tails; targets noisy or piecewise linear."""
    n = draw(st.integers(2, 40))
    x = draw(inputs(n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = max(float(np.ptp(x)), 1.0)
    y = np.abs(x[:, 0] - np.median(x)) / spread + rng.normal(size=n) * draw(st.sampled_from([0.0, 0.01, 1.0]))
    weight = rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None
    kind = draw(st.sampled_from(KINDS))
    x[0] += float(np.ptp(x) == 0)
    return LassoProblem(x, y, beta=1.0, architecture=kind, skip=True, sample_weight=weight)


@settings(max_examples=150)
@given(one_column(), st.integers(0, 2**32 - 1))
def test_interpolation_is_the_optimum(problem, seed):
    path = solve_path(problem, method="homotopy", min_ratio=1e-2)
    assert all(s.certificate.holds(1e-8) for s in path)
    if problem.beta_max == 0:
        assert path.betas.tolist() == [0.0]
        return
    assert (path.betas[0], path.betas[-1]) == (problem.beta_max, 1e-2 * problem.beta_max)
    assert np.all(np.diff(path.betas) < 0)
    for ratio in 10.0 ** -np.random.default_rng(seed).uniform(0, 2, 8):
        beta = ratio * problem.beta_max
        after = int(np.searchsorted(-path.betas, -beta))
        ours, alone = between(path[after - 1], path[after], beta), solve(problem.with_beta(beta))
        rounding = max(alone.certificate.floor, ours.certificate.floor)
        assert ours.certificate.primal == pytest.approx(alone.certificate.primal, rel=1e-9, abs=rounding)
        assert path.at(beta).certificate.holds(1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_dense_grid_lies_on_the_path(seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(size=300))
    problem = LassoProblem(x, np.sin(x) + rng.normal(size=300), beta=1.0, skip=True)
    path = solve_path(problem, method="homotopy", min_ratio=1e-2)
    for alone in solve_path(problem, n_betas=60, min_ratio=1e-2)[1:-1]:
        after = int(np.searchsorted(-path.betas, -alone.problem.beta))
        ours = between(path[after - 1], path[after], alone.problem.beta)
        assert ours.certificate.primal == pytest.approx(alone.certificate.primal, rel=1e-9)
        np.testing.assert_allclose(ours.fitted, alone.fitted, atol=1e-5 * np.ptp(problem.y))


def test_any_path_answers_at_any_penalty():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    for skip in (False, True):
        problem = LassoProblem(x, np.abs(x) + rng.normal(size=60), beta=1.0, skip=skip)
        path = solve_path(problem, n_betas=3, min_ratio=1e-2)
        for beta in (2 * problem.beta_max, 0.5 * problem.beta_max, path.betas[1], 1e-3 * problem.beta_max):
            alone = solve(problem.with_beta(beta))
            assert path.at(beta).problem.beta == beta
            assert path.at(beta).certificate.primal == pytest.approx(alone.certificate.primal, rel=2e-8)


@pytest.mark.parametrize(
    "given",
    [
        {"skip": False},
        {"loss": "absolute"},
        {"architecture": "deep_relu"},
        {"exog": np.arange(10_001.0) ** 2},
        {"x": np.ones(10_001)},
        {"x": np.ones((10_001, 2)).cumsum(axis=0)},
        {},  # one observation too many
    ],
    ids=str,
)
def test_problems_without_an_exact_path_are_sent_to_the_grid(given):
    n = 12 if "architecture" in given else 10_001
    data = {"x": np.arange(10_001.0)[:n], "y": np.arange(10_001.0)[:n] % 7, "skip": True}
    with pytest.raises(InputError, match='method="grid"'):
        solve_path(LassoProblem(beta=1.0, **(data | given)), method="homotopy")


def test_options_that_do_not_go_together_are_refused():
    problem = LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0, skip=True)
    for options in ({"betas": [0.1]}, {"solver": "osqp"}, {"min_ratio": 0.0}):
        with pytest.raises(InputError):
            solve_path(problem, method="homotopy", **options)
    with pytest.raises(InputError, match="unknown method"):
        solve_path(problem, method="exact")
    with pytest.raises(InputError, match="empty path"):
        solve_path(problem)[:0].at(0.1)
