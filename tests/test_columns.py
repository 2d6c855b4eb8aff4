"""Several columns: compiled passes against matrices written out, block updates, joint steps, hostile ones."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import problems

from cvxar import LassoProblem, normal, solve
from cvxar.block_updates import sweep
from cvxar.certificate import certify
from cvxar.column_search import search_columns
from cvxar.line_step import line_step
from cvxar.nodal import fit_of, full_step, gradient, hats_of, normal_solver
from cvxar.nodal_search import Search, cold_state, prepare, price, search


def nodal(problem):
    varies = all(len(c.knots) > 1 for c in problem.design.columns)
    usable = varies and problem.beta > 0 and problem.architecture.hinge_cost is not None
    return usable and (len(problem.design.columns) > 1 or problem.exog.shape[1] > 0)


def bent(problem):
    """Rows, and a state with kinks of either sign at every second knot of each column."""
    rows, offset, active = prepare(problem)
    state, rng = cold_state(problem, active), np.random.default_rng(0)
    splines = []
    for s in state.splines:
        inner = np.arange(1, len(s.t) - 1, 2)
        s = s.with_nodes(inner, np.where(np.arange(len(inner)) % 2, 1.0, -1.0))
        splines.append(s.moved(rng.normal(size=len(s.nodes))))
    return rows, offset, type(state)(tuple(splines), rng.normal(size=len(state.tail)))


def hats_written_out(rows, state):
    """One row an observation, one column an unknown."""
    blocks = [
        np.array([np.interp(s.t, s.t[s.nodes], one) for one in np.eye(len(s.nodes))]).T[position]
        for s, position in zip(state.splines, rows.positions, strict=True)
    ]
    return np.hstack([*blocks, rows.extra])


@given(problem=problems(max_columns=3))
def test_passes_over_the_rows_equal_the_matrix_written_out(problem):
    if not nodal(problem):
        return
    rows, _, state = bent(problem)
    hats, matrix = hats_of(rows, state), hats_written_out(rows, state)
    step = np.random.default_rng(1).normal(size=matrix.shape[1])
    scale = 1e-9 * (1 + np.abs(rows.extra).max())
    np.testing.assert_allclose(hats.fit(step), matrix @ step, atol=scale)
    dual = rows.weight * rows.target
    np.testing.assert_allclose(hats.sums(dual), matrix.T @ dual, atol=scale * len(dual))
    np.testing.assert_allclose(hats.sums(dual), gradient(rows, state, dual), atol=scale * len(dual))
    full = matrix.T @ (rows.weight[:, None] * matrix)
    means, first = matrix.T @ rows.weight / np.sqrt(rows.weight.sum()), 0
    for s in state.splines:
        here = slice(first, first + len(s.nodes))
        full[here, here] += np.outer(means[here], means[here])
        first = here.stop
    np.testing.assert_allclose(np.triu(normal.normal_matrix(hats)), np.triu(full), atol=scale * len(dual))


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("exog", [0, 2])
def test_conjugate_gradients_take_the_step_of_the_factorisation(skip, exog, monkeypatch):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 3))
    problem = LassoProblem(
        x, rng.normal(size=400), beta=1.0, skip=skip, exog=rng.normal(size=(400, exog)) if exog else None
    )
    rows, _, active = prepare(problem)
    state = cold_state(problem, active)
    state = type(state)(
        tuple(s.with_nodes(np.arange(20, 400, 40), np.ones(10)) for s in state.splines), state.tail
    )
    factored = fit_of(rows, state, full_step(rows, state))
    monkeypatch.setattr(normal, "DENSE", 0)
    monkeypatch.setattr(normal, "DENSE_SHARE", 0)
    monkeypatch.setattr(normal, "LARGEST", 0)
    np.testing.assert_allclose(fit_of(rows, state, full_step(rows, state)), factored, atol=1e-6)
    right = gradient(rows, state, rows.target)
    np.testing.assert_allclose(
        normal_solver(rows, state)(np.column_stack([right, 2 * right]))[:, 1],
        normal_solver(rows, state)(2 * right),
        atol=1e-6,
    )


@given(problem=problems(max_columns=3), damping=st.sampled_from([1e-7, 1e-4, 1e-2]))
def test_block_updates_and_line_steps_never_raise_the_objective(problem, damping):
    if not nodal(problem):
        return
    rows, offset, state = bent(problem)
    value = price(rows, state, offset).primal
    for _ in range(3):
        for step in (sweep, lambda rows, state: line_step(rows, state, damping)):
            state, before = step(rows, state), value
            value = price(rows, state, offset).primal
            assert value <= before * (1 + 1e-9)


def test_where_columns_do_not_interact_one_sweep_solves_the_problem():
    grid = np.array([(a, b) for a in np.linspace(-1, 1, 15) for b in np.linspace(0, 3, 15)])
    problem = LassoProblem(grid, np.abs(grid[:, 0]) + np.maximum(grid[:, 1] - 1, 0), beta=0.1, skip=True)
    rows, offset, active = prepare(problem)
    swept = price(rows, sweep(rows, cold_state(problem, active)), offset)
    assert swept.gap <= 1e-9 * swept.primal
    assert swept.primal * problem.design.y_scale**2 == pytest.approx(
        solve(problem).certificate.primal, rel=1e-9
    )


N = 60
RNG = np.random.default_rng(3)
ONE, OTHER = RNG.normal(size=N), RNG.normal(size=N)
NOISY = np.abs(ONE) + np.maximum(OTHER, 0) / 2 + 0.3 * RNG.normal(size=N)
WALK = np.cumsum(RNG.normal(size=N + 4))
TWELVE = RNG.normal(size=(N, 12))
PAIRS = {
    "independent": (np.c_[ONE, OTHER], None),
    "the same twice": (np.c_[ONE, ONE, OTHER], None),
    "mirrored": (np.c_[ONE, -ONE], None),
    "in other units": (np.c_[ONE, 3e6 * ONE + 1], None),
    "one constant": (np.c_[ONE, np.ones(N), OTHER], None),
    "a lag among the exogenous": (np.c_[ONE, OTHER], np.c_[ONE, ONE + OTHER]),
    "a constant exogenous column": (np.c_[ONE, OTHER], np.ones((N, 1))),
    "ties": (np.c_[np.round(ONE), np.round(OTHER, 1)], None),
    "binary": (np.c_[ONE > 0, OTHER > 0].astype(float), None),
    "lags of a walk": (np.column_stack([WALK[3 - j : N + 3 - j] for j in range(4)]), None),
    "far from zero": (1e9 + np.c_[ONE, OTHER], None),
    "heavy tails": (np.c_[1 / ONE, 1 / OTHER], None),
    "one column and exogenous": (ONE[:, None], np.c_[OTHER]),
    "twelve": (TWELVE, None),
}


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_hostile_columns_are_certified_and_as_good_as_on_features(name, skip):
    x, exog = PAIRS[name]
    problem = LassoProblem(x, NOISY, beta=1.0, skip=skip, exog=exog)
    for ratio in (0.3, 1e-2, 1e-4, 1e-6):
        here = problem.with_beta(ratio * problem.beta_max)
        solution = solve(here)  # a warning would be an error
        assert solution.certificate.holds(1e-8)
        assert solution.verify().holds(1e-8)
        if ratio > 1e-3 and here.beta > 0:  # a linear fit may be perfect, then beta_max is 0
            point = search_columns(here, 1e-9, 500, False)[0]
            rest = here.y - point.level - point.varying(here.x, here.exog)
            value = 0.5 * rest @ rest + here.beta * point.l1_norm
            assert solution.certificate.primal == pytest.approx(value, rel=1e-7)


def test_rows_that_are_extreme_in_two_columns_cost_no_digits():
    # such a row is met by either column: the normal matrix is singular until one of them gives up its kinks
    rng = np.random.default_rng(4)
    series = rng.standard_t(3, size=1504)
    x = np.column_stack([series[3 - j : -1 - j] for j in range(4)])
    problem = LassoProblem(x, series[4:], beta=1.0, skip=True)
    problem = problem.with_beta(1e-4 * problem.beta_max)
    rows, offset, _ = prepare(problem)
    found = search(problem, 1e-9, 500, None)
    now = price(rows, found.state, offset)
    assert now.gap <= 1e-9 * now.primal
    assert certify(problem, found.point, found.dual).holds(1e-9)


@pytest.mark.parametrize("skip", [False, True])
def test_start_does_not_change_the_answer(skip):
    problem = LassoProblem(TWELVE[:, :3], NOISY, beta=1.0, skip=skip)
    far = solve(problem.with_beta(0.9 * problem.beta_max))
    here = problem.with_beta(1e-3 * problem.beta_max)
    cold, warm = solve(here), solve(here, warm_start=far)
    back = solve(far.problem, warm_start=cold)
    np.testing.assert_allclose(warm.fitted, cold.fitted, atol=1e-7)
    assert back.certificate.primal == pytest.approx(far.certificate.primal, rel=1e-9)


def test_a_search_is_not_longer_than_allowed():
    problem = LassoProblem(TWELVE, NOISY, beta=1.0, skip=True)
    here = problem.with_beta(1e-3 * problem.beta_max)
    assert solve(here).rounds < 100
    rows, offset, active = prepare(here)
    assert Search(rows, offset).run(cold_state(here, active), 1e-9, 2)[1] <= 2


def test_memory_is_a_few_times_the_data_whatever_the_rounds():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20_000, 2))
    y = np.abs(x[:, 0]) + np.sin(3 * x[:, 1]) + rng.normal(size=len(x))
    problem = LassoProblem(x, y, beta=1.0, skip=True)
    problem = problem.with_beta(1e-4 * problem.beta_max)
    data = x.nbytes + y.nbytes + sum(c.knots.nbytes + c.position.nbytes for c in problem.design.columns)
    gc.disable()  # what only the collector frees grows with the rounds
    tracemalloc.start()
    try:
        solution = solve(problem)
        assert tracemalloc.get_traced_memory()[1] < 8 * data
    finally:
        tracemalloc.stop()
        gc.enable()
    assert len(solution.coef) * len(y) * 8 > 8 * data  # a row for every observation and feature would show


def test_hopeless_iterations_are_given_up():
    rng = np.random.default_rng(6)
    spread = np.geomspace(1e-9, 1, 300)
    right = rng.normal(size=300)
    found = normal.conjugate_gradients(lambda v: spread * v, np.copy, right, patience=20)
    assert not found[1]
    exact, ended = normal.conjugate_gradients(lambda v: spread * v, lambda v: v / spread, right)
    assert ended
    np.testing.assert_allclose(exact, right / spread)
