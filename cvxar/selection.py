"""The penalty: given, a fraction of ``beta_max``, or chosen by a criterion or by cross-validation."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvxar.criteria import CRITERIA, CROWDED, Fit, describe, fit_of
from cvxar.cross_validation import RULES, validate
from cvxar.errors import InputError, unknown_name
from cvxar.options import check_real
from cvxar.penalty_grid import beta_grid
from cvxar.problem import LassoProblem
from cvxar.solution import Solution
from cvxar.solver import solve

# the path ends once the criterion exceeds its best value by the price of this many kinks
PATIENCE = 10.0
CHOICES = (*CRITERIA, *RULES)


@dataclass(frozen=True)
class Selection:
    """A solution with its criteria; ``table`` describes the path it was chosen from, if any."""

    solution: Solution
    fit: Fit
    table: pd.DataFrame | None


def check_beta_choice(beta: float | str, beta_ratio: float | None) -> None:
    """Raise unless the penalty is chosen in exactly one known way.

    Raises
    ------
    InputError
        For a negative or infinite ``beta``, a ``beta_ratio`` outside (0, 1], both at once, an unknown name.
    InputTypeError
        For something that is neither a number nor a name.

    Examples
    --------
    >>> check_beta_choice("bik", None)
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: unknown beta 'bik'; known: 'bic', 'aic', 'hqic', 'cv', 'cv1se'
    """
    if isinstance(beta, str):
        if beta not in CHOICES:
            raise unknown_name("beta", beta, CHOICES)
    else:
        check_real("beta", beta)
        if not 0 <= beta < math.inf:
            raise InputError(f"beta must be finite and at least 0, got {beta!r}")
    if beta_ratio is None:
        return
    check_real("beta_ratio", beta_ratio)
    if not 0 < beta_ratio <= 1:
        raise InputError(
            f"beta_ratio must be above 0 and at most 1 (it is a share of beta_max), got {beta_ratio!r}"
        )
    if not isinstance(beta, str):
        raise InputError(f"give beta or beta_ratio, not both (got beta={beta!r}, beta_ratio={beta_ratio!r})")


def select(
    problem: LassoProblem,
    beta: float | str,
    beta_ratio: float | None,
    *,
    tol: float,
    solver: str,
    extrapolation: str = "ar",
) -> Selection:
    """Solve the problem at the penalty given, or at the one a criterion prefers.

    Parameters
    ----------
    problem : LassoProblem
        Its own penalty is not used.
    beta : float or str
        The penalty, or what chooses it: ``"bic"``, ``"aic"``, ``"hqic"``, ``"cv"``, ``"cv1se"``.
    beta_ratio : float, optional
        The penalty as a share of ``beta_max``; comes before ``beta``.
    tol, solver
        As in :func:`cvxar.solver.solve`.
    extrapolation
        Beyond the training range, for cross-validation: see :func:`cvxar.simulation.conditional_mean`.
    """
    if beta_ratio is None and isinstance(beta, str):
        if beta in RULES:
            solutions, rows, chosen = validate(problem, beta, extrapolation, tol=tol, solver=solver)
        else:
            solutions, rows, chosen = _follow(problem, beta, tol, solver)
        return Selection(solutions[chosen], fit_of(solutions[chosen]), _table(rows, problem.beta_max))
    number = float(beta) if beta_ratio is None else beta_ratio * problem.beta_max
    solution = solve(problem.with_beta(number), tol=tol, solver=solver)
    return Selection(solution, fit_of(solution), None)


def _table(rows: list[dict[str, float]], beta_max: float) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table.insert(1, "beta_ratio", table["beta"] / beta_max if beta_max > 0 else 1.0)
    return table


def _follow(
    problem: LassoProblem, criterion: str, tol: float, solver: str
) -> tuple[list[Solution], list[dict[str, float]], int]:
    """Follow the path down from ``beta_max`` until the criterion is out of reach of its best value.

    A lower penalty buys fit with kinks, each at the price of the criterion. The path is left when the
    criterion has risen above its best by the price of ``PATIENCE`` kinks, or when the degrees of freedom
    exceed the share ``CROWDED`` of the observations. Returns the solutions, their rows, and the best.
    """
    nobs = len(problem.y)
    ceiling = PATIENCE * CRITERIA[criterion](nobs)
    solutions: list[Solution] = []
    rows: list[dict[str, float]] = []
    for beta in beta_grid(problem):
        warm = solutions[-1] if solutions else None
        solution = solve(problem.with_beta(float(beta)), tol=tol, solver=solver, warm_start=warm)
        row = describe(solution)
        if solutions and row["df"] > CROWDED * nobs:
            break
        solutions.append(solution)
        rows.append(row)
        if row[criterion] > min(r[criterion] for r in rows) + ceiling:
            break
    return solutions, rows, int(np.argmin([row[criterion] for row in rows]))
