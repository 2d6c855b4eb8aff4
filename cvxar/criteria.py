"""Information criteria of a solution: its fit, its size, and the price of a degree of freedom."""

import math
from collections.abc import Callable
from typing import NamedTuple

from cvxar.losses import Loss
from cvxar.solver import Solution

# price of one degree of freedom in -2 log likelihood, given the number of observations
CRITERIA: dict[str, Callable[[int], float]] = {
    "bic": lambda nobs: math.log(nobs),
    "aic": lambda nobs: 2.0,
    "hqic": lambda nobs: 2.0 * math.log(math.log(nobs)) if nobs > 1 else -math.inf,
}
# paths end when the degrees of freedom exceed this share of the observations: the criteria are asymptotic,
# and rush to minus infinity as a fit approaches interpolation
CROWDED = 0.25


class Fit(NamedTuple):
    """Log likelihood and information criteria; Gaussian ones as statsmodels' ``AutoReg`` defines them."""

    llf: float
    aic: float
    bic: float
    hqic: float


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


def laplace_fit(loss: Loss, total: float, nobs: int, df: int) -> Fit:
    r"""Return log likelihood and criteria of an asymmetric Laplace regression (quantiles).

    .. math:: \ell = -n \left(\log\tfrac{\mathrm{total}}{n}
              + \log\left(\tfrac1{\mathrm{upper}} - \tfrac1{\mathrm{lower}}\right) + 1\right)

    for the total loss; the criteria are as in :func:`gaussian_fit`, so BIC orders fits as the
    criterion of Koenker, Ng and Portnoy (Biometrika 1994) does.

    Examples
    --------
    >>> from cvxar.losses import Absolute
    >>> round(laplace_fit(Absolute(), total=10.0, nobs=10, df=2).llf, 6)   # -10 (log 2 + 1)
    -16.931472
    """
    width = math.log(1 / loss.upper - 1 / loss.lower)
    llf = -nobs * (math.log(total / nobs) + width + 1) if total > 0 else math.inf
    bic, aic, hqic = (-2 * llf + price(nobs) * (df + 1) for price in CRITERIA.values())
    return Fit(llf, aic, bic, hqic)


def likelihood(loss: Loss, total: float, nobs: int, df: int) -> Fit:
    """Return the fit of a total loss: Laplace for piecewise-linear losses, else Gaussian.

    The Gaussian one takes twice the loss for the residual sum of squares, which it is for the squared loss.
    """
    if loss.curvature == 0:
        return laplace_fit(loss, total, nobs, df)
    return gaussian_fit(2 * total, nobs, df)


def degrees_of_freedom(solution: Solution) -> int:
    """Count active features and unpenalised columns (constant, skip connection, exogenous)."""
    problem = solution.problem
    linear = problem.x.shape[1] if problem.skip else 0
    return int(problem.fit_intercept) + linear + int(problem.exog.shape[1]) + len(solution.features)


def describe(solution: Solution) -> dict[str, float]:
    """Return one row of ``path_``: penalty, size, fit and criteria of a solution."""
    fit, loss = fit_of(solution), solution.loss
    return {
        "beta": solution.problem.beta,
        "df": degrees_of_freedom(solution),
        "loss": loss,
        "rss": 2 * loss,
        "aic": fit.aic,
        "bic": fit.bic,
        "hqic": fit.hqic,
        "n_breakpoints": solution.network.n_breakpoints,
        "relative_gap": solution.certificate.relative_gap,
    }


def fit_of(solution: Solution) -> Fit:
    """Return likelihood and criteria of a solution, read off its certificate: no pass over the data."""
    problem = solution.problem
    return likelihood(problem.loss, solution.loss, problem.nobs, degrees_of_freedom(solution))
