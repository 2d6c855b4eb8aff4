"""Quantiles of a transformed series: equivariant under increasing maps, simulated on the scale of the fit."""

import numpy as np
import pandas as pd
import pytest

from cvxar import QuantileAR, selection
from cvxar.datasets import load_bitcoin
from cvxar.errors import InputError
from cvxar.quantile_paths import simulate_quantiles, stratified
from cvxar.transforms import fit_scale

PRICES = load_bitcoin().iloc[-120:]
LEVELS = (0.1, 0.5, 0.9)
QUANTILE = {"levels": LEVELS, "lags": 2, "beta_ratio": 0.2}
LAST = PRICES.iloc[-1]
# paths of the transformed series -> transformed levels -> the series
SUMMED = {
    "log": np.array,
    "sqrt": np.array,
    "diff": lambda w: LAST + w.cumsum(0),
    "logdiff": lambda w: w.cumsum(0),
}
INVERSE = {"log": np.exp, "sqrt": np.square, "diff": np.array, "logdiff": lambda level: LAST * np.exp(level)}


@pytest.mark.parametrize("kind", SUMMED)
def test_quantiles_of_the_series_are_the_inverted_quantiles_of_the_transformed_one(kind):
    forward = fit_scale(kind, PRICES.to_numpy()).forward(PRICES.to_numpy())
    model = QuantileAR(**QUANTILE, transform=kind).fit(PRICES)
    twin = QuantileAR(**QUANTILE).fit(pd.Series(forward, index=PRICES.index, name=PRICES.name))
    np.testing.assert_allclose(model.fittedvalues_, twin.fittedvalues_, rtol=1e-9)
    table, other = (m.forecast(6, level=80, n_paths=400, rng=1) for m in (model, twin))
    names = ["q10", "q50", "q90"]
    first = INVERSE[kind](SUMMED[kind](other[names].to_numpy()[:1]))
    np.testing.assert_allclose(table[names].iloc[:1], first, rtol=1e-9)
    uniform = stratified(6, 400, np.random.default_rng(1))
    levels = SUMMED[kind](
        simulate_quantiles(twin._curves, (1, 2), forward[-2:], np.zeros((6, 3)), uniform)[2]
    )
    quantiles = INVERSE[kind](np.quantile(levels, LEVELS, axis=1).T)
    np.testing.assert_allclose(table[names].iloc[1:], quantiles[1:], rtol=1e-9)
    # where the inverse is linear, the mean has less noise than that of the paths
    means = SUMMED[kind](other["mean"].to_numpy()) if kind == "diff" else INVERSE[kind](levels).mean(axis=1)
    np.testing.assert_allclose(table["mean"], means, rtol=1e-9)
    assert (np.diff(table[names], axis=1) >= 0).all()
    assert (table["upper_80"] == table["q90"]).all()


@pytest.mark.parametrize("kind", ["log", "diff", "logdiff", "boxcox"])
def test_quantiles_of_the_sample_are_those_of_forecasts_from_there(kind):
    model = QuantileAR(**QUANTILE, transform=kind).fit(PRICES.iloc[:-3])
    later = model.append(PRICES.iloc[-3:])
    shown = later.predict(PRICES.index[-3])
    for at in range(3):
        known = model.append(PRICES.iloc[-3 : len(PRICES) - 3 + at]) if at else model
        np.testing.assert_allclose(
            shown.iloc[at], known.forecast(1)[["q10", "q50", "q90"]].iloc[0], rtol=1e-9
        )
    np.testing.assert_array_equal(model.predict(), later.predict().iloc[:-3])


class Negative:
    def apply(self, values):
        return -values

    def invert(self, values):
        return -values


def test_quantiles_refuse_what_they_cannot_invert_before_any_work(monkeypatch, tmp_path):
    model = QuantileAR(**QUANTILE, transform="logdiff").fit(PRICES)
    model.save(tmp_path / "m")
    again = QuantileAR.load(tmp_path / "m")
    assert repr(again) == repr(model)
    pd.testing.assert_frame_equal(again.forecast(3, rng=0), model.forecast(3, rng=0))
    holed = PRICES.copy()
    holed.iloc[-3] = np.nan
    with pytest.raises(InputError, match=r"the last 3 observation\(s\) must be known .* 1 are missing"):
        QuantileAR(**QUANTILE, transform="diff").fit(holed).forecast(1)
    monkeypatch.setattr(selection, "solve", lambda *_, **__: pytest.fail("the solver was called"))
    with pytest.raises(InputError, match=r"decreases.*use its negative, which increases"):
        QuantileAR(transform=Negative()).fit(PRICES)
    with pytest.raises(InputError, match="positive values, got -1"):
        QuantileAR(transform="log").fit([1.0, -1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="unknown transform 'exp'"):
        QuantileAR(transform="exp").fit(PRICES)
