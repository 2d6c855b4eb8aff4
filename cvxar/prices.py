"""From the columns of a file to one checked series.

Nothing is repaired in silence: rows are not dropped, gaps are not filled, and every error names the place and
the value.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.price_columns import Columns, number
from cvxar.price_times import Mask, read_stamps, regular

Series: TypeAlias = "pd.Series[float]"

NAMED_ROWS = 3


def checked_series(found: Columns) -> Series:
    """Build the series, oldest first, or raise an InputError that names every row that cannot be used."""
    if not len(found.cells) and not found.problems:
        raise InputError(f"{found.source}: there is a header but no row of data below it")
    values = np.array([number(cell, found.thousands) for cell in found.cells], dtype=np.float64)
    index, bad = read_stamps(found.stamps, f"{found.source}, column {found.time_name!r}")
    _check_rows(found, values, bad)
    order = np.asarray(index.argsort(kind="stable"))
    ordered, places = index[order], np.asarray(found.places)[order]
    _check_distinct(found, ordered, places)
    finished = _finish(found, ordered, places).rename(found.time_name)
    return pd.Series(values[order], index=finished, name=found.value_name)


def _check_rows(found: Columns, values: Array, bad: Mask) -> None:
    problems = dict(found.problems)
    for i in np.flatnonzero(bad | ~np.isfinite(values)).tolist():
        problems[found.places[i]] = _problem(found, i, bad[i], values[i])
    if problems:
        rows = [f"{found.unit} {place} {problem}" for place, problem in sorted(problems.items())]
        raise InputError(
            f"{found.source}: {len(rows)} unusable row(s): {_listed(rows)}. "
            "Correct or delete them in the file; rows are never dropped silently"
        )


def _problem(found: Columns, i: int, unreadable: bool, value: float) -> str:
    name = found.time_name if unreadable else found.value_name
    cell = str(found.stamps[i]) if unreadable else found.cells[i]
    if pd.isna(cell) or cell in ("", "NaT"):
        return f"has no {name}"
    if unreadable:
        return f"has {name} {cell!r}, which is not a time, or not in the form of the other rows"
    if not found.thousands and re.fullmatch(r"[-+]?\d+,\d+", str(cell)):
        return f"has {name} {cell!r}: a decimal comma is not read, write {cell.replace(',', '.')}"
    return f"has {name} {cell!r}, which is {'infinite' if np.isinf(value) else 'not a number'}"


def _check_distinct(found: Columns, ordered: pd.Index, places: NDArray[np.intp]) -> None:
    unit = found.unit
    again: list[int] = np.flatnonzero(ordered.duplicated()).tolist()
    if again:
        rows = [f"{unit} {places[i]} repeats {ordered[i]} of {unit} {places[i - 1]}" for i in again]
        raise InputError(
            f"{found.source}: {len(again)} repeated time(s): {_listed(rows)}. Keep one row per time"
        )


def _finish(found: Columns, ordered: pd.Index, places: NDArray[np.intp]) -> pd.Index:
    if isinstance(ordered, pd.DatetimeIndex | pd.PeriodIndex):
        return regular(ordered) if isinstance(ordered, pd.DatetimeIndex) else ordered
    steps = np.diff(ordered.to_numpy())
    step = int(steps.min()) if steps.size else 1
    if np.any(steps != step):
        i = int(np.argmax(steps != step))
        raise InputError(
            f"{found.source}: {found.unit} {places[i + 1]}: the counter {found.time_name!r} goes from "
            f"{ordered[i]} to {ordered[i + 1]}, elsewhere in steps of {step}; complete it or give dates"
        )
    return pd.RangeIndex(ordered[0], ordered[-1] + step, step)


def _listed(rows: Sequence[str]) -> str:
    more = f"; and {len(rows) - NAMED_ROWS} more" if len(rows) > NAMED_ROWS else ""
    return "; ".join(rows[:NAMED_ROWS]) + more
