"""Ten steps ahead of nonlinear autoregressions: the simulated mean against AR(1) and the truth.

Simulates a threshold and an exponential autoregression, fits ``ConvexAR`` (one lag, penalty by BIC) and
AR(1) to the first n observations, and forecasts ten steps from later origins with the parameters kept.

    python examples/ten_steps.py [--replications 200] [--points 1000] [--origins 10] [--paths 1000]

Columns, per horizon: root mean squared error of the mean over simulated paths, relative to AR(1)'s and to
the true conditional mean's (computed on a grid); AR(1)'s relative to the truth; the error of the mean fed
back into the map ("iterated", which is biased) relative to AR(1)'s; coverage of the simulated 80 % band, and
of AR(1)'s Gaussian one.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.tsa.ar_model import AutoReg

from cvxar import ConvexAR

STEPS = 10
SHOWN = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class Process:
    """``y' = mean(y) + noise * e`` with standard normal e."""

    name: str
    mean: Callable[[np.ndarray], np.ndarray]
    noise: float


PROCESSES = (
    Process("threshold: 0.5 + 0.7 y | -1 + 0.7 y", lambda y: np.where(y > 0, 0.5, -1.0) + 0.7 * y, 1.0),
    Process("exponential: (-0.6 + 1.8 exp(-y^2)) y", lambda y: (-0.6 + 1.8 * np.exp(-(y**2))) * y, 0.4),
)


def simulate(process: Process, length: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a path after a burn-in of 100."""
    values, shocks = np.zeros(100 + length), process.noise * rng.normal(size=100 + length)
    for t in range(1, len(values)):
        values[t] = process.mean(values[t - 1]) + shocks[t]
    return values[100:]


def true_means(process: Process) -> Callable[[np.ndarray], np.ndarray]:
    """Return the conditional means (STEPS, m) given the last value (m,), by propagation on a grid."""
    grid = np.linspace(-9, 9, 1201)
    edges = np.concatenate([[-np.inf], (grid[1:] + grid[:-1]) / 2, [np.inf]])
    kernel = np.diff(norm.cdf(edges[None, :], process.mean(grid)[:, None], process.noise), axis=1)
    levels = [process.mean(grid)]
    for _ in range(STEPS - 1):
        levels.append(kernel @ levels[-1])
    exact = process.mean
    return lambda last: np.array([exact(last), *(np.interp(last, grid, level) for level in levels[1:])])


def replicate(
    process: Process, options: argparse.Namespace, rng: np.random.Generator, truth: Callable[..., np.ndarray]
) -> dict[str, np.ndarray]:
    """Return squared errors and hits (origins, STEPS) of one series."""
    n, apart = options.points, 20
    values = simulate(process, n + apart * options.origins + STEPS, rng)
    model, linear = ConvexAR(1).fit(values[:n]), AutoReg(values[:n], 1).fit()
    constant, slope = linear.params
    deviation = np.sqrt(linear.sigma2 * np.cumsum(slope ** (2 * np.arange(STEPS))))
    found: dict[str, list[np.ndarray]] = {}
    for known in range(n, n + apart * options.origins, apart):
        y, last = values[known : known + STEPS], values[known - 1]
        now = model.append(values[n:known]) if known > n else model
        table = now.forecast(STEPS, level=80, n_paths=options.paths, rng=rng)
        iterated = now.forecast(STEPS, method="iterate", n_paths=2, rng=rng)["mean"]
        power = slope ** np.arange(1, STEPS + 1)
        ar = power * last + constant * (1 - power) / (1 - slope)
        for name, row in {
            "simulated": (y - table["mean"].to_numpy()) ** 2,
            "iterated": (y - iterated.to_numpy()) ** 2,
            "AR(1)": (y - ar) ** 2,
            "truth": (y - truth(np.array([last]))[:, 0]) ** 2,
            "covered": (table["lower_80"].to_numpy() <= y) & (y <= table["upper_80"].to_numpy()),
            "AR(1) covered": np.abs(y - ar) <= norm.ppf(0.9) * deviation,
        }.items():
            found.setdefault(name, []).append(row)
    return {name: np.array(rows) for name, rows in found.items()}


def score(process: Process, options: argparse.Namespace) -> pd.DataFrame:
    """Return one row per horizon."""
    truth = true_means(process)
    runs = [
        replicate(process, options, np.random.default_rng([options.seed, r]), truth)
        for r in range(options.replications)
    ]
    mean = {name: np.vstack([run[name] for run in runs]).mean(axis=0) for name in runs[0]}
    table = pd.DataFrame(
        {
            "RMSE / AR(1)": np.sqrt(mean["simulated"] / mean["AR(1)"]),
            "RMSE / truth": np.sqrt(mean["simulated"] / mean["truth"]),
            "AR(1) / truth": np.sqrt(mean["AR(1)"] / mean["truth"]),
            "iterated / AR(1)": np.sqrt(mean["iterated"] / mean["AR(1)"]),
            "coverage 80 %": mean["covered"],
            "AR(1) coverage": mean["AR(1) covered"],
        },
        index=pd.RangeIndex(1, STEPS + 1, name="horizon"),
    )
    return table.loc[list(SHOWN)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--origins", type=int, default=10, help="origins per series, 20 steps apart")
    parser.add_argument("--paths", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for process in PROCESSES:
        print(f"{process.name}, noise {process.noise}, n = {options.points}, {options.replications} series")
        print(score(process, options).to_string(float_format=lambda v: f"{v:.4f}"), end="\n\n")


if __name__ == "__main__":
    main()
