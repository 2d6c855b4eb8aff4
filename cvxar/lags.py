"""From a series to the regression of its values on their lags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError, InputTypeError
from cvxar.observations import Observations


@dataclass(frozen=True)
class LagFrame:
    """The regression of ``y[t]`` on ``x[t] = (y_{t-l} for l in lags)``.

    Parameters
    ----------
    x : array (n, p)
        Lagged values, one column per lag.
    y : array (n,)
        Targets: every observation that has all its lags.
    index : Index (n,)
        Stamps of the targets.
    exog : array (n, q)
        Exogenous values at the times of the targets.
    names : tuple of str
        Names of the p columns of ``x``, as in statsmodels' ``AutoReg``: ``"close.L1"``.
    """

    x: Array
    y: Array
    index: pd.Index
    exog: Array
    names: tuple[str, ...]


def check_lags(lags: int | Sequence[int]) -> tuple[int, ...]:
    """Return the lags as an ascending tuple: ``p`` means ``1..p``, a sequence means itself.

    Raises
    ------
    InputTypeError
        If they are not whole numbers.
    InputError
        If one is below 1 or appears twice, or there is none.

    Examples
    --------
    >>> check_lags(3), check_lags([7, 1])
    ((1, 2, 3), (1, 7))
    """
    if isinstance(lags, (bool, str, bytes)) or not isinstance(lags, (int, np.integer, Sequence, np.ndarray)):
        raise InputTypeError(f"lags must be a whole number or a sequence of whole numbers, got {lags!r}")
    chosen = [*range(1, int(lags) + 1)] if isinstance(lags, (int, np.integer)) else list(lags)
    if not all(_is_whole(lag) for lag in chosen):
        raise InputTypeError(f"lags must be whole numbers, got {lags!r}")
    if not chosen or min(chosen) < 1 or len(set(chosen)) < len(chosen):
        raise InputError(f"lags must be 1 or more and distinct, and at least one is needed, got {lags!r}")
    return tuple(sorted(int(lag) for lag in chosen))


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))


def lag_frame(known: Observations, lags: tuple[int, ...]) -> LagFrame:
    """Build the regression of the observations on their lags.

    Raises
    ------
    InputError
        For fewer than ``max(lags) + 2`` observations.

    Examples
    --------
    >>> from cvxar.observations import observe
    >>> frame = lag_frame(observe([1.0, 2.0, 4.0, 8.0]), (1,))
    >>> frame.x[:, 0], frame.y, frame.names
    (array([1., 2., 4.]), array([2., 4., 8.]), ('y.L1',))
    """
    longest = lags[-1]
    if len(known) < longest + 2:
        raise InputError(
            f"{len(known)} observations are too few for lag {longest}: at least {longest + 2} are needed; "
            "use fewer lags or a longer series"
        )
    name = "y" if known.name is None else known.name
    return LagFrame(
        lag_matrix(known.values, lags),
        known.values[longest:],
        known.index[longest:],
        known.exog[longest:],
        tuple(f"{name}.L{lag}" for lag in lags),
    )


def lag_matrix(values: Array, lags: tuple[int, ...]) -> Array:
    """Return the lagged values (n - max(lags), p) of n values.

    Examples
    --------
    >>> lag_matrix(np.array([1.0, 2.0, 3.0, 4.0]), (1, 3))
    array([[3., 1.]])
    """
    longest = lags[-1]
    return np.column_stack([values[longest - lag : len(values) - lag] for lag in lags])
