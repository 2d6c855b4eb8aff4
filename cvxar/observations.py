"""A series as given: validated, copied, refused with a reason."""

from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError, InputTypeError
from cvxar.stamps import check_index, extend_index


@dataclass(frozen=True)
class Observations:
    """A validated copy of a series and of its exogenous columns.

    Parameters
    ----------
    values : array (n,)
        Finite, in time order, in the units of the series.
    index : Index (n,)
        Ascending distinct stamps; positions when the series came without.
    name : hashable
        Name of the series, ``None`` when it has none.
    exog : array (n, q)
        Exogenous values at the same times; ``q = 0`` without.
    exog_names : tuple of str
        Their q names.
    """

    values: Array
    index: pd.Index
    name: Hashable
    exog: Array
    exog_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)


def observe(series: Any, exog: Any = None) -> Observations:
    """Validate and copy a series, and its exogenous columns if any.

    Parameters
    ----------
    series : Series, one-column DataFrame, array or sequence of n numbers
        In time order. Gaps between stamps are allowed: positions count.
    exog : Series, DataFrame or array (n,) or (n, q), optional
        One row per observation. If both are pandas objects their indexes must be equal.

    Raises
    ------
    InputTypeError
        If something is not a number.
    InputError
        For NaN or infinite values (with the first position), two columns where one is meant, stamps
        that are missing, duplicate or unsorted, exogenous rows that do not match the series.

    Examples
    --------
    >>> observe([3.0, 4.0]).index
    RangeIndex(start=0, stop=2, step=1)
    >>> observe([3.0, float("nan")])
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: the series holds nan at position 1; fill or drop it...
    """
    values = _one_column(series)
    index = series.index if isinstance(series, (pd.Series, pd.DataFrame)) else pd.RangeIndex(len(values))
    check_index(index)
    _check_finite(values, index, "the series")
    columns, names = observe_exog(exog, index if isinstance(series, (pd.Series, pd.DataFrame)) else None)
    if exog is not None and len(columns) != len(values):
        raise InputError(
            f"exog has {len(columns)} rows, the series {len(values)}; give one row per observation"
        )
    if exog is None:
        columns = np.empty((len(values), 0))
    return Observations(values, index, _name(series), columns, names)


def _name(series: Any) -> Hashable:
    if isinstance(series, pd.DataFrame):
        return series.columns[0]
    return series.name if isinstance(series, pd.Series) else None


def observe_exog(exog: Any, index: pd.Index | None) -> tuple[Array, tuple[str, ...]]:
    """Validate and copy exogenous columns: values (n, q) and their names.

    ``index``, when given, must equal the index of ``exog`` if that has one. Names are the column
    names, or ``x1, x2, ...`` as in statsmodels.

    Examples
    --------
    >>> values, names = observe_exog([1.0, 2.0, 3.0], None)
    >>> values.shape, names
    ((3, 1), ('x1',))
    """
    if exog is None:
        return np.empty((0, 0)), ()
    values = as_numbers(exog, "exog")
    if values.ndim not in (1, 2):
        raise InputError(
            f"exog must have one row per observation and one column per variable, got shape {values.shape}"
        )
    values = values[:, None] if values.ndim == 1 else values
    own = exog.index if isinstance(exog, (pd.Series, pd.DataFrame)) else None
    if own is not None and index is not None and not own.equals(index):
        raise InputError(
            "the index of exog differs from the one it must match; align it, for example "
            "exog.reindex(series.index), or pass exog.to_numpy() if the rows are already in the right order"
        )
    _check_finite(values, own, "exog")
    return values, _exog_names(exog, values.shape[1])


def _exog_names(exog: Any, count: int) -> tuple[str, ...]:
    if isinstance(exog, pd.DataFrame):
        return tuple(str(name) for name in exog.columns)
    if isinstance(exog, pd.Series) and exog.name is not None:
        return (str(exog.name),)
    return tuple(f"x{i + 1}" for i in range(count))


