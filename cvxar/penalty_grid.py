"""The penalties that a choice is made from."""

import math

import numpy as np

from cvxar._typing import Array
from cvxar.problem import LassoProblem

# penalties per factor of ten, and the ends of the path as shares of its start
DENSITY = 15
END, LOWEST_END = 1e-4, 1e-10


def beta_grid(problem: LassoProblem) -> Array:
    """Return the penalties tried, descending from ``beta_max``; ``beta_max`` alone if that is 0.

    They end at 1e-4 times the ``beta_max`` of the same problem with a skip connection: that is the scale
    of the kinks. Without the connection the path starts far above it when the series is nearly linear.
    """
    top = problem.beta_max
    if top == 0:
        return np.zeros(1)
    end = max(END * (_kink_scale(problem) or top), LOWEST_END * top)
    return np.geomspace(top, end, 1 + math.ceil(DENSITY * math.log10(top / end)))


def _kink_scale(problem: LassoProblem) -> float:
    """Return ``beta_max`` with a skip connection; 0 when the data are exactly linear."""
    if problem.skip:
        return problem.beta_max
    return LassoProblem(
        problem.x,
        problem.y,
        beta=0.0,
        architecture=problem.architecture,
        loss=problem.loss,
        skip=True,
        exog=problem.exog if problem.exog.shape[1] else None,
        sample_weight=problem.sample_weight,
        fit_intercept=problem.fit_intercept,
    ).beta_max
