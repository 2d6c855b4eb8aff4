"""Intervals: exact where there is a formula, calibrated by a literal twin, nested, and around the mean."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.tsa.ar_model import AutoReg

from cvxar import conformal, intervals
from cvxar.datasets import load_sunspots
from cvxar.errors import InputError
from cvxar.intervals import central_quantiles, forecast_table
from cvxar.losses import Quantile
from cvxar.model import ConvexAR
from cvxar.simulation import draw_shocks, simulate

SUNSPOTS = load_sunspots()


def tent(n, seed=2):
    shocks = 0.5 * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = 1 - 0.8 * abs(values[t - 1]) + shocks[t]
    return values


BENT = ConvexAR(2).fit(tent(200))
FITTED = {
    "linear": ConvexAR(2, beta_ratio=1.0).fit(SUNSPOTS),
    "bent": BENT,
    "no constant": ConvexAR(trend="n").fit(tent(150, 4)),
    "later": BENT.append(tent(40, 5)),
    "skewed": ConvexAR().fit(np.random.default_rng(3).exponential(size=120)),
}


def test_bands_are_central_quantiles_and_nested():
    paths = np.random.default_rng(5).normal(size=(3, 400))
    levels = (50, 80.0, 97.5)
    bands = central_quantiles(paths, levels)
    stamps = pd.RangeIndex(7, 10)
    table = forecast_table(stamps, paths.mean(axis=1), bands, levels)
    pairs = [f"{side}_{level}" for level in ("50", "80", "97.5") for side in ("lower", "upper")]
    assert list(table.columns) == ["mean", *pairs]
    assert table.index.equals(stamps)
    for level in (50, 80, 97.5):
        within = (table[f"lower_{level}"].to_numpy() < paths.T) & (
            table[f"upper_{level}"].to_numpy() > paths.T
        )
        assert within.mean(axis=0) == pytest.approx(level / 100, abs=0.01)
    assert (table["lower_97.5"] < table["lower_80"]).all()
    assert (table["upper_80"] < table["upper_97.5"]).all()


def check_nested(table, levels):
    lower = table[[f"lower_{level}" for level in levels]].to_numpy()
    upper = table[[f"upper_{level}" for level in levels]].to_numpy()
    assert (np.diff(lower, axis=1) <= 0).all()
    assert (np.diff(upper, axis=1) >= 0).all()
    assert (lower[:, -1] < upper[:, -1]).all()
    mean = table["mean"].to_numpy()[:, None]
    assert ((lower <= mean) & (mean <= upper)).all()


@pytest.mark.parametrize("kind", [kind for kind in intervals.BY_NAME if kind != "quantile"])
@pytest.mark.parametrize("name", FITTED)
def test_intervals_of_every_kind_are_nested_hold_the_mean_and_repeat(name, kind):
    model, levels = FITTED[name], (1, 20, 50, 80, 95)
    table = model.forecast(6, level=levels, intervals=kind, n_paths=300, rng=3)
    check_nested(table, levels)
    pd.testing.assert_frame_equal(table, model.forecast(6, level=levels, intervals=kind, n_paths=300, rng=3))
    alone = model.forecast(6, level=80, intervals=kind, n_paths=300, rng=3)
    pd.testing.assert_frame_equal(table[["mean", "lower_80", "upper_80"]], alone)


@pytest.mark.parametrize(
    "options", [{"trend": "n"}, {"trend": "c"}, {"trend": "ct", "seasonal": True}], ids=str
)
@pytest.mark.parametrize("lags", [1, 3, [2, 5]])
def test_gaussian_intervals_of_a_linear_model_are_those_of_autoreg(lags, options):
    options = options | ({"period": 11} if "seasonal" in options else {})
    model = ConvexAR(lags, **options, beta_ratio=1.0).fit(SUNSPOTS)
    table = model.forecast(24, level=(80, 95), intervals="gaussian", rng=0)
    n = len(SUNSPOTS)
    result = AutoReg(SUNSPOTS.to_numpy(), lags, **options).fit().get_prediction(n, n + 23)
    assert table["mean"].to_numpy() == pytest.approx(result.predicted_mean, rel=1e-9)
    for level in (80, 95):
        ours = table[[f"lower_{level}", f"upper_{level}"]].to_numpy()
        assert ours == pytest.approx(result.conf_int(1 - level / 100), rel=1e-9)


def test_gaussian_intervals_of_a_network_have_their_probability_under_the_map():
    table = BENT.forecast(2, level=80, intervals="gaussian", n_paths=4000, rng=1)
    sigma, mean = np.sqrt(np.mean(BENT.resid_**2)), BENT._results.predictor.mean
    last = BENT._results.predictor.known.values[-1]
    below = norm.cdf((table.iloc[0][["lower_80", "upper_80"]] - table["mean"].iloc[0]) / sigma)
    assert below == pytest.approx([0.1, 0.9], rel=1e-9)
    first = table["mean"].iloc[0] + sigma * norm.ppf((np.arange(2000) + 0.5) / 2000)
    second = mean(np.column_stack([first, np.full(2000, last)]))
    below = [norm.cdf((end - second) / sigma).mean() for end in table.iloc[1][["lower_80", "upper_80"]]]
    assert below == pytest.approx([0.1, 0.9], abs=0.01)


@given(st.integers(4, 60), st.sampled_from([50.0, 75.0, 80.0, 90.0, 95.0]), st.integers(0, 2**32 - 1))
def test_among_exchangeable_errors_the_half_width_covers_as_promised(m, level, seed):
    """Each of m + 1 errors in turn is the one to come: exactly k of them are covered."""
    errors = np.abs(np.random.default_rng(seed).normal(size=m + 1))
    if m < conformal.errors_needed(level):
        return
    covered = [e <= conformal.half_widths(np.delete(errors, i), [level])[0] for i, e in enumerate(errors)]
    assert level / 100 <= np.mean(covered) < level / 100 + 1 / (m + 1) + 1e-12


@pytest.mark.parametrize("method", ["simulate", "iterate"])
@pytest.mark.parametrize("name", ["linear", "bent", "later"])
def test_conformal_intervals_are_those_of_a_literal_calibration(name, method):
    model, steps = FITTED[name], 3
    known = model._results.predictor.known.values
    first = model._results.count - model._results.count // 3
    trained = ConvexAR(**model.get_params()).fit(known[:first])
    shocks = draw_shocks(trained._results.predictor.residuals, steps, 100, np.random.default_rng(0))
    if method == "iterate":
        shocks = np.zeros((steps, 1))
    errors = [[] for _ in range(steps)]
    for origin in range(first, len(known)):
        predictor = trained._results.predictor
        means, _ = simulate(predictor.mean, predictor.lags, known[:origin], np.zeros(steps), shocks)
        for step in range(min(steps, len(known) - origin)):
            errors[step].append(abs(known[origin + step] - means[step]))
    table = model.forecast(steps, level=80, intervals="conformal", method=method, rng=0)
    for row, found in zip(table.itertuples(), errors, strict=True):
        half = sorted(found)[int(np.ceil(0.8 * (len(found) + 1))) - 1]
        assert [row.upper_80 - row.mean, row.mean - row.lower_80] == pytest.approx([half, half], rel=1e-9)


@pytest.mark.parametrize("change", ["none", "news", "refit", "fit again"])
def test_held_back_errors_are_measured_once_and_anew_after_news(monkeypatch, change):
    measured, measure = [], conformal.errors_ahead
    monkeypatch.setattr(conformal, "errors_ahead", lambda *rest: measured.append(rest[3:]) or measure(*rest))
    sample, news, options = tent(80), [9.0, -9.0, 9.0], {"intervals": "conformal", "rng": 0}
    model = ConvexAR(beta_ratio=0.3).fit(sample)
    before = model.forecast(2, level=80, **options)
    assert measured == [(2, "simulate")]
    if change == "fit again":
        model.fit(sample[10:])
    later = model if change in ("none", "fit again") else model.append(news, refit=change == "refit")
    table = later.forecast(2, level=[50, 80], **options)
    later.forecast(2, level=90, **options)
    assert len(measured) == (1 if change == "none" else 2)
    later.forecast(1, level=80, **options)
    later.forecast(1, level=80, method="iterate", **options)
    assert measured[-2:] == [(1, "simulate"), (1, "iterate")]
    fresh = ConvexAR(beta_ratio=0.3).fit(sample[10:] if change == "fit again" else sample)
    fresh = fresh.append(news, refit=change == "refit") if change in ("news", "refit") else fresh
    pd.testing.assert_frame_equal(table, fresh.forecast(2, level=[50, 80], **options), check_exact=True)
    # the model before the news is as it was
    if change in ("news", "refit"):
        pd.testing.assert_frame_equal(before, model.forecast(2, level=80, **options), check_exact=True)


class Turned:
    """A transform that decreases."""

    def apply(self, values):
        return 100 / values

    def invert(self, values):
        return 100 / values


@pytest.mark.parametrize("kind", ["gaussian", "conformal"])
@pytest.mark.parametrize("name", ["log", "sqrt", "turned"])
def test_bands_of_a_transformed_series_are_inverted_bands(name, kind):
    """The mean is another matter: that of inverted paths, not the inverted mean."""
    transform, invert, forward = {
        "log": ("log", np.exp, np.log),
        "sqrt": ("sqrt", np.square, np.sqrt),
        "turned": (Turned(), Turned().invert, Turned().apply),
    }[name]
    values = np.exp(2 + 0.2 * tent(150, 7))
    options = {"level": (80, 95), "intervals": kind, "method": "iterate", "rng": 0}
    direct = ConvexAR(2, transform=transform, beta_ratio=1.0).fit(values).forecast(5, **options)
    inner = ConvexAR(2, beta_ratio=1.0).fit(forward(values)).forecast(5, **options)
    for level in (80, 95):
        ends = np.sort(invert(inner[[f"lower_{level}", f"upper_{level}"]].to_numpy()), axis=1)
        assert direct[[f"lower_{level}", f"upper_{level}"]].to_numpy() == pytest.approx(ends, rel=1e-9)


@pytest.mark.parametrize("transform", ["diff", "logdiff"])
def test_gaussian_bands_of_differences_add_up_the_shocks(transform):
    values = np.exp(0.02 * tent(200, 8).cumsum())
    model = ConvexAR(2, transform=transform, beta_ratio=1.0).fit(values)
    options = {"intervals": "gaussian", "level": 80, "rng": 5}
    exact = model.forecast(8, **options)
    model._results.predictor.mean.pieces[0].inclines[1] *= 1 + 1e-5  # no longer linear: simulated
    simulated = model.forecast(8, n_paths=20_000, **options)
    width = (exact["upper_80"] - exact["lower_80"]).to_numpy()
    assert np.abs(simulated["upper_80"] - exact["upper_80"]).to_numpy() == pytest.approx(
        0, abs=0.02 * width.max()
    )
    assert np.abs(simulated["lower_80"] - exact["lower_80"]).to_numpy() == pytest.approx(
        0, abs=0.02 * width.max()
    )


def test_conformal_errors_of_differences_are_those_of_the_level():
    values = np.cumsum(tent(160, 9))
    table = (
        ConvexAR(beta_ratio=1.0, transform="diff")
        .fit(values)
        .forecast(3, level=80, intervals="conformal", rng=0)
    )
    first = 160 - 160 // 3
    trained = ConvexAR(beta_ratio=1.0, transform="diff").fit(values[:first])
    errors = [[], [], []]
    for origin in range(first, 160):
        means = trained.append(values[first:origin]).forecast(3, method="iterate", rng=0)["mean"].to_numpy()
        for h in range(min(3, 160 - origin)):
            errors[h].append(abs(values[origin + h] - means[h]))
    half = [sorted(found)[int(np.ceil(0.8 * (len(found) + 1))) - 1] for found in errors]
    assert (table["upper_80"] - table["mean"]).to_numpy() == pytest.approx(half, rel=1e-9)


def test_missing_observations_are_left_out_of_the_calibration():
    values = tent(160, 10)
    values[[20, 130, 131, 150]] = np.nan
    model = ConvexAR(beta_ratio=1.0).fit(pd.Series(values))
    table = model.forecast(1, level=80, intervals="conformal", rng=0)
    first = 160 - 160 // 3
    trained = ConvexAR(beta_ratio=1.0).fit(pd.Series(values[:first]))
    errors = (
        values[first:] - trained.append(pd.Series(values[first:], index=range(first, 160))).predict(first)
    ).abs()
    errors = np.sort(errors.dropna())
    assert len(errors) == 53 - 5  # three targets of a gap of two, two of a gap of one
    assert table["upper_80"].iloc[0] - table["mean"].iloc[0] == pytest.approx(
        errors[int(np.ceil(0.8 * 49)) - 1]
    )
    holes = np.where(np.arange(160) > 110, np.where(np.arange(160) % 2, np.nan, values), values)
    with pytest.raises(InputError, match="series with fewer missing values"):
        ConvexAR(beta_ratio=1.0).fit(pd.Series(np.append(holes, [0.1, 0.2]))).forecast(
            1, level=95, intervals="conformal"
        )


def test_conformal_intervals_know_exogenous_values():
    rng = np.random.default_rng(0)
    exog, values = rng.normal(size=300), np.zeros(300)
    for t in range(1, 300):
        values[t] = 0.5 * values[t - 1] + 3 * exog[t] + 0.1 * rng.normal()
    table = (
        ConvexAR(beta_ratio=1.0)
        .fit(values, exog)
        .forecast(2, exog=[0.0, 5.0], level=80, intervals="conformal", rng=0)
    )
    assert (table["upper_80"] - table["lower_80"]).to_numpy() == pytest.approx(0.256, rel=0.25)


def test_the_part_that_calibrates_is_fitted_once_and_shared_with_extensions():
    model = ConvexAR(1).fit(tent(120))
    model.forecast(1, level=80, intervals="conformal", rng=0)
    parts = dict(model._results.parts)
    later = model.append([0.3])
    later.forecast(2, level=80, intervals="conformal", rng=0)
    assert list(parts) == [80]
    assert later._results.parts[80] is parts[80]


@pytest.mark.parametrize(("level", "steps", "least"), [(80, 1, 12), (95, 1, 57), (95, 6, 72), (99, 1, 297)])
def test_too_few_points_to_calibrate(level, steps, least):
    values = tent(least)
    ConvexAR(beta_ratio=1.0).fit(values).forecast(steps, level=level, intervals="conformal", rng=0)
    short = ConvexAR(beta_ratio=1.0).fit(values[:-1])
    with pytest.raises(InputError, match=f"a sample of at least {least}; got {least - 1}"):
        short.forecast(steps, level=level, intervals="conformal")


def test_unknown_kinds_are_refused():
    with pytest.raises(InputError, match="unknown intervals 'conformable'; known: 'bootstrap', 'gaussian'"):
        BENT.forecast(1, level=80, intervals="conformable")


def with_exog(seed=12):
    rng = np.random.default_rng(seed)
    exog, values = rng.normal(size=120), np.zeros(120)
    for t in range(1, 120):
        values[t] = 0.5 * values[t - 1] + exog[t] + 0.2 * (1 + abs(values[t - 1])) * rng.normal()
    return values, exog


def test_quantile_intervals_are_certified_networks_of_their_own():
    """Horizon h is the network on lags moved by h - 1; its penalty is the same share of ``beta_max``."""
    values, exog = with_exog()
    later, later_exog = np.array([0.4, -0.2]), np.array([0.1, 0.3])
    model = ConvexAR(2, beta_ratio=0.2).fit(values, exog).append(later, exog=later_exog)
    future = np.array([0.5, -1.0])
    table = model.forecast(2, level=(20, 80), exog=future, intervals="quantile", rng=0)
    check_nested(table, (20, 80))
    known = np.append(values, later)
    for h in (0, 1):
        ends = []
        for tau in (0.1, 0.4, 0.6, 0.9):
            fit = ConvexAR([1 + h, 2 + h], loss=Quantile(tau), beta_ratio=0.2).fit(values, exog)
            assert fit.certificate_.holds(1e-7)
            now = len(known) + h
            lagged = known[[now - 1 - h, now - 2 - h]][None, :]
            ends.append(fit._results.predictor.mean(lagged)[0] + fit.params_["x1"] * future[h])
        got = table.iloc[h][["lower_80", "lower_20", "upper_20", "upper_80"]].to_numpy()
        low, high = np.sort(ends)[:2], np.sort(ends)[2:]
        mean = table["mean"].iloc[h]
        assert got == pytest.approx([*np.minimum(low, mean), *np.maximum(high, mean)], rel=1e-6)


def test_a_penalty_in_other_units_is_carried_over_as_a_share():
    values = tent(150, 11)
    by_ratio = ConvexAR(beta_ratio=0.2).fit(values)
    by_number = ConvexAR(beta=by_ratio.beta_).fit(values)
    first, second = (m.forecast(1, level=80, intervals="quantile", rng=0) for m in (by_ratio, by_number))
    pd.testing.assert_frame_equal(first, second, rtol=1e-6)


def test_quantile_intervals_of_a_logarithm_are_inverted_and_of_differences_reach_one_step():
    values = np.exp(0.1 * tent(150, 13).cumsum())
    options = {"level": 80, "intervals": "quantile", "rng": 0}
    direct = ConvexAR(transform="logdiff", beta_ratio=0.5).fit(values)
    inner = ConvexAR(beta_ratio=0.5).fit(np.diff(np.log(values))).forecast(1, **options)
    ends = values[-1] * np.exp(inner[["lower_80", "upper_80"]].to_numpy())
    assert direct.forecast(1, **options)[["lower_80", "upper_80"]].to_numpy() == pytest.approx(ends, rel=1e-6)
    with pytest.raises(InputError, match="reach one step ahead"):
        direct.forecast(2, **options)


def test_quantile_intervals_need_the_last_observations():
    series = pd.Series(np.append(tent(60), [np.nan]))
    with pytest.raises(InputError, match="need the last observations"):
        ConvexAR(beta_ratio=1.0).fit(series).forecast(1, level=80, intervals="quantile")
