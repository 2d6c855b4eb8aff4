"""Observed values beside what was forecast of them: checked, of one length, at the same times."""

import numpy as np
import pandas as pd

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError, InputTypeError


def paired(y: ArrayLike, forecast: ArrayLike) -> tuple[Array, Array]:
    """Return both as float arrays of one length, or raise saying why they cannot be compared."""
    observed, predicted = finite(y, "y"), finite(forecast, "forecast")
    if observed.size != predicted.size:
        raise InputError(
            f"y and forecast must have one value each per time, got {observed.size} and {predicted.size}"
        )
    check_same_times(y, forecast, "forecast")
    return observed, predicted


def check_same_times(y: ArrayLike, other: ArrayLike, name: str) -> None:
    """Raise if both are pandas Series and their indexes differ."""
    if isinstance(y, pd.Series) and isinstance(other, pd.Series) and not y.index.equals(other.index):
        raise InputError(
            f"y and {name} carry different indexes; align them first ({name}.reindex(y.index)) "
            "or pass arrays to compare by position"
        )


def finite(values: ArrayLike, name: str, *, gaps: bool = False) -> Array:
    """Return the values as a float array (n,), or raise naming the first that is not finite.

    With ``gaps`` NaN is allowed.
    """
    array = as_floats(values, name)
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} must be one-dimensional with at least one value, got shape {array.shape}")
    bad = np.flatnonzero(np.isinf(array) if gaps else ~np.isfinite(array))
    if bad.size:
        raise InputError(
            f"{name} has {bad.size} value(s) that are not finite, the first at position {bad[0]} "
            f"({array[bad[0]]}); drop those times from both series before scoring"
        )
    return array


def as_floats(values: ArrayLike, name: str) -> Array:
    """Return the values as a float array, or raise saying that they are no numbers."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"{name} must be numbers, got {type(values).__name__}: {error}") from error
