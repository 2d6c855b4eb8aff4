"""Rows of a regression on a piecewise-linear function, in terms of its values at nodes.

Observations come in the order of their inputs, so that each segment is a slice and all sums over
segments are sums over slices. The normal matrix is banded, whatever the number of observations.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from cvxar._typing import Array, IntArray
from cvxar.interior import Solve


@dataclass(frozen=True)
class NodalRows:
    """Observations, then slope changes at the inner nodes, then (if ``ends``) the sum of the end slopes.

    ``share`` is the place of an observation in its segment (0 left, 1 right), ``counts`` how many
    observations each segment has (none may be empty), ``gaps`` the lengths of the segments.
    """

    share: Array
    counts: IntArray
    gaps: Array
    ends: bool

    @property
    def n(self) -> int:
        """Number of observations."""
        return len(self.share)

    def forward(self, unknowns: Array) -> Array:
        """Return fitted values, slope changes, sum of end slopes."""
        rise = np.diff(unknowns)
        fitted = np.repeat(unknowns[:-1], self.counts) + self.share * np.repeat(rise, self.counts)
        slopes = rise / self.gaps
        ends = slopes[[0]] + slopes[[-1]] if self.ends else slopes[:0]
        return np.concatenate([fitted, np.diff(slopes), ends])

    def adjoint(self, dual: Array) -> Array:
        """Return the correlation of a dual vector with every nodal value."""
        own, inner = dual[: self.n], dual[self.n : self.n + len(self.gaps) - 1]
        whole, right = self._sums(own), self._sums(own * self.share)
        per_slope = -np.diff(inner, prepend=0.0, append=0.0)
        if self.ends:
            per_slope[0] += dual[-1]
            per_slope[-1] += dual[-1]
        right = right + per_slope / self.gaps
        return np.append(whole, 0.0) + _shifted(right)

    def normal(self, theta: Array) -> Solve:
        """Factor the normal matrix; O(n + k)."""
        own, inner = theta[: self.n], theta[self.n : self.n + len(self.gaps) - 1]
        matrix = self._band(own)
        self._add_kinks(matrix, inner)
        scale = 1.0 / np.sqrt(np.maximum(matrix[0], np.finfo(float).tiny))
        factor = _factor(self._scaled(matrix, scale)), True

        def banded(right: Array) -> Array:
            """Solve with the part of the matrix that is banded."""
            answer: Array = scale * scipy.linalg.cho_solve_banded(factor, scale * right, check_finite=False)
            return answer

        if not self.ends:
            return banded
        column = self._end_row()
        answer = banded(column)
        pivot = 1.0 / theta[-1] + float(column @ answer)
        return lambda right: _without_row(banded(right), answer, column, pivot)

    def _sums(self, values: Array) -> Array:
        starts = np.concatenate([[0], np.cumsum(self.counts[:-1])])
        sums: Array = np.add.reduceat(values, starts)
        return sums

    def _band(self, theta: Array) -> Array:
        """Lower band form (3, k) of the part of the observations."""
        first = theta * self.share
        whole, one, two = self._sums(theta), self._sums(first), self._sums(first * self.share)
        matrix = np.zeros((3, len(self.gaps) + 1))
        matrix[0, :-1] += whole - 2 * one + two
        matrix[0, 1:] += two
        matrix[1, :-1] = one - two
        return matrix

    def _add_kinks(self, matrix: Array, theta: Array) -> None:
        left, right = 1 / self.gaps[:-1], 1 / self.gaps[1:]
        middle = -(left + right)
        matrix[0, :-2] += theta * left * left
        matrix[0, 1:-1] += theta * middle * middle
        matrix[0, 2:] += theta * right * right
        matrix[1, :-2] += theta * left * middle
        matrix[1, 1:-1] += theta * middle * right
        matrix[2, :-2] += theta * left * right

    def _end_row(self) -> Array:
        row = np.zeros(len(self.gaps) + 1)
        for side in (0, -1):
            edge = [0, 1] if side == 0 else [-2, -1]
            row[edge] += np.array([-1.0, 1.0]) / self.gaps[side]
        return row

    @staticmethod
    def _scaled(matrix: Array, scale: Array) -> Array:
        unit = matrix * scale
        for below in (0, 1, 2):
            unit[below, : len(scale) - below] *= scale[below:]
        return unit


def _factor(unit: Array) -> Array:
    """Cholesky factor of a band with unit diagonal, raised as little as makes it positive."""
    for extra in (1e-15, 1e-14, 1e-13, 1e-12, 1e-10, 1e-8):
        unit[0] += extra
        try:
            factor: Array = scipy.linalg.cholesky_banded(unit, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        return factor
    raise np.linalg.LinAlgError("the normal matrix is not positive")


def _without_row(first: Array, answer: Array, column: Array, pivot: float) -> Array:
    """Correct a banded solution for one more row (Sherman and Morrison)."""
    result: Array = first - answer * (float(column @ first) / pivot)
    return result


def _shifted(right: Array) -> Array:
    """What each segment gives to its right node, taken from its left one."""
    total = np.zeros(len(right) + 1)
    total[1:] += right
    total[:-1] -= right
    return total
