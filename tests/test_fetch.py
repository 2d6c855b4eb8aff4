"""Downloads, against fakes of ``yfinance.download``: every layout is read, every failure has its one name."""

import logging
import time
import warnings
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
import yfinance

from cvxar.datasets import fetch_prices
from cvxar.errors import DownloadError, InputError, InputTypeError

DAYS = pd.date_range("2017-01-01", periods=4, freq="D", name="Date")
FIELDS = ["Adj Close", "Close", "High", "Low", "Open", "Volume"]


def bars(index: pd.DatetimeIndex = DAYS, shape: str = "field, symbol") -> pd.DataFrame:
    """What yfinance returns: closes 10, 11, ... beside other columns."""
    frame = pd.DataFrame(1.0, index=index, columns=FIELDS)
    frame["Close"] = 10.0 + np.arange(len(index))
    if shape == "flat":
        return frame
    frame = pd.concat({"BTC-USD": frame}, axis=1, names=["Ticker", "Price"])
    return frame if shape == "symbol, field" else frame.swaplevel(axis=1)


class Yahoo:
    """A fake ``yfinance.download``: plays its answers in turn (the last one for ever) and keeps the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[object] = [bars()]
        self.calls: list[dict[str, object]] = []
        self.pauses: list[float] = []
        monkeypatch.setattr(yfinance, "download", self.download)
        monkeypatch.setattr(time, "sleep", self.pauses.append)

    def download(self, tickers: str, **options: object) -> pd.DataFrame | None:
        self.calls.append({"tickers": tickers, **options})
        answer = self.answers[min(len(self.calls), len(self.answers)) - 1]
        warnings.warn("a matter of yfinance's own code", DeprecationWarning, stacklevel=1)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            for message in answer.splitlines():
                logging.getLogger("yfinance").error(message)
            return bars(DAYS[:0])
        return answer


@pytest.fixture
def yahoo(monkeypatch, tmp_path):
    monkeypatch.setenv("CVXAR_CACHE_DIR", str(tmp_path / "cache"))
    return Yahoo(monkeypatch)


@pytest.mark.parametrize("shape", ["flat", "field, symbol", "symbol, field"])
@pytest.mark.parametrize("cache", [True, False])
def test_closes_are_read_in_every_column_layout_and_row_order(yahoo, shape, cache):
    yahoo.answers = [bars(shape=shape).iloc[[2, 0, 3, 1]]]
    prices = fetch_prices(" btc-usd ", "2017-01-01", "2017-01-05", cache=cache)
    pd.testing.assert_series_equal(
        prices,
        pd.Series([10.0, 11, 12, 13], DAYS.rename("date").as_unit("us"), name="BTC-USD"),
        check_freq=True,
    )


def test_intraday_stamps_are_in_utc_and_gaps_leave_no_frequency(yahoo):
    index = pd.date_range("2024-03-08 09:30", periods=5, freq="h", tz="America/New_York")
    yahoo.answers = [bars(index)]
    whole = fetch_prices("SPY", interval="1h", cache=False)
    assert str(whole.index.tz) == "UTC"
    assert (whole.index == index).all()
    assert whole.index.freqstr == "h"
    yahoo.answers = [bars(index.delete(2))]
    assert fetch_prices("SPY", interval="1h", cache=False).index.freq is None


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, {"period": "max", "end": None}),
        ({"start": "2017-01-01"}, {"start": datetime(2017, 1, 1), "end": None}),
        ({"end": date(2017, 1, 5)}, {"period": "max", "end": datetime(2017, 1, 5)}),
        (
            {"start": np.datetime64("2017-01-01"), "end": pd.Timestamp("2017-01-05 12:00")},
            {"start": datetime(2017, 1, 1), "end": datetime(2017, 1, 5, 12)},
        ),
    ],
)
def test_the_request_says_what_was_asked_and_no_more(yahoo, given, asked):
    fetch_prices("btc-usd", interval="1d", **given)
    told = {key: yahoo.calls[0].get(key) for key in ("tickers", "interval", "start", "end", "period")}
    assert told == {"tickers": "BTC-USD", "interval": "1d", "start": None, "period": None, **asked}
    assert yahoo.calls[0]["auto_adjust"] is False


FAILURES = {
    "no answer": (None, "empty"),
    "no columns": (pd.DataFrame(), "empty"),
    "no rows": (bars(DAYS[:0]), "empty"),
    "no closes": (bars().assign(Close=np.nan), "empty"),
    "only missing": (bars(shape="flat") * np.nan, "empty"),
    "no close column": (bars(shape="flat").drop(columns="Close"), "other"),
    "two close columns": (pd.concat([bars(shape="flat")] * 2, axis=1), "other"),
    "one missing": (bars(shape="flat").replace({"Close": {11.0: np.nan}}), "other"),
    "one infinite": (bars(shape="flat").replace({"Close": {11.0: np.inf}}), "other"),
    "repeated": (bars(DAYS[[0, 1, 1, 2]]), "other"),
    "no times": (bars(shape="flat").reset_index(drop=True), "other"),
    "log: no host": (
        "['BTC-USD']: DNSError('curl: (6) Could not resolve host: query2.finance.yahoo.com')",
        "offline",
    ),
    "log: no host, so no zone": ("reason: Could not resolve host\n['X']: no timezone found", "offline"),
    "log: timeout": ("['BTC-USD']: Timeout('Operation timed out after 10001 milliseconds')", "offline"),
    "raised: connection": (ConnectionError("Connection refused"), "offline"),
    "log: 429": (
        "['BTC-USD']: YFRateLimitError('Too Many Requests. Rate limited. Try after a while.')",
        "rate limit",
    ),
    "raised: 429": (RuntimeError("HTTP Error 429"), "rate limit"),
    "log: unknown": ("['X']: YFTzMissingError('$X: possibly delisted; no timezone found')", "unknown symbol"),
    "log: 404": ("HTTP Error 404: Quote not found for symbol: X", "unknown symbol"),
    "log: delisted": (
        "['X']: YFPricesMissingError('$X: possibly delisted; no price data found (1d 2017 -> 2018) "
        '(Yahoo error = "No data found, symbol may be delisted")\')',
        "unknown symbol",
    ),
    "raised: ISIN": (ValueError("Invalid ISIN number: XX0000000000"), "unknown symbol"),
    "log: range": (
        "['X']: YFPricesMissingError('$X: possibly delisted; no price data found (1d 2017)')",
        "empty",
    ),
    "log: 1m": (
        "['X']: 1m data not available for startDate=1 and endDate=2. The requested range must be",
        "empty",
    ),
    "raised: parser": (KeyError("chart"), "other"),
    "log: down": ("['X']: YFDataException('*** YAHOO! FINANCE IS CURRENTLY DOWN! ***')", "other"),
}
TRANSIENT = ("offline", "rate limit", "other")


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_is_one_typed_error_and_is_not_kept(yahoo, failure, cache, caplog):
    answer, reason = FAILURES[failure]
    yahoo.answers = [answer]
    with pytest.raises(DownloadError, match="no prices for 'BTC-USD'") as caught:
        fetch_prices("BTC-USD", "2017-01-01", "2017-01-05", cache=cache)
    assert caught.value.reason == reason
    assert len(yahoo.calls) == (3 if reason in TRANSIENT else 1)
    assert caplog.records == []
    yahoo.answers = [bars()]
    assert fetch_prices("BTC-USD", "2017-01-01", "2017-01-05", cache=cache).size == 4


@pytest.mark.parametrize("failures", [1, 2])
def test_passing_failures_are_waited_for_longer_each_time(yahoo, failures):
    yahoo.answers = [*[ConnectionError("Connection reset"), RuntimeError("429")][:failures], bars()]
    assert fetch_prices("BTC-USD").size == 4
    assert len(yahoo.pauses) == failures
    assert yahoo.pauses == sorted(set(yahoo.pauses))


def test_what_yfinance_says_is_heard_again_after_the_call(yahoo, caplog):
    yahoo.answers = ["Could not resolve host\n['X']: possibly delisted; no timezone found"]
    with pytest.raises(DownloadError, match=r"\[Could not resolve host\]$"):
        fetch_prices("X")
    logging.getLogger("yfinance").error("for the user")
    assert [record.getMessage() for record in caplog.records] == ["for the user"]


REQUEST = {"symbol": "BTC-USD", "start": "2017-01-01", "end": "2017-01-05", "interval": "1d"}


def test_the_same_request_is_served_from_disk_and_cannot_be_spoilt(yahoo):
    first = fetch_prices(**REQUEST)
    first.iloc[0] = -1.0
    again = fetch_prices("btc-usd", date(2017, 1, 1), pd.Timestamp("2017-01-05"))
    assert again.tolist() == [10.0, 11.0, 12.0, 13.0]
    assert again.index.freqstr == "D"
    assert len(yahoo.calls) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "ETH-USD"},
        {"start": "2016-12-31"},
        {"start": None},
        {"end": "2017-01-06"},
        {"interval": "1wk"},
    ],
    ids=str,
)
def test_another_request_is_another_entry(yahoo, change):
    fetch_prices(**REQUEST)
    fetch_prices(**REQUEST | change)
    assert len(yahoo.calls) == 2


def test_without_cache_nothing_is_kept_or_served(yahoo, tmp_path):
    fetch_prices(**REQUEST, cache=False)
    assert not (tmp_path / "cache").exists()
    fetch_prices(**REQUEST)
    fetch_prices(**REQUEST, cache=False)
    assert len(yahoo.calls) == 3


HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("request_", "served", "stale"),
    [
        ({"interval": "1d"}, HOUR - 60, HOUR + 60),
        ({"interval": "1m"}, 50, 70),
        ({"interval": "15m"}, 14 * 60, 16 * 60),
        ({"interval": "1d", "end": "2017-01-05"}, 29 * DAY, 31 * DAY),
        ({"interval": "1m", "end": "2017-01-05"}, 29 * DAY, 31 * DAY),
        ({"interval": "1d", "end": "2100-01-01"}, HOUR - 60, HOUR + 60),
    ],
    ids=str,
)
def test_an_open_range_is_served_for_one_bar_and_a_closed_one_for_a_month(
    yahoo, monkeypatch, request_, served, stale
):
    now = time.time()
    fetch_prices("BTC-USD", **request_)
    for later, calls in ((served, 1), (stale, 2)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        fetch_prices("BTC-USD", **request_)
        assert len(yahoo.calls) == calls


def test_a_range_that_was_open_when_downloaded_stays_open(yahoo, monkeypatch):
    end = pd.Timestamp("2017-01-05")
    for clock, calls in (
        (end.timestamp() - DAY, 1),
        (end.timestamp() + 3 * DAY, 2),
        (end.timestamp() + 9 * DAY, 2),
    ):
        monkeypatch.setattr(time, "time", lambda clock=clock: clock)
        fetch_prices("BTC-USD", end=end)
        assert len(yahoo.calls) == calls


def test_a_stale_answer_is_never_served_for_a_failure(yahoo, monkeypatch):
    now = time.time()
    fetch_prices("BTC-USD")
    monkeypatch.setattr(time, "time", lambda: now + 2 * HOUR)
    yahoo.answers = [ConnectionError("Connection refused")]
    with pytest.raises(DownloadError) as caught:
        fetch_prices("BTC-USD")
    assert caught.value.reason == "offline"


def test_a_cache_that_cannot_be_written_is_named(yahoo, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CVXAR_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(
        DownloadError, match=r"file' cannot be used .*CVXAR_CACHE_DIR or pass cache=False"
    ) as caught:
        fetch_prices("BTC-USD")
    assert caught.value.reason == "other"


@pytest.mark.parametrize(
    ("request_", "error", "told"),
    [
        ({"symbol": ""}, InputError, "got ''"),
        ({"symbol": "  "}, InputError, "got '  '"),
        ({"symbol": "BTC-USD ETH-USD"}, InputError, "one at a time"),
        ({"symbol": "BTC-USD,ETH-USD"}, InputError, "one at a time"),
        ({"symbol": ["BTC-USD"]}, InputTypeError, "got ['BTC-USD']"),
        ({"symbol": None}, InputTypeError, "got None"),
        ({"interval": "1w"}, InputError, "known: '1m', '2m'"),
        ({"interval": None}, InputError, "known: '1m', '2m'"),
        ({"interval": ["1d"]}, InputError, "known: '1m', '2m'"),
        ({"start": "2017-01-05"}, InputError, "start must be before end"),
        ({"start": "2018-01-01"}, InputError, "start must be before end"),
        ({"start": "2017-01-01T00:00Z"}, InputError, "time zone"),
        ({"start": "2017-13-01"}, InputError, "start is not a date: '2017-13-01'"),
        ({"end": pd.NaT}, InputError, "end is not a date"),
        ({"end": 2018}, InputTypeError, "end is a date, got 2018"),
    ],
    ids=str,
)
def test_a_bad_request_is_refused_before_any_call(yahoo, request_, error, told):
    with pytest.raises(error) as caught:
        fetch_prices(**REQUEST | request_)
    assert told in str(caught.value)
    assert yahoo.calls == []
