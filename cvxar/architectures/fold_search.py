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
from itertools import combinations
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.ranges import Ranges

BATCH = 512
NOISE = 1e-13


@dataclass(frozen=True)
class Shape:
    """Kinks of a family: rows of ``kinks`` times the parameters, with their slope changes.

    ``valid`` (one row a half space, ``valid @ p >= 0``) says where the sum is the correlation.
    """

    kinks: Array
    changes: Array
    valid: Array


class Boxes(NamedTuple):
    """Boxes of parameters (b, d), the sign sought in each, and an upper bound of each."""

    low: Array
    high: Array
    side: Array
    bound: Array

    def take(self, index: IntArray | BoolArray) -> "Boxes":
        """Select boxes."""
        return Boxes(*(part[index] for part in self))


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
    """One search: the family, F with its ranges, and the constant."""

    shape: Shape
    ranges: Ranges
    offset: float
    leaf: int

    def values(self, at: Array) -> Array:
        """Evaluate the sum at parameters (v, d)."""
        total: Array = self.ranges(at @ self.shape.kinks.T) @ self.shape.changes
        return total - self.offset

    def run(self, low: Array, high: Array, reached: float) -> Peak:
        """Search the box ``low..high``; ``reached`` is a value known to be attained."""
        size = float(np.ptp(self.ranges.values)) * float(np.sum(np.abs(self.shape.changes)))
        noise = NOISE * (size + abs(self.offset))
        start = Boxes(np.array([low, low]), np.array([high, high]), np.array([1.0, -1.0]), np.zeros(2))
        live, looked = self._bounded(start), 2
        seen, dropped = [self._no_vertices()], 0.0
        while len(live.low):
            keep = live.bound > reached + noise
            dropped = max(dropped, float(np.max(live.bound[~keep], initial=0.0)))
            live = live.take(keep)
            order = np.argsort(-live.bound, kind="stable")
            batch, live = live.take(order[:BATCH]), live.take(order[BATCH:])
            few = self._counts(batch) <= self.leaf
            if few.any():
                found = self._vertices(batch.take(few))
                reached = max(reached, float(np.max(np.abs(found.values), initial=0.0)))
                seen.append(found)
            halves = self._bounded(self._split(batch.take(~few)))
            looked += len(halves.low)
            live = Boxes(*(np.concatenate(pair) for pair in zip(live, halves, strict=True)))
        return Peak(joined(seen), max(reached, dropped), looked)

    def _no_vertices(self) -> Vertices:
        d = self.shape.kinks.shape[1]
        return Vertices(np.empty((0, d)), np.empty((0, d), dtype=np.intp), np.empty(0))

    def _kink_ranges(self, boxes: Boxes) -> tuple[Array, Array]:
        up, down = np.maximum(self.shape.kinks, 0.0), np.minimum(self.shape.kinks, 0.0)
        return boxes.low @ up.T + boxes.high @ down.T, boxes.high @ up.T + boxes.low @ down.T

    def _counts(self, boxes: Boxes) -> IntArray:
        total: IntArray = self.ranges.knots_in(*self._kink_ranges(boxes))[1].sum(axis=1)
        return total

    def _possible(self, boxes: Boxes) -> BoolArray:
        """Boxes that reach into the valid region."""
        up, down = np.maximum(self.shape.valid, 0.0), np.minimum(self.shape.valid, 0.0)
        inside: BoolArray = np.all(boxes.high @ up.T + boxes.low @ down.T >= 0, axis=1)
        return inside

    def _bounded(self, boxes: Boxes) -> Boxes:
        """Bound the boxes that reach into the valid region."""
        boxes = boxes.take(self._possible(boxes))
        low, high = self._kink_ranges(boxes)
        ends = np.stack(self.ranges.value_range(low, high)) * (boxes.side[:, None] * self.shape.changes)
        by_range = ends.max(axis=0).sum(axis=1) - boxes.side * self.offset
        steep = self._steepness(low, high)
        middle, half = (boxes.low + boxes.high) / 2, (boxes.high - boxes.low) / 2
        by_slope = boxes.side * self.values(middle) + np.sum(half * steep, axis=1)
        return boxes._replace(bound=np.minimum(by_range, by_slope))

    def _steepness(self, low: Array, high: Array) -> Array:
        """Largest absolute partial derivatives, (b, d)."""
        slopes = np.stack(self.ranges.slope_range(low, high))
        terms = slopes[:, :, :, None] * (self.shape.changes[:, None] * self.shape.kinks)
        smallest, largest = terms.min(axis=0).sum(axis=1), terms.max(axis=0).sum(axis=1)
        steepest: Array = np.maximum(np.abs(smallest), np.abs(largest))
        return steepest

    def _split(self, boxes: Boxes) -> Boxes:
        """Halve every box along the side that contributes most to its bound."""
        if not len(boxes.low):
            return boxes
        low, high = self._kink_ranges(boxes)
        width = boxes.high - boxes.low
        steep = self._steepness(low, high)
        score = width * (steep + 1e-3 * np.max(steep, axis=1, keepdims=True) + np.finfo(float).tiny)
        side = np.argmax(score, axis=1)
        rows = np.arange(len(side))
        middle = (boxes.low[rows, side] + boxes.high[rows, side]) / 2
        low, high = boxes.low.copy(), boxes.high.copy()
        high[rows, side], low[rows, side] = middle, middle
        return Boxes(
            np.concatenate([boxes.low, low]),
            np.concatenate([high, boxes.high]),
            np.tile(boxes.side, 2),
            np.tile(boxes.bound, 2),
        )

    def _vertices(self, boxes: Boxes) -> Vertices:
        """All meetings of kinks with knots inside boxes that have few."""
        first, count = self.ranges.knots_in(*self._kink_ranges(boxes))
        slack = 1e-12 * float(np.ptp(self.ranges.knots))
        found = [self._no_vertices()]
        for chosen in combinations(range(len(self.shape.kinks)), self.shape.kinks.shape[1]):
            matrix = self.shape.kinks[list(chosen)]
            if abs(np.linalg.det(matrix)) < 1e-9:
                continue
            knots = _products(first[:, chosen], count[:, chosen])
            at = self.ranges.knots[knots] @ np.linalg.inv(matrix).T
            keep = np.all(at @ self.shape.valid.T >= -slack, axis=1)
            found.append(Vertices(at[keep], knots[keep], self.values(at[keep])))
        return joined(found)


def _products(first: IntArray, count: IntArray) -> IntArray:
    """For every row, all combinations of one index from each of its ranges; (total, columns)."""
    total = np.prod(count, axis=1)
    owner = np.repeat(np.arange(len(total)), total)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(total) - total, total)
    columns = []
    for j in range(first.shape[1]):
        columns.append(first[owner, j] + rank % count[owner, j])
        rank = rank // count[owner, j]
    return np.stack(columns, axis=1) if columns else np.empty((0, 0), dtype=np.intp)
