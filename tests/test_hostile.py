"""Data made to break a solver: every case is certified, or the warning says why it cannot be."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from cvxar import LassoProblem, solve
from cvxar.errors import CertificateWarning, InputError, PrecisionWarning
from cvxar.nodal_search import search as plain_search

N = 500
RNG = np.random.default_rng(0)
WALK = np.cumsum(RNG.normal(size=N + 1))
BASE = RNG.normal(size=N)
NOISY = np.abs(BASE) + 0.3 * RNG.normal(size=N)
JUMPY = np.cumsum(RNG.standard_cauchy(N + 1))
GRID = np.arange(float(N))


def twins(factor):
    """Half the inputs, and the same ones a factor apart."""
    return np.concatenate([np.sort(BASE[: N // 2])] * 2) * np.repeat([1.0, factor], N // 2)


CASES = {
    "twelve inputs": (np.round(WALK[:-1] / 3), WALK[1:]),
    "ticks at an offset": (6e4 + np.round(WALK[:-1], 1), 6e4 + np.round(WALK[1:], 1)),
    "offset 1e9, scale 1e-3": (1e9 + 1e-3 * WALK[:-1], 1e9 + 1e-3 * WALK[1:]),
    "offset 1e9, scale 1e-6": (1e9 + 1e-6 * WALK[:-1], 1e9 + 1e-6 * WALK[1:]),
    "scale 1e-140": (1e-140 * WALK[:-1], 1e-140 * WALK[1:]),
    "scale 1e100": (1e100 * WALK[:-1], 1e100 * WALK[1:]),
    "twins one ulp apart": (np.concatenate([BASE[:250], np.nextafter(BASE[:250], 9)]), NOISY),
    "twins 1e-13 apart": (twins(1 + 1e-13), NOISY),
    "twins 1e-8 apart": (twins(1 + 1e-8), NOISY),
    "outlier in x": (np.append(BASE[:-1], 1e9), NOISY),
    "outlier in y": (BASE, np.append(NOISY[:-1], 1e9)),
    "Cauchy inputs": (RNG.standard_cauchy(N), NOISY),
    "Cauchy walk": (JUMPY[:-1], JUMPY[1:]),
    "lognormal inputs": (np.exp(4 * BASE), NOISY),
    "binary": ((BASE > 0) * 1.0, NOISY),
    "affine": (BASE, 2 * BASE + 1),
    "one kink": (BASE, np.maximum(BASE, 0)),
    "three kinks": (BASE, np.interp(BASE, [-4, -1, 0, 1, 4], [0, 2, -1, 1, 1])),
    "monotone": (GRID, np.sqrt(GRID)),
    "smooth": (BASE, np.sin(3 * BASE)),
    "square": (BASE, BASE**2),
    "step": (BASE, (BASE > 0.3) * 1.0),
    "constant y": (BASE, np.ones(N)),
    "constant x": (np.ones(N), NOISY),
    **{f"{n} points": (BASE[:n], NOISY[:n]) for n in range(1, 6)},
}


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_hostile_data_are_certified_at_every_penalty(name, skip):
    problem = LassoProblem(*CASES[name], beta=1.0, skip=skip)
    primal = np.inf
    for ratio in (1.1, 1e-1, 1e-3, 1e-5, 1e-7):
        solution = solve(problem.with_beta(ratio * problem.beta_max))  # a warning would be an error
        assert solution.certificate.holds(1e-8)
        assert solution.certificate.primal <= primal * (1 + 1e-12) + solution.certificate.floor
        primal = solution.certificate.primal


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    "name", ["twelve inputs", "outlier in x", "Cauchy inputs", "twins 1e-13 apart", "square"]
)
def test_plain_search_certifies_the_same_optimum(name, skip):
    x, y = CASES[name]
    problem = LassoProblem(x[::5], y[::5], beta=1.0, skip=skip)
    problem = problem.with_beta(1e-3 * problem.beta_max)
    fast = solve(problem)
    plain = plain_search(problem, 1e-9, 500, None).point
    residual = problem.y - plain.level - plain.varying(problem.x, problem.exog)
    objective = 0.5 * residual @ residual + problem.beta * plain.l1_norm
    assert objective == pytest.approx(fast.certificate.primal, rel=1e-7, abs=fast.certificate.floor)


def test_a_penalty_below_the_digits_of_the_data_is_named():
    problem = LassoProblem(JUMPY[:-1], JUMPY[1:], beta=1.0, skip=True)
    small = problem.with_beta(1e-12 * problem.beta_max)
    with pytest.warns(PrecisionWarning, match="too small for the data's digits.* Use a beta of at least"):
        found = solve(small, tol=1e-12)
    assert found.certificate.relative_gap > 1e-12
    with pytest.warns(CertificateWarning) as caught:
        solve(problem.with_beta(1e-3 * problem.beta_max), max_rounds=1)
    assert caught[0].category is CertificateWarning


def test_data_whose_products_leave_double_precision_are_refused():
    for scale in (1e-150, 1e200):
        with pytest.raises(InputError, match="rescale the data"):
            LassoProblem(scale * WALK[:-1], scale * WALK[1:], beta=1.0)


def test_many_kinks_leave_no_rounding_in_the_slope_to_a_far_input():
    x, y = CASES["outlier in x"]
    problem = LassoProblem(x, y, beta=1.0, skip=True)
    for factor in (1.0, 1 + 1e-6, 1.01):
        solution = solve(problem.with_beta(1e-7 * factor * problem.beta_max))
        rest = y[-1] - solution.fitted[-1]
        assert abs(rest) <= 4 * np.finfo(float).eps * abs(x[-1] * solution.linear[0])


def exact_beta_max(x, y):
    """Largest correlation of a ReLU unit with the residual of the line, in rational arithmetic."""
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((v - mean_x) ** 2 for v in x)
    slope = sum((v - mean_x) * w for v, w in zip(x, y, strict=True)) / spread
    rest = [w - mean_y - slope * (v - mean_x) for v, w in zip(x, y, strict=True)]
    return float(max(abs(sum(r * max(v - a, 0) for v, r in zip(x, rest, strict=True))) for a in x))


@pytest.mark.parametrize("far", [1e9, 1e12, 1e14, -1e14])
def test_a_far_input_costs_beta_max_its_own_rounding_only(far):
    x, y = np.append(BASE[:49], far), np.append(NOISY[:49], 0.0)
    problem = LassoProblem(x, y, beta=1.0, skip=True)
    assert problem.beta_max == pytest.approx(exact_beta_max(x, y), rel=1e-12)


@pytest.mark.parametrize("far", [1e3, 1e12, -1e12])
@pytest.mark.parametrize("architecture", ["relu", "abs", "deep_relu"])
def test_rounding_is_no_beta_max_however_far_an_input(architecture, far):
    """An exact line, and three inputs whose means lie on one: only noise within ties is left."""
    x = np.append(BASE, far)
    assert LassoProblem(x, 1 - 3 * x, beta=1.0, architecture=architecture, skip=True).beta_max == 0
    x = np.append(np.repeat([0.0, 1.0], N), far)
    y = np.append(np.tile(BASE, 2), float(np.mean(BASE)))
    assert LassoProblem(x, y, beta=1.0, architecture=architecture, skip=True).beta_max == 0


@pytest.mark.parametrize("far", [1e13, -1e13])
def test_what_rounding_leaves_of_sums_that_are_zero_is_not_multiplied_by_a_distance(far):
    x, y = np.append(np.tile(BASE, 3), far), np.append(np.tile(NOISY, 3), 0.0)
    problem = LassoProblem(x, y, beta=1.0, skip=True)
    (column,) = problem.design.columns
    sums = column.aggregate(problem.free_fit.dual)
    near = np.maximum(np.subtract.outer(column.knots, column.knots) * -np.sign(far), 0.0)  # less the far one
    assert column.dictionary.bound(sums) == pytest.approx(np.max(np.abs(near @ sums)), rel=1e-11)


@pytest.mark.parametrize("solver", ["osqp", "active-set", "auto"])
def test_no_solver_calls_a_gap_closed_that_is_not(solver):
    """Terms of the fit that nearly cancel are no reason to believe in a smaller gap."""
    problem = LassoProblem(*CASES["outlier in x"], beta=1.0, skip=True)
    problem = problem.with_beta(1e-7 * problem.beta_max)
    best = solve(problem).certificate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CertificateWarning)
        found = solve(problem, solver=solver).certificate
    assert found.dual <= best.primal * (1 + 1e-12)
    assert found.relative_gap >= (found.primal - best.primal) / found.primal - 1e-12
