"""The index of a series: its checks, its continuation, and the positions of its labels.

Positions are what a model counts; stamps only name them. A calendar is used when the index itself
carries one (a ``freq``); :mod:`cvxar.calendars` gives it one where it can be read off the stamps.
"""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from cvxar.errors import CalendarWarning, InputError

# the stamps that an appended observation may pass over, as a multiple of those known
FARTHEST = 100
# how a series gets a calendar
DECLARE = 'dates get one with series.asfreq("B") before fit ("B": business days)'
_RESET = "or drop the index with series.reset_index(drop=True) if the rows are already in time order"


def check_index(index: pd.Index) -> None:
    """Raise unless the stamps are distinct, ascending and none is missing.

    Raises
    ------
    InputError
        Naming the first offending stamp, its position and the remedy.

    Examples
    --------
    >>> check_index(pd.Index([2001, 2002, 2004]))
    >>> check_index(pd.Index([2001, 2003, 2002]))
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: stamps are not in ascending order: 2002 at position 2 follows 2003; ...
    """
    if isinstance(index, pd.MultiIndex):
        raise InputError("the series has a MultiIndex; keep one level, for example series.droplevel(0)")
    if index.hasnans:
        at = int(np.argmax(index.isna()))
        raise InputError(
            f"the stamp at position {at} is missing; drop that row or repair its stamp, {_RESET}"
        )
    if not index.is_unique:
        at = int(np.argmax(index.duplicated()))
        raise InputError(
            f"duplicate stamp {index[at]} at position {at}; keep one row per stamp, for example "
            "series[~series.index.duplicated(keep='last')]"
        )
    if not index.is_monotonic_increasing:
        raise InputError(f"stamps are not in ascending order: {_first_descent(index)}")


def _first_descent(index: pd.Index) -> str:
    remedy = f"sort with series.sort_index(), {_RESET}"
    try:
        at = next(i for i in range(1, len(index)) if not index[i - 1] < index[i])
    except TypeError:
        return f"they are of kinds that cannot be compared; use stamps of one kind, {_RESET}"
    return f"{index[at]} at position {at} follows {index[at - 1]}; {remedy}"


def future_index(index: pd.Index, steps: int) -> pd.Index:
    """Return the stamps of the next ``steps`` observations.

    An index with a frequency (``DatetimeIndex`` or ``TimedeltaIndex`` with ``freq``, any ``PeriodIndex``)
    continues its calendar; whole numbers in equal steps (a ``RangeIndex``, consecutive years) continue
    their steps. Anything else has no calendar, and none is invented: the stamps are the positions
    ``n, n + 1, ...`` that the coming observations will have. To get dates, give the index its
    frequency first, for example ``series = series.asfreq("D")``, or ``"B"`` for business days.

    Examples
    --------
    >>> future_index(pd.period_range("2020", periods=3, freq="Y"), 2).astype(str).tolist()
    ['2023', '2024']
    >>> future_index(pd.Index([1900, 1901, 1902]), 2).tolist()
    [1903, 1904]
    >>> future_index(pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-05"]), 2).tolist()
    [3, 4]
    """
    try:
        return _continued(index, steps)
    except (OverflowError, pd.errors.OutOfBoundsDatetime) as error:
        raise InputError(
            f"{steps} steps after {index[-1]} leave the calendar of pandas ({error}); ask for fewer steps, "
            "or drop the dates with series.reset_index(drop=True)"
        ) from None


def _continued(index: pd.Index, steps: int) -> pd.Index:
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1] + 1, periods=steps, name=index.name)
    if isinstance(index, pd.DatetimeIndex) and index.freq is not None:
        return pd.date_range(index[-1], periods=steps + 1, freq=index.freq, name=index.name)[1:]
    if isinstance(index, pd.TimedeltaIndex) and index.freq is not None:
        return pd.timedelta_range(index[-1], periods=steps + 1, freq=index.freq, name=index.name)[1:]
    stride = integer_stride(index)
    if stride:
        start = int(index[-1]) + stride
        return pd.RangeIndex(start, start + steps * stride, stride, name=index.name)
    return pd.RangeIndex(len(index), len(index) + steps)


