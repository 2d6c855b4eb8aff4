"""Backtests: what models are told and when, the same bits whoever works, failures that cost nothing else."""

import math

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import ARCHITECTURES
from statsmodels.tsa.ar_model import AutoReg

from cvxar import ConvexAR, QuantileAR, Wrapped, architectures, backtest, losses, transforms
from cvxar.baselines import AutoRegression, RandomWalk, TrainedNetwork
from cvxar.calendars import complete
from cvxar.deterministic import TRENDS
from cvxar.errors import CalendarWarning, FailureWarning, InputError, InputTypeError
from cvxar.selection import CHOICES

WALK = pd.Series(
    100 + np.random.default_rng(0).normal(size=60).cumsum(),
    index=pd.date_range("2024-01-01", periods=60, name="day"),
    name="price",
)


class Spy:
    """The last value again; writes down everything it is told."""

    def __init__(self, log):
        self.log = log

    def __deepcopy__(self, memo):
        return Spy(self.log)

    def fit(self, series, exog=None):
        self.log.append(("fit", len(series), float(series.iloc[0]), None if exog is None else len(exog)))
        self.last = float(series.iloc[-1])
        return self

    def append(self, new, refit=False, exog=None):
        assert refit is False
        self.log.append(("append", len(new), float(new.iloc[0]), None if exog is None else len(exog)))
        other = Spy(self.log)
        other.last = float(new.iloc[-1])
        return other

    def forecast(self, steps, *, level=None, exog=None, rng=None):
        self.log.append(("forecast", steps, level, None if exog is None else exog.iloc[:, 0].tolist()))
        return pd.DataFrame({"mean": [self.last] * steps})


class Plain:
    """The least a forecaster can be; fails where the last value is one of ``at``."""

    def __init__(self, at=()):
        self.at = at

    def fit(self, series):
        self.last = series.iloc[-1]

    def forecast(self, steps):
        if self.last in self.at:
            raise RuntimeError("no idea")
        return np.full(steps, self.last)


class FromNothing:
    """Another model without its short cuts: fitted in full at every origin."""

    def __init__(self, model):
        self.model = model

    def fit(self, series):
        self.fitted = self.model.fit(series)
        return self

    def forecast(self, steps):
        return self.fitted.forecast(steps)

    @property
    def certificate_(self):
        return self.fitted.certificate_


def same(one, two):
    """Equal to the last bit, wall time apart."""
    drop = "fit_seconds"
    pd.testing.assert_frame_equal(
        one.forecasts.drop(columns=drop), two.forecasts.drop(columns=drop), check_exact=True
    )


@pytest.mark.parametrize("window", [None, 20])
@pytest.mark.parametrize(("horizon", "step", "refit"), [(1, 1, 1), (3, 2, 1), (2, 3, 4)])
def test_rows_are_those_of_a_loop_written_out(window, horizon, step, refit):
    models = {"AR(2)": AutoRegression(2), "function": lambda y, h: [y.iloc[-1]] * h}
    result = backtest(
        WALK, models, horizon=horizon, step=step, refit=refit, window=window, initial=25, level=80
    )
    expected, state = [], None
    for number, known in enumerate(range(25, 60 - horizon + 1, step)):
        past = WALK.iloc[max(0, known - window) if window else 0 : known]
        if number % refit == 0:
            state = AutoReg(past.to_numpy(), 2).fit().params
        path = list(past)
        for h in range(horizon):
            path.append(state[0] + state[1] * path[-1] + state[2] * path[-2])
            stamps = (WALK.index[known - 1], WALK.index[known + h], h + 1)
            expected.append((*stamps, WALK.iloc[known + h], path[-1], past.iloc[-1]))
    expected = pd.DataFrame(expected, columns=["origin", "time", "horizon", "y", "AR(2)", "function"])
    for model in models:
        rows = result.forecasts[result.forecasts["model"] == model].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[["origin", "time", "horizon", "y"]], expected.iloc[:, :4])
        np.testing.assert_allclose(rows["mean"], expected[model], rtol=1e-12)
        assert rows[["lower_80", "upper_80", "relative_gap"]].isna().all(axis=None)
        assert rows["error"].eq("").all()
    fits = result.forecasts.groupby("model")["fit_seconds"].count() // horizon
    assert fits["AR(2)"] == math.ceil(len(expected) / horizon / refit)
    assert fits["function"] == 0


