"""Nodal values for losses of bounded slope: the operator, and agreement with the features."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import inputs

from cvxar import LassoProblem, losses, solve
from cvxar.architectures import TwoLayer
from cvxar.bounded_columns import search_bounded_columns
from cvxar.bounded_nodes import search_bounded_nodes
from cvxar.certificate import certify
from cvxar.interior import maximise
from cvxar.nodal_rows import NodalRows
from cvxar.ordered import ordered_rows
from cvxar.spline import flat

LOSSES = [losses.Absolute(), losses.Quantile(0.1), losses.Quantile(0.7), losses.Huber(0.4)]
KINDS = [TwoLayer("relu"), TwoLayer("abs"), TwoLayer("leaky_relu", 0.4), TwoLayer("leaky_relu", -0.5)]


@given(nodes=st.integers(2, 7), ends=st.booleans(), seed=st.integers(0, 999))
def test_rows_are_the_matrix_written_out(nodes, ends, seed):
    """Fitted values by interpolation, then slope changes; adjoint and normal matrix are theirs."""
    rng = np.random.default_rng(seed)
    knots = np.sort(rng.uniform(size=30))
    chosen = np.unique(np.concatenate([[0, 29], rng.integers(1, 29, nodes - 2)]))
    t = knots[chosen]
    segment = np.minimum(np.searchsorted(t, knots, side="right") - 1, len(t) - 2)
    share = (knots - t[segment]) / np.diff(t)[segment]
    rows = NodalRows(share, np.bincount(segment), np.diff(t), ends)
    slopes = np.diff(np.eye(len(t)), axis=0) / np.diff(t)[:, None]
    hats = np.array([np.interp(knots, t, unit) for unit in np.eye(len(t))]).T
    tail = [slopes[0] + slopes[-1]] if ends else []
    matrix = np.vstack([hats, np.diff(slopes, axis=0), *tail])
    v, dual, theta = rng.normal(size=len(t)), rng.normal(size=len(matrix)), rng.uniform(0.1, 10, len(matrix))
    np.testing.assert_allclose(rows.forward(v), matrix @ v, rtol=1e-9, atol=1e-9 * np.abs(matrix).max())
    np.testing.assert_allclose(
        rows.adjoint(dual), matrix.T @ dual, rtol=1e-9, atol=1e-9 * np.abs(matrix).max()
    )
    normal = matrix.T @ (theta[:, None] * matrix)
    np.testing.assert_allclose(normal @ rows.normal(theta)(v), v, atol=1e-6 * np.abs(v).max())


@st.composite
def one_column_problems(draw):
    n = draw(st.integers(3, 40))
    x = draw(inputs(n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = np.abs(x[:, 0] - np.median(x)) / max(float(np.ptp(x)), 1.0) + rng.standard_t(3, size=n)
    problem = LassoProblem(
        x,
        y + draw(st.sampled_from([0.0, 3.0])) * x[:, 0] / max(float(np.ptp(x)), 1e-9),
        beta=1.0,
        architecture=draw(st.sampled_from(KINDS)),
        loss=draw(st.sampled_from(LOSSES)),
        skip=draw(st.booleans()),
        sample_weight=rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None,
    )
    assume(problem.beta_max > 1e-6)
    return problem.with_beta(problem.beta_max * 10.0 ** draw(st.floats(-4, 0.1)))


@settings(max_examples=80)
@given(problem=one_column_problems())
def test_nodal_values_and_features_give_the_same_optimum(problem):
    """Where the nodal search answers, its own certificate may stop short only beside tiny segments."""
    point, dual, _ = search_bounded_columns(problem, 1e-9, 200)
    reference = certify(problem, point, dual)
    assert reference.relative_gap <= 1e-8
    found = search_bounded_nodes(problem, 1e-9, 200)
    if found is not None:
        reached = certify(problem, found[0], found[1])
        assert reached.dual <= reference.primal * (1 + 1e-9)
        assert reached.primal >= reference.dual * (1 - 1e-9)
    assert solve(problem).certificate.primal == pytest.approx(reference.primal, rel=2e-8)


def test_many_points_equal_the_sparse_linear_programme(hourly):
    """The full programme in function values and slope changes, by HiGHS, on 1,500 hourly returns."""
    from scipy import optimize, sparse

    returns = np.diff(np.log(hourly[:1502]))
    problem = LassoProblem(returns[:-1], returns[1:], beta=1.0, skip=True, loss=losses.Quantile(0.1))
    problem = problem.with_beta(0.02 * problem.beta_max)
    (column,) = problem.design.columns
    m, n = len(column.knots), len(returns) - 1
    gaps = np.diff(column.t)
    slopes = sparse.diags(1 / gaps) @ (sparse.eye(m - 1, m, k=1) - sparse.eye(m - 1, m))
    bends = (sparse.eye(m - 2, m - 1, k=1) - sparse.eye(m - 2, m - 1)) @ slopes
    pick = sparse.csr_matrix((np.ones(n), (np.arange(n), column.position)), shape=(n, m))
    unit, kink = sparse.eye(n), sparse.eye(m - 2)
    matrix = sparse.bmat([[pick, unit, -unit, None, None], [bends, None, None, kink, -kink]])
    price = np.full(2 * (m - 2), problem.beta / column.scale)
    answer = optimize.linprog(
        np.concatenate([np.zeros(m), np.full(n, 0.1), np.full(n, 0.9), price]),
        A_eq=matrix.tocsc(),
        b_eq=np.concatenate([problem.design.e, np.zeros(m - 2)]),
        bounds=[(None, None)] * m + [(0, None)] * (2 * n + 2 * (m - 2)),
        method="highs",
    )
    solution = solve(problem)
    assert solution.certificate.holds(1e-8)
    assert solution.certificate.primal == pytest.approx(answer.fun * problem.design.y_scale, rel=1e-7)
    assert len(solution.coef) > 3


@given(seed=st.integers(0, 999), tau=st.sampled_from([0.05, 0.5, 0.8]), weighted=st.booleans())
@settings(max_examples=15)
def test_far_observations_may_be_merged(seed, tau, weighted):
    """The programme with merged rows has the value and the balance of the one with every observation."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=400).round(2), rng.standard_t(3, size=400)
    weight = rng.uniform(0.5, 2.0, 400) if weighted else None
    problem = LassoProblem(x, y, beta=20.0, skip=True, loss=losses.Quantile(tau), sample_weight=weight)
    rows = ordered_rows(problem.design, problem.loss)
    spline = flat(rows.t, 20.0 / problem.design.columns[0].scale, 1.0, True)
    inner = np.array([len(rows.t) // 4, len(rows.t) // 2])
    spline = spline.with_nodes(inner, np.ones(2))
    full = maximise(rows.restricted(spline, False, None).programme, spline.value, 1e-12)
    moved = replace(spline, value=full.unknowns, slope=np.diff(full.unknowns) / spline.gaps)
    residual = rows.target - moved.curve()[rows.place]
    sides = np.sign(residual) * (np.abs(residual) > np.quantile(np.abs(residual), 0.2))
    fewer = rows.restricted(spline, False, sides)
    best = maximise(fewer.programme, spline.value, 1e-12)
    assert len(fewer.rows.target) < 100
    assert best.value == pytest.approx(full.value, rel=1e-9)
    weights = problem.design.weight[np.argsort(problem.design.columns[0].position, kind="stable")]
    assert rows.value(residual) == pytest.approx(problem.loss.value(residual, weights))
    dual = fewer.dual(rows, best.dual)
    assert np.all(dual <= rows.upper * (1 + 1e-12))
    assert np.all(dual >= rows.lower * (1 + 1e-12))
    assert abs(dual.sum()) + abs(dual @ rows.inputs) <= 1e-9 * len(dual)
