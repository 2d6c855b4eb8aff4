"""A window that slides gives what a fresh problem gives, at every position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import ARCHITECTURES

from cvxar import LassoProblem, solve
from cvxar.certificate import certify
from cvxar.errors import InputError
from cvxar.incremental import IncrementalLasso

HINGED = [a for a in ARCHITECTURES if a.hinge_cost is not None]


@given(
    architecture=st.sampled_from(HINGED),
    skip=st.booleans(),
    rounded=st.booleans(),
    ratio=st.sampled_from([0.5, 0.05, 5e-3]),
    seed=st.integers(0, 999),
)
def test_sliding_window_equals_fresh_problems(architecture, skip, rounded, ratio, seed):
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=60))
    walk = np.round(walk) if rounded else walk
    size = 30
    if np.ptp(walk[:size]) == 0:
        return
    window = IncrementalLasso(walk[:size], walk[1 : size + 1], architecture=architecture, skip=skip)
    for k in range(12):
        problem = LassoProblem(
            walk[k : k + size], walk[k + 1 : k + size + 1], beta=1.0, architecture=architecture, skip=skip
        )
        assert window.nobs == size
        assert window.beta_max == pytest.approx(problem.beta_max, rel=1e-9, abs=1e-9)
        if problem.beta_max > 1e-9:
            found, fresh = window.solve(beta_ratio=ratio), solve(problem.with_beta(ratio * problem.beta_max))
            assert found.certificate.relative_gap <= 1e-8
            assert found.certificate.primal == pytest.approx(fresh.certificate.primal, rel=1e-8)
            np.testing.assert_allclose(found.network(problem.x), fresh.fitted, rtol=1e-5, atol=1e-5)
            again = certify(problem.with_beta(found.beta), found.point, problem.y - found.predict(problem.x))
            assert again.relative_gap <= 1e-8
            everywhere = np.linspace(problem.x.min() - 9, problem.x.max() + 9, 50)
            np.testing.assert_allclose(found.predict(everywhere), found.network(everywhere), atol=1e-9)
        window.append(walk[k + size], walk[k + size + 1])
        window.drop(walk[k], walk[k + 1])


def test_changes_that_cannot_be_made_are_refused():
    window = IncrementalLasso([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])
    with pytest.raises(InputError, match=r"no observation with input 5\.0 is held"):
        window.drop(5.0, 0.0)
    window.drop(2.0, 0.0)
    with pytest.raises(InputError, match="two distinct inputs must remain"):
        window.drop(1.0, 1.0)
    with pytest.raises(InputError, match="give either beta or beta_ratio"):
        window.solve()
    with pytest.raises(InputError, match="beta must be positive here"):
        window.solve(beta=0)
    with pytest.raises(InputError, match="y has 1 NaN"):
        window.append(1.0, float("nan"))
    with pytest.raises(InputError, match="at least two distinct inputs"):
        IncrementalLasso([1.0, 1.0], [0.0, 1.0])
    with pytest.raises(InputError, match="two-layer networks of single kinks"):
        IncrementalLasso([1.0, 2.0], [0.0, 1.0], architecture="deep_relu")


@pytest.mark.parametrize("jump", [10.0, 1e6, 1e9])
def test_a_level_left_behind_leaves_no_rounding(jump):
    ticks = np.random.default_rng(0).integers(0, 5, 300) * 0.125
    walk, size = np.concatenate([ticks, jump + ticks]), 100
    window = IncrementalLasso(walk[:size], walk[1 : size + 1], skip=True)
    for t in range(size, 450):
        window.append(walk[t], walk[t + 1])
        window.drop(walk[t - size], walk[t + 1 - size])
    problem = LassoProblem(walk[450 - size : 450], walk[451 - size : 451], beta=1.0, skip=True)
    fresh = solve(problem.with_beta(0.1 * problem.beta_max))
    found = window.solve(beta=fresh.problem.beta)
    assert window.beta_max == pytest.approx(problem.beta_max, rel=1e-9)
    assert found.certificate.primal == pytest.approx(fresh.certificate.primal, rel=1e-9)
    assert found.certificate.holds(1e-8)


def test_only_observations_that_are_held_can_be_dropped():
    window = IncrementalLasso([0.0, 0.0, 1.0], [2.0, 5.0, 3.0])
    with pytest.raises(InputError, match=r"no observation with input 0\.0 and target 3\.0 is held"):
        window.drop(0.0, 3.0)
    window.drop(0.0, 2.0)
    assert window.y.tolist() == [5.0, 3.0]
