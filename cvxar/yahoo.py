"""Prices from Yahoo Finance through yfinance, kept on disk; every failure is one typed error."""

import logging
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from cvxar.errors import DownloadError, InputError, InputTypeError, unknown_name
from cvxar.price_times import regular
from cvxar.prices import Series

Instant: TypeAlias = str | date | np.datetime64 | None
Bound: TypeAlias = pd.Timestamp | None

# How long the answer for an open range is served again, in seconds: one bar, at most one hour.
FRESH_SECONDS = {
    **{f"{minutes}m": 60 * minutes for minutes in (1, 2, 5, 15, 30, 60, 90)},
    **dict.fromkeys(("1h", "1d", "5d", "1wk", "1mo", "3mo"), 3600),
}
RETRY_PAUSES = (1.0, 3.0)
CLOSED_SECONDS = 30 * 86400
SETTLED_SECONDS = 2 * 86400

# yfinance swallows its errors and leaves a log message; the first pattern found in it names the reason.
_REASONS = {
    "rate limit": r"rate.?limit|too many requests|\b429\b",
    "offline": r"resolve|dnserror|connecti|to connect|timed? ?out|unreachable|proxy|curl: \(\d+\)|sslerror",
    "unknown symbol": r"no timezone|not found|may be delisted|\b404\b|invalid isin",
    "empty": r"no price data found|doesn't exist for|not available for|must be within",
}
_ADVICE = {
    "rate limit": "Yahoo Finance refuses further requests for now; wait some minutes and try again",
    "offline": "Yahoo Finance cannot be reached; check the connection, or read a file with read_prices",
    "empty": "change start, end or interval (minute bars are kept for some days or weeks only)",
    "unknown symbol": "look it up on finance.yahoo.com (for example 'BTC-USD', '^GSPC', 'SAP.DE')",
    "other": "the download failed; update yfinance, or read a file with read_prices",
}


def fetch_prices(
    symbol: str, start: Instant = None, end: Instant = None, interval: str = "1d", cache: bool = True
) -> Series:
    """Download the closes of one symbol from Yahoo Finance (through yfinance).

    Parameters
    ----------
    symbol : str
        One Yahoo symbol such as "BTC-USD"; case does not matter.
    start, end : str, date, datetime or Timestamp, optional
        First instant, and the instant before which to stop (``end`` itself is excluded), in the time zone of
        the exchange unless they carry one. Default: all that Yahoo keeps, up to now. The last bar of an open
        range may be unfinished.
    interval : str, default "1d"
        Length of a bar: "1m", "2m", "5m", "15m", "30m", "60m", "90m", "1h", "1d", "5d", "1wk", "1mo", "3mo".
    cache : bool, default True
        Keep answers on disk, one for each combination of all other arguments, and serve them again: for 30
        days if the range had ended two days or more when it was downloaded (30 days only, because splits
        restate old prices), otherwise for one hour or one bar, whichever is shorter. Failures are not kept.
        The folder is ``platformdirs.user_cache_dir("cvxar")``, or ``CVXAR_CACHE_DIR`` from the environment;
        to clear the cache, delete it.

    Returns
    -------
    pandas.Series
        Closes in the currency of the quote, adjusted for splits but not for dividends, oldest first, named
        after the symbol. Daily and longer bars are stamped by date without a time zone, shorter ones in UTC;
        ``freq`` is set only if they are exactly regular. yfinance leaves out bars without any quote.

    Raises
    ------
    InputError, InputTypeError
        Before any request: an empty symbol or more than one, an unknown interval, not ``start < end``.
    DownloadError
        For every other failure; ``reason`` is "offline", "rate limit", "unknown symbol", "empty" or "other".
        Before it is raised, failures that may pass are tried again after 1 and after 3 seconds. No other data
        is ever returned instead.

    Examples
    --------
    >>> fetch_prices("BTC-USD", "2017-01-01", "2018-01-01").size  # doctest: +SKIP
    365
    >>> fetch_prices("BTC-USD", interval="1w")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: unknown interval '1w'; known: '1m', ..., '1d', '5d', '1wk', '1mo', '3mo'
    """
    first, last = _instant("start", start), _instant("end", end)
    _check_order(first, last)
    if interval not in tuple(FRESH_SECONDS):
        raise unknown_name("interval", interval, FRESH_SECONDS)
    request = (_one_symbol(symbol), first, last, interval)
    return _cached(*request) if cache else _download(*request)


def _one_symbol(symbol: str) -> str:
    if not isinstance(symbol, str):
        raise InputTypeError(f"symbol is one Yahoo symbol, got {symbol!r}; pass text such as 'BTC-USD'")
    names = re.split(r"[\s,]+", symbol.strip())
    if len(names) > 1 or not names[0]:
        raise InputError(f"symbol is one Yahoo symbol such as 'BTC-USD', got {symbol!r}; fetch one at a time")
    return names[0].upper()


def _instant(name: str, value: Instant) -> Bound:
    if value is None:
        return None
    if not isinstance(value, str | date | np.datetime64):
        raise InputTypeError(f"{name} is a date, got {value!r}; pass for example '2017-01-01'")
    instant = pd.to_datetime(value, errors="coerce")
    if not isinstance(instant, pd.Timestamp):
        raise InputError(f"{name} is not a date: {value!r}; pass for example '2017-01-01', or None if open")
    return instant.as_unit("us")


