"""Scores of backtested forecasts, and what they prove: skill, tests, intervals for the skill."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cvxar import metrics
from cvxar._typing import Array
from cvxar.errors import InputError, InputTypeError, unknown_name
from cvxar.wording import verdict

POINT = ("rmse", "mae", "mase", "rmsse", "smape", "bias", "direction_hit_rate")
BANDS = ("coverage", "interval_width", "winkler")
DRAWS, CONFIDENCE = 2000, 0.95
ORIGINS = "origins"


@dataclass(frozen=True)
class Evidence:
    """Forecasts of one model and what is needed to score them.

    Parameters
    ----------
    rows : DataFrame
        Columns y, mean, and the bands.
    last : array
        The value known at the origin of each row.
    train : array
        The first training set, by whose changes scaled errors are scaled.
    levels : tuple of float
        Bands in per cent.
    """

    rows: pd.DataFrame
    last: Array
    train: Array
    levels: tuple[float, ...]

    @property
    def point(self) -> tuple[Array, Array]:
        """Observed values and means."""
        return self.rows["y"].to_numpy(), self.rows["mean"].to_numpy()

    def band(self, level: float) -> tuple[Array, Array]:
        """Ends of a band."""
        return self.rows[f"lower_{level:g}"].to_numpy(), self.rows[f"upper_{level:g}"].to_numpy()

    @property
    def banded(self) -> bool:
        """Whether there are bands at every level; a model without has no score of bands."""
        ends = [f"{side}_{level:g}" for level in self.levels for side in ("lower", "upper")]
        return bool(ends) and bool(self.rows[ends].notna().all(axis=None))

    @property
    def quantiles(self) -> tuple[Array, Array]:
        """Levels of all quantiles known, ascending, and their forecasts (n, k)."""
        taus = [(1 - level / 100) / 2 for level in self.levels]
        pairs = [(tau, self.band(level)) for tau, level in zip(taus, self.levels, strict=True)]
        columns = {tau: low for tau, (low, _) in pairs} | {1 - tau: high for tau, (_, high) in pairs}
        order = sorted(columns)
        return np.array(order), np.column_stack([columns[tau] for tau in order])


Score = Callable[[Evidence], float]


def _pinball(evidence: Evidence) -> float:
    if not evidence.banded:
        return math.nan
    taus, columns = evidence.quantiles
    y, _ = evidence.point
    return float(np.mean([metrics.pinball(y, q, tau) for tau, q in zip(taus, columns.T, strict=True)]))


def _crps(evidence: Evidence) -> float:
    if not evidence.banded:
        return math.nan
    taus, columns = evidence.quantiles
    return metrics.crps_quantiles(evidence.point[0], columns, taus)


def _scaled(metric: Callable[..., float], evidence: Evidence) -> float:
    changes = np.diff(evidence.train)
    return metric(*evidence.point, evidence.train) if np.nansum(np.abs(changes)) > 0 else math.nan


def _plain(metric: Callable[..., float], evidence: Evidence) -> float:
    return metric(*evidence.point)


def _in_band(metric: Callable[..., float], level: float, evidence: Evidence) -> float:
    return metric(evidence.point[0], *evidence.band(level), level) if evidence.banded else math.nan


def score_table(levels: tuple[float, ...]) -> dict[str, Score]:
    """Every score there is for forecasts with these bands.

    Examples
    --------
    >>> [name for name in score_table((80.0,)) if "80" in name]
    ['coverage_80', 'interval_width_80', 'winkler_80']
    """
    table: dict[str, Score] = {name: partial(_plain, f) for name, f in metrics.BY_NAME.items()}
    table |= {"mase": partial(_scaled, metrics.mase), "rmsse": partial(_scaled, metrics.rmsse)}
    table["direction_hit_rate"] = lambda evidence: metrics.direction_hit_rate(*evidence.point, evidence.last)
    for level in levels:
        table |= {
            f"{name}_{level:g}": partial(_in_band, metrics.INTERVALS_BY_NAME[name], level) for name in BANDS
        }
    return table | ({"pinball": _pinball, "crps": _crps} if levels else {})


def choose_scores(wanted: Any, levels: tuple[float, ...]) -> dict[str, Score]:
    """Return the scores asked for: names, functions ``f(y, forecast)``, a mapping of names to these, or None.

    The name of a band score without a level means it at every level.

    Raises
    ------
    InputError, InputTypeError
        For a name that is not known, a band score where there are no bands, what is no metric.
    """
    table = score_table(levels)
    if wanted is None:
        return {name: table[name] for name in table if name in POINT or name not in metrics.BY_NAME}
    chosen: dict[str, Score] = {}
    for name, metric in _listed(wanted):
        if callable(metric):
            chosen[name or getattr(metric, "__name__", repr(metric))] = partial(_own, metric)
        else:
            found = _named(metric, table)
            chosen |= {name: next(iter(found.values()))} if name and len(found) == 1 else found
    if ORIGINS in chosen:
        raise InputError(f"the column {ORIGINS!r} is always there; give the metric another name")
    return chosen


def _listed(wanted: Any) -> list[tuple[str, Any]]:
    """Names given to metrics, empty for their own, and the metrics."""
    if isinstance(wanted, Mapping):
        return [(str(name), metric) for name, metric in wanted.items()]
    if isinstance(wanted, str) or callable(wanted):
        return [("", wanted)]
    if not isinstance(wanted, Iterable):
        raise InputTypeError(
            "metrics must be a name such as 'rmse', a function f(y, forecast), a sequence of these or a "
            f"mapping, got {wanted!r}"
        )
    return [("", metric) for metric in wanted]


def _own(metric: Callable[..., Any], evidence: Evidence) -> float:
    """A metric of the user's, which must be one number."""
    value = metric(*evidence.point)
    if np.ndim(value) or not isinstance(value, (int, float, np.number)):
        raise InputTypeError(
            f"a metric returns one number for all forecasts, {getattr(metric, '__name__', metric)} returned "
            f"{type(value).__name__}; take the mean, for example"
        )
    return float(value)


