"""Piecewise-linear functions of one variable, jumps included, and sums of units turned into them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cvxar._typing import Array, ArrayLike, BoolArray, IntArray
from cvxar.architectures import Feature, Unit
from cvxar.architectures.kinks import Kinks


@dataclass(frozen=True)
class PiecewiseLinear:
    """A piecewise-linear function on the whole line, continuous from the right.

    ``points`` (at least one, increasing), the ``levels`` there, and ``inclines``: the slope left of
    the first point, between neighbours, and right of the last. A linear function has one
    arbitrary point. ``jumps``: by how much the function rises at each point (none by default).

    Examples
    --------
    >>> g = PiecewiseLinear(np.array([1.0]), np.array([2.0]), np.array([0.0, 3.0]))
    >>> g([0.0, 1.0, 2.0])
    array([2., 2., 5.])
    """

    points: Array
    levels: Array
    inclines: Array
    jumps: Array = field(default_factory=lambda: np.zeros(1))

    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate; O(len(x) log len(points))."""
        x = np.asarray(x, dtype=float)
        piece = np.searchsorted(self.points, x, side="right")
        left = np.maximum(piece - 1, 0)
        value: Array = self.levels[left] + self.inclines[piece] * (x - self.points[left])
        return np.where(piece == 0, value - self.jumps[0], value) if self.jumps.any() else value

    @property
    def _kinked(self) -> BoolArray:
        kinked: BoolArray = (self.inclines[1:] != self.inclines[:-1]) | (self.jumps != 0)
        return kinked

    @property
    def breaks(self) -> Array:
        """Where the slope changes or the function jumps, increasing; empty for a linear function."""
        return self.points[self._kinked]

    @property
    def values(self) -> Array:
        """Function values at ``breaks`` (after the jump)."""
        return self.levels[self._kinked]

    @property
    def slopes(self) -> Array:
        """Slopes of the pieces, one more than ``breaks``."""
        return np.concatenate((self.inclines[:1], self.inclines[1:][self._kinked]))

    @property
    def changes(self) -> Array:
        """Slope changes at ``breaks``."""
        return np.diff(self.slopes)

    @property
    def rises(self) -> Array:
        """Jumps at ``breaks``, 0 where the function is continuous."""
        return np.broadcast_to(self.jumps, self.points.shape)[self._kinked]


def _single_kinks(units: Sequence[Unit]) -> bool:
    """Whether every unit is a chain of one layer: one kink, where it is 0."""
    return all(type(f) is Feature and len(f.centers) == 1 for f in units)


def _total_at(units: Sequence[Unit], coef: Array, kinks: Kinks, x: float) -> float:
    """Sum of the units at one point."""
    if _single_kinks(units):
        slopes = kinks.left + np.where(x > kinks.points, kinks.changes, 0.0)
        return float(np.sum(coef.astype(np.longdouble) * (slopes * (x - kinks.points))))
    return float(sum(z * float(f(np.array(x))) for z, f in zip(coef, units, strict=True)))


def _all_kinks(units: Sequence[Unit]) -> tuple[Kinks, IntArray]:
    """Kinks of many units, with the slopes far left one a unit, and the unit of each kink."""
    if _single_kinks(units):  # no need to walk the layers
        chains = [f for f in units if isinstance(f, Feature)]
        kappa = np.array([f.sigma.negative_slope for f in chains])
        position = np.array([f.centers[0] for f in chains])
        left = np.where(np.array([f.signs[0] for f in chains]) > 0, kappa, -1.0)
        return Kinks(position, 1.0 - kappa, np.zeros(len(units)), left), np.arange(len(units))
    parts = [f.kinks() for f in units]
    owner = np.repeat(np.arange(len(parts)), [len(p.points) for p in parts])
    points, changes, jumps = (np.concatenate([p[i] for p in parts]) for i in range(3))
    return Kinks(points, changes, jumps, np.array([float(p.left) for p in parts])), owner


def _gather(index: IntArray, values: Array) -> Array:
    """Sum values by index; what cancels up to rounding is 0, so that it is no kink."""
    total = np.bincount(index, weights=values)
    size = np.bincount(index, weights=np.abs(values))
    return np.where(np.abs(total) > 4 * np.finfo(float).eps * size, total, 0.0)


def combine(features: Sequence[Unit], coef: Array, slope: float, anchor: float) -> PiecewiseLinear:
    r"""Return :math:`g(x) = \text{slope}\,(x - \text{anchor}) + \sum_j z_j \varphi_j(x)` by its pieces.

    Values are accumulated outwards from the middle kink, so that an evaluation far from the
    origin loses no digits to large constants. O(k log k).
    """
    if not len(features):
        return PiecewiseLinear(np.array([anchor]), np.array([0.0]), np.array([slope, slope]))
    kinks, owner = _all_kinks(features)
    points, index = np.unique(kinks.points, return_inverse=True)
    bends, jumps = (_gather(index, size * coef[owner]) for size in (kinks.changes, kinks.jumps))
    # large terms that nearly cancel: summed in the longest format there is
    start = slope + np.sum(kinks.left * coef.astype(np.longdouble))
    inclines = start + np.concatenate(([0.0], np.cumsum(bends, dtype=np.longdouble)))
    middle = len(points) // 2
    steps = np.concatenate(([0.0], np.cumsum(np.diff(points) * inclines[1:-1] + jumps[1:])))
    level = slope * (points[middle] - anchor) + _total_at(features, coef, kinks, float(points[middle]))
    levels = (level + (steps - steps[middle])).astype(float)
    return PiecewiseLinear(points, levels, inclines.astype(float), jumps)
