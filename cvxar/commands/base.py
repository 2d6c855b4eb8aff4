"""What a command is, and what all commands say in the same way."""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

import cvxar
from cvxar.commands.inputs import Given
from cvxar.lags import check_lags
from cvxar.model import ConvexAR


@dataclass(frozen=True)
class Output:
    """What a command says: text for readers, results for programs, a figure and a page if wanted."""

    text: str
    results: dict[str, Any]
    draw: Callable[[], Any] | None = None
    page: Callable[[str], Any] | None = None


@dataclass(frozen=True)
class Command:
    """One word after ``cvxar``.

    Parameters
    ----------
    name, purpose : str
        The word, and its line of help.
    add_options : callable
        Adds what the command takes beside the options all share to its parser.
    run : callable
        From options, series and the whole command line to the output.
    """

    name: str
    purpose: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Given, str], Output]


def model_of(options: argparse.Namespace) -> ConvexAR:
    """Return the model, not yet fitted, that the options describe."""
    names = ("architecture", "skip", "trend", "seasonal", "period", "transform", "beta", "beta_ratio")
    given = {name: getattr(options, name) for name in names if hasattr(options, name)}
    return ConvexAR(check_lags(options.lags), **given)


def head(given: Given, command: str) -> dict[str, Any]:
    """Return how every JSON result begins."""
    return {
        "series": given.label,
        "nobs": len(given.series),
        "command": command,
        "version": cvxar.__version__,
    }


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as JSON can hold it, row by row.

    Examples
    --------
    >>> records(pd.DataFrame({"a": [1.0, math.inf]}))
    [{'a': 1.0}, {'a': None}]
    """
    return [{str(key): plain(value) for key, value in row.items()} for row in rows.to_dict("records")]


def plain(value: Any) -> Any:
    """Return the value, or None for a number that JSON does not know."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
