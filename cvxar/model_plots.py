"""Figures of a fitted autoregression: fit, forecast and residuals."""

from typing import Any

import numpy as np
import pandas as pd

from cvxar.figures import COLOURS, CROWD, band_levels, dots, finish, new_axes, new_grid, shade, stamps


def plot_fit(observed: pd.Series, fitted: pd.Series, *, name: str = "y", ax: Any = None) -> Any:
    """Draw a series and its one-step fits over time.

    Parameters
    ----------
    observed, fitted : Series
        Each on its own index; the fits begin later, by the longest lag.
    name : str
        Name and unit of the series.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
    """
    ax, many = new_axes(ax), len(observed) > CROWD
    width = 0.6 if many else 1.2
    ax.plot(
        stamps(observed.index), observed, color="black", linewidth=width, label="observed", rasterized=many
    )
    ax.plot(
        stamps(fitted.index),
        fitted,
        color=COLOURS[1],
        linewidth=width,
        alpha=0.8,
        label="one-step fit",
        rasterized=many,
    )
    return finish(ax, time_label(observed.index), name)


def plot_forecast(history: pd.Series, forecast: pd.DataFrame, *, name: str = "y", ax: Any = None) -> Any:
    """Draw the end of a series and a fan of forecasts, the wider bands lighter.

    Parameters
    ----------
    history : Series
        The last observations.
    forecast : DataFrame
        As from ``ConvexAR.forecast``: column ``mean`` and pairs ``lower_80``, ``upper_80``; any number of
        levels.
    name : str
        Name and unit of the series.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
    """
    ax, history = new_axes(ax), _joined(history, forecast.index)
    # the fan opens at the last observation
    last, time = history.iloc[-1:], stamps(history.index[-1:].append(forecast.index))
    ax.plot(stamps(history.index), history, color="black", linewidth=1.2, label="observed")
    for level in reversed(band_levels(forecast)):
        low, high = (np.append(last, forecast[f"{side}_{level}"]) for side in ("lower", "upper"))
        look = {"color": COLOURS[0], "alpha": shade(level), "linewidth": 0}
        ax.fill_between(time, low, high, label=f"{level} %", **look)
    ax.plot(time, np.append(last, forecast["mean"]), color=COLOURS[0], linewidth=1.8, label="mean")
    return finish(ax, time_label(history.index), name)


def _joined(history: pd.Series, future: pd.Index) -> pd.Series:
    """Count positions where forecasts do (no frequency is known), so that they follow the history."""
    if _is_calendar(history.index) == _is_calendar(future) and history.index[-1] < future[0]:
        return history
    return history.set_axis(pd.RangeIndex(int(future[0]) - len(history), int(future[0])))


def plot_diagnostics(resid: pd.Series, *, name: str = "y", lags: int | None = None, axes: Any = None) -> Any:
    """Draw residuals over time, their histogram and quantiles beside the normal, and autocorrelations.

    Parameters
    ----------
    resid : Series
        ``y - fitted``, at least 3.
    name : str
        Name and unit of the series.
    lags : int, optional
        Of the autocorrelations; by default statsmodels' choice, ``10 log10(n)``.
    axes : array of 4 matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    array (2, 2) of matplotlib Axes

    Raises
    ------
    InputError
        For another number of axes.
    """
    grid = new_grid(axes, (2, 2), (11.0, 7.5))
    values = resid.to_numpy(dtype=float)
    spread = float(values.std())
    grid[0, 0].plot(stamps(resid.index), values, **dots(len(values)))
    grid[0, 0].axhline(0.0, color="black", linewidth=0.8)
    finish(grid[0, 0], time_label(resid.index), f"residual of {name}")
    _draw_histogram(grid[0, 1], values, spread, name)
    _draw_quantiles(grid[1, 0], values / spread if spread else values)
    _draw_correlogram(grid[1, 1], values, lags)
    return grid


def _draw_histogram(ax: Any, values: Any, spread: float, name: str) -> None:
    from scipy.stats import norm

    ax.hist(values, bins=min(80, max(8, round(2 * len(values) ** (1 / 3)))), density=True, color="#c8d8e8")
    if spread:
        at = np.linspace(values.min(), values.max(), 300)
        ax.plot(at, norm.pdf(at, values.mean(), spread), color=COLOURS[1], label="normal, same variance")
    finish(ax, f"residual of {name}", "density")


def _draw_quantiles(ax: Any, values: Any) -> None:
    from statsmodels.graphics.gofplots import qqplot

    crowd = len(values) > CROWD
    qqplot(values, ax=ax, markerfacecolor=COLOURS[0], markeredgewidth=0, markersize=3, rasterized=crowd)
    ends = np.array(ax.get_xlim())
    ax.plot(ends, ends, color=COLOURS[1], linewidth=1.0, label="normal")
    ax.set_xlim(ends)
    finish(ax, "normal quantile", "residual, standardised")


def _draw_correlogram(ax: Any, values: Any, lags: int | None) -> None:
    from statsmodels.graphics.tsaplots import plot_acf

    if np.ptp(values) > 0:
        plot_acf(values, ax=ax, lags=lags, zero=False, title="", auto_ylims=True, fft=True)
    finish(ax, "lag", "autocorrelation of residuals")


def time_label(index: pd.Index) -> str:
    """Return what an index counts: dates, or what it is called, or observations."""
    if _is_calendar(index):
        return "time"
    return "observation" if index.name is None else str(index.name)


def _is_calendar(index: pd.Index) -> bool:
    return isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))
