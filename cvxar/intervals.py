"""Forecasts with bands: one entry per kind of interval.

A kind says which shocks drive the simulated paths, and where the bands lie. Every band is widened, where need
be, to hold the mean: a narrow central band of a skewed distribution would leave it out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy

from cvxar._typing import Array
from cvxar.conformal import conformal_half_widths
from cvxar.direct_quantiles import direct_quantiles
from cvxar.forecast import Ahead, Paths
from cvxar.options import check_name
from cvxar.results import Results
from cvxar.simulation import impulse_response, linear_slopes

# lower and upper ends, (steps, k) each, of k levels in per cent
Bands = tuple[Array, Array]


@dataclass(frozen=True)
class Kind:
    """Where the bands lie, and the deviation of normal shocks (None: residuals are resampled)."""

    bands: Callable[[Results, Ahead, Sequence[float], Paths], Bands]
    deviation: Callable[[Results], float] | None = None


def forecast(
    results: Results, steps: int, exog: Any, levels: Sequence[float], intervals: str, paths: Paths
) -> pd.DataFrame:
    """Return means and bands of the next ``steps`` observations, indexed by their stamps.

    Raises
    ------
    InputError
        For an unknown kind of interval, or too few observations for it.
    """
    check_name("intervals", intervals, tuple(BY_NAME))
    kind = BY_NAME[intervals]
    if kind.deviation is not None:
        paths = replace(paths, sigma=kind.deviation(results))
    ahead = results.predictor.ahead(steps, exog, paths)
    empty = np.empty((steps, 0))
    bands = kind.bands(results, ahead, levels, paths) if levels else (empty, empty)
    return forecast_table(ahead.stamps, ahead.means, bands, levels)


def forecast_table(stamps: pd.Index, means: Array, bands: Bands, levels: Sequence[float]) -> pd.DataFrame:
    """Assemble columns ``mean`` and, for each level in per cent, ``lower_80`` and ``upper_80``.

    Examples
    --------
    >>> bands = np.array([[-4.0]]), np.array([[-1.0]])
    >>> forecast_table(pd.RangeIndex(1), np.zeros(1), bands, (80,)).iloc[0].tolist()
    [0.0, -4.0, 0.0]
    """
    columns = {"mean": means}
    for j, level in enumerate(levels):
        columns[f"lower_{level:g}"] = np.minimum(bands[0][:, j], means)
        columns[f"upper_{level:g}"] = np.maximum(bands[1][:, j], means)
    return pd.DataFrame(columns, index=stamps)


def tails(levels: Sequence[float]) -> Array:
    """Return the probability (k,) below the central interval of each level in per cent.

    Examples
    --------
    >>> tails([80, 50]).round(9).tolist()
    [0.1, 0.25]
    """
    return (1 - np.asarray(levels, dtype=float) / 100) / 2


def central_quantiles(paths: Array, levels: Sequence[float]) -> Bands:
    """Return the ends of the central intervals of simulated paths (steps, n_paths).

    Examples
    --------
    >>> central_quantiles(np.arange(-5.0, 6.0)[None, :], [80])
    (array([[-4.]]), array([[4.]]))
    """
    tail = tails(levels)
    lower, upper = np.split(np.quantile(paths, [*tail, *(1 - tail)], axis=1).T, 2, axis=1)
    return lower, upper


def path_bands(results: Results, ahead: Ahead, levels: Sequence[float], paths: Paths) -> Bands:
    """Return the central quantiles of the simulated paths."""
    return central_quantiles(ahead.paths, levels)


def normal_bands(results: Results, ahead: Ahead, levels: Sequence[float], paths: Paths) -> Bands:
    r"""Return the bands of normal shocks: exact for a linear map and one step ahead, else of simulated paths.

    Linear: :math:`\mathrm{mean} \pm z\, \sigma (\sum_{j < h} \psi_j^2)^{1/2}`, as statsmodels' ``AutoReg``,
    on the scale of the transform, and inverted.
    """
    predictor, slopes = results.predictor, linear_slopes(results.predictor.mean)
    # how many steps are normal on that scale
    exact = (1 if slopes is None else len(ahead.means)) if ahead.unbroken else 0
    response = np.ones(exact) if slopes is None else impulse_response(slopes, predictor.lags, exact)
    effect = np.cumsum(response) if predictor.scale.differenced else response
    deviation = (paths.sigma or 0.0) * np.sqrt(np.cumsum(effect**2))
    half, centre = deviation[:, None] * -scipy.special.ndtri(tails(levels)), ahead.centre[:exact, None]
    lower, upper = _inverted(results, centre - half, centre + half)
    if exact == len(ahead.means):
        return lower, upper
    low, high = central_quantiles(ahead.paths[exact:], levels)
    return np.vstack([lower, low]), np.vstack([upper, high])


def conformal_bands(results: Results, ahead: Ahead, levels: Sequence[float], paths: Paths) -> Bands:
    """Return the mean less and plus a calibrated half-width: see :mod:`cvxar.conformal`."""
    half = conformal_half_widths(results, len(ahead.means), levels, paths.method)
    return _inverted(results, ahead.centre[:, None] - half, ahead.centre[:, None] + half)


def quantile_bands(results: Results, ahead: Ahead, levels: Sequence[float], paths: Paths) -> Bands:
    """Return quantiles forecast by networks of their own: see :mod:`cvxar.direct_quantiles`."""
    order = np.argsort(levels)[::-1]  # from the widest band inwards
    tail = tails(levels)[order]
    ends = direct_quantiles(results, ahead, [*tail, *(1 - tail[::-1])])
    lower, upper = np.empty((2, *ends[:, : len(order)].shape))
    lower[:, order], upper[:, order] = ends[:, : len(order)], ends[:, ::-1][:, : len(order)]
    return _inverted(results, lower, upper)


def _inverted(results: Results, lower: Array, upper: Array) -> Bands:
    """Return ends (steps, k) on the scale of the transform in the units of the series."""
    ends = results.predictor.scale.invert(lower), results.predictor.scale.invert(upper)
    # a transform may turn the axis round
    return np.minimum(*ends), np.maximum(*ends)


def residual_deviation(results: Results) -> float:
    """Return the root mean squared residual of the fit, the ``sigma2 ** 0.5`` of ``AutoReg``."""
    return math.sqrt(float(np.mean((results.frame.y - results.solution.fitted) ** 2)))


BY_NAME: dict[str, Kind] = {
    "bootstrap": Kind(path_bands),
    "gaussian": Kind(normal_bands, residual_deviation),
    "conformal": Kind(conformal_bands),
    "quantile": Kind(quantile_bands),
}
