"""Figures of solutions along a path of penalties."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.figures import COLOURS, CROWD, GREY, finish, new_grid
from cvxar.network import Breakpoint
from cvxar.path import SolutionPath

VALIDATED = "cv_loss"  # criteria estimated on folds have a standard error
MOST_NAMED = 6


def plot_path(
    path: pd.DataFrame, *, beta: float, criterion: str = "bic", name: str = "y", ax: Any = None
) -> Any:
    """Draw breakpoints against the penalty, and under them the criterion that chose it.

    Parameters
    ----------
    path : DataFrame
        ``path_`` of a fitted ``ConvexAR``: beta, beta_ratio, n_breakpoints and the criterion.
    beta : float
        The penalty chosen.
    criterion : {"bic", "aic", "hqic", "cv", "cv1se"}
        What chose it. Cross-validated losses are drawn with one standard error to either side.
    name : str
        Name and unit of the series.
    ax : pair of matplotlib Axes, optional
        One above the other; made when not given.

    Returns
    -------
    array (2,) of matplotlib Axes

    Raises
    ------
    InputError
        For another number of axes, or a table without that criterion.
    """
    column = VALIDATED if criterion.startswith("cv") else criterion
    if column not in path:
        raise InputError(f"the path has no column {column!r}; it has {', '.join(map(str, path))}")
    upper, lower = axes = new_grid(ax, (2, 1), (8.0, 6.0), sharex=True)[:, 0]
    ratio, chosen = path["beta_ratio"].to_numpy(), int(np.argmin(np.abs(path["beta"] - beta)))
    upper.plot(ratio, path["n_breakpoints"], ".-", color=COLOURS[0], linewidth=1.0, drawstyle="steps-mid")
    lower.plot(ratio, path[column], ".-", color=COLOURS[0], linewidth=1.0)
    if column == VALIDATED:
        low, high = path[column] - path["cv_se"], path[column] + path["cv_se"]
        lower.fill_between(ratio, low, high, color=COLOURS[0], alpha=0.2, label="one standard error")
    for panel in axes:
        panel.axvline(ratio[chosen], color=COLOURS[1], linewidth=1.0, linestyle="--")
    lower.plot(ratio[chosen], path[column].iloc[chosen], "D", color=COLOURS[1], label=f"chosen: {beta:.4g}")
    _descending(axes, ratio)
    finish(upper, "", "breakpoints")
    finish(lower, "beta / beta_max", _criterion_label(criterion, name))
    return axes


def _criterion_label(criterion: str, name: str) -> str:
    return f"validation loss of {name}" if criterion.startswith("cv") else criterion.upper()


def _descending(axes: Any, ratio: Array) -> None:
    """Let the penalty fall to the right, as the path is followed."""
    for ax in axes:
        if np.all(ratio > 0):
            ax.set_xscale("log")
        if not ax.xaxis_inverted():
            ax.invert_xaxis()
    axes[-1].set_xlim(axes[0].get_xlim())


def plot_solution_path(path: SolutionPath, *, column: int = 0, name: str = "x", ax: Any = None) -> Any:
    """Draw how much the map bends at every breakpoint, against the penalty, and where these are.

    Parameters
    ----------
    path : SolutionPath
        As from :func:`cvxar.solve_path`.
    column : int, default 0
        Which input column.
    name : str
        Name and unit of that column.
    ax : pair of matplotlib Axes, optional
        One above the other; made when not given.

    Returns
    -------
    array (2,) of matplotlib Axes
        Slope changes (jumps for sign and threshold networks), and locations; the strongest breakpoints
        in colour.
    """
    upper, lower = axes = new_grid(ax, (2, 1), (8.0, 7.0), sharex=True)[:, 0]
    ratio = _ratios(path)
    size, formula = _sizes(path, column)
    order = _by_share(size)
    names = dict(zip(order, _short([formula[where] for where in order[:MOST_NAMED]]), strict=False))
    count = sum(int(np.isfinite(row).sum()) for row in size.values())
    for i, where in reversed(list(enumerate(order))):  # the strongest on top
        named = i < MOST_NAMED
        look: dict[str, Any] = {"color": COLOURS[i] if named else GREY, "linewidth": 1.2 if named else 0.6}
        upper.plot(ratio, np.nan_to_num(size[where]), label=names.get(where), **look)
        present = np.isfinite(size[where])
        marks = {"markersize": 4.0} if named else _faint(count)
        lower.plot(ratio[present], np.full(present.sum(), where), ".", color=look["color"], **marks)
    _descending(axes, ratio)
    jumping = any(b.jump for s in path for b in s.network.breakpoints)
    finish(upper, "", "jump" if jumping else "slope change")
    if order:
        handles, labels = upper.get_legend_handles_labels()
        upper.legend(handles[::-1], labels[::-1], title="breakpoints", fontsize=8, title_fontsize=8)
    finish(lower, "beta / beta_max", f"breakpoint, {name}")
    return axes


def _short(names: Sequence[str]) -> list[str]:
    """Write locations with four digits, or as many as tell them apart; other names stay.

    Examples
    --------
    >>> _short(["-0.193421115776", "(1 + 2) / 2"]), _short(["1.00001", "1.00002"])
    (['-0.1934', '(1 + 2) / 2'], ['1.00001', '1.00002'])
    """
    for digits in range(4, 13):
        short = [_rounded(name, digits) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    return list(names)


def _rounded(name: str, digits: int) -> str:
    try:
        return f"{float(name):.{digits}g}"
    except ValueError:
        return name


def _faint(count: int) -> dict[str, Any]:
    """Marks of the weaker breakpoints: so many that they would merge are small and translucent."""
    if count <= CROWD:
        return {"markersize": 4.0}
    return {"markersize": 2.0, "markeredgewidth": 0, "alpha": max(0.4, CROWD / count), "rasterized": True}


def plot_solution_paths(path: SolutionPath, names: Sequence[str]) -> Any:
    """Draw :func:`plot_solution_path` for every input column, side by side.

    Parameters
    ----------
    path : SolutionPath
    names : sequence of str
        Name and unit of each column.

    Returns
    -------
    matplotlib Figure
    """
    grid = new_grid(None, (2, len(names)), (7.0 * len(names), 7.0), sharex=True)
    for column, name in enumerate(names):
        plot_solution_path(path, column=column, name=name, ax=grid[:, column])
    return grid[0, 0].figure


def _ratios(path: SolutionPath) -> Array:
    top = path[0].problem.beta_max
    return path.betas / top if top > 0 else np.ones(len(path))


def _sizes(path: SolutionPath, column: int) -> tuple[dict[float, Array], dict[float, str]]:
    """Slope change or jump at each place, one number a penalty (NaN: no breakpoint), and its formula."""
    size: dict[float, Array] = {}
    formula: dict[float, str] = {}
    for i, solution in enumerate(path):
        for b in solution.network.breakpoints:
            if b.column == column:
                row = size.setdefault(b.location, np.full(len(path), np.nan))
                row[i] = _strength(b)
                formula.setdefault(b.location, b.formula)
    return size, formula


def _by_share(size: dict[float, Array]) -> list[float]:
    """Order places by their share of the largest bend, summed over all penalties."""
    sizes = np.abs(np.nan_to_num(np.array(list(size.values())))) if size else np.zeros((0, 1))
    largest = sizes.max(axis=0, initial=0.0)
    shares = (sizes / np.where(largest > 0, largest, 1.0)).sum(axis=1)
    return [list(size)[i] for i in np.argsort(-shares, kind="stable")]


def _strength(b: Breakpoint) -> float:
    return b.jump or b.slope_change
