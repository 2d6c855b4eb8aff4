"""Rows of a regression as a dense matrix, and rows that penalise single unknowns below it."""

from dataclasses import dataclass

import numpy as np
import scipy

from cvxar._typing import Array
from cvxar.interior import Solve

SMALL = 50_000  # entries up to which the slower, more accurate factorisation is taken
DEPENDENT = 1e-9  # size of the rows that keep dependent columns apart


@dataclass(frozen=True)
class DenseRows:
    """Dense rows (n, k), then one row for each of the last ``penalised`` unknowns."""

    matrix: Array
    penalised: int = 0

    def forward(self, unknowns: Array) -> Array:
        """Return fitted values, then the penalised unknowns."""
        own = unknowns[len(unknowns) - self.penalised :]
        return np.concatenate([self.matrix @ unknowns, own])

    def adjoint(self, dual: Array) -> Array:
        """Return the correlation of a dual vector with every unknown."""
        n, k = self.matrix.shape
        sums: Array = self.matrix.T @ dual[:n]
        sums[k - self.penalised :] += dual[n:]
        return sums

    def normal(self, theta: Array) -> Solve:
        """Factor the normal matrix; O(n k^2)."""
        n, k = self.matrix.shape
        first = k - self.penalised
        if self.matrix.size <= SMALL:
            lower = np.hstack([np.zeros((self.penalised, first)), np.eye(self.penalised)])
            return triangular_solve(np.vstack([self.matrix, lower]), theta)
        normal = self.matrix.T @ (theta[:n, None] * self.matrix)
        tail = np.arange(first, k)
        normal[tail, tail] += theta[n:]
        return regular_solve(normal)


def triangular_solve(matrix: Array, theta: Array) -> Solve:
    """Solve with ``B' diag(theta) B`` by a QR factorisation, which does not square the condition.

    Two steps of refinement; columns are scaled to unit length.
    """
    weighted = np.sqrt(theta)[:, None] * matrix
    scale = 1.0 / np.maximum(np.linalg.norm(weighted, axis=0), np.finfo(float).tiny)
    weighted = weighted * scale
    triangle = np.linalg.qr(np.vstack([weighted, DEPENDENT * np.eye(len(scale))]), mode="r")

    def once(right: Array) -> Array:
        """Solve with the two triangles, without refinement."""
        inner = scipy.linalg.solve_triangular(triangle, right, trans="T")
        answer: Array = scipy.linalg.solve_triangular(triangle, inner)
        return answer

    def solve(right: Array) -> Array:
        """Solve and refine twice."""
        inner = scale * right
        answer = once(inner)
        for _ in range(2):
            answer = answer + once(inner - weighted.T @ (weighted @ answer))
        result: Array = scale * answer
        return result

    return solve


def regular_solve(normal: Array) -> Solve:
    """Solve with a positive matrix that may be singular to rounding, in unit-diagonal scaling.

    The least multiple of the identity that makes it positive is added, and one step of refinement
    takes back what that changed.
    """
    scale = 1.0 / np.sqrt(np.maximum(np.diag(normal), np.finfo(float).tiny))
    unit = scale[:, None] * normal * scale
    factor = _factor(unit)

    def solve(right: Array) -> Array:
        """Solve and refine once."""
        inner = scale * right
        answer = scipy.linalg.cho_solve(factor, inner)
        answer = answer + scipy.linalg.cho_solve(factor, inner - unit @ answer)
        result: Array = scale * answer
        return result

    return solve


def _factor(unit: Array) -> tuple[Array, bool]:
    for extra in (0.0, 1e-15, 1e-14, 1e-13, 1e-12, 1e-10, 1e-8):
        try:
            factor: tuple[Array, bool] = scipy.linalg.cho_factor(unit + extra * np.eye(len(unit)))
        except np.linalg.LinAlgError:
            continue
        return factor
    raise np.linalg.LinAlgError("the normal matrix is not positive")
