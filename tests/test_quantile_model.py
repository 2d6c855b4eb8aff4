"""Quantile autoregression: certified levels, sorted, linear quantile regression in the limit."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from cvxar import ConvexAR, QuantileAR
from cvxar.errors import InputError, NotFittedError
from cvxar.losses import Quantile
from cvxar.metrics import pinball

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def heteroscedastic(n, seed):
    """Noise whose size grows with the distance of the last value from 0."""
    rng, y = np.random.default_rng(seed), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.3 * y[t - 1] + (0.3 + 0.6 * abs(y[t - 1])) * rng.normal()
    return pd.Series(y, index=pd.date_range("2020-01-01", periods=n, freq="h"))


@pytest.fixture(scope="module")
def fitted():
    return QuantileAR(LEVELS, beta_ratio=0.1).fit(heteroscedastic(600, 0))


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
def test_large_penalty_is_linear_quantile_regression(tau):
    """statsmodels iterates to about 1e-6: its objective is matched, never undercut by more than that."""
    y = heteroscedastic(400, 1).to_numpy()
    model = ConvexAR(2, loss=Quantile(tau), beta_ratio=1.0).fit(y)
    design = sm.add_constant(np.column_stack([y[1:-1], y[:-2]]))
    linear = sm.QuantReg(y[2:], design).fit(q=tau, max_iter=5000, p_tol=1e-10)
    np.testing.assert_allclose(model.params_, linear.params, atol=1e-5)
    value = Quantile(tau).value
    assert value(model.resid_.to_numpy()) <= value(y[2:] - design @ linear.params) * (1 + 1e-12)
    assert model.breakpoints_ == ()


def test_every_level_is_certified_and_covers_its_share(fitted):
    """Of a quantile fit at most a share tau lies strictly below, at least tau at or below."""
    for tau, model in fitted.models_.items():
        assert fitted.certificates_[tau].holds(1e-8)
        resid = model.resid_.to_numpy()
        exact = 1e-7 * np.abs(resid).max()
        assert np.mean(resid < -exact) <= tau <= np.mean(resid <= exact)


def test_quantiles_never_cross_and_sorting_only_helps(fitted):
    rows = fitted.fittedvalues_.to_numpy()
    assert np.all(np.diff(rows, axis=1) >= 0)
    y = fitted.models_[0.5].fittedvalues_ + fitted.models_[0.5].resid_
    raw = np.column_stack([m.fittedvalues_ for m in fitted.models_.values()])
    assert fitted.crossings_ == np.mean(np.any(raw != rows, axis=1))
    total = [sum(np.mean(pinball(y, q[:, j], t)) for j, t in enumerate(LEVELS)) for q in (rows, raw)]
    assert total[0] <= total[1] * (1 + 1e-12)


def test_bands_widen_where_the_series_is_wild(fitted):
    calm, wild = fitted.append([0.0]).forecast(1, level=90), fitted.append([2.5]).forecast(1, level=90)
    assert (wild["upper_90"] - wild["lower_90"]).iloc[0] > 2 * (calm["upper_90"] - calm["lower_90"]).iloc[0]


def test_forecasts_are_ordered_reproducible_and_exact_at_one_step(fitted):
    one, again = (fitted.forecast(24, level=(50, 90), rng=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    names = [f"q{100 * q:g}" for q in LEVELS]
    assert np.all(np.diff(one[names], axis=1) >= 0)
    assert (one["lower_50"] == one["q25"]).all()
    assert (one["upper_90"] == one["q95"]).all()
    maps = [m.forecast(1)["mean"].iloc[0] for m in fitted.models_.values()]
    np.testing.assert_allclose(one[names].iloc[0], np.sort(maps), rtol=1e-12)
    assert one.index[0] == fitted.fittedvalues_.index[-1] + pd.Timedelta("1h")


def test_simulated_distribution_is_that_of_the_process():
    """Ten steps ahead the quantiles settle at those of the sample."""
    rng, y = np.random.default_rng(5), np.zeros(4000)
    for t in range(1, len(y)):
        y[t] = 0.5 * y[t - 1] + rng.normal()
    table = QuantileAR(LEVELS, beta_ratio=1.0).fit(y).forecast(10, n_paths=20_000, rng=0)
    expected = np.quantile(y, LEVELS)
    np.testing.assert_allclose(table.iloc[-1, 1:], expected, atol=0.06 * (expected[-1] - expected[0]))
    assert abs(table["mean"].iloc[-1] - y.mean()) < 0.05 * y.std()


@pytest.mark.parametrize("tau", [0.2, 0.5, 0.9])
def test_paths_of_one_quantile_have_the_distribution_of_the_series(tau):
    """Shocks are residuals about the quantile: paths neither climb with it nor sink."""
    rng, y = np.random.default_rng(6), np.zeros(3000)
    for t in range(1, len(y)):
        y[t] = 0.5 * y[t - 1] + rng.normal()
    model = ConvexAR(loss=Quantile(tau), beta_ratio=1.0).fit(y)
    table = model.forecast(12, level=80, n_paths=5000, rng=0)
    assert table["mean"].iloc[0] == pytest.approx(model.params_["const"] + model.params_["y.L1"] * y[-1])
    low, high = np.quantile(y, [0.1, 0.9])
    np.testing.assert_allclose(table.iloc[-1, 1:], [low, high], atol=0.15)


def test_append_moves_the_state_and_predict_shows_the_sample(fitted):
    series = heteroscedastic(600, 0)
    later = fitted.append(pd.Series([1.0], index=[series.index[-1] + pd.Timedelta("1h")]))
    expected = fitted.forecast(1).iloc[0, 1:].to_numpy()
    np.testing.assert_allclose(later.predict().iloc[-1], expected)
    assert fitted.predict().iloc[0].isna().all()
    assert len(fitted.predict(10, 20)) == 11
    assert later.models_[0.5].certificate_ is fitted.models_[0.5].certificate_
    assert list(later.summary().index) == list(LEVELS)


@pytest.mark.parametrize("levels", [(), (0.5, 0.5), (0.0, 0.5), (1,), (0.5, "a"), (float("nan"),)])
def test_levels_are_checked(levels):
    with pytest.raises(InputError, match="level"):
        QuantileAR(levels).fit(np.arange(20.0))


def test_misuse_is_named(fitted):
    with pytest.raises(InputError, match=r"needs the quantiles 0.1 and 0.9"):
        fitted.forecast(1, level=80)
    with pytest.raises(InputError, match="use forecast"):
        fitted.predict(0, 600)
    with pytest.raises(NotFittedError):
        QuantileAR().forecast(1)
