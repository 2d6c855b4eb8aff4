"""Continuing an earlier backtest: whether it belongs to the present one, and what of it can be kept."""

from dataclasses import fields
from typing import Any

import joblib
import pandas as pd

from cvxar.errors import InputError, InputTypeError
from cvxar.evaluation import Backtest
from cvxar.schedule import Schedule


def rows_of(earlier: Backtest, name: str, chunk: range) -> pd.DataFrame | None:
    """Rows of a chunk of origins, if an earlier result has them all and none failed."""
    if name not in earlier.marks:
        return None
    table, horizon = earlier.forecasts, earlier.schedule.horizon
    rows = table[table["model"] == name].iloc[chunk.start * horizon : chunk.stop * horizon]
    whole = len(rows) == len(chunk) * horizon and (rows["error"] == "").all()
    return rows if whole else None


def fingerprint(model: Any, intervals: str | None) -> str:
    """A fingerprint of a forecaster's settings and bands; of what cannot be pickled, its kind alone."""
    try:
        return str(joblib.hash((model, intervals)))
    except Exception:  # pickling calls code of the user's, which may raise anything
        return type(model).__qualname__


def check_resume(earlier: Any, draft: Backtest) -> Backtest | None:
    """Raise unless an earlier result belongs to these data, settings and forecasters."""
    if earlier is None:
        return None
    if not isinstance(earlier, Backtest):
        raise InputTypeError(
            f"resume must be the result of an earlier backtest, got {type(earlier).__name__}"
        )
    if earlier.schedule != draft.schedule:
        raise InputError(
            f"resume has other settings: {_differences(earlier.schedule, draft.schedule)}; give the same, or "
            "start anew without resume"
        )
    old, new = earlier.data, draft.data
    if not (
        _begins(new.series, old.series) and _begins(new.exog, old.exog) and old.future_exog == new.future_exog
    ):
        raise InputError(
            "resume was made on other data: its series (and exog) must be the beginning of the present ones; "
            "start anew without resume"
        )
    for name, mark in earlier.marks.items():
        if draft.marks.get(name, mark) != mark:
            raise InputError(
                f"forecasters[{name!r}] (or its intervals) is not what resume has under this name; rename it"
            )
    return earlier


def _begins(new: Any, old: Any) -> bool:
    """Whether a table begins with another one."""
    if old is None or new is None:
        return old is new
    return len(old) <= len(new) and bool(new.iloc[: len(old)].equals(old))


def _differences(old: Schedule, new: Schedule) -> str:
    """Settings that differ.

    Examples
    --------
    >>> _differences(Schedule(40, window=20), Schedule(50, window=20))
    'initial=40, not 50'
    """
    pairs = ((f.name, getattr(old, f.name), getattr(new, f.name)) for f in fields(Schedule))
    return ", ".join(f"{name}={before!r}, not {after!r}" for name, before, after in pairs if before != after)
