"""Activation functions of the hidden layers."""

from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array


@dataclass(frozen=True)
class Homogeneous:
    r"""Positively homogeneous activation, :math:`\sigma(x) = \max(x, 0) + \kappa \min(x, 0)`.

    ``negative_slope`` is :math:`\kappa`: 0 is ReLU, -1 the absolute value, others leaky ReLU.

    Examples
    --------
    >>> import numpy as np
    >>> Homogeneous("abs", -1.0)(np.array([-2.0, 3.0]))
    array([2., 3.])
    """

    name: str
    negative_slope: float

    def __call__(self, x: Array) -> Array:
        """Apply the activation elementwise."""
        return np.maximum(x, 0.0) + self.negative_slope * np.minimum(x, 0.0)


RELU = Homogeneous("relu", 0.0)
ABS = Homogeneous("abs", -1.0)


def leaky_relu(negative_slope: float) -> Homogeneous:
    """Return the leaky ReLU of the given negative slope."""
    return Homogeneous("leaky_relu", float(negative_slope))
