r"""Tests of a fitted autoregression: its residuals, and whether the data call for more than a linear map."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.lags import LagFrame, lag_matrix, longest
from cvxar.options import check_count, make_generator
from cvxar.results import Results, regression, selected_by
from cvxar.settings import Settings
from cvxar.simulation import conditional_mean, draw_shocks, simulate
from cvxar.solution import Solution
from cvxar.solver import solve

REPLICATIONS = 99
# a statistic this close to another counts as equal: two fits of the same quality
TIE = 1e-9


def diagnose(results: Results, lags: int | None, replications: int, rng: object) -> pd.DataFrame:
    """Return statistics and p values, one row per test; see :meth:`cvxar.ConvexAR.diagnostics`."""
    replications = check_count(replications, "replications", 0)
    rest = stretch(results)
    count = min(10, len(rest) // 5) if lags is None else check_count(lags, "lags")
    rows = {
        f"Ljung-Box ({count})": _ljung_box(rest, count, len(results.terms.lags)),
        "Jarque-Bera": _jarque_bera(results.resid.to_numpy()[: results.nobs]),
        f"ARCH-LM ({count})": _arch(rest, count),
        "linearity": linearity(results, replications, rng),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "pvalue"])


def stretch(results: Results) -> Array:
    """Return the residuals of the longest stretch of the fitted sample without a gap."""
    rest, rows = results.resid.to_numpy()[: results.nobs], results.frame.rows
    parts = np.split(rest, np.flatnonzero(np.diff(rows) > 1) + 1)
    return max(parts, key=len)


def _ljung_box(rest: Array, lags: int, used: int) -> tuple[float, float]:
    from statsmodels.stats.diagnostic import acorr_ljungbox

    if lags < 1 or len(rest) <= lags or not np.ptp(rest):
        return math.nan, math.nan
    last = acorr_ljungbox(rest, lags=[lags], model_df=min(used, lags)).iloc[-1]
    return float(last["lb_stat"]), float(last["lb_pvalue"])


def _jarque_bera(rest: Array) -> tuple[float, float]:
    from statsmodels.stats.stattools import jarque_bera

    if len(rest) < 3 or not np.ptp(rest):
        return math.nan, math.nan
    statistic, pvalue, *_ = jarque_bera(rest)
    return float(statistic), float(pvalue)


def _arch(rest: Array, lags: int) -> tuple[float, float]:
    from statsmodels.stats.diagnostic import het_arch

    if lags < 1 or len(rest) < 2 * lags + 2 or not np.ptp(rest):
        return math.nan, math.nan
    with warnings.catch_warnings():
        # the kind of tuple it returns is changing in statsmodels, which warns of it
        warnings.simplefilter("ignore", FutureWarning)
        statistic, pvalue, *_ = het_arch(rest, nlags=lags)
    return float(statistic), float(pvalue)


def gain(linear: Solution, fitted: Solution) -> float:
    r"""Return :math:`n \log(\mathrm{loss}_{AR} / \mathrm{loss}_{fit})`; 0 where the linear fit is perfect."""
    losses = [s.problem.loss.value(s.problem.y - s.fitted) for s in (linear, fitted)]
    if losses[0] <= 0:
        return 0.0
    return math.inf if losses[1] <= 0 else len(fitted.problem.y) * math.log(losses[0] / losses[1])


def linearity(results: Results, replications: int, rng: object) -> tuple[float, float]:
    r"""Test the linear autoregression against the fitted network by a bootstrap under the former.

    The statistic is the gain in fit, :math:`n \log(\mathrm{loss}_{AR} / \mathrm{loss}_{fit})`. Series are
    simulated from the linear fit with its residuals resampled, the same first values, trend, seasons,
    exogenous values and gaps, and the fit is repeated on each, without choosing a penalty again:

    .. math:: p = \frac{1 + \#\{T^* \ge T\}}{1 + \mathrm{replications}}.

    Held fixed is the penalty if BIC chose it, its share of each series' own ``beta_max`` if AIC, HQIC or
    cross-validation did. T and every T* are then values of one function of the series, which is what the
    ranks of a bootstrap ask for; only that the choice has seen the series is not in p. BIC finds no
    breakpoint in most series of a linear autoregression, where p is 1, so that few are left to be rejected
    wrongly. The other rules find some in many, at penalties that suit the noise of that very series: the
    share, which grants the same to every T*, keeps the size but costs much of the power.

    Without a breakpoint the statistic is 0 and p is 1. Cost: ``replications`` fits at one penalty each.
    """
    linear = _linear(results.solution)
    statistic = gain(linear, results.solution)
    if not results.network.breakpoints:
        return 0.0, 1.0
    if replications == 0:
        return statistic, math.nan
    null = _null_series(results, linear, replications, make_generator(rng))
    reached = sum(_gain_of(results, series) >= statistic - TIE for series in null.T)
    return statistic, (1 + reached) / (1 + replications)


def _linear(solution: Solution) -> Solution:
    return solve(solution.problem.with_beta(solution.problem.beta_max))


def _null_series(results: Results, linear: Solution, count: int, rng: np.random.Generator) -> Array:
    """Series under the linear fit, (n, count); they begin with the first complete lags observed."""
    predictor, n, need = results.predictor, results.count, longest(results.terms.lags)
    first = int(results.frame.rows[0])
    mean = conditional_mean(linear, results.frame, "network", results.terms.curved)
    coef = linear.exog_coef[len(results.terms.straight) :]
    exog = predictor.known.exog[first:n]
    exog = np.where(np.isfinite(exog), exog, np.nanmean(predictor.known.exog[:n], axis=0))
    offsets = np.hstack([predictor.deterministic.columns(first, n), exog]) @ coef
    rest = results.frame.y - linear.fitted
    shocks = draw_shocks(rest - rest.mean(), n - first, count, rng)
    _, paths = simulate(mean, results.terms.lags, predictor.values[first - need : first], offsets, shocks)
    return np.vstack([np.repeat(predictor.values[:first, None], count, axis=1), paths])


def _gain_of(results: Results, values: Array) -> float:
    """Gain in fit of the same settings on another series; infinite if that one left the numbers."""
    if not np.isfinite(values[results.frame.rows]).all():
        return math.inf
    settings, terms = _without_choice(results), results.terms
    problem = regression(_frame(results, values), terms, results.predictor.deterministic, settings)
    chosen = selected_by(settings)(problem).solution
    return gain(_linear(chosen), chosen)


def _without_choice(results: Results) -> Settings:
    """The settings, with a penalty or its share of ``beta_max`` in place of the rule that chose it."""
    settings = results.settings
    if settings.beta_ratio is not None or not isinstance(settings.beta, str):
        return settings
    if settings.beta == "bic":
        return replace(settings, beta=results.beta)
    return replace(settings, beta_ratio=results.beta / results.beta_max)


def _frame(results: Results, values: Array) -> LagFrame:
    """The rows of the fit, read from another series."""
    frame, first = results.frame, longest(results.terms.lags)
    x = lag_matrix(values, results.terms.lags, first)[frame.rows - first]
    return replace(frame, x=x, y=values[frame.rows])
