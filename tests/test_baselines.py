"""Baselines: each equals what it claims to be; the trained network's objective is the convex problem's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.ar_model import AutoReg

from cvxar.baselines import AutoRegression, RandomWalk, TrainedNetwork
from cvxar.datasets import load_bitcoin, load_sunspots
from cvxar.errors import CalendarWarning, CvxarError, InputError, InputTypeError, NotFittedError
from cvxar.lags import check_lags, lag_frame
from cvxar.observations import observe
from cvxar.problem import LassoProblem
from cvxar.solver import solve

SERIES = {"bitcoin": load_bitcoin, "sunspots": load_sunspots}
QUICK = {"width": 6, "steps": 5, "rng": 0}
FROZEN = 1e-200  # a learning rate that leaves every weight as it was drawn
walks = st.integers(0, 10**6).map(lambda seed: np.random.default_rng(seed).normal(size=41).cumsum())


@pytest.mark.parametrize("lags", [1, 2, 5, (1, 3)], ids=str)
@pytest.mark.parametrize("name", SERIES)
def test_autoregression_is_autoreg_at_every_origin(name, lags):
    values = SERIES[name]().to_numpy()
    n = len(values) - 4
    model = AutoRegression(lags).fit(values[:n])
    for origin in range(n, len(values)):
        reference = AutoReg(values[:origin], list(check_lags(lags))).fit()
        np.testing.assert_allclose(model.params_, reference.params, rtol=1e-12)
        np.testing.assert_allclose(model.forecast(7)["mean"], reference.forecast(7), rtol=1e-11)
        np.testing.assert_allclose(model.resid_, reference.resid, rtol=0, atol=1e-9 * np.ptp(values))
        kept = model.append(values[origin])
        assert kept.params_ is model.params_
        model = model.append(values[origin], refit=True)


@given(walks, st.integers(1, 9))
def test_random_walk_is_exact(values, steps):
    assert RandomWalk().fit(values).forecast(steps)["mean"].tolist() == [values[-1]] * steps
    np.testing.assert_array_equal(RandomWalk().fit(values).resid_, np.diff(values))
    returns = RandomWalk(increments=True).fit(np.diff(values))
    assert returns.forecast(steps)["mean"].tolist() == [0.0] * steps
    np.testing.assert_array_equal(returns.resid_, np.diff(values)[1:])


def formula(model, values, lags, beta):
    """The training objective written out in data units, without the package."""
    lags, longest = check_lags(lags), max(check_lags(lags))
    x = np.array([[values[t - lag] for lag in lags] for t in range(longest, len(values))])
    (w1, w2), (b1, b2) = model.weights_, model.biases_
    residual = values[longest:] - (np.maximum(x @ w1 + b1, 0) @ w2 + b2)
    return 0.5 * np.sum(residual**2) + 0.5 * beta * (np.sum(w1**2) + np.sum(w2**2))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("batch", [None, 8])
@settings(max_examples=15)
@given(walks, st.sampled_from([1, (1, 2, 9)]), st.floats(0, 100), st.floats(0.01, 1e3), st.floats(-1e3, 1e3))
def test_objective_is_the_formula_and_what_sklearn_minimises(solver, batch, walk, lags, beta, scale, shift):
    """At random weights, for standardised data and batches: n s^2 times scikit-learn's loss."""
    values = scale * walk + shift
    values = values[: 40 + max(check_lags(lags))]
    model = TrainedNetwork(
        solver, lags=lags, beta=beta, width=5, steps=1, learning_rate=FROZEN, batch_size=batch, rng=1
    ).fit(values)
    assert model.objective_ == pytest.approx(formula(model, values, lags, beta), rel=1e-9)
    frame = lag_frame(observe(values), check_lags(lags))
    variance = np.concatenate([frame.x.ravel(), frame.y]).var()
    loss = model._trained.mlp.loss_curve_[0]
    if len(frame.y) % (batch or 1) == 0:  # batches of one size only
        assert model.objective_ == pytest.approx(len(frame.y) * variance * loss, rel=1e-7)


