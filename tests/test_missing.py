"""Missing observations: rows left out, time never compressed, forecasts on the calendar."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tools.sm_exceptions import MissingDataError
from statsmodels.tsa.ar_model import AutoReg

from cvxar.calendars import complete
from cvxar.errors import CalendarWarning, InputError
from cvxar.model import ConvexAR
from cvxar.problem import LassoProblem
from cvxar.solver import solve
from cvxar.stamps import future_index, has_calendar

DAYS = pd.date_range("2020-01-01", periods=120)


def wave(n=120, seed=0):
    shocks = 0.3 * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(2, n):
        values[t] = 0.5 + 0.6 * abs(values[t - 1]) - 0.4 * values[t - 2] + shocks[t]
    return pd.Series(values, index=DAYS[:n], name="y")


GAPS = [10, 11, 40, 41, 42, 77]


def holes(at):
    series = wave()
    series.iloc[at] = np.nan
    return series


@given(st.sets(st.integers(0, 110), max_size=20).map(sorted))
def test_rows_with_a_missing_entry_are_left_out(at):
    series = holes(at)
    model = ConvexAR([1, 3], beta_ratio=0.1).fit(series)
    table = pd.DataFrame({"y": series, "a": series.shift(1), "b": series.shift(3)}).dropna()
    twin = solve(LassoProblem(table[["a", "b"]], table["y"], beta=model.beta_, skip=True))
    assert model.certificate_.primal == pytest.approx(twin.certificate.primal, rel=1e-9)
    assert model.nobs_ == len(table)
    assert model.fittedvalues_.index.equals(table.index)
    np.testing.assert_allclose(model.fittedvalues_ + model.resid_, table["y"], atol=1e-12)


CALENDARS = {
    "declared and filled": lambda: holes(GAPS),
    "missing days": lambda: holes(GAPS).dropna(),
    "whole years": lambda: holes(GAPS).set_axis(range(1700, 1820)).dropna(),
    "positions, dropped": lambda: holes(GAPS).reset_index(drop=True).dropna(),
    "periods": lambda: holes(GAPS).set_axis(pd.period_range("1990", periods=120, freq="M")).dropna(),
    "months": lambda: holes(GAPS).set_axis(pd.date_range("1990", periods=120, freq="MS")).dropna(),
    "hours": lambda: (
        holes(GAPS).set_axis(pd.date_range("2021-03-27", periods=120, freq="h", tz="Europe/Rome")).dropna()
    ),
    "elapsed": lambda: holes(GAPS).set_axis(pd.timedelta_range("0s", periods=120, freq="90s")).dropna(),
}


@pytest.mark.parametrize("kind", CALENDARS)
def test_a_stamp_that_is_not_there_is_an_observation_that_is_missing(kind):
    series, full = CALENDARS[kind](), holes(GAPS)
    before = series.copy()
    model, twin = (ConvexAR(2, beta_ratio=0.1).fit(s) for s in (series, full.to_numpy()))
    pd.testing.assert_series_equal(series, before)
    np.testing.assert_array_equal(model.fittedvalues_, twin.fittedvalues_)
    np.testing.assert_array_equal(model.forecast(5, level=80, rng=0), twin.forecast(5, level=80, rng=0))
    # the calendar itself goes on
    whole = model.predict().index
    assert len(whole) == 120
    assert series.index.isin(whole).all()
    assert model.forecast(5, rng=0).index.equals(future_index(whole, 5))
    assert has_calendar(whole)


@pytest.mark.parametrize("kind", ["declared and filled", "missing days", "whole years", "positions, dropped"])
def test_what_autoreg_refuses_is_forecast(kind):
    series = CALENDARS[kind]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((ValueError, MissingDataError), match=r"No supported index|inf or nans"):
            AutoReg(series, 1).fit().forecast(12)
    assert np.isfinite(ConvexAR(1).fit(series).forecast(12, rng=0)["mean"]).all()


IRREGULAR = {
    "trading days without holidays": pd.DatetimeIndex(pd.bdate_range("2020-01-01", periods=120).to_numpy()),
    "trading days": pd.bdate_range("2020-01-01", periods=130).delete(
        [7, 30, 31, 60, 77, 90, 91, 100, 101, 111]
    ),
    "ticks": pd.DatetimeIndex(np.sort(np.random.default_rng(0).integers(0, 10**15, 120))),
    "sparse": pd.Index(np.arange(120) ** 2),
    "fractions": pd.Index(np.linspace(0, 1, 120)),
}


@pytest.mark.parametrize("kind", IRREGULAR)
def test_without_a_calendar_observations_are_counted(kind):
    index = IRREGULAR[kind]
    assert complete(index) is index
    model = ConvexAR(2, beta_ratio=0.1).fit(wave().set_axis(index))
    twin = ConvexAR(2, beta_ratio=0.1).fit(wave().to_numpy())
    np.testing.assert_array_equal(model.fittedvalues_, twin.fittedvalues_)
    assert model.forecast(3).index.tolist() == [120, 121, 122]


@pytest.mark.parametrize("kind", sorted(IRREGULAR.keys() - {"sparse"}))  # whole numbers are labels
def test_predictions_past_the_end_are_numbered_by_position_alone(kind):
    model = ConvexAR(2, beta_ratio=0.1).fit(wave().set_axis(IRREGULAR[kind]))
    twin = ConvexAR(2, beta_ratio=0.1).fit(wave().to_numpy())
    with pytest.warns(
        CalendarWarning, match=r"no calendar .* position, 110 to 123; .*asfreq\(\"B\"\)"
    ) as said:
        across = model.predict(110, 123)
    assert said[0].filename == __file__
    pd.testing.assert_series_equal(across, twin.predict(110, 123))
    # stamps are not given up where there are none, or where none are to come
    pd.testing.assert_series_equal(model.predict(120, 123), twin.predict(120, 123))
    assert model.predict(110, 119).index.equals(IRREGULAR[kind][110:])


def test_a_declared_calendar_goes_on_in_predictions_past_the_end():
    days = pd.bdate_range("2024-01-01", periods=120).delete([30])
    series = pd.Series(wave().to_numpy()[:119], index=days).asfreq("B")
    across = ConvexAR(1, beta_ratio=1.0).fit(series).predict(110, 123)
    assert across.index.equals(pd.bdate_range("2024-01-01", periods=124)[110:])


def test_evenly_spaced_stamps_have_a_calendar_without_a_frequency():
    for freq in ("D", "h", "MS", "QE", "W", "W-MON", "YS", "15min"):
        whole = pd.date_range("2019-02-03", periods=40, freq=freq)
        bare = pd.DatetimeIndex(whole.to_numpy())
        assert complete(bare[:30]).freq is not None
        later = (
            ConvexAR(1, beta_ratio=1.0).fit(pd.Series(wave().to_numpy()[:30], index=bare[:30])).forecast(10)
        )
        assert later.index.equals(whole[30:])


@pytest.mark.parametrize("lags", [1, 3, [2, 4]])
@pytest.mark.parametrize("last", [[119], [118], [116, 117, 119], [113, 114, 115, 116, 117, 118, 119]])
def test_missing_recent_observations_are_bridged_by_their_own_forecasts(lags, last):
    series = holes(last)
    model = ConvexAR(lags, beta_ratio=1.0).fit(series)
    filled = series.to_numpy().copy()
    chosen = [*range(1, lags + 1)] if isinstance(lags, int) else lags

    def one_step(t):
        return model.params_.iloc[0] + sum(
            c * filled[t - lag] for c, lag in zip(model.params_.iloc[1:], chosen, strict=True)
        )

    for t in sorted(last):
        filled[t] = one_step(t)
    for t in range(120, 124):
        filled = np.append(filled, one_step(t))
    table = model.forecast(4, level=80, n_paths=200, rng=0)
    np.testing.assert_allclose(table["mean"], filled[120:], rtol=1e-9)
    complete_model = ConvexAR(lags, beta_ratio=1.0).fit(series.iloc[: min(last)])
    if 119 in last and 1 in chosen:  # the longer ago, the wider
        widths = [
            (t["upper_80"] - t["lower_80"]).iloc[0] / m.resid_.std()
            for m, t in (
                (model, table),
                (complete_model, complete_model.forecast(1, level=80, n_paths=200, rng=0)),
            )
        ]
        assert widths[0] > widths[1]


def test_only_what_a_forecast_depends_on_must_be_known():
    series = holes([*range(5, 120, 7), 115, 117, 119])
    model = ConvexAR([2, 4], beta_ratio=0.1).fit(series)
    y, (const, a, b) = series.to_numpy(), ConvexAR([2, 4], beta_ratio=1.0).fit(series).params_
    linear = ConvexAR([2, 4], beta_ratio=1.0).fit(series)
    assert linear.forecast(1)["mean"].iloc[0] == pytest.approx(const + a * y[118] + b * y[116])
    assert np.isfinite(model.forecast(6, n_paths=10)["mean"]).all()


def test_appending_passes_over_missing_stamps():
    series = wave()
    model = ConvexAR(2, beta_ratio=0.1).fit(series.iloc[:100])
    by_stamp = model.append(series.iloc[103:110])
    by_hand = model.append([np.nan] * 3).append(series.iloc[103:110].to_numpy())
    for later in (by_stamp, by_hand):
        assert later.fittedvalues_.index.equals(DAYS[[*range(2, 100), *range(105, 110)]])
        assert later.forecast(2).index.equals(DAYS[110:112])
    pd.testing.assert_frame_equal(by_stamp.forecast(4, level=50, rng=1), by_hand.forecast(4, level=50, rng=1))
    refitted = model.append(series.iloc[103:110], refit=True)
    fresh = ConvexAR(2, beta_ratio=0.1).fit(pd.concat([series.iloc[:100], series.iloc[103:110]]))
    np.testing.assert_allclose(refitted.fittedvalues_, fresh.fittedvalues_, rtol=1e-9)


def test_predictions_are_made_wherever_the_lags_are_known():
    model = ConvexAR(1, beta_ratio=0.1).fit(holes([50]))
    predicted = model.predict()
    assert predicted.index.equals(DAYS)
    assert predicted.isna().to_numpy().nonzero()[0].tolist() == [0, 51]
    assert predicted.iloc[50] == pytest.approx(model.network_([wave().iloc[49]])[0])


def test_missing_exogenous_values_leave_rows_out_and_cannot_be_bridged():
    exog = np.random.default_rng(5).normal(size=120)
    exog[[20, 119]] = np.nan
    model = ConvexAR(1, beta_ratio=0.1).fit(wave(), exog)
    assert model.nobs_ == 117
    assert np.isfinite(model.forecast(1, exog=[0.0])["mean"].iloc[0])
    gone = ConvexAR(1, beta_ratio=0.1).fit(holes([119]), exog)
    with pytest.raises(InputError, match="give that value"):
        gone.forecast(1, exog=[0.0])


@pytest.mark.parametrize("series", [[1.0, np.nan] * 20, [np.nan] * 9, [1.0] + [np.nan] * 9])
def test_series_of_which_no_row_is_left(series):
    with pytest.raises(InputError, match=r"at least 2 are needed"):
        ConvexAR(1).fit(series)


def test_a_declared_calendar_of_which_nearly_all_is_missing_is_refused():
    stamps = pd.PeriodIndex(["2000-01-01", "2000-01-02", "2010-01-01", "2020-01-01"], freq="D")
    with pytest.raises(InputError, match="coarser frequency"):
        ConvexAR(1).fit(pd.Series([1.0, 2.0, 3.0, 4.0], index=stamps))
