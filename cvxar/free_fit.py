"""The fit of the unpenalised columns alone, under any loss, and the dual vector that proves it.

For a piecewise-linear loss the fit is a vertex: it meets as many observations as there are columns.
When it meets more, many dual vectors prove it; the one that correlates least with the features is
taken (a small linear programme), so that ``beta_max`` is not too large.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from cvxar._typing import Array, BoolArray
from cvxar.dense_rows import DenseRows
from cvxar.design import Column, Design
from cvxar.interior import Optimum, Programme, maximise
from cvxar.loss_rows import programme_of
from cvxar.losses import Loss

ACCURACY = 1e-13
ROUNDS = 200


@dataclass(frozen=True)
class FreeFit:
    """Coefficients of ``free.values`` (scaled as ``design.e``), and a dual vector in data units.

    ``met`` marks the observations whose dual is not settled by the fit (more than the columns
    need), if any.
    """

    coef: Array
    dual: Array
    met: BoolArray | None = None


def fit_free(design: Design, loss: Loss) -> FreeFit:
    """Fit the unpenalised columns alone: least squares in closed form, other losses by ``interior``."""
    coef = design.free.least_squares(design.e)
    # least squares, a perfect fit included, is optimal under any loss that is quadratic that far
    if (
        loss.quadratic
        or not design.null_residual.any()
        or loss.is_squared_at(design.null_dual, design.weight)
    ):
        return FreeFit(coef, design.null_dual)
    if not len(coef):
        met = None if loss.curvature or design.e.all() else design.e == 0
        return FreeFit(coef, design.weight * loss.slope(design.y_scale * design.e), met)
    programme = programme_of(design, loss, DenseRows(design.free.values), np.empty(0))
    found = maximise(programme, coef, ACCURACY)
    return FreeFit(found.unknowns, found.dual) if loss.curvature else _at_vertex(design, programme, found)


def _at_vertex(design: Design, programme: Programme, found: Optimum) -> FreeFit:
    """Put every observation on the side it belongs to, and solve for the ones met exactly."""
    values = design.free.values
    residual = programme.target - values @ found.unknowns
    inside = np.minimum(found.dual - programme.lower, programme.upper - found.dual)
    width = programme.upper - programme.lower
    met = np.abs(residual) * width < inside
    settled = np.where(residual > 0, programme.upper, programme.lower)
    dual, rank = np.where(met, 0.0, settled), int(design.free.basis.shape[1])
    dual[met] = np.linalg.lstsq(values[met].T, -(values.T @ dual), rcond=None)[0]
    coef = found.unknowns + np.linalg.lstsq(values[met], residual[met], rcond=None)[0]
    unsettled = met if int(met.sum()) > rank else None
    if unsettled is not None or np.any(dual < programme.lower) or np.any(dual > programme.upper):
        return FreeFit(coef if unsettled is not None else found.unknowns, found.dual, unsettled)
    return FreeFit(coef, dual)


def rounding_of(design: Design, loss: Loss, fit: FreeFit) -> float:
    r"""Bound on the correlations that rounding alone makes of the dual vector of a fit, in data units.

    .. math:: 64\,\epsilon \sum_t w_t \min(s_t, \text{box})\, d_t,
        \qquad s_t = |e_t| + |U_t|\,|\gamma| + |B_t|\,|B|'|e|

    with the target e, the unpenalised columns U and their orthonormal basis B, all of which the residual
    is computed from. :math:`d_t` is how much a unit can change between the middle of a column and input t,
    so that a far input counts with its own rounding only. Without a constant it is from the farther end.
    """
    if loss.curvature > 0:
        noise = design.weight * np.minimum(_rounded(design, fit.coef), loss.upper - loss.lower)
    else:
        noise = np.abs(fit.dual)
    sums = (noise @ _distance(c, design.fit_intercept)[c.position] for c in design.columns)
    return 64 * float(np.finfo(float).eps) * float(max(sums))


def _rounded(design: Design, coef: Array) -> Array:
    """Sizes, in data units, of the terms that each residual is computed from."""
    free, target = design.free, np.abs(design.e)
    basis = np.abs(free.basis)
    spread = basis @ (basis.T @ (free.root_weight * target)) / free.root_weight
    sizes: Array = design.y_scale * (target + np.abs(free.values) @ np.abs(coef) + spread)
    return sizes


def _distance(column: Column, constant: bool) -> Array:
    """Most a unit can differ, at every knot, from its value at a point where it counts as known."""
    known = (column.center,) if constant else (column.knots[0], column.knots[-1])
    found: Array = np.max([column.dictionary.deviations(float(point)) for point in known], axis=0)
    return found


@dataclass(frozen=True)
class Choice:
    """The dual vectors that prove a fit: fixed outside ``met``, between bounds and balanced there."""

    fixed: Array
    met: BoolArray
    lower: Array
    upper: Array
    free: Array

    def flattest(self, columns: Array) -> tuple[Array, float] | None:
        """Return the dual vector with the least largest correlation with the columns, and that."""
        inner, base = columns[self.met].T, columns.T @ self.fixed
        limit = np.ones((len(base), 1))
        answer = scipy.optimize.linprog(
            np.r_[np.zeros(int(self.met.sum())), 1.0],
            A_ub=np.vstack([np.hstack([inner, -limit]), np.hstack([-inner, -limit])]),
            b_ub=np.r_[-base, base],
            A_eq=np.hstack([self.free[self.met].T, np.zeros((self.free.shape[1], 1))]),
            b_eq=-(self.free.T @ self.fixed),
            bounds=[*zip(self.lower[self.met], self.upper[self.met], strict=True), (0, None)],
            method="highs",
        )
        if answer.status != 0:
            return None
        dual = self.fixed.copy()
        dual[self.met] = answer.x[:-1]
        return dual, float(answer.x[-1])


def flattened(design: Design, loss: Loss, fit: FreeFit) -> FreeFit:
    """Choose among many dual vectors the one that correlates least with the features."""
    if fit.met is None:
        return fit
    bounds = loss.lower * design.weight, loss.upper * design.weight
    nearer = np.where(fit.dual > (bounds[0] + bounds[1]) / 2, bounds[1], bounds[0])
    choice = Choice(np.where(fit.met, 0.0, nearer), fit.met, *bounds, design.free.values)
    columns, dual, limit = np.empty((len(design.e), 0)), fit.dual, 0.0
    for _ in range(ROUNDS):
        fresh = _correlated(design, dual, limit * (1 + 1e-9))
        better = choice.flattest(np.hstack([columns, fresh])) if fresh.shape[1] else None
        if better is None:
            break
        columns, (dual, limit) = np.hstack([columns, fresh]), better
    return FreeFit(fit.coef, design.free.project(dual))


def _correlated(design: Design, dual: Array, limit: float) -> Array:
    """Features beyond a limit, as columns over the observations divided by the range of the input."""
    columns = []
    for column in design.columns:
        match = column.dictionary.match(column.aggregate(dual), limit * column.scale)
        columns += [(f(column.knots) / column.scale)[column.position] for f in match.features]
    return np.array(columns).T if columns else np.empty((len(dual), 0))
