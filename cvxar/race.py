"""Descent against the certified optimum on one training objective, that of the two-layer ReLU network.

``1/2 sum (y - f(x))^2 + beta/2 (||W1||^2 + ||W2||^2)``, one lag, no skip connection: the optimum of the
convex problem is the lowest value any weights can reach; a trained network's ratio to it is never below 1.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvxar.baselines import TrainedNetwork
from cvxar.lags import lag_frame
from cvxar.observations import observe
from cvxar.problem import LassoProblem
from cvxar.solver import solve

COLUMNS = ["method", "beta", "objective", "ratio", "seconds", "relative_gap"]
CONVEX = "convex optimum"
ROUNDING = 1e-24


def race(train: Any, beta: float, networks: Mapping[str, tuple[TrainedNetwork, float]]) -> pd.DataFrame:
    """Compare the objectives of trained networks with the certified optimum of the same problem.

    Parameters
    ----------
    train : Series or array of n numbers
        What the networks were trained on, with ``lags=1`` and this ``beta``.
    beta : float
        Penalty in data units.
    networks : mapping of str to (TrainedNetwork, float)
        Fitted networks and the seconds they took.

    Returns
    -------
    DataFrame
        method, beta, objective, ratio (to the optimum; NaN if that is 0 up to rounding), seconds,
        relative_gap (of the optimum; NaN for the networks, which prove nothing). The optimum first.

    Examples
    --------
    >>> train = [0.0, 1.0, 3.0, 2.0, 0.5, 1.5, 2.5, 0.0]
    >>> network = TrainedNetwork(beta=0.5, width=5, steps=50, rng=0).fit(train)
    >>> table = race(train, 0.5, {"Adam": (network, 0.1)})
    >>> table["method"].tolist(), bool(table["ratio"][1] >= 1)
    (['convex optimum', 'Adam'], True)
    """
    frame = lag_frame(observe(train), (1,))
    began = time.perf_counter()
    solution = solve(LassoProblem(frame.x, frame.y, beta=beta))
    seconds = time.perf_counter() - began
    # not certificate.primal: at beta = 0 that is the norm, the second of two objectives
    best = 0.5 * float(np.sum((frame.y - solution.fitted) ** 2)) + beta * solution.l1_norm
    perfect = best <= ROUNDING * float(np.sum(frame.y**2))
    rows = [(CONVEX, beta, best, 1.0, seconds, solution.certificate.relative_gap)]
    for name, (network, spent) in networks.items():
        ratio = math.nan if perfect else network.objective_ / best
        rows.append((name, beta, network.objective_, ratio, spent, math.nan))
    return pd.DataFrame(rows, columns=COLUMNS)
