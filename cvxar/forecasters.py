"""What can be backtested, and how it is driven from origin to origin.

A forecaster is an object with ``fit(series)`` and ``forecast(steps)``, or a function
``f(series, horizon) -> values``. Arguments ``exog``, ``level``, ``intervals`` and ``rng`` are handed over
where a signature has them. Between refits ``append(new, refit=False)`` is used when there; a forecaster
without is refitted at every origin, the only way to tell it the news.

Four attributes are understood beyond these: ``certificate_``, or ``certificates_`` as a mapping (the largest
relative gap is reported);
``continues = True`` (refits go on from the last parameters by ``append(new, refit=True)``, in one job);
``takes_missing = False`` (a series with missing values is refused before any work; without the attribute the
forecaster is handed them as NaN); and ``rolling_fits(values)``, which may return `RollingFits`, used for
one-step means without exogenous columns.
"""

import copy
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from cvxar._typing import Array, IntArray
from cvxar.calendars import complete
from cvxar.errors import InputError, InputTypeError
from cvxar.schedule import Schedule

FUTURE_EXOG = ("last", "known")


class Forecaster(Protocol):
    """An object that can be evaluated."""

    def fit(self, series: Any) -> Self:
        """Estimate on a series."""

    def forecast(self, steps: int) -> Any:
        """Forecast the next ``steps`` observations: a DataFrame with column "mean", or numbers."""


class RollingFits(Protocol):
    """One-step forecasts of one series by a model whose training window moves."""

    def fit(self, first: int, known: int) -> None:
        """Fit to the observations at positions ``first`` to ``known - 1``."""

    def forecast(self, known: int) -> float:
        """Forecast the observation after the first ``known`` ones."""

    @property
    def relative_gap(self) -> float:
        """Of the last fit."""


@dataclass(frozen=True)
class Data:
    """A series, its exogenous columns, and which of these a forecaster may see.

    ``future_exog`` says what is handed over for the steps after an origin: ``"last"`` repeats the last value
    known there of each column, ``"known"`` the true rows, a function ``f(past_rows, steps)`` makes its own.
    """

    series: pd.Series
    exog: pd.DataFrame | None = None
    future_exog: Any = "last"

    @cached_property
    def counted(self) -> bool:
        """Whether stamps are missing on the calendar of the series.

        A backtest counts observations: step h is the h-th one to come. Forecasters are then told positions
        for stamps, so that none of them takes a stamp that is missing for a step.
        """
        return len(complete(self.series.index)) != len(self.series)

    @cached_property
    def missing(self) -> IntArray:
        """How many of the first k observations are missing, (n + 1,)."""
        return np.concatenate([[0], np.cumsum(self.series.isna())])

    @cached_property
    def _last_exog(self) -> Array:
        """At each time the last value known of each exogenous column, (n, q)."""
        assert self.exog is not None
        return self.exog.ffill().to_numpy()

    def _rows(self, data: Any, first: int, known: int) -> Any:
        rows = data.iloc[first:known]
        return rows.set_axis(pd.RangeIndex(first, first + len(rows))) if self.counted else rows

    def training(self, first: int, known: int) -> tuple[pd.Series, pd.DataFrame | None]:
        """Observations and exogenous rows at positions ``first`` to ``known - 1``."""
        exog = None if self.exog is None else self._rows(self.exog, first, known)
        return self._rows(self.series, first, known), exog

    def ahead(self, known: int, steps: int) -> Any:
        """Exogenous rows of the steps after the first ``known`` observations."""
        if self.exog is None:
            return None
        if callable(self.future_exog):
            return self.future_exog(self.exog.iloc[:known], steps)
        rows = self._rows(self.exog, known, known + steps)
        if self.future_exog == "known":
            return rows
        repeated = np.repeat(self._last_exog[known - 1 : known], steps, axis=0)
        return pd.DataFrame(repeated, index=rows.index, columns=rows.columns)


class Runner(ABC):
    """One forecaster on one series; its state moves from origin to origin."""

    fitted: Any = None
    timed = True

    @abstractmethod
    def fit(self, first: int, known: int) -> None:
        """Fit to the observations at positions ``first`` to ``known - 1``."""

    @abstractmethod
    def forecast(self, known: int, schedule: Schedule) -> Array:
        """Forecast from the first ``known`` observations: (horizon, columns of the schedule)."""

    def advance(self, known: int, refit: bool) -> bool:
        """Take in the news up to ``known``, if that can be done without a fit."""
        return False

    @property
    def relative_gap(self) -> float:
        """Of the last fit, the largest if it has several; NaN without certificate."""
        single = getattr(self.fitted, "certificate_", None)
        proofs = [] if single is None else [single]
        proofs.extend(getattr(self.fitted, "certificates_", {}).values())
        return max((float(proof.relative_gap) for proof in proofs), default=math.nan)


