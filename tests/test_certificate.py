"""A certificate is a theorem about any pair of points, whoever made them."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from problems import explicit, literal_objective, problems

from cvxar import Certificate, solve
from cvxar.certificate import certify
from cvxar.unpenalised import with_free_part


@given(problem=problems(max_columns=2), seed=st.integers(0, 999), size=st.sampled_from([0.0, 1e-3, 1.0, 1e3]))
def test_gap_is_never_negative_and_always_true(problem, seed, size):
    """For arbitrary coefficients and dual vectors: dual <= optimum <= primal."""
    rng = np.random.default_rng(seed)
    best = solve(problem)
    features = tuple(best.features)
    coef = best.coef + size * rng.normal(size=len(features)) * (np.abs(best.coef) + problem.beta_max)
    point = with_free_part(problem, features, coef)
    dual = best.dual + size * rng.normal(size=len(best.dual)) * np.abs(best.dual).max()
    certificate = certify(problem, point, dual)
    slack = 1e-9 * best.certificate.primal + best.certificate.floor
    assert certificate.gap >= 0
    assert certificate.dual <= best.certificate.primal + slack
    assert certificate.primal >= best.certificate.dual - slack


@given(problem=problems(max_columns=2))
def test_both_values_agree_with_their_definitions(problem):
    """Written out on the explicit dictionary, with the dual vector of the solution."""
    solution = solve(problem)
    matrix, free = explicit(problem)
    assume(problem.beta > 0)
    dual = solution.dual * min(1.0, problem.beta / max(np.max(np.abs(matrix.T @ solution.dual)), 1e-300))
    size = 1 + np.abs(dual).sum() * max(np.abs(matrix).max(), np.abs(free).max())
    assert np.max(np.abs(free.T @ dual), initial=0.0) <= 1e-9 * size
    weight = 1.0 if problem.sample_weight is None else problem.sample_weight
    value = dual @ (problem.y - problem.y.mean()) - np.sum(dual**2 / weight) / 2
    assert np.isclose(value, solution.certificate.dual, rtol=1e-7, atol=1e-9 * size)
    primal = literal_objective(problem, solution.fitted, np.abs(solution.coef).sum())
    assert np.isclose(primal, solution.certificate.primal, rtol=1e-9, atol=solution.certificate.floor)


def test_reading_a_certificate():
    certificate = Certificate(primal=10.0, dual=9.9)
    assert np.isclose(certificate.gap, 0.1)
    assert certificate.holds(0.011)
    assert not certificate.holds(0.009)
    assert "proven within 1.0e-02" in str(certificate)
    assert Certificate(0.0, 0.0).relative_gap == 0.0
    assert Certificate(1.0, 1.0 + 1e-16).gap == 0.0
    assert Certificate(1e-30, 0.0, floor=1e-20).holds(1e-8)
    for primal, dual in ((float("nan"), 0.0), (float("inf"), float("inf")), (1.0, float("nan"))):
        assert not Certificate(primal, dual).holds(1e-8)
