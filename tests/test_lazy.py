"""Lazily sorted data give what sorted data give: objective, beta_max, and bounds that hold."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvxar import LassoProblem, kernel_bounds, kernel_cells, solve
from cvxar.architectures.two_layer import hinge_sums
from cvxar.buckets import LazyCells
from cvxar.cell_search import search_cells, setting_of
from cvxar.lazy_bound import bounded, unpenalised_state
from cvxar.lazy_search import solve_lazily
from cvxar.problem import match_bound

N = 20_000


def series(kind, n=N, seed=0):
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.standard_t(4, size=n + 1))
    return {
        "walk": walk,
        "rounded": np.round(walk),
        "returns": rng.standard_t(3, size=n + 1),
        "offset": 1e7 + 1e-2 * walk,
        "outlier": np.where(np.arange(n + 1) == n // 2, 1e6, walk),
        "trend": np.arange(n + 1.0) + rng.normal(size=n + 1),
    }[kind]


KINDS = ("walk", "rounded", "returns", "offset", "outlier", "trend")


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_lazy_and_sorted_solutions_agree(kind, skip):
    s = series(kind)
    problem = LassoProblem(s[:-1], s[1:], beta=1.0, skip=skip)
    assert problem.design.lazily_sorted
    exact = match_bound(problem.design, problem.design.null_dual)
    assert problem.beta_max == pytest.approx(exact, rel=1e-7)
    for ratio in (0.9, 1e-1, 1e-2, 1e-3):
        now = problem.with_beta(ratio * problem.beta_max)
        sorted_ = search_cells(now, 1e-9, 500, None).certificate
        lazily = solve_lazily(now, 1e-9, 500)
        if lazily is not None:
            assert lazily.certificate.relative_gap <= 1e-8
            assert lazily.certificate.primal == pytest.approx(sorted_.primal, rel=1e-8)
            fitted = lazily.point.level + lazily.point.varying(now.x, now.exog)
            loss = 0.5 * np.sum((now.y - fitted) ** 2)
            assert loss + now.beta * lazily.point.l1_norm == pytest.approx(
                lazily.certificate.primal, rel=1e-9
            )
        assert solve(now).certificate.relative_gap <= 1e-8


def test_most_series_are_solved_without_sorting():
    """The lazy route must not hide behind its own refusal."""
    for kind in ("walk", "rounded", "offset"):
        s = series(kind, 100_000)
        problem = LassoProblem(s[:-1], s[1:], beta=1.0, skip=True)
        now = problem.with_beta(1e-2 * problem.beta_max)
        assert solve(now).certificate.holds(1e-8)
        assert "columns" not in now.design.__dict__


def lazy_cells(s):
    x, y = s[:-1], s[1:]
    return LazyCells(x, y, float(np.median(x)), float(np.mean(y)), float(np.ptp(y)))


@settings(max_examples=12)
@given(kind=st.sampled_from(KINDS), skip=st.booleans(), seed=st.integers(0, 99))
def test_bounds_hold_for_every_point_and_sums_are_exact(kind, skip, seed):
    s = series(kind, 6000, seed)
    lazy, rng = lazy_cells(s), np.random.default_rng(seed)
    problem = LassoProblem(s[:-1], s[1:], beta=1.0, skip=skip)
    t = (s[:-1] - lazy.center) / lazy.scale
    order = np.argsort(s[:-1], kind="stable")
    for _ in range(3):
        cells = lazy.cells
        state = unpenalised_state(cells, skip)
        priced = bounded(lazy, state, setting_of(problem))
        fit = cells.level + cells.tilted * t + state.value[0] + state.slope[0] * (t - cells.anchor[0])
        residual = (s[1:] - lazy.y_center) / lazy.y_scale - fit
        hinge = hinge_sums(t[order], residual[order])
        kink = np.abs(hinge - hinge[0] / 2)
        cell = np.searchsorted(lazy.input, s[:-1][order], side="right") - 1
        assert np.all(kink <= priced.bounds[cell] * (1 + 1e-7) + 1e-9)
        sharp, eased = (
            bounded(lazy, state, setting_of(problem.with_beta(ratio * problem.beta_max)))
            for ratio in (1e-9, 0.3)  # bounds plainly within the limit need not be sharp
        )
        assert np.all(kink <= eased.bounds[cell] * (1 + 1e-7) + 1e-9)
        beyond = sharp.bounds > eased.limit
        np.testing.assert_array_equal(eased.bounds > eased.limit, beyond)
        np.testing.assert_array_equal(eased.bounds[beyond], sharp.bounds[beyond])
        energy = np.sum(residual**2) / 2
        slope = cells.tilted + state.slope[0]
        norm = 0.0 if skip else abs(slope)
        assert priced.primal == pytest.approx(energy + setting_of(problem).beta * norm, rel=1e-7)
        assert np.sum(lazy.moments[:, 0]) == len(t)
        lazy.refine(rng.uniform(size=len(lazy.input)) < 0.3)


@settings(max_examples=12)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 99))
def test_split_cells_hold_the_sums_of_their_points(kind, seed):
    s = series(kind, 3000, seed)
    lazy, rng = lazy_cells(s), np.random.default_rng(seed)
    center, scale, y_center, y_scale, level, tilted = lazy.frame
    t = (s[:-1] - center) / scale
    r = (s[1:] - y_center) / y_scale - (level + tilted * t)
    for _ in range(4):
        before = lazy.input
        where = lazy.refine(rng.uniform(size=len(before)) < 0.4)
        np.testing.assert_array_equal(lazy.input[where], before)
        cell = np.searchsorted(lazy.input, s[:-1], side="right") - 1
        d = (s[:-1] - lazy.input[cell]) / scale
        for column, part in enumerate((np.ones(len(t)), d, d * d, r, r * d, r * r)):
            sums = np.bincount(cell, weights=part, minlength=len(lazy.input))
            sizes = np.bincount(cell, weights=np.abs(part), minlength=len(lazy.input))
            assert np.all(np.abs(lazy.moments[:, column] - sums) <= 1e-12 * sizes + 1e-13)
        spread = np.bincount(cell, weights=d, minlength=len(lazy.input))
        np.testing.assert_array_equal(lazy.single, spread == 0)


@given(start=st.floats(-9, 9), end=st.floats(-9, 9), bow=st.floats(0, 9))
def test_highest_point_of_a_bowed_line(start, end, bow):
    u = np.linspace(0, 1, 2001)
    seen = np.max(start + (end - start) * u + 4 * bow * u * (1 - u))
    found = kernel_bounds.highest(start, end, bow)
    assert seen - 1e-12 <= found <= seen + 1e-5


@pytest.mark.parametrize("kind", ["even", "ties", "crowded", "tiny range", "one value"])
def test_runs_are_sorted_with_their_targets(kind):
    rng = np.random.default_rng(0)
    x = {
        "even": lambda: rng.random(2000),
        "ties": lambda: rng.integers(0, 9, 2000).astype(float),
        "crowded": lambda: rng.standard_cauchy(2000) ** 3,
        "tiny range": lambda: 5e-324 * rng.integers(0, 99, 2000),
        "one value": lambda: np.ones(2000),
    }[kind]()
    r = np.arange(2000.0)
    ends = np.cumsum([1, 5, 24, 25, 130, 0, 815, 1000])
    begins = np.concatenate(([0], ends[:-1]))
    a, b = x.copy(), r.copy()
    kernel_cells.sort_runs(a, b, begins, ends)
    for start, stop in zip(begins, ends, strict=True):
        np.testing.assert_array_equal(a[start:stop], np.sort(x[start:stop]))
        assert sorted(b[start:stop]) == list(range(start, stop))
    np.testing.assert_array_equal(x[b.astype(int)], a)


@pytest.mark.parametrize("architecture", ["relu", "abs"])
def test_rounding_of_an_exact_line_is_no_beta_max(architecture):
    x = np.random.default_rng(0).normal(size=N)
    assert LassoProblem(x, 2 * x + 1, beta=1.0, architecture=architecture, skip=True).beta_max == 0


@pytest.mark.parametrize("skip", [False, True])
def test_threads_share_the_cells_of_a_problem(skip):
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    problem = LassoProblem(x, np.sin(3 * x) + 0.3 * rng.normal(size=N), beta=1.0, skip=skip)
    alone = copy.deepcopy(problem)
    betas = alone.beta_max * 10 ** rng.uniform(-4, 0, 24)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda beta: solve(problem.with_beta(beta)), betas))
    for beta, solution in zip(betas, together, strict=True):
        assert solution.certificate.primal == pytest.approx(
            solve(alone.with_beta(beta)).certificate.primal, rel=2e-8
        )
        assert solution.certificate.holds(1e-8)
        assert solution.verify().holds(1e-7)


def test_problems_with_cells_can_be_pickled():
    s = series("walk")
    problem = LassoProblem(s[:-1], s[1:], beta=1.0)
    first = solve(problem.with_beta(0.1 * problem.beta_max))
    again = pickle.loads(pickle.dumps(first))
    second = solve(again.problem.with_beta(0.5 * first.problem.beta), warm_start=again)
    assert second.certificate.holds(1e-8)


def test_sums_that_lose_the_residuals_are_not_believed():
    """Many targets at few inputs, met almost exactly: their squares add up to far more than what is left."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 100_000) * 1.0
    problem = LassoProblem(x, np.sin(3 * x), beta=1.0, skip=True)
    problem = problem.with_beta(1e-7 * problem.beta_max)
    inputs, count = np.unique(x, return_counts=True)
    sums = LassoProblem.from_means(
        inputs, count, np.sin(3 * inputs), np.zeros(5), beta=problem.beta, skip=True
    )
    assert solve(problem).certificate.primal == pytest.approx(solve(sums).certificate.primal, rel=1e-11)
