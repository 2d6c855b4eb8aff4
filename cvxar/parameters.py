"""The named parameters of a fitted autoregression, its regimes, and their conditional errors."""

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.deterministic import Deterministic
from cvxar.inference import Covariance, coefficient_table, slopes_of
from cvxar.piecewise import PiecewiseLinear
from cvxar.settings import Terms
from cvxar.solution import Solution


def free_coefficients(solution: Solution) -> Array:
    """Return the unpenalised coefficients in the order of the problem: constant, skip, further columns."""
    problem = solution.problem
    constant = [solution.intercept] if problem.fit_intercept else []
    own = solution.linear if problem.skip else np.empty(0)
    return np.concatenate([constant, own, solution.exog_coef])


def named(
    solution: Solution,
    terms: Terms,
    deterministic: Deterministic,
    lag_names: tuple[str, ...],
    exog_names: tuple[str, ...],
) -> tuple[list[str], Array]:
    """Return the names of the free parameters, in the order of ``AutoReg``, and how they are made.

    The parameters are the matrix returned times :func:`free_coefficients`.
    """
    skip, one = solution.problem.skip, int(deterministic.intercept)
    own = len(terms.curved) if skip else 0
    straight = len(terms.straight)
    places = {j: one + i for i, j in enumerate(terms.curved)} if skip else {}
    places |= {j: one + own + i for i, j in enumerate(terms.straight)}
    first = one + own + straight
    after = first + deterministic.width
    size = after + len(exog_names)
    trend = np.zeros((one + deterministic.width, size))
    trend[:, [*range(one), *range(first, after)]] = deterministic.mixing()
    rest = np.eye(size)[[*(places[j] for j in sorted(places)), *range(after, size)]]
    names = [*deterministic.names, *(lag_names[j] for j in sorted(places)), *exog_names]
    return names, np.vstack([trend, rest])


def parameter_table(names: list[str], mixing: Array, covariance: Covariance) -> pd.DataFrame:
    """Return the named parameters with conditional errors, z and p values."""
    solution = covariance.solution
    features = np.zeros((len(mixing), len(solution.features)))
    values = mixing @ free_coefficients(solution)
    return coefficient_table(names, values, covariance.of(np.hstack([mixing, features])))


def regimes(part: PiecewiseLinear, values: Array) -> pd.DataFrame:
    """Return the linear pieces of one lag: ``from``, ``to``, ``slope`` and number of observations.

    Examples
    --------
    >>> g = PiecewiseLinear(np.array([0.0]), np.array([0.0]), np.array([0.2, 0.9]))
    >>> regimes(g, np.array([-1.0, 2.0, 3.0])).to_numpy().tolist()
    [[-inf, 0.0, 0.2, 1.0], [0.0, inf, 0.9, 2.0]]
    """
    edges = np.concatenate([[-np.inf], part.breaks, [np.inf]])
    counts = np.bincount(np.searchsorted(part.breaks, values, side="right"), minlength=len(part.slopes))
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "slope": part.slopes, "nobs": counts})


def regime_table(covariance: Covariance, column: int, values: Array) -> pd.DataFrame:
    """Return the regimes of one input column with conditional errors, z and p values of their slopes.

    The slope of a regime is the linear coefficient of its lag plus the slopes of the active features there.
    """
    solution = covariance.solution
    table = regimes(solution.network.pieces(column), values)
    edges = np.append(table["from"].to_numpy(), np.inf)
    problem, one = solution.problem, int(solution.problem.fit_intercept)
    free = np.zeros((len(table), len(free_coefficients(solution))))
    if problem.skip:
        free[:, one + column] = 1.0
    features = slopes_of(solution.features, column, edges)
    own = covariance.of(np.hstack([free, features]))
    found = coefficient_table([""] * len(table), table["slope"].to_numpy(), own)
    errors = found[["std_err", "z", "pvalue"]].reset_index(drop=True)
    return pd.concat([table[["from", "to", "slope"]], errors, table[["nobs"]]], axis=1)
