"""Scores and comparisons: every figure recomputable from the forecasts."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from statsmodels.stats.multitest import multipletests

from cvxar import ConvexAR, backtest, metrics
from cvxar.baselines import AutoRegression, RandomWalk
from cvxar.errors import FailureWarning, InputError, InputTypeError
from cvxar.scoring import Rivalry, holm

SERIES = pd.Series(50 + np.random.default_rng(3).normal(size=70).cumsum(), name="price")
MODELS = {"AR(1)": AutoRegression(), "walk": RandomWalk(), "ConvexAR": ConvexAR(beta_ratio=0.2)}


@pytest.fixture(scope="module")
def result():
    return backtest(SERIES, MODELS, horizon=3, step=2, initial=40, level=[80, 50])


@pytest.mark.parametrize("by", [None, "horizon"])
def test_scores_are_the_metrics_of_the_rows(result, by):
    table = result.scores(by=by)
    train = SERIES.to_numpy()[:40]
    for key, row in table.iterrows():
        model, horizon = (key, None) if by is None else key
        rows = result.forecasts[result.forecasts["model"] == model]
        rows = rows if horizon is None else rows[rows["horizon"] == horizon]
        y, mean = rows["y"].to_numpy(), rows["mean"].to_numpy()
        for name in ("rmse", "mae", "smape", "bias"):
            assert row[name] == getattr(metrics, name)(y, mean)
        assert row["mase"] == metrics.mase(y, mean, train)
        assert row["rmsse"] == metrics.rmsse(y, mean, train)
        hits = metrics.direction_hit_rate(y, mean, SERIES.loc[rows["origin"]])
        assert row["direction_hit_rate"] == pytest.approx(hits, abs=0, nan_ok=True)
        if model != "ConvexAR":
            assert row.filter(regex="_80|_50|pinball|crps").isna().all()
            continue
        assert row["coverage_80"] == np.mean((rows["lower_80"] <= y) & (y <= rows["upper_80"]))
        assert row["winkler_50"] == metrics.winkler(y, rows["lower_50"], rows["upper_50"], 50)
        names = ["lower_80", "lower_50", "upper_50", "upper_80"]
        losses = [metrics.pinball(y, rows[n], t) for n, t in zip(names, [0.1, 0.25, 0.75, 0.9], strict=True)]
        assert row["pinball"] == pytest.approx(np.mean(losses))
        assert row["crps"] == pytest.approx(metrics.crps_quantiles(y, rows[names], [0.1, 0.25, 0.75, 0.9]))
    assert len(table) == 3 * (1 if by is None else 3)


def test_the_direction_of_increments_is_their_sign():
    moves = SERIES.diff().iloc[1:]
    result = backtest(moves, {"AR(1)": AutoRegression()}, initial=40)
    y, mean = (result.forecasts[name].to_numpy() for name in ("y", "mean"))
    shown = result.scores("direction_hit_rate", increments=True)
    assert shown.loc["AR(1)", "direction_hit_rate"] == np.mean((y > 0) == (mean > 0))


def test_equal_forecasts_have_equal_intervals():
    models = {"walk": RandomWalk(), "one": AutoRegression(), "other": AutoRegression()}
    table = backtest(SERIES, models, initial=40).compare("walk")[["skill_lower", "skill_upper"]]
    assert table.loc["one"].tolist() == table.loc["other"].tolist()


@pytest.mark.parametrize("by", [None, "horizon"])
def test_a_model_that_never_forecasts_is_named(by):
    def broken(series, horizon):
        raise ValueError("broken")

    models = {"walk": RandomWalk(), "broken": broken, "one": AutoRegression()}
    with pytest.warns(FailureWarning, match="^broken made no forecast"):
        result = backtest(SERIES, models, initial=40, horizon=2)
    table, scores = result.compare("walk", by=by), result.scores(by=by)
    horizons = [()] if by is None else [(1,), (2,)]
    expected = {("one", *h): 29 for h in horizons} | {("broken", *h): 0 for h in horizons}
    expected = {key if by else key[0]: count for key, count in expected.items()}
    assert table["origins"].to_dict() == expected
    assert table.loc[["broken"]].drop(columns=["origins", "conclusion"]).isna().all(axis=None)
    assert set(table.loc[["broken"], "conclusion"]) == {"broken made no forecast (see failures)."}
    assert scores.loc[["broken"]].drop(columns="origins").isna().all(axis=None)
    others = scores[scores.index.get_level_values("model") != "walk"]
    assert others["origins"].to_dict() == expected
    assert scores.index.get_level_values("model").unique().tolist() == list(models)


@pytest.mark.parametrize("by", [None, "horizon"])
def test_scores_say_how_many_origins_they_stand_on(result, by):
    rows = result.forecasts.groupby(["model"] if by is None else ["model", by], sort=False)
    expected = rows["origin"].nunique()
    assert result.scores("mae", by=by)["origins"].to_dict() == expected.to_dict()
    at = SERIES.iloc[44]
    fails = {"walk": RandomWalk(), "once": lambda y, h: [np.nan if y.iloc[-1] == at else 0.0] * h}
    assert set(backtest(SERIES, fails, initial=40).scores()["origins"]) == {29}


def test_metrics_are_chosen_by_name_function_or_mapping(result):
    def worst(y, forecast):
        return float(np.max(np.abs(y - forecast)))

    table = result.scores(["mse", worst, "coverage", "winkler_80"])
    assert table.columns.tolist() == ["origins", "mse", "worst", "coverage_80", "coverage_50", "winkler_80"]
    pd.testing.assert_series_equal(
        result.scores({"largest": worst})["largest"], table["worst"], check_names=False
    )
    with pytest.raises(InputError, match="unknown metric 'mas'"):
        result.scores("mas")
    plain = backtest(SERIES, {"walk": RandomWalk()})
    with pytest.raises(InputError, match="needs bands"):
        plain.scores("coverage")


@pytest.mark.parametrize("by", [None, "horizon"])
def test_comparisons_follow_from_the_errors(result, by):
    table = result.compare("AR(1)", by=by)
    wide = result.forecasts.assign(e=lambda t: t["y"] - t["mean"]).pivot(
        index="origin", columns=["model", "horizon"], values="e"
    )
    for key, row in table.iterrows():
        model, horizons = (key, [1, 2, 3]) if by is None else (key[0], [key[1]])
        ours, base = (np.mean(wide[name][horizons].to_numpy() ** 2, axis=1) for name in (model, "AR(1)"))
        assert row["skill"] == pytest.approx(1 - ours.mean() / base.mean())
        overlap = math.ceil(horizons[-1] / 2)
        test = metrics.diebold_mariano(np.zeros(len(ours)), np.sqrt(ours), np.sqrt(base), horizon=overlap)
        assert row["dm_pvalue"] == pytest.approx(test.pvalue)
        assert row["dm_statistic"] == pytest.approx(test.statistic)
        assert row["skill_lower"] <= row["skill"] <= row["skill_upper"]
        assert row["origins"] == 14
        assert f"{row['dm_pvalue_holm']:.2g}" in row["conclusion"] or row["dm_pvalue_holm"] < 0.001
    adjusted = multipletests(table["dm_pvalue"], method="holm")[1]
    np.testing.assert_allclose(table["dm_pvalue_holm"], adjusted)


def test_the_same_forecasts_have_no_skill_and_no_test():
    twice = backtest(SERIES, {"one": RandomWalk(), "two": RandomWalk()}, horizon=2)
    row = twice.compare("one").loc["two"]
    assert row["skill"] == row["skill_lower"] == row["skill_upper"] == 0
    assert math.isnan(row["dm_pvalue_holm"])
    assert "nothing to test" in row["conclusion"]
    assert holm(np.array([math.nan])).tolist() != [0.0]


def test_a_better_model_is_called_better_and_a_worse_one_worse():
    rng = np.random.default_rng(0)
    noise = pd.Series(rng.normal(size=120))
    models = {"walk": RandomWalk(), "zero": lambda y, h: [0.0] * h, "wild": lambda y, h: [5.0] * h}
    words = backtest(noise, models, initial=40).compare("walk")["conclusion"]
    assert words["zero"].startswith("zero forecasts better than walk (p")
    assert words["wild"].startswith("wild forecasts worse than walk (p")


@pytest.mark.parametrize("overlap", [1, 6])
def test_intervals_are_quantiles_over_blocks_written_out(overlap):
    rng = np.random.default_rng(5)
    y, ours, base = rng.normal(size=(3, 23, 2))
    rivalry = Rivalry(y, ours, base, overlap)
    low, high = rivalry.skill_interval(np.random.default_rng(1), draws=200)
    a, b = (np.mean((y - f) ** 2, axis=1) for f in (ours, base))
    size = max(overlap, 3)
    skills = []
    for starts in np.random.default_rng(1).integers(0, 23, (200, math.ceil(23 / size))):
        rows = np.concatenate([np.arange(s, s + size) % 23 for s in starts])
        skills.append(1 - a[rows].sum() / b[rows].sum())
    assert (low, high) == pytest.approx(tuple(np.quantile(skills, [0.025, 0.975])))


def test_figures_show_the_rows(result):
    figure = result.plot(horizon=2, baseline="walk")
    rows = result.forecasts.query("horizon == 2 and model == 'ConvexAR'")
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["ConvexAR"], rows["mean"])
    axes = pyplot.figure().subplots()
    assert result.plot(axes) is axes.figure
    pyplot.close("all")
    with pytest.raises(InputError, match="no horizon 4"):
        result.plot(horizon=4)


def turns(at):
    """Two models that never forecast from the same origin; neither does "even" with at = 2."""
    even = lambda y, h: [1 / (len(y) % 2 == at)]  # noqa: E731
    odd = lambda y, h: [1 / (len(y) % 2)]  # noqa: E731
    return backtest(SERIES, {"even": even, "odd": odd}, initial=60)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: r.scores(3), "a name such as 'rmse'.* got 3"),
        (lambda r: r.scores({"errors": lambda y, f: y - f}), "one number .* returned ndarray"),
        (lambda r: r.scores(increments="yes"), "increments must be True or False"),
        (lambda r: r.plot(horizon="1"), "horizon must be a whole number"),
    ],
)
def test_what_is_no_metric_or_flag_is_refused(result, call, says):
    with pytest.raises(InputTypeError, match=says):
        call(result)


def test_a_mapping_may_name_known_metrics(result):
    table = result.scores({"error": "rmse", "bands": "winkler_80", "own": metrics.mae})
    expected = result.scores(["rmse", "winkler_80", "mae"])
    assert table.columns.tolist() == ["origins", "error", "bands", "own"]
    np.testing.assert_array_equal(table, expected)
    assert table["bands"].isna().to_dict() == {"AR(1)": True, "walk": True, "ConvexAR": False}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: r.compare("AR(2)"), "unknown baseline 'AR\\(2\\)'; known: 'AR\\(1\\)'"),
        (lambda r: r.compare("AR(1)", by="origin"), "unknown by"),
        (lambda r: backtest(SERIES, {"AR(1)": AutoRegression()}).compare(), "give backtest another one"),
        (lambda r: turns(0).compare("even"), "no origin at which even and another .* see failures"),
        pytest.param(
            lambda r: turns(2).compare("even"),
            "even made no forecast .* first failure: ZeroDivisionError",
            marks=pytest.mark.filterwarnings("ignore::cvxar.errors.FailureWarning"),
        ),
        (lambda r: turns(0).plot(), "nothing to draw"),
        (lambda r: r.plot(horizon=0), "horizon must be at least 1"),
        (lambda r: r.scores("skill"), r"use compare\(baseline\)"),
        (lambda r: r.scores({"origins": metrics.mae}), "another name"),
    ],
)
def test_what_cannot_be_compared_is_refused(result, call, says):
    with pytest.raises(InputError, match=says):
        call(result)


def test_the_result_says_what_it_is(result):
    assert repr(result) == "Backtest(3 models, 14 origins, horizon 3, expanding window, 0 failures)"