def as_numbers(data: Any, what: str) -> Array:
    """Return a fresh array of floats; missing entries become NaN, text and dates are refused.

    Raises
    ------
    InputTypeError
        Naming the first entry that is not a real number.

    Examples
    --------
    >>> as_numbers([1, 2.5], "series")
    array([1. , 2.5])
    >>> as_numbers(["1", "2"], "series")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputTypeError: series must hold real numbers, got '1' ...
    """
    array = _plain_array(data, what)
    if array.ndim == 0:
        raise InputTypeError(f"{what} must be a sequence of numbers, got {data!r}")
    if array.dtype.kind == "O":
        missing = pd.isna(array)
        if all(isinstance(entry, (Real, Decimal)) for entry in array[~missing]):
            return np.where(missing, np.nan, array).astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise InputTypeError(
            f"{what} must hold real numbers, got {_first_odd(array)!r} (dtype {array.dtype}); convert it, "
            "for example with pd.to_numeric"
        )
    return array.astype(np.float64)


def _plain_array(data: Any, what: str) -> np.ndarray[Any, Any]:
    if isinstance(data, np.ma.MaskedArray):
        return np.ma.filled(data.astype(object), np.nan)
    if isinstance(data, (pd.Series, pd.DataFrame)):
        return data.to_numpy()
    try:
        return np.asarray(data)
    except (ValueError, TypeError) as error:
        raise InputTypeError(f"{what} must be a rectangular array of numbers: {error}") from error


def _first_odd(array: np.ndarray[Any, Any]) -> Any:
    """Return the first entry that is not a real number."""
    entries = array.ravel().tolist()
    return next((entry for entry in entries if not isinstance(entry, (Real, Decimal))), entries[:1])


def _one_column(series: Any) -> Array:
    values = as_numbers(series, "the series")
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim != 1:
        names = f" {list(series.columns)}" if isinstance(series, pd.DataFrame) else ""
        raise InputError(
            f"one column is meant, got shape {values.shape}{names}; select one, for example data['close']"
        )
    return values


def _check_finite(values: Array, index: pd.Index | None, what: str) -> None:
    if np.isfinite(values).all():
        return
    finite = np.isfinite(values).reshape(len(values), -1)
    at = int(np.argmin(finite.all(axis=1)))
    row = values[at] if values.ndim == 1 else values[at, np.argmin(finite[at])]
    label = "" if index is None or isinstance(index, pd.RangeIndex) else f" ({index[at]})"
    raise InputError(
        f"{what} holds {row} at position {at}{label}; fill or drop it before fitting, for example with "
        "interpolate() or dropna() (positions count, so a gap is allowed)"
    )


def extend(known: Observations, new: Any, exog: Any = None) -> Observations:
    """Return the observations with later ones added; ``known`` is unchanged.

    Raises
    ------
    InputError
        If the new stamps do not come after the known ones, or ``exog`` is missing or not needed.

    Examples
    --------
    >>> extend(observe([1.0, 2.0]), [3.0]).values
    array([1., 2., 3.])
    """
    later = observe([new] if np.ndim(new) == 0 and not isinstance(new, str) else new, exog)
    if len(later) == 0:
        return known
    check_exog_matches(known, later.exog_names, exog)
    stamps = later.index if isinstance(new, (pd.Series, pd.DataFrame)) else None
    return Observations(
        np.concatenate([known.values, later.values]),
        extend_index(known.index, stamps, len(later)),
        known.name,
        np.concatenate([known.exog, later.exog]),
        known.exog_names,
    )


def check_exog_matches(known: Observations, names: tuple[str, ...], exog: Any) -> None:
    """Raise unless ``exog`` has the columns the model was fitted with."""
    if exog is None and known.exog_names:
        raise InputError(
            f"exog is needed: the model was fitted with {', '.join(known.exog_names)}; give their values"
        )
    if exog is not None and not known.exog_names:
        raise InputError("exog was given, but the model was fitted without; leave it out")
    if len(names) != len(known.exog_names):
        raise InputError(f"exog has {len(names)} columns, the model was fitted with {len(known.exog_names)}")
    if isinstance(exog, pd.DataFrame) and names != known.exog_names:
        raise InputError(
            f"exog has columns {list(names)}, the model was fitted with {list(known.exog_names)}"
        )
