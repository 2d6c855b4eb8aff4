r"""Global maximum of :math:`\pm(\sum_j c_j F(a_j'p) - \Lambda)` over boxes, by branch and bound.

The correlation of a chain of absolute values is such a sum over the kinks :math:`a_j'p` of the
chain, linear in its parameters p. Boxes are bounded from above by the ranges of F over the ranges
of the kinks, and by the value in the middle plus the largest slope times the half widths. The best
boxes are split first; a box with few knots under its kinks is settled by its vertices, the
parameters at which as many kinks as there are parameters meet knots. No box is dropped unless its
bound is below the best vertex found, so that the result is the global maximum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from cvxar._typing import Array, IntArray

BUDGET = 20_000_000  # boxes looked at before a bound is returned that is not attained


@dataclass(frozen=True)
class Shape:
    """Kinks of a family: rows of ``kinks`` times the parameters, with their slope changes.

    ``valid`` (one row a half space, ``valid @ p >= 0``) says where the sum is the correlation.
    """

    kinks: Array
    changes: Array
    valid: Array

    @cached_property
    def choices(self) -> tuple[IntArray, Array]:
        """Kinks that fix all parameters when they meet knots, and the inverse of each such system."""
        every = [list(c) for c in combinations(range(len(self.kinks)), self.kinks.shape[1])]
        fixed = [c for c in every if abs(np.linalg.det(self.kinks[c])) >= 1e-9]
        return np.array(fixed), np.array([np.linalg.inv(self.kinks[c]) for c in fixed])


class Vertices(NamedTuple):
    """Parameters (v, d), the knots that fix them (v, d), and their signed sums."""

    at: Array
    knots: IntArray
    values: Array


def joined(parts: Sequence[Vertices]) -> Vertices:
    """Concatenate."""
    return Vertices(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class Peak(NamedTuple):
    """Result of a search: vertices seen, a bound on the maximum, boxes looked at."""

    seen: Vertices
    bound: float
    boxes: int


@dataclass(frozen=True)
class FoldSearch:
    """F on sorted knots t (``values``, at each of them), and the constant: what is searched."""

    t: Array
    values: Array
    offset: float

    @cached_property
    def curve(self) -> Any:
        """F with its ranges, for the kernels; O(m)."""
        # numba is loaded by the first search, not by the import of the package
        from cvxar import kernel_folds

        return kernel_folds.curve_of(self.t, self.values)

    def sums(self, shape: Shape, at: Array) -> Array:
        """Evaluate the sum at parameters (v, d)."""
        total: Array = np.interp(at @ shape.kinks.T, self.t, self.values) @ shape.changes
        return total - self.offset

    def run(self, shape: Shape, low: Array, high: Array, reached: float, least: float, leaf: int) -> Peak:
        """Search the box ``low..high``; ``reached`` is attained, ``least`` what a vertex seen exceeds."""
        from cvxar import kernel_folds

        bound, boxes, at, knots, sums = kernel_folds.search(
            self.curve, family_of(shape), self.offset, low, high, reached, least, leaf, BUDGET
        )
        return Peak(Vertices(at, knots, sums), bound, boxes)

    def climbed(self, shape: Shape, kinks: tuple[int, ...], knots: IntArray, stride: int) -> Vertices:
        """Move vertices at which ``kinks`` meet ``knots`` (v, d) to local maxima of the absolute sum."""
        from cvxar import kernel_folds

        choice = shape.choices[0].tolist().index(list(kinks))
        knots = knots.copy()
        at, sums = kernel_folds.climb(self.curve, family_of(shape), self.offset, choice, knots, stride)
        return Vertices(at, knots, sums)


def family_of(shape: Shape) -> Any:
    """A shape as the kernels take it."""
    from cvxar import kernel_folds

    return kernel_folds.Family(shape.kinks, shape.changes, shape.valid, *shape.choices)
