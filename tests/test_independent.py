"""No unit that others make up for: literal programmes that leave one out, for every loss of bounded slope."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import inputs
from scipy.optimize import linprog

from cvxar import ConvexAR, LassoProblem, architectures, losses, solve
from cvxar.bounded_columns import search_bounded_columns
from cvxar.independent import independent_amounts

HINGES = [
    architectures.TwoLayer("relu"),
    architectures.TwoLayer("abs"),
    architectures.TwoLayer("leaky_relu", 0.3),
    architectures.TwoLayer("leaky_relu", -0.5),
]
LOSSES = ["squared", losses.Absolute(), losses.Quantile(0.3), losses.Huber(0.3)]


@st.composite
def hinge_problems(draw):
    """One or two columns, with and without trend, skip connection and constant."""
    n = draw(st.integers(6, 16))
    x = draw(inputs(n, draw(st.integers(1, 2))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    problem = LassoProblem(
        x,
        np.abs(x[:, 0] - np.median(x)) / max(float(np.ptp(x[:, 0])), 1.0) + 0.3 * rng.normal(size=n),
        beta=1.0,
        architecture=draw(st.sampled_from(HINGES)),
        loss=draw(st.sampled_from(LOSSES)),
        skip=draw(st.booleans()),
        exog=np.arange(float(n)) if draw(st.booleans()) else None,
        fit_intercept=draw(st.sampled_from([True, True, False])),
    )
    return problem.with_beta(problem.beta_max * 10.0 ** draw(st.floats(-2.5, -0.1)))


def columns_of(problem, features):
    """Columns of the features, divided by the range of their input, and the sizes they cost."""
    sizes = np.array([problem.design.columns[f.column].scale for f in features])
    columns = [f(problem.x[:, f.column]) / s for f, s in zip(features, sizes, strict=True)]
    return np.reshape(columns, (len(features), len(problem.y))).T, 1 / sizes


def free_of(problem):
    """Orthonormal unpenalised columns."""
    u, s, _ = np.linalg.svd(problem.design.free.values, full_matrices=False)
    return u[:, s > 1e-12 * s[0]] if len(s) else u


def least_cost(columns, cost, free, target):
    """Least l1 cost of a fit, and whether there is one, by the dual simplex of HiGHS."""
    k, p = columns.shape[1], free.shape[1]
    if not k + p:
        return np.inf
    answer = linprog(
        np.r_[cost, cost, np.zeros(p)],
        A_eq=np.hstack([columns, -columns, free]),
        b_eq=target,
        bounds=[(0, None)] * (2 * k) + [(None, None)] * p,
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return answer.fun if answer.status == 0 else np.inf


def spare(problem, features, coef):
    """Units without which the others give the same fit at the same l1 norm.

    Coefficients below the accuracy asked of the solutions are not judged: nodal values can leave such kinks.
    """
    columns, cost = columns_of(problem, features)
    amount = coef / cost
    target, total = columns @ amount, float(cost @ np.abs(amount))
    found = []
    for i in np.flatnonzero(np.abs(coef) > 1e-8 * np.max(np.abs(coef))):
        rest = np.delete(np.arange(len(features)), i)
        least = least_cost(
            columns[:, rest], cost[rest] / total, free_of(problem), target / np.max(np.abs(amount))
        )
        if least * np.max(np.abs(amount)) <= 1 + 1e-7:
            found.append(features[i])
    return found


@settings(max_examples=150)
@given(problem=hinge_problems(), solver=st.sampled_from(["auto", "osqp"]))
def test_no_unit_can_be_left_out_at_equal_fit_and_norm(problem, solver):
    solution = solve(problem, solver=solver)
    assert solution.certificate.holds(1e-8)
    assume(len(solution.coef))
    assert spare(problem, solution.features, solution.coef) == []


@settings(max_examples=100)
@given(problem=hinge_problems())
def test_a_kink_has_one_unit_or_what_the_end_slopes_need(problem):
    """With skip connection and constant one unit a kink; else a pair for every equation they solve."""
    solution = solve(problem)
    kinks = Counter((f.column, f.centers[0]) for f in solution.features)
    pairs = sum(count - 1 for count in kinks.values())
    slopes = 0 if problem.skip else problem.x.shape[1]
    assert pairs <= slopes + (not problem.fit_intercept)
    if problem.skip and problem.fit_intercept:
        assert all(f.signs == (1,) for f in solution.features)


@settings(max_examples=100)
@given(problem=hinge_problems(), seed=st.integers(0, 999))
def test_amounts_that_depend_on_each_other_are_gathered(problem, seed):
    """Mirrored hinges with shares drawn at random: same fit, same l1 cost, and nothing to leave out."""
    rng = np.random.default_rng(seed)
    column = problem.design.columns[0]
    kinks = rng.choice(column.knots, size=min(3, len(column.knots)), replace=False)
    right = [f for f in column.dictionary.spanning() if f.centers[0] in kinks]
    features = [*right, *(type(f)(f.sigma, (-1,), f.centers) for f in right)]
    columns, cost = columns_of(problem, features)
    size, share = rng.uniform(0.5, 2.0, len(right)), rng.uniform(0.1, 0.9, len(right))
    amount = np.concatenate([size * share, size * (1 - share)])
    free = problem.design.free.values
    change, fewer = independent_amounts(free, columns, cost, amount)
    np.testing.assert_allclose(free @ change + columns @ fewer, columns @ amount, atol=1e-9)
    assert cost @ np.abs(fewer) <= cost @ np.abs(amount) * (1 + 1e-8)
    kept = np.flatnonzero(fewer)
    both = np.hstack([free_of(problem), columns[:, kept]])
    assert np.linalg.matrix_rank(both, tol=1e-11) == both.shape[1]


@pytest.mark.parametrize("loss", [losses.Huber(10.0), "absolute", losses.Quantile(0.7)], ids=repr)
@pytest.mark.parametrize(("lags", "trend"), [(2, "c"), (1, "ct"), (2, "ct")])
def test_degrees_of_freedom_count_a_kink_once(loss, lags, trend):
    from cvxar import datasets

    model = ConvexAR(lags, loss=loss, beta_ratio=0.2, trend=trend).fit(datasets.load_sunspots())
    kinks = len(model.breakpoints_)
    assert kinks > 0
    assert model.network_.n_units == kinks
    free = 1 + lags + (trend == "ct")
    charged = (model.bic_ + 2 * model.llf_) / np.log(model.nobs_)
    assert charged == pytest.approx(free + kinks + 1)


@pytest.mark.parametrize("loss", [losses.Absolute(), losses.Huber(0.3)], ids=repr)
def test_a_kink_that_begins_as_a_pair_is_one_unit(loss):
    """Started from mirrored units, which an earlier network may hold."""
    x = np.linspace(-2, 2, 41)
    noise = np.random.default_rng(0).normal(size=41)
    problem = LassoProblem(
        x, np.abs(x) + 0.3 * noise, beta=1.0, loss=loss, skip=True, exog=np.arange(41.0) % 3
    )
    point, _, _ = search_bounded_columns(problem, 1e-9, 100)
    again, _, _ = search_bounded_columns(problem, 1e-9, 100, start=point)
    centers = [f.centers for f in again.features]
    assert len(set(centers)) == len(centers) == len(point.features)
    assert again.l1_norm == pytest.approx(point.l1_norm, rel=1e-6)
