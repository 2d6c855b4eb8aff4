"""The quantile (pinball) loss."""

from dataclasses import dataclass
from numbers import Real

from cvxar.errors import InputError, InputTypeError
from cvxar.losses.base import Loss


@dataclass(frozen=True)
class Quantile(Loss):
    r"""Pinball loss :math:`\sum_t w_t \max(\tau r_t, (\tau - 1) r_t)`; its minimiser is the tau-quantile.

    Parameters
    ----------
    tau : float, default 0.5
        Level, strictly between 0 and 1; 0.5 is half the sum of absolute residuals.

    Raises
    ------
    InputError
        For a level outside (0, 1).
    InputTypeError
        For a level that is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> Quantile(0.9).value(np.array([2.0, -10.0]))        # 0.9 * 2 + 0.1 * 10
    2.8
    """

    tau: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.tau, Real) or isinstance(self.tau, bool):
            raise InputTypeError(f"tau must be a number, got {type(self.tau).__name__}")
        if not 0 < self.tau < 1:
            raise InputError(
                f"tau must lie strictly between 0 and 1, got {self.tau!r}; 0.95 is the 95 % quantile"
            )
        object.__setattr__(self, "tau", float(self.tau))  # numbers of numpy, too, go into files as text

    @property
    def lower(self) -> float:
        """``tau - 1``, the slope at negative residuals."""
        return self.tau - 1.0

    @property
    def upper(self) -> float:
        """``tau``, the slope at positive residuals."""
        return self.tau

    @property
    def curvature(self) -> float:
        """Zero: piecewise linear."""
        return 0.0
