"""The times in a file of prices: the forms they are written in, and the calendar they make.

Nothing is guessed in silence: dates that could be day/month or month/day in every row are an error, and so
is a time that is not in the form of the others.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvxar.errors import InputError

Mask: TypeAlias = NDArray[np.bool_]
Stamps: TypeAlias = "Sequence[str] | pd.DatetimeIndex | pd.PeriodIndex"

_ISO_DAY = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}([T ].*)?")
_OFFSET = re.compile(r":\d{2}.*(Z|[+-]\d{2}:?\d{2})$")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")
_HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = ("ISO8601", "%Y-%m", "%Y/%m", "%Y-%m-%d %I-%p", *(day + hour for day in _DAYS for hour in _HOURS))
# A Unix time counts from 1970, so the size of the number tells the unit. These begin in March 1973: smaller
# numbers are refused, for among large ones they are rather bare years or typing errors than early times.
_UNIX_UNITS = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (1e8, "s"))


def read_stamps(stamps: Stamps, where: str) -> tuple[pd.Index, Mask]:
    """Return the times, and which of them could not be read.

    Examples
    --------
    >>> read_stamps(["31/12/2016", "01/01/2017", "soon"], "a.csv")[1].tolist()
    [False, False, True]
    """
    if isinstance(stamps, pd.DatetimeIndex | pd.PeriodIndex):
        return stamps, np.asarray(stamps.isna())
    whole = [_whole_number(stamp) for stamp in stamps]
    known = np.array([number is not None for number in whole], dtype=bool)
    if 2 * known.sum() > known.size:
        return _read_numbers(np.array([number or 0 for number in whole], dtype=np.int64), known)
    return _read_texts([_tidy(stamp) for stamp in stamps], where)


def _whole_number(text: str) -> int | None:
    """The integer in a stamp, also when some program wrote it as ``1483228800.0``."""
    matched = re.fullmatch(r"(-?\d{1,19})(\.0*)?", text)
    return int(matched[1]) if matched and abs(int(matched[1])) < 2**63 else None


def _read_numbers(numbers: NDArray[np.int64], known: Mask) -> tuple[pd.Index, Mask]:
    size = np.abs(numbers)
    if np.mean((numbers[known] >= 1500) & (numbers[known] <= 2200)) > 0.5:
        return _read_years(numbers, known & (numbers >= 1000) & (numbers < 3000))
    typical = float(np.median(size[known]))
    for floor, unit in _UNIX_UNITS:
        if typical >= floor:
            good = known & (size >= floor) & (size < 1000 * floor)
            times = np.where(good, numbers, 0).astype(f"datetime64[{unit}]")
            return pd.DatetimeIndex(times, tz="UTC").as_unit("us"), ~good
    if typical >= 1e7:  # 20170131
        return _parse([str(number) for number in numbers], "%Y%m%d")
    return pd.Index(numbers), ~known


def _read_years(numbers: NDArray[np.int64], good: Mask) -> tuple[pd.Index, Mask]:
    years = [str(number) for number in np.where(good, numbers, 2000)]
    if np.ptp(numbers[good]) + 1 == len(np.unique(numbers[good])):
        return pd.PeriodIndex(years, freq="Y"), ~good
    return _parse(years, "%Y")[0], ~good


def _tidy(text: str) -> str:
    if not re.search(r"\d", text):  # pandas takes "now" and "today" in any form
        return ""
    text = re.sub(r"\s*(UTC|GMT)$", "Z", text)
    return re.sub(r"^(\d{1,2})([-./])(\d{1,2})\2(\d{4})", r"\1/\3/\4", text)


def _read_texts(texts: Sequence[str], where: str) -> tuple[pd.Index, Mask]:
    sample = texts[:: 1 + len(texts) // 50]
    best = min(_FORMATS, key=lambda form: int(_parse(sample, form)[1].sum()))
    index, bad = _parse(texts, best)
    swapped = re.sub(r"(%[md])/(%[md])", r"\2/\1", best)
    if swapped == best:
        return index, bad
    other, other_bad = _parse(texts, swapped)
    if not bad.any() and not other_bad.any() and not index.equals(other):
        raise InputError(
            f"{where}: dates such as {texts[0]!r} could be day/month or month/day in every row; "
            "write them as YYYY-MM-DD"
        )
    return (other, other_bad) if other_bad.sum() < bad.sum() else (index, bad)


def _parse(texts: Sequence[str], form: str) -> tuple[pd.DatetimeIndex, Mask]:
    zoned = False
    if form == "ISO8601":
        # Left to itself the parser also takes bare years, and times with and without an offset mixed.
        offset = np.array([bool(_OFFSET.search(text)) for text in texts], dtype=bool)
        zoned = bool(2 * offset.sum() > offset.size)
        fits = [
            bool(_ISO_DAY.fullmatch(text)) and has == zoned for text, has in zip(texts, offset, strict=True)
        ]
        texts = [text if fit else "" for text, fit in zip(texts, fits, strict=True)]
    index = pd.to_datetime(list(texts), format=form, errors="coerce", utc=zoned).as_unit("us")
    return index, np.asarray(index.isna())


def regular(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Set ``freq`` if the stamps are exactly regular, and only then.

    Examples
    --------
    >>> regular(pd.DatetimeIndex(["2017-01-01", "2017-01-02", "2017-01-03"])).freqstr
    'D'
    >>> regular(pd.DatetimeIndex(["2017-01-01", "2017-01-02", "2017-01-04"])).freq is None
    True
    """
    likely = pd.DatetimeIndex(index, freq="infer").freq
    try:
        return index if likely is None else pd.DatetimeIndex(index, freq=likely)
    except ValueError:  # inferred from a part of each stamp only; pandas has now checked it against all
        return index