def _check_order(start: Bound, end: Bound) -> None:
    if start is None or end is None:
        return
    if (start.tzinfo is None) != (end.tzinfo is None):
        raise InputError(f"give both start and end a time zone, or neither; got {start} and {end}")
    if start >= end:
        raise InputError(f"start must be before end, got start {start} and end {end}")


def _cached(symbol: str, start: Bound, end: Bound, interval: str) -> Series:
    from joblib import Memory
    from platformdirs import user_cache_dir

    folder = os.environ.get("CVXAR_CACHE_DIR") or user_cache_dir("cvxar", appauthor=False)
    keep = partial(_still_good, end, interval)
    try:
        fetch = Memory(folder, verbose=0).cache(_download, cache_validation_callback=keep)
        series: Series = fetch(symbol, start, end, interval)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(
            f"the cache folder {folder!r} cannot be used ({error}); set CVXAR_CACHE_DIR or pass cache=False"
        ) from error
    return series


def _still_good(end: Bound, interval: str, entry: Mapping[str, Any]) -> bool:
    """Whether a cache entry may be served; ``entry["time"]`` is when it was downloaded."""
    written = entry.get("time", 0.0)
    settled = end is not None and written >= end.timestamp() + SETTLED_SECONDS
    keep = CLOSED_SECONDS if settled else FRESH_SECONDS[interval]
    return bool(0 <= time.time() - written < keep)


def _download(symbol: str, start: Bound, end: Bound, interval: str) -> Series:
    for pause in RETRY_PAUSES:
        try:
            return _download_once(symbol, start, end, interval)
        except DownloadError as error:
            if error.reason in ("empty", "unknown symbol"):
                raise
        time.sleep(pause)
    return _download_once(symbol, start, end, interval)


def _download_once(symbol: str, start: Bound, end: Bound, interval: str) -> Series:
    frame, said = _ask_yahoo(symbol, start, end, interval)
    closes = None if frame is None or frame.empty else _close(symbol, frame)
    if closes is None or closes.isna().all():
        raise _failure(symbol, *_reason(said))
    _check_bars(symbol, closes)
    index, name = pd.DatetimeIndex(closes.index), "date"
    if index.tz is not None:
        index, name = index.tz_convert("UTC"), "time"
    return closes.set_axis(regular(index.as_unit("us")).rename(name)).rename(symbol)


def _ask_yahoo(
    symbol: str, start: Bound, end: Bound, interval: str
) -> tuple[pd.DataFrame | None, Sequence[str]]:
    """The answer of yfinance, and what it logged or raised."""
    import yfinance

    span: dict[str, Any] = {"start": start} if start is not None else {"period": "max"}
    options = {"auto_adjust": False, "actions": False, "progress": False, "threads": False}
    with _listening() as said:
        try:
            frame = yfinance.download(symbol, end=end, interval=interval, **span, **options)
        except Exception as error:  # yfinance lets through whatever its parsers and transports raise
            frame = None
            said.append(repr(error))
    return frame, said


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what yfinance logs instead of showing it, and hide warnings about its own code."""
    said: list[str] = []

    def take(record: logging.LogRecord) -> bool:
        """Keep the message; False hides it."""
        said.append(record.getMessage())
        return False

    logger = logging.getLogger("yfinance")
    logger.addFilter(take)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield said
    finally:
        logger.removeFilter(take)


def _reason(said: Sequence[str]) -> tuple[str, str]:
    """The reason of a failure, and the message that gave it away (seldom the last one)."""
    for reason, pattern in _REASONS.items():
        for message in said:
            if re.search(pattern, message.lower()):
                return reason, message
    return ("other", said[-1]) if said else ("empty", "")


def _failure(symbol: str, reason: str, detail: str) -> DownloadError:
    told = f" [{' '.join(detail.split())[:200]}]" if detail else ""
    return DownloadError(f"no prices for {symbol!r} ({reason}): {_ADVICE[reason]}{told}", reason)


def _close(symbol: str, frame: pd.DataFrame) -> Series:
    """The close column of a flat frame, or of one with (field, symbol) or (symbol, field) columns."""
    labels = [label if isinstance(label, tuple) else (label,) for label in frame.columns]
    found = [i for i, label in enumerate(labels) if "Close" in label]
    if len(found) != 1:
        raise _failure(symbol, "other", f"{len(found)} columns 'Close' among {list(frame.columns)}")
    return frame.iloc[:, found[0]].astype(np.float64).sort_index()


def _check_bars(symbol: str, closes: Series) -> None:
    bad = ~np.isfinite(closes.to_numpy())
    if bad.any():
        raise _failure(symbol, "other", f"the close of {closes.index[bad][0]} is missing or infinite")
    if not isinstance(closes.index, pd.DatetimeIndex) or closes.index.has_duplicates:
        raise _failure(symbol, "other", f"the stamps are not distinct times: {closes.index[:3].tolist()}...")
