"""A series as given: validated, copied, refused with a reason."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.calendars import complete
from cvxar.errors import InputError, InputTypeError
from cvxar.stamps import calendar_to, check_index, extend_index, has_calendar


@dataclass(frozen=True)
class Observations:
    """A validated copy of a series and of its exogenous columns.

    Parameters
    ----------
    values : array (n,)
        In time order, in the units of the series; NaN where an observation is missing.
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


def first_of(known: Observations, count: int) -> Observations:
    """Return the first ``count`` observations.

    Examples
    --------
    >>> first_of(observe([1.0, 2.0, 4.0]), 2).values
    array([1., 2.])
    """
    return replace(known, values=known.values[:count], index=known.index[:count], exog=known.exog[:count])


def observe(series: Any, exog: Any = None, *, gaps: bool = False, calendar: bool = True) -> Observations:
    """Validate and copy a series, and its exogenous columns if any.

    Parameters
    ----------
    series : Series, one-column DataFrame, array or sequence of n numbers
        In time order.
    exog : Series, DataFrame or array (n,) or (n, q), optional
        One row per observation. If both are pandas objects their indexes must be equal.
    gaps : bool, default False
        True keeps missing entries as NaN, and adds a row of them for every stamp that the calendar of the
        index (:func:`cvxar.calendars.complete`) has and the series has not. False refuses missing
        entries, and counts observations whatever their stamps.
    calendar : bool, default True
        With ``gaps``, False adds no rows: missing entries are kept, and observations are counted.

    Raises
    ------
    InputTypeError
        If something is not a number.
    InputError
        For infinite (or missing) values with the first position, two columns where one is meant, stamps
        that are missing, duplicate or unsorted, exogenous rows that do not match the series.

    Examples
    --------
    >>> observe([3.0, 4.0]).index
    RangeIndex(start=0, stop=2, step=1)
    >>> observe([3.0, float("nan")])
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: the series holds nan at position 1; fill or drop it...
    >>> observe(pd.Series([3.0, 4.0, 5.0, 7.0], index=[2001, 2002, 2003, 2005]), gaps=True).values
    array([ 3.,  4.,  5., nan,  7.])
    """
    given = _parse(series, exog, gaps)
    return _spread(given, complete(given.index)) if gaps and calendar else given


def _parse(series: Any, exog: Any, gaps: bool) -> Observations:
    """Read the rows as they are given."""
    values = _one_column(series)
    index = series.index if isinstance(series, (pd.Series, pd.DataFrame)) else pd.RangeIndex(len(values))
    check_index(index)
    _check_finite(values, index, "the series", gaps)
    own = index if isinstance(series, (pd.Series, pd.DataFrame)) else None
    columns, names = observe_exog(exog, own, gaps=gaps)
    if exog is not None and len(columns) != len(values):
        raise InputError(
            f"exog has {len(columns)} rows, the series {len(values)}; give one row per observation"
        )
    if exog is None:
        columns = np.empty((len(values), 0))
    return Observations(values, index, _name(series), columns, names)


def _spread(given: Observations, index: pd.Index) -> Observations:
    """Place the rows on a longer index, and rows of missing entries between them."""
    if len(index) == len(given):
        return replace(given, index=index)
    place = index.get_indexer(given.index)
    values, exog = np.full(len(index), np.nan), np.full((len(index), given.exog.shape[1]), np.nan)
    values[place], exog[place] = given.values, given.exog
    return replace(given, values=values, index=index, exog=exog)


def _name(series: Any) -> Hashable:
    if isinstance(series, pd.DataFrame):
        return series.columns[0]
    return series.name if isinstance(series, pd.Series) else None


def observe_exog(exog: Any, index: pd.Index | None, *, gaps: bool = False) -> tuple[Array, tuple[str, ...]]:
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
    _check_finite(values, own, "exog", gaps)
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


def _check_finite(values: Array, index: pd.Index | None, what: str, gaps: bool) -> None:
    good = ~np.isinf(values) if gaps else np.isfinite(values)
    if good.all():
        return
    finite = good.reshape(len(values), -1)
    at = int(np.argmin(finite.all(axis=1)))
    row = values[at] if values.ndim == 1 else values[at, np.argmin(finite[at])]
    label = "" if index is None or isinstance(index, pd.RangeIndex) else f" ({index[at]})"
    raise InputError(
        f"{what} holds {row} at position {at}{label}; fill or drop it, for example with "
        "interpolate() or dropna()"
    )


def extend(
    known: Observations, new: Any, exog: Any = None, *, gaps: bool = False, calendar: bool = True
) -> Observations:
    """Return the observations with later ones added; ``known`` is unchanged.

    With ``gaps`` missing entries are kept, and stamps of the calendar that are passed over are missing
    observations (unless ``calendar`` is False: observations are counted).

    Raises
    ------
    InputError
        If the new stamps do not come after the known ones or (with ``gaps``) are not on their calendar,
        or ``exog`` is missing or not needed.

    Examples
    --------
    >>> extend(observe([1.0, 2.0]), [3.0]).values
    array([1., 2., 3.])
    >>> extend(observe([1.0, 2.0]), pd.Series([3.0], index=[3]), gaps=True).values
    array([ 1.,  2., nan,  3.])
    """
    later = _parse([new] if np.ndim(new) == 0 and not isinstance(new, str) else new, exog, gaps)
    if len(later) == 0:
        return known
    check_exog_matches(known, later.exog_names, exog)
    stamps = later.index if isinstance(new, (pd.Series, pd.DataFrame)) else None
    if gaps and calendar and stamps is not None and has_calendar(known.index):
        follow = calendar_to(known.index, stamps)
        later = _spread(later, follow)
        return _joined(known, later, known.index.append(follow))
    return _joined(known, later, extend_index(known.index, stamps, len(later)))


def _joined(known: Observations, later: Observations, index: pd.Index) -> Observations:
    values, exog = (np.concatenate(pair) for pair in ((known.values, later.values), (known.exog, later.exog)))
    return replace(known, values=values, index=index, exog=exog)


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
