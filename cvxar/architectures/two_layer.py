"""Two-layer networks."""

from dataclasses import dataclass, replace

from cvxar._typing import Array
from cvxar.activations import ABS, RELU, SIGN, THRESHOLD, Activation, Homogeneous, leaky_relu
from cvxar.architectures.base import Architecture, Dictionary, Feature, Unit, check_slope
from cvxar.architectures.hinges import HingeDictionary, hinge_sums, run_peaks
from cvxar.architectures.step import StepDictionary
from cvxar.architectures.step_unit import StepUnit
from cvxar.errors import InputError, unknown_name

__all__ = ["TwoLayer", "hinge_sums", "run_peaks"]

STEPS = {"sign": SIGN, "threshold": THRESHOLD}
ACTIVATIONS = ("relu", "leaky_relu", "abs", *STEPS)


@dataclass(frozen=True)
class TwoLayer(Architecture):
    r"""Two-layer network :math:`\xi + \sum_i \alpha_i \sigma(w_i x + b_i)`.

    Parameters
    ----------
    activation : {"relu", "leaky_relu", "abs", "sign", "threshold"}
        Name of the activation. With sign and threshold a unit is :math:`s_i \sigma(w_i x + b_i)` and
        the penalty is :math:`\frac{\beta}{2} \sum_i (\alpha_i^2 + s_i^2)`.
    negative_slope : float, default 0.1
        Slope of the leaky ReLU left of 0, strictly between -1 and 1; other activations ignore it.

    Raises
    ------
    InputError
        For an unknown activation or a negative slope outside (-1, 1).

    Notes
    -----
    Sign networks are the one-dimensional fused Lasso: up to the constant the l1 norm is half the
    total variation of the fitted values (all of it for threshold).

    Examples
    --------
    >>> TwoLayer("leaky_relu", negative_slope=0.2).sigma.negative_slope
    0.2
    """

    activation: str = "relu"
    negative_slope: float = 0.1

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise unknown_name("activation of TwoLayer", self.activation, ACTIVATIONS)
        check_slope(self.negative_slope)
        if self.activation == "leaky_relu" and not -1 < self.negative_slope < 1:
            raise InputError(
                f"negative_slope must lie strictly between -1 and 1, got {self.negative_slope!r}; "
                "use activation='abs' for -1, and leave the network out for 1 (it is linear)"
            )

    @property
    def depth(self) -> int:
        """Always 2."""
        return 2

    @property
    def sigma(self) -> Activation:
        """The activation as a function."""
        fixed: dict[str, Activation] = {"relu": RELU, "abs": ABS, **STEPS}
        return fixed.get(self.activation) or leaky_relu(self.negative_slope)

    @property
    def hinge_cost(self) -> float | None:
        """``1 / (1 - negative_slope)``; None for steps."""
        slopes = {"relu": 0.0, "abs": -1.0, "leaky_relu": self.negative_slope}
        return None if self.activation in STEPS else 1.0 / (1.0 - slopes[self.activation])

    @property
    def jump_cost(self) -> float | None:
        """``1 / (1 - low)``: a half for sign, 1 for threshold; None for other activations."""
        return 1.0 / (1.0 - STEPS[self.activation].low) if self.activation in STEPS else None

    @property
    def needs_constant(self) -> bool:
        """True for sign and threshold."""
        return self.activation in STEPS

    def size(self, inputs: int) -> int:
        """``2 n``, and ``n - 1`` for sign and threshold."""
        return inputs - 1 if self.activation in STEPS else 2 * inputs

    def up_to_linear(self, unit: Unit) -> Unit:
        r"""Return a hinge as it opens to the right: :math:`\sigma(u) - \sigma(-u) = (1 + \kappa) u`."""
        return replace(unit, signs=(1,)) if isinstance(unit, Feature) else unit

    def dictionary(self, knots: Array) -> Dictionary:
        """Return the dictionary on sorted distinct inputs; cost O(1)."""
        sigma = self.sigma
        if isinstance(sigma, Homogeneous):
            return HingeDictionary(knots, sigma)
        return StepDictionary(knots, StepUnit(sigma), 1)
