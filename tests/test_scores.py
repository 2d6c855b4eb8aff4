"""Scores of distributions: literal definitions, the identities between them, and truth scoring best."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from cvxar import metrics
from cvxar.errors import InputError, InputTypeError

values = st.floats(-1e3, 1e3).map(lambda v: round(v, 3))
rows = st.tuples(st.integers(1, 8), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(arrays(float, shape[0], elements=values), arrays(float, shape, elements=values))
)
levels = st.sampled_from([5.0, 50.0, 80.0, 95.0, 99.5])


@given(rows)
def test_crps_of_paths_is_its_double_sum_and_absolute_error_for_one_path(case):
    y, paths = case
    m = paths.shape[1]
    by_hand = [
        sum(abs(x - v) for x in row) / m - sum(abs(a - b) for a in row for b in row) / (2 * m * m)
        for v, row in zip(y, paths, strict=True)
    ]
    assert metrics.crps_paths(y, paths) == pytest.approx(np.mean(by_hand), abs=1e-9)
    assert metrics.crps_paths(y, paths[:, :1]) == pytest.approx(metrics.mae(y, paths[:, 0]), abs=1e-12)


@given(rows)
def test_crps_of_quantiles_at_the_midpoint_levels_is_crps_of_those_points(case):
    y, paths = case
    m = paths.shape[1]
    quantiles, taus = np.sort(paths, axis=1), (np.arange(m) + 0.5) / m
    assert metrics.crps_quantiles(y, quantiles, taus) == pytest.approx(metrics.crps_paths(y, paths), abs=1e-9)


def test_crps_of_a_normal_distribution_is_its_closed_form():
    y, m = np.linspace(-2, 2, 5), 4000
    paths = np.tile(norm.ppf((np.arange(m) + 0.5) / m), (5, 1))
    exact = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / math.sqrt(math.pi)
    assert metrics.crps_paths(y, paths) == pytest.approx(exact.mean(), abs=1e-3)


@given(rows, levels)
def test_the_interval_score_is_the_sum_of_two_pinball_losses(case, level):
    y, paths = case
    lower, upper = paths.min(axis=1), paths.max(axis=1)
    alpha = 1 - level / 100
    total = metrics.pinball(y, lower, alpha / 2) + metrics.pinball(y, upper, 1 - alpha / 2)
    assert metrics.winkler(y, lower, upper, level) == pytest.approx(2 / alpha * total, rel=1e-9, abs=1e-6)


@given(rows)
def test_coverage_and_width_count_and_measure(case):
    y, paths = case
    lower, upper = paths.min(axis=1), paths.max(axis=1)
    inside = sum(a <= v <= b for v, a, b in zip(y, lower, upper, strict=True))
    assert metrics.coverage(y, lower, upper) == pytest.approx(inside / len(y))
    assert metrics.interval_width(lower, upper) == pytest.approx(np.mean(np.ptp(paths, axis=1)))


@given(st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_no_constant_has_a_smaller_pinball_loss_than_the_sample_quantile(tau, seed):
    y = np.random.default_rng(seed).normal(size=31)
    best = metrics.pinball(y, np.full(31, np.quantile(y, tau, method="inverted_cdf")), tau)
    assert best <= min(metrics.pinball(y, np.full(31, v), tau) for v in y) + 1e-12


def test_an_unbounded_interval_covers_and_is_infinitely_wide():
    assert metrics.coverage([3.0], [-np.inf], [np.inf]) == 1
    assert metrics.interval_width([-np.inf], [0.0]) == math.inf
    assert metrics.winkler([3.0], [-np.inf], [np.inf], 80) == math.inf


@pytest.mark.parametrize("name", metrics.INTERVALS_BY_NAME)
def test_the_catalogue_scores_an_interval_at_its_level(name):
    score = metrics.INTERVALS_BY_NAME[name]([0.0, 3.0], [-1.0, -1.0], [1.0, 1.0], 80)
    assert score == pytest.approx({"coverage": 0.5, "interval_width": 2.0, "winkler": 12.0}[name])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: metrics.pinball([1.0], [1.0], 0.0), InputError, "above 0 and below 1"),
        (lambda: metrics.pinball([1.0], [1.0], 80), InputError, "above 0 and below 1"),
        (lambda: metrics.pinball([1.0], [1.0], "half"), InputTypeError, "tau must be a number"),
        (lambda: metrics.pinball([1.0, 2.0], [1.0], 0.5), InputError, "2 and 1"),
        (lambda: metrics.coverage([1.0], [2.0], [1.0]), InputError, "lower=2 and upper=1 at position 0"),
        (lambda: metrics.coverage([1.0], [np.nan], [1.0]), InputError, "missing"),
        (lambda: metrics.coverage([1.0, 2.0], [0.0], [1.0]), InputError, "2 values for 1 intervals"),
        (lambda: metrics.interval_width([], []), InputError, "one value each"),
        (lambda: metrics.interval_width(["a"], [1.0]), InputTypeError, "must be numbers"),
        (
            lambda: metrics.coverage(pd.Series([1.0], ["a"]), pd.Series([1.0], ["b"]), [2.0]),
            InputError,
            "reindex",
        ),
        (lambda: metrics.winkler([1.0], [0.0], [1.0], 100), InputError, "below 100"),
        (lambda: metrics.winkler([1.0], [0.0], [1.0], 0), InputError, "above 0"),
        (lambda: metrics.crps_paths([1.0], [1.0]), InputError, "one row per value"),
        (lambda: metrics.crps_paths([1.0], [[np.nan]]), InputError, "not finite"),
        (lambda: metrics.crps_quantiles([1.0], [[1.0, 2.0]], [0.5]), InputError, "2 columns for 1 taus"),
        (lambda: metrics.crps_quantiles([1.0], [[1.0, 2.0]], [0.5, 0.5]), InputError, "ascend strictly"),
        (lambda: metrics.crps_quantiles([1.0], [[1.0, 2.0]], [0.5, 1.0]), InputError, "within"),
    ],
)
def test_bad_input_is_refused_with_a_reason(call, error, says):
    with pytest.raises(error, match=says):
        call()
