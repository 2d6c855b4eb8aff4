"""Scores of point forecasts: lower is better (``skill`` and ``direction_hit_rate`` excepted).

Every function takes the observed values first, then the forecasts, both of shape (n,). Two pandas Series
must carry the same index, so that a forecast can never be scored against another day's observation.
"""

import math

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError
from cvxar.pairs import finite, paired

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
    observed, predicted = paired(y, forecast)
    return float(np.mean((observed - predicted) ** 2))


def rmse(y: ArrayLike, forecast: ArrayLike) -> float:
    """Root mean squared error, ``sqrt(mean((y - forecast)^2))``, in units of ``y``.

    Parameters
    ----------
    y, forecast
        As in `mse`.

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
    y, forecast
        As in `mse`.

    Returns
    -------
    float

    Examples
    --------
    >>> mae([1.0, 2.0], [0.0, 4.0])
    1.5
    """
    observed, predicted = paired(y, forecast)
    return float(np.mean(np.abs(observed - predicted)))


def mase(y: ArrayLike, forecast: ArrayLike, train: ArrayLike, *, period: int = 1) -> float:
    """Mean absolute scaled error, ``mae(y, forecast) / mean(|train_t - train_{t-period}|)``, without unit.

    Below one: better, on average, than the in-sample one-step error of the (seasonal) random walk.

    Parameters
    ----------
    y, forecast
        As in `mse`.
    train : array_like of shape (m,), m > period
        The observations the model was trained on, in order; NaN where missing, which leaves out the changes
        to and from there.
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
    return mae(y, forecast) / float(np.mean(np.abs(_walk_errors(train, period, "mase", "mae"))))


def rmsse(y: ArrayLike, forecast: ArrayLike, train: ArrayLike, *, period: int = 1) -> float:
    """Root mean squared scaled error, ``sqrt(mse(y, forecast) / mean((train_t - train_{t-period})^2))``.

    `mase` for squared errors, without unit: below one is better than the in-sample one-step error of the
    (seasonal) random walk (M5 competition).

    Parameters
    ----------
    y, forecast, train, period
        As in `mase`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        As `mase`.

    Examples
    --------
    >>> rmsse([5.0, 6.0], [3.0, 4.0], train=[1.0, 5.0, 9.0])
    0.5
    """
    return rmse(y, forecast) / math.sqrt(float(np.mean(_walk_errors(train, period, "rmsse", "rmse") ** 2)))


def _walk_errors(train: ArrayLike, period: int, metric: str, instead: str) -> Array:
    """Return the one-step errors of the (seasonal) random walk on the training sample, not all 0."""
    past = finite(train, "train", gaps=True)
    if period < 1 or past.size <= period:
        raise InputError(
            f"{metric} needs 1 <= period < len(train), got period={period} and {past.size} training values; "
            "use a shorter period or a longer training sample"
        )
    errors: Array = past[period:] - past[:-period]
    errors = errors[~np.isnan(errors)]
    if not np.any(errors):
        raise InputError(
            f"{metric} divides by the mean change of train over {period} step(s), which is 0 here; "
            f"use {instead}"
        )
    return errors


def smape(y: ArrayLike, forecast: ArrayLike) -> float:
    """Symmetric mean absolute percentage error, ``mean(200 |y - f| / (|y| + |f|))``, in per cent (0 to 200).

    A time at which both are 0 counts as 0. Meant for positive series far from 0 (M4 competition).

    Parameters
    ----------
    y, forecast
        As in `mse`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(smape([3.0, 0.0], [1.0, 0.0]), 9)
    50.0
    """
    observed, predicted = paired(y, forecast)
    size = np.maximum(np.abs(observed), np.abs(predicted))
    size = np.where(size > 0, size, 1.0)
    a, b = observed / size, predicted / size  # so that no sum overflows
    total = np.abs(a) + np.abs(b)
    return float(np.mean(200 * np.abs(a - b) / np.where(total > 0, total, 1.0)))


def bias(y: ArrayLike, forecast: ArrayLike) -> float:
    """Mean error, ``mean(forecast - y)``, in units of ``y``: positive when forecasts are too high.

    Parameters
    ----------
    y, forecast
        As in `mse`.

    Returns
    -------
    float
        0 is best.

    Examples
    --------
    >>> bias([1.0, 2.0], [2.0, 4.0])
    1.5
    """
    observed, predicted = paired(y, forecast)
    return float(np.mean(predicted - observed))


def direction_hit_rate(y: ArrayLike, forecast: ArrayLike, last: ArrayLike) -> float:
    """Share of moves whose direction was forecast, ``sign(forecast - last) = sign(y - last)``.

    Higher is better. Times at which the series did not move, or no move was forecast, are left out: a
    forecast without a direction is neither right nor wrong.

    Parameters
    ----------
    y, forecast
        As in `mse`.
    last : array_like of shape (n,)
        The value known when each forecast was made (zeros for returns).

    Returns
    -------
    float
        Between 0 and 1; NaN when the series never moved or no move was ever forecast (a random walk).

    Examples
    --------
    >>> direction_hit_rate([2.0, 0.5, 1.0], [1.5, 1.2, 3.0], last=[1.0, 1.0, 1.0])
    0.5
    """
    observed, predicted = paired(y, forecast)
    _, known = paired(y, last)
    agreement = np.sign(observed - known) * np.sign(predicted - known)
    return float(np.mean(agreement[agreement != 0] > 0)) if agreement.any() else math.nan


def same_forecasts(y: ArrayLike, first: ArrayLike, second: ArrayLike) -> bool:
    """Whether two forecasts differ by rounding alone.

    That is: nowhere by more than a millionth of the larger root mean squared error, or nowhere by more than
    16 units in the last place of the largest observation.

    Examples
    --------
    >>> same_forecasts([1.0, 2.0], [1.5, 1.5], [1.5, 1.5 + 1e-9]), same_forecasts([1.0], [1.5], [1.6])
    (True, False)
    """
    observed, a = paired(y, first)
    _, b = paired(y, second)
    ulps = 16 * float(np.finfo(float).eps) * float(np.max(np.abs(observed)))
    size = max(rmse(observed, a), rmse(observed, b))
    return bool(np.max(np.abs(a - b)) <= max(SAME_FORECAST * size, ulps))


def skill(y: ArrayLike, forecast: ArrayLike, baseline: ArrayLike) -> float:
    """Skill, ``1 - mse(y, forecast) / mse(y, baseline)``: positive is better, 1 is perfect.

    Parameters
    ----------
    y, forecast
        As in `mse`.
    baseline : array_like of shape (n,)
        The baseline's forecasts.

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
