r"""Split conformal intervals: errors of forecasts from held-back origins, by horizon.

The same settings are fitted to the first two thirds of the sample. From every later origin the steps ahead
are forecast; the m absolute errors at a horizon, sorted, give the half-width of the interval there:

.. math:: q_h = e_{(k)}, \quad k = \lceil (m + 1)\, \mathrm{level} / 100 \rceil

If the errors were exchangeable with the error to come, an interval of that half-width around a forecast by
the fit to the two thirds would cover with probability at least the level, whatever the distribution and the
model. Errors of a series are not exchangeable when its variance wanders, and neighbouring errors several
steps ahead overlap; then the coverage is approximate. The interval is put around the forecast by the
fit to all observations, whose errors are, if anything, smaller. Observations appended later count as
held back too: they were not seen by the fit to the two thirds.

Errors are measured and the interval is made on the scale of the transform (differences summed up), and its
ends are inverted: of a log-transformed series the interval is a factor, not a number, each way. The power
of a Box-Cox transform is that of the whole sample throughout.
"""

import math
from collections.abc import Sequence

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.errors import InputError
from cvxar.forecast import Predictor
from cvxar.lags import longest
from cvxar.observations import Observations
from cvxar.results import Results
from cvxar.simulation import ConditionalMean, draw_shocks, linear_slopes

HELD_BACK = 3  # one observation in three
# where the mean must be simulated: paths an origin, most origins, and paths simulated at a time
PATHS, MOST_ORIGINS, COLUMNS = 100, 2000, 20_000


def half_widths(errors: Array, levels: Sequence[float]) -> Array:
    """Return the half-width of each level in per cent, (k,), from m absolute errors.

    Raises
    ------
    InputError
        When m errors are too few for a level: it needs ``level / (100 - level)``.

    Examples
    --------
    >>> half_widths(np.arange(1.0, 20.0), [50, 95])   # the 10th and the 19th of 19
    array([10., 19.])
    """
    ranks = [_rank(len(errors), level) for level in levels]
    if max(ranks) > len(errors):
        raise InputError(
            f"{len(errors)} errors of held-back forecasts are too few for {max(levels):g} %, which "
            f"needs {errors_needed(max(levels))}; take a lower level, or a series with fewer missing values"
        )
    return np.sort(errors)[np.array(ranks, dtype=np.intp) - 1]


def _rank(m: int, level: float) -> int:
    # the allowance keeps 0.95 * 20 at 19
    return math.ceil((m + 1) * level / 100 - 1e-9)


def errors_needed(level: float) -> int:
    """Return how many errors a level in per cent needs.

    Examples
    --------
    >>> errors_needed(80), errors_needed(95)
    (4, 19)
    """
    return math.ceil(level / (100 - level) - 1e-9)


def check_enough(count: int, fewest: int, steps: int, levels: Sequence[float]) -> int:
    """Return how many of ``count`` observations the training part has.

    Raises
    ------
    InputError
        Naming the least number of observations, when the held-back part is too short for the highest
        level at the last step, or the training part for its lags.
    """
    needed = max(errors_needed(level) for level in levels) + steps - 1
    least = max(HELD_BACK * needed, math.ceil(fewest * HELD_BACK / (HELD_BACK - 1)))
    if count < least:
        raise InputError(
            f"conformal intervals at {max(levels):g} % {steps} step(s) ahead need {needed} held-back origins "
            f"and {fewest} observations to fit, so a sample of at least {least}; got {count}: take a "
            "lower level, fewer steps, or intervals='bootstrap'"
        )
    return count - count // HELD_BACK


def conformal_half_widths(results: Results, steps: int, levels: Sequence[float], method: str) -> Array:
    """Return the half-widths (steps, k) calibrated by horizon, on the scale of the transform.

    Parameters
    ----------
    results : Results
        The fit to the whole sample; the fit to its first part is made once and kept, and so are its errors.
    steps : int
    levels : sequence of k numbers
        In per cent.
    method : {"simulate", "iterate"}
        How the mean several steps ahead is computed. The simulation has a fixed seed.

    Raises
    ------
    InputError
        When there are too few observations to calibrate, saying how many are needed.
    """
    predictor = results.predictor
    first = check_enough(results.count, longest(predictor.lags) + 2, steps, levels)
    if (steps, method) not in results.errors:
        trained = results.part(first).predictor
        results.errors[steps, method] = errors_ahead(trained, predictor.known, first, steps, method)
    errors = results.errors[steps, method]
    return np.array([half_widths(np.abs(row[np.isfinite(row)]), levels) for row in errors])


def errors_ahead(trained: Predictor, known: Observations, first: int, steps: int, method: str) -> Array:
    """Return errors (steps, m) of forecasts from the origins with at least ``first`` observations known.

    ``trained`` forecasts, ``known`` holds the observations. NaN where the target or a lag is not known.
    """
    origins, shocks = np.arange(first, len(known)), np.zeros((steps, 1))
    if steps > 1 and method == "simulate" and linear_slopes(trained.mean) is None:
        shocks = draw_shocks(trained.residuals, steps, PATHS, np.random.default_rng(0))
        origins = origins[:: math.ceil(len(origins) / MOST_ORIGINS)]
    chunks = np.array_split(origins, math.ceil(len(origins) * shocks.shape[1] / COLUMNS))
    return np.hstack([_errors_from(trained, known, at, shocks) for at in chunks])


def _errors_from(trained: Predictor, known: Observations, origins: IntArray, shocks: Array) -> Array:
    most, steps = longest(trained.lags), len(shocks)
    ahead = origins + np.arange(steps)[:, None]
    reached = np.minimum(ahead, len(known) - 1)
    values, levels = trained.scale.forward(known.values), trained.scale.apply(known.values)
    past = values[origins - most + np.arange(most)[:, None]]
    offsets = trained.offsets(0, known.exog)[reached]
    means = means_from(trained.mean, trained.lags, past, offsets, shocks)
    centre = levels[origins - 1] + np.cumsum(means, axis=0) if trained.scale.differenced else means
    return np.where(ahead < len(known), levels[reached] - centre, np.nan)


def means_from(
    mean: ConditionalMean, lags: tuple[int, ...], past: Array, offsets: Array, shocks: Array
) -> Array:
    """Return simulated means (steps, m) from m origins at once, all with the same shocks.

    ``past`` (at least max(lags), m) are the last observations of each origin, ``offsets`` (steps, m) known
    additive terms, ``shocks`` (steps, n_paths). Cost O(steps m n_paths p).
    """
    (steps, n_paths), (most, m) = shocks.shape, past.shape
    back = np.asarray(lags, dtype=np.intp)
    track = np.empty((most + steps, m, n_paths))
    track[:most] = past[:, :, None]
    means = np.empty((steps, m))
    for step in range(steps):
        now = most + step
        lagged = track[now - back].reshape(len(lags), m * n_paths).T
        level = mean(lagged).reshape(m, n_paths) + offsets[step][:, None]
        means[step] = level.mean(axis=1)
        track[now] = level + shocks[step]
    return means
