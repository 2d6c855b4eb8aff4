"""Timings for pytest-benchmark.

    pytest tests/benchmarks/test_speed.py -o addopts= --benchmark-only --benchmark-timer=time.process_time

One table per length of the series, and the medians as ratios to ``AutoReg(series, 1).fit()`` of statsmodels
for the same length in the same run.
"""

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg
from table import price_path

from cvxar import LassoProblem, aggregate, solve, solve_path
from cvxar.incremental import IncrementalLasso

SIZES = [2_000, 33_000, 525_600]
PEER = "AutoReg(1)"


@pytest.fixture(scope="module")
def medians(request):
    """Median seconds by task and length; printed as ratios when all are known."""
    found = {}
    yield found
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n| task | n | time / AutoReg(1) fit |\n|:--|--:|--:|")
        for (task, n), seconds in found.items():
            ratio = seconds / found.get((PEER, n), np.nan)
            print(f"| {task} | {n:,} | {ratio:.2f} |")


@pytest.fixture
def note(benchmark, medians):
    """Group a timing by length, and keep its median."""

    def start(task, n):
        benchmark.group = f"{n:,} observations"
        kept.append((task, n))

    kept = []
    yield start
    if benchmark.stats is not None:
        medians[kept[0]] = benchmark.stats.stats.median


@pytest.mark.parametrize("n", SIZES)
def test_autoreg(benchmark, note, n):
    note(PEER, n)
    series = price_path(n, None)
    benchmark(lambda: AutoReg(series, 1).fit())


@pytest.mark.parametrize("n", SIZES)
def test_argsort(benchmark, note, n):
    note("argsort", n)
    benchmark(np.argsort, price_path(n, None))


@pytest.mark.parametrize("ratio", [1e-1, 1e-2, 1e-3])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("n", SIZES)
def test_solve_from_raw_arrays(benchmark, note, n, skip, ratio):
    note(f"solve at {ratio:g} of beta_max, {'with' if skip else 'no'} skip", n)
    x, y = price_path(n, None)[:-1], price_path(n, None)[1:]
    beta = ratio * LassoProblem(x, y, beta=1.0, skip=skip).beta_max
    found = benchmark(lambda: solve(LassoProblem(x, y, beta=beta, skip=skip)))
    assert found.certificate.holds(1e-8)


@pytest.mark.parametrize("skip", [False, True])
def test_path_of_a_hundred_penalties(benchmark, note, skip):
    note(f"path of 100 penalties, {'with' if skip else 'no'} skip", 33_000)
    series = price_path(33_000, None)
    problem = LassoProblem(series[:-1], series[1:], beta=1.0, skip=skip)
    benchmark.pedantic(solve_path, (problem,), {"min_ratio": 1e-3}, rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("ratio", [1e-1, 1e-3])
def test_hundred_rolling_refits(benchmark, note, ratio):
    note(f"100 rolling refits at {ratio:g} of beta_max", 2_000)
    series = price_path(2_100, None)

    def refit():
        window = IncrementalLasso(series[:2000], series[1:2001], skip=True)
        for k in range(99):
            window.solve(beta_ratio=ratio)
            window.append(series[2000 + k], series[2001 + k])
            window.drop(series[k], series[k + 1])

    benchmark.pedantic(refit, rounds=3, warmup_rounds=1)


def test_ten_million_rows_of_ticks(benchmark):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=10_000_000), 2)
    sums = benchmark.pedantic(aggregate, ([(x, x)],), rounds=3, warmup_rounds=1)
    assert sums.nobs == len(x)
