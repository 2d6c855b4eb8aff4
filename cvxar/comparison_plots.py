"""Figures of forecasts that compete: what happened, what each model said, and what it saved."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.figures import COLOURS, STYLES, band_levels, finish, new_axes, new_grid, shade, stamps


def plot_forecasts(forecasts: pd.DataFrame, *, unit: str = "value", ax: Any = None) -> Any:
    """Draw what happened and what each model forecast, over time.

    Parameters
    ----------
    forecasts : DataFrame
        Columns model, time, horizon, y, mean: the forecasts of one series, as in ``Comparison.forecasts``.
        Bands (lower_80, upper_80, ...) are drawn of the first model that has any.
    unit : str
        Label of the vertical axis: what is forecast, and its unit.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
    """
    ax = new_axes(ax)
    first = forecasts[forecasts["model"] == forecasts["model"].iloc[0]]
    ax.plot(stamps(first["time"]), first["y"], color="black", linewidth=1.6, label="observed")
    _draw_bands(forecasts, ax)
    for model, (colour, style) in _looks(forecasts).items():
        rows = forecasts[forecasts["model"] == model]
        ax.plot(stamps(rows["time"]), rows["mean"], color=colour, linestyle=style, linewidth=1.2, label=model)
    steps = int(first["horizon"].iloc[0])
    ax.set_title(f"Forecasts {steps} step{'s' if steps > 1 else ''} ahead", fontsize=10)
    return finish(ax, "time", unit)


def _draw_bands(forecasts: pd.DataFrame, ax: Any) -> None:
    """Shade the bands of the first model that has any, the widest first."""
    levels = band_levels(forecasts)
    known = forecasts.dropna(subset=[f"lower_{level}" for level in levels]) if levels else forecasts[:0]
    if known.empty:
        return
    model = known["model"].iloc[0]
    rows, colour = forecasts[forecasts["model"] == model], _looks(forecasts)[model][0]
    for level in reversed(levels):
        low, high = rows[f"lower_{level}"], rows[f"upper_{level}"]
        look = {"color": colour, "alpha": shade(level), "linewidth": 0}
        ax.fill_between(stamps(rows["time"]), low, high, label=f"{model}, {level} %", **look)


def plot_error_difference(
    forecasts: pd.DataFrame, *, baseline: str = "AR(1)", unit: str = "value", ax: Any = None
) -> Any:
    """Draw the squared error saved so far against a baseline: ``sum of (e_baseline^2 - e_model^2)``.

    A line that rises belongs to a model that is forecasting better than the baseline just then.

    Parameters
    ----------
    forecasts : DataFrame
        Columns model, time, y, mean, as in ``Comparison.forecasts``.
    baseline : str
        One of the models.
    unit : str
        What is forecast, and its unit.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        If the baseline is not among the models.
    """
    models = forecasts["model"].unique()
    if baseline not in models:
        raise InputError(f"baseline {baseline!r} is not among the models: {', '.join(models)}")
    ax = new_axes(ax)
    ax.axhline(0.0, color="black", linewidth=0.8, label=baseline)
    reference = _squared_errors(forecasts, baseline)
    for model, (colour, style) in _looks(forecasts).items():
        if model == baseline:
            continue
        times = stamps(forecasts.loc[forecasts["model"] == model, "time"])
        saved = np.cumsum(reference - _squared_errors(forecasts, model))
        ax.plot(times, saved, color=colour, linestyle=style, linewidth=1.2, label=model)
    ax.set_title(f"Squared error saved against {baseline}, accumulated (up is better)", fontsize=10)
    return finish(ax, "time", f"{unit}, squared")


def plot_comparison(forecasts: Mapping[str, pd.DataFrame], *, baseline: str = "AR(1)") -> Any:
    """Draw `plot_forecasts` above `plot_error_difference`, one column per series.

    Parameters
    ----------
    forecasts : mapping of str to DataFrame
        Unit of each series (the axis label) and its forecasts.
    baseline : str
        Model that the error is compared with.

    Returns
    -------
    matplotlib Figure
    """
    grid = new_grid(None, (2, len(forecasts)), (7.0 * len(forecasts), 7.5), sharex="col")
    for column, (unit, rows) in enumerate(forecasts.items()):
        plot_forecasts(rows, unit=unit, ax=grid[0, column])
        plot_error_difference(rows, baseline=baseline, unit=unit, ax=grid[1, column])
        grid[0, column].set_xlabel("")
    figure = grid[0, 0].figure
    figure.autofmt_xdate(rotation=30)
    return figure


def _squared_errors(forecasts: pd.DataFrame, model: str) -> Array:
    rows = forecasts[forecasts["model"] == model]
    squares: Array = (rows["y"].to_numpy() - rows["mean"].to_numpy()) ** 2
    return squares


def _looks(forecasts: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Colour and line style of each model, by its place in the table: the same in every figure."""
    models = forecasts["model"].unique()
    return {m: (COLOURS[i % len(COLOURS)], STYLES[i % len(STYLES)]) for i, m in enumerate(models)}
