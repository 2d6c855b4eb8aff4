"""From a piecewise-linear function on the data to units of the network, at least l1 cost."""

from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.activations import Activation, Homogeneous
from cvxar.architectures import Feature
from cvxar.spline import Spline


@dataclass(frozen=True)
class Units:
    """Features with coefficients and the linear rest in data units, and the constant in scaled ones."""

    features: list[Feature]
    coef: Array
    linear: float
    level: float


def units_of(spline: Spline, knots: Array, sigma: Activation, column: int, factor: float = 1.0) -> Units:
    """Split every kink into right and left units so that the l1 norm is ``factor * spline.norm``.

    With a skip connection all units open to the right. Without one, the end slopes decide how
    much of each kink opens to the left, and a slope the kinks cannot give is one unit with its
    kink at the smallest input (linear on the data, bent to its left).
    """
    if not isinstance(sigma, Homogeneous):
        raise TypeError(f"a {sigma.name} network has no kinks")
    inner = spline.nodes[1:-1]
    if spline.skip:
        coef = spline.hinge_cost * spline.kinks
        linear = float(spline.slope[0]) - sigma.negative_slope * float(np.sum(coef))
        index, signs = inner, np.ones(len(inner), dtype=int)
    else:
        index, signs, coef = _split(spline, inner)
        linear = 0.0
    keep = np.flatnonzero(coef)
    index, signs, coef = index[keep], signs[keep], coef[keep]
    features = [
        Feature(sigma, (int(s),), (float(knots[i]),), column) for i, s in zip(index, signs, strict=True)
    ]
    level = _level(spline, sigma, index, signs, coef, linear)
    coef = coef * factor
    linear = _skip_slope(spline, sigma, coef, keep, factor) if spline.skip else 0.0
    return Units(features, coef, linear, level)


def _skip_slope(spline: Spline, sigma: Homogeneous, coef: Array, kept: IntArray, factor: float) -> float:
    """Slope beside units that open to the right, exact on the longest segment.

    What the rounding of the coefficients leaves in a slope is multiplied by the length of the segment.
    """
    longest = int(np.argmax(spline.gaps))
    slopes = np.where(kept < longest, 1.0, sigma.negative_slope)
    return float(spline.slope[longest] * factor - np.sum(coef.astype(np.longdouble) * slopes))


def _split(spline: Spline, inner: IntArray) -> tuple[IntArray, Array, Array]:
    """Right and left units for every kink, and one for the slope left over."""
    a, kinks, side = spline.hinge_cost, spline.kinks, np.sign(spline.end_slopes)
    per_kink = (2 * a - 1) * np.abs(kinks)
    excess = abs(spline.end_slopes) - float(np.sum(per_kink))
    rest = side * excess / 2 if abs(spline.tilt) >= 1 else 0.0
    lean = side * np.sign(kinks) * (1 - 2 * _flips(per_kink, -excess if spline.tilt == 0 else 0.0))
    lean = np.where(per_kink > 0, lean, 1.0)
    right, left = a * kinks * (1 + lean) / 2, a * kinks * (1 - lean) / 2
    signs = np.concatenate((np.ones(len(inner) + 1), -np.ones(len(inner)))).astype(int)
    return np.concatenate(([0], inner, inner)), signs, np.concatenate(([rest], right, left))


def _flips(per_kink: Array, surplus: float) -> Array:
    """Fractions of the kinks to open the other way so that end slopes shrink by ``surplus``."""
    order = np.argsort(-per_kink, kind="stable")
    room = 2 * per_kink[order]
    before = np.concatenate(([0.0], np.cumsum(room)[:-1]))
    flips = np.zeros(len(per_kink))
    with np.errstate(divide="ignore", invalid="ignore"):
        flips[order] = np.where(room > 0, np.clip((surplus - before) / room, 0.0, 1.0), 0.0)
    return flips


def _level(
    spline: Spline, sigma: Homogeneous, index: IntArray, signs: Array, coef: Array, linear: float
) -> float:
    """Constant that makes the units agree with the function at the middle node."""
    middle = len(spline.nodes) // 2
    t = float(spline.t[spline.nodes[middle]])
    units = sigma(signs * (t - spline.t[index]))
    return float(spline.value[middle] - linear * t - coef @ units)
