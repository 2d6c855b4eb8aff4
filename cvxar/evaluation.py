"""The result of a backtest: forecasts, scores, comparisons, figures."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cvxar import plots
from cvxar._typing import Array
from cvxar.errors import InputError, unknown_name
from cvxar.forecasters import Data
from cvxar.options import check_count, check_flag, check_name, make_generator
from cvxar.schedule import Schedule
from cvxar.scoring import ORIGINS, Evidence, Rivalry, choose_scores, compare_with


@dataclass(frozen=True, repr=False, eq=False)
class Backtest:
    """Result of :func:`cvxar.backtest`.

    Attributes
    ----------
    forecasts : DataFrame
        One row per model, origin and horizon: model, origin (label of the last observation known), time,
        horizon, y, mean, the bands (lower_80, upper_80, ...; NaN for a model that makes none), relative_gap
        (of the certificate; NaN without), fit_seconds (NaN where no fit was made), error (what went wrong at
        that origin, else empty).
    schedule : Schedule
        Origins, windows, refits.
    data : Data
        The series, and the exogenous columns.
    marks : dict of str to str
        Fingerprints of the forecasters; a result can be resumed by the same ones only.
    intervals : dict of str to str
        Kind of interval that models were asked for; the bands of others are their own.
    """

    forecasts: pd.DataFrame
    schedule: Schedule
    data: Data
    marks: dict[str, str]
    intervals: dict[str, str] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """Names, in the order given."""
        return list(self.marks)

    @property
    def failures(self) -> pd.DataFrame:
        """One row per model and origin at which it failed: model, origin, error."""
        table = self.forecasts
        failed = (table["error"] != "") & (table["horizon"] == 1)
        return table.loc[failed, ["model", "origin", "error"]].reset_index(drop=True)

    def scores(self, metrics: Any = None, *, by: str | None = None, increments: bool = False) -> pd.DataFrame:
        """Score every model, on the origins at which all of them made a forecast.

        Forecasts of observations that are missing are not scored.

        Parameters
        ----------
        metrics : name, function ``f(y, forecast)``, a sequence of these or a mapping to these, optional
            Default: rmse, mae, mase, rmsse (scaled by the changes within the first training set), smape,
            bias, direction_hit_rate (the higher the better; against the value at the origin) and, with
            bands, coverage, interval_width and winkler per level, pinball (mean over the quantiles) and crps
            (from the quantiles).
        by : {"horizon"}, optional
            One row per model and horizon. Default: all horizons together.
        increments : bool, default False
            The series holds changes (log returns, for example): the direction is then the sign of a value,
            not whether it lies above the one at the origin.

        Returns
        -------
        DataFrame
            One row per model (and horizon): origins (how many it stands on), then one column per metric. NaN
            for a model that never made a forecast.
        """
        chosen = choose_scores(metrics, self.schedule.levels)
        _check_by(by)
        check_flag("increments", increments)
        groups = dict(list(self.common_forecasts().groupby(_keys(by), sort=False)))
        nothing = [0, *[math.nan] * len(chosen)]
        labels = self._labels(by)
        rows = [self._score(groups[k], chosen, increments) if k in groups else nothing for k in labels]
        return pd.DataFrame(rows, columns=[ORIGINS, *chosen], index=_index(labels, by))

    def _labels(self, by: str | None) -> list[tuple[Any, ...]]:
        """Labels of the rows of a table of scores."""
        horizons = [()] if by is None else [(h + 1,) for h in range(self.schedule.horizon)]
        return [(model, *horizon) for model in self.models for horizon in horizons]

    def _score(self, rows: pd.DataFrame, chosen: dict[str, Any], increments: bool) -> list[float]:
        """Number of origins, and scores."""
        series, levels = self.data.series, self.schedule.levels
        # of a missing observation, the last one known before it
        last = np.zeros(len(rows)) if increments else series.ffill().loc[rows["origin"]].to_numpy()
        evidence = Evidence(rows, last, series.to_numpy()[: self.schedule.initial], levels)
        return [rows["origin"].nunique(), *(score(evidence) for score in chosen.values())]

    def compare(self, baseline: str = "AR(1)", *, by: str | None = None, rng: Any = 0) -> pd.DataFrame:
        """Test every model against one of them, on the origins at which all of them made a forecast.

        An origin counts if an observation it forecasts is known; steps whose observation is missing are left
        out of its mean squared error.

        Parameters
        ----------
        baseline : str, default "AR(1)"
            One of the models.
        by : {"horizon"}, optional
            One row per model and horizon; default: the mean squared error over all horizons of an origin.
        rng : seed or Generator, default 0
            For the bootstrap of the skill.

        Returns
        -------
        DataFrame
            One row per model other than the baseline: the scores rmse and mae, origins (how many), skill
            (``1 - MSE / MSE of the baseline``), skill_lower and skill_upper (95 % interval, block bootstrap
            over the origins), dm_statistic (negative: the model is better), dm_pvalue (Diebold-Mariano, two
            sided, corrected for small samples after Harvey, Leybourne and Newbold), dm_pvalue_holm (adjusted
            for the number of rows), conclusion (in words, from the adjusted p-value). A model that never made
            a forecast has 0 origins and no figures.

        Raises
        ------
        InputError
            If the baseline is not among the models, or there is nothing to compare.
        """
        if baseline not in self.models:
            raise unknown_name("baseline", baseline, self.models)
        _check_by(by)
        rivals = list(self._rivalries(baseline, by))
        if not rivals:
            raise InputError(self._why_alone(baseline))
        tests = compare_with(rivals, baseline, make_generator(rng)).set_index(_keys(by))
        scores = self.scores(["rmse", "mae"], by=by).drop(columns="origins")
        table = scores[scores.index.get_level_values("model") != baseline].join(tests)
        silent = table["origins"].isna()
        table["origins"] = table["origins"].fillna(0).astype(int)
        names = table.index.get_level_values("model")[silent]
        table.loc[silent, "conclusion"] = [self._why_silent(str(name)) for name in names]
        return table

    def _why_alone(self, baseline: str) -> str:
        own = self.forecasts[self.forecasts["model"] == baseline]
        if len(self.models) == 1:
            return f"there is no model but {baseline} to compare; give backtest another one"
        if (own["error"] != "").all():
            return f"{baseline} made no forecast to compare with; its first failure: {own['error'].iloc[0]}"
        return (
            f"there is no origin at which {baseline} and another model made a forecast of an observation "
            "that is known; see failures"
        )

    def _why_silent(self, name: str) -> str:
        own = self.forecasts[self.forecasts["model"] == name]
        if (own["error"] != "").all():
            return f"{name} made no forecast (see failures)."
        return f"No observation that {name} forecast is known."

    def _rivalries(self, baseline: str, by: str | None) -> Iterator[tuple[dict[str, Any], Rivalry]]:
        """Pairs of labels and forecasts, model by model."""
        rows = self._common_origins()
        means = {str(name): _matrix(part, "mean") for name, part in rows.groupby("model", sort=False)}
        if baseline not in means:
            return
        y = _matrix(rows[rows["model"] == baseline], "y")
        for name, ours in means.items():
            for labels, columns in self._cuts(by) if name != baseline else []:
                cut = _known(*(array[:, columns] for array in (y, ours, means[baseline])))
                if len(cut[0]):
                    yield {"model": name} | labels, Rivalry(*cut, self._overlap(columns.stop))

    def _cuts(self, by: str | None) -> list[tuple[dict[str, int], slice]]:
        """Labels and columns of the horizons that are compared together."""
        horizon = self.schedule.horizon
        if by is None:
            return [({}, slice(0, horizon))]
        return [({by: j + 1}, slice(j, j + 1)) for j in range(horizon)]

    def _overlap(self, horizon: int) -> int:
        return math.ceil(horizon / self.schedule.step)

    def common_forecasts(self) -> pd.DataFrame:
        """Rows of the origins at which every model that works at all made a forecast, ``y`` being known."""
        rows = self._common_origins()
        return rows[rows["y"].notna()]

    def _common_origins(self) -> pd.DataFrame:
        """Rows of the origins at which every model that works at all made a forecast."""
        table = self.forecasts
        good = table[table["error"] == ""]
        count = good["model"].nunique() * self.schedule.horizon
        if not count:
            raise InputError(f"no model made any forecast; the first failure: {table['error'].iloc[0]}")
        return good[good.groupby("origin")["mean"].transform("size") == count]

    def plot(self, ax: Any = None, *, horizon: int = 1, baseline: str | None = None) -> Any:
        """Draw the forecasts of one horizon and the squared error saved against a baseline.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Draw only the forecasts, on these axes.
        horizon : int, default 1
            Which steps ahead.
        baseline : str, optional
            Default: the first model.

        Returns
        -------
        matplotlib Figure
        """
        if check_count(horizon, "horizon") > self.schedule.horizon:
            raise InputError(f"there is no horizon {horizon}; the longest is {self.schedule.horizon}")
        rows = self.common_forecasts()
        rows = rows[rows["horizon"] == horizon]
        if rows.empty:
            raise InputError(
                f"there is nothing to draw: at no origin did every model forecast an observation {horizon} "
                "step(s) ahead that is known; see failures"
            )
        unit = str(self.data.series.name)
        if ax is not None:
            return plots.plot_forecasts(rows, unit=unit, ax=ax).figure
        return plots.plot_comparison({unit: rows}, baseline=baseline or str(rows["model"].iloc[0]))

    def __repr__(self) -> str:
        schedule, n = self.schedule, len(self.data.series)
        known = "expanding window" if schedule.window is None else f"window of {schedule.window}"
        return (
            f"Backtest({len(self.models)} models, {len(schedule.origins(n))} origins, horizon "
            f"{schedule.horizon}, {known}, {len(self.failures)} failures)"
        )


def _check_by(by: Any) -> None:
    if by is not None:
        check_name("by", by, ("horizon",))


def _keys(by: str | None) -> list[str]:
    return ["model"] if by is None else ["model", by]


def _index(labels: list[tuple[Any, ...]], by: str | None) -> pd.Index:
    index = pd.MultiIndex.from_tuples(labels, names=_keys(by))
    return index.get_level_values(0) if by is None else index


def _matrix(rows: pd.DataFrame, column: str) -> Array:
    """One row per origin, one column per horizon."""
    values: Array = rows[column].to_numpy().reshape(-1, rows["horizon"].nunique())
    return values


def _known(y: Array, ours: Array, theirs: Array) -> tuple[Array, Array, Array]:
    """Origins with an observation that is known; missing ones are set to 0 with their forecasts: no error."""
    known = ~np.isnan(y)
    kept = known.any(axis=1)
    y, ours, theirs = (np.where(known, array, 0.0)[kept] for array in (y, ours, theirs))
    return y, ours, theirs
