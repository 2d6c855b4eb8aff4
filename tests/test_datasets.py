"""Reading laws: what is written is read, whatever the layout and the row order; what is broken is named."""

import gzip
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvxar.datasets import load_bitcoin, load_sunspots, read_prices
from cvxar.errors import CvxarError, InputError, InputTypeError

relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Layout:
    """How a program writes a file: the lines above the data, and one line per (time, value)."""

    head: tuple[str, ...]
    line: str
    ending: str = ".csv"

    def write(self, folder: Path, rows: list[tuple[str, str]]) -> Path:
        lines = [*self.head, *(self.line.format(t=t, v=v) for t, v in rows)]
        path = folder / f"prices{self.ending}"
        text = "\n".join(lines) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if self.ending.endswith("gz") else text.encode())
        return path


LAYOUTS = {
    "two columns": Layout(("date,close",), "{t},{v}"),
    "no header": Layout((), "{t},{v}"),
    "unknown names": Layout(("when,trappings",), "{t},{v}"),
    "semicolons": Layout(("when;level",), "{t};{v}"),
    "tabs": Layout(("<DATE>\t<OPEN>\t<CLOSE>",), "{t}\t1\t{v}"),
    "byte order mark": Layout(("\ufeffDate,Close",), "{t},{v}"),
    "gzip": Layout(("date,close",), "{t},{v}", ".csv.gz"),
    "pandas series": Layout((",0",), "{t},{v}"),
    "yahoo": Layout(("Date,Open,High,Low,Close,Adj Close,Volume",), "{t},1,2,0.5,{v},7,100"),
    "exchange": Layout(("unix,date,symbol,open,high,low,close,Volume BTC",), "1,{t},BTC/USD,1,2,0.5,{v},9"),
    "banner": Layout(("https://www.example.org", "Date,Symbol,Close"), "{t},BTCUSD,{v}"),
    "yfinance": Layout(("Price,Close,Open", "Ticker,BTC-USD,BTC-USD", "Date,,"), "{t},{v},1"),
    "yfinance, close only": Layout(("Price,Close", "Ticker,BTC-USD", "Date,"), "{t},{v}"),
    "yfinance by ticker": Layout(("Ticker,X,X", "Price,Open,Close", "Date,,"), "{t},1,{v}"),
    "quoted": Layout(('"Date","Price","Vol."',), '"{t}","{v}","171.41K"'),
    "dollars": Layout(("Date,Close/Last,Volume",), "{t},${v},5"),
    "empty last column": Layout(("date,close,",), "{t},{v},"),
}
STARTS = pd.Timestamp("2016-02-27"), pd.Timestamp("2017-01-29 22:00"), pd.Timestamp("1999-12-31")
FREQUENCIES = ("D", "h", "5min", "B", "W-SUN")


def text_stamps(index: pd.DatetimeIndex) -> list[str]:
    return [str(stamp) for stamp in index]


def unix(unit: str) -> Callable[[pd.DatetimeIndex], list[str]]:
    return lambda index: [str(number) for number in index.as_unit(unit).asi8]


# name -> (how a stamp is written, time zone read back)
CLOCKS = {
    "iso": (text_stamps, None),
    "iso with T": (lambda index: [stamp.isoformat() for stamp in index], None),
    "offset": (lambda index: [f"{stamp}-01:00" for stamp in index + pd.Timedelta("1s")], "-01:00"),
    "UTC": (lambda index: [f"{stamp} UTC" for stamp in index], "UTC"),
    "month first": (lambda index: list(index.strftime("%m/%d/%Y %H:%M")), None),
    "day first": (lambda index: list(index.strftime("%d.%m.%Y %H:%M:%S")), None),
    "AM and PM": (lambda index: list(index.strftime("%Y-%m-%d %I-%p")), None),
    "words": (lambda index: list(index.strftime("%d %b %Y %H:%M")), None),
    "seconds": (unix("s"), "UTC"),
    "float seconds": (lambda index: [f"{number}.0" for number in index.as_unit("s").asi8], "UTC"),
    "milliseconds": (unix("ms"), "UTC"),
    "nanoseconds": (unix("ns"), "UTC"),
}


