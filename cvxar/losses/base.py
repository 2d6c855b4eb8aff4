"""What every loss is: three numbers, from which value, dual and conjugate follow."""

import math
from abc import ABC, abstractmethod

import numpy as np

from cvxar._typing import Array


class Loss(ABC):
    r"""A convex loss of the residual ``r = y - fitted``, given by three numbers.

    .. math:: \rho(r) = \max_{\text{lower} \le u \le \text{upper}}\; u\,r - \text{curvature}\,u^2/2

    The total over n observations is ``sum_t w_t rho(r_t)``, its conjugate at a dual vector
    ``dual`` (the negative gradient with respect to the fitted values) is
    ``sum_t curvature dual_t^2 / (2 w_t)`` where ``dual_t / w_t`` lies in ``[lower, upper]``.
    A loss knows neither the data nor the penalty nor any solver.
    """

    @property
    @abstractmethod
    def lower(self) -> float:
        """Smallest slope of the loss (``-inf`` for the squared loss)."""

    @property
    @abstractmethod
    def upper(self) -> float:
        """Largest slope of the loss."""

    @property
    @abstractmethod
    def curvature(self) -> float:
        """Coefficient of ``u^2 / 2`` in the conjugate; 0 for piecewise-linear losses."""

    @property
    def quadratic(self) -> bool:
        """Whether the loss is quadratic everywhere (no bounds on its slope)."""
        return math.isinf(self.lower) and math.isinf(self.upper)

    def is_squared_at(self, dual: Array, weight: Array) -> bool:
        """Whether the loss is the squared one at residuals ``dual / weight``: no bound is reached."""
        return self.curvature == 1 and bool(
            np.all((dual >= weight * self.lower) & (dual <= weight * self.upper))
        )

    def slope(self, residual: Array) -> Array:
        """Return the maximiser ``u`` (a derivative of the loss at ``residual``)."""
        if self.quadratic:
            return residual / self.curvature
        if self.curvature > 0:
            return np.clip(residual / self.curvature, self.lower, self.upper)
        return np.where(residual > 0, self.upper, np.where(residual < 0, self.lower, 0.0))

    def value(self, residual: Array, weight: Array | float = 1.0) -> float:
        """Return ``sum w rho(r)``."""
        u = self.slope(residual)
        return float(np.sum(weight * (u * residual - self.curvature * u * u / 2)))

    def conjugate(self, dual: Array, weight: Array | float = 1.0) -> float:
        """Return ``sum w rho*(dual / w)``; infinite outside the box."""
        if np.any(dual < weight * self.lower) or np.any(dual > weight * self.upper):
            return float("inf")
        u = dual / weight
        return float(self.curvature * np.sum(weight * u * u) / 2)
