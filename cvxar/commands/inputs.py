"""The series a command works on: bundled, from a file, or by its Yahoo symbol."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cvxar.datasets import fetch_prices, load_bitcoin, read_prices
from cvxar.errors import InputError
from cvxar.price_columns import ASK_COLUMN

FILE_SUFFIXES = {
    ".csv",
    ".gz",
    ".parquet",
    ".pq",
    ".txt",
    ".tsv",
    ".xls",
    ".xlsx",
    ".json",
    ".zip",
    ".feather",
}
BUNDLED = (
    "bundled daily closes of BTC/USD in 2017 on a spot exchange, US dollars (cvxar.datasets.load_bitcoin)"
)


@dataclass(frozen=True)
class Given:
    """A series, what to call it, the name and unit of its values, and where it is from."""

    label: str
    unit: str
    series: pd.Series
    source: str = ""


def load(source: str | None, column: str | None) -> Given:
    """Return the series that ``SERIES`` and ``--column`` name.

    Raises
    ------
    InputError
        For a file that cannot be read as prices, or a column without a file.
    DownloadError
        For a symbol whose prices could not be fetched.
    """
    if source is not None and _is_path(source):
        series = _read(source, column)
        return Given(Path(source).name, str(series.name), series, f"file {source}, column {series.name}")
    if column is not None:
        raise InputError(f"--column {column} names a column of a file; give a CSV or Parquet file as SERIES")
    if source is None:
        series = load_bitcoin()
        return Given("bitcoin", f"{series.name} (US dollars)", series, BUNDLED)
    return Given(source, f"{source} close", fetch_prices(source), f"Yahoo Finance, {source}")


def _read(path: str, column: str | None) -> pd.Series:
    """Read a file; what an error asks for is said in the words of the command line."""
    try:
        return read_prices(path, column)
    except InputError as error:
        raise InputError(str(error).replace(ASK_COLUMN, "choose one with --column")) from None


def _is_path(source: str) -> bool:
    path = Path(source)
    return path.suffix.lower() in FILE_SUFFIXES or len(path.parts) > 1 or path.is_file()
