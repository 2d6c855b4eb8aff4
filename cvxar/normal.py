"""Solves with the normal matrix of the nodal values of several columns, and of the other unknowns.

Every hat function covers the rows of two segments, so the matrix is tridiagonal within a column and
full between columns. While it is small it is factored. Else conjugate gradients are used: a product is
one pass over the rows, the tridiagonal blocks precondition it, and nothing larger than the data is held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import scipy

from cvxar._typing import Array, IntArray

Solve: TypeAlias = Callable[[Array], Array]
# entries of a matrix to factor at once: this many, or some times the data; and after conjugate gradients
DENSE, DENSE_SHARE, LARGEST = 4_000_000, 6, 50_000_000
ACCURACY, STEPS = 1e-9, 300
# of conjugate gradients before a factorisation takes over
PATIENCE, HOPE = 60, 0.03


@dataclass(frozen=True)
class Hats:
    """Where every row lies among the nodes of every column.

    ``segment`` (p, n) counts from the first unknown of all, ``share`` (p, n) is how far into the segment a
    row lies; ``extra`` (n, q) holds the columns of the last q unknowns.
    """

    segment: IntArray
    share: Array
    weight: Array
    extra: Array
    size: int

    def fit(self, step: Array) -> Array:
        """Values at the rows of a vector of unknowns; O(n (p + q))."""
        from cvxar import kernel_lags

        values: Array = self.extra @ step[len(step) - self.extra.shape[1] :]
        kernel_lags.fit(self.segment, self.share, np.ascontiguousarray(step), values)
        return values

    def sums(self, values: Array) -> Array:
        """Sums of row values under every hat, and with the extra columns: the transpose of ``fit``."""
        from cvxar import kernel_lags

        sums = np.zeros(self.size)
        kernel_lags.hat_sums(self.segment, self.share, values, sums)
        sums[self.size - self.extra.shape[1] :] = self.extra.T @ values
        return sums

    @property
    def tail(self) -> Array:
        """Normal matrix of the extra columns."""
        return self.extra.T @ (self.weight[:, None] * self.extra)


def damped_solver(hats: Hats, damping: float) -> Solve:
    """Return a function that solves with the normal matrix.

    Several columns can have more kinks in play than rows tell apart; the normal matrix is then singular,
    and the penalty falls along its null space until a kink vanishes. The damping, relative to the
    diagonal, turns such a direction into a long step; a step of 1 / damping costs as many digits. It moves
    no fixed point: steps are taken from the current state, whose residual is computed afresh.
    """
    if hats.size**2 <= max(DENSE, DENSE_SHARE * hats.segment.size):
        return _dense(hats, damping)
    return _iterative(hats, damping)


def normal_matrix(hats: Hats) -> Array:
    """Upper triangle of the normal matrix; the mean of every column is held, which fixes the constants."""
    from cvxar import kernel_lags

    matrix, first = np.zeros((hats.size, hats.size)), hats.size - hats.extra.shape[1]
    kernel_lags.normal_matrix(hats.segment, hats.share, hats.weight, matrix)
    for j, column in enumerate(hats.extra.T):
        matrix[:first, first + j] = hats.sums(hats.weight * column)[:first]
    matrix[first:, first:] = hats.tail
    means = hats.sums(hats.weight) / np.sqrt(np.sum(hats.weight))
    cuts = np.append(hats.segment.min(axis=1), first)
    for start, stop in pairwise(cuts):
        matrix[start:stop, start:stop] += np.outer(means[start:stop], means[start:stop])
    return matrix


def _dense(hats: Hats, damping: float) -> Solve:
    """Solve by Cholesky on the unit-diagonal matrix, with one correction by the rows."""
    matrix = normal_matrix(hats)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    matrix *= scale
    matrix *= scale[:, None]
    matrix.flat[:: hats.size + 1] += damping
    # the transpose is in the order of Fortran, so that no copy is made
    factor = scipy.linalg.cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)

    def solve(right: Array) -> Array:
        """Solve for one right-hand side, with one correction."""
        inner = scale * scipy.linalg.cho_solve(factor, scale * right, check_finite=False)
        rest = right - hats.sums(hats.weight * hats.fit(inner))
        solution: Array = inner + scale * scipy.linalg.cho_solve(factor, scale * rest, check_finite=False)
        return solution

    return _columnwise(solve)


def _iterative(hats: Hats, damping: float) -> Solve:
    """Solve by conjugate gradients, preconditioned by the blocks of the columns."""
    from cvxar import kernel_lags

    q, diagonal, beside = hats.extra.shape[1], np.zeros(hats.size), np.zeros(hats.size)
    kernel_lags.normal_bands(hats.segment, hats.share, hats.weight, diagonal, beside)
    tail, first = hats.tail, hats.size - q
    diagonal[first:] = np.diag(tail)
    added = damping * diagonal
    d, e, info = scipy.linalg.lapack.dpttrf(diagonal[:first] + added[:first], beside[: first - 1])
    if info:
        raise np.linalg.LinAlgError("singular normal matrix")
    factor = scipy.linalg.cho_factor(tail + np.diag(added[first:] + 1e-14 * np.diag(tail)))

    def product(step: Array) -> Array:
        """Multiply by the damped normal matrix, in one pass over the rows and back."""
        return hats.sums(hats.weight * hats.fit(step)) + added * step

    def precondition(right: Array) -> Array:
        """Solve with the blocks of the columns alone."""
        columns = scipy.linalg.lapack.dpttrs(d, e, right[:first])[0]
        return np.concatenate([columns, scipy.linalg.cho_solve(factor, right[first:])])

    def solve(right: Array) -> Array:
        """Solve for one right-hand side, by factorisation if iteration takes too long."""
        # columns that are nearly functions of each other need more steps than a factorisation takes
        factorable = hats.size**2 <= LARGEST
        solution, found = conjugate_gradients(product, precondition, right, PATIENCE if factorable else STEPS)
        return solution if found or not factorable else _dense(hats, damping)(right)

    return _columnwise(solve)


def _columnwise(one: Solve) -> Solve:
    """Let a solver take several right-hand sides.

    Not a call of the solver by itself: the cycle would hold its factor until garbage is collected.
    """

    def solve(right: Array) -> Array:
        """Solve for one or several right-hand sides."""
        return one(right) if right.ndim == 1 else np.column_stack([one(column) for column in right.T])

    return solve


def conjugate_gradients(
    product: Solve, precondition: Solve, right: Array, patience: int = STEPS
) -> tuple[Array, bool]:
    """Solve a symmetric system of a positive definite matrix; says whether it came to the end.

    Gives up when the error has not fallen to ``HOPE`` of the first after ``patience`` steps.
    """
    solution, residual = np.zeros(len(right)), right.copy()
    direction = precondition(residual)
    size = first = float(residual @ direction)
    for step in range(STEPS):
        if size <= ACCURACY**2 * first:
            return solution, True
        if step == patience and size > HOPE**2 * first:
            break
        image = product(direction)
        length = size / float(direction @ image)
        solution += length * direction
        residual -= length * image
        better = precondition(residual)
        size, last = float(residual @ better), size
        direction = better + (size / last) * direction
    return solution, False