@pytest.mark.parametrize("share", [1.1, 0.1, 1e-3])
@pytest.mark.parametrize("name", SERIES)
def test_training_never_ends_below_the_certified_optimum(name, share):
    values = SERIES[name]().to_numpy()[-150:]
    problem = LassoProblem(values[:-1], values[1:], beta=0.0)
    beta = share * problem.beta_max
    certificate = solve(problem.with_beta(beta)).certificate
    for solver in ("adam", "sgd"):
        model = TrainedNetwork(solver, beta=beta, width=20, steps=400, restarts=3, rng=5).fit(values)
        assert min(model.objectives_) == model.objective_
        assert model.objective_ >= certificate.dual
        if share > 1:  # the optimum is a constant, which descent finds too
            assert model.objective_ == pytest.approx(certificate.primal, rel=0.02)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_does_not_depend_on_the_units(solver):
    values = np.random.default_rng(3).normal(size=60).cumsum()
    scale, shift, beta = 50.0, 7000.0, 0.3
    one = TrainedNetwork(solver, beta=beta, width=8, steps=40, rng=0).fit(values)
    other = TrainedNetwork(solver, beta=beta * scale**2, width=8, steps=40, rng=0).fit(scale * values + shift)
    assert other.objective_ == pytest.approx(scale**2 * one.objective_, rel=1e-6)
    np.testing.assert_allclose(other.forecast(3)["mean"], scale * one.forecast(3)["mean"] + shift, rtol=1e-6)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=60),
        pd.RangeIndex(60),
        pd.period_range("1990", periods=60, freq="M"),
    ],
)
def test_appending_past_a_part_of_the_calendar_says_that_it_ends(index):
    series = pd.Series(np.random.default_rng(1).normal(size=60), index=index)
    model = AutoRegression(1).fit(series[:50])
    assert (
        model.append(series[50:])
        .forecast(1)
        .index.equals(model.append(series[50:].to_numpy()).forecast(1).index)
    )
    if isinstance(index, pd.PeriodIndex):
        # every period has its successor, whatever came before it
        assert model.append(series[55:]).forecast(1).index[0] == index[-1] + 1
        return
    with pytest.warns(CalendarWarning, match="do not go on from .* append the observations between") as said:
        later = model.append(series[55:])
    assert said[0].filename == __file__
    assert later.forecast(2).index.tolist() == [55, 56]


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_warm_start_begins_at_the_same_function(solver):
    values = np.random.default_rng(8).normal(size=60).cumsum()
    model = TrainedNetwork(solver, beta=0.5, width=8, steps=50, learning_rate=FROZEN, rng=0).fit(values[:50])
    resumed = model.append(values[50:], refit=True)
    np.testing.assert_allclose(resumed.fittedvalues_[: len(model.fittedvalues_)], model.fittedvalues_)
    assert resumed.objective_ == pytest.approx(formula(resumed, values, 1, 0.5), rel=1e-9)


def test_a_warm_start_descends_and_leaves_the_old_model_alone():
    values = np.random.default_rng(8).normal(size=80).cumsum()
    model = TrainedNetwork(beta=0.5, width=8, steps=30, rng=0).fit(values[:70])
    weights, forecast = [w.copy() for w in model.weights_], model.forecast(2)
    resumed = model.append(values[70:], refit=True)
    kept = model.append(values[70:])
    assert resumed.objective_ < formula(kept, values, 1, 0.5)
    assert resumed.nobs_ == kept.nobs_ == 79
    pd.testing.assert_frame_equal(model.forecast(2), forecast)
    for old, now in zip(weights, model.weights_, strict=True):
        np.testing.assert_array_equal(old, now)


def test_the_same_seed_gives_the_same_network_and_restarts_differ():
    values = np.random.default_rng(8).normal(size=40).cumsum()
    one, two = (TrainedNetwork(**QUICK, restarts=3).fit(values) for _ in range(2))
    assert one.objectives_ == two.objectives_
    assert len(set(one.objectives_)) == 3


def test_what_the_optimiser_warns_of_is_recorded_not_issued():
    values = np.random.default_rng(8).normal(size=40).cumsum()
    model = TrainedNetwork(**QUICK).fit(values)
    assert not model.converged_
    assert "hasn't converged" in model.messages_[0]
    assert TrainedNetwork(beta=1e4, width=2, rng=0).fit(values).converged_


