"""Print what a refit at every origin costs, beside statsmodels' AutoReg(1) on the same windows in one run.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/backtest.py [PRICES.csv] [--refits 1000] [--window 2000]

One-step forecasts, rolling window, two-layer ReLU network with skip connection, penalty a fixed share of
beta_max. Our time is that of `cvxar.backtest` with everything it does (forecast, certificate, table); that of
statsmodels is its fits alone. Without a file: a walk of the same length with Student increments.
"""

import argparse
import time

import numpy as np
import pandas as pd
from statsmodels.tsa.ar_model import AutoReg

from cvxar import ConvexAR, backtest, datasets

RATIOS = (0.5, 0.1, 0.01)


def prices(source: str | None, length: int) -> pd.Series:
    """The last values of a file, or an artificial series of the same kind."""
    if source is not None:
        return datasets.read_prices(source).iloc[-length:]
    moves = np.random.default_rng(0).standard_t(3, length) * 5e-3
    return pd.Series(9000 * np.exp(np.cumsum(moves)), name="walk")


def autoreg_seconds(values: np.ndarray, window: int) -> float:
    """Processor time of one fit per window."""
    start = time.process_time()
    for first in range(len(values) - window):
        AutoReg(values[first : first + window], 1).fit()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prices", nargs="?", help="CSV or Parquet file of prices")
    parser.add_argument("--refits", type=int, default=1000)
    parser.add_argument("--window", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    level = prices(options.prices, options.refits + options.window + 1)
    backtest(level.iloc[:60], {"warm up": ConvexAR(beta_ratio=0.1)}, window=40)
    print("| series | beta_ratio | refits | backtest / AutoReg(1) fits | largest gap | failures |")
    print("|:--|--:|--:|--:|--:|--:|")
    for name, series in (("level", level.iloc[1:]), ("log return", np.log(level).diff().iloc[1:])):
        for ratio in RATIOS:
            ratios = []
            for _ in range(options.repeat):
                start = time.process_time()
                result = backtest(series, {"ours": ConvexAR(beta_ratio=ratio)}, window=options.window)
                ours = time.process_time() - start
                ratios.append(ours / autoreg_seconds(series.to_numpy(), options.window))
            gap, count = result.forecasts["relative_gap"].max(), len(result.forecasts)
            cells = f"{np.median(ratios):.2f} | {gap:.0e} | {len(result.failures)}"
            print(f"| {name} | {ratio:g} | {count:,} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