def test_models_are_told_what_is_known_at_the_origin_and_no_more():
    log, exog = [], pd.Series(np.arange(60.0), index=WALK.index, name="x")
    options = {"initial": 50, "window": 30, "horizon": 2, "step": 3, "refit": 2, "level": 90, "exog": exog}
    backtest(WALK, {"spy": Spy(log)}, **options)
    first = WALK.iloc[[20, 50, 26, 56]].tolist()
    assert log == [
        ("fit", 30, first[0], 30),
        ("forecast", 2, [90.0], [49.0, 49.0]),
        ("append", 3, first[1], 3),
        ("forecast", 2, [90.0], [52.0, 52.0]),
        ("fit", 30, first[2], 30),
        ("forecast", 2, [90.0], [55.0, 55.0]),
    ] + ([("append", 3, first[3], 3)] if 50 + 9 <= 58 else [])
    for how, rows in {"known": [50.0, 51.0], lambda past, steps: -past.iloc[-steps:]: [-48.0, -49.0]}.items():
        log.clear()
        backtest(WALK, {"spy": Spy(log)}, **options, future_exog=how)
        assert log[1][3] == rows


@pytest.mark.parametrize("name", ["AutoReg", "ConvexAR"])
def test_exogenous_columns_reach_the_model(name):
    x = np.random.default_rng(1).normal(size=60)
    y = np.convolve(x, [1.0, 0.5])[:60] * 2
    make = {
        "AutoReg": Wrapped(lambda y, exog: AutoReg(y, 1, exog=exog)),
        "ConvexAR": ConvexAR(beta_ratio=1.0),
    }
    result = backtest(y, {name: make[name]}, initial=55, exog=x, future_exog="known")
    for row in result.forecasts.to_dict("records"):
        known = row["origin"] + 1
        fit = AutoReg(y[:known], 1, exog=x[:known]).fit()
        assert row["mean"] == pytest.approx(fit.forecast(1, exog=x[known : known + 1])[0], rel=1e-7)


def catalogue():
    """Every architecture, loss, rule for the penalty, transform, trend and baseline of the package."""
    for name in architectures.BY_NAME:
        yield f"architecture {name}", ConvexAR(architecture=name, beta_ratio=0.3)
    for name in losses.BY_NAME:
        yield f"loss {name}", ConvexAR(loss=name, beta_ratio=0.3)
    for name in CHOICES:
        yield f"beta {name}", ConvexAR(beta=name)
    for name in transforms.CATALOGUE:
        yield f"transform {name}", ConvexAR(transform=name, beta_ratio=0.3)
    for trend in TRENDS:
        yield f"trend {trend}", ConvexAR(trend=trend, beta_ratio=0.3)
    yield "seasonal", ConvexAR(seasonal=True, period=4, beta_ratio=0.3)
    yield "quantiles", QuantileAR([0.1, 0.9], beta_ratio=0.3)
    yield "two lags", ConvexAR([1, 3], beta_ratio=0.1)
    yield "AR(1)", AutoRegression()
    yield "random walk", RandomWalk()
    yield "network", TrainedNetwork(width=3, steps=5, refit_steps=2, rng=0)
    yield "statsmodels", Wrapped(lambda y: AutoReg(y, 1))
    yield "function", lambda y, h: np.full(h, y.mean())


