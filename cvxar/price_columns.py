"""Which columns of a file or table hold the times and the prices, and the rows below its header.

An ambiguous column is an error, and every row keeps its place (line of a text file, row of a table, counted
from 1), so that whatever is wrong with it can be named.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TextIO, TypeAlias

import numpy as np
import pandas as pd

from cvxar.errors import InputError
from cvxar.price_times import Stamps

Row: TypeAlias = tuple[int, list[str]]

# In order of preference; compared in lower case, with "_" as a space and without "<" and ">".
_DATE_NAMES = ("date", "datetime", "timestamp", "time", "open time", "observation date", "day", "month")
TIME_NAMES = (*_DATE_NAMES, "year", "period", "unix", "unix timestamp", "epoch")
CLOSE_NAMES = ("close", "price", "close/last", "last", "adj close", "adjusted close", "value")
HEAD_ROWS = 20
ASK_COLUMN = "pass one as column="

_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}\b|\d{1,2}[ -][A-Za-z]{3}|[A-Za-z]{3,9} \d{1,2}, \d{4}")


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
    return any(np.isfinite(number(cell, True)) or _DATE_LIKE.match(cell) for cell in row)


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


def number(cell: Any, thousands: bool) -> float:
    """Return the number in a cell, or NaN; ``thousands`` are separated by commas or not at all.

    Examples
    --------
    >>> number("$1,234.5", True), number("1,234", False)
    (1234.5, nan)
    """
    if isinstance(cell, str):
        cell = cell.removeprefix("$").replace("_", "?")  # "1_000" is a number to Python, not to a price file
        if thousands and _THOUSANDS.fullmatch(cell):
            cell = cell.replace(",", "")
    try:
        return np.nan if isinstance(cell, bool | np.bool_) else float(cell)
    except (TypeError, ValueError):
        return np.nan
