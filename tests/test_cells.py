"""The compiled solver against its plain twin on nodal values, kernel by kernel and as a whole."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from problems import problems

from cvxar import kernel_rounds, kernel_settle, kernels, solve
from cvxar.architectures.two_layer import hinge_sums
from cvxar.cell_search import proven_on, search_cells, setting_of
from cvxar.cells import CellState, flat_state
from cvxar.certificate import certify
from cvxar.nodal import State, correlations, full_step, gradient, normal_solver
from cvxar.nodal_search import cold_state, prepare, price, search
from cvxar.piecewise import combine
from cvxar.problem import LassoProblem


def bent_state(problem):
    """A state with kinks at every second cell, and the same function as a nodal state."""
    cells, rng = problem.design.cells, np.random.default_rng(0)
    nodes = np.unique(np.r_[0, np.arange(1, len(cells.anchor) - 1, 2), len(cells.anchor) - 1]).astype(
        np.int64
    )
    value = rng.normal(size=len(nodes))
    slope = np.diff(value) / np.diff(cells.anchor[nodes])
    sign = np.r_[0.0, np.sign(np.diff(slope)), 0.0]
    tilt = 0.0 if problem.skip else 0.4
    return CellState(nodes, value, slope, sign, tilt)


def nodal_twin(problem, state):
    cells, how = problem.design.cells, setting_of(problem)
    (spline,) = cold_state(problem, [0]).splines
    return State(
        (
            type(spline)(
                spline.t,
                state.nodes,
                state.value + cells.level + cells.tilted * spline.t[state.nodes],
                state.slope + cells.tilted,
                state.sign,
                state.tilt,
                how.beta,
                how.cost,
                how.skip,
            ),
        ),
        np.zeros(0),
    )


def usable(problem):
    return problem.design.one_column and problem.beta > 0 and problem.architecture.hinge_cost is not None


@given(problem=problems())
def test_kernels_equal_their_plain_twins(problem):
    if not usable(problem):
        return
    cells, how, state = problem.design.cells, setting_of(problem), bent_state(problem)
    rows, offset, _ = prepare(problem)
    twin = nodal_twin(problem, state)
    sums, hinge = np.empty((len(cells.anchor), 2)), np.empty(len(cells.anchor))
    energy = kernels.residual_sums(cells.anchor, cells.moments, *state[:3], sums)
    dual = rows.weight * rows.residual(twin)
    scale = 1e-9 * (1 + np.abs(dual).max() + np.abs(state.value).max() ** 2)
    np.testing.assert_allclose(sums[:, 0], dual, atol=scale)
    np.testing.assert_allclose(energy, dual @ rows.residual(twin), rtol=1e-7, atol=scale)
    kernels.hinge_correlations(cells.anchor, sums, hinge)
    np.testing.assert_allclose(hinge, hinge_sums(cells.anchor, sums[:, 0]), atol=scale)
    k = len(state.nodes)
    diagonal, beside, slope = np.empty(k), np.empty(k - 1), np.empty(k)
    segments = kernel_settle.segment_sums(cells.anchor, cells.moments, sums, state.nodes)
    fresh = kernel_settle.fresh_sums(cells.anchor, cells.moments, *state[:3])
    np.testing.assert_allclose(fresh, segments, rtol=1e-12, atol=scale)
    kernel_settle.normal_matrix(segments, diagonal, beside, slope)
    np.testing.assert_allclose(slope, gradient(rows, twin, dual), atol=10 * scale)
    kernels.factor(diagonal, beside)
    kernels.solve_factored(diagonal, beside, slope)
    np.testing.assert_allclose(
        slope, normal_solver(rows, twin)(gradient(rows, twin, dual)), rtol=1e-6, atol=100 * scale
    )
    primal, gap, limit, middle = kernel_rounds.evaluate(
        cells.anchor, cells.moments, *state[:3], cells.tilted, how.beta, how.cost, how.skip, sums, hinge
    )
    plain = price(rows, twin, offset)
    assert primal + offset == pytest.approx(plain.primal, rel=1e-7, abs=scale)
    assert gap == pytest.approx(plain.gap, rel=1e-5, abs=1e-6 * plain.primal + scale)
    assert limit == pytest.approx(plain.limits[0], rel=1e-6, abs=scale)
    np.testing.assert_allclose(hinge - middle, plain.kinks[0], atol=scale)
    assert len(correlations(rows, twin, dual)) == 1


@given(problem=problems(), data=st.data())
def test_sums_after_dropped_nodes_equal_sums_taken_anew(problem, data):
    if not usable(problem):
        return
    cells, state = problem.design.cells, bent_state(problem)
    sums = np.empty((len(cells.anchor), 2))

    def sums_of(state):
        kernels.residual_sums(cells.anchor, cells.moments, *state[:3], sums)
        return kernel_settle.segment_sums(cells.anchor, cells.moments, sums, state.nodes)

    inner = len(state.nodes) - 2
    keep = np.array([True, *data.draw(st.lists(st.booleans(), min_size=inner, max_size=inner)), True])
    step = np.random.default_rng(1).normal(size=inner + 2)
    change = np.diff(step) / np.diff(cells.anchor[state.nodes])
    moved = (state.value + step, state.slope + change)
    segments, nodes, value, slope, sign = kernel_settle.drop_nodes(
        cells.anchor, sums_of(state), state.nodes, *moved, state.sign, step.copy(), keep
    )
    np.testing.assert_array_equal(nodes, state.nodes[keep])
    np.testing.assert_array_equal(value, moved[0][keep])
    fresh = sums_of(CellState(nodes, value, slope, sign, state.tilt))
    np.testing.assert_allclose(segments, fresh, rtol=1e-9, atol=1e-9 * np.abs(fresh).max())


@given(problem=problems())
def test_full_steps_agree(problem):
    if not usable(problem):
        return
    cells, how, state = problem.design.cells, setting_of(problem), bent_state(problem)
    rows, _, _ = prepare(problem)
    sums = np.empty((len(cells.anchor), 2))
    kernels.residual_sums(cells.anchor, cells.moments, *state[:3], sums)
    segments = kernel_settle.segment_sums(cells.anchor, cells.moments, sums, state.nodes)
    step, change, tilt = kernel_settle.full_step(
        cells.anchor, segments, state.nodes, *state[2:], cells.tilted, how.beta, how.cost, how.skip
    )
    plain = full_step(rows, nodal_twin(problem, state))
    # with a negative sum of signed kinks the problem in the tilt is not concave; kinks are dropped next
    assume(state.sign[1:-1] @ np.diff(state.slope + change) >= 0)
    size = 1 + np.abs(plain.blocks[0]).max()
    np.testing.assert_allclose(step, plain.blocks[0], atol=1e-6 * size)
    assert tilt == pytest.approx(plain.tilts[0], abs=1e-6)
    np.testing.assert_allclose(change * np.diff(cells.anchor[state.nodes]), np.diff(step), atol=1e-9 * size)


@given(problem=problems())
def test_compiled_and_plain_searches_reach_the_same_optimum(problem):
    if not usable(problem):
        return
    compiled = search_cells(problem, 1e-9, 500, None).certificate
    outcome = search(problem, 1e-9, 500, None)
    plain = certify(problem, outcome.point, outcome.dual)
    assert compiled.primal == pytest.approx(plain.primal, rel=1e-8, abs=compiled.floor)


@given(problem=problems())
def test_compiled_certificates_equal_the_plain_one(problem):
    if not usable(problem):
        return
    found = search_cells(problem, 1e-9, 500, None)
    plain = certify(problem, found.source.coefficients, found.dual.dual)
    rounding = 1e-9 * plain.primal + plain.floor
    assert found.certificate.primal == pytest.approx(plain.primal, rel=1e-9, abs=rounding)
    assert found.certificate.dual == pytest.approx(plain.dual, rel=1e-9, abs=rounding)
    assert found.certificate.floor <= plain.floor * (1 + 1e-9)


@given(problem=problems(), seed=st.integers(0, 9), size=st.sampled_from([0.0, 1e-9, 1e-3, 1.0]))
def test_no_state_and_no_dual_vector_prove_more_than_the_optimum(problem, seed, size):
    if not usable(problem):
        return
    cells, how, state = problem.design.cells, setting_of(problem), bent_state(problem)
    least = search_cells(problem, 1e-9, 500, None).certificate
    sums, unit = np.empty((len(cells.anchor), 2)), problem.design.y_scale**2
    kernels.residual_sums(cells.anchor, cells.moments, *state[:3], sums)
    noise = np.random.default_rng(seed).normal(size=len(cells.anchor))
    primal, gap = kernel_rounds.proven(
        cells.anchor,
        cells.moments,
        *state[:3],
        (1 - size) * sums[:, 0] + size * noise,
        cells.tilted,
        how.beta,
        how.cost,
        how.skip,
    )
    rounding = 1e-9 * primal * unit + least.floor
    assert (primal + cells.offset) * unit >= least.dual - rounding
    assert (primal + cells.offset - gap) * unit <= least.primal + rounding


@given(problem=problems())
def test_the_function_on_its_nodes_is_the_sum_of_its_units(problem):
    if not usable(problem):
        return
    point = solve(problem).point
    part = combine(point.features, point.coef, float(point.linear[0]), float(point.anchors[0]))
    reach = float(problem.design.widths[0])
    x = np.concatenate([problem.x[:, 0] - reach, problem.x[:, 0], problem.x[:, 0] + reach])
    np.testing.assert_allclose(point.parts[0](x), part(x), rtol=1e-7, atol=1e-7 * problem.design.y_scale)


def test_monotone_mode_ends_at_the_same_point_as_the_aggressive_one():
    rng = np.random.default_rng(5)
    x = np.cumsum(rng.normal(size=300))
    problem = LassoProblem(x[:-1], x[1:], beta=1.0)
    problem = problem.with_beta(1e-4 * problem.beta_max)
    cells, how = problem.design.cells, setting_of(problem)
    sums, hinge = np.empty((len(cells.anchor), 2)), np.empty(len(cells.anchor))
    common = (cells.tilted, how.beta, how.cost, how.skip)

    def settled(settle, state):
        kernels.residual_sums(cells.anchor, cells.moments, *state[:3], sums)
        segments = kernel_settle.segment_sums(cells.anchor, cells.moments, sums, state.nodes)
        return CellState(*settle(cells.anchor, segments, *state, *common))

    state = settled(kernel_settle.settle_aggressively, flat_state(cells))
    for _ in range(60):
        before, _, limit, middle = kernel_rounds.evaluate(
            cells.anchor, cells.moments, *state[:3], *common, sums, hinge
        )
        found, _ = kernel_rounds.violations(cells.anchor, state.nodes, hinge, middle, limit, 3)
        wider = kernel_rounds.add_nodes(cells.anchor, *state[:4], found, hinge, middle)
        state = settled(kernel_settle.settle_monotonically, CellState(*wider, state.tilt))
        after = kernel_rounds.evaluate(cells.anchor, cells.moments, *state[:3], *common, sums, hinge)[0]
        assert after <= before * (1 + 1e-12)
    _, reached, _ = proven_on(problem, cells, how, state)
    assert reached.relative_gap <= 1e-8
    assert reached.primal == pytest.approx(solve(problem).certificate.primal, rel=1e-9)


@given(problem=problems(max_columns=2))
def test_compiled_bound_equals_the_search(problem):
    if problem.architecture.hinge_cost is None:
        return
    dual = problem.design.null_dual + np.random.default_rng(0).normal(size=len(problem.design.e))
    for column in problem.design.columns:
        sums = column.aggregate(dual)
        plain = column.dictionary.match(sums, np.inf).bound
        size = np.abs(sums) @ np.abs(column.knots - column.center)
        assert column.dictionary.bound(sums) == pytest.approx(plain, rel=1e-10, abs=1e-12 * size)


@pytest.mark.parametrize("width", [1e-4, 1e-6, 1e-8])
def test_tilts_within_rounding_of_one_cost_no_digits(width):
    """A kink beside the end turns by far more than rounding when the tilt moves by one."""
    x = np.append(np.linspace(0, 1, 200), 1 + width)
    y = x - 0.1 * (x > 1)
    problem = LassoProblem(x, y, beta=1.0)
    problem = problem.with_beta(0.1 * problem.beta_max)
    found = search_cells(problem, 1e-9, 500, None)
    assert 1 - 1e-5 < found.state.tilt < 1
    assert found.certificate.relative_gap <= 1e-14
    assert certify(problem, found.source.coefficients, found.dual.dual).relative_gap <= 1e-14
    assert found.rounds <= 4


def test_a_function_reached_from_a_small_penalty_is_one_piece():
    """The steps to there are large; what they leave of rounding once set the last node apart."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=1000), 50 + 1e-6 * rng.normal(size=1000)])
    problem = LassoProblem(x, np.sin(3 * x), beta=1.0)
    before = solve(problem.with_beta(1e-6 * problem.beta_max))
    point = solve(problem.with_beta(0.6 * problem.beta_max), warm_start=before).point
    units = combine(point.features, point.coef, float(point.linear[0]), float(point.anchors[0]))
    at = np.array([np.min(x), 0.0, np.max(x), 60.0])
    np.testing.assert_allclose(point.parts[0](at), units(at), rtol=0, atol=1e-13)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 9))
def test_torn_segments_are_joined_and_others_left_alone(seed, count):
    rng = np.random.default_rng(seed)
    anchor, nodes = np.sort(rng.normal(size=count)), np.arange(count)
    assume(np.min(np.diff(anchor)) > 1e-3)
    slope = rng.normal(size=count - 1)
    whole = rng.normal() + np.concatenate([[0.0], np.cumsum(slope * np.diff(anchor))])
    value = whole.copy()
    kernel_settle.mend(anchor, nodes, value, slope)
    np.testing.assert_array_equal(value, whole)
    value += np.cumsum(rng.normal(size=count) * rng.integers(0, 2, count))
    moved = whole + (value[0] - whole[0])
    kernel_settle.mend(anchor, nodes, value, slope)
    np.testing.assert_allclose(value, moved, rtol=0, atol=1e-12)


@given(
    excess=st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=40).map(np.array),
    share=st.floats(0, 1),
)
def test_the_edge_keeps_the_largest_violations(excess, share):
    quota = 1 + int(share * (len(excess) - 1))
    edge = kernel_rounds.edge_of(excess, len(excess), quota)
    assert np.sum(excess >= edge) >= quota
    assert edge >= np.sort(excess)[-quota] - 2e-9 * np.max(excess)
