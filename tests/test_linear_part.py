"""The linear part is AutoReg's: trends, seasons, exogenous columns, lags with and without networks."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.ar_model import AutoReg

from cvxar import selection
from cvxar.datasets import load_sunspots
from cvxar.deterministic import Deterministic
from cvxar.errors import InputError
from cvxar.losses import Absolute, Huber, Quantile
from cvxar.model import ConvexAR
from cvxar.problem import LassoProblem
from cvxar.quantile_model import QuantileAR
from cvxar.solver import solve

SUNSPOTS = load_sunspots().iloc[:240]
RNG = np.random.default_rng(0)
EXOG, FUTURE = RNG.normal(size=(240, 2)), RNG.normal(size=(12, 2))
MATRIX = list(itertools.product([None, 1, 3, [1, 4]], ["n", "c", "t", "ct", "ctt"], [None, 4], [False, True]))


def close(found, expected, rtol=1e-8):
    """Relative to the largest entry."""
    expected = np.asarray(expected, dtype=float)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.max(np.abs(expected), initial=1e-300))


@pytest.mark.parametrize(("lags", "trend", "period", "with_exog"), MATRIX)
def test_from_beta_max_on_it_is_autoreg(lags, trend, period, with_exog):
    exog, future = (EXOG, FUTURE) if with_exog else (None, None)
    options = {"trend": trend, "seasonal": period is not None, "period": period}
    model = ConvexAR(lags, beta_ratio=1.0, **options).fit(SUNSPOTS, exog)
    result = AutoReg(SUNSPOTS, lags, exog=exog, **options).fit()
    assert list(model.params_.index) == list(result.params.index)
    np.testing.assert_allclose(model.params_, result.params, rtol=1e-8)
    pd.testing.assert_index_equal(model.fittedvalues_.index, result.fittedvalues.index)
    close(model.fittedvalues_, result.fittedvalues)
    criteria = [model.llf_, model.aic_, model.bic_, model.hqic_]
    np.testing.assert_allclose(criteria, [result.llf, result.aic, result.bic, result.hqic], rtol=1e-8)
    assert model.breakpoints_ == ()
    counted = AutoReg(pd.Series(SUNSPOTS.to_numpy()), lags, exog=exog, **options).fit()
    close(model.forecast(12, exog=future, n_paths=20, rng=0)["mean"], counted.forecast(12, exog=future))
    dynamic = counted.predict(100, 245, dynamic=20, exog_oos=None if future is None else future[:6])
    close(model.predict(100, 245, dynamic=20, exog=None if future is None else future[:6]), dynamic)


@pytest.mark.parametrize("hold_back", [3, 10])
def test_observations_are_held_back_as_in_autoreg(hold_back):
    model = ConvexAR(2, hold_back=hold_back, beta_ratio=1.0).fit(SUNSPOTS)
    result = AutoReg(SUNSPOTS, 2, hold_back=hold_back).fit()
    np.testing.assert_allclose(model.params_, result.params, rtol=1e-8)
    assert (model.nobs_, model.fittedvalues_.index[0]) == (result.nobs, SUNSPOTS.index[hold_back])


def test_a_long_quadratic_trend_keeps_its_digits():
    t = np.arange(50_000)
    noise = np.random.default_rng(3).normal(size=len(t))
    values = 5.0 + 0.01 * t - 2e-8 * t**2 + noise
    model = ConvexAR(1, trend="ctt", beta_ratio=1.0).fit(values)
    # partial regression on what an orthonormal basis of the trends leaves over, projected twice
    z = t[1:] / len(t) - 0.5
    space, _ = np.linalg.qr(np.column_stack([np.ones(len(z)), z, z**2]))
    lag, now = values[:-1], values[1:]
    for _ in range(2):
        lag, now = (part - space @ (space.T @ part) for part in (lag, now))
    slope = lag @ now / (lag @ lag)
    assert model.params_["y.L1"] == pytest.approx(slope, rel=1e-8)
    fit = values[1:] - now + slope * lag
    np.testing.assert_allclose(model.fittedvalues_, fit, rtol=1e-11)


def test_networks_on_some_lags_leave_the_others_linear():
    model = ConvexAR(3, nonlinear_lags=[2], trend="ct", beta_ratio=0.05).fit(SUNSPOTS)
    y, n = SUNSPOTS.to_numpy(), len(SUNSPOTS)
    free = np.column_stack([y[2:-1], y[:-3], np.arange(4.0, n + 1)])
    problem = LassoProblem(y[1:-2], y[3:], beta=model.beta_, exog=free, skip=True)
    assert model.beta_max_ == pytest.approx(problem.beta_max, rel=1e-9)
    twin = solve(problem)
    assert model.certificate_.primal == pytest.approx(twin.certificate.primal, rel=1e-9)
    close(model.fittedvalues_, twin.fitted, rtol=1e-6)
    lag_names = [f"{SUNSPOTS.name}.L{lag}" for lag in (1, 2, 3)]
    assert list(model.params_.index) == ["const", "trend", *lag_names]
    assert {b.column for b in model.breakpoints_} == {0}
    later = SUNSPOTS.iloc[-1] * 1.01
    same = model.forecast(1)["mean"].iloc[0], model.append(later).fittedvalues_.iloc[-1]
    assert same[0] == pytest.approx(same[1])


@pytest.mark.parametrize("nonlinear", [0, [2], None])
def test_every_lag_may_be_linear(nonlinear):
    free = ConvexAR(2, nonlinear_lags=nonlinear, beta_ratio=1.0).fit(SUNSPOTS)
    np.testing.assert_allclose(free.params_, AutoReg(SUNSPOTS, 2).fit().params, rtol=1e-8)


@pytest.mark.parametrize("kind", ["month starts", "quarters", "given"])
def test_the_frequency_says_the_number_of_seasons(kind):
    values = SUNSPOTS.to_numpy()[:60]
    index, period, count = {
        "month starts": (pd.date_range("2000", periods=60, freq="MS"), None, 12),
        "quarters": (pd.period_range("2000", periods=60, freq="Q"), None, 4),
        "given": (pd.RangeIndex(60), 5, 5),
    }[kind]
    model = ConvexAR(1, seasonal=True, period=period, beta_ratio=1.0).fit(pd.Series(values, index=index))
    assert list(model.params_.index)[1:-1] == [f"s({k},{count})" for k in range(2, count + 1)]


def test_seasons_that_nothing_says_are_refused():
    with pytest.raises(InputError, match="period=12"):
        ConvexAR(1, seasonal=True).fit(SUNSPOTS.to_numpy())


@pytest.mark.parametrize("trend", ["n", "c", "t", "ct", "ctt"])
@pytest.mark.parametrize("period", [0, 2, 5])
def test_parameters_are_coefficients_of_the_named_columns(trend, period):
    from statsmodels.tsa.deterministic import DeterministicProcess, Seasonality, TimeTrend

    terms = [TimeTrend.from_string(trend), *([Seasonality(period)] if period else [])]
    named = DeterministicProcess(np.arange(30), additional_terms=terms).in_sample()
    ours = Deterministic(trend, period)
    assert list(ours.names) == list(named.columns)
    coef = np.random.default_rng(1).normal(size=ours.width)
    fitted = ours.columns(0, 30) @ coef + (2.5 if ours.intercept else 0.0)
    np.testing.assert_allclose(named.to_numpy() @ ours.parameters(2.5, coef), fitted, atol=1e-9)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("loss", [Huber(1.0), Absolute(), Quantile(0.3)])
def test_beyond_the_data_the_map_goes_on_as_the_linear_fit_under_its_loss(loss, skip):
    series = load_sunspots()
    linear = ConvexAR(2, loss=loss, beta_ratio=1.0).fit(series).params_
    model = ConvexAR(2, loss=loss, skip=skip, beta_ratio=1.0 if skip else 0.01).fit(series)
    far = [[300.0, 310.0], [300.0, 330.0], [340.0, 310.0]]
    first, late, early = (model.append(end).forecast(1, method="iterate")["mean"].iloc[0] for end in far)
    np.testing.assert_allclose([(late - first) / 20, (early - first) / 40], linear.iloc[1:], rtol=1e-6)
    if skip:
        assert first == pytest.approx(float(linear @ [1.0, 310.0, 300.0]), rel=1e-9)


TAKEN = {
    "const": {},
    "trend": {"trend": "ct"},
    "trend_squared": {"trend": "ctt"},
    "s(2,4)": {"seasonal": True, "period": 4},
    "SUN.L2": {"lags": 2},
}


@pytest.mark.parametrize("name", TAKEN)
def test_exogenous_columns_named_like_another_parameter_are_refused_before_any_work(name, monkeypatch):
    series, exog = SUNSPOTS.rename("SUN"), pd.DataFrame({"a": EXOG[:, 0], name: EXOG[:, 1]}, SUNSPOTS.index)
    free = ConvexAR(1, trend="n", beta_ratio=1.0).fit(series, exog)
    assert free.params_.index.is_unique
    monkeypatch.setattr(selection, "solve", lambda *_, **__: pytest.fail("the solver was called"))
    for model in (ConvexAR(**TAKEN[name]), QuantileAR(**TAKEN[name])):
        with pytest.raises(
            InputError, match=rf"'{re.escape(name)}' is named like .* '{re.escape(name)}_exog'"
        ):
            model.fit(series, exog)
        with pytest.raises(InputError, match="two exog columns are named 'a'; rename one"):
            model.fit(series, exog.set_axis(["a", "a"], axis=1))