class FunctionRunner(Runner):
    """A function of the training set and the horizon."""

    timed = False  # it fits when it forecasts

    def __init__(self, function: Callable[..., Any], data: Data) -> None:
        self.function, self.data = function, data

    def fit(self, first: int, known: int) -> None:
        """Note the training set."""
        self.fitted = self.data.training(first, known)

    def forecast(self, known: int, schedule: Schedule) -> Array:
        """Call the function."""
        series, exog = self.fitted
        steps = schedule.horizon
        offered = {"exog": exog, "future_exog": self.data.ahead(known, steps), "level": list(schedule.levels)}
        offered |= {"intervals": schedule.intervals, "rng": schedule.generator(known)}
        extra = accepted(self.function, offered)
        return as_columns(self.function(series, steps, **extra), schedule)


class ModelRunner(Runner):
    """An object with ``fit`` and ``forecast``, and perhaps ``append``."""

    def __init__(self, forecaster: Any, data: Data, continuing: bool) -> None:
        self.forecaster, self.data, self.known, self.continuing = forecaster, data, 0, continuing

    def fit(self, first: int, known: int) -> None:
        """Fit a copy; a ``fit`` that returns a result (as in statsmodels) is taken at its word."""
        series, exog = self.data.training(first, known)
        model = copy.deepcopy(self.forecaster)
        result = model.fit(series, **accepted(model.fit, {"exog": exog}))
        self.fitted, self.known = model if result is None else result, known

    def advance(self, known: int, refit: bool) -> bool:
        """Append what is new, if the model can; refit in doing so only if it continues."""
        if not hasattr(self.fitted, "append") or (refit and not self.continuing):
            return False
        series, exog = self.data.training(self.known, known)
        extra = accepted(self.fitted.append, {"exog": exog, "refit": refit})
        self.fitted, self.known = self.fitted.append(series, **extra), known
        return True

    def forecast(self, known: int, schedule: Schedule) -> Array:
        """Forecast, with what the signature has."""
        offered = {
            "exog": self.data.ahead(known, schedule.horizon),
            "level": list(schedule.levels) or None,
            "intervals": schedule.intervals,
            "rng": schedule.generator(known),
        }
        extra = accepted(self.fitted.forecast, offered)
        return as_columns(self.fitted.forecast(schedule.horizon, **extra), schedule)


class WindowRunner(Runner):
    """Fits of moving windows, each from the one before; in full where an observation is missing.

    Which of the two is decided by what is known at an origin, never by what comes later.
    """

    def __init__(self, offer: Callable[[Array], RollingFits], in_full: ModelRunner) -> None:
        self.offer, self.in_full, self.data = offer, in_full, in_full.data
        self.fitted: Any = None
        self.span = (0, 0)

    def _complete(self, first: int, known: int) -> bool:
        return bool(self.data.missing[first] == self.data.missing[known])

    def fit(self, first: int, known: int) -> None:
        """Move the window; start it anew after one with a missing observation."""
        self.span = first, known
        if not self._complete(first, known):
            self.in_full.fit(first, known)
            self.fitted = None
            return
        if self.fitted is None:
            self.fitted = self.offer(self.data.series.to_numpy())
        self.fitted.fit(first, known)

    def advance(self, known: int, refit: bool) -> bool:
        """Nothing is needed but a refit: the fits know the series, unless something in it is missing."""
        if refit:
            return False
        if self.fitted is not None and self._complete(self.span[0], known):
            return True
        if self.fitted is not None:
            self.in_full.fit(*self.span)
            self.fitted = None
        return self.in_full.advance(known, False)

    def forecast(self, known: int, schedule: Schedule) -> Array:
        """Forecast from the last fit."""
        if self.fitted is None:
            return self.in_full.forecast(known, schedule)
        return as_columns(self.fitted.forecast(known), schedule)

    @property
    def relative_gap(self) -> float:
        """Of the last fit."""
        return self.in_full.relative_gap if self.fitted is None else float(self.fitted.relative_gap)


