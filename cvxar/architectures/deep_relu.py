r"""The dictionary of deep narrow ReLU networks, the same at every depth of three layers or more.

On the data, up to a constant and a sign, every unit is a mixture of capped ramps
:math:`\min((x - a)_+, b - a)` between two data points a < b. Layers beyond the third add nothing:
the family is closed under :math:`X \mapsto (\pm X - c)_+`.
"""

from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array
from cvxar.activations import RELU
from cvxar.architectures.base import Dictionary, Feature, Match
from cvxar.architectures.hinges import hinge_sums, run_peaks


def ramp(start: float, stop: float, depth: int) -> Feature:
    r"""Return :math:`\min((x - a)_+, b - a)` as a chain of ``depth - 1`` ReLU units.

    :math:`((b - a) - (b - x)_+)_+`, and identity units from the third layer on.

    Examples
    --------
    >>> import numpy as np
    >>> ramp(1.0, 3.0, depth=5)(np.array([0.0, 2.0, 9.0]))
    array([0., 1., 2.])
    """
    more = depth - 3
    signs, centers = (-1, -1) + (1,) * more, (stop, stop - start) + (0.0,) * more
    return Feature(RELU, signs, centers, points=(start, stop))


@dataclass(frozen=True)
class RampDictionary(Dictionary):
    """Capped ramps between every pair of knots; m (m - 1) / 2 features."""

    knots: Array
    depth: int

    def feature(self, start: int, stop: int) -> Feature:
        """Return the ramp between two knots."""
        return ramp(float(self.knots[start]), float(self.knots[stop]), self.depth)

    def spanning(self) -> tuple[Feature, ...]:
        """Return the ramps between neighbours."""
        return tuple(self.feature(i, i + 1) for i in range(len(self.knots) - 1))

    def enumerate(self) -> tuple[Feature, ...]:
        """List the ramps."""
        m = len(self.knots)
        return tuple(self.feature(i, j) for i in range(m) for j in range(i + 1, m))

    def match(self, dual: Array, limit: float) -> Match:
        r"""Search in O(m): the correlation is :math:`F(a) - F(b)`, so the best is max F - min F.

        Every peak of F above a band of width ``limit`` is paired with the lowest knot, every trough
        below it with the highest.
        """
        if len(self.knots) < 2:
            return Match([], np.empty(0), 0.0)
        sums = hinge_sums(self.knots, dual)
        high, low = int(np.argmax(sums)), int(np.argmin(sums))
        bound = float(sums[high] - sums[low])
        if not bound > limit:
            return Match([], np.empty(0), bound)
        around = sums - (sums[high] + sums[low]) / 2
        turns = run_peaks(around, limit / 2)
        pairs = {(int(i), low) if around[i] > 0 else (high, int(i)) for i in turns} | {(high, low)}
        found = sorted((min(pair), max(pair)) for pair in pairs)
        values = np.array([sums[i] - sums[j] for i, j in found])
        keep = np.flatnonzero(np.abs(values) > limit)
        return Match([self.feature(*found[i]) for i in keep], values[keep], bound)
