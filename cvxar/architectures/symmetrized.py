r"""Symmetrised three-layer ReLU networks.

A parallel unit is :math:`(t_1 (s_1 (x - b_1))_+ + t_2 (s_2 (x - b_2))_+ - c)_+`, two hidden units whose
weights have one magnitude, then one. Up to a constant every such unit is a sum of two capped ramps of
either sign, so the best are twice one ramp between data points: the training problem is that of the
deep narrow ReLU network at half the penalty. A unit that is a *difference* of two ramps of equal
height, :math:`\min((l - x)_+ + (x - r)_+, d)`, costs as much as the two ramps but is one unit; where
an optimum holds such a pair, the network has the single unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cvxar._typing import Array
from cvxar.activations import RELU, Homogeneous
from cvxar.architectures.base import Architecture, Dictionary, Layers, Match, RampForm, Unit
from cvxar.architectures.deep_relu import RampDictionary
from cvxar.architectures.kinks import Kinks, bend, snapped


@dataclass(frozen=True)
class MirrorUnit(Unit):
    r"""The unit :math:`(t_1 (s_1 (x - b_1))_+ + t_2 (s_2 (x - b_2))_+ - c)_+`.

    Parameters
    ----------
    signs, centers : pair of int, pair of float
        :math:`s` and :math:`b` of the first layer.
    outer_signs : pair of int
        :math:`t` of the second layer.
    offset : float
        :math:`c`.
    column : int
        Which input column the unit reads.
    points : tuple of float
        The data points that determine the unit, for explanations.

    Examples
    --------
    >>> import numpy as np
    >>> double_ramp(1.0, 3.0)(np.array([0.0, 2.0, 9.0]))
    array([0., 2., 4.])
    """

    signs: tuple[int, int]
    centers: tuple[float, float]
    outer_signs: tuple[int, int]
    offset: float
    column: int = 0
    points: tuple[float, ...] = field(default=(), compare=False)

    def __call__(self, x: Array) -> Array:
        """Evaluate the unit at inputs of its own column."""
        (s1, s2), (b1, b2), (t1, t2) = self.signs, self.centers, self.outer_signs
        return RELU(t1 * RELU(s1 * (x - b1)) + t2 * RELU(s2 * (x - b2)) - self.offset)

    def on_column(self, column: int) -> "MirrorUnit":
        """Return the same unit reading another column."""
        return replace(self, column=column)

    def kinks(self) -> Kinks:
        """Return where the unit bends."""
        points = np.unique(self.centers)
        parts = list(zip(self.signs, self.centers, self.outer_signs, strict=True))
        terms = np.array([t * RELU(s * (points - b)) for s, b, t in parts])
        values = terms.sum(axis=0) - self.offset
        left = float(-sum(t for s, _, t in parts if s < 0))
        changes = [sum(float(t) for _, b, t in parts if b == p) for p in points]
        slopes = left + np.concatenate(([0.0], np.cumsum(changes)))
        points, _, slopes = bend(points, values, slopes, RELU)
        found = Kinks(points, np.diff(slopes), np.zeros(len(points)), np.asarray(slopes[0]))
        return snapped(found, self.points)

    def layers(self) -> Layers:
        """Return the two hidden layers."""
        s, b = np.array(self.signs, dtype=float), np.array(self.centers)
        return (s[:, None], -s * b), (np.array([self.outer_signs], dtype=float), np.array([-self.offset]))

    def to_dict(self) -> dict[str, Any]:
        """Return column, signs, centers, outer signs, offset and points."""
        return {
            "column": self.column,
            "signs": list(self.signs),
            "centers": list(self.centers),
            "outer_signs": list(self.outer_signs),
            "offset": self.offset,
            "points": list(self.points),
        }


def double_ramp(start: float, stop: float, column: int = 0) -> MirrorUnit:
    """Return twice the capped ramp between two points."""
    return MirrorUnit((-1, -1), (stop, stop), (-1, -1), -2 * (stop - start), column, (start, stop))


def _doubled(ramp: Unit) -> MirrorUnit:
    start, stop = ramp.points
    return double_ramp(start, stop)


def valley(start: float, left: float, right: float, stop: float, column: int) -> MirrorUnit:
    """Return a unit that rises from ``start`` to ``left``, is flat, and falls from ``right`` to ``stop``."""
    points = (start, left, right, stop)
    return MirrorUnit((-1, 1), (left, right), (-1, -1), -(left - start), column, points)


@dataclass(frozen=True)
class DoubleRampDictionary(Dictionary):
    """Twice every capped ramp between two knots; m (m - 1) / 2 features."""

    knots: Array

    @property
    def reach(self) -> float:
        """Twice the range of the knots."""
        return 2 * float(self.knots[-1] - self.knots[0]) or 1.0

    @property
    def _ramps(self) -> RampDictionary:
        return RampDictionary(self.knots, 3)

    def spanning(self) -> tuple[MirrorUnit, ...]:
        """Return the ramps between neighbours."""
        return tuple(_doubled(f) for f in self._ramps.spanning())

    def enumerate(self) -> tuple[MirrorUnit, ...]:
        """List the double ramps."""
        return tuple(_doubled(f) for f in self._ramps.enumerate())

    def match(self, dual: Array, limit: float) -> Match:
        """Search in O(m): twice the correlation of the ramps."""
        found = self._ramps.match(dual, limit / 2)
        features = [_doubled(f) for f in found.features]
        return Match(features, 2 * found.correlations, 2 * found.bound)


@dataclass(frozen=True)
class Symmetrized(Architecture):
    r"""Symmetrised three-layer ReLU network.

    :math:`f(x) = \xi + \sum_i \alpha_i (W_{2,i} (W_{1,i} x + b_{1,i})_+ + b_{2,i})_+` with two hidden
    units in the first layer of every parallel unit. The dictionary is exact for the penalty with one
    scale a layer, :math:`\frac{\beta}{3} \sum_i (|\alpha_i|^3 + \max|W_{1,i}|^3 + \max|W_{2,i}|^3)`:
    weights of a layer have equal magnitude, or are at most the largest. (Summing all entries of
    equal magnitude instead amounts to multiplying the penalty by the cube root of 4.)

    Notes
    -----
    The optimum equals that of ``DeepNarrow("relu")`` at half the penalty.

    Examples
    --------
    >>> Symmetrized().depth
    3
    """

    @property
    def depth(self) -> int:
        """Always 3."""
        return 3

    @property
    def sigma(self) -> Homogeneous:
        """ReLU."""
        return RELU

    @property
    def ramp_form(self) -> RampForm:
        """Twice a capped ramp: a unit slope change costs a half."""
        return RampForm(0.5, double_ramp)

    @property
    def needs_constant(self) -> bool:
        """Always True."""
        return True

    def size(self, inputs: int) -> int:
        """``n (n - 1) / 2``."""
        return inputs * (inputs - 1) // 2

    def dictionary(self, knots: Array) -> DoubleRampDictionary:
        """Return the dictionary on sorted distinct inputs; cost O(1)."""
        return DoubleRampDictionary(knots)

    def condense(self, features: Sequence[Unit], coef: Array) -> tuple[tuple[Unit, ...], Array]:
        """Merge pairs of opposite ramps of equal height into one unit each; same function and norm.

        A unit of two ramps of which three ends are data points has its fourth end at their reflection
        :math:`x_j + x_k - x_i`. Unless that is a data point too, as here, another unit has to take its
        kink away again, and a pair gains nothing.
        """
        units, amounts = list(features), coef.tolist()
        i = 0
        while i < len(units):
            partner = next((j for j in range(len(units)) if _opposite(units, amounts, i, j)), None)
            if partner is not None:
                start, left = units[i].points
                right, stop = units[partner].points
                # the pair is 2 z (ramp(right, stop) - ramp(start, left)) = constant - 2 z valley
                units[i] = valley(start, left, right, stop, units[i].column)
                amounts[i] = 2 * amounts[i]
                del units[partner], amounts[partner]
                i -= partner < i
            i += 1
        return tuple(units), np.array(amounts)


def _opposite(units: list[Unit], amounts: list[float], i: int, j: int) -> bool:
    """Whether ramp i ends before ramp j starts, with equal heights and opposite coefficients."""
    one, other = units[i], units[j]
    if i == j or len(one.points) != 2 or len(other.points) != 2 or one.column != other.column:
        return False
    (start, left), (right, stop) = one.points, other.points
    rounding = 4 * float(np.finfo(float).eps) * max(abs(start), abs(stop))
    level = left <= right and abs((left - start) - (stop - right)) <= rounding
    return level and abs(amounts[i] + amounts[j]) <= 1e-12 * abs(amounts[i])