@pytest.mark.parametrize("options", [{"window": 26}, {"horizon": 2, "refit": 3, "level": 80}], ids=str)
def test_no_look_ahead(options):
    """A future that differs leaves every forecast made before it as it was, to the last bit."""
    models, change = dict(catalogue()), 36
    other = WALK.iloc[:40].copy()
    other.iloc[change:] *= np.linspace(0.5, 1.5, 4)
    one, two = (
        backtest(series, models, initial=35, **options).forecasts for series in (WALK.iloc[:40], other)
    )
    assert one["error"].eq("").all()
    ours = one["model"].isin([name for name, m in models.items() if isinstance(m, (ConvexAR, QuantileAR))])
    assert one.loc[ours, "relative_gap"].le(1e-6).all()
    assert one.loc[~ours, "relative_gap"].isna().all()
    before = one["origin"] < WALK.index[change]
    columns = [name for name in one if name not in ("y", "fit_seconds")]
    pd.testing.assert_frame_equal(one[before][columns], two[before][columns], check_exact=True)
    later = (~before).groupby(one["model"]).sum()
    assert (later > 0).all()
    assert (one["mean"] != two["mean"])[~before].groupby(one["model"]).any().all()


def long_models():
    return {
        "slides": ConvexAR(beta_ratio=0.05),
        "AR(1)": AutoRegression(),
        "network": TrainedNetwork(width=3, steps=5, refit_steps=2, rng=0),
    }


@pytest.mark.parametrize("horizon", [1, 2])
def test_the_number_of_jobs_changes_no_bit(horizon):
    options = {"initial": 17, "horizon": horizon, "level": None if horizon == 1 else 80}
    one = backtest(WALK, long_models(), **options)
    assert len(one.forecasts["origin"].unique()) > 40  # more than one job per model
    same(one, backtest(WALK, long_models(), **options, n_jobs=2))


def test_the_backend_in_force_decides_where_one_job_runs():
    models = long_models()
    del models["network"]  # it silences warnings, which Python 3.11 cannot do in one thread alone
    one = backtest(WALK, models, initial=14)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        same(one, backtest(WALK, models, initial=14))


def test_a_dask_cluster_changes_no_bit():
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    one = backtest(WALK, long_models(), initial=14)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        same(one, backtest(WALK, long_models(), initial=14))


def test_an_earlier_result_is_continued_to_the_same_bits():
    log = []
    fresh = backtest(WALK, {"spy": Spy(log), **long_models()}, initial=14)
    for cut in (15, 50):
        earlier = backtest(WALK.iloc[:cut], {"spy": Spy([]), "AR(1)": AutoRegression()}, initial=14)
        same(fresh, backtest(WALK, {"spy": Spy([]), **long_models()}, initial=14, resume=earlier))
    log.clear()
    backtest(WALK, {"spy": Spy(log)}, initial=14, resume=fresh)
    assert log == []


def test_what_cannot_be_continued_is_refused():
    earlier = backtest(WALK, {"AR(1)": AutoRegression()}, initial=50)
    for series, models, options, says in (
        (WALK, {"AR(1)": AutoRegression()}, {"initial": 51}, "other settings: initial=50, not 51;"),
        (WALK + 1, {"AR(1)": AutoRegression()}, {"initial": 50}, "other data"),
        (WALK, {"AR(1)": AutoRegression()}, {"initial": 50, "exog": np.ones(60)}, "other data"),
        (WALK, {"AR(1)": AutoRegression(2)}, {"initial": 50}, "rename"),
    ):
        with pytest.raises(InputError, match=says):
            backtest(series, models, **options, resume=earlier)


