"""What can be backtested, and how it is driven from origin to origin.

A forecaster is an object with ``fit(series)`` and ``forecast(steps)``, or a function
``f(series, horizon) -> values``. Arguments ``exog``, ``level`` and ``rng`` are handed over where a signature
has them. Between refits ``append(new, refit=False)`` is used when there; a forecaster without is refitted at
every origin, the only way to tell it the news.

Three attributes are understood beyond these: ``certificate_``, or ``certificates_`` as a mapping (the largest
relative gap is reported);
``continues = True`` (refits go on from the last parameters by ``append(new, refit=True)``, in one job); and
``rolling_fits(values)``, which may return `RollingFits`, used for one-step means without exogenous columns.
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

from cvxar._typing import Array
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

    ``future_exog`` says what is handed over for the steps after an origin: ``"last"`` repeats the last row
    known there, ``"known"`` the true rows, a function ``f(past_rows, steps)`` makes its own.
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
        repeated = np.repeat(self.exog.to_numpy()[known - 1 : known], steps, axis=0)
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
        extra = accepted(self.function, offered | {"rng": schedule.generator(known)})
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
            "rng": schedule.generator(known),
        }
        extra = accepted(self.fitted.forecast, offered)
        return as_columns(self.fitted.forecast(schedule.horizon, **extra), schedule)


class WindowRunner(Runner):
    """Fits of moving windows, each from the one before."""

    def __init__(self, fits: RollingFits) -> None:
        self.fitted = fits

    def fit(self, first: int, known: int) -> None:
        """Move the window."""
        self.fitted.fit(first, known)

    def advance(self, known: int, refit: bool) -> bool:
        """Nothing is needed but a refit: the fits know the series."""
        return not refit

    def forecast(self, known: int, schedule: Schedule) -> Array:
        """Forecast from the last fit."""
        return as_columns(self.fitted.forecast(known), schedule)

    @property
    def relative_gap(self) -> float:
        """Of the last fit."""
        return float(self.fitted.relative_gap)


def continues(forecaster: Any, schedule: Schedule) -> bool:
    """Whether every refit goes on from the last parameters: only on sets that grow."""
    return bool(getattr(forecaster, "continues", False)) and schedule.window is None


def make_runner(forecaster: Any, data: Data, schedule: Schedule, *, quick: bool = True) -> Runner:
    """Return what drives a forecaster; ``quick`` takes up its offer of rolling fits."""
    if not hasattr(forecaster, "fit"):
        return FunctionRunner(forecaster, data)
    quick = quick and data.exog is None and schedule.columns == ["mean"] and schedule.horizon == 1
    offer = getattr(forecaster, "rolling_fits", None) if quick else None
    fits = None if offer is None else offer(data.series.to_numpy())
    if fits is not None:
        return WindowRunner(fits)
    return ModelRunner(forecaster, data, continues(forecaster, schedule))


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