def test_weights_that_overflow_are_trained_again_with_smaller_steps():
    values = np.random.default_rng(8).normal(size=40).cumsum()
    model = TrainedNetwork("sgd", width=5, steps=60, learning_rate=1e5, rng=0).fit(values)
    assert np.isfinite(model.objective_)
    assert model._trained.mlp.learning_rate_init < 1e5


BASELINES = {
    "AR": lambda: AutoRegression(2),
    "walk": lambda: RandomWalk(),
    "network": lambda: TrainedNetwork(**QUICK),
}
INDEXES = {
    "none": (None, [30, 31]),
    "dates": (pd.date_range("2020-01-01", periods=30), list(pd.date_range("2020-01-31", periods=2))),
    "dates with a gap": (pd.date_range("2020-01-01", periods=31).delete(7), [30, 31]),
    "years": (
        pd.period_range("1990", periods=30, freq="Y"),
        list(pd.period_range("2020", periods=2, freq="Y")),
    ),
    "integers": (pd.RangeIndex(100, 160, 2), [160, 162]),
}


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("kind", BASELINES)
def test_any_index_is_continued_and_nothing_is_altered(kind, index):
    stamps, expected = INDEXES[index]
    series = pd.Series(np.random.default_rng(0).normal(size=30).cumsum(), index=stamps, name="close")
    before = series.copy()
    model = BASELINES[kind]().fit(series)
    forecast = model.forecast(2)
    assert list(forecast.index) == expected
    assert list(forecast.columns) == ["mean"]
    assert model.fittedvalues_.index.equals(series.index[model.lags_[-1] :])
    np.testing.assert_allclose(model.fittedvalues_ + model.resid_, series[model.lags_[-1] :])
    pd.testing.assert_series_equal(series, before)


@pytest.mark.parametrize(
    "model",
    [AutoRegression(2), RandomWalk(), TrainedNetwork(width=2, rng=0)],
    ids=["AR", "walk", "network"],
)
def test_a_constant_series_is_forecast_by_its_constant(model):
    np.testing.assert_allclose(model.fit([0.1] * 12).forecast(3)["mean"], 0.1, rtol=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: RandomWalk().forecast(1), NotFittedError, "call fit"),
        (lambda: TrainedNetwork().objective_, NotFittedError, "call fit"),
        (lambda: AutoRegression().fit([1.0, np.nan, 2.0]), InputError, "position 1"),
        (lambda: AutoRegression(3).fit([1.0, 2.0, 4.0, 3.0, 5.0]), InputError, "8 are needed"),
        (lambda: AutoRegression(0).fit([1.0, 2.0, 3.0]), InputError, "lags"),
        (lambda: RandomWalk().fit([1.0, 2.0, 3.0]).forecast(0), InputError, "steps"),
        (lambda: RandomWalk().fit(["a", "b", "c"]), InputTypeError, "numbers"),
        (lambda: TrainedNetwork("lbfgs").fit([1.0, 2.0, 3.0]), InputError, "'adam', 'sgd'"),
        (lambda: TrainedNetwork(beta=-1.0).fit([1.0, 2.0, 3.0]), InputError, "beta"),
        (lambda: TrainedNetwork(beta="bic").fit([1.0, 2.0, 3.0]), InputTypeError, "beta"),
        (lambda: TrainedNetwork(width=0).fit([1.0, 2.0, 3.0]), InputError, "width"),
        (lambda: TrainedNetwork(batch_size=0).fit([1.0, 2.0, 3.0]), InputError, "batch_size"),
        (lambda: TrainedNetwork(restarts=0).fit([1.0, 2.0, 3.0]), InputError, "restarts"),
        (lambda: TrainedNetwork(learning_rate=0.0).fit([1.0, 2.0, 3.0]), InputError, "learning_rate"),
        (lambda: TrainedNetwork(rng="seed").fit([1.0, 2.0, 3.0]), InputTypeError, "rng"),
    ],
)
def test_bad_input_is_refused_with_a_reason(call, error, says):
    with pytest.raises(error, match=says) as caught:
        call()
    assert isinstance(caught.value, CvxarError)
