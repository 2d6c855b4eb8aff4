"""The data of a problem, prepared once: checked, sorted, centred, scaled; shared by every penalty."""

from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.architectures import Architecture, Dictionary
from cvxar.buckets import LazyCells
from cvxar.cells import Cells, point_cells

SMALLEST_LAZY = 16_384
NARROWEST_LAZY = 1e-290  # the inverse of a width of buckets must not overflow
_MAKING = Lock()


@dataclass(frozen=True)
class Column:
    """One input column: its sorted distinct values and where each observation stands among them.

    ``center`` and ``scale`` define ``t = (knots - center) / scale``, which spans a length of 1.
    """

    knots: Array
    position: IntArray
    center: float
    scale: float
    dictionary: Dictionary

    @cached_property
    def t(self) -> Array:
        """Knots, centred at the median and divided by their range."""
        return (self.knots - self.center) / self.scale

    def aggregate(self, dual: Array) -> Array:
        """Sum a vector over the observations into one number per knot."""
        return np.bincount(self.position, weights=dual, minlength=len(self.knots)).astype(float, copy=False)


def make_column(x: Array, center: float, architecture: Architecture) -> Column:
    """Sort one column; O(n log n)."""
    knots, position = np.unique(x, return_inverse=True)
    spread = float(knots[-1] - knots[0])
    return Column(knots, position, float(center), spread or 1.0, architecture.dictionary(knots))


