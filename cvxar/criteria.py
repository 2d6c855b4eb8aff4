"""Information criteria of a solution: its fit, its size, and the price of a degree of freedom."""

import math
from collections.abc import Callable
from typing import NamedTuple

import scipy

from cvxar.losses import Loss
from cvxar.solution import Solution

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
    return _priced(llf, nobs, df)


def _priced(llf: float, nobs: int, df: int) -> Fit:
    bic, aic, hqic = (-2 * llf + price(nobs) * (df + 1) for price in CRITERIA.values())
    return Fit(llf, aic, bic, hqic)


def likelihood(loss: Loss, total: float, nobs: int, df: int) -> Fit:
    r"""Return the fit of a total loss, its scale estimated by maximum likelihood.

    .. math:: \ell = \max_\lambda\; -\frac{\mathrm{total}}{\lambda} - n \log Z(\lambda), \qquad
              Z(\lambda) = \int e^{-\rho(r) / \lambda}\, dr

    That is the Gaussian likelihood for the squared loss, the (asymmetric) Laplace one for
    piecewise-linear losses, so that BIC orders fits as the criterion of Koenker, Ng and Portnoy
    (Biometrika 1994) does, and that of Huber's least favourable density for his loss. Criteria as in
    :func:`gaussian_fit`.

    Examples
    --------
    >>> from cvxar.losses import Absolute, Huber
    >>> round(likelihood(Absolute(), total=10.0, nobs=10, df=2).llf, 6)   # -10 (log 2 + 1)
    -16.931472
    >>> round(gaussian_fit(10.0, 10, 2).llf - likelihood(Huber(1e9), total=5.0, nobs=10, df=2).llf, 9)
    0.0
    """
    if loss.quadratic:
        return gaussian_fit(2 * total, nobs, df)
    return _priced(-nobs * _least_cost(loss, total / nobs) if total > 0 else math.inf, nobs, df)


def _least_cost(loss: Loss, mean: float) -> float:
    """Return the minimum over the scale of ``mean / scale + log Z(scale)``."""
    if loss.curvature == 0:  # Z is proportional to the scale, which is the mean loss
        return 1 + math.log(mean) + math.log(1 / loss.upper - 1 / loss.lower)
    from scipy.optimize import minimize_scalar

    # between the mean loss (heavy tails alone) and twice it (no tails), with room to spare
    bounds = (math.log(mean) - 1, math.log(2 * mean) + 1)
    found = minimize_scalar(
        lambda s: mean * math.exp(-s) + log_mass(loss, s), bounds=bounds, options={"xatol": 1e-10}
    )
    return float(found.fun)


def log_mass(loss: Loss, log_scale: float) -> float:
    r"""Return the logarithm of the integral of :math:`e^{-\rho(r) / \lambda}`, for positive curvature.

    Examples
    --------
    >>> from cvxar.losses import Huber
    >>> round(log_mass(Huber(1e9), 0.0) - 0.5 * math.log(2 * math.pi), 9)    # the Gaussian one
    0.0
    """
    scale = math.exp(log_scale)
    root = math.sqrt(loss.curvature / scale)
    low, high = loss.lower * root, loss.upper * root
    middle = math.sqrt(2 * math.pi) * (scipy.special.ndtr(high) - scipy.special.ndtr(low))
    tails = math.exp(-high * high / 2) / high - math.exp(-low * low / 2) / low
    return math.log(loss.curvature / root) + math.log(middle + tails)


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
        "rss": 2 * loss if solution.problem.loss.quadratic else math.nan,
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
