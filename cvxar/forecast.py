"""Forecasts and predictions of a fitted map: means, quantile bands, stamps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.lags import lag_matrix
from cvxar.observations import Observations, check_exog_matches, extend, observe_exog
from cvxar.options import check_count, check_name, check_size, make_generator
from cvxar.simulation import ConditionalMean, draw_shocks, simulate
from cvxar.stamps import future_index, locate

METHODS = ("simulate", "iterate")
INTERVALS = ("bootstrap",)
N_PATHS = 1000


@dataclass(frozen=True)
class Paths:
    """How the steps after an origin are computed: see ``ConvexAR.forecast`` for the meaning."""

    method: str = "simulate"
    n_paths: int = N_PATHS
    rng: Any = None

    def __post_init__(self) -> None:
        check_name("method", self.method, METHODS)
        check_count(self.n_paths, "n_paths", 2)


@dataclass(frozen=True)
class Predictor:
    """A fitted map and the observations it predicts from.

    Parameters
    ----------
    known : Observations
        All observations known, those of the fit first.
    lags : tuple of int
        Ascending.
    mean : ConditionalMean
        The map from lags to the next value, exogenous part apart.
    exog_coef : array (q,)
        Coefficients of the exogenous columns.
    fitted : array (n - max(lags),)
        One-step fits of all observations that have their lags.
    residuals : array
        Shocks to resample, mean zero.
    """

    known: Observations
    lags: tuple[int, ...]
    mean: ConditionalMean
    exog_coef: Array
    fitted: Array
    residuals: Array

    def forecast(self, steps: int, exog: Any, levels: Sequence[float], paths: Paths) -> pd.DataFrame:
        """Return means and bands of the next ``steps`` observations, indexed by their stamps."""
        stamps = future_index(self.known.index, steps)
        offsets = self._future_exog(exog, stamps) @ self.exog_coef
        means, simulated = self._simulate(len(self.known), offsets, paths)
        return forecast_table(stamps, means, simulated, levels)

    def predict(self, start: Any, end: Any, dynamic: bool, exog: Any, paths: Paths) -> pd.Series:
        """Return one-step fits, then forecasts: after the sample, or from ``start`` if dynamic."""
        first, last = self._span(start, end)
        n = len(self.known)
        origin = first if dynamic else n
        if origin < self.lags[-1]:
            raise InputError(
                f"dynamic predictions need {self.lags[-1]} observations before start, got {origin}"
            )
        stamps = future_index(self.known.index, max(last + 1 - n, 0)) if last >= n else self.known.index[:0]
        exog_rows = np.vstack([self.known.exog, self._future_exog(exog, stamps)])
        means, _ = self._simulate(origin, exog_rows[origin : last + 1] @ self.exog_coef, paths)
        one_step = np.concatenate([np.full(self.lags[-1], np.nan), self.fitted])[:origin]
        index = self.known.index.append(stamps) if len(stamps) else self.known.index
        return pd.Series(np.concatenate([one_step, means])[first : last + 1], index=index[first : last + 1])

    def extended(self, new: Any, exog: Any) -> "Predictor":
        """Return the same map with later observations known."""
        known = extend(self.known, new, exog)
        count = len(known) - len(self.known)
        if not count:
            return self
        lagged = lag_matrix(known.values[-(count + self.lags[-1]) :], self.lags)
        fits = self.mean(lagged) + known.exog[-count:] @ self.exog_coef
        return replace(self, known=known, fitted=np.concatenate([self.fitted, fits]))

    @property
    def targets(self) -> Array:
        """All observations that have their lags, (n - max(lags),)."""
        return self.known.values[self.lags[-1] :]

    def series(self, values: Array) -> pd.Series:
        """Label one number per fitted observation with its stamp."""
        return pd.Series(values, index=self.known.index[self.lags[-1] :])

    def _simulate(self, origin: int, offsets: Array, paths: Paths) -> tuple[Array, Array]:
        """Means and simulated observations of the steps after the first ``origin`` observations."""
        history, steps = self.known.values[:origin], len(offsets)
        check_size(steps, paths.n_paths)
        shocks = draw_shocks(self.residuals, steps, paths.n_paths, make_generator(paths.rng))
        means, simulated = simulate(self.mean, self.lags, history, offsets, shocks)
        if paths.method == "iterate":
            means, _ = simulate(self.mean, self.lags, history, offsets, np.zeros((steps, 1)))
        return means, simulated

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


def forecast_table(stamps: pd.Index, means: Array, paths: Array, levels: Sequence[float]) -> pd.DataFrame:
    """Assemble columns ``mean`` and, for each level in per cent, ``lower_80`` and ``upper_80``.

    Bands are the central quantiles over the paths of the simulated observations.

    Examples
    --------
    >>> table = forecast_table(pd.RangeIndex(1), np.zeros(1), np.arange(-5.0, 6.0)[None, :], (80,))
    >>> table.iloc[0].tolist()
    [0.0, -4.0, 4.0]
    """
    columns = {"mean": means}
    for level in levels:
        tail = (1 - level / 100) / 2
        lower, upper = np.quantile(paths, [tail, 1 - tail], axis=1)
        columns |= {f"lower_{level:g}": lower, f"upper_{level:g}": upper}
    return pd.DataFrame(columns, index=stamps)
