"""From any series people have to the regression on its lags: shapes, stamps, refusals."""

import decimal
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar import ConvexAR, QuantileAR, compare, select_order
from cvxar.baselines import AutoRegression, TrainedNetwork
from cvxar.errors import InputError, InputTypeError, TooLargeError
from cvxar.lags import check_lags, check_subset, lag_frame
from cvxar.observations import extend, observe
from cvxar.stamps import extend_index, future_index, locate

CALENDARS = {
    "daily": pd.date_range("2017-01-01", periods=9, freq="D"),
    "business days": pd.date_range("2021-12-29", periods=9, freq="B"),
    "month ends": pd.date_range("2020-01-31", periods=9, freq="ME"),
    "hours over a clock change": pd.date_range("2021-03-27 20:00", periods=9, freq="h", tz="Europe/Berlin"),
    "years": pd.period_range("1700", periods=9, freq="Y"),
    "quarters": pd.period_range("2001Q2", periods=9, freq="Q", name="quarter"),
    "positions": pd.RangeIndex(9),
    "strided": pd.RangeIndex(4, 22, 2),
    "whole years": pd.Index(range(1821, 1830), name="year"),
    "elapsed": pd.timedelta_range("1h", periods=9, freq="30min"),
}
WITHOUT = {
    "regular but without frequency": pd.DatetimeIndex(pd.date_range("2017-01-01", periods=9).to_numpy()),
    "a missing day": pd.date_range("2017-01-01", periods=10).delete(4),
    "a missing year": pd.Index([1821, *range(1823, 1831)]),
    "text": pd.Index(list("abcdefghi")),
    "fractions": pd.Index(np.arange(9) / 4),
}


@pytest.mark.parametrize("kind", CALENDARS)
@pytest.mark.parametrize("split", [3, 8])
def test_the_head_of_a_calendar_continues_to_its_tail(kind, split):
    whole = CALENDARS[kind]
    head, tail = whole[:split], whole[split:]
    assert future_index(head, len(tail)).equals(tail)
    for joined in (extend_index(head, tail, len(tail)), extend_index(head, None, len(tail))):
        assert joined.equals(whole)
        assert getattr(joined, "freq", None) == getattr(whole, "freq", None)
        assert joined.name == whole.name
    assert [locate(head, stamp, "end") for stamp in whole] == list(range(9))


@pytest.mark.parametrize("kind", WITHOUT)
def test_without_a_calendar_none_is_invented(kind):
    index = WITHOUT[kind]
    assert future_index(index, 3).tolist() == [9, 10, 11]
    assert [locate(index, stamp, "start") for stamp in index] == list(range(9))
    assert extend_index(index[:6], index[6:], 3).equals(index)
    with pytest.raises(InputError, match="need stamps"):
        extend_index(index, None, 1)


@pytest.mark.parametrize("kind", ["daily", "quarters", "whole years"])
def test_labels_off_the_calendar_are_refused(kind):
    index = CALENDARS[kind]
    before = index[0] - 1 if kind != "daily" else pd.Timestamp("2016-12-31")
    for key in (before, "never", 3.5):
        with pytest.raises(InputError, match="start"):
            locate(index, key, "start")


def test_a_date_text_covers_all_its_stamps():
    days = pd.date_range("2017-01-30", periods=40)
    assert (locate(days, "2017-02", "start"), locate(days, "2017-02", "end", last=True)) == (2, 29)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=9, max_size=30),
    st.sets(st.integers(1, 7), min_size=1).map(sorted),
)
def test_every_target_stands_beside_its_own_past(values, lags):
    frame = lag_frame(observe(values), check_lags(lags))
    for row, at in enumerate(frame.index):
        assert frame.y[row] == values[at]
        assert frame.x[row].tolist() == [values[at - lag] for lag in lags]
    assert len(frame.y) == len(values) - lags[-1]
    assert frame.names == tuple(f"y.L{lag}" for lag in lags)


@pytest.mark.parametrize(
    ("lags", "meant"),
    [
        (3, (1, 2, 3)),
        ([3, 1], (1, 3)),
        (np.int64(2), (1, 2)),
    ],
)
def test_lags_are_read_as_in_autoreg(lags, meant):
    assert check_lags(lags) == meant


