"""The function form of the Lasso: its norm, its units, its nodes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import ARCHITECTURES, explicit
from scipy.optimize import linprog

from cvxar import LassoProblem, solve
from cvxar.box import maximise_in_box
from cvxar.certificate import certify_least_norm
from cvxar.errors import InputError
from cvxar.least_norm import interpolate
from cvxar.spline import flat
from cvxar.units import units_of

architectures = st.sampled_from([a for a in ARCHITECTURES if a.hinge_cost is not None])


def random_spline(rng, m, architecture, skip):
    t = np.sort(rng.choice(40, m, replace=False)) / 10.0
    cost = 1 / (1 - architecture.sigma.negative_slope)
    return interpolate(flat(t, 1.0, cost, skip), rng.integers(-3, 4, m).astype(float))


@given(architecture=architectures, skip=st.booleans(), m=st.integers(2, 8), seed=st.integers(0, 9999))
def test_norm_is_the_smallest_l1_norm_and_units_attain_it(architecture, skip, m, seed):
    spline = random_spline(np.random.default_rng(seed), m, architecture, skip)
    features = architecture.dictionary(spline.t).enumerate()
    matrix = np.column_stack([f(spline.t) for f in features])
    free = np.column_stack([np.ones(m), spline.t] if skip else [np.ones(m)])
    k, q = matrix.shape[1], free.shape[1]
    answer = linprog(
        np.r_[np.ones(2 * k), np.zeros(q)],
        A_eq=np.hstack([matrix, -matrix, free]),
        b_eq=spline.curve(),
        bounds=[(0, None)] * (2 * k) + [(None, None)] * q,
    )
    assert spline.norm == pytest.approx(answer.fun, rel=1e-7, abs=1e-7)
    units = units_of(spline, spline.t, architecture.sigma, 0)
    assert np.sum(np.abs(units.coef)) == pytest.approx(spline.norm, rel=1e-12, abs=1e-12)
    values = units.level + units.linear * spline.t
    values = values + sum(z * f(spline.t) for z, f in zip(units.coef, units.features, strict=True))
    np.testing.assert_allclose(values, spline.curve(), atol=1e-11)


@given(m=st.integers(3, 12), seed=st.integers(0, 9999))
def test_adding_and_dropping_nodes_keep_the_function(m, seed):
    rng = np.random.default_rng(seed)
    spline = random_spline(rng, m, ARCHITECTURES[0], True)
    inner = np.setdiff1d(np.arange(m), spline.nodes)
    wider = spline.with_nodes(inner, np.ones(len(inner)))
    np.testing.assert_allclose(wider.curve(), spline.curve(), atol=1e-12)
    back = wider.without(np.isin(wider.nodes, inner))
    np.testing.assert_allclose(back.slope, spline.slope, atol=1e-9)
    np.testing.assert_array_equal(back.nodes, spline.nodes)


@given(seed=st.integers(0, 9999), kink=st.floats(-2, 2), ends=st.floats(-2, 2))
def test_node_gradient_is_the_gradient(seed, kink, ends):
    rng = np.random.default_rng(seed)
    spline = random_spline(rng, 6, ARCHITECTURES[0], False)
    step = rng.normal(size=len(spline.nodes))
    moved = replace(spline, value=step, slope=np.diff(step) / spline.gaps)
    value = kink * float(spline.sign[1:-1] @ moved.kinks) + ends * moved.end_slopes
    assert spline.node_gradient(kink, ends) @ step == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(size=st.integers(1, 5), rank=st.integers(1, 5), seed=st.integers(0, 9999))
def test_box_maximum_satisfies_its_optimality_conditions(size, rank, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(rank, size))
    matrix, linear = root.T @ root, root.T @ rng.normal(size=rank)
    lower, upper = -rng.uniform(0, 1, size), rng.uniform(0, 1, size)
    x = maximise_in_box(matrix, linear, lower, upper)
    slope = linear - matrix @ x
    assert np.all((x >= lower) & (x <= upper))
    assert np.all((slope <= 1e-9) | (x >= upper))
    assert np.all((slope >= -1e-9) | (x <= lower))


@given(architecture=architectures, skip=st.booleans(), seed=st.integers(0, 9999), columns=st.integers(1, 2))
def test_minimum_norm_is_minimal_and_certified(architecture, skip, seed, columns):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    x, y = rng.integers(0, 8, size=(n, columns)) / 2.0, rng.integers(-3, 4, n).astype(float)
    problem = LassoProblem(x, y, beta=0, architecture=architecture, skip=skip)
    solution = solve(problem)
    matrix, free = explicit(problem)
    best = np.linalg.lstsq(np.hstack([matrix, free]), y, rcond=None)[0]
    target = np.hstack([matrix, free]) @ best
    np.testing.assert_allclose(solution.fitted, target, atol=1e-7)
    k, q = matrix.shape[1], free.shape[1]
    answer = linprog(
        np.r_[np.ones(2 * k), np.zeros(q)],
        A_eq=np.hstack([matrix, -matrix, free]),
        b_eq=target,
        bounds=[(0, None)] * (2 * k) + [(None, None)] * q,
    )
    if answer.status == 0:
        assert solution.l1_norm == pytest.approx(answer.fun, rel=1e-7, abs=1e-7)
    assert solution.certificate.relative_gap <= 1e-7
    small = solve(problem.with_beta(1e-9)).l1_norm if problem.beta_max > 1e-6 else solution.l1_norm
    assert small == pytest.approx(solution.l1_norm, rel=1e-5, abs=1e-6)


def test_minimum_norm_needs_a_constant():
    with pytest.raises(InputError, match="beta=0 needs the constant"):
        solve(LassoProblem([0.0, 1.0], [0.0, 1.0], beta=0, fit_intercept=False))


def test_least_norm_certificate_refuses_points_that_do_not_fit():
    from cvxar.errors import SolverError

    rng = np.random.default_rng(0)
    problem = LassoProblem(rng.normal(size=9), rng.normal(size=9), beta=0.5)
    solution = solve(problem)
    with pytest.raises(SolverError, match="does not minimise the loss"):
        certify_least_norm(problem.with_beta(0), solution.point, solution.dual)
