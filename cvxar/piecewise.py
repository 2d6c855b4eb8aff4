"""Continuous piecewise-linear functions of one variable, and units turned into them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array, ArrayLike, BoolArray, IntArray
from cvxar.architectures import Feature


@dataclass(frozen=True)
class PiecewiseLinear:
    """A continuous piecewise-linear function on the whole line.

    ``points`` (at least one, increasing), the ``levels`` there, and ``inclines``: the slope left of
    the first point, between neighbours, and right of the last. A linear function has one
    arbitrary point.

    Examples
    --------
    >>> g = PiecewiseLinear(np.array([1.0]), np.array([2.0]), np.array([0.0, 3.0]))
    >>> g([0.0, 1.0, 2.0])
    array([2., 2., 5.])
    """

    points: Array
    levels: Array
    inclines: Array

    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate; O(len(x) log len(points))."""
        x = np.asarray(x, dtype=float)
        piece = np.searchsorted(self.points, x, side="right")
        left = np.maximum(piece - 1, 0)
        value: Array = self.levels[left] + self.inclines[piece] * (x - self.points[left])
        return value

    @property
    def _kinked(self) -> BoolArray:
        kinked: BoolArray = self.inclines[1:] != self.inclines[:-1]
        return kinked

    @property
    def breaks(self) -> Array:
        """Where the slope changes, increasing; empty for a linear function."""
        return self.points[self._kinked]

    @property
    def values(self) -> Array:
        """Function values at ``breaks``."""
        return self.levels[self._kinked]

    @property
    def slopes(self) -> Array:
        """Slopes of the pieces, one more than ``breaks``."""
        return np.concatenate((self.inclines[:1], self.inclines[1:][self._kinked]))

    @property
    def changes(self) -> Array:
        """Slope changes at ``breaks``."""
        return np.diff(self.slopes)


def unit_kinks(feature: Feature) -> tuple[Array, Array, float]:
    """Return kink positions, slope changes and the slope at minus infinity of one unit.

    Layer by layer: a unit is piecewise linear, and each layer adds a kink wherever its input
    crosses its center.
    """
    points, values = np.array([feature.centers[0]]), np.array([feature.centers[0]])
    slopes = np.array([1.0, 1.0])
    for sign, center in zip(feature.signs, feature.centers, strict=True):
        points, values, slopes = _cross(points, sign * (values - center), sign * slopes)
        inside = np.concatenate((_outer_side(values, slopes)[:1], values[1:] + values[:-1]))
        side = np.concatenate((inside, _outer_side(values, slopes)[1:]))
        slopes = slopes * np.where(side > 0, 1.0, feature.sigma.negative_slope)
        values = feature.sigma(values)
    return points, np.diff(slopes), float(slopes[0])


def _outer_side(values: Array, slopes: Array) -> Array:
    """Signs of the function far left and far right (of its end values where it is flat)."""
    left = -slopes[0] if slopes[0] else values[0]
    right = slopes[-1] if slopes[-1] else values[-1]
    return np.array([left, right])


def _cross(points: Array, values: Array, slopes: Array) -> tuple[Array, Array, Array]:
    """Insert the points where the function crosses zero strictly between its points."""
    with np.errstate(divide="ignore", invalid="ignore"):
        before = points[0] - values[0] / slopes[0]
        after = points - values / slopes[1:]
    upper = np.concatenate((points[1:], [np.inf]))
    rising = np.concatenate((np.sign(values[1:]) * np.sign(values[:-1]) < 0, [True]))
    found = np.flatnonzero(np.isfinite(after) & (after > points) & (after < upper) & rising)
    lead = [before] if np.isfinite(before) and before < points[0] else []
    where = np.concatenate((np.zeros(len(lead), dtype=int), found + 1))
    roots = np.concatenate((lead, after[found]))
    return (
        np.insert(points, where, roots),
        np.insert(values, where, 0.0),
        np.insert(slopes, where, slopes[where]),
    )


def _all_kinks(features: Sequence[Feature]) -> tuple[Array, Array, IntArray, Array]:
    """Kinks of many units: positions, changes, index of the unit, and all left slopes."""
    if all(len(f.centers) == 1 for f in features):  # one kink each: no need to walk the layers
        kappa = np.array([f.sigma.negative_slope for f in features])
        position = np.array([f.centers[0] for f in features])
        sign = np.array([f.signs[0] for f in features])
        return position, 1.0 - kappa, np.arange(len(features)), np.where(sign > 0, kappa, -1.0)
    parts = [unit_kinks(f) for f in features]
    owner = np.repeat(np.arange(len(parts)), [len(p) for p, _, _ in parts])
    left = np.array([slope for _, _, slope in parts])
    return np.concatenate([p for p, _, _ in parts]), np.concatenate([c for _, c, _ in parts]), owner, left


def combine(features: Sequence[Feature], coef: Array, slope: float, anchor: float) -> PiecewiseLinear:
    r"""Return :math:`g(x) = \text{slope}\,(x - \text{anchor}) + \sum_j z_j \varphi_j(x)` by its pieces.

    Values are accumulated outwards from the middle kink, so that an evaluation far from the
    origin loses no digits to large constants. O(k log k).
    """
    if not len(features):
        return PiecewiseLinear(np.array([anchor]), np.array([0.0]), np.array([slope, slope]))
    position, change, owner, left = _all_kinks(features)
    points, index = np.unique(position, return_inverse=True)
    jumps = np.bincount(index, weights=change * coef[owner], minlength=len(points))
    inclines = slope + float(left @ coef) + np.concatenate(([0.0], np.cumsum(jumps)))
    middle = len(points) // 2
    steps = np.concatenate(([0.0], np.cumsum(np.diff(points) * inclines[1:-1])))
    level = slope * (points[middle] - anchor) + sum(
        z * float(f(points[middle])) for z, f in zip(coef, features, strict=True)
    )
    return PiecewiseLinear(points, level + (steps - steps[middle]), inclines)
