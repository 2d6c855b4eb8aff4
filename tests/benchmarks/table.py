"""Print the speed table of the README: ratios to statsmodels' AutoReg(1).fit in the same process.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/table.py [--large] [--tasks] [--rivals]

A one-minute price path is resampled in blocks from hourly moves of the same shape (a seeded Student walk, or
the log returns of the CSV given by --returns). Each entry is the median over repetitions of building the
problem and solving it cold, divided by the median time of AutoReg; the relative gap is the largest seen.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import rivals
import tasks
from statsmodels.tsa.ar_model import AutoReg

from cvxar import LassoProblem, datasets, solve

RATIOS = (1e-1, 1e-2, 1e-3)


def price_path(n: int, returns: np.ndarray | None, seed: int = 0, block: int = 60) -> np.ndarray:
    """Resample blocks of log returns into a price path whose logarithm spreads by about 0.8 at every n."""
    rng = np.random.default_rng(seed)
    if returns is None:
        returns = rng.standard_t(3, 50_000)
    starts = rng.integers(0, len(returns) - block, n // block + 1)
    moves = np.concatenate([returns[s : s + block] for s in starts])[:n]
    moves = (moves - moves.mean()) / moves.std()
    return 9000 * np.exp(np.cumsum(0.8 / np.sqrt(n) * moves))


def median_seconds(work: Callable[[], object], repeat: int) -> float:
    """Median wall-clock time of a call."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def row(n: int, returns: np.ndarray | None, skip: bool) -> str:
    """One line of the table."""
    series = price_path(n, returns)
    repeat = 21 if n < 10_000 else 7 if n < 1_000_000 else 3
    reference = median_seconds(lambda: AutoReg(series, 1).fit(), repeat)
    argsort = median_seconds(lambda: np.argsort(series), repeat) / reference
    beta_max = LassoProblem(series[:-1], series[1:], beta=1.0, skip=skip).beta_max
    cells, gap = [], 0.0
    for ratio in RATIOS:

        def work(beta: float = ratio * beta_max) -> object:
            return solve(LassoProblem(series[:-1], series[1:], beta=beta, skip=skip))

        gap = max(gap, work().certificate.relative_gap)
        cells.append(f"{median_seconds(work, repeat) / reference:.2f}")
    shown = "yes" if skip else "no"
    times = f"{1e3 * reference:.1f} | {argsort:.2f}"
    return f"| {n:,} | {shown} | {times} | {' | '.join(cells)} | {gap:.0e} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="add n = 1e7 (needs 2 GB)")
    parser.add_argument("--tasks", action="store_true", help="paths, refits, growth, memory, first calls")
    parser.add_argument("--rivals", action="store_true", help="general solvers at n = 1,000 (minutes)")
    parser.add_argument("--returns", help="price file to resample from")
    options = parser.parse_args()
    returns = None
    if options.returns:
        returns = np.diff(np.log(datasets.read_prices(options.returns).to_numpy()))
    print("| n | skip | AutoReg, ms | argsort | beta_ratio 1e-1 | 1e-2 | 1e-3 | largest gap |")
    print("|--:|:--|--:|--:|--:|--:|--:|--:|")
    for n in (2_000, 33_000, 525_600, *((10_000_000,) if options.large else ())):
        for skip in (False, True):
            print(row(n, returns, skip), flush=True)
    if options.tasks:
        print("\n| task | figure |\n|:--|--:|")
        for line in tasks.lines(price_path):
            print(line, flush=True)
    if options.rivals:
        print("\n| solver | time | times ours | objective above the certified optimum |\n|:--|--:|--:|--:|")
        for line in rivals.lines(1000, 1e-2):
            print(line, flush=True)


if __name__ == "__main__":
    main()
