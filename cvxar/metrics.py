"""Errors of forecasts: plain functions, lower is better (``skill`` excepted: higher is better).

Every function takes the observed values first, then the forecasts, both of shape (n,). Two pandas Series
must carry the same index, so that a forecast can never be scored against another day's observation.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError, InputTypeError, unknown_name

# Forecasts closer than this fraction of their root mean squared error differ by rounding, not by method.
SAME_FORECAST = 1e-6


def mse(y: ArrayLike, forecast: ArrayLike) -> float:
    """Mean squared error, ``mean((y - forecast)^2)``, in squared units of ``y``.

    Parameters
    ----------
    y, forecast : array_like of shape (n,)
        Observed values and their forecasts.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Lengths or indexes that differ, no values, or values that are not finite.

    Examples
    --------
    >>> mse([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    observed, predicted = _paired(y, forecast)
    return float(np.mean((observed - predicted) ** 2))


def rmse(y: ArrayLike, forecast: ArrayLike) -> float:
    """Root mean squared error, ``sqrt(mean((y - forecast)^2))``, in units of ``y``.

    Parameters
    ----------
    y, forecast : array_like of shape (n,)
        Observed values and their forecasts.

    Returns
    -------
    float

    Examples
    --------
    >>> rmse([0.0, 0.0], [3.0, -3.0])
    3.0
    """
    return math.sqrt(mse(y, forecast))


def mae(y: ArrayLike, forecast: ArrayLike) -> float:
    """Mean absolute error, ``mean(|y - forecast|)``, in units of ``y``.

    Parameters
    ----------
    y, forecast : array_like of shape (n,)
        Observed values and their forecasts.

    Returns
    -------
    float

    Examples
    --------
    >>> mae([1.0, 2.0], [0.0, 4.0])
    1.5
    """
    observed, predicted = _paired(y, forecast)
    return float(np.mean(np.abs(observed - predicted)))


def mase(y: ArrayLike, forecast: ArrayLike, train: ArrayLike, *, period: int = 1) -> float:
    """Mean absolute scaled error, ``mae(y, forecast) / mean(|train_t - train_{t-period}|)``, without unit.

    Below one: better, on average, than the in-sample one-step error of the (seasonal) random walk.

    Parameters
    ----------
    y, forecast : array_like of shape (n,)
        Observed values and their forecasts.
    train : array_like of shape (m,), m > period
        The observations the model was trained on, in order.
    period : int, default 1
        Season length of the scaling random walk; 1 means the plain random walk.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A training sample not longer than ``period``, or one that never changes over ``period`` steps.

    Examples
    --------
    >>> mase([5.0, 6.0], [5.0, 5.0], train=[1.0, 2.0, 3.0])
    0.5
    """
    past = _finite(train, "train")
    if period < 1 or past.size <= period:
        raise InputError(
            f"mase needs 1 <= period < len(train), got period={period} and {past.size} training values; "
            "use a shorter period or a longer training sample"
        )
    scale = float(np.mean(np.abs(past[period:] - past[:-period])))
    if scale == 0.0:
        raise InputError(
            f"mase divides by the mean change of train over {period} step(s), which is 0 here; use mae"
        )
    return mae(y, forecast) / scale


def same_forecasts(y: ArrayLike, first: ArrayLike, second: ArrayLike) -> bool:
    """Whether two forecasts differ by rounding alone.

    That is: nowhere by more than a millionth of the larger root mean squared error, or nowhere by more than
    16 units in the last place of the largest observation.

    Examples
    --------
    >>> same_forecasts([1.0, 2.0], [1.5, 1.5], [1.5, 1.5 + 1e-9]), same_forecasts([1.0], [1.5], [1.6])
    (True, False)
    """
    observed, a = _paired(y, first)
    _, b = _paired(y, second)
    ulps = 16 * float(np.finfo(float).eps) * float(np.max(np.abs(observed)))
    size = max(rmse(observed, a), rmse(observed, b))
    return bool(np.max(np.abs(a - b)) <= max(SAME_FORECAST * size, ulps))


def skill(y: ArrayLike, forecast: ArrayLike, baseline: ArrayLike) -> float:
    """Skill, ``1 - mse(y, forecast) / mse(y, baseline)``: positive is better, 1 is perfect.

    Parameters
    ----------
    y, forecast, baseline : array_like of shape (n,)
        Observed values, their forecasts and the baseline's forecasts.

    Returns
    -------
    float
        Exactly 0 when the two forecasts are the same up to rounding; ``-inf`` when only the baseline is
        perfect.

    Examples
    --------
    >>> skill([0.0, 0.0], [1.0, -1.0], baseline=[2.0, -2.0])
    0.75
    """
    if same_forecasts(y, forecast, baseline):
        return 0.0
    reference = mse(y, baseline)
    return 1.0 - mse(y, forecast) / reference if reference > 0.0 else -math.inf


class DieboldMariano(NamedTuple):
    """Result of `diebold_mariano`; a negative statistic says that the first forecast had the smaller loss."""

    statistic: float
    pvalue: float


def diebold_mariano(
    y: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    horizon: int = 1,
    lags: int | None = None,
    criterion: str = "mse",
    small_sample: bool = True,
) -> DieboldMariano:
    """Test equal accuracy (Diebold-Mariano): ``mean(d) / se(d)``, ``d = loss(y - first) - loss(y - second)``.

    The standard error allows for autocorrelation (Newey-West). The work is done by
    ``statsmodels.tsa.stattools.diebold_mariano_test``; added here are the cases in which the test has no
    answer.

    Parameters
    ----------
    y, first, second : array_like of shape (n,)
        Observed values and the two series of forecasts of them, in time order.
    horizon : int, default 1
        Steps ahead of the forecasts.
    lags : int, optional
        Autocovariances in the standard error; default ``max(horizon - 1, ceil(n^(1/3)))``, at most n - 1.
    criterion : {"mse", "mae"}, default "mse"
        The loss whose mean is compared.
    small_sample : bool, default True
        Harvey-Leybourne-Newbold correction: the statistic is shrunk and compared with Student's t with
        n - 1 degrees of freedom instead of the normal distribution.

    Returns
    -------
    DieboldMariano
        ``(statistic, pvalue)``, two-sided. Both NaN when there is nothing to test: the two forecasts are the
        same up to rounding (`same_forecasts`), or the loss difference is the same at every time.

    Raises
    ------
    InputError
        Bad lengths or values, ``horizon < 1``, negative ``lags``, an unknown criterion.

    Notes
    -----
    The normal limit assumes that neither model is a special case of the other. AR(1) is one of a network with
    a skip connection; re-estimated on growing samples, the larger model pays for its extra parameters, and
    the test is conservative towards it: a small p-value in its favour can be trusted.

    Examples
    --------
    >>> y = [0.0] * 8
    >>> near, far = [1.0, -1.0] * 4, [2.0, -3.0, 2.0, -1.5] * 2
    >>> result = diebold_mariano(y, near, far)
    >>> result.statistic < 0 and result.pvalue < 0.05
    True
    >>> diebold_mariano(y, near, near).pvalue
    nan
    """
    observed, a = _paired(y, first)
    _, b = _paired(y, second)
    loss = _criterion(criterion)
    _check_horizon(horizon, lags)
    none = DieboldMariano(math.nan, math.nan)
    if same_forecasts(observed, a, b):
        return none
    # the test does not depend on level and unit, but its squares of squares overflow and cancel
    scale = max(np.max(np.abs(observed - a)), np.max(np.abs(observed - b)))
    a, b = (a - observed) / scale, (b - observed) / scale
    if _constant(loss(a) - loss(b)):
        return none
    from statsmodels.tsa.stattools import diebold_mariano_test

    wanted = max(horizon - 1, math.ceil(observed.size ** (1 / 3))) if lags is None else lags
    result = diebold_mariano_test(
        np.zeros(observed.size),
        a,
        b,
        lags=min(wanted, observed.size - 1),
        criterion=criterion,
        harvey_adj=small_sample,
        horizon=horizon,
    )
    return DieboldMariano(float(result.statistic), float(result.pvalue))


LOSSES: dict[str, Callable[[Array], Array]] = {"mse": np.square, "mae": np.abs}

BY_NAME: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {"mse": mse, "rmse": rmse, "mae": mae}


def _criterion(name: str) -> Callable[[Array], Array]:
    if name not in LOSSES:
        raise unknown_name("criterion", name, LOSSES)
    return LOSSES[name]


def _check_horizon(horizon: int, lags: int | None) -> None:
    if horizon < 1:
        raise InputError(f"horizon counts steps ahead and must be at least 1, got {horizon}")
    if lags is not None and lags < 0:
        raise InputError(f"lags counts autocovariances and must be 0 or more, got {lags}")


def _constant(difference: Array) -> bool:
    spread = float(np.ptp(difference))
    return spread <= 8 * float(np.finfo(float).eps) * float(np.max(np.abs(difference)))


def _paired(y: ArrayLike, forecast: ArrayLike) -> tuple[Array, Array]:
    """Both as float arrays of one length, or an error that says why they cannot be compared."""
    observed, predicted = _finite(y, "y"), _finite(forecast, "forecast")
    if observed.size != predicted.size:
        raise InputError(
            f"y and forecast must have one value each per time, got {observed.size} and {predicted.size}"
        )
    if isinstance(y, pd.Series) and isinstance(forecast, pd.Series) and not y.index.equals(forecast.index):
        raise InputError(
            "y and forecast carry different indexes; align them first (forecast.reindex(y.index)) "
            "or pass arrays to compare by position"
        )
    return observed, predicted


def _finite(values: ArrayLike, name: str) -> Array:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"{name} must be numbers, got {type(values).__name__}: {error}") from error
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} must be one-dimensional with at least one value, got shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise InputError(
            f"{name} has {bad.size} value(s) that are not finite, the first at position {bad[0]} "
            f"({array[bad[0]]}); drop those times from both series before scoring"
        )
    return array
