"""Do intervals cover what they promise? One-step bands on held-out returns, kind by kind.

Backtests ``ConvexAR`` (penalty by BIC) on the last ``--test`` returns, refitted to a trailing window, with
each kind of interval of ``forecast(intervals=...)``, beside AR(1) with Gaussian intervals from statsmodels.
"quantile" is two quantile networks per level, their penalty a fixed share of ``beta_max``.

    python examples/interval_coverage.py [PRICES.csv] [--test 300] [--window 1000] [--refit 168]

Without a file, returns are simulated (GARCH, heavy tails); with one, they are the log returns of its
prices. Columns per level: actual coverage in per cent, how far it is from the level in points, mean width,
and the sum of the mean pinball losses of the two ends.
"""

import argparse
from typing import Any

import pandas as pd
from quantile_bands import read_returns
from statsmodels.tsa.ar_model import AutoReg

from cvxar import ConvexAR, Wrapped, backtest, metrics

LEVELS = (80, 95)


def score(rows: pd.DataFrame) -> dict[str, float]:
    """Return coverage, width and pinball loss of both levels."""
    found: dict[str, float] = {}
    for level in LEVELS:
        y, lower, upper = (rows[name].to_numpy() for name in ("y", f"lower_{level}", f"upper_{level}"))
        tail = (1 - level / 100) / 2
        covered = 100 * metrics.coverage(y, lower, upper)
        found |= {
            f"covered {level}": covered,
            f"off {level}": covered - level,
            f"width {level}": metrics.interval_width(lower, upper),
            f"loss {level}": metrics.pinball(y, lower, tail) + metrics.pinball(y, upper, 1 - tail),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", nargs="?", help="file of prices (default: simulated returns)")
    parser.add_argument("--test", type=int, default=300)
    parser.add_argument("--points", type=int, default=2000, help="simulated returns")
    parser.add_argument("--window", type=int, default=1000)
    parser.add_argument("--refit", type=int, default=168)
    parser.add_argument("--share", type=float, default=0.2, help="penalty of the quantile networks")
    options = parser.parse_args()
    returns = read_returns(options.prices, options.points)
    kinds = {f"ConvexAR, {kind}": kind for kind in ("bootstrap", "gaussian", "conformal", "quantile")}
    models: dict[str, Any] = {name: ConvexAR() for name in kinds}
    models["ConvexAR, quantile"] = ConvexAR(beta_ratio=options.share)
    result = backtest(
        returns,
        models | {"AR(1), gaussian": Wrapped(lambda y: AutoReg(y, 1))},
        initial=len(returns) - options.test,
        window=options.window,
        refit=options.refit,
        level=LEVELS,
        intervals=kinds,
    )
    table = pd.DataFrame(
        {name: score(rows) for name, rows in result.forecasts.groupby("model", sort=False)}
    ).T
    print(f"{len(returns)} returns, {options.test} one-step forecasts, window {options.window}")
    print(table.to_string(float_format=lambda v: f"{v:.4g}"))


if __name__ == "__main__":
    main()
