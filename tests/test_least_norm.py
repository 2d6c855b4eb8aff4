"""No penalty: the interpolation of least l1 norm, certified for every architecture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import ARCHITECTURES, explicit, problems
from scipy.optimize import linprog, minimize

from cvxar import LassoProblem, solve
from cvxar.activations import Homogeneous
from cvxar.architectures import DeepNarrow, TwoLayer
from cvxar.certificate import certify_least_norm
from cvxar.least_norm_columns import least_norm_columns

CHAINS = [
    a for a in ARCHITECTURES if isinstance(a, TwoLayer | DeepNarrow) and isinstance(a.sigma, Homogeneous)
]


@settings(max_examples=40)
@given(problem=problems(max_n=9))
def test_least_norm_equals_a_linear_programme_on_the_explicit_dictionary(problem):
    problem = problem.with_beta(0.0)
    solution = solve(problem)
    assert solution.certificate.holds(1e-8)
    matrix, free = explicit(problem)
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12)
    free = free / np.maximum(np.abs(free).max(axis=0), 1e-12)
    size = np.max(np.abs(solution.fitted))
    answer = linprog(
        np.r_[1 / scale, 1 / scale, np.zeros(free.shape[1])],
        A_eq=np.hstack([matrix / scale, -matrix / scale, free]),
        b_eq=solution.fitted / size,
        bounds=[(0, None)] * (2 * matrix.shape[1]) + [(None, None)] * free.shape[1],
    )
    if answer.status == 0:
        assert solution.l1_norm == pytest.approx(answer.fun * size, rel=1e-5, abs=1e-6 * size)


def test_the_toy_sets_have_their_minimum_norms():
    """Depths 2, 3, 4 of the ReLU network: 1.5, 0.75, 0.75; 4, 4, 4; 2, 1, 1."""
    toys = {
        ((0, 2, 6, 7), (0, 0, 3, 3)): (1.5, 0.75, 0.75),
        ((0, 2, 6, 7), (0, 0, 3, 7)): (4, 4, 4),
        ((0, 4, 5, 7, 10, 11), (0, 0, 0, 2, 3, 3)): (2, 1, 1),
    }
    for (x, y), norms in toys.items():
        for architecture, norm in zip((TwoLayer(), DeepNarrow(), DeepNarrow(depth=4)), norms, strict=True):
            assert solve(LassoProblem(x, y, beta=0.0, architecture=architecture)).l1_norm == pytest.approx(
                norm
            )


@pytest.mark.parametrize("architecture", CHAINS, ids=repr)
def test_restarts_of_a_local_optimiser_never_go_below_the_optimum(architecture):
    """The non-convex objective itself, two layers and deep chains, from 6 random starts."""
    rng, hidden, units = np.random.default_rng(0), architecture.depth - 1, 4
    x, y, beta = rng.normal(size=6), rng.normal(size=6), 0.2
    optimum = solve(LassoProblem(x, y, beta=beta, architecture=architecture)).certificate

    def objective(theta):
        weights, biases, outer = np.split(theta[1:], [hidden * units, 2 * hidden * units])
        value = np.tile(x[:, None], units)
        for w, b in zip(weights.reshape(hidden, -1), biases.reshape(hidden, -1), strict=True):
            value = architecture.sigma(value * w + b)
        penalty = np.sum(np.abs(np.r_[weights, outer]) ** architecture.depth) / architecture.depth
        return np.sum((y - theta[0] - value @ outer) ** 2) / 2 + beta * penalty

    reached = [
        minimize(objective, rng.normal(size=1 + units * (2 * hidden + 1)), options={"maxiter": 60}).fun
        for _ in range(6)
    ]
    assert min(reached) >= optimum.dual * (1 - 1e-9)


@pytest.mark.parametrize("architecture", ["relu", "abs", "deep_relu"])
@pytest.mark.parametrize("nearly", [0.0, 1e-10])
def test_dependent_unpenalised_columns_are_no_obstacle(architecture, nearly):
    rng = np.random.default_rng(0)
    x, g, noise = rng.normal(size=(3, 60))
    y = np.abs(x) + 0.3 * rng.normal(size=60)
    twice = np.column_stack([g, g * (1 + nearly * noise)])
    common = {"beta": 0.0, "architecture": architecture, "skip": True}
    solution = solve(LassoProblem(x, y, exog=twice, **common))
    assert solution.certificate.holds(1e-8)
    once = np.column_stack([g, g * noise]) if nearly else g
    assert solution.l1_norm == pytest.approx(solve(LassoProblem(x, y, exog=once, **common)).l1_norm, rel=1e-5)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    activation=st.sampled_from(["sign", "threshold"]),
    columns=st.integers(1, 3),
    loss=st.sampled_from(["squared", "absolute", "huber"]),
    skip=st.booleans(),
    exog=st.booleans(),
)
def test_sparse_steps_equal_the_dense_programme(seed, activation, columns, loss, skip, exog):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 30))
    x = rng.normal(size=(n, columns))
    tied = loss == "squared" or (columns == 1 and not exog)
    problem = LassoProblem(
        np.round(x, 1) if tied else x,
        rng.normal(size=n),
        beta=0.0,
        architecture=activation,
        loss=loss,
        skip=skip,
        exog=rng.normal(size=(n, 1)) if exog else None,
        sample_weight=rng.uniform(0.1, 2.0, n),
    )
    sparse = solve(problem)
    assert sparse.certificate.holds(1e-8)
    point, dual, _ = least_norm_columns(problem)
    dense = certify_least_norm(problem, point, dual)
    assert sparse.l1_norm == pytest.approx(dense.primal, rel=1e-7, abs=dense.floor + 1e-12)


@pytest.mark.parametrize("activation", ["sign", "threshold"])
@pytest.mark.parametrize("columns", [1, 2])
def test_minimum_norms_of_steps_have_no_largest_size(activation, columns):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_500, columns))
    y = np.abs(x[:, 0]) + 0.3 * rng.normal(size=len(x))
    solution = solve(LassoProblem(x, y, beta=0.0, architecture=activation))
    assert solution.certificate.holds(1e-10)
    if columns == 1:
        height = 2 if activation == "sign" else 1
        assert solution.l1_norm == pytest.approx(np.sum(np.abs(np.diff(y[np.argsort(x[:, 0])]))) / height)
