"""Sums over equal inputs stand for the observations: same optimum and certificate, however streamed."""

import math
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import ARCHITECTURES

from cvxar import LassoProblem, aggregate, lag_pairs, memory, solve
from cvxar.architectures import BY_NAME
from cvxar.errors import InputError, InputTypeError, PrecisionWarning, TooLargeError
from cvxar.streams import aggregate_partitions, partition_columns, read_columns

HINGED = [a for a in ARCHITECTURES if a.hinge_cost is not None]


def rounded_walk(seed, n, offset=0.0):
    rng = np.random.default_rng(seed)
    return offset + np.round(np.cumsum(rng.normal(size=n)), 1)


@given(
    architecture=st.sampled_from([*HINGED, BY_NAME["deep_relu"], BY_NAME["sign"]]),
    skip=st.booleans(),
    ratio=st.sampled_from([1.2, 0.3, 1e-2, 1e-4]),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    seed=st.integers(0, 999),
)
def test_streamed_sums_give_the_problem_in_memory(architecture, skip, ratio, cuts, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 15, 400) / 4
    y = np.abs(x - 2) + rng.normal(size=400)
    streamed = aggregate(zip(np.split(x, sorted(cuts)), np.split(y, sorted(cuts)), strict=True))
    whole = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip)
    beta = ratio * whole.beta_max
    sums = (streamed.x, streamed.count, streamed.sum_y, streamed.sum_y2)
    options = {"beta": beta, "architecture": architecture, "skip": skip}
    for problem in (streamed.problem(**options), LassoProblem.from_aggregates(*sums, **options)):
        assert problem.nobs == 400
        assert problem.beta_max == pytest.approx(whole.beta_max, rel=1e-9)
        found, expected = solve(problem), solve(whole.with_beta(beta))
        assert found.certificate.holds(1e-8)
        assert found.certificate.primal == pytest.approx(expected.certificate.primal, rel=1e-11)
        assert found.certificate.dual == pytest.approx(expected.certificate.dual, rel=1e-8)
        if architecture.hinge_cost is not None:  # deeper features write one function in several ways
            assert found.intercept == pytest.approx(expected.intercept, rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(found.predict(x), expected.fitted, rtol=1e-6, atol=1e-6)


@given(
    seed=st.integers(0, 999),
    offset=st.sampled_from([0.0, 1e6, -1e9]),
    pieces=st.integers(1, 7),
    halve=st.booleans(),
)
def test_sums_keep_all_digits_at_any_offset(seed, offset, pieces, halve):
    rng = np.random.default_rng(seed)
    x = rng.choice([0.0, -0.0, 1.0, 1e-300, 7.5], 200)
    y = offset + rng.normal(size=200) * 1e-3
    parts = list(zip(np.array_split(x, pieces), np.array_split(y, pieces), strict=True))
    sums = aggregate(parts[:1]) + aggregate(parts[1:]) if halve and pieces > 1 else aggregate(parts)
    assert sums.nobs == 200
    assert sums.x.tolist() == sorted(set(x.tolist()))  # 0 and -0 are one input
    for i, at in enumerate(sums.x):
        exact = [Fraction(v) for v in y[x == at].tolist()]
        mean = sum(exact) / len(exact)
        squares = float(sum((v - mean) ** 2 for v in exact))
        assert sums.count[i] == len(exact)
        assert abs(Fraction(sums.mean[i]) - mean) <= 2 * math.ulp(float(mean)) + Fraction(1e-17)
        # a mean that cannot be written in double precision moves the squares in the second order only
        assert sums.squares[i] == pytest.approx(squares, rel=1e-9, abs=1e-30)


def test_pairs_cross_the_borders_of_chunks():
    series = rounded_walk(0, 500)
    for lag in (1, 3):
        for cuts in ([], [1, 2, 3, 200, 200, 499], list(range(0, 500, 7))):
            pairs = list(lag_pairs(np.split(series, cuts), lag))
            np.testing.assert_array_equal(np.concatenate([x for x, _ in pairs]), series[:-lag])
            np.testing.assert_array_equal(np.concatenate([y for _, y in pairs]), series[lag:])


ODD = "odd name"


@pytest.mark.parametrize("engine", ["auto", "pandas", "pyarrow", "duckdb", "polars"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_stream_in_order_and_in_pieces(tmp_path, engine, kind):
    if engine not in ("auto", "pandas"):
        pytest.importorskip(engine)
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    if (engine, kind) in {("pandas", "parquet"), ("pyarrow", "csv")}:
        pytest.skip("refused, see the test of errors")
    frame = pd.DataFrame({"close": rounded_walk(1, 7000), ODD: np.arange(7000)})
    path = tmp_path / f"prices.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    chunks = list(read_columns(path, "close", rows=2048, engine=engine))
    assert len(chunks) > 1
    np.testing.assert_array_equal(np.concatenate(chunks), frame["close"])
    both = list(read_columns(path, [ODD, "close"], engine=engine))
    np.testing.assert_array_equal(np.concatenate([first for first, _ in both]), np.arange(7000))
    with pytest.raises(InputError, match="has no column 'open'; it has 'close'"):
        list(read_columns(path, "open", engine=engine))


def test_dask_partitions_add_up():
    dd = pytest.importorskip("dask.dataframe")
    series = rounded_walk(2, 3000, offset=100.0)
    pairs = pd.DataFrame({"x": series[:-1], "y": series[1:]})
    expected = aggregate([(series[:-1], series[1:])])
    parts = dd.from_pandas(pairs, npartitions=5)
    streamed = aggregate(
        lag_pairs(partition_columns(dd.from_pandas(pd.DataFrame({"c": series}), npartitions=4), "c"))
    )
    for sums in (
        aggregate_partitions(parts, "x", "y"),
        aggregate(partition_columns(parts, ["x", "y"])),
        streamed,
    ):
        np.testing.assert_array_equal(sums.x, expected.x)
        np.testing.assert_array_equal(sums.count, expected.count)
        np.testing.assert_allclose(sums.mean, expected.mean, rtol=1e-14)
        np.testing.assert_allclose(sums.squares, expected.squares, rtol=1e-9, atol=1e-12)


def test_memory_grows_with_the_distinct_inputs_not_with_the_rows():
    aggregate([([1.0], [1.0])])  # compiled and loaded
    rng = np.random.default_rng(0)

    def chunks():
        for _ in range(40):
            x = rng.integers(0, 1000, 200_000).astype(float)
            yield x, x + 1

    tracemalloc.start()
    sums = aggregate(chunks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sums.nobs == 8_000_000
    assert peak < 20e6  # the rows alone are 128 MB


def test_too_many_inputs_are_refused_before_they_are_stored(monkeypatch):
    many = np.arange(300_000.0)
    with pytest.raises(TooLargeError, match="more than max_distinct=1,000 distinct inputs; round the inputs"):
        aggregate([(many, many)], max_distinct=1000)
    assert len(aggregate([(many[:1000], many[:1000])], max_distinct=1000)) == 1000
    monkeypatch.setattr(memory, "WORTH_ASKING", 1e6)
    monkeypatch.setattr(memory, "available_memory", lambda: 5e6)
    with pytest.raises(
        TooLargeError, match=r"a table of .* distinct inputs needs .* GB and 0\.005 GB are free"
    ):
        aggregate([(many, many)])
    with pytest.raises(MemoryError, match=r"a problem of 300,000 inputs needs .* stream the data through"):
        LassoProblem(many, many, beta=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": [1, -1]}, "count must hold whole numbers of at least 0, got -1 at position 1"),
        ({"count": [1.5, 1]}, "got 1.5 at position 0"),
        ({"count": [0, 0], "sum_y": [0, 0], "sum_y2": [0, 0]}, "all counts are 0"),
        ({"count": [2, 0]}, "no 0 targets have sum_y=1 and sum_y2=2"),
        ({"sum_y2": [1, 0.4]}, "at least sum_y.2 / count = 0.5"),
        ({"sum_y2": [1, np.nan]}, "sum_y2 has 1 NaN"),
        ({"sum_y": [1]}, "sum_y has 1 entries but count has 2"),
        ({"x": [1]}, "x has 1 rows but y has 2"),
        ({"sum_y2": [1, np.inf]}, "sum_y2 has 1 NaN or infinite"),
        ({"loss": "squared"}, "aggregates go with architecture, fit_intercept, skip only, got loss"),
    ],
)
def test_sums_that_no_data_have_are_refused(change, message):
    good = {"x": [0, 1], "count": [1, 2], "sum_y": [1, 1], "sum_y2": [1, 2], "beta": 1.0}
    assert LassoProblem.from_aggregates(**good).nobs == 3
    with pytest.raises(InputError, match=message):
        LassoProblem.from_aggregates(**{**good, **change})


def test_chunks_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"y of chunk 1 has 1 NaN .* position 1"):
        aggregate([([1.0], [1.0]), ([1.0, 2.0], [1.0, np.nan])])
    with pytest.raises(InputError, match=r"one length, got shapes \(1,\), \(2,\)"):
        aggregate([([1.0], [1.0, 2.0])])
    with pytest.raises(InputError, match="every chunk was empty"):
        aggregate([([], [])])
    with pytest.raises(InputError, match="chunk 0 must be a pair"):
        aggregate([3.0])
    with pytest.raises(InputTypeError, match="real numbers"):
        aggregate([(["a"], [1.0])])
    with pytest.raises(InputError, match="lag must be a whole number"):
        list(lag_pairs([[1.0]], 0))
    path = tmp_path / "prices.csv"
    with pytest.raises(InputError, match="no file"):
        read_columns(path, "close")
    path.write_text("close\n1\n")
    with pytest.raises(InputError, match="unknown engine 'excel'"):
        read_columns(path, "close", engine="excel")
    with pytest.raises(InputError, match="pyarrow does not stream csv"):
        read_columns(path, "close", engine="pyarrow")
    (tmp_path / "prices.txt").write_text("close\n1\n")
    with pytest.raises(InputError, match="neither CSV nor Parquet"):
        read_columns(tmp_path / "prices.txt", "close")


def test_solution_of_sums_at_offsets_keeps_its_digits():
    """Targets near 1e6 that vary by 1e-3: only the means are rounded, and the certificate holds."""
    rng = np.random.default_rng(3)
    x = np.repeat(np.arange(50.0), 40)
    y = 1e6 + 1e-3 * (np.abs(x - 20) / 20 + 0.1 * rng.normal(size=len(x)))
    whole = LassoProblem(x, y, beta=1e-6)
    with pytest.warns(PrecisionWarning, match="near 1e\\+06; subtract that"):
        problem = aggregate([(x, y)]).problem(beta=1e-6)
    found, expected = solve(problem).certificate, solve(whole).certificate
    assert found.holds(1e-8)
    assert found.primal == pytest.approx(expected.primal, rel=1e-6)


def sums_of(x, y):
    inputs, at = np.unique(x, return_inverse=True)
    return inputs, np.bincount(at), np.bincount(at, y), np.bincount(at, y * y)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e12])