def _named(name: Any, table: dict[str, Score]) -> dict[str, Score]:
    if name in table:
        return {name: table[name]}
    levelled = {full: score for full, score in table.items() if full.rpartition("_")[0] == name}
    if levelled and name in BANDS:
        return levelled
    if name in (*BANDS, "pinball", "crps"):
        raise InputError(f"{name} needs bands; make the backtest with level=80, for example")
    if name == "skill":
        raise InputError("skill needs a baseline; use compare(baseline), which has it with its interval")
    raise unknown_name("metric", name, [*table, *BANDS])


@dataclass(frozen=True)
class Rivalry:
    """Squared errors of a model and of a baseline at the same origins.

    Parameters
    ----------
    y, model, baseline : array (n, h)
        Observed values and forecasts, one row per origin and one column per horizon.
    overlap : int
        How many origins in a row have forecasts of common observations.
    """

    y: Array
    model: Array
    baseline: Array
    overlap: int

    def _loss(self, forecast: Array) -> Array:
        """Mean over the horizons of each origin, (n,)."""
        loss: Array = np.mean((self.y - forecast) ** 2, axis=1)
        return loss

    def _series(self) -> tuple[Array, Array, Array]:
        """What the metrics take: values and forecasts; of several horizons, the root mean squared errors."""
        if self.y.shape[1] == 1 or np.array_equal(self.model, self.baseline):
            return self.y[:, 0], self.model[:, 0], self.baseline[:, 0]
        model, baseline = np.sqrt(self._loss(self.model)), np.sqrt(self._loss(self.baseline))
        return np.zeros(len(self.y)), model, baseline

    @property
    def skill(self) -> float:
        """``1 - MSE of the model / MSE of the baseline``."""
        return metrics.skill(*self._series())

    def test(self) -> metrics.DieboldMariano:
        """Diebold-Mariano test with the small-sample correction of Harvey, Leybourne and Newbold."""
        return metrics.diebold_mariano(*self._series(), horizon=self.overlap)

    def skill_interval(self, rng: np.random.Generator, draws: int = DRAWS) -> tuple[float, float]:
        """Interval for the skill: percentiles over circular blocks of origins, drawn anew ``draws`` times."""
        ours, theirs = self._loss(self.model), self._loss(self.baseline)
        n = len(ours)
        if not theirs.any():
            return math.nan, math.nan
        block = min(n, max(self.overlap, math.ceil(n ** (1 / 3))))
        starts = rng.integers(0, n, (draws, math.ceil(n / block)))
        sums = [_block_sums(loss, block)[starts].sum(axis=1) for loss in (ours, theirs)]
        with np.errstate(divide="ignore", invalid="ignore"):
            skills = 1 - sums[0] / sums[1]
        tail = (1 - CONFIDENCE) / 2
        low, high = np.nanquantile(skills, [tail, 1 - tail])
        return float(low), float(high)


def _block_sums(loss: Array, block: int) -> Array:
    """Sum of ``block`` entries from each one on, around the circle.

    Examples
    --------
    >>> _block_sums(np.array([1.0, 2.0, 4.0]), 2)
    array([3., 6., 5.])
    """
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([loss, loss[: block - 1]]))])
    sums: Array = total[block:] - total[:-block]
    return sums


def compare_with(
    rivals: Iterable[tuple[dict[str, Any], Rivalry]], baseline: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Return skill, its interval, the test, the p-value adjusted for the number of models, and words.

    Parameters
    ----------
    rivals : iterable of (labels, Rivalry)
        ``labels`` name the row; ``labels["model"]`` is spoken of.
    baseline : str
        Name of the baseline.
    rng : Generator
        For the intervals; every model is judged on the same draws.
    """
    rows, seed = [], int(rng.integers(2**63))
    for labels, rivalry in rivals:
        # the same blocks for all: equal forecasts get equal intervals
        low, high = rivalry.skill_interval(np.random.default_rng(seed))
        test = rivalry.test()
        rows.append(
            labels
            | {"origins": len(rivalry.y), "skill": rivalry.skill, "skill_lower": low, "skill_upper": high}
            | {"dm_statistic": test.statistic, "dm_pvalue": test.pvalue}
        )
    table = pd.DataFrame(rows)
    table["dm_pvalue_holm"] = holm(table["dm_pvalue"].to_numpy())
    table["conclusion"] = [
        verdict(row["model"], baseline, _at(row), row["skill"], row["dm_pvalue_holm"])
        for row in table.to_dict("records")
    ]
    return table


def _at(row: dict[Any, Any]) -> str:
    return f"horizon {row['horizon']}" if "horizon" in row else ""


def holm(pvalues: Array) -> Array:
    """Adjust p-values for their number (Holm); NaN stays NaN and is not counted.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, math.nan])).tolist()
    [0.02, 0.04, nan]
    """
    from statsmodels.stats.multitest import multipletests

    adjusted, given = np.full(len(pvalues), math.nan), np.isfinite(pvalues)
    if given.any():
        adjusted[given] = multipletests(pvalues[given], method="holm")[1]
    return adjusted
