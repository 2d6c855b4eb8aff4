"""The calendar of a series: declared by its index, or read off stamps that are evenly spaced but for gaps.

On a calendar a stamp that is not there is an observation that is missing; without one the observations
are counted.
"""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError

# a calendar is read off stamps only if no more of it is missing than present
SPARSEST = 2
# a declared calendar may be sparser, but not so that it would fill the memory
MOST_STAMPS = 100
WINDOWS, WINDOW = 16, 4
# stamps looked at where all are evenly spaced
FEW = 12
WEEK = pd.Timedelta(days=7)


def complete(index: pd.Index) -> pd.Index:
    """Return the whole calendar from the first stamp to the last, or the index itself without one.

    A ``PeriodIndex`` and an index with ``freq`` declare theirs. Whole numbers, dates and durations that
    are evenly spaced but for gaps have the common spacing; dates may also be evenly spaced in months,
    quarters or years. Days without weekends are trading days, whose holidays are unknown: they have no
    calendar, unless it is declared with ``series.asfreq("B")``.

    Raises
    ------
    InputError
        If a declared calendar has more than a hundred times as many stamps as there are observations.

    Examples
    --------
    >>> complete(pd.Index([1821, 1822, 1824, 1825])).tolist()
    [1821, 1822, 1823, 1824, 1825]
    >>> days = pd.date_range("2024-01-01", periods=30)
    >>> complete(days.delete([8, 9])).equals(days)
    True
    >>> ticks = pd.Index([0.1, 0.25, 0.3])
    >>> complete(ticks) is ticks
    True
    """
    if isinstance(index, pd.PeriodIndex):
        return _complete_periods(index)
    if len(index) < 2 or getattr(index, "freq", None) is not None:
        return index
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        return _complete_times(index)
    if pd.api.types.is_integer_dtype(index.dtype) and not isinstance(index, pd.RangeIndex):
        return _complete_integers(index)
    return index


def _complete_periods(index: Any) -> pd.Index:
    first, last = index.asi8[[0, -1]] if len(index) else (0, -1)
    count = int(last - first) // index.freq.n + 1
    if count > MOST_STAMPS * len(index):
        raise InputError(
            f"the calendar of the index ({index.freqstr}) has {count} stamps for {len(index)} observations; "
            "use a coarser frequency, or count observations: series.reset_index(drop=True)"
        )
    if count == len(index):
        whole: pd.Index = index
        return whole
    full: pd.Index = pd.period_range(index[0], index[-1], freq=index.freq, name=index.name)
    return full


def _complete_integers(index: pd.Index) -> pd.Index:
    stamps = index.to_numpy()
    step = _common_step(stamps)
    if not step:
        return index
    full = pd.RangeIndex(int(stamps[0]), int(stamps[-1]) + 1, step, name=index.name)
    return index if len(full) == len(index) else full


def _common_step(stamps: Array) -> int:
    """Return the spacing of most neighbours if all are multiples of it and few are missing, else 0."""
    steps = np.diff(stamps)
    sizes, counts = np.unique(steps, return_counts=True)
    step = int(sizes[np.argmax(counts)])
    whole = int(stamps[-1] - stamps[0]) // step + 1
    even = 2 * counts.max() > len(steps) and not np.any(sizes % step)
    return step if even and whole <= SPARSEST * len(stamps) else 0


def _complete_times(index: Any) -> pd.Index:
    own: pd.Index = index
    if _trading_days(index):
        return own
    steps = np.diff(index.asi8)
    even = bool(np.all(steps == steps[0]))
    whole = _inferred(index[: len(index) if not even else FEW])
    if whole is not None:
        full = _times(index, whole)
        return full if len(full) == len(index) else index
    spread = len(index) // WINDOWS + 1
    windows = (index[at : at + WINDOW] for at in range(0, len(index) - WINDOW + 1, spread))
    # a calendar far too fine is not even made
    coarse = (index[-1] - index[0]) / (SPARSEST * len(index))
    windows = (window for window in windows if window[-1] - window[0] >= coarse)
    frequencies = {_inferred(window) for window in windows} - {None}
    calendars = [_times(index, frequency) for frequency in sorted(frequencies, key=str)]
    fitting = [full for full in calendars if len(index) < len(full) <= SPARSEST * len(index)]
    fitting = [full for full in fitting if index.isin(full).all()]
    return min(fitting, key=len, default=index)


def _inferred(index: Any) -> Any:
    """Return the offset that pandas infers, or None."""
    if len(index) < 3:
        return None
    with warnings.catch_warnings():
        # whether names or offsets are inferred is changing in pandas, which warns of it
        warnings.simplefilter("ignore")
        found = pd.infer_freq(index)
    return None if found is None else pd.tseries.frequencies.to_offset(found)


def _times(index: Any, frequency: Any) -> pd.Index:
    """Return the calendar of a frequency from the first stamp to the last."""
    if isinstance(index, pd.TimedeltaIndex):
        return pd.timedelta_range(index[0], index[-1], freq=frequency, name=index.name)
    return pd.date_range(index[0], index[-1], freq=frequency, name=index.name, unit=index.unit)


def _trading_days(index: Any) -> bool:
    """Whether most stamps are a day apart and none is of a weekend, over more than a week."""
    if not isinstance(index, pd.DatetimeIndex) or index[-1] - index[0] <= WEEK:
        return False
    steps = np.diff(index.tz_localize(None).normalize().to_numpy())
    daily = np.mean(steps == np.timedelta64(1, "D")) > 0.5
    return bool(daily and not np.any(index.day_of_week >= 5))


def seasons(index: pd.Index) -> int | None:
    """Return the number of observations a year, week or day has, by the frequency of the calendar.

    As statsmodels' ``freq_to_period``: 12 for months, 4 for quarters, 52 for weeks, 7 for days, 5 for
    business days, 24 for hours; None without a frequency or for another.

    Examples
    --------
    >>> seasons(pd.period_range("2020", periods=3, freq="M")), seasons(pd.RangeIndex(3))
    (12, None)
    """
    from statsmodels.tsa.tsatools import freq_to_period

    frequency = getattr(index, "freq", None)
    try:
        return None if frequency is None else int(freq_to_period(frequency))
    except ValueError:
        return None