def expected_index(clock: str, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    zone = CLOCKS[clock][1]
    if zone == "-01:00":
        return (index + pd.Timedelta("1s") + pd.Timedelta(hours=1)).tz_localize("UTC")
    return index.tz_localize(zone) if zone else index


@st.composite
def clocked_series(draw: st.DrawFn) -> tuple[str, pd.Series]:
    """A clock and a series it can tell apart (an hour clock cannot write minutes)."""
    clock = draw(st.sampled_from(sorted(CLOCKS)))
    frequency = draw(st.sampled_from([f for f in FREQUENCIES if clock != "AM and PM" or f != "5min"]))
    values = draw(
        st.lists(
            st.floats(-1e12, 1e12) | st.floats(allow_nan=False, allow_infinity=False),
            min_size=20,
            max_size=40,
        )
    )
    index = pd.date_range(draw(st.sampled_from(STARTS)), periods=len(values), freq=frequency)
    return clock, pd.Series(values, index=index)


def rows_of(clock: str, series: pd.Series) -> list[tuple[str, str]]:
    written = CLOCKS[clock][0](series.index)
    return list(zip(written, (repr(float(v)) for v in series), strict=True))


@relaxed
@given(clocked=clocked_series(), layout=st.sampled_from(sorted(LAYOUTS)), data=st.data())
def test_what_is_written_is_read_in_any_layout_clock_and_order(tmp_path, clocked, layout, data):
    clock, series = clocked
    order = data.draw(st.permutations(range(len(series))))
    gap = data.draw(st.none() | st.integers(3, len(series) - 4))
    rows = [row for i, row in enumerate(rows_of(clock, series)) if i != gap]
    path = LAYOUTS[layout].write(tmp_path, [rows[i] for i in order if i < len(rows)])
    read = read_prices(path)
    wanted = expected_index(clock, series.index)
    kept = [i for i in range(len(series)) if i != gap]
    assert read.to_list() == series.iloc[kept].to_list()
    assert (read.index == wanted[kept]).all()
    assert str(read.index.tz) == str(wanted.tz)
    assert (read.index.freq is None) == (gap is not None)
    assert f"{read.index.name}{read.name}".isprintable()


SPOILT_VALUES = ("", "abc", "nan", "null", "inf", "-inf", "1_000", "12.3.4", "1,5x", "--", "True", "1e999")
SPOILT_TIMES = ("", "oops", "now", "2017", "2017-13-01", "2017-02-30 00:00:00", "NaT", "20170230", "9" * 25)


@relaxed
@given(clocked=clocked_series(), layout=st.sampled_from(sorted(LAYOUTS)), data=st.data())
def test_the_first_spoilt_rows_are_named_by_their_lines_and_no_other(tmp_path, clocked, layout, data):
    clock, series = clocked
    rows = rows_of(clock, series)
    spoilt = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1, max_size=6))
    for i in spoilt:
        if data.draw(st.booleans()):
            text = data.draw(st.sampled_from(SPOILT_VALUES))
            rows[i] = (rows[i][0], text.replace(",", "") if layout != "quoted" else text)
        else:
            rows[i] = (data.draw(st.sampled_from(SPOILT_TIMES)), rows[i][1])
    path = LAYOUTS[layout].write(tmp_path, rows)
    with pytest.raises(InputError) as caught:
        read_prices(path)
    first = len(LAYOUTS[layout].head) + 1
    named = [int(line) for line in re.findall(r"line (\d+) has", str(caught.value))]
    assert named == [i + first for i in sorted(spoilt)][:3]
    assert f"{len(spoilt)} unusable" in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["2017-01-01,1", "2017-01-02,x", "2017-01-03,3"], "line 3 has close 'x', which is not a number"),
        (["2017-01-01,1", "2017-01-02,inf", "2017-01-03,3"], "line 3 has close 'inf', which is infinite"),
        (["2017-01-01,1", "2017-01-02,", "2017-01-03,3"], "line 3 has no close"),
        (["2017-01-01,1", "", "2017-01-32,2", "2017-01-03,3"], "line 4 has date '2017-01-32'"),
        (["2017-01-01,1", "2017-01-02,1,234.5", "2017-01-03,3"], "line 3 has 3 fields where 2 are meant"),
        (["2017-01-01,1", "2017-01-02,1", "2017-01-03"], "line 4 has 1 fields where 2 are meant"),
        (['"2017-01-01\n",1', "2017-01-02,x"], "line 4 has close 'x'"),
        (["1483228800,1", "1483315200,1", "1483401600000,1"], "line 4 has date '1483401600000'"),
        (["2017-01-01 00:00:00Z,1", "2017-01-01 01:00:00Z,1", "2017-01-01 02:00:00,1"], "line 4 has date"),
        (["2017-01-01,1", "2018,1", "2017-01-03,1"], "line 3 has date '2018', which is not a time"),
        (["2017-01-01,1", "20170102,1", "2017-01-03,1"], "line 3 has date '20170102', which is not a time"),
        (["01/31/2017,1", "today,1", "02/01/2017,1"], "line 3 has date 'today', which is not a time"),
        (["1483228800,1", "2017,1", "1483401600,1"], "line 3 has date '2017', which is not a time"),
        (["1483228800,1", f"{2**63},1", "1483401600,1"], f"line 3 has date '{2**63}', which is not a time"),
        (["1900,1", "19001,1", "1902,1"], "line 3 has date '19001', which is not a time"),
        (["foo,bar", "2017-01-02,1"], "line 2 has date 'foo'"),
        (["2017-01-05,1", "2017-01-03,2", "2017-01-05,1"], "line 4 repeats 2017-01-05 00:00:00 of line 2"),
        (["1,1", "2,1", "5,1"], "line 4: the counter 'date' goes from 2 to 5"),
        ([f"2017-01-01,x{i}" for i in range(12)], "line 4 has close 'x2', which is not a number; and 9 more"),
    ],
)
def test_messages_say_where_and_what(tmp_path, rows, told):
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["date,close", *rows]) + "\n")
    with pytest.raises(InputError, match=re.escape(told)):
        read_prices(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [("date,close\n2017-01-01,{}\n", 1234.5), ("date;close\n2017-01-01;{}\n", None)],
    ids=["comma separates", "semicolon separates"],
)
@pytest.mark.parametrize("cell", ['"1,234.5"', '"$1,234.5"'])
def test_a_thousands_comma_is_read_only_where_it_cannot_be_a_decimal_sign(tmp_path, text, value, cell):
    path = tmp_path / "prices.csv"
    path.write_text(text.format(cell))
    if value is not None:
        assert read_prices(path).tolist() == [value]
    else:
        with pytest.raises(InputError, match=r"line 2 has close .*which is not a number"):
            read_prices(path)


