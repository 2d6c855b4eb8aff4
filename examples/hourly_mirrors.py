"""Reflections at scale: deep absolute-value networks on tens of thousands of prices, certified.

    python examples/hourly_mirrors.py [PRICES.csv] [--points N] [--depths 3 4] [--ratios 0.1 0.01]

Without a file: the bundled daily closes of Bitcoin. One lag, with a skip connection. Prints seconds, active
features, breakpoints by what made them, and the boxes of the search that proves each optimum, beside the
number of columns an explicit dictionary would have.
"""

import argparse
import time
from collections import Counter

import numpy as np

from cvxar import LassoProblem, datasets, solve
from cvxar.architectures import DeepNarrow

KINDS = ("data point", "reflection", "midpoint", "generalised reflection", "other")


def row(problem: LassoProblem, ratio: float) -> str:
    """One line of the table."""
    started = time.perf_counter()
    solution = solve(problem.with_beta(ratio * problem.beta_max))
    seconds = time.perf_counter() - started
    (column,) = problem.design.columns
    proof = column.dictionary.match(column.aggregate(solution.dual), np.inf)
    kinds = Counter(b.label for b in solution.network.breakpoints)
    size = problem.architecture.size(len(column.knots))
    found = (
        f"{problem.architecture.depth} | {ratio:g} | {seconds:.1f} | {solution.rounds} | {len(solution.coef)}"
    )
    made = " | ".join(str(kinds[kind]) for kind in KINDS)
    gap = solution.certificate.relative_gap
    return f"| {found} | {made} | {proof.boxes:,} | {size:.1e} | {gap:.0e} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prices", nargs="?", help="price file (default: bundled daily Bitcoin closes)")
    parser.add_argument("--points", type=int, help="use only the last so many prices")
    parser.add_argument("--depths", type=int, nargs="+", default=[3, 4])
    parser.add_argument("--ratios", type=float, nargs="+", default=[1e-1, 1e-2])
    options = parser.parse_args()
    series = datasets.read_prices(options.prices) if options.prices else datasets.load_bitcoin()
    values = series.to_numpy()[-(options.points or len(series)) :]
    x, y = values[:-1], values[1:]
    print(f"{len(y):,} observations, {len(np.unique(x)):,} distinct inputs")
    kinds = " | ".join(f"{kind}s" if kind != "other" else kind for kind in KINDS)
    print(f"| depth | beta_ratio | seconds | rounds | features | {kinds} | boxes | explicit columns | gap |")
    print("|--:" * (8 + len(KINDS)) + "|")
    for depth in options.depths:
        problem = LassoProblem(x, y, beta=1.0, architecture=DeepNarrow("abs", depth), skip=True)
        for ratio in options.ratios:
            print(row(problem, ratio), flush=True)


if __name__ == "__main__":
    main()
