"""The figures of a fitted ``ConvexAR``: which of its parts go into which picture."""

from typing import Any

import numpy as np
import pandas as pd

from cvxar.errors import InputError
from cvxar.figures import new_grid
from cvxar.forecast import Paths
from cvxar.model_plots import plot_diagnostics, plot_fit, plot_forecast
from cvxar.network_plots import plot_network
from cvxar.path_plots import plot_path
from cvxar.results import Results
from cvxar.simulation import autoregressive_slopes

MOST_ABREAST = 3


def draw_fit(results: Results, ax: Any) -> Any:
    """Draw the series and its one-step predictions, both in its own units whatever the transform."""
    known = results.predictor.known
    observed = pd.Series(known.values, index=known.index)
    fits = results.predictor.predict(None, None, False, None, Paths())
    return plot_fit(observed, fits, name=_name(results), ax=ax)


def draw_forecast(results: Results, forecast: pd.DataFrame, history: int | None, ax: Any) -> Any:
    """Draw the last observations and a forecast; four times as many as steps, or 40, by default."""
    known = results.predictor.known
    shown = max(4 * len(forecast), 40) if history is None else history
    observed = pd.Series(known.values, index=known.index).iloc[-shown:]
    return plot_forecast(observed, forecast, name=_name(results), ax=ax)


def draw_diagnostics(results: Results, lags: int | None, ax: Any) -> Any:
    """Draw four views of the residuals of the fit."""
    return plot_diagnostics(results.resid.iloc[: results.nobs], name=_map_name(results), lags=lags, axes=ax)


def draw_network(results: Results, ax: Any) -> Any:
    """Draw the map of every nonlinear lag; axes alone for one, an array of them for more."""
    frame, network, settings, terms = results.frame, results.network, results.settings, results.terms
    if not terms.curved:
        raise InputError("no lag has a network: nonlinear_lags is empty, so that there is no map to draw")
    slopes = autoregressive_slopes(frame, results.solution.problem, terms.curved)
    x = frame.x[:, terms.curved]
    # the map and what it leaves: everything else that is fitted is taken away
    targets = network(x) + frame.y - results.solution.fitted
    count = len(terms.curved)
    panels = [ax] if count == 1 else _panels(ax, count)
    drawn = [
        plot_network(
            network,
            x,
            targets,
            column=column,
            name=_map_name(results),
            lag=terms.nonlinear[column],
            linear_slope=float(slopes[column]),
            extrapolation=settings.extrapolation,
            ax=panel,
        )
        for column, panel in enumerate(panels)
    ]
    if frame.x.shape[1] + frame.exog.shape[1] > 1:
        for panel in drawn:
            panel.set_ylabel(f"{_map_name(results)}, other terms taken away")
    return drawn[0] if count == 1 else np.array(drawn, dtype=object)


def _panels(ax: Any, count: int) -> Any:
    """The axes given, or new ones in rows of at most three."""
    if ax is not None:
        return new_grid(ax, (1, count), (0.0, 0.0))[0]
    rows, columns = -(-count // MOST_ABREAST), min(count, MOST_ABREAST)
    grid = new_grid(None, (rows, columns), (6.5 * columns, 6.0 * rows)).ravel()
    for spare in grid[count:]:
        spare.remove()
    return grid[:count]


def draw_path(results: Results, ax: Any) -> Any:
    """Draw the path from which the penalty was chosen."""
    if results.path is None:
        raise InputError(
            "there is no path: the penalty was given; fit with beta='bic', or draw a path of your own "
            "with plots.plot_solution_path(solve_path(problem))"
        )
    criterion = str(results.settings.beta)
    return plot_path(results.path, beta=results.beta, criterion=criterion, name=_map_name(results), ax=ax)


def _name(results: Results) -> str:
    name = results.predictor.known.name
    return "y" if name is None else str(name)


def _map_name(results: Results) -> str:
    """Name of what the map and the residuals are about: the transformed series."""
    transform, name = results.settings.transform, _name(results)
    if transform is None:
        return name
    return f"{transform if isinstance(transform, str) else type(transform).__name__} of {name}"
