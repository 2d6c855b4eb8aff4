"""Figures of one trained network."""

from typing import Any

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.figures import COLOURS, finish, new_axes
from cvxar.network import Network


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
    ax = new_axes(ax)
    ax.plot(own, points, ".", color="#999999", markersize=3, label="data")
    ax.plot(ends, points.mean() + slope * (ends - own.mean()), "--", color=COLOURS[1], label="linear fit")
    ax.plot(line, network.constant + part(line), color=COLOURS[0], linewidth=1.8, label="network")
    if breaks.size:
        ax.plot(breaks, network.constant + part(breaks), "D", color="black", markersize=5, label="breakpoint")
    return finish(ax, f"{name}, lag {lag}", name)


def _linear_slopes(x: Array, y: Array) -> Array:
    design = np.column_stack([x - x.mean(axis=0), np.ones(len(x))])
    slopes: Array = np.linalg.lstsq(design, y, rcond=None)[0][:-1]
    return slopes
