r"""Networks with sign or threshold activation: piecewise-constant maps.

Inner weights do not matter in size, so only the amplitude s of the last hidden unit and the outer
weight are penalised, :math:`\frac{\beta}{2} \sum (\alpha^2 + s^2)`, which becomes
:math:`\beta \lVert z \rVert_1`. On the data a unit is any pattern of low and high with at most K
switches: K = 1 for two layers, the width of the first layer for parallel networks, the product of
all widths (the number of leaves) for trees.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cvxar._typing import Array
from cvxar.activations import Step
from cvxar.architectures.base import Dictionary, Match
from cvxar.architectures.hinges import run_peaks
from cvxar.architectures.step_unit import StepUnit


@dataclass(frozen=True)
class StepDictionary(Dictionary):
    """Every pattern that starts low and switches at most ``switches`` times between knots.

    The sum of binomials (m - 1 over k) for k from 1 to ``switches``.
    """

    knots: Array
    prototype: StepUnit
    switches: int

    @property
    def sigma(self) -> Step:
        """The activation."""
        return self.prototype.sigma

    @property
    def reach(self) -> float:
        """Height of a step."""
        return 1.0 - self.sigma.low

    def deviations(self, center: float) -> Array:
        """Return the height of a step, however near the knots are."""
        return np.full(len(self.knots), self.reach)

    def feature(self, gaps: tuple[int, ...]) -> StepUnit:
        """Return the pattern that switches after the knots with these indices."""
        left, right = self.knots[list(gaps)], self.knots[[g + 1 for g in gaps]]
        middle = left + (right - left) / 2
        where = np.where(middle > left, middle, right)  # neighbours one rounding unit apart
        points = np.unique(np.concatenate([left, right])).tolist()
        return self.prototype.with_breaks(tuple(where.tolist()), tuple(points))

    def spanning(self) -> tuple[StepUnit, ...]:
        """Return the single steps."""
        return tuple(self.feature((gap,)) for gap in range(len(self.knots) - 1))

    def enumerate(self) -> tuple[StepUnit, ...]:
        """List the patterns."""
        gaps, most = range(len(self.knots) - 1), min(self.switches, len(self.knots) - 1)
        chosen = (c for k in range(1, most + 1) for c in combinations(gaps, k))
        return tuple(self.feature(c) for c in chosen)

    def match(self, dual: Array, limit: float) -> Match:
        r"""Search by dynamic programming, O(m K), for a dual vector whose sum is 0.

        With :math:`S_g` the sum of the dual above gap g, a pattern correlates by the alternating sum
        :math:`S_{g_1} - S_{g_2} + S_{g_3} - \dots` times the height of a step.
        """
        if len(self.knots) < 2:
            return Match([], np.empty(0), 0.0)
        above = (1.0 - self.sigma.low) * np.cumsum(dual[:0:-1])[::-1]
        best = [p for side in (1.0, -1.0) for p in best_patterns(side * above, self.switches)]
        singles = [(int(i),) for i in run_peaks(above, limit)]
        patterns = list(dict.fromkeys([*best, *singles]))
        values = np.array([alternating_sum(above, p) for p in patterns])
        keep = np.flatnonzero(np.abs(values) > limit)
        bound = float(np.max(np.abs(values)))
        return Match([self.feature(patterns[i]) for i in keep], values[keep], bound)


def alternating_sum(values: Array, chosen: tuple[int, ...]) -> float:
    """Return ``values[chosen[0]] - values[chosen[1]] + ...``."""
    own = values[list(chosen)]
    return float(np.sum(own[::2]) - np.sum(own[1::2]))


def best_patterns(values: Array, most: int) -> list[tuple[int, ...]]:
    """Return, for k = 1, 2, ..., the k increasing indices of the largest alternating sum.

    Stops at ``most`` indices, or where more indices no longer help. O(len(values) k).

    Examples
    --------
    >>> import numpy as np
    >>> best_patterns(np.array([1.0, 3.0, -2.0, 2.0]), 3)
    [(1,), (1, 2), (1, 2, 3)]
    """
    gains, tables = np.zeros(len(values) + 1), []
    found: list[tuple[int, ...]] = []
    reached: list[float] = []
    for k in range(min(most, len(values))):
        total = gains[:-1] + (values if k % 2 == 0 else -values)
        total[:k] = -np.inf  # not enough places left of here
        tables.append(total)
        gains = np.concatenate(([-np.inf], np.maximum.accumulate(total)))
        reached.append(float(gains[-1]))
        # for k of one parity the sum is concave in k, so that two stops in a row are final
        if k > 2 and reached[-1] <= reached[-3] and reached[-2] <= reached[-4]:
            break
        found.append(_traced(tables))
    return found


def _traced(tables: list[Array]) -> tuple[int, ...]:
    """Follow a dynamic programme back from its last table."""
    chosen, stop = [], len(tables[-1])
    for total in reversed(tables):
        stop = int(np.argmax(total[:stop]))
        chosen.append(stop)
    return tuple(reversed(chosen))