def test_sums_that_cannot_hold_the_variation_of_the_targets_say_so(offset):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, 4000).astype(float)
    y = np.abs(x - 20) / 20 + 0.3 * rng.normal(size=4000)
    expected = solve(LassoProblem(x, y, beta=5.0)).certificate.primal
    for far, make in (
        (1e6, lambda: LassoProblem.from_aggregates(*sums_of(x, y + offset), beta=5.0)),
        (1e12, lambda: aggregate([(x, y + offset)]).problem(beta=5.0)),
    ):
        if offset >= far:
            with pytest.warns(PrecisionWarning, match="hold the variation of the targets .* subtract"):
                make()
        else:
            assert solve(make()).certificate.primal == pytest.approx(expected, rel=1e-8)


def test_inputs_seen_once_lose_nothing_at_offsets():
    x, y = np.arange(50.0), 1e12 + np.arange(50.0) % 3
    problem = LassoProblem.from_aggregates(*sums_of(x, y), beta=1e-3)
    assert problem.design.lost == 0
    assert solve(problem).certificate.primal == solve(LassoProblem(x, y, beta=1e-3)).certificate.primal


def test_the_example_finds_the_threshold(capsys, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1] / "examples")
    import out_of_core

    out_of_core.main(["--rows", "300000", "--chunk", "70000"])
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown["rows"] == "300,000"
    kinks = [float(k) for k in shown["kinks"].strip("[]").split(",")]
    assert any(abs(k - 20) < 0.5 for k in kinks)
    assert "of the global optimum" in shown["certificate"]
