"""The squared loss."""

from dataclasses import dataclass

from cvxar.losses.base import Loss


@dataclass(frozen=True)
class Squared(Loss):
    r"""Half the sum of squared residuals, :math:`\tfrac12\sum_t w_t r_t^2`.

    Examples
    --------
    >>> import numpy as np
    >>> Squared().value(np.array([1.0, -2.0]))
    2.5
    """

    @property
    def lower(self) -> float:
        """Unbounded below."""
        return float("-inf")

    @property
    def upper(self) -> float:
        """Unbounded above."""
        return float("inf")

    @property
    def curvature(self) -> float:
        """One."""
        return 1.0
