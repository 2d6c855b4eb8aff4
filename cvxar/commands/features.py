"""``cvxar features``: the units of the fitted network, its breakpoints, and where they come from."""

import argparse
from typing import Any

import numpy as np
import pandas as pd

from cvxar.commands.arguments import add_fit, add_plot
from cvxar.commands.base import Command, Output, head, model_of, records
from cvxar.commands.inputs import Given
from cvxar.lags import check_lags
from cvxar.model import ConvexAR
from cvxar.network import Breakpoint
from cvxar.reflections import origins

LEGEND = "R(a, b) = 2 b - a: a reflected in b.  M(a, b): their midpoint.  G(a, b, c) = b + c - a."

MOST = 8  # of what is listed in one line


def _options(parser: argparse.ArgumentParser) -> None:
    add_fit(parser)
    add_plot(parser)


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    model = model_of(options).fit(given.series)
    breakpoints, units = breakpoint_table(model, options.lags), unit_table(model, options.lags)
    results = head(given, command) | {"rows": records(breakpoints), "units": records(units)}
    return Output(_text(model, breakpoints, units), results, lambda: picture(model))


def _text(model: ConvexAR, breakpoints: pd.DataFrame, units: pd.DataFrame) -> str:
    if not len(breakpoints):
        return "no breakpoints: the fit is linear"
    # a column that says the same of every row says nothing: jumps of continuous maps, slopes of steps
    silent = [c for c in ("slope_change", "jump") if not breakpoints[c].any()]
    tables = [breakpoints.drop(columns=silent).assign(units=breakpoints["units"].map(_listed))]
    tables.append(units.assign(kinks=units["kinks"].map(_listed)))
    texts = [table.to_string(index=False, float_format="{:.6g}".format) for table in tables]
    ruled = breakpoints["formula"].str.contains("(", regex=False).any()
    proof = f"beta {model.beta_:.6g}, {len(units)} units; {model.certificate_}"
    return "\n\n".join([*texts, *([LEGEND] if ruled else []), proof])


def _listed(items: list[Any]) -> str:
    shown = [*map(str, items[:MOST]), *([f"... ({len(items)} in all)"] if len(items) > MOST else [])]
    return "; ".join(shown)


def breakpoint_table(model: ConvexAR, lags: Any) -> pd.DataFrame:
    """Return one row a breakpoint: lag, location, label, formula, slope_change, jump, units (from 1)."""
    rows = [_row(b, check_lags(lags)[b.column]) for b in model.breakpoints_]
    columns = ["lag", "location", "label", "formula", "slope_change", "jump", "units"]
    return pd.DataFrame(rows, columns=columns)


def _row(b: Breakpoint, lag: int) -> list[Any]:
    return [lag, b.location, b.label, b.formula, b.slope_change, b.jump, [i + 1 for i in b.units]]


def unit_table(model: ConvexAR, lags: Any) -> pd.DataFrame:
    """Return one row a unit of the network: unit (from 1), lag, coef, kinks (formulas, left to right)."""
    point, names = model.network_.point, check_lags(lags)
    rows = [
        [i, names[unit.column], float(z), [o.formula for _, o in sorted(origins(unit).items())]]
        for i, (unit, z) in enumerate(zip(point.features, point.coef, strict=True), start=1)
    ]
    return pd.DataFrame(rows, columns=["unit", "lag", "coef", "kinks"])


def picture(model: ConvexAR) -> Any:
    """Return the figure of the fitted network."""
    return np.ravel(model.plot_network())[0].figure


FEATURES = Command("features", "list units and breakpoints, and where they come from", _options, _run)
