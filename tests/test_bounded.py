"""Losses of bounded slope: certified optima, equal to the full explicit programme solved elsewhere."""

import warnings

import numpy as np
import pytest
from conftest import golden_cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import ARCHITECTURES, explicit, inputs, most_inputs, orthonormal
from scipy.optimize import linprog
from test_solver import golden_architecture

from cvxar import LassoProblem, losses, solve, solve_path
from cvxar.certificate import certify
from cvxar.errors import InputError, InputTypeError
from cvxar.unpenalised import with_free_part

LOSSES = [
    losses.Absolute(),
    *(losses.Quantile(t) for t in (0.05, 0.3, 0.9)),
    losses.Huber(0.3),
    losses.Huber(),
]
BY_CASE = {
    "quantile": lambda loss: losses.Quantile(loss["tau"]),
    "absolute": lambda loss: losses.Absolute(),
    "huber": lambda loss: losses.Huber(loss["delta"]),
}


@st.composite
def bounded_problems(draw, max_n=14, losses_in_play=LOSSES):
    """Problems of every architecture and loss of bounded slope, beta between 1e-4 and 1.2 beta_max."""
    architecture = draw(st.sampled_from(ARCHITECTURES))
    n = draw(st.integers(2, min(max_n, most_inputs(architecture))))
    x = draw(inputs(n, draw(st.integers(1, 2))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = np.abs(x[:, 0] - np.median(x)) / max(float(np.ptp(x[:, 0])), 1.0) + rng.normal(size=n)
    problem = LassoProblem(
        x,
        np.round(y) if draw(st.booleans()) else y,
        beta=1.0,
        architecture=architecture,
        loss=draw(st.sampled_from(losses_in_play)),
        skip=draw(st.booleans()),
        exog=rng.normal(size=(n, 1)) if draw(st.booleans()) else None,
        sample_weight=rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None,
    )
    return problem.with_beta(problem.beta_max * 10.0 ** draw(st.floats(-4, 0.1)))


def scaled_parts(problem):
    """Orthonormal free columns and centred features of unit size with their costs."""
    matrix, free = explicit(problem)
    centre = free - free.mean(axis=0)
    free = orthonormal(np.column_stack([np.ones(len(problem.y)), centre]))
    matrix = matrix - matrix.mean(axis=0)
    size = np.max(np.abs(matrix), axis=0)
    used = size > 1e-9 * np.max(size, initial=1e-300)
    weight = np.ones(len(problem.y)) if problem.sample_weight is None else problem.sample_weight
    return matrix[:, used] / size[used], free, problem.beta / size[used], weight


def linear_programme(problem):
    """Optimum of a piecewise-linear loss on the explicit dictionary, by the dual simplex of HiGHS."""
    matrix, free, cost, weight = scaled_parts(problem)
    n, k, p = len(problem.y), matrix.shape[1], free.shape[1]
    loss = problem.loss
    answer = linprog(
        np.r_[weight * loss.upper, -weight * loss.lower, np.zeros(p), cost, cost],
        A_eq=np.hstack([np.eye(n), -np.eye(n), free, matrix, -matrix]),
        b_eq=problem.y,
        bounds=[(0, None)] * (2 * n) + [(None, None)] * p + [(0, None)] * (2 * k),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return answer.fun


def huber_programme(problem):
    """Optimum of the Huber loss on the explicit dictionary by Clarabel, evaluated at its point."""
    import cvxpy as cp

    matrix, free, cost, weight = scaled_parts(problem)
    z, g = cp.Variable(matrix.shape[1]), cp.Variable(free.shape[1])
    residual = problem.y - matrix @ z - free @ g
    total = weight @ cp.huber(residual, problem.loss.delta) / 2 + cost @ cp.abs(z)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cp.Problem(cp.Minimize(total)).solve(solver=cp.CLARABEL)
    return problem.loss.value(residual.value, weight) + float(cost @ np.abs(z.value))


@settings(max_examples=60)
@given(problem=bounded_problems(losses_in_play=LOSSES[:4]))
def test_optimum_is_that_of_the_full_linear_programme(problem):
    reached, reference = solve(problem).certificate, linear_programme(problem)
    assume(problem.beta > 0)
    assert reached.relative_gap <= 1e-8
    assert reached.primal == pytest.approx(reference, rel=1e-8, abs=1e-11)


@settings(max_examples=25)
@given(problem=bounded_problems(losses_in_play=LOSSES[4:]))
def test_optimum_is_that_of_the_full_huber_programme(problem):
    assume(problem.beta > 0)
    reached, reference = solve(problem).certificate, huber_programme(problem)
    assert reached.relative_gap <= 1e-8
    assert reached.dual <= reference * (1 + 1e-9)
    assert reached.primal <= reference * (1 + 1e-8)


@pytest.mark.parametrize(
    "case", [c for c in golden_cases() if c["loss"]["name"] in BY_CASE], ids=lambda c: c["id"]
)
def test_golden_optima(case):
    x = np.array(case["x"], dtype=float)
    problem = LassoProblem(
        x.T if x.ndim == 2 else x,
        case["y"],
        beta=case["beta"],
        architecture=golden_architecture(case),
        skip=case.get("skip", False),
        loss=BY_CASE[case["loss"]["name"]](case["loss"]),
    )
    solution, expected = solve(problem), case["expected"]
    assert solution.certificate.primal == pytest.approx(expected["objective"], rel=1e-8)
    assert solution.certificate.relative_gap <= 1e-8
    if expected["l1_unique"]:
        assert solution.l1_norm == pytest.approx(expected["l1"], rel=1e-6)


@given(problem=bounded_problems())
def test_beta_max_is_the_smallest_penalty_without_features(problem):
    """Below it features lower the objective; a wrong one of many dual vectors would put it too high."""
    top = problem.beta_max
    assume(top > 1e-6)
    linear = solve(problem.with_beta(top))
    assert not len(linear.coef)
    assert linear.certificate.relative_gap <= 1e-8
    below = solve(problem.with_beta(0.9 * top))
    assert below.l1_norm > 0
    assert below.certificate.primal < linear.certificate.primal


@given(problem=bounded_problems(), seed=st.integers(0, 999), size=st.sampled_from([1e-3, 1.0, 1e3]))
def test_certificates_of_arbitrary_points_are_true(problem, seed, size):
    rng, best = np.random.default_rng(seed), solve(problem)
    coef = best.coef + size * rng.normal(size=len(best.coef)) * (np.abs(best.coef) + 1)
    dual = best.dual + size * rng.normal(size=len(best.dual)) * np.abs(best.dual).max()
    assume(problem.beta > 0)
    made = certify(problem, with_free_part(problem, best.features, coef), dual)
    slack = 1e-8 * best.certificate.primal + best.certificate.floor
    assert made.dual <= best.certificate.primal + slack
    assert made.primal >= best.certificate.dual - slack


def test_wide_huber_loss_is_the_squared_loss_and_narrow_the_absolute_one():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = np.abs(x) + 0.3 * rng.normal(size=50)
    wide = LassoProblem(x, y, beta=0.5, loss=losses.Huber(100.0))
    squared = solve(LassoProblem(x, y, beta=0.5))
    assert solve(wide).certificate.primal == pytest.approx(squared.certificate.primal, rel=1e-9)
    np.testing.assert_allclose(solve(wide).fitted, squared.fitted, atol=1e-6)
    narrow = solve(LassoProblem(x, y, beta=0.5e-7, loss=losses.Huber(1e-7))).certificate.primal / 1e-7
    absolute = solve(LassoProblem(x, y, beta=0.5, loss="absolute")).certificate.primal
    assert narrow == pytest.approx(absolute, rel=1e-5)


@pytest.mark.parametrize("loss", ["absolute", "huber", losses.Quantile(0.9)])
def test_no_penalty_means_the_smallest_network_that_meets_the_data(loss):
    x, y = [0.0, 2, 6, 7], [0.0, 0, 3, 3]
    solution = solve(LassoProblem(x, y, beta=0, loss=loss))
    assert solution.l1_norm == pytest.approx(1.5)
    assert solution.certificate.holds()


def test_paths_are_warm_started_and_certified():
    rng = np.random.default_rng(1)
    x = rng.normal(size=200)
    problem = LassoProblem(
        x, np.abs(x) * (1 + rng.normal(size=200)), beta=0, loss=losses.Quantile(0.8), skip=True
    )
    path = solve_path(problem, n_betas=6, min_ratio=1e-2)
    assert all(s.certificate.holds() for s in path)
    assert np.all(np.diff([s.l1_norm for s in path]) >= -1e-9)


@pytest.mark.parametrize("tau", [0.0, 1.0, -1, 2, float("nan")])
def test_levels_lie_between_0_and_1(tau):
    with pytest.raises(InputError, match="strictly between 0 and 1"):
        losses.Quantile(tau)


@pytest.mark.parametrize("delta", [0.0, -1.0, float("inf"), float("nan")])
def test_delta_is_positive(delta):
    with pytest.raises(InputError, match="positive and finite"):
        losses.Huber(delta)


@pytest.mark.parametrize("loss", [losses.Quantile, losses.Huber])
def test_levels_are_numbers(loss):
    with pytest.raises(InputTypeError, match="must be a number"):
        loss("0.5")


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5)])
def test_numbers_of_numpy_are_numbers(number):
    assert repr(losses.Quantile(number)) == "Quantile(tau=0.5)"
    assert repr(losses.Huber(number)) == "Huber(delta=0.5)"
    assert losses.Huber(np.int64(2)) == losses.Huber(2.0)


@pytest.mark.parametrize("delta", [1e2, 1e12])
@pytest.mark.parametrize("architecture", ["relu", "deep_abs", "sign"])
def test_huber_beyond_every_residual_is_least_squares_to_the_last_digit(architecture, delta):
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = np.abs(x) + 0.3 * rng.normal(size=100)
    squared = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=True)
    huber = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=True, loss=losses.Huber(delta))
    assert huber.beta_max == squared.beta_max
    for ratio in (1.5, 1e-1, 1e-3):
        plain, robust = (solve(p.with_beta(ratio * squared.beta_max)) for p in (squared, huber))
        assert robust.verify().holds(1e-12)
        assert robust.problem.loss == losses.Huber(delta)
        np.testing.assert_allclose(robust.fitted, plain.fitted, rtol=1e-13)


def test_huber_below_one_residual_is_not_least_squares():
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = np.append(np.abs(x)[:-1] + 0.3 * rng.normal(size=99), 50.0)
    problem = LassoProblem(x, y, beta=1.0, skip=True, loss=losses.Huber(10.0))
    solution = solve(problem)
    assert solution.certificate.holds(1e-8)
    assert np.max(np.abs(solution.dual)) == pytest.approx(10.0)
