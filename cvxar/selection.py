"""The penalty: given, a fraction of ``beta_max``, or chosen by an information criterion."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError, unknown_name
from cvxar.options import check_real
from cvxar.problem import LassoProblem
from cvxar.solver import Solution, solve

# price of one degree of freedom in -2 log likelihood, given the number of observations
CRITERIA: dict[str, Callable[[int], float]] = {
    "bic": lambda nobs: math.log(nobs),
    "aic": lambda nobs: 2.0,
    "hqic": lambda nobs: 2.0 * math.log(math.log(nobs)),
}
# penalties per factor of ten, and the ends of the path as shares of its start
DENSITY = 15
END, LOWEST_END = 1e-4, 1e-10
# the path ends once the criterion exceeds its best value by the price of this many kinks ...
PATIENCE = 10.0
# ... or the degrees of freedom this share of the observations: the criteria are asymptotic, and
# rush to minus infinity as a fit approaches interpolation
CROWDED = 0.25


class Fit(NamedTuple):
    """Gaussian log likelihood and information criteria, as statsmodels' ``AutoReg`` defines them."""

    llf: float
    aic: float
    bic: float
    hqic: float


@dataclass(frozen=True)
class Selection:
    """A solution with its criteria; ``table`` describes the path it was chosen from, if any."""

    solution: Solution
    fit: Fit
    table: pd.DataFrame | None


def gaussian_fit(rss: float, nobs: int, df: int) -> Fit:
    r"""Return log likelihood and criteria of a Gaussian regression.

    .. math:: \ell = -\tfrac n2 (\log 2\pi + \log(\mathrm{rss}/n) + 1), \quad
              \mathrm{IC} = -2\ell + c_n (\mathrm{df} + 1)

    with :math:`c_n` = 2 (AIC), log n (BIC), 2 log log n (HQIC); the one is the variance. A perfect
    fit has infinite likelihood.

    Examples
    --------
    >>> round(gaussian_fit(rss=10.0, nobs=10, df=2).aic, 6)   # 10 (log 2 pi + 1) + 2 * 3
    34.378771
    """
    llf = -nobs / 2 * (math.log(2 * math.pi) + math.log(rss / nobs) + 1) if rss > 0 else math.inf
    bic, aic, hqic = (-2 * llf + price(nobs) * (df + 1) for price in CRITERIA.values())
    return Fit(llf, aic, bic, hqic)


def degrees_of_freedom(solution: Solution) -> int:
    """Count active features and unpenalised columns (constant, skip connection, exogenous)."""
    problem = solution.problem
    linear = problem.x.shape[1] if problem.skip else 0
    return int(problem.fit_intercept) + linear + int(problem.exog.shape[1]) + len(solution.features)


def describe(solution: Solution) -> dict[str, float]:
    """Return one row of ``path_``: penalty, size, fit and criteria of a solution."""
    problem = solution.problem
    loss = problem.loss.value(problem.y - solution.fitted)
    df, nobs = degrees_of_freedom(solution), len(problem.y)
    fit = gaussian_fit(2 * loss, nobs, df)
    return {
        "beta": problem.beta,
        "df": df,
        "loss": loss,
        "rss": 2 * loss,
        "aic": fit.aic,
        "bic": fit.bic,
        "hqic": fit.hqic,
        "n_breakpoints": len(solution.network.breakpoints),
        "relative_gap": solution.certificate.relative_gap,
    }


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
    cvxar.errors.InputError: unknown beta 'bik'; known: 'bic', 'aic', 'hqic'
    """
    if isinstance(beta, str):
        if beta not in CRITERIA:
            raise unknown_name("beta", beta, CRITERIA)
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
    problem: LassoProblem, beta: float | str, beta_ratio: float | None, *, tol: float, solver: str
) -> Selection:
    """Solve the problem at the penalty given, or at the one a criterion prefers.

    Parameters
    ----------
    problem : LassoProblem
        Its own penalty is not used.
    beta : float or str
        The penalty, or the criterion that chooses it: ``"bic"``, ``"aic"``, ``"hqic"``.
    beta_ratio : float, optional
        The penalty as a share of ``beta_max``; comes before ``beta``.
    tol, solver
        As in :func:`cvxar.solver.solve`.
    """
    if beta_ratio is None and isinstance(beta, str):
        return _select_on_path(problem, beta, tol, solver)
    number = float(beta) if beta_ratio is None else beta_ratio * problem.beta_max
    solution = solve(problem.with_beta(number), tol=tol, solver=solver)
    return Selection(solution, _fit_of(solution), None)


def _fit_of(solution: Solution) -> Fit:
    rss = 2 * solution.problem.loss.value(solution.problem.y - solution.fitted)
    return gaussian_fit(rss, len(solution.problem.y), degrees_of_freedom(solution))


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


def _select_on_path(problem: LassoProblem, criterion: str, tol: float, solver: str) -> Selection:
    """Follow the path down from ``beta_max`` until the criterion is out of reach of its best value.

    A lower penalty buys fit with kinks, each at the price of the criterion. The path is left when the
    criterion has risen above its best by the price of ``PATIENCE`` kinks, or when the degrees of freedom
    exceed the share ``CROWDED`` of the observations.
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
    table = pd.DataFrame(rows)
    table.insert(1, "beta_ratio", table["beta"] / problem.beta_max if problem.beta_max > 0 else 1.0)
    chosen = solutions[int(np.argmin(table[criterion]))]
    return Selection(chosen, _fit_of(chosen), table)
