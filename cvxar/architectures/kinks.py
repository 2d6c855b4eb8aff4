"""Kinks and jumps of one unit, read off its layers."""

from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.activations import Homogeneous


class Kinks(NamedTuple):
    """Where a unit bends or jumps, by how much, and its slope at minus infinity."""

    points: Array
    changes: Array
    jumps: Array
    left: Array


def chain_kinks(sigma: Homogeneous, signs: tuple[int, ...], centers: tuple[float, ...]) -> Kinks:
    """Return the kinks of a chain of units.

    Layer by layer: a unit is piecewise linear, and each layer adds a kink wherever its input
    crosses its center.
    """
    points, values = np.array([centers[0]]), np.array([centers[0]])
    slopes = np.array([1.0, 1.0])
    for sign, center in zip(signs, centers, strict=True):
        points, values, slopes = bend(points, sign * (values - center), sign * slopes, sigma)
    return Kinks(points, np.diff(slopes), np.zeros(len(points)), np.asarray(slopes[0]))


def snapped(kinks: Kinks, points: tuple[float, ...]) -> Kinks:
    """Move kinks that miss a data point by rounding onto it, so that those of many units coincide."""
    if not points or not len(kinks.points):
        return kinks
    near = np.array(points)
    gaps = np.abs(kinks.points[:, None] - near)
    every = np.concatenate([kinks.points, near])
    noise = 1e-9 * np.ptp(every) + 8 * np.finfo(float).eps * np.max(np.abs(every))
    moved = np.where(gaps.min(axis=1) <= noise, near[gaps.argmin(axis=1)], kinks.points)
    return kinks._replace(points=moved)


def bend(points: Array, values: Array, slopes: Array, sigma: Homogeneous) -> tuple[Array, Array, Array]:
    """Apply the activation to a piecewise-linear function: points, values there, slopes between."""
    points, values, slopes = _cross(points, values, slopes)
    inside = np.concatenate((_outer_side(values, slopes)[:1], values[1:] + values[:-1]))
    side = np.concatenate((inside, _outer_side(values, slopes)[1:]))
    return points, sigma(values), slopes * np.where(side > 0, 1.0, sigma.negative_slope)


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
