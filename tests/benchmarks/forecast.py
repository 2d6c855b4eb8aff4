"""Print what ``ConvexAR.forecast`` costs, by kind of interval, beside statsmodels' AutoReg in one run.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/forecast.py

One lag, penalty by BIC, a bent series of 2,000 observations. Times are ratios to those of
``AutoReg(series, 1).fit()`` and the normal intervals of its forecasts at the same levels; medians of
interleaved repetitions. "first" includes what a kind fits when it is first asked for (the part of the
sample that calibrates).
"""

import copy
import time

import numpy as np
from statsmodels.tsa.ar_model import AutoReg

from cvxar import ConvexAR

SIZES = ((1000, 10), (1000, 24), (10_000, 24))
KINDS = ("bootstrap", "gaussian", "conformal")
LEVELS = (80, 95)
REPEAT = 5


def bent(n, seed=0):
    shocks = 0.5 * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = 1 - 0.8 * abs(values[t - 1]) + shocks[t]
    return values


def seconds(call):
    started = time.process_time()
    call()
    return time.process_time() - started


def linear(series, steps):
    """Fit AutoReg and make its intervals."""
    ahead = AutoReg(series, 1).fit().get_prediction(len(series), len(series) + steps - 1)
    return [ahead.conf_int(1 - level / 100) for level in LEVELS]


def row(fitted, series, kind, n_paths, steps):
    """Return milliseconds of the peer, and our two times over its."""

    def ask(model):
        return model.forecast(steps, level=LEVELS, intervals=kind, n_paths=n_paths, rng=0)

    times = []
    for _ in range(REPEAT):
        model = copy.copy(fitted).fit(series)  # one that remembers nothing
        calls = (
            lambda: linear(series, steps),
            lambda model=model: ask(model),
            lambda model=model: ask(model),
        )
        times.append([seconds(call) for call in calls])
    peer, first, again = np.median(times, axis=0)
    return f"{1000 * peer:.1f} | {first / peer:.2f} | {again / peer:.2f}"


def main():
    series = bent(2000)
    fitted = ConvexAR().fit(series)
    fitted.forecast(2, level=LEVELS, intervals="conformal", rng=0)
    print("| intervals | paths | steps | AutoReg, ms | first | again |\n|:--|--:|--:|--:|--:|--:|")
    for n_paths, steps in SIZES:
        for kind in KINDS:
            print(
                f"| {kind} | {n_paths:,} | {steps} | {row(fitted, series, kind, n_paths, steps)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
