"""Forecasts from origins that move through a series, without looking ahead."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.forecasters import Data, Forecaster, Runner, make_runner
from cvxar.schedule import Schedule
from cvxar.threads import one_thread


@dataclass(frozen=True)
class Step:
    """What one model did at one origin.

    Parameters
    ----------
    known : int
        Observations known there.
    table : array (horizon, columns of the schedule)
        Forecasts; NaN where it failed.
    relative_gap : float
        Of the model used; NaN without certificate.
    fit_seconds : float
        Wall time of the fit made there; NaN where none was.
    error : str
        What went wrong; empty if nothing did.
    """

    known: int
    table: Array
    relative_gap: float
    fit_seconds: float
    error: str


def walk(runner: Runner, schedule: Schedule, numbers: Iterable[int]) -> Iterator[Step]:
    """Go from origin to origin; ``runner`` keeps its state in between.

    A failure is told in its step and does not end the walk: at the next origin the model is fitted afresh.

    Parameters
    ----------
    runner : Runner
        Not fitted yet.
    schedule : Schedule
    numbers : iterable of int
        Consecutive numbers of origins; the first fit is made at the first of them.
    """
    ready = False
    for number in numbers:
        known = schedule.initial + number * schedule.step
        try:
            seconds = _prepare(runner, schedule, known, ready, schedule.refits(number))
            step = Step(known, runner.forecast(known, schedule), runner.relative_gap, seconds, "")
        # whatever a forecaster raises is its own failure and not the backtest's
        except Exception as error:
            nothing = np.full((schedule.horizon, len(schedule.columns)), math.nan)
            step = Step(known, nothing, math.nan, math.nan, f"{type(error).__name__}: {error}")
        ready = not step.error
        yield step


def _prepare(runner: Runner, schedule: Schedule, known: int, ready: bool, refit: bool) -> float:
    """Bring a model to an origin; return the seconds of its fit, NaN if there was none."""
    began = time.perf_counter()
    if not (ready and runner.advance(known, refit)):
        runner.fit(schedule.first(known), known)
    elif not refit:
        return math.nan
    return time.perf_counter() - began if runner.timed else math.nan


def run_chunk(forecaster: Any, data: Data, schedule: Schedule, numbers: range) -> list[Step]:
    """Work through some origins: one job.

    On one thread: with more, sums are formed in another order, and results would depend on the machine.
    """
    with one_thread():
        return list(walk(make_runner(forecaster, data, schedule), schedule, numbers))


def tabulate(model: str, steps: list[Step], series: pd.Series, schedule: Schedule) -> pd.DataFrame:
    """Return one row per origin and horizon: forecasts, and the facts of a `Step`.

    Examples
    --------
    >>> series = pd.Series([1.0, 2.0, 4.0, 8.0])
    >>> step = Step(2, np.array([[3.0], [5.0]]), 0.0, 0.1, "")
    >>> tabulate("mine", [step], series, Schedule(2, horizon=2)).iloc[:, :6].to_numpy().tolist()
    [['mine', 1, 2, 1, 4.0, 3.0], ['mine', 1, 3, 2, 8.0, 5.0]]
    """
    known = np.repeat(np.array([step.known for step in steps], dtype=np.int64), schedule.horizon)
    ahead = np.tile(np.arange(1, schedule.horizon + 1), len(steps))
    width = len(schedule.columns)
    means = np.concatenate([step.table for step in steps]) if steps else np.empty((0, width))
    each = {
        name: np.repeat([getattr(step, name) for step in steps], schedule.horizon)
        for name in ("relative_gap", "fit_seconds", "error")
    }
    return pd.DataFrame(
        {
            "model": pd.Series(model, index=range(len(known)), dtype=str),
            "origin": series.index[known - 1],
            "time": series.index[known + ahead - 1],
            "horizon": ahead,
            "y": series.to_numpy()[known + ahead - 1],
            **dict(zip(schedule.columns, means.T, strict=True)),
            **each,
        }
    )


@dataclass(frozen=True)
class Track:
    """What one model did: its forecasts, and facts about its fits.

    Parameters
    ----------
    model : str
        Name of the model.
    forecasts : DataFrame
        As in `tabulate`, the last horizon of every origin alone.
    first, last : object
        The model as fitted to the first training part, and at the last origin.
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
    last: Any
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
        Not fitted.
    series : Series of length n
        Finite values in time order.
    start : int
        Observations known at the first origin.
    horizon : int, default 1
        Steps ahead.
    rng : int, default 0
        Seed of ``forecast`` methods that take one.

    Raises
    ------
    InputError
        If the model fails at every origin.

    Examples
    --------
    >>> from cvxar.baselines import RandomWalk
    >>> track = roll("random walk", RandomWalk(), pd.Series([1.0, 2.0, 4.0, 8.0, 9.0]), start=3)
    >>> track.forecasts[["origin", "time", "y", "mean"]].to_numpy().tolist()
    [[2.0, 3.0, 8.0, 4.0], [3.0, 4.0, 9.0, 8.0]]
    """
    began = time.perf_counter()
    schedule = Schedule(start, horizon, seed=rng)
    # not the quick way: the fitted model itself is wanted
    runner, first, steps = make_runner(model, Data(series), schedule, quick=False), None, []
    with one_thread():
        for step in walk(runner, schedule, range(len(schedule.origins(len(series))))):
            first = runner.fitted if first is None else first
            steps.append(step)
    table = tabulate(name, steps, series, schedule)
    if table["mean"].isna().all():
        raise InputError(f"{name} failed at every origin; at the first: {steps[0].error}")
    return Track(
        name,
        table[table["horizon"] == horizon].reset_index(drop=True),
        first,
        runner.fitted,
        steps[0].fit_seconds,
        time.perf_counter() - began,
        float(table["relative_gap"].max()),
        tuple(getattr(first, "messages_", ())),
    )
