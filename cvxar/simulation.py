"""Paths of a fitted map: the map beyond its training range, the shocks, the simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy

from cvxar._typing import Array
from cvxar.errors import unknown_name
from cvxar.piecewise import PiecewiseLinear, combine
from cvxar.problem import LassoProblem
from cvxar.solution import Solution

EXTRAPOLATIONS = ("ar", "network")


@dataclass(frozen=True)
class ConditionalMean:
    r"""The fitted map from lags to the next value, with a rule for lags never seen in training.

    .. math:: f(v) = c + \sum_l g_l(\bar v_l) + s_l (v_l - \bar v_l), \quad
              \bar v_l = \min(\max(v_l, \mathrm{low}_l), \mathrm{high}_l)

    Inside the training range of every lag it is the network; beyond the range of lag l it continues
    from the network's value at the end with slope :math:`s_l`.

    Parameters
    ----------
    constant : float
    pieces : tuple of PiecewiseLinear
        :math:`g_l`, skip slope included, one per lag.
    low, high : array (p,)
        Training range of each lag; infinite to use the network everywhere.
    outer_slopes : array (p,)
        :math:`s_l`, used beyond that range.
    """

    constant: float
    pieces: tuple[PiecewiseLinear, ...]
    low: Array
    high: Array
    outer_slopes: Array

    def __call__(self, lagged: Array) -> Array:
        """Evaluate at lagged values (m, p); returns (m,). Cost O(m p log k)."""
        level = np.full(len(lagged), self.constant)
        for j, piece in enumerate(self.pieces):
            inside = np.clip(lagged[:, j], self.low[j], self.high[j])
            level += piece(inside) + self.outer_slopes[j] * (lagged[:, j] - inside)
        return level


class Regression(Protocol):
    """Rows of a regression: a ``LagFrame``, or the ``LassoProblem`` made of it."""

    @property
    def x(self) -> Array:
        """Lagged values, (n, p)."""

    @property
    def y(self) -> Array:
        """Targets, (n,)."""

    @property
    def exog(self) -> Array:
        """Further columns, (n, q)."""


def conditional_mean(
    solution: Solution, frame: Regression, extrapolation: str, curved: Sequence[int] | None = None
) -> ConditionalMean:
    """Return the map of a solution with the chosen rule beyond the training range.

    ``"ar"`` continues with the slopes of the linear autoregression, fitted under the same loss;
    ``"network"`` with the network as trained. Where the solution has no kink and a skip connection,
    the two are the same map.

    Parameters
    ----------
    solution : Solution
        Of the problem whose inputs are the columns ``curved`` of ``frame.x``, and whose unpenalised
        columns are the others and then ``frame.exog``.
    frame : LagFrame or LassoProblem
    extrapolation : {"ar", "network"}
    curved : sequence of int, optional
        Columns of ``frame.x`` with a network; all by default.

    Raises
    ------
    InputError
        For another ``extrapolation``.
    """
    if extrapolation not in EXTRAPOLATIONS:
        raise unknown_name("extrapolation", extrapolation, EXTRAPOLATIONS)
    p, point = frame.x.shape[1], solution.point
    curved = range(p) if curved is None else curved
    straight = [j for j in range(p) if j not in curved]
    first = len(straight)
    # the free columns are counted from zero here, from their anchors there
    constant = point.level - float(point.exog_coef[first:] @ point.exog_anchors[first:])
    parts = {j: solution.network.pieces(i) for i, j in enumerate(curved)}
    for i, j in enumerate(straight):
        parts[j] = combine((), np.empty(0), float(point.exog_coef[i]), float(point.exog_anchors[i]))
    pieces = tuple(parts[j] for j in range(p))
    low, high, slopes = np.full(p, -np.inf), np.full(p, np.inf), np.zeros(p)
    if extrapolation == "ar" and len(curved):
        at = list(curved)
        low[at], high[at] = frame.x[:, at].min(axis=0), frame.x[:, at].max(axis=0)
        slopes[at] = autoregressive_slopes(frame, solution.problem, at)
    return ConditionalMean(constant, pieces, low, high, slopes)


def autoregressive_slopes(frame: Regression, problem: LassoProblem, curved: Sequence[int]) -> Array:
    """Return the slopes, in the columns ``curved`` of ``frame.x``, of the linear fit under the loss.

    For the squared loss these are the coefficients of ``AutoReg``, minimum norm if not unique.
    """
    if problem.loss.quadratic:
        return least_squares_slopes(frame, problem.fit_intercept)[list(curved)]
    return problem.linear_slopes


def least_squares_slopes(frame: Regression, fit_intercept: bool) -> Array:
    """Return the lag coefficients (p,) of the linear autoregression, minimum norm if not unique.

    Examples
    --------
    >>> from cvxar.lags import lag_frame
    >>> from cvxar.observations import observe
    >>> least_squares_slopes(lag_frame(observe([8.0, 4.0, 2.0, 1.0]), (1,)), True).round(12)
    array([0.5])
    """
    design, y = np.hstack([frame.x, frame.exog]), frame.y
    if fit_intercept:
        # the first row goes first, so that a constant column becomes exactly zero
        design, y = design - design[0], y - y[0]
        design, y = design - design.mean(axis=0), y - y.mean()
    scale = np.abs(design).max(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    coef: Array = np.linalg.lstsq(design / scale, y, rcond=1e-12)[0] / scale
    return coef[: frame.x.shape[1]]


def simulate(
    mean: ConditionalMean,
    lags: tuple[int, ...],
    history: Array,
    offsets: Array,
    shocks: Array,
    observed: Array | None = None,
) -> tuple[Array, Array]:
    r"""Simulate paths :math:`y_t = f(y_{t-l_1}, \ldots) + \mathrm{offset}_t + \mathrm{shock}_t`.

    Parameters
    ----------
    mean : ConditionalMean
    lags : tuple of int
        Ascending.
    history : array (at least max(lags),)
        The last observations, in time order.
    offsets : array (steps,)
        Known additive terms of each step (trend, seasons, exogenous part).
    shocks : array (steps, n_paths)
        Residuals drawn for each step and path; zeros (steps, 1) iterate the mean.
    observed : array (at most steps,), optional
        Observations known at the first steps, NaN where missing: every path passes through them.

    Returns
    -------
    means : array (steps,)
        Average over the paths of the conditional mean, before the shock of the same step: exact at
        the first step.
    paths : array (steps, n_paths)
        Simulated observations, shocks included. Cost O(steps n_paths p).
    """
    steps, n_paths = shocks.shape
    past = np.asarray(lags, dtype=np.intp)
    most = max(lags, default=0)
    paths = np.empty((most + steps, n_paths))
    paths[:most] = history[len(history) - most :, None]
    means = np.empty(steps)
    fixed = (
        {i: value for i, value in enumerate(observed) if not np.isnan(value)} if observed is not None else {}
    )
    for step in range(steps):
        now = most + step
        level = mean(paths[now - past].T) + offsets[step]
        means[step] = level.mean()
        paths[now] = fixed.get(step, level + shocks[step])
    return means, paths[most:]


def draw_shocks(residuals: Array, steps: int, n_paths: int, rng: np.random.Generator) -> Array:
    """Resample residuals for every step and path: (steps, n_paths), each row with their mean.

    Each row is a stratified sample: path i of a random order takes the residual at quantile
    ``(i + u) / n_paths``, so that every residual is equally likely but the rows have less sampling
    noise than independent draws. Rows keep the mean of the residuals (zero, but for quantile losses),
    hence the simulated mean of a linear model is its iterated forecast.

    Examples
    --------
    >>> rows = draw_shocks(np.array([-1.0, 1.0]), 3, 10, np.random.default_rng(0))
    >>> np.sort(rows, axis=1)[0].tolist()
    [-1.0, -1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    quantile = (np.arange(n_paths) + rng.random((steps, n_paths))) / n_paths
    place = np.minimum((quantile * len(residuals)).astype(np.intp), len(residuals) - 1)
    drawn = rng.permuted(np.sort(residuals)[place], axis=1)
    kept: Array = drawn - (drawn.mean(axis=1, keepdims=True) - residuals.mean())
    return kept


def normal_shocks(sigma: float, steps: int, n_paths: int, rng: np.random.Generator) -> Array:
    """Draw normal shocks for every step and path: stratified and centred as in `draw_shocks`.

    Examples
    --------
    >>> rows = normal_shocks(2.0, 3, 1000, np.random.default_rng(0))
    >>> rows.std(axis=1).round(1).tolist(), bool(abs(rows.mean(axis=1)).max() < 1e-12)
    ([2.0, 2.0, 2.0], True)
    """
    quantile = (np.arange(n_paths) + rng.random((steps, n_paths))) / n_paths
    drawn = rng.permuted(sigma * scipy.special.ndtri(np.maximum(quantile, np.finfo(float).tiny)), axis=1)
    centred: Array = drawn - drawn.mean(axis=1, keepdims=True)
    return centred


def linear_slopes(mean: ConditionalMean) -> Array | None:
    """Return the slopes (p,) of a map that is linear everywhere; None if it bends."""
    if any(len(piece.breaks) for piece in mean.pieces):
        return None
    inner = np.array([piece.slopes[0] for piece in mean.pieces])
    # the slopes beyond the training range were computed another way: equal up to rounding
    beyond = np.isfinite(mean.low)
    same = np.isclose(inner[beyond], mean.outer_slopes[beyond], rtol=1e-6, atol=1e-9)
    return inner if same.all() else None


def impulse_response(slopes: Array, lags: tuple[int, ...], steps: int) -> Array:
    r"""Return the effect (steps,) of a unit shock after 0, 1, ... steps of a linear autoregression.

    .. math:: \psi_0 = 1, \quad \psi_h = \sum_l \phi_l \psi_{h - l}

    Examples
    --------
    >>> impulse_response(np.array([0.5, 0.25]), (1, 2), 4)
    array([1.   , 0.5  , 0.5  , 0.375])
    """
    response = np.zeros(steps)
    response[:1] = 1.0
    for step in range(1, steps):
        for slope, lag in zip(slopes, lags, strict=True):
            response[step] += slope * response[step - lag] if lag <= step else 0.0
    return response
