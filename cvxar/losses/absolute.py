"""The absolute loss."""

from dataclasses import dataclass

from cvxar.losses.base import Loss


@dataclass(frozen=True)
class Absolute(Loss):
    r"""Sum of absolute residuals, :math:`\sum_t w_t |r_t|`: twice the pinball loss at the median.

    Examples
    --------
    >>> import numpy as np
    >>> Absolute().value(np.array([1.0, -2.0]))
    3.0
    """

    @property
    def lower(self) -> float:
        """Minus one."""
        return -1.0

    @property
    def upper(self) -> float:
        """One."""
        return 1.0

    @property
    def curvature(self) -> float:
        """Zero: piecewise linear."""
        return 0.0
