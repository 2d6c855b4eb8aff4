"""Data made to break a solver: every case is certified, or the warning says why it cannot be."""

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