@pytest.mark.parametrize("lags", [0, -1, [], [1, 1], [0, 1], [2, -3]])
def test_impossible_lags(lags):
    with pytest.raises(InputError, match="lags must be"):
        check_lags(lags)


@pytest.mark.parametrize("lags", [None, "3", 1.0, True, [1.5], [True], {1, 2}, np.ones((2, 2))])
def test_lags_that_are_not_whole_numbers(lags):
    with pytest.raises(InputTypeError, match="whole number"):
        check_lags(lags)


DAYS = pd.date_range("2017-01-01", periods=4, freq="D")
SAME = {
    "list": [1, 2.5, 3, 4],
    "array": np.array([1, 2.5, 3, 4], dtype=np.float32),
    "one column": np.array([[1], [2.5], [3], [4]]),
    "frame": pd.DataFrame({"close": [1, 2.5, 3, 4]}),
    "nullable": pd.Series([1, 2.5, 3, 4], dtype="Float64"),
    "objects": pd.Series([1, 2.5, decimal.Decimal(3), 4], dtype=object),
    "masked": np.ma.array([1, 2.5, 3, 4], mask=False),
}


@pytest.mark.parametrize("kind", SAME)
def test_every_container_gives_the_same_values(kind):
    assert observe(SAME[kind]).values.tolist() == [1.0, 2.5, 3.0, 4.0]