@pytest.mark.parametrize("refit", [1, 4])
def test_a_failure_costs_no_other_forecast(refit):
    at = WALK.iloc[[50, 54]].tolist()
    models = {"walk": RandomWalk(), "fails": Plain(at), "never": Plain(WALK.tolist())}
    with pytest.warns(FailureWarning, match=r"^never made .*: RuntimeError: no idea$"):
        result = backtest(WALK, models, initial=48, refit=refit)
    table = result.forecasts.set_index(["model", "origin"])["mean"].unstack(0)
    bad = table.index.isin(WALK.index[[50, 54]])
    assert table["fails"][bad].isna().all()
    pd.testing.assert_series_equal(table["fails"][~bad], table["walk"][~bad], check_names=False)
    failures = result.failures[result.failures["model"] == "fails"]
    assert failures["origin"].tolist() == WALK.index[[50, 54]].tolist()
    assert failures["error"].unique().tolist() == ["RuntimeError: no idea"]
    scores = result.scores("rmse")["rmse"]
    assert scores["fails"] == scores["walk"] > 0
    assert math.isnan(scores["never"])
    assert result.compare("walk")["origins"].to_dict() == {"fails": 10, "never": 0}
    with pytest.warns(FailureWarning, match="^never made"):
        repaired = backtest(WALK, models | {"walk": RandomWalk()}, initial=48, refit=refit, resume=result)
    same(repaired, result)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([1.0], "shape"),
        (pd.DataFrame({"median": [1.0, 2.0]}), 'no column "mean"'),
        ([1.0, math.nan], "not finite"),
        ("text", "could not convert"),
    ],
    ids=["short", "unnamed", "nan", "text"],
)
def test_answers_that_are_no_forecasts_are_failures(answer, says):
    with pytest.warns(FailureWarning, match=says):
        result = backtest(WALK, {"odd": lambda y, h: answer}, horizon=2, initial=57)
    assert result.failures["error"].str.contains(says).all()
    with pytest.raises(InputError, match="no model made any forecast"):
        result.scores()


HINGED = [a for a in ARCHITECTURES if a.hinge_cost is not None]


@given(
    architecture=st.sampled_from(HINGED),
    skip=st.booleans(),
    rounded=st.booleans(),
    ratio=st.sampled_from([0.5, 0.05]),
    window=st.sampled_from([None, 12]),
    extrapolation=st.sampled_from(["ar", "network"]),
    step=st.sampled_from([1, 5]),
    refit=st.sampled_from([1, 2]),
    seed=st.integers(0, 999),
)
def test_windows_that_slide_give_the_numbers_of_fits_in_full(
    architecture, skip, rounded, ratio, window, extrapolation, step, refit, seed
):
    walk = np.cumsum(np.random.default_rng(seed).normal(size=32))
    # flat stretches make windows without two distinct values
    walk = np.clip(np.round(walk), 0, None) if rounded else walk
    model = ConvexAR(architecture=architecture, skip=skip, beta_ratio=ratio, extrapolation=extrapolation)
    options = {"initial": 14, "window": window, "step": step, "refit": refit}
    slides = backtest(walk, {"m": model}, **options).forecasts
    full = backtest(walk, {"m": Appended(model)}, **options).forecasts
    assert slides["error"].tolist() == full["error"].tolist()
    assert (slides["relative_gap"].dropna() <= 1e-8).all()
    np.testing.assert_allclose(slides["mean"], full["mean"], rtol=1e-4, atol=1e-4)


class Appended(FromNothing):
    """With the model's own append, but none of its other short cuts."""

    def append(self, new, refit=False):
        other = Appended(self.model)
        other.fitted = self.fitted.append(new)
        return other


