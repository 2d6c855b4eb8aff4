"""Indexes and tables of pandas as trees of plain values and arrays, and back; what cannot be is refused."""

import math
import re
from collections.abc import Hashable, Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from cvxar.errors import InputError

UNITS = ("s", "ms", "us", "ns")
TEXT = ("object", "str", "string")
FIXED_OFFSET = re.compile(r"UTC([+-]\d{2}:\d{2})?")


class Kind(Protocol):
    """One kind of index: how it becomes a tree, and how it is made from one."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return the tree of an index of this kind, its name apart."""

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the index, its name apart."""


class Range:
    """Positions."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return start, stop and step."""
        return {"start": int(index.start), "stop": int(index.stop), "step": int(index.step)}

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the range; O(1) whatever its length."""
        return pd.RangeIndex(tree["start"], tree["stop"], tree["step"])


class Dates:
    """Time stamps with or without time zone and frequency; in UTC on file."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return counts of the unit, unit, zone and frequency."""
        zone = None if index.tz is None else str(index.tz)
        return {"values": index.asi8, "unit": index.unit, "zone": zone, "freq": index.freqstr}

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the index; its stamps must fit the frequency."""
        stamps = pd.DatetimeIndex(_ticks("M8", tree))
        if tree["zone"] is not None:
            stamps = stamps.tz_localize("UTC").tz_convert(_zone(tree["zone"]))
        return pd.DatetimeIndex(stamps, freq=tree["freq"])


class Durations:
    """Times since a beginning."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return counts of the unit, unit and frequency."""
        return {"values": index.asi8, "unit": index.unit, "freq": index.freqstr}

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the index; its durations must fit the frequency."""
        return pd.TimedeltaIndex(pd.TimedeltaIndex(_ticks("m8", tree)), freq=tree["freq"])


class Periods:
    """Years, months, days."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return ordinals and frequency."""
        return {"values": index.asi8, "freq": index.freqstr}

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the index."""
        periods: Any = pd.arrays.PeriodArray(_flat(tree, "i8"), dtype=pd.PeriodDtype(tree["freq"]))
        _ = [str(period) for period in periods[[0, -1]]]  # a period beyond the calendar cannot be printed
        index: pd.Index = pd.PeriodIndex(periods)
        return index


class Numbers:
    """Whole numbers or floats."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return values and type."""
        wide = index.to_numpy(dtype=np.float64 if index.dtype.kind == "f" else np.int64)
        return {"values": wide, "dtype": str(index.dtype)}

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the index."""
        dtype = np.dtype(str(tree["dtype"]))
        if dtype.kind not in "iuf":
            raise ValueError(f"{dtype} is not a type of numbers")
        index: pd.Index = pd.Index(_flat(tree, "f8" if dtype.kind == "f" else "i8").astype(dtype))
        return index


class Text:
    """Names."""

    def to_tree(self, index: Any) -> dict[str, Any]:
        """Return names and type."""
        return {"values": list(index), "dtype": str(index.dtype)}

    def from_tree(self, tree: Mapping[str, Any]) -> pd.Index:
        """Make the index."""
        if tree["dtype"] not in TEXT or not all(isinstance(name, str) for name in tree["values"]):
            raise ValueError("names that are not text")
        index: pd.Index = pd.Index(tree["values"], dtype=tree["dtype"])
        return index


KINDS: dict[str, Kind] = {
    "range": Range(),
    "dates": Dates(),
    "durations": Durations(),
    "periods": Periods(),
    "numbers": Numbers(),
    "text": Text(),
}
_OF_CLASS = {
    pd.RangeIndex: "range",
    pd.DatetimeIndex: "dates",
    pd.TimedeltaIndex: "durations",
    pd.PeriodIndex: "periods",
}


def index_to_tree(index: pd.Index) -> dict[str, Any]:
    """Return an index as a tree.

    Raises
    ------
    InputError
        If the index, or its name, could not be read back as it is.

    Examples
    --------
    >>> tree = index_to_tree(pd.RangeIndex(3))
    >>> tree
    {'kind': 'range', 'name': None, 'start': 0, 'stop': 3, 'step': 1}
    >>> index_from_tree(tree)
    RangeIndex(start=0, stop=3, step=1)
    """
    kind = _OF_CLASS.get(type(index)) or ("numbers" if index.dtype.kind in "iuf" else "text")
    try:
        tree = {"kind": kind, "name": name_to_tree(index.name), **KINDS[kind].to_tree(index)}
        again = index_from_tree(tree)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise _refused(index) from error
    if not again.identical(index) or getattr(again, "freq", None) != getattr(index, "freq", None):
        raise _refused(index)
    return tree


def _refused(index: pd.Index) -> InputError:
    return InputError(
        f"an index of type {type(index).__name__} ({index.dtype}, name {index.name!r}) cannot be saved; fit "
        "to a series with dates, periods, durations, numbers or text as index, or drop the index with "
        "series.reset_index(drop=True)"
    )


def index_from_tree(tree: Mapping[str, Any]) -> pd.Index:
    """Make an index from its tree; ValueError, TypeError or LookupError if it is damaged."""
    return KINDS[tree["kind"]].from_tree(tree).rename(name_from_tree(tree["name"]))


def name_to_tree(name: Hashable) -> Any:
    """Return the name of a series or an index as a plain value.

    Raises
    ------
    InputError
        If it is not text, a finite number or None.

    Examples
    --------
    >>> name_to_tree(np.int64(3)), name_to_tree("close")
    (3, 'close')
    """
    plain = name.item() if isinstance(name, np.generic) else name
    if plain is None or type(plain) in (str, int) or (type(plain) is float and math.isfinite(plain)):
        return plain
    raise InputError(f"the name {name!r} cannot be saved; rename it to text, a finite number or None")


def name_from_tree(tree: Any) -> Hashable:
    """Check the name of a series or an index."""
    if tree is None or type(tree) in (str, int, float):
        name: Hashable = tree
        return name
    raise ValueError(f"{tree!r} is not a name")


def table_to_tree(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table of numeric columns as a tree.

    Examples
    --------
    >>> table_from_tree(table_to_tree(pd.DataFrame({"df": [1, 2]}))).to_dict("list")
    {'df': [1, 2]}
    """
    columns = {str(name): column.to_numpy() for name, column in table.items()}
    return {"index": index_to_tree(table.index), "columns": columns}


def table_from_tree(tree: Mapping[str, Any]) -> pd.DataFrame:
    """Make a table from its tree; ValueError, TypeError or LookupError if it is damaged."""
    return pd.DataFrame(dict(tree["columns"]), index=index_from_tree(tree["index"]))


def _flat(tree: Mapping[str, Any], dtype: str) -> Any:
    values = tree["values"]
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype != np.dtype(dtype):
        raise ValueError(f"the stamps are not a row of {dtype}")
    return values


def _ticks(kind: str, tree: Mapping[str, Any]) -> Any:
    if tree["unit"] not in UNITS:
        raise ValueError(f"unknown unit {tree['unit']!r}")
    return _flat(tree, "i8").view(f"{kind}[{tree['unit']}]")


def _zone(name: str) -> str:
    if not FIXED_OFFSET.fullmatch(name):
        ZoneInfo(name)  # raises for anything that is not the name of a zone, paths above all
    return name
