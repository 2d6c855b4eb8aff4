"""Whether two forecasters differ by more than chance: the test of Diebold and Mariano."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.accuracy import same_forecasts
from cvxar.errors import InputError, unknown_name
from cvxar.pairs import paired

LOSSES: dict[str, Callable[[Array], Array]] = {"mse": np.square, "mae": np.abs}


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
    observed, a = paired(y, first)
    _, b = paired(y, second)
    loss = _criterion(criterion)
    _check_horizon(horizon, lags)
    if same_forecasts(observed, a, b):
        return DieboldMariano(math.nan, math.nan)
    # the test does not depend on level and unit, but its squares of squares overflow and cancel
    scale = max(np.max(np.abs(observed - a)), np.max(np.abs(observed - b)))
    first_losses, second_losses = loss((a - observed) / scale), loss((b - observed) / scale)
    return _test_difference(first_losses - second_losses, horizon, lags, small_sample)


def loss_difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    horizon: int = 1,
    lags: int | None = None,
    small_sample: bool = True,
) -> DieboldMariano:
    """Test equal mean loss for losses of any kind: ``mean(d) / se(d)``, ``d = first - second``.

    `diebold_mariano` for squared and absolute errors; this for the losses of quantiles and intervals
    (`pinball_losses`, `winkler_losses`), one per time.

    Parameters
    ----------
    first, second : array_like of shape (n,)
        Losses of the two forecasters at the same times, in time order.
    horizon, lags, small_sample
        As in `diebold_mariano`.

    Returns
    -------
    DieboldMariano
        Negative statistic: the first has the smaller mean. Both NaN when the difference is the same at
        every time, zero included.

    Examples
    --------
    >>> result = loss_difference([1.0, 2.0, 1.0, 2.0, 1.5], [4.0, 4.5, 5.0, 4.0, 4.5])
    >>> result.statistic < 0 and result.pvalue < 0.05
    True
    """
    a, b = paired(first, second)
    _check_horizon(horizon, lags)
    scale = max(float(np.max(np.abs(a))), float(np.max(np.abs(b))))
    rounding = 16 * float(np.finfo(float).eps)
    if scale == 0.0 or np.max(np.abs(a / scale - b / scale)) <= rounding:
        return DieboldMariano(math.nan, math.nan)
    return _test_difference(a / scale - b / scale, horizon, lags, small_sample)


def _test_difference(difference: Array, horizon: int, lags: int | None, small_sample: bool) -> DieboldMariano:
    """Hand the loss difference (n,) to statsmodels, unless it never changes."""
    if _constant(difference):
        return DieboldMariano(math.nan, math.nan)
    from statsmodels.tsa.stattools import diebold_mariano_test

    n = difference.size
    wanted = max(horizon - 1, math.ceil(n ** (1 / 3))) if lags is None else lags
    result = diebold_mariano_test(
        np.zeros(n),
        difference,
        np.zeros(n),
        lags=min(wanted, n - 1),
        criterion=lambda _, loss: loss,
        harvey_adj=small_sample,
        horizon=horizon,
    )
    return DieboldMariano(float(result.statistic), float(result.pvalue))


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