def never(*_, **__):
    raise AssertionError("work was started on bad input")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"forecasters": {}}, InputError, "empty"),
        ({"forecasters": [RandomWalk()]}, InputTypeError, "mapping"),
        ({"forecasters": {"x": RandomWalk}}, InputTypeError, r"the class RandomWalk; .* RandomWalk\(...\)"),
        ({"forecasters": {"x": object()}}, InputTypeError, "function of series and horizon"),
        ({"forecasters": {1: RandomWalk()}}, InputTypeError, "names of forecasters"),
        ({"horizon": 0}, InputError, "horizon must be at least 1"),
        ({"horizon": 40}, InputError, "no origin"),
        ({"initial": 1}, InputError, "initial must be at least 2"),
        ({"initial": 60}, InputError, "no origin"),
        ({"window": 1}, InputError, "window must be at least 2"),
        ({"step": 0}, InputError, "step"),
        ({"refit": 1.5}, InputTypeError, "refit"),
        ({"level": 0.8}, InputError, "write 80"),
        ({"exog": [1.0]}, InputError, "one row per observation"),
        ({"future_exog": "next"}, InputError, "'known'"),
        ({"future_exog": np.ones(3)}, InputTypeError, "go into exog, with future_exog='known'"),
        ({"initial": 0.8}, InputTypeError, r"round\(0.8 \* len\(series\)\)"),
        ({"n_jobs": -2}, InputError, "-1, for all"),
        ({"forecasters": {"x": ConvexAR(-1)}}, InputError, r"forecasters\['x'\]: lags must be 1 or more"),
        ({"forecasters": {"x": ConvexAR(beta="bik")}}, InputError, r"forecasters\['x'\]: unknown beta"),
        ({"n_jobs": 0}, InputError, "n_jobs"),
        ({"progress": 1}, InputTypeError, "progress"),
        ({"rng": "seed"}, InputTypeError, "rng"),
        ({"resume": "file"}, InputTypeError, "resume"),
        ({"series": [1.0, math.inf]}, InputError, "inf at position 1"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(monkeypatch, arguments, error, says):
    monkeypatch.setattr("cvxar.backtesting.run_chunk", never)
    options = {"series": WALK, "forecasters": {"walk": RandomWalk()}} | arguments
    with pytest.raises(error, match=says):
        backtest(**options)


KINDS = {"bootstrap": "bootstrap", "calibrated": "conformal", "normal": "gaussian"}


def banded(**intervals):
    models = {name: ConvexAR(beta_ratio=0.3) for name in [*KINDS, "own"]} | {"AR(1)": AutoRegression()}
    options = {"initial": 54, "horizon": 2, "level": [80, 50], "rng": 3}
    return backtest(WALK, models, **options, **intervals)


@pytest.mark.parametrize("intervals", [KINDS, "conformal", "gaussian"], ids=str)
def test_every_model_is_asked_for_its_kind_of_interval(intervals):
    result = banded(intervals=intervals)
    kinds = KINDS if intervals is KINDS else dict.fromkeys([*KINDS, "own"], intervals)
    assert result.intervals == kinds
    bands = result.schedule.columns
    for name in [*KINDS, "own"]:
        rows = result.forecasts[result.forecasts["model"] == name]
        for known in range(54, 59):
            model = ConvexAR(beta_ratio=0.3).fit(WALK.iloc[:known])
            expected = model.forecast(
                2,
                level=[80, 50],
                intervals=kinds.get(name, "bootstrap"),
                rng=result.schedule.generator(known),
            )
            own = rows[rows["origin"] == WALK.index[known - 1]]
            np.testing.assert_array_equal(own[bands], expected[bands])
    scores = result.scores(["coverage", "winkler", "pinball"])
    assert scores.drop("AR(1)").notna().all(axis=None)
    same(result, banded(intervals=intervals))


def test_a_function_is_told_its_kind_of_interval():
    told = []

    def spy(series, horizon, intervals=None, level=None):
        told.append((intervals, level))
        return [0.0] * horizon

    backtest(WALK, {"a": spy, "b": spy}, initial=59, level=80, intervals={"b": "mine"})
    assert told == [(None, [80.0]), ("mine", [80.0])]


def test_a_result_with_other_intervals_is_not_continued():
    earlier = banded(intervals={"own": "gaussian"})
    same(banded(intervals={"own": "gaussian"}, resume=earlier), earlier)
    with pytest.raises(InputError, match=r"'own'\] \(or its intervals\)"):
        banded(intervals={"own": "conformal"}, resume=earlier)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"intervals": "gaussian"}, InputError, "add level=80"),
        ({"intervals": "gausian", "level": 80}, InputError, "unknown intervals 'gausian'; known: 'boot"),
        ({"intervals": 1, "level": 80}, InputTypeError, "a kind such as 'conformal'"),
        ({"intervals": {"our": "gaussian"}, "level": 80}, InputError, "unknown model in intervals 'our'"),
        ({"intervals": {"walk": "gaussian"}, "level": 80}, InputError, "RandomWalk take no .* of 'ours'"),
        ({"forecasters": {"walk": RandomWalk()}, "intervals": "x", "level": 80}, InputError, "no model"),
    ],
    ids=str,
)
def test_intervals_that_cannot_be_had_are_refused_before_any_work(monkeypatch, options, error, says):
    monkeypatch.setattr("cvxar.backtesting.run_chunk", never)
    with pytest.raises(error, match=says):
        backtest(**{"series": WALK, "forecasters": {"ours": ConvexAR(), "walk": RandomWalk()}} | options)


