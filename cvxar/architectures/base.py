"""What an architecture is: a name for a network shape, and the dictionary it induces on data."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from cvxar._typing import Array
from cvxar.activations import Activation, Homogeneous
from cvxar.architectures.kinks import Kinks, chain_kinks, snapped
from cvxar.errors import InputTypeError

Layers: TypeAlias = tuple[tuple[Array, Array], ...]


class Unit(ABC):
    """One parallel unit of unit weights, a function of one input column; hashable, holds no data."""

    column: int
    points: tuple[float, ...]

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """Evaluate the unit at inputs of its own column."""

    @abstractmethod
    def on_column(self, column: int) -> "Unit":
        """Return the same unit reading another column."""

    @abstractmethod
    def kinks(self) -> Kinks:
        """Return where the unit bends or jumps."""

    @abstractmethod
    def layers(self) -> Layers:
        """Return weights (out, in) and biases (out,) of every hidden layer; the first reads one input."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and strings (ready for JSON)."""


@dataclass(frozen=True)
class Feature(Unit):
    r"""One unit of unit weights, a chain :math:`X_{l+1} = \sigma(s_l (X_l - c_l))`, :math:`X_1 = x`.

    Parameters
    ----------
    sigma : Homogeneous
        The activation :math:`\sigma` of every layer.
    signs : tuple of int
        :math:`s_l = \pm 1`, one per hidden layer.
    centers : tuple of float
        :math:`c_l`; the first is in the units of the input.
    column : int
        Which input column the chain reads.
    points : tuple of float
        The data points that determine the unit, for explanations; empty when every kink is one.

    Examples
    --------
    >>> import numpy as np
    >>> from cvxar.activations import RELU
    >>> Feature(RELU, (1,), (2.0,))(np.array([0.0, 5.0]))
    array([0., 3.])
    """

    sigma: Homogeneous
    signs: tuple[int, ...]
    centers: tuple[float, ...]
    column: int = 0
    points: tuple[float, ...] = field(default=(), compare=False)

    def __call__(self, x: Array) -> Array:
        """Evaluate the unit at inputs of its own column."""
        for sign, center in zip(self.signs, self.centers, strict=True):
            x = self.sigma(sign * (x - center))
        return x

    def on_column(self, column: int) -> "Feature":
        """Return the same unit reading another column."""
        return replace(self, column=column)

    def kinks(self) -> Kinks:
        """Walk through the layers; O(depth times kinks)."""
        return snapped(chain_kinks(self.sigma, self.signs, self.centers), self.points)

    def layers(self) -> Layers:
        """Return one weight and one bias a layer."""
        pairs = zip(self.signs, self.centers, strict=True)
        return tuple((np.array([[float(s)]]), np.array([-s * c])) for s, c in pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return column, signs, centers and points."""
        return {
            "column": self.column,
            "signs": list(self.signs),
            "centers": list(self.centers),
            "points": list(self.points),
        }


@dataclass(frozen=True)
class Match:
    """Answer of a dictionary search.

    Parameters
    ----------
    features : sequence of Unit
        Features whose absolute correlation exceeds the limit (at least the best of each run).
    correlations : array
        Their correlations with the dual vector, signed.
    bound : float
        Never below the largest absolute correlation over the whole dictionary.
    boxes : int
        Boxes of parameters looked at, where the search is by branch and bound, else 0.
    """

    features: Sequence[Unit]
    correlations: Array
    bound: float
    boxes: int = 0


class Dictionary(ABC):
    """All features an architecture can need on given sorted distinct inputs (``knots``)."""

    knots: Array

    @property
    def reach(self) -> float:
        """How much a unit can vary over the knots: their range for slopes up to 1; 1 for one knot."""
        return float(self.knots[-1] - self.knots[0]) or 1.0

    def deviations(self, center: float) -> Array:
        """How much a unit can differ, at every knot, from its value at ``center`` (between the knots)."""
        width = float(self.knots[-1] - self.knots[0]) or 1.0
        return self.reach / width * np.abs(self.knots - center)

    @abstractmethod
    def match(self, dual: Array, limit: float) -> Match:
        """Search the features most correlated with ``dual`` (one number per knot)."""

    def bound(self, dual: Array) -> float:
        """Bound the largest absolute correlation of any feature with ``dual``."""
        return self.match(dual, np.inf).bound

    @abstractmethod
    def spanning(self) -> tuple[Unit, ...]:
        """Return few features that, with a constant, span all functions on the knots."""

    @abstractmethod
    def enumerate(self) -> tuple[Unit, ...]:
        """List every feature explicitly (for tests and small examples)."""


def enumerate_match(dictionary: Dictionary, dual: Array, limit: float) -> Match:
    """Search by evaluating every feature: the slow, literal twin of ``Dictionary.match``.

    Cost is the size of the dictionary times the number of knots.

    Examples
    --------
    >>> import numpy as np
    >>> from cvxar.architectures import TwoLayer
    >>> d = TwoLayer("relu").dictionary(np.array([0.0, 1.0, 3.0]))
    >>> enumerate_match(d, np.array([1.0, -2.0, 1.0]), limit=0.5).bound
    2.0
    """
    features = dictionary.enumerate()
    values = np.array([feature(dictionary.knots) @ dual for feature in features])
    chosen = np.flatnonzero(np.abs(values) > limit)
    bound = float(np.max(np.abs(values), initial=0.0))
    return Match([features[i] for i in chosen], values[chosen], bound)


def check_slope(negative_slope: float) -> None:
    """Raise unless a negative slope is a number."""
    if isinstance(negative_slope, bool) or not isinstance(negative_slope, Real):
        raise InputTypeError(f"negative_slope must be a number, got {negative_slope!r}")


@dataclass(frozen=True)
class RampForm:
    """How a Lasso over capped ramps between data points reads them.

    ``unit(start, stop)`` bends up at ``start`` by ``1 / cost`` and down at ``stop`` by as much.
    """

    cost: float
    unit: Callable[[float, float], Unit]


class Architecture(ABC):
    """A network shape: activation, depth and widths; holds no data and can be pickled."""

    @property
    @abstractmethod
    def depth(self) -> int:
        """Number of layers L, the output layer included."""

    @property
    @abstractmethod
    def sigma(self) -> Activation:
        """Activation of the hidden layers, as a function."""

    @property
    def hinge_cost(self) -> float | None:
        """l1 cost of a unit slope change where the Lasso is one of single kinks, else None.

        With it, squared-loss problems are solved on nodal values (see ``cvxar.spline``).
        """
        return None

    @property
    def jump_cost(self) -> float | None:
        """l1 cost of a unit jump where the Lasso is one of single steps, else None.

        With it, minimum norms are sparse linear programmes (see ``cvxar.least_norm_steps``).
        """
        return None

    @property
    def ramp_form(self) -> RampForm | None:
        """How the dictionary is one of capped ramps, where it is, else None.

        With it, squared-loss problems of one column are solved on nodal values (see ``cvxar.ramp_search``).
        """
        return None

    @property
    def needs_constant(self) -> bool:
        """Whether the dictionary is exact only up to constants, so that the Lasso needs a free one."""
        return False

    @abstractmethod
    def size(self, inputs: int) -> int:
        """Return how many features the dictionary has on so many distinct inputs, by formula."""

    def condense(self, features: Sequence[Unit], coef: Array) -> tuple[tuple[Unit, ...], Array]:
        """Write a fit with fewer units of the same function and l1 norm, where there is a rule for it."""
        return tuple(features), coef

    def up_to_linear(self, unit: Unit) -> Unit:
        """Return the unit that stands for all that differ from this one by a linear function only."""
        return unit

    @abstractmethod
    def dictionary(self, knots: Array) -> Dictionary:
        """Return the dictionary of this architecture on sorted distinct inputs."""
