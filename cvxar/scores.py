"""Scores of quantiles, intervals and simulated distributions: proper scores, and the facts beside them.

Every function takes the observed values first, shape (n,). A forecast beyond which nothing is known (an
infinite bound) is allowed in an interval, and scores as it should: covered, and infinitely wide.
"""

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError
from cvxar.options import check_real
from cvxar.pairs import as_floats, check_same_times, finite, paired


def pinball(y: ArrayLike, quantile: ArrayLike, tau: float) -> float:
    r"""Mean pinball loss, ``mean(max(tau r, (tau - 1) r))`` with ``r = y - quantile``, in units of ``y``.

    Its expectation is smallest at the quantile at level ``tau`` of the distribution of ``y``.

    Parameters
    ----------
    y, quantile : array_like of shape (n,)
        Observed values and forecasts of their quantile.
    tau : float in (0, 1)
        Level of the quantile.

    Returns
    -------
    float

    Raises
    ------
    InputError
        A level outside (0, 1); lengths, indexes or values that cannot be compared.

    Examples
    --------
    >>> pinball([1.0, 5.0], [3.0, 3.0], tau=0.25)   # 2 above: 0.75 * 2; 2 below: 0.25 * 2
    1.0
    """
    return float(np.mean(pinball_losses(y, quantile, tau)))


def pinball_losses(y: ArrayLike, quantile: ArrayLike, tau: float) -> Array:
    """Return the pinball loss at each time, whose mean is `pinball`: array (n,).

    Examples
    --------
    >>> pinball_losses([1.0, 5.0], [3.0, 3.0], tau=0.25)
    array([1.5, 0.5])
    """
    observed, predicted = paired(y, quantile)
    _check_tau(tau)
    residual = observed - predicted
    return np.maximum(tau * residual, (tau - 1) * residual)


