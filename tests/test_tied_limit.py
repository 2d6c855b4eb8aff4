"""No penalty where inputs repeat: least norm among the minimisers of losses of bounded slope."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import ARCHITECTURES, explicit, most_inputs
from scipy.optimize import linprog

from cvxar import LassoProblem, losses, solve
from cvxar.certificate import certify_least_norm
from cvxar.errors import InputError, SolverError
from cvxar.least_norm_columns import least_norm_columns
from cvxar.minimisers import minimisers

PIECEWISE_LINEAR = [losses.Absolute(), *(losses.Quantile(t) for t in (0.1, 0.25, 0.5, 0.8))]
BENT = [losses.Huber(d) for d in (0.25, 0.5, 3.0)]


@st.composite
def tied_problems(draw, kinds=PIECEWISE_LINEAR + BENT, architectures=ARCHITECTURES, most=5):
    """Integer inputs, targets and weights: many ties, and weights that often split evenly."""
    architecture = draw(st.sampled_from(architectures))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m = min(draw(st.integers(2, most)), most_inputs(architecture))
    x = np.concatenate([np.arange(m), rng.integers(0, m, draw(st.integers(1, 8)))])
    spots = np.sort(rng.choice(np.arange(3 * m), m, replace=False)) * draw(st.sampled_from([1.0, 0.01]))
    return LassoProblem(
        spots[x] + draw(st.sampled_from([0.0, 50.0])),
        rng.integers(-3, 4, len(x)) + draw(st.sampled_from([0.0, 100.0])),
        beta=0.0,
        architecture=architecture,
        loss=draw(st.sampled_from(kinds)),
        skip=draw(st.booleans()),
        sample_weight=rng.integers(1, 4, len(x)) if draw(st.booleans()) else None,
    )


def programme(problem):
    """Scaled features and unpenalised columns of the explicit dictionary, and the cost of each."""
    matrix, free = explicit(problem)
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12)
    free = free / np.maximum(np.abs(free).max(axis=0), 1e-12)
    k, q = matrix.shape[1], free.shape[1]
    columns = np.hstack([matrix / scale, -matrix / scale, free])
    return columns, np.r_[1 / scale, 1 / scale, np.zeros(q)], [(0, None)] * (2 * k) + [(None, None)] * q


@settings(max_examples=60)
@given(problem=tied_problems(PIECEWISE_LINEAR))
def test_two_literal_stages_give_the_same_norm(problem):
    """First the least loss, over the explicit dictionary; then the least norm at that loss."""
    columns, cost, bounds = programme(problem)
    n, weight = len(problem.y), problem.design.weight
    parts = np.hstack([columns, np.eye(n), -np.eye(n)])
    slopes = np.concatenate([0 * cost, problem.loss.upper * weight, -problem.loss.lower * weight])
    target = problem.y - problem.design.y_center
    bounds = bounds + [(0, None)] * (2 * n)
    least = linprog(slopes, A_eq=parts, b_eq=target, bounds=bounds)
    second = linprog(
        np.concatenate([cost, np.zeros(2 * n)]),
        A_ub=slopes[None],
        b_ub=[least.fun * (1 + 1e-10) + 1e-10],
        A_eq=parts,
        b_eq=target,
        bounds=bounds,
    )
    solution = solve(problem)
    assert solution.certificate.holds(1e-8)
    assert solution.loss == pytest.approx(least.fun, rel=1e-8, abs=1e-8)
    assert solution.l1_norm == pytest.approx(second.fun, rel=1e-5, abs=1e-6)


@settings(max_examples=60)
@given(problem=tied_problems())
def test_every_loss_meets_the_least_norm_between_its_minimisers(problem):
    columns, cost, bounds = programme(problem)
    low, high = (end[problem.design.columns[0].position] for end in minimisers(problem))
    answer = linprog(cost, A_ub=np.vstack([columns, -columns]), b_ub=np.r_[high, -low], bounds=bounds)
    solution = solve(problem)
    assert solution.certificate.holds(1e-8)
    assert solution.verify() == solution.certificate
    assert solution.l1_norm == pytest.approx(answer.fun, rel=1e-5, abs=1e-6)


def loss_at(problem, knot, value):
    """Loss of the targets of one input, literally."""
    own = problem.design.columns[0].position == knot
    return problem.loss.value(problem.y[own] - value, problem.design.weight[own])


@given(problem=tied_problems())
def test_minimisers_are_all_of_them_and_no_more(problem):
    """The least loss of each input is at a target or where it bends, or (Huber) between two of those."""
    c, loss, design = problem.loss.curvature, problem.loss, problem.design
    ends = (e + design.y_center for e in minimisers(problem))
    for knot, (low, high) in enumerate(zip(*ends, strict=True)):
        best = loss_at(problem, knot, low)
        assert loss_at(problem, knot, high) == pytest.approx(best, rel=1e-12, abs=1e-12)
        own = problem.y[design.columns[0].position == knot]
        others = np.concatenate([own - c * loss.upper, own, own - c * loss.lower, [(low + high) / 2]])
        assert min(loss_at(problem, knot, f) for f in others) >= best - 1e-12
        assert loss_at(problem, knot, low - 1e-3) > best + 1e-9
        assert loss_at(problem, knot, high + 1e-3) > best + 1e-9


RAMPS = [a for a in ARCHITECTURES if a.ramp_form is not None]
HINGES = [a for a in ARCHITECTURES if a.hinge_cost is not None]


@settings(max_examples=40)
@given(problem=tied_problems(architectures=RAMPS + HINGES, most=20))
def test_nodal_programmes_agree_with_column_generation(problem):
    fast = solve(problem)
    point, dual, _ = least_norm_columns(problem)
    slow = certify_least_norm(problem, point, dual)
    assert slow.holds(1e-8)
    assert fast.l1_norm == pytest.approx(slow.primal, rel=1e-8, abs=slow.floor)


@given(problem=tied_problems(), seed=st.integers(0, 99))
def test_no_dual_vector_proves_more_than_the_optimum(problem, seed):
    solution = solve(problem)
    dual = np.random.default_rng(seed).normal(size=len(problem.design.y))
    proven = certify_least_norm(problem, solution.point, dual).dual
    assert 0 <= proven <= solution.l1_norm * (1 + 1e-9) + solution.certificate.floor


def test_a_line_through_the_intervals_needs_no_unit():
    """Medians between 0 and 2, between 1 and 3, exactly 2: met by a line; the means are not."""
    x, y = [0.0, 0, 1, 1, 2, 3, 3, 3], [0.0, 2, 0, 4, 2, 1, 3, 9]
    assert solve(LassoProblem(x, y, beta=0, loss="absolute", skip=True)).l1_norm == pytest.approx(0, abs=1e-9)
    assert solve(LassoProblem(x, y, beta=0, skip=True)).l1_norm > 1


def test_weights_decide_which_targets_are_met():
    x, y = [0.0, 0, 1, 1, 2], [0.0, 4, 0, 0, 0]
    for weight, norm in (([1.0, 1, 1, 1, 1], 0.0), ([1.0, 2, 1, 1, 1], 4.0)):
        problem = LassoProblem(x, y, beta=0, loss="absolute", sample_weight=weight)
        assert solve(problem).l1_norm == pytest.approx(norm, abs=1e-12)


@pytest.mark.parametrize("loss", PIECEWISE_LINEAR[:2] + BENT[:1])
@pytest.mark.parametrize("architecture", ["relu", "abs", "deep_relu"])
def test_thousands_of_ties_are_certified(loss, architecture):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=4_000), 2)
    y = np.abs(x) + 0.3 * rng.normal(size=len(x))
    solution = solve(LassoProblem(x, y, beta=0, architecture=architecture, loss=loss))
    assert solution.certificate.holds(1e-10)


@pytest.mark.parametrize(("seed", "architecture"), [(11, "deep_relu"), (16, "relu"), (17, "relu")])
def test_inputs_much_nearer_than_the_range_are_certified(seed, architecture):
    """HiGHS takes coefficients below 1e-9 for 0: a gap must not be one."""
    rng = np.random.default_rng(seed)
    n = 12_000 if seed % 2 else 3_000
    x = rng.choice(rng.normal(size=n // 3) if seed % 2 else rng.standard_cauchy(size=n // 3), n)
    problem = LassoProblem(
        x, np.abs(x) + 0.3 * rng.normal(size=n), beta=0, architecture=architecture, loss="absolute"
    )
    assert np.min(np.diff(problem.design.columns[0].t)) < 1e-7
    assert solve(problem).certificate.holds(1e-8)


def test_the_programme_keeps_to_its_bounds_where_kinks_are_steep():
    """At the usual tolerance of HiGHS the values left the intervals by 5e-7 and the point was refused."""
    rng = np.random.default_rng(14)
    x = rng.choice(rng.standard_cauchy(size=4_000), 12_000)
    y = np.abs(x) + 0.3 * rng.normal(size=12_000)
    solution = solve(
        LassoProblem(x, y, beta=0, architecture="deep_relu", loss="absolute", skip=True), tol=1e-5
    )
    assert solution.certificate.holds(1e-5)


def test_a_point_outside_the_intervals_is_refused():
    problem = LassoProblem([0.0, 0, 1, 1, 2, 2], [0.0, 1, 3, 5, 1, 0], beta=0, loss="absolute")
    solution = solve(problem)
    with pytest.raises(SolverError, match="does not minimise the loss"):
        certify_least_norm(problem, replace(solution.point, level=solution.point.level - 3), solution.dual)


@pytest.mark.parametrize("options", [{"exog": np.arange(4.0) ** 2}, {"fit_intercept": False}, {}])
def test_several_columns_with_ties_say_what_would_work(options):
    x = np.array([0.0, 0, 1, 1]) if options else np.array([[0.0, 0], [0, 1], [1, 1], [1, 2]])
    with pytest.raises(InputError, match=r"without repeated values.* Use a small positive beta"):
        solve(LassoProblem(x, [0.0, 1, 3, 5], beta=0, loss="absolute", **options))
