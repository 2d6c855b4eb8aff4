"""Every loss on every architecture against Clarabel on the written-out dictionary: no proof is too good."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import ARCHITECTURES, explicit, inputs, most_inputs, orthonormal

from cvxar import LassoProblem, losses, solve

cp = pytest.importorskip("cvxpy")

LOSSES = [losses.Squared(), losses.Quantile(0.3), losses.Absolute(), losses.Huber(0.3), losses.Huber(9.0)]


@st.composite
def any_problems(draw):
    """Several columns, equal ones included, ties, offsets; beta between 1e-4 and 1.2 times beta_max."""
    architecture, loss = draw(st.sampled_from(ARCHITECTURES)), draw(st.sampled_from(LOSSES))
    n = draw(st.integers(2, min(12, most_inputs(architecture))))
    x = draw(inputs(n, draw(st.integers(1, 2))))
    x = np.column_stack([x, x[:, 0] * draw(st.sampled_from([1.0, -2.0]))]) if draw(st.booleans()) else x
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = np.abs(x[:, 0] - np.median(x)) / max(np.ptp(x), 1.0)
    y = y + rng.normal(size=n) * draw(st.sampled_from([0.01, 1.0]))
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, loss=loss, skip=draw(st.booleans()))
    return problem.with_beta(problem.beta_max * 10.0 ** draw(st.floats(-4, 0.1)))


def reached_by_clarabel(problem):
    """Objective of the point that Clarabel finds, evaluated exactly: an upper bound on the optimum."""
    matrix, free = (part - part.mean(axis=0) for part in explicit(problem))
    size = np.maximum(np.max(np.abs(matrix), axis=0), 1e-12)
    matrix, basis = matrix / size, orthonormal(np.column_stack([np.ones(len(problem.y)), free]))
    z, g = cp.Variable(matrix.shape[1]), cp.Variable(basis.shape[1])
    rest, loss = problem.y - matrix @ z - basis @ g, problem.loss
    if loss.curvature > 0:
        each = cp.square(rest) / 2 if loss.quadratic else cp.huber(rest, loss.upper) / 2
    else:
        each = cp.maximum(loss.upper * rest, loss.lower * rest)
    price = (problem.beta / size) @ cp.abs(z)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Solution may be inaccurate")
            cp.Problem(cp.Minimize(cp.sum(each) + price)).solve(
                solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11
            )
    except cp.SolverError:
        return None
    if z.value is None:
        return None
    found = problem.y - matrix @ z.value - basis @ g.value
    return problem.loss.value(found) + problem.beta * float(np.sum(np.abs(z.value) / size))


@settings(max_examples=60)
@given(problem=any_problems())
def test_no_bound_is_above_an_optimum_found_by_another_solver(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a gap above tol is no proof, but its lower bound must hold
        solution = solve(problem)
    certificate, other = solution.verify(), reached_by_clarabel(problem)
    if other is None:
        return
    assert certificate.dual <= other * (1 + 1e-9) + certificate.floor
    if certificate.holds(1e-8):
        assert certificate.primal <= other * (1 + 2e-8) + certificate.floor


SEVERAL = {
    "the same column twice": lambda rng, n: rng.normal(size=(n, 1))[:, [0, 0]],
    "ties": lambda rng, n: rng.integers(0, 3, size=(n, 2)).astype(float),
    "a constant column": lambda rng, n: np.column_stack([rng.normal(size=n), np.ones(n)]),
    "mirrored columns": lambda rng, n: rng.normal(size=(n, 1)) * [1.0, -1.0],
}


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES if a.depth == 3], ids=repr)
def test_deep_networks_of_several_columns_are_certified(architecture, name, loss):
    """Solved on features, which hold equal columns many times over."""
    for n in (5, 14):
        rng = np.random.default_rng(n)
        x = SEVERAL[name](rng, n)
        problem = LassoProblem(x, rng.normal(size=n), beta=1.0, architecture=architecture, loss=loss)
        for ratio in (0.5, 1e-3):
            assert solve(problem.with_beta(ratio * problem.beta_max)).verify().holds(1e-8)
