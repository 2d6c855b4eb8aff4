"""Figures that are not one fit: paths, rolling refits, growth, memory, first import and first fit."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from statsmodels.tsa.ar_model import AutoReg

from cvxar import LassoProblem, aggregate, solve, solve_path
from cvxar.incremental import IncrementalLasso

REFITS, WINDOW = 1_000, 2_000

MEMORY = """
import re, numpy as np
from cvxar import LassoProblem, solve
def peak():  # of this program; ru_maxrss would count the process that started it
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
small = np.cumsum(np.random.default_rng(0).normal(size=20_000))
solve(LassoProblem(small[:-1], small[1:], beta=1e3, skip=True))
before = peak()
x = np.random.default_rng(0).normal(size=10_000_000)
np.cumsum(x, out=x)
y = np.append(x[1:], 0.0)
problem = LassoProblem(x, y, beta=1.0, skip=True)
gap = solve(problem.with_beta(1e-2 * problem.beta_max)).certificate.relative_gap
print(f"{(peak() - before) / (x.nbytes + y.nbytes):.1f} times x and y, these included (gap {gap:.0e})")
"""

START = """
import time; began = time.perf_counter()
import cvxar; imported = time.perf_counter()
cvxar.solve(cvxar.LassoProblem([0.0, 1, 2], [0.0, 0, 1], beta=0.1)); fitted = time.perf_counter()
print(f"{imported - began:.2f} s | {fitted - imported:.2f} s")
"""


def seconds(work: Callable[[], object], repeat: int = 5) -> float:
    """Median time of a call, after one that is not timed."""
    work()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def run(code: str, **environment: str) -> str:
    """Run code in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def path_in_fits(series: np.ndarray, skip: bool) -> float:
    """Time of a path of 100 penalties down to 1e-3, in single fits at its last one, both from raw arrays."""

    def fresh(beta: float = 1.0) -> LassoProblem:
        return LassoProblem(series[:-1], series[1:], beta=beta, skip=skip)

    least = 1e-3 * fresh().beta_max
    path = seconds(lambda: solve_path(fresh(), min_ratio=1e-3), 3)
    return path / seconds(lambda: solve(fresh(least)))


def refits_in_autoregs(series: np.ndarray, skip: bool, ratio: float) -> float:
    """Processor time of rolling refits relative to as many AutoReg fits."""
    window = IncrementalLasso(series[:WINDOW], series[1 : WINDOW + 1], skip=skip)
    window.solve(beta_ratio=ratio)
    window.append(series[0], series[1])  # so that nothing is compiled while the clock runs
    window.drop(series[0], series[1])
    window.solve(beta_ratio=ratio)
    began = time.process_time()
    for k in range(REFITS):
        window.append(series[WINDOW + k], series[WINDOW + k + 1])
        window.drop(series[k], series[k + 1])
        assert window.solve(beta_ratio=ratio).certificate.holds(1e-8)
    spent = time.process_time() - began
    began = time.process_time()
    for k in range(REFITS):
        AutoReg(series[k : k + WINDOW], 1).fit()
    return spent / (time.process_time() - began)


def growth(price_path: Callable[..., np.ndarray]) -> Iterator[str]:
    """Times from 1e4 to 1e7 points, and the factor by decade."""
    last = 0.0
    for n in (10_000, 100_000, 1_000_000, 10_000_000):
        series = price_path(n, None)
        beta = 1e-2 * LassoProblem(series[:-1], series[1:], beta=1.0, skip=True).beta_max
        now = seconds(lambda s=series, b=beta: solve(LassoProblem(s[:-1], s[1:], beta=b, skip=True)), 3)
        factor = f", {now / last:.1f} times the last" if last else ""
        yield f"| fit of {n:,} points, skip, 1e-2 | {1e3 * now:.1f} ms{factor} |"
        last = now


def lines(price_path: Callable[..., np.ndarray]) -> Iterator[str]:
    """Rows of a markdown table."""
    for skip in (False, True):
        ratio = path_in_fits(price_path(33_000, None), skip)
        yield f"| 100 penalties down to 1e-3, n = 33,000, skip {skip} | {ratio:.1f} single fits |"
    series = price_path(WINDOW + REFITS + 1, None)
    for skip, ratio in product((False, True), (1e-1, 1e-2, 1e-3)):
        figure = refits_in_autoregs(series, skip, ratio)
        which = f"{REFITS:,} rolling refits of {WINDOW:,} points, skip {skip}, {ratio:g}"
        yield f"| {which} | {figure:.2f} of as many AutoReg fits |"
    yield from growth(price_path)
    yield f"| peak memory at n = 10,000,000, skip, 1e-2 | {run(MEMORY)} |"
    with tempfile.TemporaryDirectory() as empty:
        cold = run(START, NUMBA_CACHE_DIR=empty)
    yield f"| first import, first fit, compiled for the first time | {cold.replace(' | ', ', ')} |"
    yield f"| first import, first fit of a later process | {run(START).replace(' | ', ', ')} |"
    ticks = np.round(np.random.default_rng(0).normal(size=10_000_000), 2)
    yield f"| aggregate 10,000,000 rows of ticks | {seconds(lambda: aggregate([(ticks, ticks)]), 3):.2f} s |"