def coverage(y: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Share of observations inside their interval, ends included: best when it is the level.

    Parameters
    ----------
    y, lower, upper : array_like of shape (n,)
        Observed values and the ends of their intervals.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        An upper end below its lower end, lengths that differ, missing values.

    Examples
    --------
    >>> coverage([1.0, 2.0, 9.0, 4.0], [0.0] * 4, [4.0] * 4)
    0.75
    """
    observed, low, high = _bands(y, lower, upper)
    return float(np.mean((low <= observed) & (observed <= high)))


def interval_width(lower: ArrayLike, upper: ArrayLike) -> float:
    """Mean width of intervals, ``mean(upper - lower)``, in units of the series.

    Parameters
    ----------
    lower, upper
        As in `coverage`.

    Returns
    -------
    float

    Examples
    --------
    >>> interval_width([0.0, 1.0], [2.0, 5.0])
    3.0
    """
    low, high = _ends(lower, upper)
    return float(np.mean(high - low))


def winkler(y: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float) -> float:
    r"""Mean interval score of Winkler: width, plus misses times ``2 / alpha`` (``alpha = 1 - level / 100``).

    .. math:: (u - l) + \tfrac2\alpha (l - y)_+ + \tfrac2\alpha (y - u)_+

    Smallest in expectation for the central interval of the level: it rewards narrow intervals that cover.
    It is ``2 / alpha`` times the sum of the two pinball losses at ``alpha / 2`` and ``1 - alpha / 2``.

    Parameters
    ----------
    y, lower, upper
        As in `coverage`.
    level : float in (0, 100)
        In per cent.

    Returns
    -------
    float
        In units of ``y``.

    Examples
    --------
    >>> round(winkler([2.0, 5.0], [1.0, 1.0], [3.0, 3.0], level=80), 9)   # widths 2 and 2, one miss by 2
    12.0
    """
    return float(np.mean(winkler_losses(y, lower, upper, level)))


def winkler_losses(y: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float) -> Array:
    """Return the interval score at each time, whose mean is `winkler`: array (n,).

    Examples
    --------
    >>> winkler_losses([2.0, 5.0], [1.0, 1.0], [3.0, 3.0], level=80).round(9)
    array([ 2., 22.])
    """
    observed, low, high = _bands(y, lower, upper)
    check_real("level", level)
    if not 0 < level < 100:
        raise InputError(f"level is in per cent, above 0 and below 100, got {level!r}")
    alpha = 1 - level / 100
    outside = np.maximum(low - observed, 0.0) + np.maximum(observed - high, 0.0)
    return high - low + 2 / alpha * outside


def crps_paths(y: ArrayLike, paths: ArrayLike) -> float:
    r"""Continuous ranked probability score of simulated observations, mean over times.

    .. math:: \tfrac1m \sum_i |x_i - y| - \tfrac1{2 m^2} \sum_{i, j} |x_i - x_j|

    The absolute error, for distributions: with one path it is the mean absolute error.

    Parameters
    ----------
    y
        As in `pinball`.
    paths : array_like of shape (n, m)
        m simulated values of each.

    Returns
    -------
    float
        In units of ``y``. Cost O(n m log m).

    Examples
    --------
    >>> crps_paths([0.0], [[-1.0, 1.0]])   # 1 - (2 + 2) / 8
    0.5
    """
    observed, drawn = finite(y, "y"), _rows(paths, "paths", len(finite(y, "y")))
    m = drawn.shape[1]
    ordered = np.sort(drawn, axis=1) - observed[:, None]
    # sum over pairs of |x_i - x_j| = 2 sum_i (2 i - m - 1) x_(i)
    spread = ordered @ (2.0 * np.arange(1, m + 1) - m - 1) / m**2
    return float(np.mean(np.abs(ordered).mean(axis=1) - spread))


def crps_quantiles(y: ArrayLike, quantiles: ArrayLike, taus: ArrayLike) -> float:
    r"""Continuous ranked probability score from quantiles, ``2 * sum over k of w_k pinball(y, q_k, tau_k)``.

    The score is :math:`2 \int_0^1 \mathrm{pinball}_\tau\, d\tau`; the weight of a level is the length of the
    part of (0, 1) that is nearer to it than to its neighbours. At the levels ``(i - 1/2) / m`` this is
    exactly `crps_paths` of the m quantiles; few or lopsided levels leave out the tails.

    Parameters
    ----------
    y
        As in `pinball`.
    quantiles : array_like of shape (n, k)
        Forecast quantiles, one column per level.
    taus : array_like of shape (k,)
        Levels, ascending, in (0, 1).

    Returns
    -------
    float
        In units of ``y``.

    Examples
    --------
    >>> crps_quantiles([0.0], [[-1.0, 1.0]], [0.25, 0.75])
    0.5
    """
    observed, levels = finite(y, "y"), finite(taus, "taus")
    columns = _rows(quantiles, "quantiles", len(observed))
    if len(levels) != columns.shape[1]:
        raise InputError(f"quantiles has {columns.shape[1]} columns for {len(levels)} taus; give one each")
    if not (levels[0] > 0 and levels[-1] < 1 and np.all(np.diff(levels) > 0)):
        raise InputError(f"taus must ascend strictly within (0, 1), got {levels.tolist()}")
    edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]])
    residual = observed[:, None] - columns
    losses = np.maximum(levels * residual, (levels - 1) * residual)
    return float(2 * np.mean(losses @ np.diff(edges)))


def _check_tau(tau: float) -> None:
    check_real("tau", tau)
    if not 0 < tau < 1:
        raise InputError(f"tau is the level of a quantile, above 0 and below 1, got {tau!r}")


def _bands(y: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> tuple[Array, Array, Array]:
    check_same_times(y, lower, "lower")
    observed, (low, high) = finite(y, "y"), _ends(lower, upper)
    if len(observed) != len(low):
        raise InputError(
            f"y has {len(observed)} values for {len(low)} intervals; give one interval per value"
        )
    return observed, low, high


def _ends(lower: ArrayLike, upper: ArrayLike) -> tuple[Array, Array]:
    check_same_times(lower, upper, "upper")
    low, high = as_floats(lower, "lower"), as_floats(upper, "upper")
    if low.ndim != 1 or low.shape != high.shape or not low.size:
        raise InputError(
            f"lower and upper must have one value each per time, got {low.shape} and {high.shape}"
        )
    if not np.all(low <= high):
        at = int(np.argmin(low <= high))
        raise InputError(
            f"upper must not lie below lower nor be missing, got lower={low[at]:g} and upper={high[at]:g} at "
            f"position {at}"
        )
    return low, high


def _rows(values: ArrayLike, name: str, n: int) -> Array:
    array = as_floats(values, name)
    if array.ndim != 2 or len(array) != n or not array.size:
        raise InputError(f"{name} must have one row per value of y ({n}), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds values that are not finite; drop those times before scoring")
    return array
