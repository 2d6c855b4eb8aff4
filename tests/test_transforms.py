"""Transforms: fitted inside, inverted path by path, refused outside their domain."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.ar_model import AutoReg

from cvxar.datasets import load_bitcoin, load_sunspots
from cvxar.errors import CvxarError, InputError
from cvxar.model import ConvexAR
from cvxar.transforms import CATALOGUE, BoxCox, Difference, Log, Sqrt, fit_scale

PRICES = load_bitcoin()


class Cube:
    """A transform from outside the package: any object with apply and invert."""

    def apply(self, values):
        return values**3

    def invert(self, values):
        return np.cbrt(values)


OBJECTS = {**CATALOGUE, "object": Cube(), "differenced object": Difference(Cube()), "power": BoxCox(0.3)}
POSITIVE = st.lists(st.floats(0.1, 10.0), min_size=4, max_size=30).map(np.array)


@pytest.mark.parametrize("kind", OBJECTS)
@given(values=POSITIVE)
def test_back_undoes_forward(kind, values):
    scale = fit_scale(OBJECTS[kind], values)
    forward = scale.forward(values)
    assert np.isnan(forward[0]) == scale.differenced
    again = scale.back(forward[1:, None], values[0])[:, 0]
    np.testing.assert_allclose(again, values[1:], rtol=1e-6, atol=1e-4 if scale.differenced else 1e-9)


@pytest.mark.parametrize("kind", OBJECTS)
def test_the_fit_is_that_of_the_transformed_series(kind):
    transformed = fit_scale(OBJECTS[kind], PRICES.to_numpy()).forward(PRICES.to_numpy())
    model = ConvexAR(2, beta_ratio=0.1, transform=OBJECTS[kind]).fit(PRICES)
    twin = ConvexAR(2, beta_ratio=0.1).fit(pd.Series(transformed, index=PRICES.index, name=PRICES.name))
    np.testing.assert_array_equal(model.params_, twin.params_)
    np.testing.assert_array_equal(model.fittedvalues_, twin.fittedvalues_)
    assert (model.aic_, model.beta_) == (twin.aic_, twin.beta_)
    # with 401 paths every end is a path; an end that would leave out the mean is put at the mean
    inside = twin.forecast(5, level=(50, 90), n_paths=401, rng=0)
    found = model.forecast(5, level=(50, 90), n_paths=401, rng=0)
    if not isinstance(OBJECTS[kind], Difference):  # quantiles go through a monotone map
        invert = fit_scale(OBJECTS[kind], PRICES.to_numpy()).level.invert
        own = ~(inside.eq(inside["mean"], axis=0) | found.eq(found["mean"], axis=0)).to_numpy()
        assert own.sum() >= 16
        np.testing.assert_allclose(found.to_numpy()[own], invert(inside.to_numpy()[own]), rtol=1e-9)


def literal_paths(model, steps, n_paths, seed):
    """Paths of the logarithm, one at a time, inverted one at a time."""
    from cvxar.simulation import draw_shocks

    w = np.diff(np.log(PRICES.to_numpy()))
    shocks = draw_shocks(
        model.resid_.to_numpy() - model.resid_.mean(), steps, n_paths, np.random.default_rng(seed)
    )
    paths = np.empty((steps, n_paths))
    for i in range(n_paths):
        last, level = w[-1], PRICES.iloc[-1]
        for step in range(steps):
            last = model.network_([last])[0] + shocks[step, i]
            level = level * np.exp(last)
            paths[step, i] = level
    return paths


def test_paths_of_log_returns_are_turned_into_prices_one_by_one():
    model = ConvexAR(1, beta_ratio=0.2, transform="logdiff", extrapolation="network").fit(PRICES)
    paths = literal_paths(model, 6, 40, 3)
    table = model.forecast(6, level=80, n_paths=40, rng=3)
    np.testing.assert_allclose(table["mean"], paths.mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(table["lower_80"], np.quantile(paths, 0.1, axis=1), rtol=1e-10)


def test_the_mean_of_a_logarithm_is_corrected_and_that_of_a_difference_exact():
    shocks = np.random.default_rng(0).normal(0, 0.5, size=2000)
    series = np.exp(shocks)
    model = ConvexAR(1, beta_ratio=1.0, transform="log").fit(series)
    # the mean of a log-normal variable, not its median 1
    assert model.forecast(1, n_paths=2000, rng=0)["mean"].iloc[0] == pytest.approx(np.exp(0.125), rel=0.03)
    iterated = model.forecast(1, method="iterate")["mean"].iloc[0]
    assert iterated == pytest.approx(1.0, rel=0.05)
    prices = PRICES.to_numpy()
    steps = AutoReg(np.diff(prices), 2).fit().forecast(8)
    found = ConvexAR(2, beta_ratio=1.0, transform="diff").fit(prices).forecast(8, n_paths=30, rng=0)["mean"]
    np.testing.assert_allclose(found, prices[-1] + np.cumsum(steps), rtol=1e-9)


@pytest.mark.parametrize("kind", OBJECTS)
def test_predictions_are_in_the_units_of_the_series(kind):
    model = ConvexAR(1, beta_ratio=0.3, transform=OBJECTS[kind]).fit(PRICES)
    predicted = model.predict(300, 364)
    assert np.corrcoef(predicted, PRICES.iloc[300:])[0, 1] > 0.95
    # one step ahead of the sample is the same question as one step inside the longer sample
    longer = model.append(PRICES.iloc[-1])
    ahead = model.forecast(1, n_paths=1000, rng=0)["mean"].iloc[0]
    assert longer.predict(365, 365).iloc[0] == pytest.approx(ahead, rel=1e-3)


@pytest.mark.parametrize("kind", ["log", "diff", "logdiff"])
def test_gaps_are_bridged_on_the_transformed_scale(kind):
    series = PRICES.copy()
    series.iloc[[200, 361, 363, 364]] = np.nan
    model = ConvexAR(1, beta_ratio=1.0, transform=kind).fit(series)
    level = {"log": np.log, "diff": lambda y: y, "logdiff": np.log}[kind](series.to_numpy())
    w = level if kind == "log" else np.concatenate([[np.nan], np.diff(level)])
    const, slope = model.params_
    for t in range(len(w)):
        w[t] = const + slope * w[t - 1] if np.isnan(w[t]) and t else w[t]
    ahead = const + slope * w[-1]
    expected = ahead if kind == "log" else level[362] + w[363] + w[364] + ahead
    found = model.forecast(1, method="iterate")["mean"].iloc[0]
    assert found == pytest.approx(expected if kind == "diff" else np.exp(expected), rel=1e-9)


def test_the_power_is_estimated_on_the_training_sample_alone():
    series = load_sunspots() + 1.0
    model = ConvexAR(1, beta_ratio=0.3, transform="boxcox").fit(series.iloc[:200])
    power = model._results.predictor.scale.level.power
    assert 0 < power < 2
    assert model.append(series.iloc[200:])._results.predictor.scale.level.power == power
    again = model.append(series.iloc[200:], refit=True)._results.predictor.scale.level.power
    assert again == BoxCox().fit(series.to_numpy()).power != power
    # the unit of the series does not matter
    assert BoxCox().fit(series.to_numpy() * 1e6).power == pytest.approx(
        BoxCox().fit(series.to_numpy()).power, abs=1e-6
    )


class Wrong(Cube):
    def invert(self, values):
        return values


class Infinite(Cube):
    def apply(self, values):
        return values / 0.0


REFUSED = {
    "log of a negative price": ("log", [1.0, -2.0, 3.0, 4.0], r"positive values, got -2"),
    "log of zero": ("logdiff", [1.0, 0.0, 3.0, 4.0], "positive values, got 0"),
    "root": ("sqrt", [1.0, -2.0, 3.0, 4.0], "at least 0, got -2"),
    "power": ("boxcox", [1.0, -2.0, 3.0, 4.0], "positive values"),
    "inverse": (Wrong(), [1.0, 2.0, 3.0, 4.0], "does not undo"),
    "infinite": (Infinite(), [1.0, 2.0, 3.0, 4.0], "no finite number"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_values_outside_the_domain_are_refused_with_the_reason(kind):
    transform, values, message = REFUSED[kind]
    with pytest.raises(InputError, match=message), np.errstate(all="ignore"):
        ConvexAR(1, transform=transform).fit(values)
    model = ConvexAR(1, transform="log", beta_ratio=1.0).fit([1.0, 2.0, 1.5, 3.0])
    with pytest.raises(CvxarError, match="positive values, got -1"):
        model.append(-1.0)


def test_inverses_stay_in_the_range_of_the_series():
    low = np.array([-1e3, -5.0])
    assert Sqrt().invert(low).tolist() == [0.0, 0.0]
    assert BoxCox(0.5).invert(low).tolist() == [0.0, 0.0]
    assert Log().invert(low).tolist()[0] == 0.0