def stretch(index: pd.Index, first: int, last: int) -> pd.Index:
    """Return the stamps of the positions from ``first`` to ``last``, which may lie after the end.

    All are stamps or all are positions: where an index without a calendar ends before ``last``, they are the
    positions, as in statsmodels, and a :class:`cvxar.errors.CalendarWarning` says so if stamps are given up.

    Examples
    --------
    >>> stretch(pd.Index([1900, 1901, 1902]), 1, 3).tolist()
    [1901, 1902, 1903]
    >>> stretch(pd.Index([0.1, 0.25, 0.3]), 3, 4).tolist()
    [3, 4]
    """
    ahead = last + 1 - len(index)
    if ahead <= 0:
        return index[first : last + 1]
    if has_calendar(index):
        return index.append(future_index(index, ahead))[first : last + 1]
    if first < len(index):
        warnings.warn(
            f"the series has no calendar that goes on after {index[-1]}, so the predictions are numbered by "
            f"position, {first} to {last}; {DECLARE}",
            CalendarWarning,
            stacklevel=4,
        )
    return pd.RangeIndex(first, last + 1)


def integer_stride(index: pd.Index) -> int:
    """Return the common difference of whole-number stamps; 0 when there is none."""
    if isinstance(index, pd.RangeIndex):
        return int(index.step)
    if not pd.api.types.is_integer_dtype(index.dtype) or len(index) < 2:
        return 0
    strides = np.diff(index.to_numpy())
    return int(strides[0]) if np.all(strides == strides[0]) else 0


def has_calendar(index: pd.Index) -> bool:
    """Whether :func:`future_index` continues the stamps themselves rather than count positions."""
    return getattr(index, "freq", None) is not None or integer_stride(index) != 0


def extend_index(index: pd.Index, new: pd.Index | None, count: int) -> pd.Index:
    """Return ``index`` followed by the stamps of ``count`` new observations.

    ``new=None`` (the new observations came without stamps) continues the calendar of ``index``. New stamps
    that pass over some of it end the calendar: what comes after them is numbered by position, and a
    :class:`cvxar.errors.CalendarWarning` says so.

    Raises
    ------
    InputError
        If the new stamps do not all come after the old ones, are of another kind, or are needed
        and missing.

    Examples
    --------
    >>> extend_index(pd.RangeIndex(3), None, 2)
    RangeIndex(start=0, stop=5, step=1)
    """
    follow = future_index(index, count)
    if new is None:
        if not has_calendar(index):
            raise InputError(
                "the new observations need stamps: the series has an index without a frequency, so its "
                f"next stamps are unknown; pass a pandas Series, or give it a calendar: {DECLARE}"
            )
        return index.append(follow)
    check_index(new)
    _check_after(index, new)
    # `follow` rather than `new`: equal stamps, but it keeps the frequency
    joined = index.append(follow if new.equals(follow) else new.rename(index.name))
    if has_calendar(index) and not has_calendar(joined):
        warnings.warn(
            f"the new stamps, from {new[0]}, do not go on from {index[-1]}, so the series has no calendar "
            "any more and forecasts are numbered by position; append the observations between as well, or "
            "plain values to continue the stamps",
            CalendarWarning,
            stacklevel=4,
        )
    return joined


