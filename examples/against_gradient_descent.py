"""The certified optimum against the same network trained by gradient descent, from several seeds.

    python examples/against_gradient_descent.py [PRICES.csv] [--points 1000] [--seeds 10] [--plot FILE]

Without a file: the bundled daily closes of Bitcoin. Objective of the two-layer ReLU network without skip
connection, one lag, at several penalties; a ratio below 1 would be a counterexample to the theory.
"""

import argparse
import time

import numpy as np
import pandas as pd

from cvxar import LassoProblem, datasets, solve
from cvxar.baselines import TrainedNetwork

BETA_RATIOS = (1e-2, 1e-3, 1e-4)


def compare_at(series: pd.Series, ratio: float, optimiser: str, seeds: int) -> dict[str, float | str]:
    """Train from every seed at one penalty; objectives relative to the certified optimum."""
    values = series.to_numpy()
    problem = LassoProblem(values[:-1], values[1:], beta=1.0)
    problem = problem.with_beta(ratio * problem.beta_max)
    solution = solve(problem)
    started = time.perf_counter()
    objectives = [
        TrainedNetwork(optimiser, beta=problem.beta, rng=seed).fit(series).objective_ for seed in range(seeds)
    ]
    seconds = (time.perf_counter() - started) / seeds
    ratios = np.array(objectives) / solution.certificate.primal
    return {
        "beta_ratio": ratio,
        "optimiser": optimiser,
        "units": len(solution.coef),
        "relative_gap": solution.certificate.relative_gap,
        "smallest": ratios.min(),
        "median": float(np.median(ratios)),
        "largest": ratios.max(),
        "seconds": seconds,
        "convex_seconds": solution.seconds,
    }


def plot(table: pd.DataFrame, path: str) -> None:
    """Show how far above the optimum each optimiser ends."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for optimiser, rows in table.groupby("optimiser"):
        excess = 100 * (rows[["smallest", "median", "largest"]] - 1)
        below, above = excess["median"] - excess["smallest"], excess["largest"] - excess["median"]
        ax.errorbar(
            rows["beta_ratio"], excess["median"], yerr=[below, above], marker="o", capsize=4, label=optimiser
        )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="beta / beta_max",
        ylabel="objective above the certified optimum, %",
    )
    ax.legend(title="optimiser")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prices", nargs="?", help="CSV or Parquet file of prices")
    parser.add_argument("--points", type=int, default=1000, help="use the last so many prices")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--plot", help="save a picture here")
    options = parser.parse_args()
    series = datasets.read_prices(options.prices) if options.prices else datasets.load_bitcoin()
    series = series.iloc[-options.points :]
    solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], beta=0.1))  # compile outside the timing
    table = pd.DataFrame(
        [compare_at(series, r, how, options.seeds) for r in BETA_RATIOS for how in ("adam", "sgd")]
    )
    print(f"{len(series)} prices; objective / certified optimum over {options.seeds} seeds, seconds per fit")
    print(table.to_string(index=False, float_format="{:.6g}".format))
    if options.plot:
        plot(table, options.plot)


if __name__ == "__main__":
    main()
