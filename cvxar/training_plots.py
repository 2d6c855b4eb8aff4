"""Figures of descent against the certified optimum."""

from typing import Any

import pandas as pd

from cvxar.figures import COLOURS, finish, legend_on_top, make_room, new_axes

TRAINING_NAMES = {"objective": "training objective", "train_mse": "training MSE", "test_mse": "test MSE"}


def plot_training_curves(
    curves: pd.DataFrame, quantity: str = "objective", *, unit: str = "value", ax: Any = None
) -> Any:
    """Draw objective or loss after each epoch of Adam and SGD, and that of the certified optimum as a line.

    Parameters
    ----------
    curves : DataFrame
        As :func:`cvxar.curves.training_curves` returns it.
    quantity : {"objective", "train_mse", "test_mse"}, default "objective"
        What is drawn; both axes are logarithmic.
    unit : str
        Unit of the series; all three are in its square.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
    """
    ax = new_axes(ax)
    for i, (method, rows) in enumerate(curves.groupby("method", sort=False)):
        line = {"color": COLOURS[i], "label": method}
        if rows["epoch"].notna().any():
            ax.plot(rows["epoch"], rows[quantity], linewidth=1.4, **line)
        elif rows[quantity].notna().all():
            ax.axhline(float(rows[quantity].iloc[0]), linestyle=("-", "--")[i % 2], linewidth=1.8, **line)
    ax.set_xscale("log")
    if (curves[quantity].dropna() > 0).all():
        ax.set_yscale("log")
    finish(ax, "epoch", f"{TRAINING_NAMES[quantity]}, {unit} squared")
    make_room(ax, 0.0, legend_on_top(ax, 8))
    return ax