REFUSED = {
    "text": (pd.Series(["1", "2"]), InputTypeError, "real numbers, got '1'"),
    "text in objects": (pd.Series([1.0, "2"], dtype=object), InputTypeError, "got '2'"),
    "dates": (pd.Series(DAYS), InputTypeError, "real numbers"),
    "complex": (np.array([1j, 2]), InputTypeError, "real numbers"),
    "a number": (3.0, InputTypeError, "sequence"),
    "nothing": (None, InputTypeError, "sequence"),
    "a name": ("BTC-USD", InputTypeError, "sequence"),
    "ragged": ([[1.0], [1.0, 2.0]], InputTypeError, "rectangular"),
    "two columns": (pd.DataFrame({"a": [1.0], "b": [2.0]}), InputError, r"one column is meant.*'a', 'b'"),
    "two array columns": (np.ones((4, 2)), InputError, "one column is meant"),
    "nan": (pd.Series([1, 2, np.nan, np.nan], index=DAYS), InputError, r"nan at position 2 \(2017-01-03"),
    "infinite": ([1.0, -np.inf], InputError, "-inf at position 1"),
    "missing": (pd.Series([1, None], dtype="Int64"), InputError, "nan at position 1"),
    "masked entry": (np.ma.array([1.0, 2.0], mask=[False, True]), InputError, "nan at position 1"),
    "duplicate": (pd.Series([1.0, 2, 3], index=[1, 2, 2]), InputError, "duplicate stamp 2 at position 2"),
    "newest first": (
        pd.Series(range(4), index=DAYS[::-1]),
        InputError,
        r"ascending.*at position 1.*sort_index",
    ),
    "no stamp": (pd.Series([1.0, 2], index=[DAYS[0], pd.NaT]), InputError, "stamp at position 1 is missing"),
    "mixed stamps": (pd.Series([1.0, 2], index=["a", 1]), InputError, "cannot be compared"),
    "levels": (pd.Series([1.0], index=pd.MultiIndex.from_tuples([(1, 2)])), InputError, "MultiIndex"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_refused_with_the_place(kind):
    series, error, message = REFUSED[kind]
    with pytest.raises(error, match=message):
        observe(series)


@given(st.integers(0, 19), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_the_first_bad_value_is_the_one_named(at, bad):
    values = np.arange(20.0)
    values[at:] = bad
    with pytest.raises(InputError, match=f"at position {at};"):
        observe(values)


@pytest.mark.parametrize("lags", [1, 4, [2, 7]])
def test_too_few_observations(lags):
    lags = check_lags(lags)
    lag_frame(observe(np.arange(lags[-1] + 2.0)), lags)
    with pytest.raises(InputError, match=f"at least {lags[-1] + 2} are needed"):
        lag_frame(observe(np.arange(lags[-1] + 1.0)), lags)


def test_a_copy_is_kept_and_the_original_left_alone():
    series = pd.Series([1.0, 2.0, 4.0], index=DAYS[:3], name="close")
    exog = np.ones((3, 2))
    kept, before = observe(series, exog), series.copy()
    extend(kept, pd.Series([5.0], index=DAYS[3:]), exog=np.ones((1, 2)))
    pd.testing.assert_series_equal(series, before)
    series.iloc[0], exog[0, 0] = 99.0, 99.0
    assert kept.values[0] == 1.0
    assert kept.exog[0, 0] == 1.0
    assert len(kept) == 3


EXOG = {
    "wrong length": (np.ones(3), "3 rows, the series 4"),
    "other stamps": (pd.Series(np.ones(4), index=DAYS + pd.Timedelta("1D")), "index of exog differs"),
    "nan": (np.array([[1.0, 2.0], [3.0, np.nan], [1, 2], [1, 2]]), "nan at position 1"),
    "three axes": (np.ones((4, 1, 1)), "one row per observation"),
}


@pytest.mark.parametrize("kind", EXOG)
def test_exogenous_columns_that_do_not_fit(kind):
    exog, message = EXOG[kind]
    with pytest.raises(InputError, match=message):
        observe(pd.Series(np.arange(4.0), index=DAYS), exog)


LATER = {
    "earlier stamps": (pd.Series([1.0], index=DAYS[:1]), "must come after"),
    "other kind": (pd.Series([1.0], index=[7]), "another kind"),
    "time zone": (pd.Series([1.0], index=DAYS[3:].tz_localize("UTC") + pd.Timedelta("1D")), "another kind"),
    "nan": ([np.nan], "nan at position 0"),
}


@pytest.mark.parametrize("kind", LATER)
def test_later_observations_that_do_not_fit(kind):
    new, message = LATER[kind]
    with pytest.raises(InputError, match=message):
        extend(observe(pd.Series(np.arange(4.0), index=DAYS)), new)


def test_later_observations_need_the_same_exogenous_columns():
    known = observe(np.arange(4.0), pd.DataFrame({"a": np.ones(4), "b": np.ones(4)}))
    for exog, message in (
        (None, "exog is needed"),
        ([[1.0]], "1 columns"),
        (pd.DataFrame({"b": [1.0], "a": [1.0]}), "'b', 'a'"),
    ):
        with pytest.raises(InputError, match=message):
            extend(known, [1.0], exog)
    with pytest.raises(InputError, match="leave it out"):
        extend(observe([1.0]), [1.0], [1.0])
    assert extend(known, [1.0, 2.0], np.zeros((2, 2))).exog.shape == (6, 2)


TOO_MANY = {
    "ConvexAR": lambda y, p: ConvexAR(p).fit(y),
    "without a network": lambda y, p: ConvexAR(p, nonlinear_lags=0).fit(y),
    "QuantileAR": lambda y, p: QuantileAR(lags=p).fit(y),
    "AutoRegression": lambda y, p: AutoRegression(p).fit(y),
    "TrainedNetwork": lambda y, p: TrainedNetwork(lags=p).fit(y),
    "select_order": lambda y, p: select_order(y, p),
    "compare": lambda y, p: compare(pd.Series(y), lags=p),
}


@pytest.mark.parametrize("call", TOO_MANY.values(), ids=TOO_MANY)
def test_lags_that_a_series_cannot_have_are_not_listed_first(call):
    y = np.random.default_rng(0).normal(size=50)
    with pytest.raises(InputError, match=r"too few|need"):  # loads what is imported late
        call(y, 200)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="50 observations are too few for lag 1000000: at least 1000002"):
            call(y, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_more_lags_than_memory_are_refused_where_the_series_is_not_known():
    with pytest.raises(TooLargeError, match="use fewer lags"):
        check_lags(10**15)


def test_a_whole_number_of_nonlinear_lags_is_compared_before_it_is_listed():
    with pytest.raises(InputError, match=r"must be among the lags \[1, 2\], got 1000000000000000"):
        check_subset(10**15, (1, 2))
