r"""Bands made by quantile networks: the lags' effect on the whole distribution, not on its mean alone.

For every end of a band at horizon h a network is trained with the pinball loss to forecast directly, without
simulation:

.. math:: Q_\tau(y_{t+h} \mid \ldots) = c + \sum_l g_l(y_{t+1-l})

which is the autoregression with its lags moved by h - 1, and certified like any other. Fits at different
levels may cross; the values at a step are sorted (Chernozhukov, Fernandez-Val and Galichon 2010), which never
increases the sum of their pinball losses.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.forecast import Ahead
from cvxar.losses import Quantile
from cvxar.observations import first_of
from cvxar.results import Results, fit_results
from cvxar.settings import Settings


def direct_quantiles(results: Results, ahead: Ahead, taus: Sequence[float]) -> Array:
    """Return quantiles (steps, k) at ascending levels, on the scale of the transform.

    Every network is fitted once to the sample of ``results`` and kept. A penalty given as a number is
    carried over as the share of ``beta_max`` that it is of the fit to the mean: the units differ.

    Raises
    ------
    InputError
        Beyond one step of a differenced series, and where the last observations are missing.
    """
    steps = len(ahead.means)
    _check_direct(results, ahead, steps)
    values = [[_quantile(results, ahead.exog[h], h, float(tau)) for tau in taus] for h in range(steps)]
    return np.sort(np.array(values), axis=1)


def _check_direct(results: Results, ahead: Ahead, steps: int) -> None:
    if results.predictor.scale.differenced and steps > 1:
        raise InputError(
            "quantile intervals of a differenced series reach one step ahead, because quantiles do not "
            f"add up; got {steps} steps: transform the level instead ('log'), or take intervals='bootstrap'"
        )
    if not ahead.unbroken:
        raise InputError(
            "quantile intervals need the last observations, of which some are missing; fill them, or take "
            "intervals='bootstrap'"
        )


def _quantile(results: Results, exog: Array, h: int, tau: float) -> float:
    """Return one quantile of the observation ``h`` steps after the next one."""
    predictor = _fitted(results, h, tau).predictor
    now, values = len(results.predictor.known) + h, results.predictor.values
    lagged = values[now - np.array(predictor.lags, dtype=np.intp)]
    level = predictor.mean(lagged[None, :]) + predictor.offsets(now, exog[None, :])
    if predictor.scale.differenced:
        level = level + predictor.scale.apply(results.predictor.known.values[-1:])
    return float(level[0])


def _fitted(results: Results, h: int, tau: float) -> Results:
    """Return the network for one level and horizon, fitted when first asked for."""
    key = ("quantile", h, tau)
    if key not in results.parts:
        known = first_of(results.predictor.known, results.count)
        results.parts[key] = fit_results(known, quantile_settings(results, h, tau))
    return results.parts[key]


def quantile_settings(results: Results, h: int, tau: float) -> Settings:
    """Return the settings of a fit with the pinball loss and lags moved by ``h``."""
    settings, terms = results.settings, results.terms
    ratio = settings.beta_ratio
    if ratio is None and not isinstance(settings.beta, str):
        ratio = min(results.beta / results.beta_max, 1.0) if results.beta_max > 0 else 1.0
    return replace(
        settings,
        loss=Quantile(tau),
        lags=[lag + h for lag in terms.lags] or None,
        nonlinear_lags=[lag + h for lag in terms.nonlinear] or 0,
        hold_back=terms.hold_back + h,
        transform=results.fixed_transform,
        beta=settings.beta if ratio is None else "bic",
        beta_ratio=ratio,
    )