COLUMNS = "Date,Open,Close,Adj Close,Symbol"


@pytest.mark.parametrize(
    ("header", "column", "value", "name"),
    [
        (COLUMNS, None, 2.0, "Close"),
        (COLUMNS, "open", 1.0, "Open"),
        (COLUMNS, "ADJ_CLOSE", 3.0, "Adj Close"),
        ("Date,Open,Foo,Adj Close,Symbol", None, 3.0, "Adj Close"),
        ("Date,Open,Price,Adj Close,Symbol", None, 2.0, "Price"),
        ("unix,Date,Price,Adj Close,Symbol", None, 2.0, "Price"),
    ],
)
def test_the_right_column_is_found(tmp_path, header, column, value, name):
    path = tmp_path / "prices.csv"
    cells = ["1483228800", "2017-01-01"] if header.startswith("unix") else ["2017-01-01", "1"]
    path.write_text(f"{header}\n{','.join(cells)},2,3,BTC\n")
    read = read_prices(path, column=column)
    assert (read.tolist(), read.name, read.index[0]) == ([value], name, pd.Timestamp("2017-01-01"))


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("date,foo,bar\n2017-01-01,1,2\n", None, "Candidates: ['foo', 'bar']"),
        ("date,close,Close\n2017-01-01,1,2\n", None, "Candidates: ['close', 'Close']"),
        ("date,open,close\n2017-01-01,1,2\n", "last", "no column 'last'; columns: ['date', 'open', 'close']"),
        ("date,open,close\n2017-01-01,1,2\n", "Date", "holds the time; choose one of ['open', 'close']"),
        ("2017-01-01,1,2\n", None, "Candidates: ['column 2', 'column 3']"),
        (
            "Price,Close,Close\nTicker,BTC-USD,ETH-USD\nDate,,\n2017-01-01,1,2\n",
            None,
            "Candidates: ['BTC-USD', 'ETH-USD']",
        ),
        ("date,close\n01/02/2017,1\n02/02/2017,2\n", None, "could be day/month or month/day"),
        ("close\n1\n2\n", None, "neither a header nor data"),
        ("1\n2\n", None, "a time and a value column are needed"),
        ("", None, "the file is empty"),
        ("\n \n", None, "the file is empty"),
        ("date,close\n", None, "no row of data"),
        ("hello\nworld\n", None, "line 1, ['hello'], is neither a header nor data"),
    ],
)
def test_unclear_files_are_refused_with_the_candidates(tmp_path, text, column, told):
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(told)) as caught:
        read_prices(path, column=column)
    assert "prices.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("prices.xlsx", b"PK", ".csv, .csv.gz, .parquet"),
        ("prices", b"date,close\n", ".csv, .csv.gz, .parquet"),
        ("latin.csv", "date,close\n2017-01-01,1 €\n".encode("cp1252"), "UTF-8"),
        ("nul.csv", b"date,close\n" + b'2017-01-01,"' + b"x" * 200_000, "cannot be read"),
        ("plain.csv.gz", b"date,close\n2017-01-01,1\n", "cannot be read"),
        ("cut.csv.gz", gzip.compress(b"date,close\n2017-01-01,1\n" * 99)[:-9], "cannot be read"),
        ("text.parquet", b"date,close\n2017-01-01,1\n", "not a Parquet file"),
        ("folder.csv/in.txt", b"", ".csv, .csv.gz, .parquet"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, name, content, told):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(told)) as caught:
        read_prices(str(path))
    assert path.name in str(caught.value)


