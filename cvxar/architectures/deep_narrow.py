"""Deep narrow networks: parallel chains of one unit a layer."""

from dataclasses import dataclass
from functools import partial
from math import comb

import numpy as np

from cvxar._typing import Array
from cvxar.activations import ABS, RELU, Homogeneous, leaky_relu
from cvxar.architectures.base import Architecture, Dictionary, RampForm, check_slope
from cvxar.architectures.deep_abs import FoldDictionary
from cvxar.architectures.deep_leaky import TokenDictionary
from cvxar.architectures.deep_relu import RampDictionary, ramp
from cvxar.errors import InputError, InputTypeError, unknown_name

ACTIVATIONS = ("relu", "leaky_relu", "abs")


@dataclass(frozen=True)
class DeepNarrow(Architecture):
    r"""Deep narrow network: :math:`\xi + \sum_i \alpha_i X_{L,i}`, :math:`X_{l+1} = \sigma(w_l X_l + b_l)`.

    Parameters
    ----------
    activation : {"relu", "leaky_relu", "abs"}
        Name of the activation.
    depth : int, default 3
        Number of layers L, the output layer included; at least 3 (:class:`TwoLayer` has 2).
    negative_slope : float, default 0.1
        Slope of the leaky ReLU left of 0, strictly between 0 and 1; other activations ignore it.

    Raises
    ------
    InputError
        For an unknown activation, a depth below 3 or a negative slope outside (0, 1).
    InputTypeError
        For a depth that is not an integer.

    Notes
    -----
    ``"relu"``: capped ramps between two data points, at every depth (the optimal objective does not
    change from three layers on); O(m) search. ``"leaky_relu"``: monotone units whose slope is the
    power of ``negative_slope`` given by up to L - 1 data points; O(m L^3) search.
    ``"abs"``: units whose kinks are data points, their reflections :math:`R(a, b) = 2 b - a` and
    midpoints; exact search by branch and bound at depth 3 and 4 for any size, by enumeration beyond
    (small data only: the number of vertices grows like m to the power L - 1).

    Examples
    --------
    >>> import numpy as np
    >>> len(DeepNarrow("relu", depth=4).dictionary(np.array([0.0, 1.0, 3.0])).enumerate())
    3
    """

    activation: str = "relu"
    depth: int = 3
    negative_slope: float = 0.1

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise unknown_name("activation of DeepNarrow", self.activation, ACTIVATIONS)
        check_depth(self.depth)
        check_slope(self.negative_slope)
        if self.activation == "leaky_relu" and not 0 < self.negative_slope < 1:
            raise InputError(
                f"negative_slope of a deep leaky ReLU network must lie strictly between 0 and 1, got "
                f"{self.negative_slope!r}; use activation='relu' for 0 and 'abs' for -1"
            )

    @property
    def sigma(self) -> Homogeneous:
        """The activation as a function."""
        fixed = {"relu": RELU, "abs": ABS}
        return fixed.get(self.activation) or leaky_relu(self.negative_slope)

    @property
    def ramp_form(self) -> RampForm | None:
        """Capped ramps of cost 1 for ReLU."""
        return RampForm(1.0, partial(ramp, depth=self.depth)) if self.activation == "relu" else None

    @property
    def needs_constant(self) -> bool:
        """Always True: deep dictionaries are exact up to constants."""
        return True

    def size(self, inputs: int) -> int:
        """Return the number of features; for absolute values beyond depth 3 an upper bound.

        ``n (n - 1) / 2`` for ReLU at every depth, ``C(2 n + L - 2, L - 1)`` for leaky ReLU,
        ``n^2 + n (n - 1) / 2`` for absolute values at depth 3 and at most
        ``C(n (2^(L - 1) - 1) + L - 2, L - 1)`` beyond.
        """
        hidden, pairs = self.depth - 1, comb(inputs, 2)
        if self.activation == "relu":
            return pairs
        if self.activation == "leaky_relu":
            return comb(2 * inputs + hidden - 1, hidden)
        return inputs**2 + pairs if hidden == 2 else comb(inputs * (2**hidden - 1) + hidden - 1, hidden)

    def dictionary(self, knots: Array) -> Dictionary:
        """Return the dictionary on sorted distinct inputs."""
        if self.activation == "leaky_relu":
            return TokenDictionary(knots, self.sigma, self.depth)
        if self.activation == "abs":
            return FoldDictionary(knots, self.depth)
        return RampDictionary(knots, self.depth)


def check_depth(depth: int) -> None:
    """Raise unless ``depth`` is an integer of at least 3."""
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer):
        raise InputTypeError(f"depth must be an integer, got {depth!r}")
    if depth < 3:
        raise InputError(f"depth of a deep network must be at least 3, got {depth}; TwoLayer has depth 2")
