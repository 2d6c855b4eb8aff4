"""Largest and smallest value of a piecewise-linear function, and of its slope, over intervals."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvxar._typing import Array, IntArray


@dataclass(frozen=True)
class Ranges:
    """A continuous function, linear between ``knots`` and constant outside them.

    Tables of m log m numbers answer any interval in O(log m), vectorised over intervals.
    """

    knots: Array
    values: Array

    def __call__(self, x: Array) -> Array:
        """Evaluate."""
        return np.interp(x, self.knots, self.values)

    @cached_property
    def slopes(self) -> Array:
        """Slope left of the first knot, between neighbours, right of the last; (m + 1,)."""
        inner = np.diff(self.values) / np.diff(self.knots)
        return np.concatenate(([0.0], inner, [0.0]))

    @cached_property
    def _value_table(self) -> tuple[Array, Array]:
        return doubling(self.values, np.maximum), doubling(self.values, np.minimum)

    @cached_property
    def _slope_table(self) -> tuple[Array, Array]:
        return doubling(self.slopes, np.maximum), doubling(self.slopes, np.minimum)

    def value_range(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the smallest and largest value over every closed interval."""
        first = np.searchsorted(self.knots, low, side="right")
        last = np.searchsorted(self.knots, high, side="left") - 1
        left, right = self(low), self(high)
        inside = last >= first
        first, last = np.where(inside, first, 0), np.where(inside, last, 0)
        tops, bottoms = self._value_table
        top = np.where(inside, over(tops, np.maximum, first, last), left)
        bottom = np.where(inside, over(bottoms, np.minimum, first, last), left)
        return np.minimum(np.minimum(left, right), bottom), np.maximum(np.maximum(left, right), top)

    def slope_range(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the smallest and largest slope over every interval."""
        first = np.searchsorted(self.knots, low, side="right")
        last = np.searchsorted(self.knots, high, side="left")
        first, last = np.minimum(first, last), np.maximum(first, last)
        tops, bottoms = self._slope_table
        return over(bottoms, np.minimum, first, last), over(tops, np.maximum, first, last)

    def knots_in(self, low: Array, high: Array) -> tuple[IntArray, IntArray]:
        """Return the first knot of every closed interval and how many there are."""
        first = np.searchsorted(self.knots, low, side="left")
        return first, np.searchsorted(self.knots, high, side="right") - first


def doubling(values: Array, pick: np.ufunc) -> Array:
    """Row k: the pick of ``values[i : i + 2**k]`` at every i (what would run past the end is unused)."""
    rows = [values]
    while 2 ** len(rows) <= len(values):
        half, row = 2 ** (len(rows) - 1), rows[-1].copy()
        row[:-half] = pick(rows[-1][:-half], rows[-1][half:])
        rows.append(row)
    return np.array(rows)


def over(table: Array, pick: np.ufunc, first: IntArray, last: IntArray) -> Array:
    """Pick over ``first..last``, both ends included, by two overlapping rows of the table."""
    level = np.frexp((last - first + 1).astype(float))[1] - 1
    answer: Array = pick(table[level, first], table[level, last - (1 << level) + 1])
    return answer
