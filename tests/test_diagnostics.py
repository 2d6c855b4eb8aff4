"""Tests of a fit: those of statsmodels on the residuals, and a bootstrap of linearity that keeps its size."""

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
from statsmodels.stats.stattools import jarque_bera
from statsmodels.tsa.ar_model import AutoReg

from cvxar.datasets import load_sunspots
from cvxar.diagnostics import linearity
from cvxar.errors import CvxarError
from cvxar.model import ConvexAR

SUNSPOTS = load_sunspots()


def simulated(step, n, seed, noise=1.0):
    shocks = noise * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = step(values[t - 1]) + shocks[t]
    return values


@pytest.mark.parametrize("lags", [5, None])
def test_residuals_are_tested_as_in_statsmodels(lags):
    model = ConvexAR(2, beta_ratio=0.2).fit(SUNSPOTS)
    table, rest, count = model.diagnostics(lags, replications=0), model.resid_.to_numpy(), lags or 10
    box = acorr_ljungbox(rest, lags=[count], model_df=2).iloc[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arch = het_arch(rest, nlags=count)
    expected = [tuple(box), jarque_bera(rest)[:2], arch[:2]]
    np.testing.assert_allclose(table.iloc[:3], expected, rtol=1e-12)
    assert table.index.tolist() == [f"Ljung-Box ({count})", "Jarque-Bera", f"ARCH-LM ({count})", "linearity"]
    assert np.isnan(table.loc["linearity", "pvalue"])


def test_without_a_breakpoint_nothing_speaks_against_linearity():
    row = ConvexAR(2, beta_ratio=1.0).fit(SUNSPOTS).diagnostics().loc["linearity"]
    assert row.tolist() == [0.0, 1.0]


def test_the_linearity_statistic_is_the_gain_in_fit_over_autoreg():
    model = ConvexAR(2, beta_ratio=0.2).fit(SUNSPOTS)
    linear = AutoReg(SUNSPOTS, 2).fit()
    statistic, _ = linearity(model._results, 0, 0)
    assert statistic == pytest.approx(2 * (model.llf_ - linear.llf), rel=1e-9)


PARTS = [{}, {"trend": "ct"}, {"transform": "log"}, {"nonlinear_lags": [1]}, {"exog": True}, {"gaps": True}]


@pytest.mark.parametrize("options", PARTS, ids=str)
def test_a_bend_is_found_with_every_kind_of_linear_part(options):
    values = 5 + simulated(lambda v: 1 - 0.8 * abs(v), 150, 1, noise=0.3)
    given = dict(options)
    exog = np.sin(np.arange(150.0)) if given.pop("exog", False) else None
    if given.pop("gaps", False):
        values[[20, 21, 90]] = np.nan
        exog = np.where(np.arange(150) == 50, np.nan, np.cos(np.arange(150.0)))
    model = ConvexAR([1, 2], beta_ratio=0.2, **given).fit(values, exog)
    row = model.diagnostics(replications=19, rng=1).loc["linearity"]
    assert row["pvalue"] <= 0.1
    assert model.diagnostics(replications=19, rng=1).loc["linearity"].equals(row)


def test_under_the_linear_autoregression_p_values_are_uniform():
    """At a given ratio every fit has kinks, so the test is not decided by the choice of the penalty."""
    series = [simulated(lambda v: 0.7 * v, 80, seed) for seed in range(60)]
    pvalues = [linearity(ConvexAR(1, beta_ratio=0.3).fit(values)._results, 19, 0)[1] for values in series]
    # 20 equally likely values: mean 0.525, standard deviation 0.288 / sqrt(60) = 0.037
    assert np.mean(pvalues) == pytest.approx(0.525, abs=0.11)
    assert np.mean(np.array(pvalues) <= 0.25) == pytest.approx(0.25, abs=0.16)


@pytest.mark.parametrize("beta", ["bic", "aic", "cv"])
def test_the_choice_of_the_penalty_is_not_repeated(monkeypatch, beta):
    model = ConvexAR(2, beta=beta).fit(SUNSPOTS)
    given = {"beta": model.beta_} if beta == "bic" else {"beta_ratio": model.beta_ / model.beta_max_}
    fixed = ConvexAR(2, **given).fit(SUNSPOTS)
    for name in ("_follow", "validate"):
        monkeypatch.setattr(f"cvxar.selection.{name}", lambda *_, **__: pytest.fail("chosen again"))
    assert model.breakpoints_
    assert linearity(model._results, 9, 0) == pytest.approx(linearity(fixed._results, 9, 0), rel=1e-9)


@pytest.mark.parametrize("beta", ["bic", "aic"])
def test_under_the_linear_autoregression_a_chosen_penalty_rejects_no_more_than_promised(beta):
    """At the penalty that AIC chose, instead of its share, 22 of the 120 are rejected."""
    pvalues = []
    for seed in range(120):
        fitted = ConvexAR(1, beta=beta).fit(simulated(lambda v: 0.95 * v, 80, seed))._results
        pvalues.append(linearity(fitted, 19, 0)[1])
    rejected = np.array(pvalues) <= 0.1
    # at most 12 expected, standard deviation 3.3
    assert 0 < rejected.sum() <= 18


def test_short_and_constant_series_have_no_tests():
    for values in ([1.0, 2.0, 1.5, 2.5], [3.0] * 30):
        table = ConvexAR(1, beta_ratio=1.0).fit(values).diagnostics(replications=3)
        assert table["pvalue"].iloc[[0, 2]].isna().all()


@pytest.mark.parametrize("arguments", [{"replications": -1}, {"lags": 0}, {"lags": 2.5}])
def test_impossible_arguments(arguments):
    with pytest.raises(CvxarError):
        ConvexAR(1, beta_ratio=1.0).fit(SUNSPOTS).diagnostics(**arguments)


def test_serial_tests_do_not_close_gaps():
    series = pd.Series(SUNSPOTS.to_numpy().copy())
    series.iloc[40] = np.nan
    table = ConvexAR(1, beta_ratio=1.0).fit(series).diagnostics(5)
    rest = ConvexAR(1, beta_ratio=1.0).fit(series).resid_.loc[42:]
    assert table.iloc[0, 0] == pytest.approx(acorr_ljungbox(rest, lags=[5], model_df=1).iloc[0, 0])
