"""The Huber loss."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from cvxar.errors import InputError, InputTypeError
from cvxar.losses.base import Loss


@dataclass(frozen=True)
class Huber(Loss):
    r"""Squared near zero, linear beyond: :math:`r^2/2` up to ``delta``, then :math:`\delta (|r| - \delta/2)`.

    Parameters
    ----------
    delta : float, default 1.345
        Where the loss turns linear, positive, in the units of y. The default has 95 % of the efficiency
        of least squares for residuals of unit variance: multiply it by a robust scale of yours.

    Raises
    ------
    InputError
        For a ``delta`` that is not positive and finite.
    InputTypeError
        For a ``delta`` that is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> Huber(1.0).value(np.array([1.0, -3.0]))            # 1/2 + (3 - 1/2)
    3.0
    """

    delta: float = 1.345

    def __post_init__(self) -> None:
        if not isinstance(self.delta, Real) or isinstance(self.delta, bool):
            raise InputTypeError(f"delta must be a number, got {type(self.delta).__name__}")
        if not 0 < self.delta < np.inf:
            raise InputError(
                f"delta must be positive and finite, got {self.delta!r}; it has the units of y, and "
                "losses.Squared() is the limit of a large one"
            )
        object.__setattr__(self, "delta", float(self.delta))  # numbers of numpy, too, go into files as text

    @property
    def lower(self) -> float:
        """``-delta``."""
        return -self.delta

    @property
    def upper(self) -> float:
        """``delta``."""
        return self.delta

    @property
    def curvature(self) -> float:
        """One."""
        return 1.0
