"""Forecasts and predictions of a fitted map: means, simulated paths, stamps."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array, IntArray
from cvxar.deterministic import Deterministic
from cvxar.errors import InputError
from cvxar.lags import complete_rows, lag_matrix, longest
from cvxar.observations import Observations, check_exog_matches, extend, observe_exog
from cvxar.options import check_count, check_name, check_size, make_generator
from cvxar.simulation import ConditionalMean, draw_shocks, normal_shocks, simulate
from cvxar.stamps import future_index, locate, stretch
from cvxar.transforms import Scale

METHODS = ("simulate", "iterate")
N_PATHS = 1000


@dataclass(frozen=True)
class Paths:
    """How the steps after an origin are computed: see ``ConvexAR.forecast`` for the meaning.

    ``sigma``: standard deviation of normal shocks; None resamples the residuals.
    """

    method: str = "simulate"
    n_paths: int = N_PATHS
    rng: Any = None
    sigma: float | None = None

    def __post_init__(self) -> None:
        check_name("method", self.method, METHODS)
        check_count(self.n_paths, "n_paths", 2)

    def shocks(self, residuals: Array, steps: int) -> Array:
        """Draw the shocks (steps, n_paths)."""
        rng = make_generator(self.rng)
        if self.sigma is None:
            return draw_shocks(residuals, steps, self.n_paths, rng)
        return normal_shocks(self.sigma, steps, self.n_paths, rng)


@dataclass(frozen=True)
class Ahead:
    """The steps after the sample.

    Parameters
    ----------
    stamps : Index (steps,)
    exog : array (steps, q)
    means : array (steps,)
        In the units of the series.
    paths : array (steps, n_paths)
        Simulated observations in the units of the series.
    centre : array (steps,)
        Means of the transformed levels, differences summed up.
    unbroken : bool
        Whether every lag of the first step is known.
    """

    stamps: pd.Index
    exog: Array
    means: Array
    paths: Array
    centre: Array
    unbroken: bool


@dataclass(frozen=True)
class Predictor:
    """A fitted map and the observations it predicts from.

    Parameters
    ----------
    known : Observations
        All observations known, those of the fit first, in the units of the series.
    lags : tuple of int
        Ascending.
    deterministic : Deterministic
        Trend and seasonal columns.
    scale : Scale
        The scale on which the map works.
    mean : ConditionalMean
        The map from lags to the next value, free columns apart.
    free_coef : array (d + q,)
        Coefficients of the deterministic and exogenous columns.
    rows : array (m,)
        Positions of the observations that are known together with their lags.
    fitted : array (m,)
        Their one-step fits, on the scale of the map.
    residuals : array
        Shocks to resample, mean zero, on that scale.
    """

    known: Observations
    lags: tuple[int, ...]
    deterministic: Deterministic
    scale: Scale
    mean: ConditionalMean
    free_coef: Array
    rows: IntArray
    fitted: Array
    residuals: Array

    @cached_property
    def values(self) -> Array:
        """All observations known, on the scale of the map, (n,)."""
        return self.scale.forward(self.known.values)

    def ahead(self, steps: int, exog: Any, paths: Paths) -> Ahead:
        """Return means and simulated paths of the next ``steps`` observations."""
        stamps = future_index(self.known.index, steps)
        rows = self._future_exog(exog, stamps)
        ahead = self._simulate(len(self.known), self.offsets(len(self.known), rows), paths)
        return replace(ahead, stamps=stamps, exog=rows)

    def predict(self, start: Any, end: Any, dynamic: Any, exog: Any, paths: Paths) -> pd.Series:
        """Return one-step fits, then forecasts: after the sample, or from the ``dynamic`` position on."""
        first, last = self._span(start, end)
        n = len(self.known)
        origin = min(self._origin(first, last, dynamic), last + 1, n)
        stamps = future_index(self.known.index, max(last + 1 - n, 0)) if last >= n else self.known.index[:0]
        exog_rows = np.vstack([self.known.exog, self._future_exog(exog, stamps)])
        values = np.empty(0)
        if last >= origin:
            offsets = self.offsets(origin, exog_rows[origin : last + 1])
            values = self._simulate(origin, offsets, paths).means
        before = self._one_step(min(first, origin), origin)
        joined = np.concatenate([before, values])
        index = stretch(self.known.index, first, last)
        return pd.Series(joined[len(joined) - len(index) :], index=index)

    def extended(self, new: Any, exog: Any) -> "Predictor":
        """Return the same map with later observations known."""
        return self.informed(extend(self.known, new, exog, gaps=True))

    def informed(self, known: Observations) -> "Predictor":
        """Return the same map with other observations known: the present ones, and later ones."""
        if len(known) == len(self.known):
            return self
        first, longer = len(self.known), replace(self, known=known)
        x, offsets = longer._inputs(first, len(known))
        rows = complete_rows(longer.values[first:], x, offsets)
        fits = self.mean(x[rows]) + offsets[rows]
        return replace(
            longer,
            rows=np.concatenate([self.rows, rows + first]),
            fitted=np.concatenate([self.fitted, fits]),
        )

    @property
    def targets(self) -> Array:
        """Observations that are known together with their lags, on the scale of the map, (m,)."""
        return self.values[self.rows]

    def series(self, values: Array) -> pd.Series:
        """Label one number per fitted observation with its stamp."""
        index, first = self.known.index, len(self.known) - len(self.rows)
        # a slice keeps the frequency
        return pd.Series(values, index=index[first:] if self._unbroken else index[self.rows])

    @property
    def _unbroken(self) -> bool:
        """Whether the rows are the last ones without a gap."""
        n = len(self.known)
        return bool(len(self.rows) and self.rows[0] == n - len(self.rows) and self.rows[-1] == n - 1)

    def _inputs(self, first: int, last: int) -> tuple[Array, Array]:
        """Lagged values and additive terms at the positions from ``first`` to ``last - 1``."""
        x = lag_matrix(self.values[:last], self.lags, first)
        return x, self.offsets(first, self.known.exog[first:last])

    def offsets(self, first: int, exog: Array) -> Array:
        """Return the additive terms of the positions from ``first`` on, one per row of ``exog``."""
        free = np.hstack([self.deterministic.columns(first, first + len(exog)), exog])
        offsets: Array = free @ self.free_coef
        return offsets

    def future_offsets(self, exog: Any, stamps: pd.Index) -> Array:
        """Additive terms of the observations to come, one per stamp."""
        return self.offsets(len(self.known), self._future_exog(exog, stamps))

    def _one_step(self, first: int, last: int) -> Array:
        """One-step means in the units of the series; NaN where a lag is missing."""
        start = max(first, longest(self.lags))
        result = np.full(max(last - first, 0), np.nan)
        if start >= last:
            return result
        x, offsets = self._inputs(start, last)
        means = self.mean(x) + offsets
        own = (self.rows >= start) & (self.rows < last)
        means[self.rows[own] - start] = self.fitted[own]
        previous = self.known.values[start - 1 : last - 1] if self.scale.differenced else means
        result[start - first :] = self.scale.expected(means, previous, self.residuals)
        return result

    def _simulate(self, origin: int, offsets: Array, paths: Paths) -> Ahead:
        """Simulate the steps after the first ``origin`` observations.

        The mean is that of the simulated observations: of their conditional means where the scale is
        linear, which is the same with less sampling noise.
        """
        steps = len(offsets)
        start, last = self._bridge(origin, steps)
        extra = origin - start
        check_size(steps + extra, paths.n_paths)
        means, simulated = self._run(start, origin, offsets, paths.shocks(self.residuals, steps + extra))
        if paths.method == "iterate":
            means, _ = self._run(start, origin, offsets, np.zeros((steps + extra, 1)))
        level = self.known.values[last] if self.scale.differenced else np.nan
        skipped = last + 1 - start if self.scale.differenced else extra
        inverted = self.scale.back(simulated[skipped:], level)[extra - skipped :]
        centre = self.scale.levels(means[skipped:, None], level)[extra - skipped :, 0]
        averaged = paths.method == "simulate" and not self.scale.linear
        mean = inverted.mean(axis=1) if averaged else self.scale.invert(centre)
        return Ahead(self.known.index[:0], self.known.exog[:0], mean, inverted, centre, not extra)

    def _run(self, start: int, origin: int, offsets: Array, shocks: Array) -> tuple[Array, Array]:
        observed = self.values[start:origin]
        before = self.offsets(start, self.known.exog[start:origin])
        history = self.values[start - longest(self.lags) : start]
        every = np.concatenate([before, offsets])
        return simulate(self.mean, self.lags, history, every, shocks, observed)

    def _bridge(self, origin: int, steps: int) -> tuple[int, int]:
        """Position where simulation starts, and the last one observed before ``origin``.

        It starts at the origin, or at the first missing observation that the steps depend on.
        """
        there = np.isfinite(self.known.values[:origin])
        last = origin - 1 if origin and there[-1] else int(np.max(np.flatnonzero(there), initial=-1))
        ahead = {origin + step - lag for lag in self.lags for step in range(min(lag, steps))}
        changes = range(last + 1, origin) if self.scale.differenced else ()
        missing = self._unknown({*ahead, *changes})
        if min(missing, default=0) < 0 or (self.scale.differenced and last < 0):
            raise InputError(
                f"the observations before position {origin} are too few, or too many of them are missing, "
                "for all lags of a forecast to be known or forecast themselves; start later"
            )
        for at in missing:
            if np.isnan(self.offsets(at, self.known.exog[at : at + 1])[0]):
                raise InputError(
                    f"the observation at {self.known.index[at]} is missing and so is its exogenous value, "
                    "which is needed to forecast past it; give that value"
                )
        return min(missing, default=origin), last

    def _unknown(self, wanted: set[int]) -> set[int]:
        """Missing positions among the wanted, and those that their own lags lead to."""
        values, found, waiting = self.values, set[int](), set(wanted)
        while waiting:
            at = waiting.pop()
            if at < 0 or not np.isfinite(values[at]):
                found.add(at)
                waiting |= {at - lag for lag in self.lags if at >= 0} - found
        return found

    def _future_exog(self, exog: Any, stamps: pd.Index) -> Array:
        if not len(stamps) and exog is None:
            return self.known.exog[:0]
        calendar = stamps if isinstance(stamps, (pd.DatetimeIndex, pd.PeriodIndex)) else None
        values, names = observe_exog(exog, calendar)
        check_exog_matches(self.known, names, exog)
        if exog is not None and len(values) != len(stamps):
            raise InputError(f"exog has {len(values)} rows for {len(stamps)} steps; give one row per step")
        return values if exog is not None else np.empty((len(stamps), 0))

    def _span(self, start: Any, end: Any) -> tuple[int, int]:
        index = self.known.index
        first = 0 if start is None else locate(index, start, "start")
        last = len(index) - 1 if end is None else locate(index, end, "end", last=True)
        if first > last:
            raise InputError(f"start lies after end (positions {first} and {last}); swap them or move end")
        return first, last

    def _origin(self, first: int, last: int, dynamic: Any) -> int:
        """Position from which on nothing observed is used."""
        if isinstance(dynamic, (bool, np.bool_)):
            return first if dynamic else len(self.known)
        if isinstance(dynamic, (int, np.integer)):
            origin = first + check_count(dynamic, "dynamic", 0)
            if origin > last + 1:
                raise InputError(
                    f"dynamic={dynamic} is a number of observations after start, also where labels are whole "
                    f"numbers, and lies beyond end; give at most {last + 1 - first}"
                )
            return origin
        return locate(self.known.index, dynamic, "dynamic")
