"""``cvxar features``: the breakpoints of the fitted network, and where they come from."""

import argparse
from typing import Any

import pandas as pd

from cvxar.commands.arguments import add_beta
from cvxar.commands.base import Command, Output, head, model_of, records
from cvxar.commands.inputs import Given
from cvxar.lags import check_lags
from cvxar.model import ConvexAR


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    rows = breakpoint_table(model_of(options).fit(given.series), options.lags)
    text = rows.to_string(index=False) if len(rows) else "no breakpoints: the fit is linear"
    return Output(text, head(given, command) | {"rows": records(rows)})


def breakpoint_table(model: ConvexAR, lags: Any) -> pd.DataFrame:
    """Return one row a breakpoint: lag, location, slope_change, label."""
    rows = [(check_lags(lags)[b.column], b.location, b.slope_change, b.label) for b in model.breakpoints_]
    return pd.DataFrame(rows, columns=["lag", "location", "slope_change", "label"])


FEATURES = Command("features", "list the breakpoints of the fitted network", add_beta, _run)
