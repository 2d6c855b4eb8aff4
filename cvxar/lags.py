"""From a series to the regression of its values on their lags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array, IntArray
from cvxar.deterministic import CONSTANT, Deterministic
from cvxar.errors import InputError, InputTypeError
from cvxar.memory import check_memory
from cvxar.observations import Observations

LISTED = 64  # bytes a lag takes at the least: its number, its name's place, its column of two rows


@dataclass(frozen=True)
class LagFrame:
    """The regression of ``y[t]`` on ``x[t] = (y_{t-l} for l in lags)`` and on free columns.

    Parameters
    ----------
    x : array (n, p)
        Lagged values, one column per lag.
    y : array (n,)
        Targets: every observation that is known with all its lags and exogenous values.
    index : Index (n,)
        Stamps of the targets.
    exog : array (n, d + q)
        Trend and seasonal columns, then exogenous values, at the times of the targets.
    names : tuple of str
        Names of the p columns of ``x``, as in statsmodels' ``AutoReg``: ``"close.L1"``.
    rows : array (n,)
        Positions of the targets in the series.
    """

    x: Array
    y: Array
    index: pd.Index
    exog: Array
    names: tuple[str, ...]
    rows: IntArray


def check_lags(
    lags: int | Sequence[int], none: str = "at least one is needed", count: int | None = None
) -> tuple[int, ...]:
    """Return the lags as an ascending tuple: ``p`` means ``1..p``, a sequence means itself.

    ``none`` is what the message says of having no lags; ``count`` is the number of observations, if known.

    Raises
    ------
    InputTypeError
        If they are not whole numbers.
    InputError
        If one is below 1 or appears twice, or there is none, or ``p`` is too large for the observations.
    TooLargeError
        If ``p`` lags would not fit into memory.

    Examples
    --------
    >>> check_lags(3), check_lags([7, 1])
    ((1, 2, 3), (1, 7))
    """
    if isinstance(lags, (bool, str, bytes)) or not isinstance(lags, (int, np.integer, Sequence, np.ndarray)):
        raise InputTypeError(f"lags must be a whole number or a sequence of whole numbers, got {lags!r}")
    chosen = _listed(int(lags), count) if isinstance(lags, (int, np.integer)) else list(lags)
    if not all(_is_whole(lag) for lag in chosen):
        raise InputTypeError(f"lags must be whole numbers, got {lags!r}")
    if not chosen or min(chosen) < 1 or len(set(chosen)) < len(chosen):
        raise InputError(f"lags must be 1 or more and distinct ({none}), got {lags!r}")
    return tuple(sorted(int(lag) for lag in chosen))


def _listed(most: int, count: int | None) -> list[int]:
    """Return 1 to ``most``, refused before it is listed if it can be of no use."""
    if count is not None:
        _check_long_enough(count, most)
    check_memory(LISTED * float(most), f"a regression on {most:,} lags", "use fewer lags")
    return [*range(1, most + 1)]


def lags_or_none(lags: int | Sequence[int] | None, count: int | None = None) -> tuple[int, ...]:
    """Return the lags as :func:`check_lags` does, or an empty tuple for ``None`` and 0.

    Examples
    --------
    >>> lags_or_none(2), lags_or_none(0), lags_or_none(None)
    ((1, 2), (), ())
    """
    if lags is None or (_is_whole(lags) and lags == 0):
        return ()
    return check_lags(lags, "None or 0 for none", count)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))


def check_subset(nonlinear: int | Sequence[int] | None, lags: Sequence[int]) -> tuple[int, ...]:
    """Return the lags with a network: all of them for ``None``.

    Raises
    ------
    InputError, InputTypeError
        If they are not among the lags.

    Examples
    --------
    >>> check_subset(None, (1, 2)), check_subset([2], (1, 2)), check_subset(0, (1, 2))
    ((1, 2), (2,), ())
    """
    if nonlinear is None:
        return tuple(lags)
    beyond = isinstance(nonlinear, (int, np.integer)) and nonlinear > max(lags, default=0)
    chosen = () if beyond else lags_or_none(nonlinear)
    if beyond or not set(chosen) <= set(lags):
        raise InputError(f"nonlinear_lags must be among the lags {list(lags)}, got {nonlinear!r}")
    return chosen


def lag_frame(
    known: Observations,
    lags: tuple[int, ...],
    deterministic: Deterministic = CONSTANT,
    hold_back: int = 0,
) -> LagFrame:
    """Build the regression of the observations on their lags and on free columns.

    Rows with a missing entry are left out.

    Raises
    ------
    InputError
        If fewer than 2 rows are left, or an exogenous column is named like another free column.

    Examples
    --------
    >>> from cvxar.observations import observe
    >>> frame = lag_frame(observe([1.0, 2.0, 4.0, 8.0]), (1,))
    >>> frame.x[:, 0], frame.y, frame.names
    (array([1., 2., 4.]), array([2., 4., 8.]), ('y.L1',))
    """
    first, names = max(longest(lags), hold_back), lag_names(known, lags)
    _check_names(known.exog_names, (*deterministic.names, *names))
    _check_long_enough(len(known), first)
    x, free = lag_matrix(known.values, lags, first), free_columns(known, deterministic, first)
    rows = complete_rows(known.values[first:], x, free)
    if len(rows) < 2:
        raise InputError(
            f"{len(rows)} of {len(known)} observations are known together with the lags {list(lags)} and "
            "exogenous values; at least 2 are needed: fill the gaps, for example with interpolate(), or use "
            "fewer lags"
        )
    every = len(rows) == len(x)
    x, free = (x, free) if every else (x[rows], free[rows])
    places = rows + first
    index = known.index[first:] if every else known.index[places]
    return LagFrame(x, known.values[places], index, free, names, places)


def lag_names(known: Observations, lags: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of the lags as in ``AutoReg``: ``close.L1``, or ``y.L1`` where the series has none."""
    name = "y" if known.name is None else known.name
    return tuple(f"{name}.L{lag}" for lag in lags)


