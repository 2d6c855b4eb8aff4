"""Networks of capped ramps: the solver on nodal values equals its literal twin and the feature-space one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import inputs

from cvxar import LassoProblem, solve
from cvxar.architectures import DeepNarrow, Symmetrized
from cvxar.certificate import certify, certify_least_norm
from cvxar.column_search import search_columns
from cvxar.least_norm_columns import least_norm_columns
from cvxar.ramp_search import RampSetting, RampState
from cvxar.ramps import ramps_of

RAMPS = [DeepNarrow("relu", 3), DeepNarrow("relu", 5), Symmetrized()]


@st.composite
def ramp_problems(draw, most=40):
    """One column, ties and weights included; beta between 1e-5 and 1.1 times beta_max."""
    n = draw(st.integers(2, most))
    x = draw(inputs(n))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    y = np.abs(x[:, 0] - np.median(x)) / max(np.ptp(x), 1.0) + rng.normal(size=n)
    weight = rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None
    architecture, skip = draw(st.sampled_from(RAMPS)), draw(st.booleans())
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip, sample_weight=weight)
    return problem.with_beta(problem.beta_max * 10.0 ** draw(st.floats(-5, 0.05)))


@given(problem=ramp_problems())
def test_nodal_values_give_the_optimum_of_the_features(problem):
    fast = solve(problem)
    point, dual, _ = search_columns(problem, 1e-12, 500, False)
    slow = certify(problem, point, dual)
    assert fast.certificate.holds(1e-9)
    assert fast.certificate.primal == pytest.approx(slow.primal, rel=1e-9, abs=slow.floor)
    assert fast.l1_norm == pytest.approx(point.l1_norm, rel=1e-5, abs=1e-9 * (1 + fast.l1_norm))


@given(problem=ramp_problems(25))
def test_the_limit_of_no_penalty_equals_the_linear_programme(problem):
    problem = problem.with_beta(0.0)
    fast = solve(problem)
    point, dual, _ = least_norm_columns(problem)
    slow = certify_least_norm(problem, point, dual)
    assert fast.certificate.holds(1e-9)
    assert fast.l1_norm == pytest.approx(slow.primal, rel=1e-7, abs=slow.floor)


def restricted_optimum(how, nodes, sign):
    """Values at the nodes and outer slope by dense least squares over literal hat functions."""
    t, weight = how.cells.anchor, how.cells.moments[:, 0]
    target = how.cells.moments[:, 3] / weight
    hats = np.array([np.interp(t, t[nodes], row) for row in np.eye(len(nodes))]).T
    beyond = np.minimum(t - t[nodes[0]], 0) + np.maximum(t - t[nodes[-1]], 0)
    outer = 0.0 if how.skip else -how.cells.tilted
    columns = np.column_stack([hats, beyond]) if how.skip else hats
    fixed = outer * beyond
    bends = np.zeros((len(nodes), len(nodes)))  # slope changes as a function of the values
    for j, gap in enumerate(np.diff(t[nodes])):
        rise = np.eye(len(nodes))[j + 1] - np.eye(len(nodes))[j]
        bends[j] += rise / gap
        bends[j + 1] -= rise / gap
    cost = how.penalty * sign @ bends
    cost = np.append(cost, how.penalty * (sign[-1] - sign[0])) if how.skip else cost
    gram = columns.T @ (weight[:, None] * columns)
    answer = np.linalg.solve(gram, columns.T @ (weight * (target - fixed)) - cost)
    return columns @ answer + fixed


@given(problem=ramp_problems(30), data=st.data())
def test_one_step_solves_the_restricted_problem(problem, data):
    """From any state, kinks of whatever sign: the full step equals dense normal equations."""
    from cvxar import kernel_ramps

    cells = problem.design.cells
    m = len(cells.anchor) - problem.skip
    if m < 2:
        return
    chosen = data.draw(st.sets(st.integers(0, m - 1), min_size=min(2, m), max_size=min(m, 6)))
    nodes, rng = np.array(sorted(chosen)), np.random.default_rng(0)
    how = RampSetting(cells, 1e-2, problem.skip)
    sign = rng.choice([-1.0, 1.0], len(nodes))
    value = rng.normal(size=len(nodes))
    state = RampState(nodes, value, np.diff(value) / np.diff(cells.anchor[nodes]), how.flat().outer, sign)
    step, change, turn = kernel_ramps.full_step(
        cells.anchor, cells.moments, *state, how.penalty, problem.skip
    )
    moved = (nodes, value + step, state.slope + change, state.outer + turn)
    more, level, incline = kernel_ramps.padded(cells.anchor, *moved)
    piece = np.clip(np.searchsorted(more, np.arange(len(cells.anchor)), side="right") - 1, 0, len(nodes))
    fit = level[piece] + incline[piece] * (cells.anchor - cells.anchor[more[piece]])
    slow = restricted_optimum(how, nodes, sign)
    np.testing.assert_allclose(fit, slow, rtol=1e-6, atol=1e-6 * (1 + np.max(np.abs(slow))))


@given(problem=ramp_problems(30))
def test_the_monotone_mode_reaches_the_same_restricted_optimum(problem):
    cells = problem.design.cells
    penalty = problem.beta * problem.design.beta_scale(0) * problem.architecture.ramp_form.cost / 2
    how = RampSetting(cells, penalty, problem.skip)
    flat = how.settled(how.flat())
    wide, _ = how.widened(flat, how.price(flat).excess, 3)
    before = how.price(flat).primal
    fast, slow = how.price(how.settled(wide)).primal, how.price(how.settled(wide, monotone=True)).primal
    assert slow <= before * (1 + 1e-12)
    assert fast == pytest.approx(slow, rel=1e-9) or fast > slow


@given(inner=st.lists(st.floats(-10, 10).map(lambda v: round(v, 3)), min_size=1, max_size=12))
def test_ramps_bend_by_the_kinks_at_least_cost(inner):
    kinks = np.append(inner, -np.sum(inner))
    starts, stops, amount = ramps_of(kinks)
    bends = np.zeros(len(kinks))
    np.add.at(bends, starts, amount)
    np.add.at(bends, stops, -amount)
    np.testing.assert_allclose(bends, kinks, atol=1e-12 * (1 + np.abs(kinks).sum()))
    assert np.abs(amount).sum() == pytest.approx(np.abs(kinks).sum() / 2)
    assert np.all(starts < stops)
    assert len(amount) < max(np.count_nonzero(kinks), 1)


def test_a_long_walk_without_penalty_is_interpolated():
    """Prices in cents: the closed form meets the mean target of every input and is certified minimal."""
    rng = np.random.default_rng(1)
    x = np.round(100 + np.cumsum(rng.normal(size=5_000)), 2)
    y = x + rng.normal(size=len(x))
    solution = solve(LassoProblem(x, y, beta=0.0, architecture="deep_relu", skip=True))
    assert solution.certificate.holds(1e-8)
    _, position, count = np.unique(x, return_inverse=True, return_counts=True)
    mean = np.bincount(position, weights=y) / count
    np.testing.assert_allclose(solution.fitted, mean[position], rtol=1e-7)