def middle_of(x: Array) -> float:
    """Return a value in the middle of a column: the median of the distinct ones of about a thousand.

    Distinct, so that repeating observations changes nothing.
    """
    some = np.unique(x[:: max(len(x) // 1000, 1)])
    return float(some[len(some) // 2])


@dataclass(frozen=True)
class Free:
    """The unpenalised columns: constant, skip connection, exogenous; centred and scaled.

    ``values`` is ``(x - anchor) / scale`` column by column; ``basis`` is orthonormal after
    multiplication by the square roots of the weights, and spans the same space.
    """

    values: Array
    anchor: Array
    scale: Array
    root_weight: Array

    @cached_property
    def _svd(self) -> tuple[Array, Array, Array]:
        u, s, vt = np.linalg.svd(self.root_weight[:, None] * self.values, full_matrices=False)
        rank = int(np.sum(s > 1e-12 * s[0])) if len(s) else 0
        return u[:, :rank], s[:rank], vt[:rank]

    @property
    def basis(self) -> Array:
        """Orthonormal basis of the (root-weighted) unpenalised space, (n, rank)."""
        return self._svd[0]

    @property
    def independent(self) -> bool:
        """Whether no unpenalised column depends on the others."""
        return bool(self.basis.shape[1] == self.values.shape[1])

    def project(self, dual: Array) -> Array:
        """Remove from a dual vector all it has along the unpenalised columns: ``U' dual = 0``.

        In the metric of the weights, so that a projected weighted residual stays one. A vector
        that is orthogonal up to the rounding of the products is left as it is: projecting it
        would add noise, and a point of high leverage has a small dual that must keep its digits.
        """
        defect = np.abs(self.values.T @ dual)
        if np.all(defect <= 32 * np.finfo(float).eps * (np.abs(self.values).T @ np.abs(dual))):
            return dual
        for _ in range(2):  # the second pass removes the rounding of the first
            scaled = dual / self.root_weight
            dual = self.root_weight * (scaled - self.basis @ (self.basis.T @ scaled))
        return self._settled(dual)

    def _settled(self, dual: Array) -> Array:
        """Let a column that is mostly one far entry decide about the dual there.

        What rounding leaves at that entry, correlations would multiply by its distance.
        """
        for column in self.values.T:
            far = int(np.argmax(np.abs(column)))
            if 2 * column[far] ** 2 > float(column @ column):
                dual[far] -= float(column @ dual) / column[far]
        return dual

    def least_squares(self, target: Array) -> Array:
        """Return coefficients (of ``values``) of the weighted least-squares fit; minimum norm."""
        u, s, vt = self._svd
        coef: Array = vt.T @ ((u.T @ (self.root_weight * target)) / s)
        return coef


@dataclass(frozen=True)
class Design:
    """Everything about a problem but its penalty.

    ``e = (y - y_center) / y_scale`` is the target every solver works on. ``lost`` is loss, in data
    units, that no function of the inputs can change: the spread of observations given as means.
    """

    x: Array
    y: Array
    exog: Array
    given_weight: Array | None
    architecture: Architecture
    centers: Array
    widths: Array
    skip: bool
    fit_intercept: bool
    y_center: float
    y_scale: float
    lost: float = 0.0

    @cached_property
    def weight(self) -> Array:
        """Weight of every observation, (n,)."""
        return np.ones(len(self.y)) if self.given_weight is None else self.given_weight

    @cached_property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return float(np.sum(self.weight))

    @cached_property
    def e(self) -> Array:
        """Centred and scaled target, (n,)."""
        return (self.y - self.y_center) / self.y_scale

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every column sorted; O(p n log n), done when first needed."""
        return tuple(make_column(self.x[:, j], c, self.architecture) for j, c in enumerate(self.centers))

    @cached_property
    def cells(self) -> Cells:
        """The only column and the target as cells, for the compiled solver."""
        (column,) = self.columns
        return point_cells(column.t, column.position, self.e, self.weight)

    @property
    def one_column(self) -> bool:
        """Whether the problem is one varying column and a constant, nothing exogenous."""
        plain = self.fit_intercept and not self.exog.shape[1]
        return plain and self.x.shape[1] == 1 and bool(self.widths[0] > 0)

    @property
    def lazily_sorted(self) -> bool:
        """Whether the data are so many and so plain that they are sorted only where it matters."""
        if len(self.y) < SMALLEST_LAZY or self.given_weight is not None or not self.one_column:
            return False
        return bool(self.widths[0] > NARROWEST_LAZY)

    @cached_property
    def lazy(self) -> LazyCells:
        """The only column in buckets, refined as the solves ask for it; O(n)."""
        with _MAKING:  # solutions are in terms of these cells: threads must not make two of them
            if "lazy" not in vars(self):
                center = float(self.centers[0])
                vars(self)["lazy"] = LazyCells(self.x[:, 0], self.y, center, self.y_center, self.y_scale)
            made: LazyCells = vars(self)["lazy"]
            return made

    @property
    def anchors(self) -> Array:
        """Reference point of each input column: its median knot (0 without a constant)."""
        return self.centers if self.fit_intercept else np.zeros(len(self.centers))

    @cached_property
    def free(self) -> Free:
        """Unpenalised columns in the order constant, skip, exogenous."""
        blocks = [np.ones((len(self.y), 1))] if self.fit_intercept else []
        raw = np.hstack([self.x, self.exog] if self.skip else [self.exog])
        anchor = _middle(self.exog, self.weight) * self.fit_intercept
        anchor = np.concatenate([self.anchors, anchor]) if self.skip else anchor
        shifted = raw - anchor
        scale = np.max(np.abs(shifted), axis=0, initial=0.0)
        scale = np.where(scale > 0, scale, 1.0)
        values = np.hstack([*blocks, shifted / scale])
        one = np.ones(len(blocks))
        return Free(values, np.r_[0 * one, anchor], np.r_[one, scale], np.sqrt(self.weight))

    @cached_property
    def null_residual(self) -> Array:
        """Residual of the unpenalised fit, scaled as ``e``; exact zeros where it is rounding."""
        coef = self.free.least_squares(self.e)
        residual = self.e - self.free.values @ coef
        # a second fit removes what the rounding of the first left along the unpenalised columns
        residual = self.free.project(self.weight * residual) / self.weight
        summed = np.abs(self.e) + np.abs(self.free.values) @ np.abs(coef)
        noise = 16 * np.finfo(float).eps * np.max(summed, initial=0.0)
        return residual if np.max(np.abs(residual), initial=0.0) > noise else np.zeros_like(residual)

    @property
    def null_dual(self) -> Array:
        """Dual vector of the unpenalised squared-loss fit, in data units."""
        return self.y_scale * self.weight * self.null_residual

    def beta_scale(self, column: int) -> float:
        """Return the factor from the penalty in data units to the scaled one of a column."""
        return 1.0 / (self.y_scale * (float(self.widths[column]) or 1.0))


def _middle(values: Array, weight: Array) -> Array:
    """Weighted means; of constant columns the constant itself, whose mean is another number by rounding."""
    mean: Array = weight @ values / np.sum(weight)
    return np.where(np.ptp(values, axis=0) > 0, mean, values[0])


def make_design(
    x: Array,
    y: Array,
    exog: Array,
    weight: Array | None,
    architecture: Architecture,
    skip: bool,
    fit_intercept: bool,
) -> Design:
    """Prepare validated data; O(p n). Columns are sorted when first needed."""
    centers = np.array([middle_of(x[:, j]) for j in range(x.shape[1])])
    center = float(np.average(y, weights=weight)) if fit_intercept else 0.0
    least, most = float(np.min(y)), float(np.max(y))
    scale = max(most - center, center - least)  # no array of |y - center|, which costs more than all the rest
    constant = fit_intercept and least == most
    center, scale = (float(y[0]), 1.0) if constant else (center, scale or 1.0)
    widths = np.ptp(x, axis=0)
    return Design(x, y, exog, weight, architecture, centers, widths, skip, fit_intercept, center, scale)