def _check_names(exog: tuple[str, ...], own: tuple[str, ...]) -> None:
    """Refuse names that would stand twice among the parameters."""
    for name in exog:
        if name in own:
            raise InputError(
                f"the exog column {name!r} is named like a parameter of the model itself; leave it out if it "
                f"is the same column, or rename it, for example to {name + '_exog'!r}"
            )
        if exog.count(name) > 1:
            raise InputError(
                f"two exog columns are named {name!r}; rename one, so that each has its own name"
            )


def longest(lags: tuple[int, ...]) -> int:
    """Return the longest lag, 0 without lags."""
    return lags[-1] if lags else 0


def _check_long_enough(count: int, first: int) -> None:
    if count < first + 2:
        raise InputError(
            f"{count} observations are too few for lag {first}: at least {first + 2} are needed; "
            "use fewer lags or a longer series"
        )


def free_columns(known: Observations, deterministic: Deterministic, first: int) -> Array:
    """Return trend, seasonal and exogenous columns from position ``first`` on, (n - first, d + q)."""
    return np.hstack([deterministic.columns(first, len(known)), known.exog[first:]])


def complete_rows(*parts: Array) -> IntArray:
    """Return the rows without a missing entry in any of the arrays.

    Examples
    --------
    >>> complete_rows(np.array([1.0, np.nan, 3.0]), np.ones((3, 2))).tolist()
    [0, 2]
    """
    good = np.logical_and.reduce([np.isfinite(part.reshape(len(part), -1)).all(axis=1) for part in parts])
    return np.flatnonzero(good)


def lag_matrix(values: Array, lags: tuple[int, ...], first: int) -> Array:
    """Return the lagged values (n - first, p) of the values from position ``first`` on.

    Examples
    --------
    >>> lag_matrix(np.array([1.0, 2.0, 3.0, 4.0]), (1, 3), 3)
    array([[3., 1.]])
    """
    if not lags:
        return np.empty((len(values) - first, 0))
    return np.column_stack([values[first - lag : len(values) - lag] for lag in lags])
