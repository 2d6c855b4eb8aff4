"""Backtests: forecasts of many models from origins that move through a series."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import joblib
import pandas as pd

from cvxar.calendars import complete
from cvxar.errors import CalendarWarning, CvxarError, FailureWarning, InputError, InputTypeError
from cvxar.evaluation import Backtest
from cvxar.forecasters import FUTURE_EXOG, Data, check_forecaster, check_missing, continues
from cvxar.interval_kinds import choose_intervals
from cvxar.model import ConvexAR
from cvxar.observations import observe
from cvxar.options import check_count, check_flag, check_name
from cvxar.resume import check_resume, fingerprint, rows_of
from cvxar.rolling import Step, run_chunk, tabulate
from cvxar.schedule import Schedule, make_schedule
from cvxar.threads import one_thread


def backtest(
    series: Any,
    forecasters: Mapping[str, Any],
    *,
    horizon: int = 1,
    initial: int | None = None,
    step: int = 1,
    window: int | None = None,
    refit: int = 1,
    level: Any = None,
    intervals: Any = None,
    exog: Any = None,
    future_exog: Any = "last",
    n_jobs: int = 1,
    progress: bool = False,
    rng: Any = 0,
    resume: Backtest | None = None,
) -> Backtest:
    r"""Forecast from origins that move through a series; nothing later than an origin enters its forecasts.

    At origin t every model knows :math:`y_1, \ldots, y_t`, was last fitted to the end of that stretch (or to
    its last ``window`` values) and forecasts :math:`y_{t+1}, \ldots, y_{t+h}`. Origins that leave fewer than
    ``horizon`` observations after them are not used.

    Parameters
    ----------
    series : Series, one-column DataFrame, array or sequence of n numbers
        In time order, NaN where missing; copied, never changed. Steps are counted in rows, and where stamps
        of the calendar have no row forecasters are told positions for stamps. To have such stamps count as
        missing, as ``fit`` does, put them there: ``series.reindex(complete(series.index))``, with
        :func:`cvxar.calendars.complete`.
    forecasters : mapping of str to forecaster
        Anything with ``fit(series)`` and ``forecast(steps[, level=...])``, or a function
        ``f(series, horizon) -> values``; see :mod:`cvxar.forecasters`, and :class:`cvxar.Wrapped` for models
        of statsmodels. They are copied, not fitted themselves.
    horizon : int, default 1
        Steps ahead; every step up to it is forecast.
    initial : int, optional
        Observations in the first training set; default ``window`` or, without one, 80 % of the series.
    step : int, default 1
        Observations from one origin to the next.
    window : int, optional
        Train on the last so many observations (rolling); default: on all (expanding).
    refit : int, default 1
        Refit at every so many origins. In between ``append(new, refit=False)`` tells the news to models that
        have it; others are refitted at every origin.
    level : number or sequence, optional
        Bands in per cent, for the models whose ``forecast`` takes ``level``.
    intervals : str or mapping of str to str, optional
        How bands are made, for the models whose ``forecast`` takes ``intervals`` (:class:`cvxar.ConvexAR`:
        "bootstrap", "gaussian", "conformal", "quantile"): one kind for all of these, or a kind by model, such
        as ``{"calibrated": "conformal"}``. Default: each model's own. They are scored alike.
    exog : Series, DataFrame or array (n,) or (n, q), optional
        Handed to the models that take it: the rows of the training set to ``fit``. NaN where missing.
    future_exog : {"last", "known"} or function, default "last"
        Rows handed to ``forecast`` for the steps after an origin: the last value known there of each column,
        repeated; or the true rows, which is fair only for columns known in advance (a calendar, a plan); or
        what ``f(past_rows, steps)`` returns.
    n_jobs : int, default 1
        Jobs of ``joblib``. With 1, ``joblib.parallel_config(backend=...)`` decides (a dask or ray cluster,
        for example). The forecasts are the same to the last bit, however many and wherever.
    progress : bool, default False
        Show a bar; needs tqdm, which ``pip install "cvxar[progress]"`` brings.
    rng : seed or Generator, default 0
        Of simulated forecasts; every origin has its own stream.
    resume : Backtest, optional
        An earlier result with the same settings on the same data, or a beginning of them: what it holds is
        not computed again (origins that failed are).

    Returns
    -------
    Backtest
        Forecasts as one long frame; :meth:`~cvxar.evaluation.Backtest.scores`,
        :meth:`~cvxar.evaluation.Backtest.compare`. A model that fails at an origin is reported there
        (column error, ``failures``) and fitted afresh at the next one.

    Raises
    ------
    InputError, InputTypeError
        For arguments that cannot be used, or ``progress=True`` without tqdm, before any work; also for
        missing values where a model says that it takes none (``takes_missing``), naming it.

    Warns
    -----
    CalendarWarning
        When stamps of the calendar have no row: these are passed over.
    FailureWarning
        When a model failed at every origin, with its first error.

    Notes
    -----
    Missing values: models are told of them as NaN. Forecasts of an observation that is missing are listed,
    with NaN for ``y``, and not scored. :class:`cvxar.ConvexAR` forecasts from the last complete lags; a model
    that raises or returns NaN at an origin has failed there.

    Cost: one fit per origin divided by ``refit``. :class:`cvxar.ConvexAR` with one lag and a fixed
    ``beta_ratio`` or ``beta`` moves its window from fit to fit (:mod:`cvxar.sliding`), which takes less time
    than a linear autoregression.

    Examples
    --------
    >>> from cvxar.baselines import RandomWalk
    >>> models = {"walk": RandomWalk(), "zero": lambda series, horizon: [0.0] * horizon}
    >>> result = backtest([0.0, 1.0, 2.0, 4.0, 7.0], models, initial=3)
    >>> result.forecasts[["model", "origin", "time", "y", "mean"]].to_numpy().tolist()
    [['walk', 2, 3, 4.0, 2.0], ['walk', 3, 4, 7.0, 4.0], ['zero', 2, 3, 4.0, 0.0], ['zero', 3, 4, 7.0, 0.0]]
    >>> result.scores("mae")["mae"].to_dict()
    {'walk': 2.5, 'zero': 5.5}
    """
    models, data = _check_models(forecasters), _make_data(series, exog, future_exog)
    for name, model in models.items():
        check_missing(name, model, data)
    schedule = make_schedule(
        len(data.series),
        horizon=horizon,
        initial=initial,
        step=step,
        window=window,
        refit=refit,
        level=level,
        rng=rng,
    )
    kinds = choose_intervals(intervals, models, schedule.levels)
    _check_progress(progress)
    if n_jobs is not None and n_jobs != -1:
        check_count(n_jobs, "n_jobs (or -1, for all processors)")
    if data.counted:
        _warn_of_gaps(data)
    marks = {name: fingerprint(model, kinds.get(name)) for name, model in models.items()}
    result = Backtest(pd.DataFrame(), schedule, data, marks, kinds)
    result = _run(result, models, check_resume(resume, result), n_jobs, progress)
    for name in models:
        _warn_if_silent(result, name)
    return result


def _run(
    draft: Backtest, models: dict[str, Any], earlier: Backtest | None, n_jobs: int | None, progress: bool
) -> Backtest:
    """Work through the chunks that are not there yet, and put all rows together."""
    data, schedule = draft.data, draft.schedule
    kept, jobs = {}, []
    for name, model in models.items():
        for chunk in _chunks(model, schedule, len(data.series)):
            rows = None if earlier is None else rows_of(earlier, name, chunk)
            if rows is None:
                jobs.append((name, chunk))
            else:
                kept[name, chunk.start] = rows
    plans = {name: replace(schedule, intervals=draft.intervals.get(name)) for name in models}
    calls = (joblib.delayed(run_chunk)(models[name], data, plans[name], chunk) for name, chunk in jobs)
    # with 1 job the backend in force decides: an explicit 1 would keep the work out of a cluster
    parallel = joblib.Parallel(n_jobs=None if n_jobs == 1 else n_jobs, return_as="generator")
    # limited here too: jobs that are threads of this process would undo each other's limits
    with one_thread(), _bar(progress, sum(len(chunk) for _, chunk in jobs)) as advance:
        for (name, chunk), steps in zip(jobs, _watch(parallel(calls), advance), strict=True):
            kept[name, chunk.start] = tabulate(name, steps, data.series, schedule)
    order = {name: i for i, name in enumerate(models)}
    tables = [kept[key] for key in sorted(kept, key=lambda key: (order[key[0]], key[1]))]
    return replace(draft, forecasts=pd.concat(tables, ignore_index=True))


def _chunks(model: Any, schedule: Schedule, n: int) -> list[range]:
    """Jobs of one model; one that continues from fit to fit cannot be divided."""
    return [range(len(schedule.origins(n)))] if continues(model, schedule) else schedule.chunks(n)


def _watch(results: Iterable[list[Step]], advance: Any) -> Iterator[list[Step]]:
    for steps in results:
        advance(len(steps))
        yield steps


@contextlib.contextmanager
def _bar(progress: bool, total: int) -> Iterator[Any]:
    """What to call with the number of origins done."""
    if not progress:
        yield lambda done: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="origin") as bar:
        yield bar.update


def _check_progress(progress: Any) -> None:
    check_flag("progress", progress)
    if progress and find_spec("tqdm") is None:
        raise InputError(
            'a progress bar needs tqdm, which is not installed; run: pip install "cvxar[progress]"'
        )


def _check_models(forecasters: Any) -> dict[str, Any]:
    if not isinstance(forecasters, Mapping):
        raise InputTypeError(
            'forecasters must be a mapping of names to models, such as {"AR(1)": model}, '
            f"got {forecasters!r}"
        )
    if not forecasters:
        raise InputError("forecasters is empty; name at least one model")
    for name, model in forecasters.items():
        check_forecaster(name, model)
        _check_settings(name, model)
    return dict(forecasters)


def _check_settings(name: str, model: Any) -> None:
    """Raise for arguments of a model of ours that would fail at every origin."""
    if not isinstance(model, ConvexAR):
        return
    try:
        model.check()
    except CvxarError as error:
        raise type(error)(f"forecasters[{name!r}]: {error}") from None


def _warn_of_gaps(data: Data) -> None:
    """Say that a backtest passes over stamps that a fit counts."""
    whole, both = complete(data.series.index), "" if data.exog is None else " (and exog likewise)"
    first = whole[~whole.isin(data.series.index)][0]
    warnings.warn(
        f"{len(whole) - len(data.series)} stamps of the calendar have no row, the first {first}: backtest "
        "counts rows, so that the rows around them are taken for neighbours and models are told positions "
        "for stamps; to have them count as missing, as fit does, give "
        f"series.reindex(cvxar.calendars.complete(series.index)){both}",
        CalendarWarning,
        stacklevel=3,
    )


def _warn_if_silent(result: Backtest, name: str) -> None:
    errors = result.forecasts.loc[result.forecasts["model"] == name, "error"]
    if len(errors) and (errors != "").all():
        origins = len(errors) // result.schedule.horizon
        warnings.warn(
            f"{name} made no forecast at any of {origins} origins; its first failure: {errors.iloc[0]}",
            FailureWarning,
            stacklevel=3,
        )


def _check_future(future_exog: Any) -> None:
    if not isinstance(future_exog, str):
        raise InputTypeError(
            "future_exog must be 'last', 'known' or a function f(past_rows, steps), got "
            f"{type(future_exog).__name__}; rows known in advance go into exog, with future_exog='known'"
        )
    check_name("future_exog", future_exog, FUTURE_EXOG)


def _make_data(series: Any, exog: Any, future_exog: Any) -> Data:
    known = observe(series, exog, gaps=True, calendar=False)
    name = "y" if known.name is None else str(known.name)
    if not callable(future_exog):
        _check_future(future_exog)
    rows = (
        None if exog is None else pd.DataFrame(known.exog, index=known.index, columns=list(known.exog_names))
    )
    return Data(pd.Series(known.values, index=known.index, name=name), rows, future_exog)
