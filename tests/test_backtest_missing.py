"""Backtests of series with missing values: who is told what, what is scored, and no look-ahead."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.arima.model import ARIMA

from cvxar import ConvexAR, QuantileAR, Wrapped, backtest, metrics
from cvxar.baselines import AutoRegression, RandomWalk, TrainedNetwork
from cvxar.errors import InputError
from cvxar.trading import illustrate

HOLES = [5, 20, 21, 46, 50, 51, 55]
WALK = pd.Series(
    100 + np.random.default_rng(0).normal(size=60).cumsum(), index=pd.date_range("2024-01-01", periods=60)
)
WALK.iloc[HOLES] = np.nan
SLIDES = ConvexAR(beta_ratio=0.05)


def never(*_, **__):
    raise AssertionError("work was started on bad input")


class InFull:
    """A model without its short cuts, which draws from the same stream."""

    def __init__(self, model):
        self.model = model

    def fit(self, series):
        self.fitted = self.model.fit(series)
        return self

    def append(self, new, refit=False):
        other = InFull(self.model)
        other.fitted = self.fitted.append(new)
        return other

    def forecast(self, steps, rng=None):
        return self.fitted.forecast(steps, rng=rng)


@pytest.mark.parametrize("window", [None, 25])
@pytest.mark.parametrize(("horizon", "refit"), [(1, 1), (1, 4), (3, 1)])
def test_rows_are_those_of_a_loop_written_out(window, horizon, refit):
    models = {"slides": SLIDES, "walk": RandomWalk()}
    result = backtest(WALK, models, initial=40, window=window, horizon=horizon, refit=refit)
    assert result.forecasts["error"].eq("").all()
    rows = {name: part.reset_index(drop=True) for name, part in result.forecasts.groupby("model")}
    schedule = result.schedule
    for number, known in enumerate(range(40, 60 - horizon + 1)):
        if number % refit == 0:
            model = ConvexAR(beta_ratio=0.05).fit(WALK.iloc[schedule.first(known) : known])
        else:
            model = model.append(WALK.iloc[known - 1 : known])
        mean = model.forecast(horizon, rng=schedule.generator(known))["mean"]
        at = slice(number * horizon, (number + 1) * horizon)
        np.testing.assert_allclose(rows["slides"]["mean"][at], mean, rtol=1e-6)
        assert set(rows["walk"]["mean"][at]) == {WALK.iloc[:known].dropna().iloc[-1]}
        np.testing.assert_array_equal(rows["walk"]["y"][at], WALK.iloc[known : known + horizon])


@given(
    seed=st.integers(0, 999),
    share=st.sampled_from([0.02, 0.1, 0.3]),
    window=st.sampled_from([None, 14]),
    refit=st.sampled_from([1, 3]),
    step=st.sampled_from([1, 2]),
)
def test_windows_that_slide_give_the_numbers_of_fits_in_full(seed, share, window, refit, step):
    rng = np.random.default_rng(seed)
    walk = np.where(rng.random(40) < share, np.nan, np.cumsum(rng.normal(size=40)))
    options = {"initial": 20, "window": window, "refit": refit, "step": step}
    slides = backtest(walk, {"m": SLIDES}, **options).forecasts
    full = backtest(walk, {"m": InFull(SLIDES)}, **options).forecasts
    assert slides["error"].tolist() == full["error"].tolist()
    assert (slides["relative_gap"].dropna() <= 1e-8).all()
    np.testing.assert_allclose(slides["mean"], full["mean"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"window": 20}, {"refit": 3}, {"horizon": 2, "level": 80}], ids=str)
def test_no_look_ahead(options):
    """Values and holes to come leave every forecast made before as it was, to the last bit."""
    models = {"slides": SLIDES, "in full": ConvexAR([1, 2], beta_ratio=0.1), "walk": RandomWalk()}
    models["quantiles"] = QuantileAR([0.1, 0.9], beta_ratio=0.3)
    models["log"] = ConvexAR(transform="log", beta_ratio=0.3)
    other = WALK.copy()
    other.iloc[47:] = 100 + np.arange(13.0)
    other.iloc[48] = np.nan
    options = options | {"level": 80} if "horizon" in options else options
    one, two = (backtest(series, models, initial=35, **options).forecasts for series in (WALK, other))
    before = one["origin"] < WALK.index[47]
    columns = [name for name in one if name not in ("y", "fit_seconds")]
    pd.testing.assert_frame_equal(one[before][columns], two[before][columns], check_exact=True)
    assert (one["mean"] != two["mean"])[~before].groupby(one["model"]).any().all()


def test_the_last_known_exogenous_value_is_repeated():
    x = np.arange(60.0)
    x[[10, 49, 52, 53]] = np.nan
    told = []

    def spy(series, horizon, exog, future_exog):
        told.append(future_exog.iloc[:, 0].tolist())
        return [0.0] * horizon

    backtest(WALK, {"spy": spy}, initial=49, exog=x, horizon=2)
    assert told == [[value] * 2 for value in [48.0, 48, 50, 51, 51, 51, 54, 55, 56, 57]]


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (AutoRegression(), "AutoRegression"),
        (TrainedNetwork(), "TrainedNetwork"),
        (Wrapped(lambda y: AutoReg(y, 1)), "Wrapped"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_model_that_takes_no_missing_values_is_named_before_any_work(monkeypatch, model, kind):
    monkeypatch.setattr("cvxar.backtesting.run_chunk", never)
    with pytest.raises(InputError, match=rf"forecasters\['mine'\] \({kind}\) .* 7 in 60 rows.* 2024-01-06"):
        backtest(WALK, {"ConvexAR": ConvexAR(), "mine": model})


def test_missing_exogenous_values_matter_to_models_that_take_exogenous_columns(monkeypatch):
    x = np.ones(60)
    x[3] = np.nan
    whole = WALK.ffill()
    backtest(whole, {"AR(1)": AutoRegression()}, initial=58, exog=x)
    monkeypatch.setattr("cvxar.backtesting.run_chunk", never)
    with pytest.raises(InputError, match="takes no missing values, and exog has 1 in 60 rows"):
        backtest(whole, {"ARX": Wrapped(lambda y, exog: AutoReg(y, 1, exog=exog))}, exog=x)


@pytest.mark.parametrize("refit", [1, 3])
def test_state_space_models_take_missing_values(refit):
    arima = Wrapped(lambda y: ARIMA(y, order=(1, 0, 0)), takes_missing=True)
    noise = np.random.default_rng(4).normal(size=60)
    noise[HOLES] = np.nan
    result = backtest(noise, {"ARIMA": arima}, initial=50, refit=refit)
    assert result.forecasts["error"].eq("").all()
    fit = ARIMA(noise[:50], order=(1, 0, 0)).fit()
    assert result.forecasts["mean"].iloc[0] == pytest.approx(fit.forecast(1)[0])


@pytest.mark.parametrize("by", [None, "horizon"])
def test_missing_observations_are_not_scored(by):
    models = {"walk": RandomWalk(), "linear": ConvexAR(beta_ratio=1.0)}
    result = backtest(WALK, models, initial=40, horizon=3, level=80)
    rows = result.forecasts[result.forecasts["y"].notna()]
    assert len(rows) < len(result.forecasts)
    table, tests = result.scores(by=by), result.compare("walk", by=by)
    for key, row in table.iterrows():
        model, horizon = (key, None) if by is None else key
        own = rows[rows["model"] == model]
        own = own if horizon is None else own[own["horizon"] == horizon]
        assert row["rmse"] == metrics.rmse(own["y"], own["mean"])
        assert row["mase"] == metrics.mase(own["y"], own["mean"], WALK.to_numpy()[:40])
        assert row["origins"] == own["origin"].nunique()
        last = WALK.ffill()[own["origin"]]
        expected = metrics.direction_hit_rate(own["y"].to_numpy(), own["mean"].to_numpy(), last.to_numpy())
        assert row["direction_hit_rate"] == pytest.approx(expected, nan_ok=True)
    for key, row in tests.iterrows():
        other = "walk" if by is None else ("walk", key[1])
        assert row["skill"] == pytest.approx(1 - (table.loc[key, "rmse"] / table.loc[other, "rmse"]) ** 2)
        assert row["origins"] == table.loc[key, "origins"]
        assert row["skill_lower"] <= row["skill"] <= row["skill_upper"]


def test_the_test_is_that_of_the_known_observations():
    models = {"walk": RandomWalk(), "linear": ConvexAR(beta_ratio=1.0)}
    result = backtest(WALK, models, initial=40)
    known = result.forecasts.dropna(subset="y").pivot(index="origin", columns="model", values="mean")
    y = WALK.iloc[40:].dropna().to_numpy()
    expected = metrics.diebold_mariano(y, known["linear"].to_numpy(), known["walk"].to_numpy())
    assert result.compare("walk").loc["linear", "dm_pvalue"] == pytest.approx(expected.pvalue)
    assert result.compare("walk").loc["linear", "origins"] == len(y)


def test_a_horizon_at_which_nothing_is_known_has_no_figures():
    sparse = WALK.ffill()
    sparse.iloc[41::2] = np.nan
    models = {"walk": RandomWalk(), "zero": lambda y, h: [0.0] * h}
    result = backtest(sparse, models, initial=40, horizon=2, step=2)
    table = result.compare("walk", by="horizon")
    assert table["origins"].to_dict() == {("zero", 1): 10, ("zero", 2): 0}
    assert table.loc[("zero", 2), "conclusion"] == "No observation that zero forecast is known."
    assert result.scores(by="horizon")["rmse"].isna().tolist() == [False, True] * 2


def test_scaled_errors_leave_out_changes_that_are_not_known():
    train = [1.0, np.nan, 4.0, 6.0, 7.0, np.nan]
    assert metrics.mase([5.0], [2.0], train) == 3.0 / 1.5
    assert metrics.mase([5.0], [2.0], train, period=2) == 3.0 / 3.0
    assert metrics.rmsse([5.0], [2.0], train) == pytest.approx(3.0 / np.sqrt(2.5))
    with pytest.raises(InputError, match="which is 0 here"):
        metrics.mase([5.0], [2.0], [1.0, np.nan, 1.0])
    with pytest.raises(InputError, match="not finite"):
        metrics.mase([5.0], [2.0], [1.0, np.inf, 1.0])


def test_a_random_walk_stays_at_the_last_value_known():
    model = RandomWalk().fit([1.0, 2.0, 3.0, np.nan])
    assert model.forecast(2)["mean"].to_dict() == {4: 3.0, 5: 3.0}
    assert model.append([np.nan]).forecast(1)["mean"].to_dict() == {5: 3.0}
    assert model.append([9.0, np.nan]).forecast(1)["mean"].to_dict() == {6: 9.0}
    assert (model.nobs_, model.resid_.to_dict()) == (2, {1: 1.0, 2: 1.0})
    with pytest.raises(InputError, match="nan"):
        AutoRegression().fit([1.0, 2.0, 3.0, np.nan])


def test_an_earlier_result_is_continued():
    models = {"slides": SLIDES, "walk": RandomWalk()}
    fresh = backtest(WALK, models, initial=20).forecasts.drop(columns="fit_seconds")
    earlier = backtest(WALK.iloc[:55], models, initial=20)
    again = backtest(WALK, models, initial=20, resume=earlier).forecasts.drop(columns="fit_seconds")
    pd.testing.assert_frame_equal(fresh, again, check_exact=True)


def test_missing_prices_cannot_be_traded():
    with pytest.raises(InputError, match="4 are missing"):
        illustrate(backtest(WALK, {"walk": RandomWalk()}, initial=47))
