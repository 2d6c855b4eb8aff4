"""Activation functions of the hidden layers."""

from dataclasses import dataclass
from typing import TypeAlias

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


@dataclass(frozen=True)
class Step:
    r"""Step activation: 1 for :math:`x \ge 0`, ``low`` below; ``low`` is -1 (sign) or 0 (threshold).

    Examples
    --------
    >>> import numpy as np
    >>> Step("sign", -1.0)(np.array([-2.0, 0.0, 3.0]))
    array([-1.,  1.,  1.])
    """

    name: str
    low: float

    def __call__(self, x: Array) -> Array:
        """Apply the activation elementwise."""
        return np.where(x >= 0, 1.0, self.low)


SIGN = Step("sign", -1.0)
THRESHOLD = Step("threshold", 0.0)

Activation: TypeAlias = Homogeneous | Step


def named(name: str, negative_slope: float | None = None) -> Activation:
    """Return the activation of a name, as networks store it.

    Examples
    --------
    >>> named("sign").low
    -1.0
    """
    steps = {step.name: step for step in (SIGN, THRESHOLD)}
    if name in steps:
        return steps[name]
    if name not in {RELU.name, ABS.name, "leaky_relu"}:
        raise ValueError(f"unknown activation {name!r}")
    return Homogeneous(name, float("nan" if negative_slope is None else negative_slope))
