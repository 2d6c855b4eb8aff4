r"""Standard errors of a fitted autoregression, conditional on what was selected.

The active features (their breakpoints) are taken as given, and the covariance is that of least squares on
them and on the unpenalised columns, as ``AutoReg`` computes it:

.. math:: \widehat{\mathrm{Cov}} = \hat\sigma^2 (D'D)^{-1}, \quad \hat\sigma^2 = \mathrm{rss}/n, \quad
          D = (\text{unpenalised columns}, \text{active features}).

Neither the choice of the breakpoints nor the shrinkage of the coefficients is accounted for, so the errors
are too small where there are breakpoints; without any they are those of ``AutoReg``. Tests and intervals use
the normal distribution.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.architectures import Unit
from cvxar.piecewise import combine
from cvxar.problem import LassoProblem
from cvxar.solution import Solution

# entries of the design per block of rows
BLOCK = 2_000_000
# columns beyond this share of their size in the span of the others are not identified
RANK = 1e-11


@dataclass(frozen=True)
class Covariance:
    """Covariance of the coefficients of one solution, in the order of the problem.

    The order is: constant (if any), skip connection, further unpenalised columns, active features.

    Parameters
    ----------
    solution : Solution
    """

    solution: Solution

    @property
    def sigma2(self) -> float:
        """Mean squared residual."""
        problem = self.solution.problem
        rest = problem.y - self.solution.fitted
        return float(rest @ rest) / len(rest)

    @property
    def size(self) -> int:
        """Number of coefficients."""
        problem = self.solution.problem
        own = problem.x.shape[1] if problem.skip else 0
        return int(problem.fit_intercept) + own + int(problem.exog.shape[1]) + len(self.solution.features)

    @property
    def known(self) -> bool:
        """Whether the errors mean anything: squared loss, fewer coefficients than observations."""
        problem = self.solution.problem
        return problem.loss.quadratic and self.size < len(problem.y)

    @cached_property
    def _factor(self) -> tuple[Array, Array]:
        """Root of the covariance over ``sigma2``, (k, r), and which coefficients are identified, (k,)."""
        anchor, scale = _frame(self.solution)
        triangle: Array = np.empty((0, self.size))
        for rows in _blocks(self.solution.problem, self.size):
            block = (_columns(self.solution, rows) - anchor) / scale
            triangle = np.asarray(np.linalg.qr(np.vstack([triangle, block]), mode="r"))
        _, s, vt = np.linalg.svd(triangle, full_matrices=False)
        good = s > RANK * np.max(s, initial=0.0)
        root = vt[good].T / s[good]
        lost = np.sum(vt[~good] ** 2, axis=0) > RANK
        # back to the columns as given: the constant takes up what the anchors took away
        root = root / scale[:, None]
        if self.solution.problem.fit_intercept:
            root[0] -= anchor[1:] @ root[1:]
            lost[0] = _constant_lost(vt[~good] / scale, anchor)
        return root, lost

    def of(self, combinations: Array) -> Array:
        """Return the covariance (m, m) of linear combinations (m, k) of the coefficients; NaN if unknown."""
        unknown = np.full((len(combinations), len(combinations)), np.nan)
        if not self.known or not self.size:
            return unknown
        root, lost = self._factor
        half = combinations @ root
        covariance: Array = self.sigma2 * (half @ half.T)
        bad = np.any(combinations[:, lost] != 0, axis=1)
        covariance[bad] = np.nan
        covariance[:, bad] = np.nan
        return covariance


def _constant_lost(null: Array, anchor: Array) -> bool:
    """Whether coefficients (m, k) of anchored columns that add up to nothing move the constant as given."""
    moved = null[:, 0] - null[:, 1:] @ anchor[1:]
    size = 1.0 + np.abs(null[:, 1:]) @ np.abs(anchor[1:])
    return bool(np.any(np.abs(moved) > np.sqrt(RANK) * size))


def _frame(solution: Solution) -> tuple[Array, Array]:
    """Anchors and scales of the columns, for their conditioning; the constant is left as it is."""
    problem = solution.problem
    few = _columns(solution, slice(0, len(problem.y), max(len(problem.y) // 1000, 1)))
    anchor = few.mean(axis=0) if problem.fit_intercept else np.zeros(few.shape[1])
    anchor[: int(problem.fit_intercept)] = 0.0
    scale = np.max(np.abs(few - anchor), axis=0, initial=0.0)
    return anchor, np.where(scale > 0, scale, 1.0)


def _blocks(problem: LassoProblem, size: int) -> Iterator[slice]:
    rows = max(BLOCK // max(size, 1), size, 1)
    for first in range(0, len(problem.y), rows):
        yield slice(first, min(first + rows, len(problem.y)))


def _columns(solution: Solution, rows: slice) -> Array:
    """Unpenalised columns and active features at some observations."""
    problem = solution.problem
    x, exog = problem.x[rows], problem.exog[rows]
    constant = np.ones((len(x), int(problem.fit_intercept)))
    features = [feature(x[:, feature.column]) for feature in solution.features]
    own = x if problem.skip else x[:, :0]
    return np.hstack([constant, own, exog, np.array(features).reshape(-1, len(x)).T])


def slopes_of(features: tuple[Unit, ...], column: int, edges: Array) -> Array:
    """Return the slope of every feature on every interval between edges, (intervals, features).

    Examples
    --------
    >>> from cvxar import LassoProblem, solve
    >>> found = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1, skip=True))
    >>> slopes_of(found.features, 0, np.array([-np.inf, 1.0, np.inf])).tolist()
    [[0.0], [1.0]]
    """
    inner = edges[1:-1]
    middle = np.concatenate([[-np.inf], (inner[1:] + inner[:-1]) / 2, [np.inf]])[: len(edges) - 1]
    slopes = np.zeros((len(middle), len(features)))
    for k, feature in enumerate(features):
        if feature.column == column:
            part = combine((feature,), np.ones(1), 0.0, 0.0)
            slopes[:, k] = part.inclines[np.searchsorted(part.points, middle, side="right")]
    return slopes


def coefficient_table(names: list[str], coef: Array, covariance: Array) -> pd.DataFrame:
    """Return estimates with errors, z and two-sided normal p values, one row per name.

    Examples
    --------
    >>> coefficient_table(["a"], np.array([2.0]), np.array([[1.0]])).round(4).to_numpy().tolist()
    [[2.0, 1.0, 2.0, 0.0455]]
    """
    from scipy.special import ndtr

    variance = np.diag(covariance) if len(coef) else np.empty(0)
    errors = np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = coef / errors
    table = {"coef": coef, "std_err": errors, "z": z, "pvalue": 2 * ndtr(-np.abs(z))}
    return pd.DataFrame(table, index=pd.Index(names, dtype=object))


def interval(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Return the normal intervals of a coefficient table that cover with probability ``1 - alpha``.

    Examples
    --------
    >>> table = coefficient_table(["a"], np.array([2.0]), np.array([[1.0]]))
    >>> interval(table, 0.05).round(2).to_numpy().tolist()
    [[0.04, 3.96]]
    """
    from scipy.special import ndtri

    half = -ndtri(alpha / 2) * table["std_err"]
    return pd.DataFrame({0: table["coef"] - half, 1: table["coef"] + half})
