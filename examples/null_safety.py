"""What BIC costs where the truth is linear, and what it finds where it is not.

Simulates known processes, fits ``ConvexAR`` (p = 1, penalty by BIC) and the linear AR(1) to the first n
observations, and scores one-step forecasts of the following ones with the parameters kept.

    python examples/null_safety.py [--seed 0] [--quick]

Columns: mean squared error relative to AR(1); root mean squared error relative to that of the true
conditional mean, for ConvexAR and for AR(1); share of replications without a kink; mean number of kinks;
milliseconds per fit. Targets are shown beside the quantity they limit.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.tsa.ar_model import AutoReg

from cvxar.model import ConvexAR

N_TEST = 2000
BURN_IN = 100


@dataclass(frozen=True)
class Process:
    """``y' = mean(y) + noise * e`` with the limits that ConvexAR is held to."""

    name: str
    mean: Callable[[float], float]
    noise: float
    n: int
    replications: int
    limit: dict[str, float]


AR_LIMITS = {200: 1.02, 1000: 1.003}
PROCESSES = [
    *(
        Process(f"0.9 y, n = {n}", lambda y: 0.9 * y, 1.0, n, 100, {"MSE / AR(1)": limit, "no kink": 0.85})
        for n, limit in AR_LIMITS.items()
    ),
    Process("1 - 0.8 |y|", lambda y: 1 - 0.8 * abs(y), 0.5, 1000, 20, {"RMSE / truth": 1.005}),
    Process("0.8 y | 0.3 y", lambda y: (0.8 if y < 0 else 0.3) * y, 1.0, 1000, 20, {"RMSE / truth": 1.005}),
    Process(
        "2 + 0.5 y | 0.5 - 0.4 y",
        lambda y: 2 + 0.5 * y if y <= 1 else 0.5 - 0.4 * y,
        1.0,
        1000,
        20,
        {"RMSE / truth": 1.04},
    ),
]


def simulate(process: Process, rng: np.random.Generator) -> np.ndarray:
    """Draw the observations to fit and to score."""
    values = np.zeros(BURN_IN + process.n + N_TEST)
    shocks = process.noise * rng.normal(size=len(values))
    for t in range(1, len(values)):
        values[t] = process.mean(values[t - 1]) + shocks[t]
    return values[BURN_IN:]


def replicate(process: Process, rng: np.random.Generator) -> dict[str, float]:
    """Fit once and return squared errors, kinks and time."""
    values = simulate(process, rng)
    train, test, past = values[: process.n], values[process.n :], values[process.n - 1 : -1]
    started = time.perf_counter()
    model = ConvexAR(1, beta="bic").fit(train)
    seconds = time.perf_counter() - started
    constant, slope = AutoReg(train, 1).fit().params
    truth = np.array([process.mean(y) for y in past])
    return {
        "convex": float(np.mean(model.append(test).resid_.to_numpy()[-N_TEST:] ** 2)),
        "ar": float(np.mean((test - constant - slope * past) ** 2)),
        "truth": float(np.mean((test - truth) ** 2)),
        "kinks": len(model.breakpoints_),
        "ms": 1000 * seconds,
        "gap": model.certificate_.relative_gap,
    }


def score(process: Process, seed: int, replications: int) -> dict[str, float | str]:
    """Return one row of the table."""
    runs = pd.DataFrame(replicate(process, np.random.default_rng([seed, r])) for r in range(replications))
    found = {
        "MSE / AR(1)": (runs["convex"] / runs["ar"]).mean(),
        "RMSE / truth": np.sqrt(runs["convex"] / runs["truth"]).mean(),
        "no kink": (runs["kinks"] == 0).mean(),
    }
    missed = [k for k, v in process.limit.items() if (v > found[k] if k == "no kink" else v < found[k])]
    return {
        "process": process.name,
        "MSE / AR(1)": found["MSE / AR(1)"],
        "RMSE / truth": found["RMSE / truth"],
        "AR(1) RMSE / truth": np.sqrt(runs["ar"] / runs["truth"]).mean(),
        "no kink": found["no kink"],
        "kinks": runs["kinks"].mean(),
        "ms / fit": runs["ms"].mean(),
        "largest gap": runs["gap"].max(),
        "limit": ", ".join(f"{k} {'>=' if k == 'no kink' else '<='} {v:g}" for k, v in process.limit.items()),
        "held": "no" if missed else "yes",
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a tenth of the replications")
    options = parser.parse_args()
    share = 10 if options.quick else 1
    rows = [score(p, options.seed, max(p.replications // share, 2)) for p in PROCESSES]
    print(pd.DataFrame(rows).set_index("process").T.to_string(float_format=lambda v: f"{v:.5g}"))


if __name__ == "__main__":
    main()
