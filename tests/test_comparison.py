"""The comparison: no look-ahead, every figure recomputable, words that say what the p-values say."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from statsmodels.tsa.ar_model import AutoReg

from cvxar import metrics
from cvxar.baselines import AutoRegression, TrainedNetwork
from cvxar.comparison import Comparison, compare
from cvxar.datasets import load_bitcoin
from cvxar.errors import CvxarError, InputError, InputTypeError
from cvxar.model import ConvexAR
from cvxar.wording import verdict

COLUMNS = {
    "model": "str",
    "target": "str",
    "train_mse": "float64",
    "test_rmse": "float64",
    "test_mae": "float64",
    "skill": "float64",
    "dm_pvalue": "float64",
    "skill_random_walk": "float64",
    "dm_pvalue_random_walk": "float64",
    "fit_seconds": "float64",
    "relative_gap": "float64",
}
MODELS = ["ConvexAR", "AR(1)", "random walk", "network (Adam)", "network (SGD)"]
CONTRACT = {
    "model",
    "target",
    "train_mse",
    "test_rmse",
    "test_mae",
    "skill",
    "dm_pvalue",
    "fit_seconds",
    "relative_gap",
}


class LastValue:
    """The least a forecaster can be: no append, no residuals."""

    def fit(self, series):
        self.last = series.iloc[-1]
        return self

    def forecast(self, steps):
        return pd.DataFrame({"mean": [self.last] * steps})


@pytest.fixture(scope="module")
def prices():
    return load_bitcoin().iloc[240:310]


@pytest.fixture(scope="module")
def result(prices):
    return compare(prices, test=8)


def test_the_table_has_one_row_per_model_and_target(result):
    assert {name: str(kind) for name, kind in result.table.dtypes.items()} == COLUMNS
    assert list(result.table["model"]) == 2 * MODELS
    assert list(result.table["target"]) == 5 * ["level"] + 5 * ["log return"]
    convex = result.table["model"] == "ConvexAR"
    assert (result.table.loc[convex, "relative_gap"] <= 1e-8).all()
    assert result.table.loc[~convex, "relative_gap"].isna().all()


def test_every_score_follows_from_the_forecasts(result):
    for row in result.table.to_dict("records"):
        of = result.forecasts[result.forecasts["target"] == row["target"]].pivot(
            index="time", columns="model", values="mean"
        )
        y = result.forecasts.query("target == @row['target'] and model == 'AR(1)'")["y"].to_numpy()
        mine = of[row["model"]].to_numpy()
        assert row["test_rmse"] == metrics.rmse(y, mine)
        assert row["test_mae"] == metrics.mae(y, mine)
        for rival, suffix in (("AR(1)", ""), ("random walk", "_random_walk")):
            theirs = of[rival].to_numpy()
            assert row[f"skill{suffix}"] == metrics.skill(y, mine, theirs)
            pvalue = metrics.diebold_mariano(y, mine, theirs).pvalue
            assert row[f"dm_pvalue{suffix}"] == pytest.approx(pvalue, nan_ok=True)


@pytest.mark.parametrize("horizon", [1, 3])
def test_rivals_are_what_they_are_called_at_every_origin(prices, horizon):
    result = compare(prices, test=8, horizon=horizon, models={"other": LastValue()})
    data = {"level": prices, "log return": np.log(prices).diff().iloc[1:]}
    for target, series in data.items():
        rows = result.forecasts[result.forecasts["target"] == target]
        assert rows["horizon"].eq(horizon).all()
        for row in rows.to_dict("records"):
            known = series.loc[: row["origin"]]
            assert series.index.get_loc(row["time"]) - series.index.get_loc(row["origin"]) == horizon
            assert row["y"] == series.loc[row["time"]]
            expected = {
                "AR(1)": AutoReg(known.to_numpy(), 1).fit().forecast(horizon)[-1],
                "random walk": known.iloc[-1] if target == "level" else 0.0,
                "other": known.iloc[-1],
            }
            assert row["mean"] == pytest.approx(expected[row["model"]], rel=1e-10, abs=1e-14)
        assert rows["time"].unique().tolist() == series.index[-8:].tolist()


def test_training_error_is_measured_on_the_values_every_model_fits(prices):
    result = compare(prices, test=8, models={"AR(3)": AutoRegression(3), "other": LastValue()})
    train = prices.to_numpy()[:-8]
    mse = result.table[result.table["target"] == "level"].set_index("model")["train_mse"]
    assert mse["random walk"] == pytest.approx(np.mean(np.diff(train)[2:] ** 2))
    assert mse["AR(1)"] == pytest.approx(np.mean(AutoReg(train, 1).fit().resid[2:] ** 2))
    assert mse["AR(3)"] == pytest.approx(np.mean(AutoReg(train, 3).fit().resid ** 2))
    assert math.isnan(mse["other"])


def small_models():
    return {
        "ConvexAR": ConvexAR(beta_ratio=0.05),
        "two lags": ConvexAR(2, skip=False, beta_ratio=0.01),
        "network": TrainedNetwork(width=4, steps=10, rng=0),
        "other": LastValue(),
    }


@pytest.mark.parametrize("change_at", [56, 59])
@pytest.mark.parametrize("horizon", [1, 2])
def test_no_model_looks_ahead(prices, horizon, change_at):
    """A future that differs leaves every forecast made before it as it was, to the last bit."""
    other = prices.copy()
    other.iloc[change_at:] *= np.linspace(0.5, 3.0, len(other) - change_at)
    one, two = (
        compare(series, test=16, horizon=horizon, models=small_models()).forecasts
        for series in (prices, other)
    )
    before = one["origin"] < prices.index[change_at]
    assert 0 < before.sum() < len(one)
    pd.testing.assert_series_equal(one["mean"][before], two["mean"][before])
    assert not np.allclose(one["mean"][~before], two["mean"][~before])


def test_models_of_the_caller_are_not_fitted_and_data_not_altered(prices):
    before, models = prices.copy(), small_models()
    result = compare(prices, test=4, models=models)
    pd.testing.assert_series_equal(prices, before)
    assert not hasattr(models["other"], "last")
    with pytest.raises(CvxarError, match="fit"):
        models["network"].forecast(1)
    assert list(result.table["model"].unique()) == [*models, "AR(1)", "random walk"]
    assert len(result.conclusions) == 2 * 2 * len(models)
    assert "other" in str(result.summary())
    assert result.training.empty


def test_without_kinks_convexar_is_ar1_and_the_report_says_so(prices):
    result = compare(prices, test=8, models={"linear": ConvexAR(beta_ratio=1.0)})
    rows = result.table[result.table["model"] == "linear"]
    np.testing.assert_allclose(rows["skill"], 0, atol=1e-6)
    assert rows["dm_pvalue"].isna().all()
    assert (
        "linear and AR(1) make the same forecasts on level: there is nothing to test." in result.conclusions
    )


def test_training_is_never_below_the_certified_optimum(result):
    training = result.training
    assert list(training["method"]) == 2 * ["convex optimum", "network (Adam)", "network (SGD)"]
    assert (training["ratio"] >= 1 - 1e-12).all()
    assert (training.loc[training["method"] == "convex optimum", "relative_gap"] <= 1e-8).all()
    np.testing.assert_allclose(
        training["ratio"], training["objective"] / training["objective"].iloc[[0] * 3 + [3] * 3].to_numpy()
    )


def test_several_lags_and_a_number_for_beta(prices):
    level = ConvexAR([1, 3], beta=5e5).fit(prices.iloc[:-4])
    result = compare(prices, test=4, lags=[1, 3], beta=5e5)
    assert list(result.table["model"].unique()) == [*MODELS[:2], "AR(lags 1, 3)", *MODELS[2:]]
    betas = result.training.groupby("target")["beta"].first()
    returns = np.log(prices).diff().iloc[1:-4]
    share = ConvexAR([1, 3], beta_ratio=level.beta_ / level.beta_max_).fit(returns)
    assert betas["level"] == 5e5
    assert betas["log return"] == pytest.approx(share.beta_)
    assert any("same share of beta_max" in note for note in result.notes)


def test_a_series_with_values_below_zero_has_no_log_returns(prices):
    result = compare(prices - prices.mean(), test=4, models={"other": LastValue()})
    assert list(result.table["target"].unique()) == ["level"]
    assert any("Level only" in note for note in result.notes)


@pytest.mark.parametrize("values", [[5.0] * 20, list(range(1, 30))], ids=["constant", "line"])
def test_a_perfect_fit_is_not_judged_by_its_rounding(values):
    result = compare(values, test=3)
    training = result.training[result.training["target"] == "level"]
    assert training["ratio"].iloc[1:].isna().all()
    assert (training["objective"] >= 0).all()
    assert training["objective"].iloc[0] == pytest.approx(0, abs=1e-20)
    rows = result.table[(result.table["model"] == "ConvexAR") & (result.table["target"] == "level")]
    assert rows["skill"].item() == 0
    assert rows["dm_pvalue"].isna().all()
    result.to_json()


@pytest.mark.parametrize("lags", [1, 2, (1, 4)])
def test_the_shortest_series_is_enough_and_one_less_is_refused(lags):
    longest, count = max(np.atleast_1d(lags)), 2 if lags != 1 else 1
    values = np.random.default_rng(0).uniform(1, 2, longest + count + 2 + 1 + 2)
    assert compare(values, test=2, lags=lags)._tested == 2
    with pytest.raises(InputError, match="for training"):
        compare(values[1:], test=2, lags=lags)


def test_json_is_plain_and_complete(result, tmp_path):
    file = tmp_path / "result.json"
    file.write_text("old")
    text = result.to_json(file)
    read = json.loads(file.read_text())
    assert read == json.loads(text) == result.to_dict()
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert {"series", "nobs", "command", "rows", "version", "notes", "training"} <= set(read)
    assert (read["series"], read["nobs"]) == ("close", 70)
    for row in read["rows"]:
        assert set(row) >= CONTRACT
        assert {row[key] for key in ("dm_pvalue", "skill")} == {None, 0.0} or row["model"] != "AR(1)"
        assert (row["relative_gap"] is None) == (row["model"] != "ConvexAR")
        assert all(isinstance(v, (str, float, type(None))) for v in row.values())


def test_the_summary_tells_rows_conclusions_and_notes(result):
    text = " ".join(str(result.summary()).split())
    for sentence in (*result.conclusions, *result.notes):
        assert sentence in text
    assert all(text.count(model) >= 2 for model in MODELS)
    assert "last 8" in text
    assert len(result.conclusions) == 2 * 2 + 2


@pytest.mark.parametrize(
    ("skill", "pvalue", "says"),
    [
        (0.2, 0.01, "A forecasts better than B on level (p = 0.01, squared error 20.0 % lower)."),
        (-0.2, 0.0499, "A forecasts worse than B on level (p = 0.0499, squared error 20.0 % higher)."),
        (-0.2, 0.01, "A forecasts worse than B on level (p = 0.01, squared error 20.0 % higher)."),
        (
            0.2,
            0.41,
            "No evidence that A forecasts better than B on level (p = 0.41, squared error 20.0 % lower).",
        ),
        (
            -0.2,
            0.05,
            "No evidence that A forecasts better than B on level (p = 0.05, squared error 20.0 % higher).",
        ),
        (
            0.2,
            math.nan,
            "A and B differ alike at every time on level (squared error 20.0 % lower).",
        ),
        (0.0, math.nan, "A and B make the same forecasts on level: there is nothing to test."),
    ],
)
def test_words_follow_the_p_value_in_each_direction(skill, pvalue, says):
    assert verdict("A", "B", "level", skill, pvalue) == says


def test_figures_show_the_figures(result):
    figure = result.plot()
    above, _, below, _ = figure.axes
    level = result.forecasts[result.forecasts["target"] == "level"]
    lines = {line.get_label(): line.get_ydata() for line in above.get_lines()}
    assert list(lines) == ["observed", *MODELS]
    for model in MODELS:
        np.testing.assert_array_equal(lines[model], level.loc[level["model"] == model, "mean"])
    saved = {line.get_label(): line.get_ydata()[-1] for line in below.get_lines()}
    rows = result.table[result.table["target"] == "level"].set_index("model")
    expected = 8 * (rows.loc["AR(1)", "test_rmse"] ** 2 - rows["test_rmse"] ** 2)
    for model in MODELS:
        assert saved[model] == pytest.approx(expected[model])
    assert all(ax.get_xlabel() or ax is not below for ax in figure.axes)
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "close",
        "log return",
        "close, squared",
        "log return, squared",
    ]
    axes = pyplot.figure().subplots()
    assert result.plot(ax=axes) is axes.figure
    pyplot.close("all")


class Moody(LastValue):
    """Fails where the last value is below a limit."""

    def __init__(self, limit):
        self.limit = limit

    def forecast(self, steps):
        if self.last < self.limit:
            raise RuntimeError("not today")
        return super().forecast(steps)


def test_origins_at_which_a_model_fails_are_left_out_of_all_scores(prices):
    prices = prices - prices.mean()  # the level alone
    limit = float(np.median(prices.iloc[-9:-1]))
    result = compare(prices, test=8, models={"moody": Moody(limit)})
    rows = result.forecasts[result.forecasts["target"] == "level"].pivot(index="time", columns="model")
    good = rows["mean"]["moody"].notna()
    assert 0 < good.sum() < 8
    walk = result.table.set_index(["target", "model"]).loc[("level", "random walk")]
    assert walk["test_rmse"] == metrics.rmse(
        rows["y"]["moody"][good].to_numpy(), rows["mean"]["random walk"][good].to_numpy()
    )
    assert f"moody on level failed at {8 - good.sum()} origins" in " ".join(result.notes)
    result.plot()
    pyplot.close("all")
    with pytest.raises(InputError, match="moody failed at every origin; at the first: RuntimeError"):
        compare(prices, test=8, models={"moody": Moody(np.inf)})


def never(*_, **__):
    raise AssertionError("work was started on bad input")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"horizon": 0}, InputError, "horizon"),
        ({"test": 0.0}, InputError, "test must be a fraction"),
        ({"test": 1.0}, InputError, "test must be a fraction"),
        ({"test": 0}, InputError, "test must be at least 1"),
        ({"test": True}, InputError, "test must be a fraction"),
        ({"test": 68}, InputError, "training"),
        ({"lags": 0}, InputError, "lags"),
        ({"models": {"AR(1)": LastValue()}}, InputError, "taken"),
        ({"models": {"x": object()}}, InputTypeError, "fit"),
        ({"models": [LastValue()]}, InputTypeError, "mapping of names to models"),
        ({"models": {"x": LastValue}}, InputTypeError, "the class LastValue; give an object"),
        ({"rng": "seed"}, InputTypeError, "rng"),
        ({"beta": "bik"}, InputError, "'bic'"),
        ({"beta": -1.0}, InputError, "beta"),
        ({"architecture": "rely"}, InputError, "'relu'"),
        ({"skip": "yes"}, InputTypeError, "skip"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(prices, monkeypatch, arguments, error, says):
    monkeypatch.setattr(AutoRegression, "_estimate", never)
    monkeypatch.setattr(TrainedNetwork, "_estimate", never)
    monkeypatch.setattr("cvxar.results.select", never)
    with pytest.raises(error, match=says):
        compare(prices, **arguments)


def test_a_path_that_cannot_be_written_leaves_nothing(result, tmp_path):
    with pytest.raises(InputError, match="No such file"):
        result.to_json(tmp_path / "no" / "a.json")
    assert isinstance(result, Comparison)
    assert list(tmp_path.iterdir()) == []