def test_a_missing_file_names_those_that_are_there(tmp_path):
    with pytest.raises(InputError, match=r"no file 'btc\.csv'.*no price file is there"):
        read_prices(tmp_path / "btc.csv")
    (tmp_path / "bitcoin.csv").write_text("date,close\n")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match=r"files there: bitcoin\.csv$"):
        read_prices(tmp_path / "btc.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"no file 'folder\.csv'"):
        read_prices(tmp_path / "folder.csv")


def test_the_column_is_text(tmp_path):
    with pytest.raises(InputTypeError, match="got 3"):
        read_prices(tmp_path / "prices.csv", column=3)


@pytest.mark.parametrize(
    ("years", "wanted"),
    [
        (range(1821, 1935), pd.period_range("1821", "1934", freq="Y")),
        (range(1900, 1950, 2), pd.date_range("1900-01-01", periods=25, freq="2YS-JAN")),
        ([1900, 1901, 1903, 1904], pd.to_datetime(["1900-01-01", "1901-01-01", "1903-01-01", "1904-01-01"])),
        (range(-3, 20), pd.RangeIndex(-3, 20)),
        (range(3000), pd.RangeIndex(3000)),
        (range(20170101, 20170132), pd.date_range("2017-01-01", "2017-01-31")),
    ],
)
def test_whole_numbers_are_years_counters_or_dates(tmp_path, years, wanted):
    path = tmp_path / "numbers.csv"
    path.write_text("t,y\n" + "".join(f"{year},{year / 2}\n" for year in reversed(years)))
    read = read_prices(path)
    assert (read.index == wanted).all()
    assert type(read.index) is type(wanted)
    assert getattr(read.index, "freq", None) == getattr(wanted, "freq", None)
    assert read.tolist() == [year / 2 for year in years]


FRAME = pd.DataFrame({"Open": 1.0, "Close": [3.0, 1.0, 2.0]})
DAYS = pd.DatetimeIndex(["2017-01-03", "2017-01-01", "2017-01-02"], name="Date")


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.set_axis(DAYS),
        FRAME.assign(date=DAYS),
        FRAME.assign(date=DAYS.strftime("%Y-%m-%d")),
        FRAME.assign(date=DAYS.date),
        FRAME.assign(Close=["3", "1", "2"]).set_axis(DAYS),
        pd.concat({"BTC-USD": FRAME.set_axis(DAYS)}, axis=1).swaplevel(axis=1),
    ],
    ids=["index", "times", "text", "dates", "text values", "two header rows"],
)
def test_parquet_is_read_as_csv_is(tmp_path, frame):
    frame.to_parquet(tmp_path / "prices.parquet")
    read = read_prices(tmp_path / "prices.parquet")
    assert read.to_list() == [1.0, 2.0, 3.0]
    assert (read.index == DAYS.sort_values()).all()
    assert read.index.freqstr == "D"
    assert read.name == "Close"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_parquet_keeps_its_time_zone_and_names_broken_rows(tmp_path, zone):
    frame = FRAME.set_axis(DAYS.tz_localize(zone))
    frame.to_parquet(tmp_path / "prices.parquet")
    assert str(read_prices(tmp_path / "prices.parquet").index.tz) == zone
    frame.assign(Close=[3.0, np.nan, np.inf]).to_parquet(tmp_path / "prices.parquet")
    with pytest.raises(InputError, match=r"row 2 has no Close; row 3 has Close inf, which is infinite"):
        read_prices(tmp_path / "prices.parquet")