def test_a_bar_shows_the_progress_and_changes_nothing(capsys):
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    shown = backtest(WALK, {"walk": RandomWalk()}, progress=True)
    assert "12/12" in capsys.readouterr().err
    same(shown, backtest(WALK, {"walk": RandomWalk()}))


def test_a_bar_without_tqdm_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr("cvxar.backtesting.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"cvxar\[progress\]"):
        backtest(WALK, {"walk": lambda series, horizon: pytest.fail("work was begun")}, progress=True)


def test_steps_are_observations_where_days_are_missing():
    days = pd.date_range("2020-01-01", periods=65).delete([20, 21, 55, 61, 62])
    series = WALK.set_axis(days)
    models = {
        "linear": ConvexAR(beta_ratio=1.0),
        "AR(1)": AutoRegression(),
        "trend": ConvexAR(trend="ct", beta_ratio=1.0),
    }
    with pytest.warns(CalendarWarning, match=r"5 stamps of the calendar have no row, the first 2020-01-21"):
        table = backtest(series, models, initial=48, horizon=2).forecasts
    linear, autoreg = (table[table["model"] == name].reset_index(drop=True) for name in ("linear", "AR(1)"))
    np.testing.assert_allclose(linear["mean"], autoreg["mean"], rtol=1e-7)
    pd.testing.assert_series_equal(linear["time"], autoreg["time"])
    counted = backtest(series.to_numpy(), models, initial=48, horizon=2).forecasts
    np.testing.assert_array_equal(table["mean"], counted["mean"])


def test_days_that_are_missing_are_told_and_the_cure_gives_the_forecasts_of_fit():
    series = WALK.set_axis(pd.date_range("2020-01-01", periods=65).delete([20, 21, 30, 31, 32]))
    models = {"linear": ConvexAR(2, beta_ratio=1.0)}
    with pytest.warns(CalendarWarning) as caught:
        backtest(series, models, initial=50)
    assert [warning.filename for warning in caught] == [__file__]
    assert "series.reindex(cvxar.calendars.complete(series.index))" in str(caught[0].message)
    table = backtest(series.reindex(complete(series.index)), models, initial=55).forecasts
    fitted = models["linear"].fit(series.iloc[:50])
    assert table["mean"][0] == pytest.approx(float(fitted.forecast(1, rng=0)["mean"].iloc[0]), rel=1e-9)
    assert table["time"][0] == series.index[50]


def test_a_model_that_fails_at_every_origin_is_told_of():
    models = {"log": ConvexAR(transform="log", beta_ratio=1.0), "walk": RandomWalk()}
    with pytest.warns(FailureWarning, match=r"^log made no forecast at any of 12 origins; .*: InputError: "):
        result = backtest(WALK - 1000, models, initial=48, horizon=1)
    assert len(result.failures) == 12


def test_a_model_that_fails_now_and_then_is_not_warned_of():
    def picky(series, horizon):
        return [1.0 / (len(series) % 2)] * horizon

    assert len(backtest(WALK, {"picky": picky}, initial=50).failures) == 5
