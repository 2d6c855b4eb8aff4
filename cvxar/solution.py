"""A solved problem: what the solvers return."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.architectures import Unit
from cvxar.cell_search import Residuals
from cvxar.cells import CellState
from cvxar.certificate import Certificate, certify, certify_least_norm
from cvxar.coefficients import Coefficients, Source
from cvxar.errors import InputError
from cvxar.lazy_search import LazyState
from cvxar.network import Network
from cvxar.nodal import State
from cvxar.problem import LassoProblem, as_columns
from cvxar.ramp_search import RampState
from cvxar.spline import Spline


@dataclass(frozen=True, repr=False)
class Solution:
    """A solved problem: coefficients, certificate, network.

    Examples
    --------
    >>> from cvxar import solve
    >>> solution = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1, skip=True))
    >>> solution.coef.round(12), solution.certificate.holds(1e-8)
    (array([0.4]), True)
    """

    problem: LassoProblem
    source: Source
    certificate: Certificate
    found_dual: Array | Residuals | None
    rounds: int
    seconds: float
    state: State | CellState | LazyState | RampState | Spline | None

    @cached_property
    def point(self) -> Coefficients:
        """Coefficients, made when first asked for."""
        return self.source.coefficients

    @property
    def features(self) -> tuple[Unit, ...]:
        """Active features."""
        return self.point.features

    @property
    def coef(self) -> Array:
        """Coefficients of the active features, (k,)."""
        return self.point.coef

    @property
    def intercept(self) -> float:
        """The constant."""
        return self.point.intercept

    @property
    def linear(self) -> Array:
        """Skip-connection coefficients, (p,); zeros without one."""
        return self.point.linear

    @property
    def exog_coef(self) -> Array:
        """Coefficients of the exogenous columns, (q,)."""
        return self.point.exog_coef

    @property
    def l1_norm(self) -> float:
        """Sum of the absolute feature coefficients."""
        return self.point.l1_norm

    @cached_property
    def loss(self) -> float:
        """Loss part of the objective, from the certificate (from the residuals where it lacks the digits)."""
        problem, primal = self.problem, self.certificate.primal
        loss = primal - problem.beta * self.l1_norm
        if problem.beta > 0 and loss > 1e-3 * primal:
            return loss
        weight = 1.0 if problem.sample_weight is None else problem.sample_weight
        return problem.loss.value(problem.y - self.fitted, weight) + problem.design.lost

    @cached_property
    def dual(self) -> Array:
        """Dual vector: weighted residuals of the observations of positive weight, in the units of y."""
        if self.found_dual is not None:
            return self.found_dual.dual if isinstance(self.found_dual, Residuals) else self.found_dual
        design = self.problem.design
        rest = (design.y - self.point.level) - self.point.varying(design.x, design.exog)
        return design.weight * rest

    @cached_property
    def network(self) -> Network:
        """The trained network (reconstruction map)."""
        architecture = self.problem.architecture
        return Network(architecture.sigma, architecture.depth, self.point.without_exog())

    @cached_property
    def fitted(self) -> Array:
        """Fitted values at the observations, exogenous part included, (n,)."""
        return self.point.level + self.point.varying(self.problem.x, self.problem.exog)

    def __repr__(self) -> str:
        return f"Solution({len(self.coef)} features, beta={self.problem.beta:g}, {self.certificate})"

    def verify(self) -> Certificate:
        """Recompute the certificate from problem, coefficients and dual vector alone; O(p n), one search.

        Examples
        --------
        >>> from cvxar import solve
        >>> solution = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1, skip=True))
        >>> solution.verify().holds(1e-8)
        True
        """
        prove = certify if self.problem.beta > 0 else certify_least_norm
        return prove(self.problem, self.point, self.dual)

    def predict(self, x: ArrayLike, exog: ArrayLike | None = None) -> Array:
        """Evaluate at new inputs, exogenous part included.

        Raises
        ------
        InputError
            When the number of columns differs from the fit, or exog is missing.
        """
        x = as_columns(x, "x")
        q = self.problem.exog.shape[1]
        if exog is None and q:
            raise InputError(
                f"the model was fitted with {q} exogenous column(s); pass exog, one row per row of x"
            )
        rows = np.empty((len(x), 0)) if exog is None else as_columns(exog, "exog", len(x))
        for name, got, fitted in (("x", x, self.problem.x), ("exog", rows, self.problem.exog)):
            if got.shape[1] != fitted.shape[1]:
                raise InputError(
                    f"{name} has {got.shape[1]} column(s), the model was fitted on {fitted.shape[1]}"
                )
        return self.point.level + self.point.varying(x, rows)
