r"""The penalty by expanding-window cross-validation: every prediction from earlier observations alone.

The rows are in time order. The first ``START`` of them train the first fold; the rest is cut into ``FOLDS``
blocks, and each block is predicted one step ahead by the fit to all rows before it:

.. math:: \mathrm{cv}(\beta) = \frac1K \sum_{k=1}^{K} \frac1{|B_k|} \sum_{t \in B_k}
          \rho\left(y_t - f_{k,\,\beta n_k / n}(y_{t-1}, \ldots)\right)

The penalty goes with the number of rows, because the loss is a sum. Every fold follows its own path, each
solution starting the next.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from cvxar._typing import Array
from cvxar.criteria import degrees_of_freedom, describe
from cvxar.errors import InputError
from cvxar.penalty_grid import DENSITY, beta_grid
from cvxar.problem import LassoProblem
from cvxar.simulation import conditional_mean
from cvxar.solution import Solution
from cvxar.solver import solve

RULES = ("cv", "cv1se")
FOLDS = 5
START = 1 / 3
FEWEST = 24
# a fold's fit with more degrees of freedom than this share of its rows ends the path: near interpolation
# a step down the path costs time and gains nothing
CROWDED = 0.5
# the path ends this many factors of ten below the best penalty
PATIENCE = 1.0


@dataclass
class Fold:
    """A training stretch and the block after it; it remembers its last solution.

    Parameters
    ----------
    training : LassoProblem
        The rows before the block.
    share : float
        Its rows as a share of all.
    x, y, exog : array
        The block.
    """

    training: LassoProblem
    share: float
    x: Array
    y: Array
    exog: Array
    _last: Solution | None = field(default=None, repr=False)

    def loss(self, beta: float, extrapolation: str, tol: float, solver: str) -> float:
        """Return the mean loss of one-step predictions of the block, at ``beta`` in units of all rows.

        NaN when the fit is crowded (half as many degrees of freedom as training rows).
        """
        problem = self.training.with_beta(beta * self.share)
        solution = self._last = solve(problem, tol=tol, solver=solver, warm_start=self._last)
        if degrees_of_freedom(solution) > max(CROWDED * len(problem.y), _free_columns(problem)):
            return math.nan
        predicted = conditional_mean(solution, problem, extrapolation)(self.x)
        residual = self.y - predicted - self.exog @ solution.exog_coef
        return problem.loss.value(residual) / len(self.y)


def _free_columns(problem: LassoProblem) -> int:
    return (
        int(problem.fit_intercept) + int(problem.skip) * int(problem.x.shape[1]) + int(problem.exog.shape[1])
    )


def fold_ends(n: int) -> list[int]:
    """Return the ``FOLDS + 1`` ends of the training stretches, the last being ``n``.

    Raises
    ------
    InputError
        For fewer rows than ``FEWEST``.

    Examples
    --------
    >>> fold_ends(90)
    [30, 42, 54, 66, 78, 90]
    """
    if n < FEWEST:
        raise InputError(
            f"cross-validation needs at least {FEWEST} observations with all their lags, got {n}; use "
            "beta='bic' or give a number"
        )
    return [round(n * (START + (1 - START) * k / FOLDS)) for k in range(FOLDS + 1)]


def make_folds(problem: LassoProblem) -> list[Fold]:
    """Cut a problem whose rows are in time order into folds."""
    n, ends = len(problem.y), fold_ends(len(problem.y))
    return [
        Fold(
            _first_rows(problem, cut),
            cut / n,
            problem.x[cut:end],
            problem.y[cut:end],
            problem.exog[cut:end],
        )
        for cut, end in pairwise(ends)
    ]


def _first_rows(problem: LassoProblem, count: int) -> LassoProblem:
    return LassoProblem(
        problem.x[:count],
        problem.y[:count],
        beta=0.0,
        architecture=problem.architecture,
        loss=problem.loss,
        skip=problem.skip,
        exog=problem.exog[:count] if problem.exog.shape[1] else None,
        fit_intercept=problem.fit_intercept,
    )


def validate(
    problem: LassoProblem, rule: str, extrapolation: str, *, tol: float, solver: str
) -> tuple[list[Solution], list[dict[str, float]], int]:
    """Follow the path of all rows and of the folds down from ``beta_max``, and choose a penalty.

    The path is left a factor of ten below its best penalty, or when a fit becomes crowded.

    Parameters
    ----------
    problem : LassoProblem
        Rows in time order; its own penalty is not used.
    rule : {"cv", "cv1se"}
        The smallest mean loss, or the largest penalty within one standard error of it.
    extrapolation, tol, solver
        As in :class:`cvxar.ConvexAR`.

    Returns
    -------
    solutions : list of Solution
        Along the path, fitted to all rows.
    rows : list of dict
        Their descriptions, with ``cv_loss`` (mean loss per observation) and ``cv_se``, the standard error
        over the folds.
    chosen : int
        Position of the penalty chosen.

    Raises
    ------
    InputError
        For fewer than 24 rows.
    """
    folds = make_folds(problem)
    solutions: list[Solution] = []
    rows: list[dict[str, float]] = []
    for beta in map(float, beta_grid(problem)):
        losses = np.array([fold.loss(beta, extrapolation, tol, solver) for fold in folds])
        warm = solutions[-1] if solutions else None
        solution = solve(problem.with_beta(beta), tol=tol, solver=solver, warm_start=warm)
        if solutions and np.isnan(losses).any():
            break
        error = losses.std(ddof=1) / math.sqrt(len(folds))
        solutions.append(solution)
        rows.append(describe(solution) | {"cv_loss": float(losses.mean()), "cv_se": float(error)})
        if len(rows) > _best(rows) + PATIENCE * DENSITY:
            break
    return solutions, rows, _best(rows) if rule == "cv" else _simplest(rows)


def _best(rows: list[dict[str, float]]) -> int:
    return int(np.argmin([row["cv_loss"] for row in rows]))


def _simplest(rows: list[dict[str, float]]) -> int:
    """Return the position of the largest penalty within one standard error of the best mean loss."""
    best = rows[_best(rows)]
    near = [row["cv_loss"] <= best["cv_loss"] + best["cv_se"] for row in rows]
    return int(np.argmax(near))
