"""ConvexAR: AutoReg where it must be, certified everywhere, honest about what it is given."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from statsmodels.tsa.ar_model import AutoReg

import cvxar.selection as selection
from cvxar.datasets import load_bitcoin, load_sunspots
from cvxar.errors import CvxarError, InputError, InputTypeError, NotFittedError
from cvxar.model import ConvexAR


def simulated_ar2():
    shocks = np.random.default_rng(11).normal(size=400)
    values = np.zeros(400)
    for t in range(2, 400):
        values[t] = 0.5 + 1.1 * values[t - 1] - 0.4 * values[t - 2] + shocks[t]
    return pd.Series(values, name="y")


def tent(n=300, seed=0):
    shocks = 0.5 * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = 1 - 0.8 * abs(values[t - 1]) + shocks[t]
    return values


SERIES = {"bitcoin": load_bitcoin(), "sunspots": load_sunspots(), "simulated": simulated_ar2()}
BENT = {"lags": 1, "beta_ratio": 0.05}


def same(found, expected):
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("lags", [1, 2, 5, [1, 4]])
@pytest.mark.parametrize("trend", ["c", "n"])
@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_from_beta_max_on_it_is_autoreg(name, lags, trend, factor):
    series = SERIES[name]
    scale = ConvexAR(lags, trend=trend, beta_ratio=1.0).fit(series).beta_max_
    model = ConvexAR(lags, trend=trend, beta=factor * scale).fit(series)
    result = AutoReg(series, lags, trend=trend).fit()
    assert list(model.params_.index) == list(result.params.index)
    same(model.params_, result.params)
    pd.testing.assert_index_equal(model.fittedvalues_.index, result.fittedvalues.index)
    same(model.fittedvalues_, result.fittedvalues)
    same([model.llf_, model.aic_, model.bic_, model.hqic_], [result.llf, result.aic, result.bic, result.hqic])
    assert model.nobs_ == result.nobs
    assert model.breakpoints_ == ()
    expected = AutoReg(series.to_numpy(), lags, trend=trend).fit().forecast(20)
    network = ConvexAR(lags, trend=trend, beta=factor * scale, extrapolation="network").fit(series)
    for method in ("simulate", "iterate"):
        for fitted in (model, network):
            same(fitted.forecast(20, method=method, n_paths=50, rng=0)["mean"], expected)


def test_exogenous_columns_are_those_of_autoreg():
    rng = np.random.default_rng(8)
    series, exog = SERIES["simulated"], pd.DataFrame(rng.normal(1e3, 1, size=(400, 2)), columns=["a", "b"])
    series = series + exog["a"]
    model = ConvexAR(2, beta_ratio=1.0).fit(series.rename("y"), exog)
    result = AutoReg(series.rename("y"), 2, exog=exog).fit()
    assert list(model.params_.index) == list(result.params.index)
    np.testing.assert_allclose(model.params_, result.params, rtol=1e-6)
    future = rng.normal(1e3, 1, size=(20, 2))
    expected = result.forecast(20, exog=future)
    same(model.forecast(20, exog=future, n_paths=50, rng=0)["mean"], expected)
    same(model.predict(395, 404, exog=future[:5]), result.predict(395, 404, exog_oos=future[:5]))


@pytest.mark.parametrize("architecture", ["relu", "leaky_relu", "abs"])
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("trend", ["c", "n"])
def test_the_fit_is_the_certified_network(architecture, skip, trend):
    values, exog = tent(), np.random.default_rng(1).normal(size=300)
    model = ConvexAR([1, 3], architecture=architecture, skip=skip, trend=trend, beta_ratio=0.03)
    model.fit(values, exog)
    assert model.certificate_.holds(1e-8)
    assert model.beta_ == pytest.approx(0.03 * model.beta_max_)
    lagged = np.column_stack([values[2:-1], values[:-3]])
    residual = model.resid_.to_numpy()
    objective = residual @ residual / 2 + model.beta_ * model.network_.penalty()
    assert objective == pytest.approx(model.certificate_.primal, rel=1e-9)
    fitted = model.network_(lagged) + model.params_["x1"] * exog[3:]
    same(model.fittedvalues_ - fitted, np.full(297, (model.fittedvalues_ - fitted).iloc[0]))
    same(model.fittedvalues_ + model.resid_, values[3:])
    assert model.breakpoints_ == model.network_.breakpoints
    assert len(model.breakpoints_) > 0


@pytest.mark.parametrize("skip", [True, False])
@given(scale=st.sampled_from([1e-3, 7.0, 1e6]), shift=st.sampled_from([-40.0, 0.0, 1e3]))
@settings(max_examples=6, deadline=None)
def test_units_of_the_series_do_not_matter(skip, scale, shift):
    values = tent(120)
    plain = ConvexAR(2, skip=skip, beta_ratio=0.1).fit(values)
    moved = ConvexAR(2, skip=skip, beta_ratio=0.1).fit(scale * (values + shift))
    # beta is measured in squared units of the series
    assert moved.beta_ == pytest.approx(scale**2 * plain.beta_, rel=1e-6)
    ahead = {"steps": 5, "level": 80, "n_paths": 60, "rng": 3}
    expected = scale * (plain.forecast(**ahead) + shift)
    np.testing.assert_allclose(moved.forecast(**ahead), expected, rtol=1e-6, atol=1e-6 * scale)


@pytest.mark.parametrize("lags", [1, [2, 3]])
def test_appending_is_the_same_map_on_the_longer_series(lags):
    values = tent()
    model = ConvexAR(lags, beta_ratio=0.05).fit(values[:200])
    before = model.forecast(3, rng=0)
    one_by_one = model
    for value in values[200:]:
        one_by_one = one_by_one.append(value)
    longer = model.append(values[200:])
    longest = longer.nobs_ + 100 - 200
    past = np.column_stack([values[200 - lag : 300 - lag] for lag in np.atleast_1d(lags)])
    inside = np.all((past >= values[:199].min()) & (past <= values[:199].max()), axis=1)
    same(longer.fittedvalues_.to_numpy()[-100:][inside], model.network_(past[inside]))
    same(one_by_one.fittedvalues_, longer.fittedvalues_)
    same(longer.resid_ + longer.fittedvalues_, values[-(200 + longest) :])
    pd.testing.assert_frame_equal(
        one_by_one.forecast(9, rng=1, level=50), longer.forecast(9, rng=1, level=50)
    )
    same(longer.forecast(1)["mean"].iloc[0], longer.append(0.0).fittedvalues_.iloc[-1])
    assert longer.certificate_ is model.certificate_
    pd.testing.assert_frame_equal(model.forecast(3, rng=0), before)


def test_refitting_on_append_is_fitting_the_longer_series():
    series = SERIES["sunspots"]
    appended = ConvexAR(**BENT).fit(series.iloc[:250]).append(series.iloc[250:], refit=True)
    fresh = ConvexAR(**BENT).fit(series)
    same(appended.fittedvalues_, fresh.fittedvalues_)
    pd.testing.assert_frame_equal(appended.forecast(4, rng=0), fresh.forecast(4, rng=0))


INDEXES = {
    "daily": pd.date_range("2017-01-01", periods=90, freq="D"),
    "years": pd.period_range("1700", periods=90, freq="Y"),
    "no frequency": pd.DatetimeIndex(pd.date_range("2017-01-01", periods=90).to_numpy()),
    "trading days": pd.bdate_range("2017-01-02", periods=99).delete(range(20, 29)),
    "whole years": pd.Index(range(1800, 1890)),
    "positions": pd.RangeIndex(90),
    "text": pd.Index([f"{i:03d}" for i in range(90)]),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_positions_count_whatever_the_index(kind):
    values, index = tent(90), INDEXES[kind]
    plain = ConvexAR(**BENT).fit(values[:80])
    model = ConvexAR(**BENT).fit(pd.Series(values[:80], index=index[:80], name="close"))
    same(model.fittedvalues_, plain.fittedvalues_)
    assert model.fittedvalues_.index.equals(index[1:80])
    table = model.forecast(10, rng=0, level=(50, 90))
    same(table, plain.forecast(10, rng=0, level=(50, 90)))
    calendar = kind not in ("trading days", "text")
    assert table.index.equals(index[80:] if calendar else pd.RangeIndex(80, 90))
    later = model.append(pd.Series(values[80:], index=index[80:]))
    same(later.fittedvalues_, plain.append(values[80:]).fittedvalues_)
    assert later.fittedvalues_.index.equals(index[1:])


def test_predictions_are_fits_inside_and_forecasts_after():
    series = SERIES["sunspots"].iloc[:200]
    model = ConvexAR(2, beta_ratio=0.05).fit(series)
    whole = model.predict()
    assert whole.index.equals(series.index)
    assert whole.isna().to_numpy().nonzero()[0].tolist() == [0, 1]
    same(whole.iloc[2:], model.fittedvalues_)
    across = model.predict("1895", "1904")
    same(across.iloc[:5], model.fittedvalues_.iloc[-5:])
    same(across.iloc[5:], model.forecast(5, rng=0)["mean"])
    assert across.index.equals(SERIES["sunspots"].index[195:205])
    pd.testing.assert_series_equal(model.predict(195, 204), across)
    same(model.predict(150, 153, dynamic=True).iloc[:1], model.predict(150, 150))
    shorter = ConvexAR(2, beta_ratio=0.05).fit(series)
    same(shorter.predict(200, 203), shorter.predict(200, 203, dynamic=True))


def test_dynamic_predictions_use_nothing_from_start_on():
    series, origin = SERIES["sunspots"].iloc[:200].to_numpy(), 120
    model = ConvexAR(2, beta_ratio=1.0).fit(series)
    result = AutoReg(series, 2).fit()
    same(model.predict(origin, 210, dynamic=True), result.predict(origin, 210, dynamic=True))


def test_forecasts_repeat_with_the_seed_and_only_then():
    model = ConvexAR(**BENT).fit(tent())
    for make in (lambda: 5, lambda: np.random.default_rng(5)):
        pd.testing.assert_frame_equal(model.forecast(6, rng=make()), model.forecast(6, rng=5))
    assert not model.forecast(6, rng=5).equals(model.forecast(6, rng=6))
    same(model.forecast(1, rng=5)["mean"], model.forecast(1, rng=6)["mean"])
    iterated = model.forecast(6, method="iterate", rng=5)["mean"]
    same(iterated, model.forecast(6, method="iterate", rng=6)["mean"])
    state = model.fittedvalues_.iloc[-1] + model.resid_.iloc[-1]
    for value in iterated:
        state = model.network_([state])[0]
        assert value == pytest.approx(state)


def test_beyond_the_data_the_slope_is_the_linear_one():
    values = tent()
    jump = np.array([values[:-1].max() + 3.0])
    guarded = ConvexAR(**BENT).fit(values)
    free = ConvexAR(**BENT, extrapolation="network").fit(values)
    slope = AutoReg(values, 1).fit().params[1]
    edge = guarded.network_([values[:-1].max()])[0]
    assert guarded.append(jump).forecast(1)["mean"].iloc[0] == pytest.approx(edge + 3.0 * slope)
    assert free.append(jump).forecast(1)["mean"].iloc[0] == pytest.approx(free.network_(jump)[0])
    assert free.certificate_ == guarded.certificate_


def test_bands_cover_what_comes():
    values = tent(4000, seed=4)
    model = ConvexAR(**BENT).fit(values[:1000])
    hits = []
    for origin in range(1000, 3990, 5):
        band = model.append(values[1000:origin]).forecast(3, level=80, n_paths=200, rng=origin)
        hits.append(
            (band["lower_80"] <= values[origin : origin + 3])
            & (values[origin : origin + 3] <= band["upper_80"])
        )
    assert np.mean(hits) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("beta", ["bic", 0.0, 2.5])
@pytest.mark.parametrize("value", [0.1, -3e9])
def test_a_constant_series_is_its_constant(skip, beta, value):
    model = ConvexAR(2, skip=skip, beta=beta).fit([value] * 12)
    assert model.beta_max_ == 0
    assert model.breakpoints_ == ()
    assert model.params_["const"] == pytest.approx(value)
    same(model.params_.iloc[1:], 0 * model.params_.iloc[1:])
    assert model.forecast(3, level=80)["mean"].tolist() == [pytest.approx(value)] * 3
    assert "The series is constant" in model.summary().as_text()


def test_the_summary_states_what_was_fitted():
    model = ConvexAR([1, 2], beta_ratio=0.02).fit(SERIES["bitcoin"])
    text = model.summary().as_text()
    for part in (
        *("ConvexAR(2)", "close.L1", "close.L2", "2017-01-03", "- 2017-12-31", "Regimes of close.L1"),
        *(
            str(model.certificate_),
            f"{model.beta_:.6g}",
            "beta / beta_max",
            "0.02",
            "slope of the linear (AR) fit",
        ),
        *(f"{value:#.6g}" for value in (model.llf_, model.aic_, model.bic_, model.hqic_)),
        *(f"{value:.6g}" for value in model.params_),
    ):
        assert part in text
    shown = [b for b in model.breakpoints_ if b.column == 0][:19]
    assert shown
    for breakpoint_ in shown:
        assert f"{breakpoint_.location:.6g}" in text
    assert "lowest BIC" in ConvexAR().fit(SERIES["bitcoin"]).summary().as_text()


DAYS = pd.date_range("2017-01-01", periods=30)
GOOD = pd.Series(np.sin(np.arange(30.0)), index=DAYS)
BAD_DATA = {
    "all missing": (GOOD.where(GOOD.index < DAYS[1]), InputError),
    "infinite": (GOOD.replace(GOOD.iloc[3], np.inf), InputError),
    "text": (GOOD.astype(str), InputTypeError),
    "two columns": (pd.DataFrame({"a": GOOD, "b": GOOD}), InputError),
    "newest first": (GOOD[::-1], InputError),
    "duplicate stamps": (pd.concat([GOOD, GOOD.iloc[-1:]]), InputError),
    "too short": (GOOD.iloc[:2], InputError),
    "empty": ([], InputError),
}
BAD_SETTINGS = [
    *({"lags": lags} for lags in (-1, [], [1, 1], 1.5, "2")),
    *({"beta": beta} for beta in (-1.0, np.nan, "cv2", "best", None)),
    *({"beta_ratio": ratio} for ratio in (0, 1.01, "half")),
    *({"trend": trend} for trend in ("cttt", "ctc", None, 1)),
    *({"nonlinear_lags": lags} for lags in (2, [3], [1, 1], "1", 1.0)),
    *({"hold_back": count} for count in (0, -1, 1.5)),
    *({"transform": kind} for kind in ("exp", 3, object(), ["log"])),
    *({"architecture": name} for name in ("rely", 3)),
    *({"loss": name} for name in ("quantil", 3)),
    *({"solver": name} for name in ("mosek", None)),
    *({"tol": tol} for tol in (0.0, -1e-8, "small")),
    *({"extrapolation": name} for name in ("flat", None)),
    *({"skip": skip} for skip in ("yes", None)),
    {"beta": 1.0, "beta_ratio": 0.5},
    *({"seasonal": seasonal} for seasonal in ("yes", None)),
    {"seasonal": True, "period": 1},
    {"period": 7.5},
]


@pytest.fixture
def no_solver(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the solver was called")

    monkeypatch.setattr(selection, "solve", refuse)


@pytest.mark.parametrize("kind", BAD_DATA)
def test_bad_data_are_refused_before_any_work(kind, no_solver):
    series, error = BAD_DATA[kind]
    before = copy.deepcopy(series)
    with pytest.raises(error):
        ConvexAR(1).fit(series)
    pd.testing.assert_frame_equal(pd.DataFrame(series), pd.DataFrame(before))


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=str)
def test_bad_settings_are_refused_before_any_work(settings, no_solver):
    with pytest.raises(CvxarError) as refusal:
        ConvexAR(**settings).fit(GOOD)
    assert isinstance(refusal.value, InputError | InputTypeError)


@pytest.mark.parametrize("exog", [np.ones(29), np.full(30, np.nan), ["a"] * 30, pd.Series(np.arange(30.0))])
def test_bad_exogenous_columns_are_refused_before_any_work(exog, no_solver):
    with pytest.raises(CvxarError):
        ConvexAR().fit(GOOD, exog)


ASKED = {
    "no steps": (lambda m: m.forecast(0), "steps"),
    "half a step": (lambda m: m.forecast(1.5), "steps"),
    "level": (lambda m: m.forecast(1, level=100), "level"),
    "method": (lambda m: m.forecast(1, method="guess"), "'simulate', 'iterate'"),
    "intervals": (lambda m: m.forecast(1, intervals="normal"), "'bootstrap'"),
    "one path": (lambda m: m.forecast(1, n_paths=1), "n_paths"),
    "seed": (lambda m: m.forecast(1, rng="x"), "rng"),
    "unknown exog": (lambda m: m.forecast(1, exog=[1.0]), "leave it out"),
    "reversed": (lambda m: m.predict(9, 3), "start lies after end"),
    "negative": (lambda m: m.predict(-3), "position"),
    "no such date": (lambda m: m.predict("2016-01-01"), "not a stamp"),
    "dynamic too early": (lambda m: m.predict(0, 5, dynamic=True), "are too few"),
    "dynamic offset": (lambda m: m.predict(5, 9, dynamic=-3), "dynamic"),
    "dynamic stamp": (lambda m: m.predict(5, 9, dynamic="2016-01-01"), "dynamic"),
    "appended infinity": (lambda m: m.append(np.inf), "inf"),
    "appended off the calendar": (lambda m: m.append(GOOD.iloc[-1:].shift(freq="1h")), "not on the calendar"),
    "appended past": (lambda m: m.append(GOOD.iloc[:1]), "after"),
}


@pytest.mark.parametrize("kind", ASKED)
def test_impossible_questions_are_answered_with_the_reason(kind):
    ask, message = ASKED[kind]
    model = ConvexAR(beta_ratio=1.0).fit(GOOD)
    with pytest.raises((InputError, InputTypeError), match=message):
        ask(model)


def test_future_exogenous_values_are_checked():
    exog = pd.DataFrame({"a": np.cos(np.arange(30.0)), "b": 1 / (1 + np.arange(30.0))}, index=DAYS)
    model = ConvexAR(beta_ratio=1.0).fit(GOOD, exog)
    future = pd.DataFrame({"a": [0.1, 0.2], "b": [1.0, 2.0]}, index=DAYS[-1] + pd.to_timedelta([1, 2], "D"))
    same(model.forecast(2, exog=future), model.forecast(2, exog=future.to_numpy()))
    for exog, message in (
        (None, "exog is needed"),
        (future.iloc[:1], "index of exog"),
        (future.to_numpy()[:1], "1 rows for 2 steps"),
        (future[["b", "a"]], "columns"),
        (future.to_numpy()[:, :1], "1 columns"),
        (future.shift(freq="D"), "index of exog"),
    ):
        with pytest.raises(InputError, match=message):
            model.forecast(2, exog=exog)
    with pytest.raises(InputError, match="exog is needed"):
        model.append([0.0])


@pytest.mark.parametrize("ask", ["network_", "params_", "path_", "certificate_"])
def test_results_before_fitting_are_a_typed_error(ask):
    model = ConvexAR()
    assert not hasattr(model, ask)
    with pytest.raises(NotFittedError, match="fit"):
        getattr(model, ask)
    for call in (lambda: model.forecast(1), model.predict, lambda: model.append([1.0]), model.summary):
        with pytest.raises(NotFittedError, match="fit"):
            call()


def test_settings_can_be_read_changed_copied_and_stored():
    model = ConvexAR([1, 2], beta_ratio=0.1, skip=False)
    assert clone(model).get_params() == model.get_params()
    assert ConvexAR().set_params(**model.get_params()).get_params() == model.get_params()
    assert repr(model) == "ConvexAR(lags=[1, 2], skip=False, beta_ratio=0.1)"
    with pytest.raises(InputError, match="'lags'"):
        model.set_params(order=3)
    fitted = model.fit(tent())
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.forecast(5, rng=0), fitted.forecast(5, rng=0))
    assert ConvexAR().get_params()["beta"] == "bic"


def test_a_wrong_name_is_told_what_is_meant():
    with pytest.raises(AttributeError, match="no attribute 'params'; did you mean params_"):
        _ = ConvexAR(1, beta_ratio=1.0).fit(tent(50)).params
    with pytest.raises(TypeError, match=r"ConvexAR.*old_names"):
        ConvexAR(1, old_names=False)
