"""The features in play of a column generation, with their columns in a growing orthonormal basis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from cvxar._typing import Array
from cvxar.architectures import Unit
from cvxar.master import DEPENDENT


@dataclass(frozen=True)
class Working:
    """Signed features with columns ``basis @ coords`` and amounts.

    The target is ``basis @ inside + outside``, so the restricted problem is one in ``coords`` and
    ``inside`` alone, as small as the number of columns seen lately.
    """

    features: tuple[Unit, ...]
    signs: Array
    amount: Array
    basis: Array
    coords: Array
    inside: Array
    outside: Array

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.features)

    def with_features(self, features: Sequence[Unit], signs: Array, columns: Array) -> "Working":
        """Append features at amount zero; O(n r p) for p columns and a basis of r."""
        known, fresh = orthogonal_part(self.basis, columns)
        basis = np.hstack([self.basis, fresh])
        outside, inside = self.outside, np.concatenate([self.inside, np.zeros(fresh.shape[1])])
        for _ in range(2):  # a fit close to perfect leaves rounding only, which must lie outside too
            step = basis.T @ outside
            outside, inside = outside - basis @ step, inside + step
        upper = np.hstack([self.coords, known])
        lower = np.hstack([np.zeros((fresh.shape[1], self.size)), fresh.T @ columns])
        return Working(
            (*self.features, *features),
            np.concatenate([self.signs, signs]),
            np.concatenate([self.amount, np.zeros(len(features))]),
            basis,
            np.vstack([upper, lower]),
            inside,
            outside,
        )

    def on(self, basis: Array, target: Array) -> "Working":
        """Return the same in other coordinates, given the basis and the target in them."""
        return replace(self, basis=basis, outside=target - basis @ self.inside)

    def active(self, amount: Array) -> "Working":
        """Keep the features with a positive amount."""
        keep = np.flatnonzero(amount > 0)
        features = tuple(self.features[i] for i in keep)
        return replace(
            self,
            features=features,
            signs=self.signs[keep],
            amount=amount[keep],
            coords=self.coords[:, keep],
        )

    def inside_residual(self, cost: Array) -> Array:
        """Residual in the basis, corrected for digits lost: features meet their cost.

        The least change that does it. Active columns are independent; those added since may not be.
        """
        rest: Array = self.inside - self.coords @ self.amount
        if not self.size:
            return rest
        excess = self.coords.T @ rest - cost
        if np.all(self.amount > 0):
            q, r = np.linalg.qr(self.coords)
            change: Array = q @ scipy.linalg.solve_triangular(r, excess, trans="T")
        else:
            change = np.asarray(np.linalg.lstsq(self.coords.T, excess, rcond=1e-13)[0], dtype=float)
        rest = rest - change
        return rest


def empty(target: Array) -> Working:
    """Return the working set without features."""
    n, none = len(target), np.empty(0)
    return Working((), none, none, np.empty((n, 0)), np.empty((0, 0)), none, target)


def orthogonal_part(basis: Array, columns: Array) -> tuple[Array, Array]:
    """Return the coordinates of columns in a basis, and a basis of what it leaves out."""
    known = basis.T @ columns
    rest = columns - basis @ known
    q, r, _ = scipy.linalg.qr(rest, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    limit = np.max(np.linalg.norm(columns, axis=0), initial=0.0)
    q = q[:, size > 1e-3 * DEPENDENT * limit]
    again = q - basis @ (basis.T @ q)  # directions left over after large cancellation are not yet orthogonal
    clean = bool(np.all(size > 1e-4 * limit))  # then the step changed no length
    fresh: Array = again if clean else np.linalg.qr(again).Q
    return known, fresh
