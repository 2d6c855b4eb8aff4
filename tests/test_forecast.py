"""Simulated paths: exact where they can be, centred, reproducible, guarded beyond the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar.errors import InputError, InputTypeError
from cvxar.lags import lag_frame
from cvxar.observations import observe
from cvxar.options import check_count, check_levels, make_generator
from cvxar.piecewise import PiecewiseLinear
from cvxar.simulation import ConditionalMean, draw_shocks, least_squares_slopes, simulate


def line(slope):
    return PiecewiseLinear(np.array([0.0]), np.array([0.0]), np.array([slope, slope]))


def bend(left, right, at=0.0):
    return PiecewiseLinear(np.array([at]), np.array([0.0]), np.array([left, right]))


def unguarded(constant, *pieces):
    p = len(pieces)
    return ConditionalMean(constant, pieces, np.full(p, -np.inf), np.full(p, np.inf), np.zeros(p))


LINEAR = unguarded(0.3, line(0.5), line(-0.4))
BENT = unguarded(1.0, bend(0.9, -0.6))
RESIDUALS = np.array([-2.0, -0.5, 0.1, 0.4, 2.0])


@given(st.integers(2, 40), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_rows_of_shocks_are_centred_and_spread_over_all_residuals(n, n_paths, seed):
    residuals = np.random.default_rng(seed).normal(size=n)
    shocks = draw_shocks(residuals - residuals.mean(), 3, n_paths, np.random.default_rng(seed))
    assert np.abs(shocks.mean(axis=1)).max() < 1e-12
    whole = draw_shocks(np.arange(n) - (n - 1) / 2, 2, 4 * n, np.random.default_rng(seed))
    for row in whole:
        assert np.unique(row.round(9), return_counts=True)[1].tolist() == [4] * n


@pytest.mark.parametrize("steps", [1, 7, 30])
def test_the_simulated_mean_of_a_linear_map_is_its_iterated_forecast(steps):
    history, offsets = np.array([5.0, -1.0, 2.0]), np.linspace(0, 1, steps)
    shocks = draw_shocks(RESIDUALS - RESIDUALS.mean(), steps, 50, np.random.default_rng(1))
    means, paths = simulate(LINEAR, (1, 3), history, offsets, shocks)
    past = [*history]
    for step in range(steps):
        past.append(0.3 + 0.5 * past[-1] - 0.4 * past[-3] + offsets[step])
    assert means == pytest.approx(past[3:], rel=1e-12, abs=1e-12)
    assert paths.mean(axis=1) == pytest.approx(means, rel=1e-12, abs=1e-12)


def test_two_steps_ahead_the_mean_is_the_average_over_all_residuals():
    centred = RESIDUALS - RESIDUALS.mean()
    shocks = draw_shocks(centred, 2, 10 * len(centred), np.random.default_rng(0))
    means, _ = simulate(BENT, (1,), np.array([0.7]), np.zeros(2), shocks)
    first = BENT(np.array([[0.7]]))[0]
    assert means[0] == pytest.approx(first, rel=1e-14)
    assert means[1] == pytest.approx(np.mean(BENT((first + centred)[:, None])), rel=1e-12)
    assert abs(means[1] - BENT(np.array([[first]]))[0]) > 0.1  # iterating the mean would be wrong


def test_paths_follow_the_map_shock_by_shock():
    shocks = np.random.default_rng(2).normal(size=(6, 4))
    _, paths = simulate(BENT, (2,), np.array([0.2, -0.3]), np.ones(6), shocks)
    past = np.vstack([np.full((1, 4), 0.2), np.full((1, 4), -0.3), paths])
    expected = np.array([BENT(past[t][:, None]) + 1.0 + shocks[t] for t in range(6)])
    assert paths == pytest.approx(expected)


@given(st.floats(0.1, 50.0))
def test_beyond_the_training_range_the_map_continues_with_the_given_slopes(distance):
    low, high, slopes = np.array([-1.0, 0.0]), np.array([2.0, 3.0]), np.array([0.7, -0.2])
    pieces = (bend(5.0, -4.0), bend(9.0, 2.0, at=1.0))
    guarded = ConditionalMean(0.5, pieces, low, high, slopes)
    inside = np.array([[-1.0, 0.0], [2.0, 3.0], [0.3, 1.4]])
    assert guarded(inside) == pytest.approx(unguarded(0.5, *pieces)(inside))
    for edge in (0, 1):
        for j in (0, 1):
            beyond = inside[edge].copy()
            beyond[j] += distance * (1 if edge else -1)
            change = guarded(beyond[None, :])[0] - guarded(inside[[edge]])[0]
            assert change == pytest.approx(slopes[j] * (beyond[j] - inside[edge, j]))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_outer_slopes_are_those_of_least_squares(fit_intercept):
    rng = np.random.default_rng(4)
    values, exog = 1e6 + rng.normal(size=80).cumsum(), rng.normal(size=(80, 2))
    frame = lag_frame(observe(values, exog), (1, 2))
    ones = np.ones((len(frame.y), int(fit_intercept)))
    design = np.hstack([ones, frame.x - 1e6 * fit_intercept, frame.exog])
    expected = np.linalg.lstsq(design, frame.y - 1e6 * fit_intercept, rcond=None)[0]
    found = least_squares_slopes(frame, fit_intercept)
    assert found == pytest.approx(expected[ones.shape[1] :][:2], rel=1e-6)


def test_a_constant_series_has_no_slope():
    assert least_squares_slopes(lag_frame(observe([0.1] * 9), (1, 2)), True).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("level", [0, 100, -5, 0.8, 120, (80, 80), (80, np.nan)])
def test_levels_outside_one_to_hundred(level):
    with pytest.raises(InputError, match="level"):
        check_levels(level)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: check_levels("80 %"), InputTypeError),
        (lambda: check_count(0, "steps"), InputError),
        (lambda: check_count(-3, "steps"), InputError),
        (lambda: check_count(2.0, "steps"), InputTypeError),
        (lambda: check_count(True, "steps"), InputTypeError),
        (lambda: make_generator("seed"), InputTypeError),
        (lambda: make_generator(-1), InputTypeError),
    ],
)
def test_counts_levels_and_seeds_that_are_not(call, error):
    with pytest.raises(error):
        call()


def test_forecasts_too_large_or_beyond_the_calendar_are_refused():
    from cvxar.model import ConvexAR

    dates = pd.date_range("1960-01-01", periods=60, freq="YS")
    values = np.sin(np.arange(60.0))
    model, undated = (ConvexAR(beta_ratio=1.0).fit(s) for s in (pd.Series(values, index=dates), values))
    with pytest.raises(InputError, match=r"more than 2\.5e\+08; ask for fewer steps or a smaller n_paths"):
        undated.forecast(10**7)
    with pytest.raises(InputError, match="leave the calendar of pandas"):
        model.forecast(10**6, n_paths=2)


@pytest.mark.parametrize("level", [True, "80", [80, "x"], [[80]], object()])
def test_levels_are_numbers(level):
    with pytest.raises(InputTypeError, match="level must be a number or a sequence of numbers"):
        check_levels(level)