def continues(forecaster: Any, schedule: Schedule) -> bool:
    """Whether every refit goes on from the last parameters: only on sets that grow."""
    return bool(getattr(forecaster, "continues", False)) and schedule.window is None


def make_runner(forecaster: Any, data: Data, schedule: Schedule, *, quick: bool = True) -> Runner:
    """Return what drives a forecaster; ``quick`` takes up its offer of rolling fits."""
    if not hasattr(forecaster, "fit"):
        return FunctionRunner(forecaster, data)
    in_full = ModelRunner(forecaster, data, continues(forecaster, schedule))
    quick = quick and data.exog is None and schedule.columns == ["mean"] and schedule.horizon == 1
    offer = getattr(forecaster, "rolling_fits", None) if quick else None
    if offer is None or offer(data.series.to_numpy()) is None:
        return in_full
    return WindowRunner(offer, in_full)


def check_forecaster(name: Any, forecaster: Any) -> None:
    """Raise unless something can be backtested.

    Examples
    --------
    >>> check_forecaster("mine", 3)
    Traceback (most recent call last):
        ...
    cvxar.errors.InputTypeError: forecasters['mine'] must have fit(series) and forecast(steps), or be a ...
    """
    if not isinstance(name, str):
        raise InputTypeError(f"the names of forecasters must be text, got {name!r}")
    if isinstance(forecaster, type):
        raise InputTypeError(
            f"forecasters[{name!r}] is the class {forecaster.__name__}; give an object of it, "
            f"{forecaster.__name__}(...)"
        )
    whole = hasattr(forecaster, "fit") and hasattr(forecaster, "forecast")
    if not whole and (hasattr(forecaster, "fit") or not callable(forecaster)):
        raise InputTypeError(
            f"forecasters[{name!r}] must have fit(series) and forecast(steps), or be a function of series "
            f"and horizon; got {type(forecaster).__name__} (cvxar.Wrapped adapts models of statsmodels)"
        )


def check_missing(name: str, forecaster: Any, data: Data) -> None:
    """Raise if data with missing values are meant for a forecaster that says it takes none."""
    if getattr(forecaster, "takes_missing", True):
        return
    _refuse_missing(name, forecaster, "the series", data.series.to_frame())
    if data.exog is not None and accepted(forecaster.fit, {"exog": data.exog}):
        _refuse_missing(name, forecaster, "exog", data.exog)


def _refuse_missing(name: str, forecaster: Any, what: str, table: pd.DataFrame) -> None:
    holes = table.isna().any(axis=1)
    if holes.any():
        raise InputError(
            f"forecasters[{name!r}] ({type(forecaster).__name__}) takes no missing values, and {what} has "
            f"{int(holes.sum())} in {len(holes)} rows, the first at {holes.idxmax()}; leave the model out, "
            "fill them, or use a model that takes them (ConvexAR does; with beta_ratio=1.0 it is the linear "
            "autoregression)"
        )


def accepted(function: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    """Keep the arguments that are there and that the signature has a place for.

    Examples
    --------
    >>> accepted(lambda series, rng: 0, {"rng": 1, "level": [80]}), accepted(max, {"rng": 1})
    ({'rng': 1}, {})
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have none
        return {}
    names = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY)}
    everything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return {k: v for k, v in offered.items() if v is not None and (everything or k in names)}


def as_columns(answer: Any, schedule: Schedule) -> Array:
    """Return a forecast as an array (horizon, columns); bands that were not given are NaN.

    Raises
    ------
    InputError
        For an answer of another length, without means, or with values that are not finite.
    """
    steps, columns = schedule.horizon, schedule.columns
    table = np.full((steps, len(columns)), math.nan)
    if isinstance(answer, pd.DataFrame):
        if "mean" not in answer:
            raise InputError(f'the forecast has no column "mean", but {list(answer.columns)}')
        given: dict[int, Any] = {i: answer[name] for i, name in enumerate(columns) if name in answer}
    else:
        given = {0: np.atleast_1d(np.asarray(answer, dtype=float))}
    for place, values in given.items():
        if np.shape(values) != (steps,):
            raise InputError(f"the forecast has shape {np.shape(values)}, asked for were {steps} steps")
        table[:, place] = values
    if not np.isfinite(table[:, 0]).all():
        raise InputError(f"the forecast holds values that are not finite: {table[:, 0].tolist()}")
    return table