@pytest.mark.parametrize("cells", [[True, False, True], ["1", "x", "1,5"], [None, None, None]], ids=str)
def test_parquet_cells_that_are_no_numbers_are_named(tmp_path, cells):
    FRAME.assign(Close=cells).set_axis(DAYS).to_parquet(tmp_path / "prices.parquet")
    with pytest.raises(InputError, match="row 2 has"):
        read_prices(tmp_path / "prices.parquet")


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    FRAME.set_axis(DAYS).to_parquet(tmp_path / "prices.parquet")
    for engine in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(InputError, match=re.escape("cvxar[parquet]")):
        read_prices(tmp_path / "prices.parquet")


def test_bundled_bitcoin_is_the_year_2017():
    prices = load_bitcoin()
    assert prices.index.equals(pd.date_range("2017-01-01", "2017-12-31", freq="D"))
    assert prices.index.freqstr == "D"
    assert prices.dtype == np.float64
    assert (prices.name, prices.idxmin(), prices.idxmax()) == (
        "close",
        pd.Timestamp("2017-01-11"),
        pd.Timestamp("2017-12-16"),
    )
    assert (prices > 700).all() and (prices < 20_000).all()  # noqa: PT018
    prices.iloc[0] = 0.0
    assert load_bitcoin().iloc[0] == 998.8


@pytest.mark.parametrize("folder", ["site/cvxar/_datasets", "site/datasets", None])
def test_bundled_data_are_found_in_a_wheel_and_in_a_checkout(tmp_path, monkeypatch, folder):
    monkeypatch.setattr("cvxar.datasets.__file__", str(tmp_path / "site" / "cvxar" / "datasets.py"))
    if folder is None:
        with pytest.raises(CvxarError, match="install cvxar again"):
            load_bitcoin()
    else:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "bitcoin_daily_2017.csv").write_text("date,close\n2017-01-01,5\n")
        assert load_bitcoin().tolist() == [5.0]


def test_bundled_sunspots_show_their_cycle_of_eleven_years():
    sunspots = load_sunspots()
    assert sunspots.index.equals(pd.period_range("1700", "2008", freq="Y"))
    spectrum = np.abs(np.fft.rfft(sunspots - sunspots.mean()))
    assert 10 < len(sunspots) / spectrum.argmax() < 12
