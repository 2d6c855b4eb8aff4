r"""Dictionaries of two-layer networks with ReLU, leaky ReLU or absolute-value activation.

On sorted distinct inputs u_1 < ... < u_m: :math:`\sigma(u - a)` and :math:`\sigma(a - u)` for every
data point a (Theorem 1 of arXiv 2403.01046 and its leaky and absolute-value versions). All of it is
searched in O(m) from one function, :math:`F(a) = \sum_k \lambda_k (u_k - a)_+`, and its mirror image.
"""

from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.activations import Homogeneous
from cvxar.architectures.base import Dictionary, Feature, Match


@dataclass(frozen=True)
class HingeDictionary(Dictionary):
    """Features ``sigma(x - a)`` and ``sigma(a - x)`` for every knot a."""

    knots: Array
    sigma: Homogeneous

    def feature(self, index: int, sign: int) -> Feature:
        """Return ``sigma(sign (x - knots[index]))``."""
        return Feature(self.sigma, (sign,), (float(self.knots[index]),))

    def spanning(self) -> tuple[Feature, ...]:
        """Return the units that open to the right."""
        return tuple(self.feature(i, 1) for i in range(len(self.knots)))

    def enumerate(self) -> tuple[Feature, ...]:
        """List the 2 m features."""
        return tuple(self.feature(i, sign) for sign in (1, -1) for i in range(len(self.knots)))

    def correlations(self, dual: Array) -> tuple[Array, Array]:
        """Correlate both families with ``dual``; O(m) by two cumulative sums each.

        Exact for any dual vector; it need not sum to zero.
        """
        right, left = hinge_sums(self.knots, dual), -hinge_sums(-self.knots[::-1], dual[::-1])[::-1]
        kappa = self.sigma.negative_slope
        return right + kappa * left, -left - kappa * right

    def bound(self, dual: Array) -> float:
        """Largest absolute correlation of a feature, in one compiled sweep each way."""
        return _largest(self.knots, dual, self.sigma.negative_slope)

    def match(self, dual: Array, limit: float) -> Match:
        """Search both families in O(m); returns the best feature of every run above ``limit``."""
        both = self.correlations(dual)
        found = [(i, sign, c[i]) for sign, c in zip((1, -1), both, strict=True) for i in run_peaks(c, limit)]
        bound = max(float(np.max(np.abs(c), initial=0.0)) for c in both)
        features = [self.feature(int(i), sign) for i, sign, _ in found]
        return Match(features, np.array([value for _, _, value in found]), bound)


def _largest(knots: Array, dual: Array, kappa: float) -> float:
    """Run the compiled bound; numba is loaded by the first call, not by the import of the package."""
    from cvxar.kernels import hinge_bound

    return float(hinge_bound(knots, dual, kappa))


def hinge_sums(knots: Array, dual: Array) -> Array:
    """Return ``F(a) = sum_k dual_k (u_k - a)_+`` at every knot a, for sorted knots; O(m).

    Examples
    --------
    >>> import numpy as np
    >>> hinge_sums(np.array([0.0, 1.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    array([4., 2., 0.])
    """
    above = np.cumsum(dual[:0:-1])
    steps = above * np.diff(knots)[::-1]
    return np.concatenate((np.cumsum(steps)[::-1], [0.0]))


def run_peaks(values: Array, limit: float) -> IntArray:
    """Return the index of the largest absolute value in each run above ``limit`` of one sign.

    Examples
    --------
    >>> import numpy as np
    >>> run_peaks(np.array([0.0, 2.0, 3.0, -2.0, 0.0, 2.0]), 1.0)
    array([2, 3, 5])
    """
    above = np.flatnonzero(np.abs(values) > limit)
    if not len(above):
        return above
    size, side = np.abs(values[above]), np.sign(values[above])
    starts = np.flatnonzero((np.diff(above, prepend=-2) > 1) | (np.diff(side, prepend=0.0) != 0))
    run = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(above)))
    top = np.flatnonzero(size == np.maximum.reduceat(size, starts)[run])
    _, first = np.unique(run[top], return_index=True)
    return above[top[first]]
