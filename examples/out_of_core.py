"""A hundred million observations in the memory of one chunk: stream, sum by tick, solve, certify.

    python examples/out_of_core.py [--rows 100000000] [--chunk 2000000]

Simulates a threshold autoregression of prices that come in ticks of 0.01, a chunk at a time, and never holds
more than one. ``aggregate`` keeps count, mean and spread of the next price for each distinct price: some
thousand numbers, from which the network is trained to the optimum over all rows. Printed: rows, distinct
inputs, time of generating, of summing and of solving, what a billion rows would take (both streams grow with
the rows, the solve does not), the certificate, and the peak memory of the process.
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
from numba import njit

from cvxar import aggregate, lag_pairs, solve

TICK = 0.01
BILLION = 1_000_000_000


@njit(cache=True)
def threshold_prices(shocks: np.ndarray, last: float) -> np.ndarray:
    """Prices that revert to 20 fast from below and slowly from above, rounded to the tick."""
    prices = np.empty(len(shocks))
    for i in range(len(shocks)):
        pull = 0.5 if last < 20 else 0.9
        last = np.rint((20 + pull * (last - 20) + shocks[i]) / TICK) * TICK
        prices[i] = last
    return prices


class Source:
    """Chunks of a long series, with the time spent on making them."""

    def __init__(self, rows: int, chunk: int) -> None:
        self.rows, self.chunk, self.seconds = rows, chunk, 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        rng, last = np.random.default_rng(0), 20.0
        for start in range(0, self.rows, self.chunk):
            began = time.perf_counter()
            prices = threshold_prices(rng.standard_normal(min(self.chunk, self.rows - start)), last)
            last = float(prices[-1])
            self.seconds += time.perf_counter() - began
            yield prices


def peak_gigabytes() -> float:
    """Largest resident memory of this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--chunk", type=int, default=2_000_000)
    options = parser.parse_args(arguments)
    aggregate(lag_pairs(Source(10_000, 1000)))  # compile, and load what was compiled before
    source = Source(options.rows, options.chunk)
    began = time.perf_counter()
    sums = aggregate(lag_pairs(source))
    streamed = time.perf_counter() - began
    problem = sums.problem(beta=0.0, skip=True)
    solve(problem.with_beta(problem.beta_max))  # compiled here if it never was
    began = time.perf_counter()
    solution = solve(problem.with_beta(1e-2 * problem.beta_max))
    solving = time.perf_counter() - began
    factor = BILLION / options.rows
    print(f"rows                  {problem.nobs + 1:,}")
    print(f"distinct inputs       {len(sums):,}")
    print(f"generating            {source.seconds:.2f} s   (1e9 rows: {source.seconds * factor:.0f} s)")
    summing = streamed - source.seconds
    print(f"summing               {summing:.2f} s   (1e9 rows: {summing * factor:.0f} s)")
    print(f"solving               {1e3 * solving:.1f} ms  (1e9 rows: the same)")
    print(f"kinks                 {[round(float(b.location), 2) for b in solution.network.breakpoints]}")
    print(f"certificate           {solution.certificate}")
    print(f"peak memory           {peak_gigabytes():.2f} GB")


if __name__ == "__main__":
    main()
