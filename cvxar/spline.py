r"""The two-layer Lasso of one column, seen as a piecewise-linear function with nodes at data points.

Minimising over how each kink is split into left and right units turns the l1 norm into a function of
the slope changes c_j, their total TV = sum |c_j|, and the sum S of the two end slopes:

.. math:: \lVert z \rVert_1 = a\,TV \quad\text{(skip connection)}, \qquad
          \lVert z \rVert_1 = \max_{|\omega| \le 1}\; [a - (a - \tfrac12)|\omega|]\,TV
          + \tfrac{\omega}{2} S \quad\text{(without)},

with a = 1 / (1 - negative_slope). The scalar ``tilt`` is :math:`\omega`; beta times it is the dual
price of a slope. In this form neighbouring kinks do not collide as hinge columns do: the normal
matrix of the nodal values is tridiagonal and well conditioned.
"""

from dataclasses import dataclass, replace

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.two_layer import run_peaks


@dataclass(frozen=True)
class Spline:
    """State of one column, in scaled inputs ``t`` (increasing).

    ``nodes`` index ``t`` and include both ends; ``value`` at the nodes, ``slope`` between them (kept
    as state: a difference of values over a short interval has no digits left); ``sign`` of the slope
    change at each node (0 at the ends); ``tilt`` as in the module text (0 with a skip connection).
    """

    t: Array
    nodes: IntArray
    value: Array
    slope: Array
    sign: Array
    tilt: float
    beta: float
    hinge_cost: float
    skip: bool

    @property
    def gaps(self) -> Array:
        """Lengths of the segments."""
        return np.diff(self.t[self.nodes])

    def segments(self) -> tuple[IntArray, Array]:
        """For every knot its segment, and its offset from the segment's left node; O(m)."""
        last = len(self.nodes) - 2
        segment = np.append(np.repeat(np.arange(last + 1), np.diff(self.nodes)), last)
        return segment, self.t - self.t[self.nodes[segment]]

    def curve(self) -> Array:
        """Function values at every knot."""
        segment, offset = self.segments()
        return self.value[segment] + self.slope[segment] * offset

    @property
    def kinks(self) -> Array:
        """Slope changes at the inner nodes."""
        return np.diff(self.slope)

    @property
    def variation(self) -> float:
        """Total variation TV of the slope."""
        return float(np.sum(np.abs(self.kinks)))

    @property
    def end_slopes(self) -> float:
        """Sum S of the two end slopes."""
        return float(self.slope[0] + self.slope[-1])

    @property
    def norm(self) -> float:
        """Smallest l1 norm of feature coefficients that give this function on the data."""
        kinked = self.hinge_cost * self.variation
        return kinked if self.skip else max(kinked, (self.variation + abs(self.end_slopes)) / 2)

    def kink_price(self, tilt: float) -> float:
        """Penalty per unit of slope change (in units of beta) at a given tilt."""
        return self.hinge_cost - (self.hinge_cost - 0.5) * abs(tilt)

    def node_gradient(self, kink: float, ends: float) -> Array:
        """Gradient, at the nodal values, of ``kink * sum sign c + ends * S``."""
        per_segment = -kink * np.diff(self.sign)
        per_segment[0] += ends
        per_segment[-1] += ends
        per_segment /= self.gaps
        gradient = np.zeros(len(self.nodes))
        gradient[1:] += per_segment
        gradient[:-1] -= per_segment
        return gradient

    def penalty_gradient(self) -> Array:
        """Gradient of the penalty at the current signs and tilt."""
        return self.node_gradient(self.beta * self.kink_price(self.tilt), self.beta * self.tilt / 2)

    def moved(self, step: Array, length: float = 1.0, tilt: float | None = None) -> "Spline":
        """Return the state after a step of the nodal values."""
        slope = self.slope + length * np.diff(step) / self.gaps
        value = self.value + length * step
        return replace(self, value=value, slope=slope, tilt=self.tilt if tilt is None else tilt)

    def without(self, drop: BoolArray) -> "Spline":
        """Drop inner nodes (mask over ``nodes``): the function becomes the chord over each."""
        keep = np.flatnonzero(~drop)
        gaps = self.gaps
        rise = np.add.reduceat(self.slope * gaps, keep[:-1])
        slope = rise / np.add.reduceat(gaps, keep[:-1])
        alone = np.diff(keep) == 1  # an untouched segment keeps its slope to the last digit
        slope[alone] = self.slope[keep[:-1][alone]]
        return replace(
            self, nodes=self.nodes[keep], value=self.value[keep], slope=slope, sign=self.sign[keep]
        )

    def with_nodes(self, knots: IntArray, sign: Array) -> "Spline":
        """Add nodes at the given knots (increasing, none a node yet) with a sign each."""
        where = np.searchsorted(self.nodes, knots)
        left = where - 1
        value = self.value[left] + self.slope[left] * (self.t[knots] - self.t[self.nodes[left]])
        return replace(
            self,
            nodes=np.insert(self.nodes, where, knots),
            value=np.insert(self.value, where, value),
            slope=np.insert(self.slope, where, self.slope[left]),
            sign=np.insert(self.sign, where, sign),
        )

    def prices(self, hinge: Array) -> tuple[Array, float, float]:
        r"""Return kink correlations ``D``, their limit, and the largest correlation of any feature.

        ``hinge`` is :math:`F(u) = \sum_k \lambda_k (u_k - u)_+` at the knots; ``D = F - F(u_1)/2``.
        """
        whole = 0.0 if self.skip else float(hinge[0])
        kink = hinge - hinge[0] / 2
        a = self.hinge_cost
        peak = float(np.max(np.abs(kink)))
        limit = self.beta * a - (a - 0.5) * abs(whole)
        return kink, limit, (peak + (a - 0.5) * abs(whole)) / a

    def candidates(self, kink: Array, limit: float) -> tuple[IntArray, Array]:
        """Return the most violating knot of each run beyond the limit, and its sign."""
        inner = kink.copy()
        inner[self.nodes] = 0.0
        found = run_peaks(inner, limit * (1 + 1e-10))
        here, right = self.t[found], np.searchsorted(self.nodes, found)
        close = np.maximum(2.3e-13 * np.abs(here), 1e-17)
        free = np.minimum(here - self.t[self.nodes[right - 1]], self.t[self.nodes[right]] - here) > close
        free &= np.diff(here, prepend=-np.inf) > close
        return found[free], np.sign(inner[found[free]])

    def reward(self, kink: Array, hinge_at_left: float) -> float:
        """Correlation of the function (less its constant) with the dual vector."""
        inner = self.nodes[1:-1]
        return float(self.kinks @ kink[inner]) + hinge_at_left * self.end_slopes / 2


def flat(t: Array, beta: float, hinge_cost: float, skip: bool) -> Spline:
    """Return the zero function on ``t`` (at least two points)."""
    ends = np.array([0, len(t) - 1])
    zero = np.zeros(2)
    return Spline(t, ends, zero, np.zeros(1), zero, 0.0, beta, hinge_cost, skip)


def signed(spline: Spline) -> Spline:
    """Set the signs of all kinks, and the tilt the end slopes call for.

    Examples
    --------
    >>> signed(flat(np.array([0.0, 1.0]), 1.0, 1.0, False)).tilt
    0.0
    """
    sign = np.concatenate(([0.0], np.sign(spline.kinks), [0.0]))
    steep = abs(spline.end_slopes) > (2 * spline.hinge_cost - 1) * spline.variation
    tilt = float(np.sign(spline.end_slopes)) if steep and not spline.skip else 0.0
    return replace(spline, sign=sign, tilt=tilt)