def calendar_to(index: pd.Index, new: pd.Index) -> pd.Index:
    """Return the stamps of the calendar after ``index``, up to the last of the new ones.

    Raises
    ------
    InputError
        If a new stamp does not come after the old ones, is not on their calendar, or is so far away
        that nearly all between would be missing.

    Examples
    --------
    >>> calendar_to(pd.period_range("2020", periods=3, freq="Y"), pd.PeriodIndex(["2025"], freq="Y")).tolist()
    [Period('2023', 'Y-DEC'), Period('2024', 'Y-DEC'), Period('2025', 'Y-DEC')]
    """
    check_index(new)
    _check_after(index, new)
    far = _calendar_steps(index, new[-1])
    follow = future_index(index, far) if 0 < far <= FARTHEST * (len(index) + len(new)) else index[:0]
    if not new.isin(follow).all():
        odd = new[~new.isin(follow)][0]
        raise InputError(
            f"stamp {odd} is not on the calendar that continues the series, or too far after its end "
            f"({index[-1]}); pass plain values for the next observations, or fit to the whole series"
        )
    return follow


def _check_after(index: pd.Index, new: pd.Index) -> None:
    try:
        after = bool(new[0] > index[-1])
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the new stamps are of another kind ({new.dtype}) than the old ones ({index.dtype}); "
            "use the same kind"
        ) from error
    if not after:
        raise InputError(
            f"new observations must come after the last one known ({index[-1]}), got {new[0]}; pass only "
            "later rows, or plain values to continue the index"
        )


def locate(index: pd.Index, key: Any, what: str, *, last: bool = False) -> int:
    """Return the position of a label, or of an observation yet to come.

    Whole numbers are labels when the index holds whole numbers and positions otherwise. A date text
    that covers several stamps ("2017-03") means the first of them, or the last when ``last``. Labels
    after the end are counted on the calendar of the index.

    Raises
    ------
    InputError
        For a label that is not in the index and not on its calendar after it, or a negative position.

    Examples
    --------
    >>> days = pd.date_range("2017-01-01", periods=90)
    >>> locate(days, "2017-02", "start"), locate(days, "2017-02", "end", last=True), locate(days, 95, "end")
    (31, 58, 95)
    >>> locate(days, "2017-04-01", "end")
    90
    """
    whole = isinstance(key, (int, np.integer)) and not isinstance(key, bool)
    if whole and not pd.api.types.is_integer_dtype(index.dtype):
        if key < 0:
            raise InputError(f"{what} must be a position from 0 on or a label of the series, got {key}")
        return int(key)
    try:
        found = index.get_loc(key)
    except (KeyError, TypeError, ValueError):
        return len(index) - 1 + _steps_after(index, key, what)
    if isinstance(found, slice):
        return int(found.stop) - 1 if last else int(found.start)
    return int(found)


def _steps_after(index: pd.Index, key: Any, what: str) -> int:
    """Count the calendar steps from the last stamp to a later label."""
    try:
        steps = _calendar_steps(index, key)
    except (TypeError, ValueError):
        steps = 0
    if steps < 1:
        hint = "" if has_calendar(index) else f"; {DECLARE}"
        raise InputError(
            f"{what}={key!r} is not a stamp of the series ({index[0]} to {index[-1]}), nor on a calendar "
            f"that continues it; give one of its stamps, or a position{hint}"
        )
    return steps


def _calendar_steps(index: pd.Index, key: Any) -> int:
    if isinstance(index, pd.PeriodIndex):
        return len(pd.period_range(index[-1], pd.Period(key, freq=index.freqstr))) - 1
    if isinstance(index, pd.DatetimeIndex) and index.freq is not None:
        stamp = pd.Timestamp(key)
        stamp = stamp.tz_localize(index.tz) if stamp.tz is None else stamp
        return _matched(pd.date_range(index[-1], stamp, freq=index.freq), stamp)
    if isinstance(index, pd.TimedeltaIndex) and index.freq is not None:
        return _matched(pd.timedelta_range(index[-1], key, freq=index.freq), pd.Timedelta(key))
    stride = integer_stride(index)
    ahead = int(key) - int(index[-1]) if stride else 0
    return ahead // stride if stride and ahead % stride == 0 else 0


def _matched(calendar: pd.Index, stamp: Any) -> int:
    """Count the steps of a calendar that ends exactly at a stamp; 0 if it does not."""
    return len(calendar) - 1 if len(calendar) and calendar[-1] == stamp else 0
