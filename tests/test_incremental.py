"""A window that slides gives what a fresh problem gives, at every position."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from problems import ARCHITECTURES, problems

from cvxar import LassoProblem, solve
from cvxar.cells import Frame
from cvxar.certificate import certify
from cvxar.errors import InputError
from cvxar.incremental import IncrementalLasso
from cvxar.sorted_pairs import SortedPairs

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


@pytest.mark.parametrize("size", [1e3, 1e12, 1e18])
def test_an_outlier_that_has_left_is_forgotten(size):
    walk = np.random.default_rng(1).normal(size=200)
    x, y = walk[:-1].copy(), walk[1:].copy()
    x[[3, 4]] = size, -size
    y[[3, 4]] = -size, size
    window = IncrementalLasso(x[:100], y[:100], skip=True)
    assert window.solve(beta_ratio=0.1).certificate.holds(1e-8)
    for t in range(20):
        window.append(x[100 + t], y[100 + t])
        window.drop(x[t], y[t])
    problem = LassoProblem(x[20:120], y[20:120], beta=1.0, skip=True)
    fresh, found = solve(problem.with_beta(0.1 * problem.beta_max)), window.solve(beta_ratio=0.1)
    assert window.beta_max == pytest.approx(problem.beta_max, rel=1e-9)
    assert found.certificate.primal == pytest.approx(fresh.certificate.primal, rel=1e-8)
    assert found.certificate.floor < 1e-20 * found.certificate.primal
    assert found.certificate.gap <= 1e-8 * found.certificate.primal


@given(
    start=st.lists(st.tuples(st.integers(-5, 5), st.integers(-3, 3)), min_size=2, max_size=30),
    moves=st.lists(st.tuples(st.booleans(), st.integers(-6, 6), st.integers(-3, 3)), max_size=60),
)
def test_sorted_pairs_are_a_list_that_is_sorted(start, moves):
    held = [(float(x), float(y)) for x, y in start]
    assume(len({x for x, _ in held}) > 1)
    pairs = SortedPairs(*np.array(held).T)
    for new, x, y in moves:
        x, y = float(x), float(y)
        rest = [pair for i, pair in enumerate(held) if i != (held.index((x, y)) if (x, y) in held else -1)]
        if new:
            held.append((x, y))
            pairs.insert(x, y)
        elif len(rest) < len(held) and len({x for x, _ in rest}) > 1:
            held = rest
            pairs.remove(x, y)
        else:
            with pytest.raises(InputError):
                pairs.remove(x, y)
        assert pairs.count == len(held)
        assert sorted(zip(pairs.x, pairs.y, strict=True)) == sorted(held)
        assert np.all(np.diff(pairs.x) >= 0)


@given(problem=problems())
def test_sums_of_a_window_are_those_of_its_problem(problem):
    weighted = problem.sample_weight is not None
    if not problem.design.one_column or weighted or problem.architecture.hinge_cost is None:
        return
    x, cells = problem.x[:, 0], problem.design.cells
    assume(np.ptp(x) > 0)
    design = problem.design
    frame = Frame(float(design.anchors[0]), float(design.widths[0]), design.y_center, design.y_scale)
    points, inputs, low, high = SortedPairs(x, problem.y).points(frame)
    scaled = (problem.y - frame.y_center) / frame.y_scale
    np.testing.assert_array_equal(inputs, np.unique(x))
    np.testing.assert_allclose(points.anchor, cells.anchor, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(points.moments, cells.moments, atol=1e-12 * len(x))
    assert (points.level, points.tilted) == pytest.approx((cells.level, cells.tilted), rel=1e-9, abs=1e-9)
    assert points.offset == pytest.approx(cells.offset, rel=1e-9, abs=1e-12)
    assert (low, high) == pytest.approx((scaled.min(), scaled.max()), rel=1e-12)


def test_copies_of_a_window_go_their_own_ways():
    walk = np.cumsum(np.random.default_rng(3).normal(size=60))
    window = IncrementalLasso(walk[:40], walk[1:41])
    window.append(9.0, 8.0)  # there is room for more now
    before = window.solve(beta_ratio=0.05)
    branches = [window.copy(), window.copy()]
    for branch, value in zip(branches, (-3.0, 3.0), strict=True):
        branch.append(value, value)
        branch.drop(walk[5], walk[6])
    for branch, value in zip(branches, (-3.0, 3.0), strict=True):
        x = np.r_[np.delete(walk[:40], 5), 9.0, value]
        y = np.r_[np.delete(walk[1:41], 5), 8.0, value]
        problem = LassoProblem(x, y, beta=1.0)
        fresh = solve(problem.with_beta(0.05 * problem.beta_max))
        found = branch.solve(beta_ratio=0.05)
        assert found.certificate.primal == pytest.approx(fresh.certificate.primal, rel=1e-8)
    assert window.nobs == 41
    assert window.solve(beta_ratio=0.05).certificate.primal == pytest.approx(before.certificate.primal)


def test_only_observations_that_are_held_can_be_dropped():
    window = IncrementalLasso([0.0, 0.0, 1.0], [2.0, 5.0, 3.0])
    with pytest.raises(InputError, match=r"no observation with input 0\.0 and target 3\.0 is held"):
        window.drop(0.0, 3.0)
    window.drop(0.0, 2.0)
    assert window.y.tolist() == [5.0, 3.0]
