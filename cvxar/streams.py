"""Readers that stream files and partitioned frames, a bounded number of rows at a time."""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from cvxar.aggregates import Aggregates, aggregate
from cvxar.errors import InputError, unknown_name

ROWS = 1_000_000


def read_columns(
    path: str | PathLike[str], columns: str | Sequence[str], *, rows: int = ROWS, engine: str = "auto"
) -> Iterator[Any]:
    r"""Stream columns of a CSV or Parquet file, in the order of the file, in chunks of about ``rows`` rows.

    Parameters
    ----------
    path : path
        A ``.csv`` (``.csv.gz``) or ``.parquet`` file.
    columns : str or list of str
        One name yields arrays, for :func:`cvxar.lag_pairs`; a list yields tuples of arrays, for
        :func:`cvxar.aggregate`.
    rows : int
        Rows a chunk.
    engine : {"auto", "pandas", "pyarrow", "duckdb", "polars"}
        Reader; pandas reads CSV only and pyarrow Parquet only. ``"auto"`` is pyarrow for Parquet, and for CSV
        DuckDB where installed, else pandas.

    Raises
    ------
    InputError
        For a file that is missing, of another kind, or without the columns (those it has are named).
    ImportError
        When the engine asked for is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
    >>> _ = file.write_text("close,volume\n1.5,10\n2.5,20\n3.5,30\n")
    >>> [chunk.tolist() for chunk in read_columns(file, "close", rows=2, engine="pandas")]
    [[1.5, 2.5], [3.5]]
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}; give the path of a CSV or Parquet file")
    kind = "parquet" if path.suffix in (".parquet", ".pq") else "csv"
    if kind == "csv" and ".csv" not in path.suffixes:
        raise InputError(f"{path.name!r} is neither CSV nor Parquet by its name; convert or rename it")
    if rows < 1:
        raise InputError(f"rows must be at least 1, got {rows!r}")
    wanted = [columns] if isinstance(columns, str) else list(columns)
    frames = _reader(engine, kind)(path, wanted, rows, kind)
    return _arrays(frames, wanted, isinstance(columns, str))


def _arrays(frames: Iterator[Any], wanted: list[str], single: bool) -> Iterator[Any]:
    for frame in frames:
        parts = tuple(np.asarray(frame[name]) for name in wanted)
        yield parts[0] if single else parts


def _reader(engine: str, kind: str) -> Callable[[Path, list[str], int, str], Iterator[Any]]:
    readers = {"pandas": _by_pandas, "pyarrow": _by_pyarrow, "duckdb": _by_duckdb, "polars": _by_polars}
    if engine == "auto":
        quick = "duckdb" if importlib.util.find_spec("duckdb") else "pandas"
        engine = "pyarrow" if kind == "parquet" else quick
    if engine not in readers:
        raise unknown_name("engine", engine, ("auto", *readers))
    if (engine, kind) in {("pandas", "parquet"), ("pyarrow", "csv")}:
        raise InputError(f"{engine} does not stream {kind} here; use engine='auto' or 'duckdb'")
    return readers[engine]


def _check_columns(path: Path, wanted: list[str], there: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in there]
    if missing:
        raise InputError(f"{path.name} has no column {missing[0]!r}; it has {', '.join(map(repr, there))}")


def _by_pandas(path: Path, wanted: list[str], rows: int, kind: str) -> Iterator[Any]:
    import pandas as pd

    _check_columns(path, wanted, list(pd.read_csv(path, nrows=0).columns))
    with pd.read_csv(path, usecols=wanted, chunksize=rows) as reader:
        yield from reader


def _by_pyarrow(path: Path, wanted: list[str], rows: int, kind: str) -> Iterator[Any]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        _check_columns(path, wanted, file.schema_arrow.names)
        for batch in file.iter_batches(rows, columns=wanted):
            yield {name: batch.column(name).to_numpy(zero_copy_only=False) for name in wanted}


def _by_duckdb(path: Path, wanted: list[str], rows: int, kind: str) -> Iterator[Any]:
    import duckdb

    source, where = f"FROM read_{kind}(?)", [str(path)]
    with duckdb.connect() as connection:
        there = [row[0] for row in connection.execute(f"DESCRIBE {source}", where).fetchall()]
        _check_columns(path, wanted, there)
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in wanted)
        connection.execute(f"SELECT {names} {source}", where)
        while len(frame := connection.fetch_df_chunk(max(rows // 2048, 1))):  # vectors of 2,048 rows
            yield frame


def _by_polars(path: Path, wanted: list[str], rows: int, kind: str) -> Iterator[Any]:
    import polars as pl

    table = pl.scan_parquet(path) if kind == "parquet" else pl.scan_csv(path)
    _check_columns(path, wanted, table.collect_schema().names())
    yield from table.select(wanted).collect_batches(chunk_size=rows, maintain_order=True)


def partition_columns(frame: Any, columns: str | Sequence[str]) -> Iterator[Any]:
    """Stream columns of a dask frame, one partition in memory at a time, in order.

    As :func:`read_columns`; use it with :func:`cvxar.lag_pairs`, which needs the order.
    """
    wanted = [columns] if isinstance(columns, str) else list(columns)
    pieces = (frame[wanted].get_partition(i).compute() for i in range(frame.npartitions))
    return _arrays(pieces, wanted, isinstance(columns, str))


def aggregate_partitions(frame: Any, x: str, y: str) -> Aggregates:
    """Sum every partition of a dask frame by input, wherever the scheduler puts it, and add the sums.

    Parameters
    ----------
    frame : dask DataFrame
    x, y : str
        Its columns of inputs and targets, a pair a row.

    Returns
    -------
    Aggregates
        Those of :func:`cvxar.aggregate` on all rows, to rounding.
    """
    import dask

    def sums(part: Any) -> Aggregates | None:
        """Sum one partition; None for one without rows."""
        return aggregate([(part[x].to_numpy(), part[y].to_numpy())]) if len(part) else None

    found = dask.compute(*(dask.delayed(sums)(part) for part in frame[[x, y]].to_delayed()))
    full = [part for part in found if part is not None]
    if not full:
        raise InputError("the frame has no rows")
    whole: Aggregates = reduce(add, full)
    return whole
