"""Series to work on: bundled ones, those in your files, and prices from Yahoo Finance."""

import gzip
import zlib
from csv import Error as CsvError
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from cvxar.errors import CvxarError, InputError, InputTypeError
from cvxar.price_columns import Columns, frame_columns, text_columns
from cvxar.prices import Series, checked_series
from cvxar.yahoo import fetch_prices

__all__ = ["fetch_prices", "load_bitcoin", "load_lynx", "load_sunspots", "read_prices"]

EXTENSIONS = (".csv", ".csv.gz", ".parquet")


def load_bitcoin() -> Series:
    """Bundled daily closes of BTC/USD on a spot exchange in 2017.

    Returns
    -------
    pandas.Series
        365 prices in US dollars named "close", on a daily DatetimeIndex (``freq`` "D") from 2017-01-01 to
        2017-12-31 without gaps. The source is described in ``datasets/README.md``.

    Examples
    --------
    >>> prices = load_bitcoin()
    >>> len(prices), prices.index.freqstr
    (365, 'D')
    >>> prices.iloc[[0, -1]].tolist()
    [998.8, 13880.0]
    """
    return read_prices(_bundled("bitcoin_daily_2017.csv"), column="close")


def load_lynx() -> Series:
    """Bundled numbers of lynx trapped each year in the Mackenzie River district of Canada, 1821 to 1934.

    Returns
    -------
    pandas.Series
        114 counts (animals a year) named "trappings", on a yearly PeriodIndex without gaps. The source is
        described in ``datasets/README.md``.

    Examples
    --------
    >>> lynx = load_lynx()
    >>> len(lynx), str(lynx.index[0]), str(lynx.index[-1])
    (114, '1821', '1934')
    >>> lynx.iloc[[0, -1]].tolist()
    [269.0, 3396.0]
    """
    return read_prices(_bundled("lynx.csv"), column="trappings")


def load_sunspots() -> Series:
    """Yearly mean sunspot numbers, 1700 to 2008, from the data sets of statsmodels.

    Returns
    -------
    pandas.Series
        309 values (mean number of sunspots of a year, a count without unit) named "sunspots", on a yearly
        PeriodIndex.

    Examples
    --------
    >>> sunspots = load_sunspots()
    >>> len(sunspots), str(sunspots.index[0]), str(sunspots.index[-1])
    (309, '1700', '2008')
    >>> sunspots.iloc[[0, -1]].tolist()
    [5.0, 2.9]
    """
    from statsmodels.datasets import sunspots

    table = sunspots.load_pandas().data
    years = pd.PeriodIndex(table["YEAR"].astype(int).astype(str), freq="Y", name="year")
    return pd.Series(table["SUNACTIVITY"].to_numpy(dtype=np.float64), index=years, name="sunspots")


def _bundled(name: str) -> Path:
    """A bundled file: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_datasets", package.parent / "datasets"):
        if (folder / name).is_file():
            return folder / name
    raise CvxarError(f"the bundled file {name!r} is missing from {str(package)!r}; install cvxar again")


def read_prices(path: str | PathLike[str], column: str | None = None) -> Series:
    r"""Read one series from a CSV (``.csv``, ``.csv.gz``) or Parquet file.

    Read as they come: the Yahoo export (``Date,Open,High,Low,Close,Adj Close,Volume``), exchange dumps
    (``unix,date,symbol,open,high,low,close,...``, newest first, with or without a banner above the header),
    what ``to_csv`` and ``to_parquet`` write for pandas series and for yfinance frames (several header rows),
    and any two-column file (time, value), header or not. Comma, semicolon and tab separate. O(n log n).

    Parameters
    ----------
    path : path-like
        The file. UTF-8 text, or Parquet (which needs ``pip install "cvxar[parquet]"``).
    column : str, optional
        The column to read (case does not matter). Default: the first of "close", "price", "close/last",
        "last", "adj close", "adjusted close", "value" that is there, so that *close* wins over *adj close*;
        otherwise the only column beside the time. More than one candidate is an error that lists them.

    Returns
    -------
    pandas.Series
        Float values in the units of the file, oldest first, named after their column. The time column is the
        first of "date", "datetime", "timestamp", "time", ..., "unix" that is there, otherwise the first
        column. Its stamps become

        - a DatetimeIndex, with ``freq`` set only if they are exactly regular. Text with an offset and Unix
          times (seconds to nanoseconds, after 1973) are in UTC; others keep no time zone;
        - for whole years: a yearly PeriodIndex if consecutive, otherwise a DatetimeIndex of 1 January;
        - for a plain counter in equal steps: a RangeIndex.

    Raises
    ------
    InputError
        No such file, an extension or encoding that cannot be read, an empty file, no or several columns that
        fit, dates that could be day/month or month/day, rows with a missing, non-numeric or infinite value or
        an unreadable or repeated time. Rows are named by their line (in Parquet: row), counted from 1.
    InputTypeError
        ``column`` is not text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "prices.csv"
    >>> _ = path.write_text("date,open,close\n2017-01-03,2,30\n2017-01-02,1,20\n2017-01-01,1,10\n")
    >>> closes = read_prices(path)
    >>> closes.tolist(), closes.index.freqstr
    ([10.0, 20.0, 30.0], 'D')
    >>> read_prices(path, column="open").tolist()
    [1.0, 1.0, 2.0]
    >>> folder.cleanup()
    """
    if column is not None and not isinstance(column, str):
        raise InputTypeError(f"column is the name of a column, got {column!r}; pass text such as 'close'")
    file = Path(path).expanduser()
    if not file.name.lower().endswith(EXTENSIONS):
        raise InputError(f"cannot read {file.name!r}: the name must end in one of {', '.join(EXTENSIONS)}")
    _check_is_file(file)
    reader = _parquet_columns if file.name.lower().endswith(".parquet") else _csv_columns
    return checked_series(reader(file, column))


def _check_is_file(file: Path) -> None:
    if file.is_file():
        return
    known = sorted(p.name for p in file.parent.glob("*") if p.name.lower().endswith(EXTENSIONS))[:10]
    there = f"files there: {', '.join(known)}" if known else "no price file is there"
    raise InputError(f"no file {file.name!r} in {str(file.parent)!r}; {there}")


def _csv_columns(file: Path, column: str | None) -> Columns:
    opener = gzip.open if file.name.lower().endswith(".gz") else open
    try:
        with opener(file, "rt", encoding="utf-8-sig", newline="") as handle:
            return text_columns(handle, file.name, column)
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name}: not UTF-8 text ({error.reason}); save it as CSV in UTF-8") from error
    except (OSError, EOFError, zlib.error, CsvError) as error:
        raise InputError(f"{file.name}: cannot be read ({error}); check or replace the file") from error


def _parquet_columns(file: Path, column: str | None) -> Columns:
    try:
        frame = pd.read_parquet(file)
    except ImportError as error:
        raise InputError(
            f"{file.name}: Parquet needs pyarrow; run pip install 'cvxar[parquet]', or save the file as CSV"
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{file.name}: not a Parquet file that can be read ({error})") from error
    return frame_columns(frame, file.name, column)
