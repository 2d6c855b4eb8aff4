"""Forecasts of the last part of a series from origins that move through it, without looking ahead."""

import copy
import inspect
import math
import time
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from cvxar._typing import Array


class Forecaster(Protocol):
    """What can be evaluated; ``append(new, refit=True)`` and ``resid_`` are used when they are there."""

    def fit(self, series: Any) -> Self:
        """Estimate on a series."""

    def forecast(self, steps: int) -> pd.DataFrame:
        """Forecast the next ``steps`` observations, in column "mean"."""


@dataclass(frozen=True)
class Track:
    """What one model did: its forecasts, and facts about its fits.

    Parameters
    ----------
    model : str
        Name of the model.
    forecasts : DataFrame
        origin (last stamp known), time, horizon, y, mean; one row per origin.
    first : object
        The model as fitted to the first training part.
    fit_seconds, total_seconds : float
        Wall time of that first fit, and of everything.
    relative_gap : float
        Largest over the origins; NaN for a model without certificate.
    messages : tuple of str
        What its optimiser warned of in the first fit.
    """

    model: str
    forecasts: pd.DataFrame
    first: Any
    fit_seconds: float
    total_seconds: float
    relative_gap: float
    messages: tuple[str, ...]

    @property
    def residuals(self) -> Array:
        """Training residuals of the first fit, oldest first; empty when the model has none."""
        return np.asarray(getattr(self.first, "resid_", ()), dtype=float)


def roll(
    name: str, model: Forecaster, series: pd.Series, *, start: int, horizon: int = 1, rng: int = 0
) -> Track:
    """Fit to the first ``start`` values, then forecast and refit origin by origin to the end of the series.

    The forecast of the value at position t is made by a model that has seen positions ``0 .. t - horizon``
    and no others. ``model`` itself is not changed. Cost: one fit and one refit per further origin.

    Parameters
    ----------
    name : str
        Name in the result.
    model : Forecaster
        Not fitted; with ``append`` it is refitted by ``append(new, refit=True)``, otherwise by ``fit``.
    series : Series of length n
        Finite values in time order.
    start : int
        Observations known at the first origin.
    horizon : int, default 1
        Steps ahead.
    rng : int, default 0
        Seed handed to ``forecast`` methods that take one.

    Examples
    --------
    >>> from cvxar.baselines import RandomWalk
    >>> track = roll("random walk", RandomWalk(), pd.Series([1.0, 2.0, 4.0, 8.0, 9.0]), start=3)
    >>> track.forecasts[["origin", "time", "y", "mean"]].to_numpy().tolist()
    [[2.0, 3.0, 8.0, 4.0], [3.0, 4.0, 9.0, 8.0]]
    """
    began = time.perf_counter()
    fitted = first = copy.deepcopy(model).fit(series.iloc[:start])
    fit_seconds = time.perf_counter() - began
    means, gaps = [], []
    for known in range(start, len(series) - horizon + 1):
        if known > start:
            fitted = _advance(fitted, series, known)
        means.append(_forecast(fitted, horizon, rng))
        gaps.append(_gap(fitted))
    return Track(
        name,
        _table(series, means, start, horizon),
        first,
        fit_seconds,
        time.perf_counter() - began,
        max(gaps),
        tuple(getattr(first, "messages_", ())),
    )


def _advance(fitted: Any, series: pd.Series, known: int) -> Any:
    """Refit with one more observation: ``known`` in all."""
    if hasattr(fitted, "append"):
        return fitted.append(series.iloc[known - 1 : known], refit=True)
    return copy.deepcopy(fitted).fit(series.iloc[:known])


def _forecast(fitted: Any, horizon: int, rng: int) -> float:
    takes_rng = "rng" in inspect.signature(fitted.forecast).parameters
    table = fitted.forecast(horizon, rng=rng) if takes_rng else fitted.forecast(horizon)
    return float(table["mean"].iloc[-1])


def _gap(fitted: Any) -> float:
    certificate = getattr(fitted, "certificate_", None)
    return math.nan if certificate is None else float(certificate.relative_gap)


def _table(series: pd.Series, means: list[float], start: int, horizon: int) -> pd.DataFrame:
    targets = slice(start + horizon - 1, len(series))
    return pd.DataFrame(
        {
            "origin": series.index[start - 1 : len(series) - horizon],
            "time": series.index[targets],
            "horizon": horizon,
            "y": series.to_numpy()[targets],
            "mean": means,
        }
    )
