"""Seconds of ``ConvexAR.forecast``: simulated paths and intervals of every kind.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/forecast.py

One lag, penalty by BIC, a bent series of 2,000 observations; medians of 5. "first" includes what a kind
fits when it is first asked for (the part of the sample that calibrates).
"""

import time

import numpy as np

from cvxar import ConvexAR

SIZES = ((1000, 10), (1000, 24), (10_000, 24))
KINDS = ("bootstrap", "gaussian", "conformal")


def bent(n, seed=0):
    shocks = 0.5 * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = 1 - 0.8 * abs(values[t - 1]) + shocks[t]
    return values


def seconds(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main():
    series = bent(2000)
    print("| intervals | paths | steps | first, ms | again, ms |\n|:--|--:|--:|--:|--:|")
    for n_paths, steps in SIZES:
        for kind in KINDS:
            model = ConvexAR().fit(series)

            def ask(model=model, kind=kind, steps=steps, n_paths=n_paths):
                return model.forecast(steps, level=(80, 95), intervals=kind, n_paths=n_paths, rng=0)

            first, again = seconds(ask), np.median([seconds(ask) for _ in range(5)])
            print(f"| {kind} | {n_paths:,} | {steps} | {1000 * first:.1f} | {1000 * again:.1f} |")


if __name__ == "__main__":
    main()
