"""Figures of data objects. Functions take the axes to draw on, or make them; matplotlib is optional."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError
from cvxar.files import write_atomically
from cvxar.network import Network

# Okabe and Ito's colours can be told apart by colour-blind readers; black is kept for the data.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
STYLES = ("-", "--", "-.", ":")


def check_matplotlib() -> None:
    """Raise unless matplotlib is installed.

    Raises
    ------
    InputError
        Naming the extra that brings it.
    """
    if find_spec("matplotlib") is None:
        raise InputError('plots need matplotlib, which is not installed; run: pip install "cvxar[plots]"')


def check_figure_file(path: str | PathLike[str]) -> None:
    """Raise unless matplotlib is installed and can write a figure with the suffix of ``path``.

    Examples
    --------
    >>> check_figure_file("a.txt")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: cannot draw into a.txt: give a name that ends in one of ... .png...
    """
    check_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.lower().removeprefix(".") not in known:
        endings = ", ".join(f".{suffix}" for suffix in known)
        raise InputError(f"cannot draw into {Path(path)}: give a name that ends in one of {endings}")


def save_figure(draw: Callable[[], Any], path: str | PathLike[str]) -> None:
    """Draw a figure without a screen and write it: completely or not at all.

    Parameters
    ----------
    draw : callable
        Makes and returns the figure.
    path : path-like
        Its suffix chooses the format.
    """
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    figure = draw()
    write_atomically(path, lambda file: figure.savefig(file, dpi=150))
    pyplot.close(figure)


def plot_forecasts(forecasts: pd.DataFrame, *, unit: str = "value", ax: Any = None) -> Any:
    """Draw what happened and what each model forecast, over time.

    Parameters
    ----------
    forecasts : DataFrame
        Columns model, time, horizon, y, mean: the forecasts of one series, as in ``Comparison.forecasts``.
    unit : str
        Label of the vertical axis: what is forecast, and its unit.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
    """
    ax = _axes(ax)
    first = forecasts[forecasts["model"] == forecasts["model"].iloc[0]]
    ax.plot(_stamps(first["time"]), first["y"], color="black", linewidth=1.6, label="observed")
    for model, (colour, style) in _looks(forecasts).items():
        rows = forecasts[forecasts["model"] == model]
        ax.plot(
            _stamps(rows["time"]), rows["mean"], color=colour, linestyle=style, linewidth=1.2, label=model
        )
    steps = int(first["horizon"].iloc[0])
    ax.set_title(f"Forecasts {steps} step{'s' if steps > 1 else ''} ahead", fontsize=10)
    return _finish(ax, "time", unit)


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
    ax = _axes(ax)
    ax.axhline(0.0, color="black", linewidth=0.8, label=baseline)
    reference = _squared_errors(forecasts, baseline)
    for model, (colour, style) in _looks(forecasts).items():
        if model == baseline:
            continue
        stamps = _stamps(forecasts.loc[forecasts["model"] == model, "time"])
        saved = np.cumsum(reference - _squared_errors(forecasts, model))
        ax.plot(stamps, saved, color=colour, linestyle=style, linewidth=1.2, label=model)
    ax.set_title(f"Squared error saved against {baseline}, accumulated (up is better)", fontsize=10)
    return _finish(ax, "time", f"{unit}, squared")


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
    check_matplotlib()
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(
        2,
        len(forecasts),
        figsize=(7.0 * len(forecasts), 7.5),
        squeeze=False,
        sharex="col",
        layout="constrained",
    )
    for column, (unit, rows) in enumerate(forecasts.items()):
        plot_forecasts(rows, unit=unit, ax=grid[0, column])
        plot_error_difference(rows, baseline=baseline, unit=unit, ax=grid[1, column])
        grid[0, column].set_xlabel("")
    figure.autofmt_xdate(rotation=30)
    return figure


def plot_map(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    column: int = 0,
    name: str = "y",
    lag: int = 1,
    ax: Any = None,
) -> Any:
    """Draw the map a network has learnt from one lag to the present, its breakpoints, and the linear fit.

    With several columns, the points are partial residuals: what the other lags explain is taken away.

    Parameters
    ----------
    network : Network
    x : array_like of shape (n,) or (n, p)
        Training inputs.
    y : array_like of shape (n,)
        Training targets.
    column : int, default 0
        Which column of ``x`` is drawn.
    name : str
        Name and unit of the series.
    lag : int, default 1
        Lag of that column.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
    """
    inputs = np.asarray(x, dtype=float)
    inputs = inputs[:, None] if inputs.ndim == 1 else inputs
    own, part = inputs[:, column], network.pieces(column)
    points = network.constant + part(own) + np.asarray(y, dtype=float) - network(inputs)
    breaks = np.array([b.location for b in network.breakpoints if b.column == column])
    ends = np.array([own.min(), own.max()])
    line = np.union1d(ends, breaks[(breaks > ends[0]) & (breaks < ends[1])])
    slope = _linear_slopes(inputs, np.asarray(y, dtype=float))[column]
    ax = _axes(ax)
    ax.plot(own, points, ".", color="#999999", markersize=3, label="data")
    ax.plot(ends, points.mean() + slope * (ends - own.mean()), "--", color=COLOURS[1], label="linear fit")
    ax.plot(line, network.constant + part(line), color=COLOURS[0], linewidth=1.8, label="network")
    if breaks.size:
        ax.plot(breaks, network.constant + part(breaks), "D", color="black", markersize=5, label="breakpoint")
    return _finish(ax, f"{name}, lag {lag}", name)


def _linear_slopes(x: Array, y: Array) -> Array:
    design = np.column_stack([x - x.mean(axis=0), np.ones(len(x))])
    slopes: Array = np.linalg.lstsq(design, y, rcond=None)[0][:-1]
    return slopes


def _squared_errors(forecasts: pd.DataFrame, model: str) -> Array:
    rows = forecasts[forecasts["model"] == model]
    squares: Array = (rows["y"].to_numpy() - rows["mean"].to_numpy()) ** 2
    return squares


def _looks(forecasts: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Colour and line style of each model, by its place in the table: the same in every figure."""
    models = forecasts["model"].unique()
    return {m: (COLOURS[i % len(COLOURS)], STYLES[i % len(STYLES)]) for i, m in enumerate(models)}


def _stamps(time: pd.Series) -> Any:
    """Times as matplotlib can draw them."""
    return time.dt.to_timestamp() if isinstance(time.dtype, pd.PeriodDtype) else time.to_numpy()


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    check_matplotlib()
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(8.0, 4.5), layout="constrained")[1]


def _finish(ax: Any, xlabel: str, ylabel: str) -> Any:
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend(fontsize=8, frameon=False)
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
