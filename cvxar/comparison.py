"""ConvexAR against the linear autoregression, the random walk and trained networks, on one series."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

import cvxar
from cvxar import architectures, plots
from cvxar.architectures import Architecture
from cvxar.contest import AR1, LEVEL, OPTIMISERS, WALK, Plan, Study, notes, run_targets
from cvxar.errors import InputError, InputTypeError
from cvxar.files import check_writable, write_atomically
from cvxar.forecasters import Forecaster
from cvxar.lags import check_lags
from cvxar.model import ConvexAR
from cvxar.observations import observe
from cvxar.options import check_count, check_flag, make_generator
from cvxar.report import EPOCHS, report
from cvxar.selection import check_beta_choice
from cvxar.wording import FORECAST_COLUMNS, TRAINING_COLUMNS, text_table, training_words, verdict, wrapped


@dataclass(frozen=True)
class Comparison:
    """Result of `compare`.

    Attributes
    ----------
    series : str
        Name of the series.
    nobs, horizon : int
        Its length, and the steps ahead of every forecast.
    table : DataFrame
        One row per model and target: model, target ("level" or "log return"), train_mse, test_rmse,
        test_mae, skill (``1 - MSE / MSE of AR(1)``), dm_pvalue (Diebold-Mariano against AR(1)),
        skill_random_walk and dm_pvalue_random_walk (both against the random walk), fit_seconds (the first
        fit, from nothing), relative_gap (largest over the origins). NaN where there is none.
    forecasts : DataFrame
        Every forecast: target, model, origin (last stamp known), time, horizon, y, mean.
    training : DataFrame
        Training objective of the two-layer ReLU network without skip connection: target, method, beta,
        objective, ratio (to the certified optimum), seconds, relative_gap. Empty for models of the caller.
    notes : tuple of str
        How it was done.
    command : str
        What produced it.
    unit : str
        What the axes of the level are labelled with; default the name of the series.
    source : str
        Where the series is from.
    studies : tuple of Study
        Training part, test part and last fitted model of every target, for the report.
    """

    series: str
    nobs: int
    horizon: int
    table: pd.DataFrame
    forecasts: pd.DataFrame
    training: pd.DataFrame
    notes: tuple[str, ...]
    command: str = "compare"
    unit: str = ""
    source: str = ""
    studies: tuple[Study, ...] = ()

    @property
    def conclusions(self) -> tuple[str, ...]:
        """The table in words: each model against AR(1) and the random walk; then the training."""
        rows = self.table[~self.table["model"].isin([AR1, WALK, *OPTIMISERS])]
        words = [
            verdict(row["model"], rival, row["target"], row[f"skill{suffix}"], row[f"dm_pvalue{suffix}"])
            for row in rows.to_dict("records")
            for rival, suffix in ((AR1, ""), (f"the {WALK}", "_random_walk"))
        ]
        return (*words, *training_words(self.training))

    def summary(self) -> Any:
        """Return tables, conclusions and notes as a statsmodels ``Summary``; print it."""
        from statsmodels.iolib.summary import Summary

        summary = Summary()
        for target, rows in self.table.groupby("target", sort=False):
            title = f"{self.series}, {target}: {_ahead(self.horizon)} forecasts of the last {self._tested}"
            summary.tables.append(text_table(rows, FORECAST_COLUMNS, title))
        if len(self.training):
            title = "Training objective: two-layer ReLU network without skip connection, lag 1"
            summary.tables.append(text_table(self.training, TRAINING_COLUMNS, title))
        summary.add_extra_txt([*wrapped(self.conclusions), "", "Notes", *wrapped(self.notes)])
        return summary

    @property
    def _tested(self) -> int:
        return len(self._of(LEVEL)["time"].unique())

    def _of(self, target: str) -> pd.DataFrame:
        return self.forecasts[self.forecasts["target"] == target]

    def plot(self, ax: Any = None) -> Any:
        """Draw forecasts and the squared error saved against AR(1), for every target; return the figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Draw only the forecasts of the level, on these axes.
        """
        if ax is not None:
            return plots.plot_forecasts(self._of(LEVEL), unit=self._unit(LEVEL), ax=ax).figure
        targets = [str(target) for target in self.table["target"].unique()]
        return plots.plot_comparison(
            {self._unit(target): self._of(target) for target in targets}, baseline=AR1
        )

    def _unit(self, target: str) -> str:
        return (self.unit or self.series) if target == LEVEL else target

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings and lists; None where the tables have NaN."""
        return {
            "series": self.series,
            "nobs": self.nobs,
            "horizon": self.horizon,
            "command": self.command,
            "rows": _records(self.table),
            "training": _records(self.training),
            "conclusions": list(self.conclusions),
            "notes": list(self.notes),
            "version": cvxar.__version__,
        }

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON text and, given a path, write it there: completely or not at all.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
        if path is not None:
            write_atomically(path, lambda file: file.write_text(f"{text}\n", encoding="utf-8"))
        return text

    def to_html(self, path: str | PathLike[str] | None = None, *, epochs: int = EPOCHS) -> str:
        """Return a report as one page of HTML and, given a path, write it there: completely or not at all.

        Tables, conclusions, forecasts, training curves of Adam and SGD against the certified optimum, the
        fitted map with its certificate and regimes, the data's source and the command. The page needs no
        other file and no network, follows the reader's light or dark setting, and suits a phone. The figures
        need matplotlib; the curves are trained now, which takes seconds.

        Parameters
        ----------
        path : path-like, optional
        epochs : int, default 2000
            Of the training curves.

        Raises
        ------
        InputError
            If the file cannot be written, or matplotlib is missing.
        """
        if path is not None:
            check_writable(path)
        text = report(self, epochs=check_count(epochs, "epochs"))
        if path is not None:
            write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
        return text


