"""From rows of a file to one checked series: which columns, which times, which rows.

Nothing is guessed in silence: rows are not dropped, gaps are not filled, an ambiguous column or date is an
error, and every error names the place (line of a text file, row of a table, counted from 1) and the value.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TextIO, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvxar._typing import Array
from cvxar.errors import InputError

Series: TypeAlias = "pd.Series[float]"
Row: TypeAlias = tuple[int, list[str]]
Mask: TypeAlias = NDArray[np.bool_]
Stamps: TypeAlias = "Sequence[str] | pd.DatetimeIndex | pd.PeriodIndex"

# In order of preference; compared in lower case, with "_" as a space and without "<" and ">".
_DATE_NAMES = ("date", "datetime", "timestamp", "time", "open time", "observation date", "day", "month")
TIME_NAMES = (*_DATE_NAMES, "year", "period", "unix", "unix timestamp", "epoch")
CLOSE_NAMES = ("close", "price", "close/last", "last", "adj close", "adjusted close", "value")
HEAD_ROWS = 20
NAMED_ROWS = 3
ASK_COLUMN = "pass one as column="

_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}\b|\d{1,2}[ -][A-Za-z]{3}|[A-Za-z]{3,9} \d{1,2}, \d{4}")
_ISO_DAY = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}([T ].*)?")
_OFFSET = re.compile(r":\d{2}.*(Z|[+-]\d{2}:?\d{2})$")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")
_HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = ("ISO8601", "%Y-%m", "%Y/%m", "%Y-%m-%d %I-%p", *(day + hour for day in _DAYS for hour in _HOURS))
# A Unix time counts from 1970, so the size of the number tells the unit. These begin in March 1973: smaller
# numbers are refused, for among large ones they are rather bare years or typing errors than early times.
_UNIX_UNITS = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (1e8, "s"))


@dataclass(frozen=True)
class Columns:
    """The time and the value column of one file as found there, with the place of every row."""

    source: str
    unit: str
    time_name: str
    value_name: str
    places: Sequence[int]
    stamps: Stamps
    cells: Sequence[Any]
    problems: dict[int, str] = field(default_factory=dict)
    thousands: bool = False


# --- which columns ----------------------------------------------------------------------------------------


def choose_columns(names: Sequence[str], column: str | None, source: str) -> tuple[int, int]:
    """Positions of the time and of the value column, by the rule of `cvxar.datasets.read_prices`."""
    if len(names) < 2:
        raise InputError(
            f"{source}: a time and a value column are needed, got {list(names)}; "
            "separate columns by commas, semicolons or tabs"
        )
    time = _time_position(names)
    value = _close_position(names, time, source) if column is None else _named(names, column, source)
    if value == time:
        others = [name for i, name in enumerate(names) if i != time]
        raise InputError(f"{source}: column {column!r} holds the time; choose one of {others}")
    return time, value


def _plain(name: str) -> str:
    return name.strip().strip("<>").replace("_", " ").lower()


def _time_position(names: Sequence[str]) -> int:
    plain = [_plain(name) for name in names]
    known = next((name for name in TIME_NAMES if name in plain), None)
    if known is not None:
        return plain.index(known)
    return next((i for i, name in enumerate(plain) if name not in CLOSE_NAMES), 0)


def _close_position(names: Sequence[str], time: int, source: str) -> int:
    for known in CLOSE_NAMES:
        found = [i for i, name in enumerate(names) if i != time and _plain(name) == known]
        if found:
            return _only(found, names, source)
    rest = [i for i, name in enumerate(names) if i != time and _plain(name) not in TIME_NAMES]
    return _only(rest, names, source)


def _named(names: Sequence[str], column: str, source: str) -> int:
    exact = [i for i, name in enumerate(names) if name == column.strip()]
    found = exact or [i for i, name in enumerate(names) if _plain(name) == _plain(column)]
    if not found:
        raise InputError(f"{source}: no column {column!r}; columns: {list(names)}")
    return _only(found, names, source)


def _only(found: Sequence[int], names: Sequence[str], source: str) -> int:
    if len(found) == 1:
        return found[0]
    which = [names[i] for i in found] or list(names)
    raise InputError(f"{source}: which column holds the prices? Candidates: {which}; {ASK_COLUMN}")


def flat_names(levels: Sequence[Sequence[str]]) -> list[str]:
    """One name per column from several header rows; a row that is the same everywhere tells nothing.

    Examples
    --------
    >>> flat_names([["Close", "Close"], ["BTC-USD", "ETH-USD"]])
    ['BTC-USD', 'ETH-USD']
    """
    telling = [level for level in levels if len(set(level)) > 1] or list(levels[:1])
    return [" ".join(part for part in parts if part) for parts in zip(*telling, strict=True)]


# --- rows of a text or a table ----------------------------------------------------------------------------


def text_columns(handle: TextIO, source: str, column: str | None) -> Columns:
    """Find the header and gather the time and value cells of separated text, line by line."""
    first = list(islice(handle, HEAD_ROWS))
    delimiter = _delimiter(first)
    rows = _rows(chain(first, handle), delimiter)
    head = [(line, [cell.strip() for cell in row]) for line, row in islice(rows, HEAD_ROWS)]
    if not head:
        raise InputError(f"{source}: the file is empty; a time and a value column are needed")
    names, started = _split_head(head, source)
    time, value = choose_columns(names, column, source)
    problems: dict[int, str] = {}
    kept = [
        (line, row[time].strip(), row[value].strip())
        for line, row in chain(started, rows)
        if _is_whole(line, row, len(names), problems)
    ]
    places, stamps, cells = zip(*kept, strict=True) if kept else ((), (), ())
    return Columns(
        source, "line", names[time], names[value], places, stamps, cells, problems, delimiter == ","
    )


def _delimiter(lines: Sequence[str]) -> str:
    """Tab or semicolon if most lines have one: in such files a comma is a decimal sign or part of a date."""
    return next((mark for mark in "\t;" if 2 * sum(mark in line for line in lines) > len(lines)), ",")


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        if len(row) > 1 or any(cell.strip() for cell in row):
            yield reader.line_num, row


def _is_whole(line: int, cells: Sequence[str], width: int, problems: dict[int, str]) -> bool:
    """Whether a row has the columns of the header; a cut-off line or a stray comma is noted as a problem."""
    if len(cells) >= width and not any(cells[width:]):
        return True
    problems[line] = f"has {len(cells)} fields where {width} are meant"
    return False


def _split_head(head: Sequence[Row], source: str) -> tuple[list[str], Sequence[Row]]:
    """Column names, and the rows below them (a banner above the header is no data)."""
    above = next((i for i, (_, row) in enumerate(head) if _is_data(row)), len(head))
    header = _header_position([row for _, row in head[:above]])
    if header is not None:
        return _header_names([row for _, row in head[: header + 1]]), head[header + 1 :]
    if above > 0:
        line, row = head[0]
        raise InputError(f"{source}: line {line}, {row}, is neither a header nor data (a time and a value)")
    width = len(head[0][1])
    return ["time", "value"] if width == 2 else [f"column {i + 1}" for i in range(width)], head


def _is_data(row: Sequence[str]) -> bool:
    # pandas writes an empty cell and then 0, 1, ... above an unnamed series: a header although it has numbers
    unnamed = len(row) > 1 and list(row) == ["", *map(str, range(len(row) - 1))]
    if unnamed or any(_plain(cell) in TIME_NAMES for cell in row):
        return False
    return any(np.isfinite(_number(cell, True)) or _DATE_LIKE.match(cell) for cell in row)


def _header_position(rows: Sequence[Sequence[str]]) -> int | None:
    wide = [i for i, row in enumerate(rows) if len(row) > 1]
    timed = [i for i in wide if any(_plain(cell) in TIME_NAMES for cell in rows[i])]
    full = [i for i in wide if all(rows[i][1:])]
    return next(iter(timed + full), None)


def _header_names(rows: Sequence[Sequence[str]]) -> list[str]:
    last = list(rows[-1])
    above = [row[1:] for row in rows[:-1] if len(row) == len(last)]
    if above and not any(last[1:]):
        return [last[0] or "time", *flat_names(above)]
    while not last[-1]:
        last.pop()
    return [last[0] or "time", *last[1:]]


def frame_columns(frame: pd.DataFrame, source: str, column: str | None) -> Columns:
    """Find the time (a column or the index) and the value column of a frame."""
    depth = range(frame.columns.nlevels)
    names = flat_names([[str(name) for name in frame.columns.get_level_values(i)] for i in depth])
    parts = [pd.Index(frame.iloc[:, i]) for i in range(len(names))]
    if not isinstance(frame.index, pd.RangeIndex):
        names, parts = [str(frame.index.name or "time"), *names], [frame.index, *parts]
    time, value = choose_columns(names, column, source)
    stamps: Any = parts[time]
    if not isinstance(stamps, pd.DatetimeIndex | pd.PeriodIndex):
        stamps = ["" if pd.isna(stamp) else str(stamp) for stamp in stamps]
    rows = range(1, len(frame) + 1)
    return Columns(source, "row", names[time], names[value], rows, stamps, list(parts[value]))


# --- times ------------------------------------------------------------------------------------------------


def _read_stamps(stamps: Stamps, where: str) -> tuple[pd.Index, Mask]:
    """The times, and which of them could not be read."""
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


# --- the checked series -----------------------------------------------------------------------------------


def checked_series(found: Columns) -> Series:
    """Build the series, oldest first, or raise an InputError that names every row that cannot be used."""
    if not len(found.cells) and not found.problems:
        raise InputError(f"{found.source}: there is a header but no row of data below it")
    values = np.array([_number(cell, found.thousands) for cell in found.cells], dtype=np.float64)
    index, bad = _read_stamps(found.stamps, f"{found.source}, column {found.time_name!r}")
    _check_rows(found, values, bad)
    order = np.asarray(index.argsort(kind="stable"))
    ordered, places = index[order], np.asarray(found.places)[order]
    _check_distinct(found, ordered, places)
    finished = _finish(found, ordered, places).rename(found.time_name)
    return pd.Series(values[order], index=finished, name=found.value_name)


def _number(cell: Any, thousands: bool) -> float:
    """The number in a cell, or NaN."""
    if isinstance(cell, str):
        cell = cell.removeprefix("$").replace("_", "?")  # "1_000" is a number to Python, not to a price file
        if thousands and _THOUSANDS.fullmatch(cell):
            cell = cell.replace(",", "")
    try:
        return np.nan if isinstance(cell, bool | np.bool_) else float(cell)
    except (TypeError, ValueError):
        return np.nan


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
