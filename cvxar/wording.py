"""A comparison in tables and words: what the figures say, and how surely."""

import math
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd

SIGNIFICANT = 0.05


def verdict(model: str, rival: str, target: str, skill: float, pvalue: float) -> str:
    """Say in words whether a model forecasts better than a rival, at the 5 % level.

    Parameters
    ----------
    model, rival, target : str
        Names; an empty target is not spoken of.
    skill : float
        ``1 - MSE of the model / MSE of the rival``.
    pvalue : float
        Two-sided; NaN when the two cannot be told apart.

    Examples
    --------
    >>> verdict("ConvexAR", "AR(1)", "level", skill=-0.02, pvalue=0.41)
    'No evidence that ConvexAR forecasts better than AR(1) on level (p = 0.41, squared error 2.0 % higher).'
    >>> verdict("ConvexAR", "AR(1)", "level", skill=0.1, pvalue=0.0003)
    'ConvexAR forecasts better than AR(1) on level (p < 0.001, squared error 10.0 % lower).'
    """
    on = f" on {target}" if target else ""
    if skill == 0 and math.isnan(pvalue):
        return f"{model} and {rival} make the same forecasts{on}: there is nothing to test."
    change = f"squared error {100 * abs(skill):.1f} % {'lower' if skill > 0 else 'higher'}"
    if math.isnan(pvalue):
        return f"{model} and {rival} differ alike at every time{on} ({change})."
    facts = f"({_p_value(pvalue)}, {change})"
    if pvalue >= SIGNIFICANT:
        return f"No evidence that {model} forecasts better than {rival}{on} {facts}."
    return f"{model} forecasts {'better' if skill > 0 else 'worse'} than {rival}{on} {facts}."


def _p_value(pvalue: float) -> str:
    """Write a p-value with two digits, or as many as keep it on its side of the level.

    Examples
    --------
    >>> _p_value(0.0413), _p_value(0.04996), _p_value(0.05004)
    ('p = 0.041', 'p = 0.04996', 'p = 0.05')
    """
    if pvalue < 0.001:
        return "p < 0.001"
    texts = (f"{pvalue:.{digits}g}" for digits in range(2, 18))
    return "p = " + next(text for text in texts if (float(text) < SIGNIFICANT) == (pvalue < SIGNIFICANT))


def training_words(training: pd.DataFrame) -> Iterator[str]:
    """Say, for every target, how far above the certified optimum each method stopped."""
    for target, rows in training.groupby("target", sort=False):
        optimum, *others = rows.to_dict("records")
        excess = ", ".join(f"{row['method']} {_excess(row['ratio'])}" for row in others)
        gap = optimum["relative_gap"]
        proof = f"within {gap:.0e}" if gap > 1e-14 else "up to rounding"
        yield f"Training objective on {target}: convex optimum certified {proof}; above it ended: {excess}."


def _excess(ratio: float) -> str:
    return f"by {100 * (ratio - 1):.2g} %" if math.isfinite(ratio) else "by an undefined share (optimum 0)"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.5g}"


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"


def _tiny(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1e}"


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


Column = tuple[str, Callable[[Any], str]]

FORECAST_COLUMNS: dict[str, Column] = {
    "model": ("model", str),
    "train_mse": ("train MSE", _number),
    "test_rmse": ("test RMSE", _number),
    "test_mae": ("test MAE", _number),
    "skill": ("skill", _share),
    "dm_pvalue": ("p AR(1)", _share),
    "dm_pvalue_random_walk": ("p walk", _share),
    "fit_seconds": ("fit s", _seconds),
    "relative_gap": ("gap", _tiny),
}

TRAINING_COLUMNS: dict[str, Column] = {
    "target": ("target", str),
    "method": ("method", str),
    "beta": ("beta", _number),
    "objective": ("objective", lambda value: f"{value:.10g}"),
    "ratio": ("/ optimum", lambda value: f"{value:.6f}"),
    "seconds": ("seconds", _seconds),
    "relative_gap": ("gap", _tiny),
}


def wrapped(sentences: Iterable[str]) -> Iterator[str]:
    """Break sentences into lines of a list that is as wide as the tables."""
    for sentence in sentences:
        yield from textwrap.wrap(sentence, 88, initial_indent="- ", subsequent_indent="  ")


def text_table(rows: pd.DataFrame, columns: dict[str, Column], title: str) -> Any:
    """Return the rows as a statsmodels ``SimpleTable``, one formatted column per entry of ``columns``."""
    from statsmodels.iolib.table import SimpleTable

    cells = [[show(row[name]) for name, (_, show) in columns.items()] for row in rows.to_dict("records")]
    names = [header for header, _ in columns.values()]
    aligns = "".join("l" if show is str else "r" for _, show in columns.values())
    return SimpleTable(cells, headers=names, title=title, txt_fmt={"data_aligns": aligns})