def _ahead(horizon: int) -> str:
    return "one-step" if horizon == 1 else f"{horizon}-step"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def compare(
    series: Any,
    *,
    horizon: int = 1,
    test: float = 0.2,
    models: Mapping[str, Forecaster] | None = None,
    lags: int | Sequence[int] = 1,
    architecture: str | Architecture = "relu",
    beta: float | str = "bic",
    skip: bool = True,
    rng: Any = 0,
) -> Comparison:
    """Compare ConvexAR with AR(1), the random walk and trained networks on the last part of a series.

    Every model is fitted to the first part and refitted at every origin as it moves to the end (expanding
    window); nothing later than an origin enters its forecast. It is done on the series and on its log returns
    (a series with values at or below zero has none).

    Parameters
    ----------
    series : Series, array or sequence of n numbers
        In time order; copied, never changed.
    horizon : int, default 1
        Steps ahead.
    test : float or int, default 0.2
        Fraction of the series to forecast or, as a whole number, how many of its last values.
    models : mapping of str to forecaster, optional
        Compared instead of ConvexAR and the networks: anything with ``fit(series)`` and ``forecast(steps)``.
        AR(1) and the random walk are always there.
    lags, architecture, beta, skip
        Of `ConvexAR`. A number for ``beta`` is meant in units of the level; the log returns, whose unit is
        another, get the same fraction of their own ``beta_max``.
    rng : seed or Generator, default 0
        Source of the networks' initial weights and of simulated paths (``horizon`` above 1).

    Returns
    -------
    Comparison

    Raises
    ------
    InputError, InputTypeError
        For arguments or data that cannot be used, before any work.

    Examples
    --------
    >>> walk = np.random.default_rng(0).normal(size=80).cumsum()
    >>> result = compare(walk, models={"ConvexAR": ConvexAR()}, test=10)
    >>> result.table["model"].tolist()
    ['ConvexAR', 'AR(1)', 'random walk']
    >>> result.notes[-1]
    'Level only: log returns need values above zero.'
    """
    architectures.get(architecture)
    check_beta_choice(beta, None)
    check_flag("skip", skip)
    known = observe(series)
    level = pd.Series(known.values, index=known.index, name="y" if known.name is None else str(known.name))
    plan = Plan(
        check_count(horizon, "horizon"),
        _count_tested(test, len(level)),
        check_lags(lags, count=len(level)),
        ConvexAR(lags, architecture=architecture, beta=beta, skip=skip),
        _check_models(models),
        int(make_generator(rng).integers(2**31)),
    )
    _check_length(plan, len(level))
    runs = run_targets(plan, level)
    return Comparison(
        str(level.name),
        len(level),
        plan.horizon,
        pd.concat([run.scores(plan.horizon) for run in runs], ignore_index=True),
        pd.concat([run.forecasts() for run in runs], ignore_index=True),
        pd.concat([run.training for run in runs], ignore_index=True),
        tuple(notes(plan, runs)),
        studies=tuple(run.study for run in runs),
    )


def _count_tested(test: float, n: int) -> int:
    if isinstance(test, (int, np.integer)) and not isinstance(test, bool):
        return check_count(test, "test")
    if not isinstance(test, (float, np.floating)) or not 0 < test < 1:
        raise InputError(
            f"test must be a fraction between 0 and 1, or a whole number of values, got {test!r}"
        )
    return max(1, round(test * n))


def _check_models(models: Mapping[str, Forecaster] | None) -> Mapping[str, Forecaster] | None:
    if models is not None and not isinstance(models, Mapping):
        raise InputTypeError(
            f'models must be a mapping of names to models, such as {{"mine": model}}, got {models!r}'
        )
    for name, model in (models or {}).items():
        if name in (AR1, WALK):
            raise InputError(f"the name {name!r} is taken by a model that is always compared; use another")
        if isinstance(model, type):
            raise InputTypeError(
                f"models[{name!r}] is the class {model.__name__}; give an object of it, {model.__name__}(...)"
            )
        if not (hasattr(model, "fit") and hasattr(model, "forecast")):
            raise InputTypeError(
                f"models[{name!r}] must have fit(series) and forecast(steps), got {type(model).__name__}"
            )
    return models


def _check_length(plan: Plan, n: int) -> None:
    known = n - plan.tested - plan.horizon  # of the log returns, one fewer than of the level
    needed = max(plan.lags) + len(plan.lags) + 2
    if known < needed:
        raise InputError(
            f"{n} observations leave {max(known, 0)} log returns for training (test: {plan.tested}, horizon: "
            f"{plan.horizon}), but {len(plan.lags)} lag(s) up to {max(plan.lags)} need {needed}; "
            "use a longer series, a smaller test part or fewer lags"
        )
