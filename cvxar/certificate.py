"""Proof of optimality: a primal and a dual value, both recomputed from the problem."""

import math
from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array
from cvxar.coefficients import Coefficients
from cvxar.errors import SolverError
from cvxar.minimisers import minimisers
from cvxar.problem import LassoProblem, match_bound


@dataclass(frozen=True)
class Certificate:
    """Objective reached (``primal``) and a lower bound on the optimum (``dual``).

    ``floor`` is the objective that rounding of the data alone amounts to: a gap below it cannot be
    told from zero and counts as closed (a perfect fit has objective 0, so no relative gap).

    Examples
    --------
    >>> c = Certificate(2.0, 1.99)
    >>> round(c.relative_gap, 4), c.holds(1e-2)
    (0.005, True)
    """

    primal: float
    dual: float
    floor: float = 0.0

    @property
    def gap(self) -> float:
        """``primal - dual``: an upper bound on the distance to the global optimum, never negative."""
        return max(self.primal - self.dual, 0.0)

    @property
    def relative_gap(self) -> float:
        """``gap`` divided by the objective; 0 when the gap is within rounding."""
        if not (math.isfinite(self.primal) and math.isfinite(self.dual)):
            return math.inf  # nothing is proven
        gap = self.gap
        return gap / abs(self.primal) if gap > self.floor else 0.0

    def holds(self, tol: float = 1e-8) -> bool:
        """Say whether the objective is within ``tol`` (relative) of the global optimum."""
        return self.relative_gap <= tol

    def __str__(self) -> str:
        return (
            f"objective {self.primal:.10g}, proven within {self.relative_gap:.1e} (relative) "
            "of the global optimum"
        )


def certify(problem: LassoProblem, point: Coefficients, dual: Array) -> Certificate:
    r"""Certify a primal point by a dual vector.

    The primal value is the objective at ``point``. From ``dual`` (any vector, in data units, ideally
    the negative gradient of the loss) a feasible point is made: projected onto
    :math:`U'\lambda = 0`, moved into the box of the loss, and scaled by
    :math:`c = \min(1, \beta / M)` with :math:`M \ge \max |A'\lambda|` from the exact search.
    Its value is :math:`\lambda'y - \mathrm{loss}^*(\lambda)`. Cost O(p n).
    """
    design = problem.design
    residual = (design.y - point.level) - point.varying(design.x, design.exog)
    primal = problem.loss.value(residual, design.weight) + problem.beta * float(np.sum(np.abs(point.coef)))
    # what is lost whatever the fit is half a squared residual in both values: its dual is itself
    return Certificate(
        design.lost + primal, design.lost + _dual_value(problem, point, dual), rounding_floor(problem)
    )


def rounding_floor(problem: LassoProblem) -> float:
    """Objective that rounding of the targets alone amounts to: relative to their spread, and as they are."""
    design, eps = problem.design, np.finfo(float).eps
    spread, offset = 8 * eps * design.y_scale, eps / 2 * design.y_center
    errors = np.array([spread, -spread, offset, -offset])
    return problem.loss.value(errors, design.total_weight)


def _dual_value(problem: LassoProblem, point: Coefficients, dual: Array) -> float:
    design, loss = problem.design, problem.loss
    feasible = _into_box(problem, design.free.project(dual))
    bound = match_bound(design, feasible)
    # the unpenalised part of the fit changes nothing (U'dual = 0) and its removal saves digits
    target = (design.y - point.level) - point.unpenalised(design.x, design.exog)
    reward, cost = float(feasible @ target), loss.conjugate(feasible, design.weight)
    limit = problem.beta / bound if bound > 0 else np.inf
    best = reward / (2 * cost) if loss.quadratic and cost > 0 else 1.0
    scale = max(min(limit, best), 0.0)
    return scale * reward - loss.conjugate(scale * feasible, design.weight)


def _into_box(problem: LassoProblem, dual: Array) -> Array:
    """Shrink a dual vector until it respects the slopes of the loss (the box contains 0)."""
    loss, weight = problem.loss, problem.design.weight
    if loss.quadratic:
        return dual
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(dual > 0, weight * loss.upper / dual, weight * loss.lower / dual)
    least = float(np.min(np.where(dual == 0, np.inf, room), initial=np.inf))
    rounding = 4 * np.finfo(float).eps
    return dual if least > 1 + rounding else dual * (least * (1 - rounding))


def certify_least_norm(problem: LassoProblem, point: Coefficients, dual: Array) -> Certificate:
    r"""Certify a minimum-norm point among the minimisers of the loss (``beta = 0``).

    The primal value is :math:`\lVert z \rVert_1`, the dual value :math:`\lambda'\hat y / M` for the
    fitted values :math:`\hat y`, with :math:`U'\lambda = 0` and :math:`M \ge \max |A'\lambda|`.
    Where the minimisers of the loss at repeated inputs are intervals, it is the least value of
    :math:`\lambda'v / M` over all v in them. That the point minimises the loss is checked: no feature
    may correlate with its residual, or it must lie in the intervals.

    Raises
    ------
    SolverError
        When the point does not minimise the loss.
    """
    design = problem.design
    ranges = minimisers(problem)
    best = _minimises(problem, point) if ranges is None else _lies_in(problem, point, *ranges)
    if point.features and not best:
        raise SolverError("the minimum-norm point does not minimise the loss; use a small positive beta")
    feasible = design.free.project(dual)
    bound = match_bound(design, feasible)
    value = _least_reward(problem, point, feasible, ranges)
    floor = 1e-13 * design.y_scale / _reach(problem)
    return Certificate(point.l1_norm, value / bound if bound > 0 else 0.0, floor)


def _reach(problem: LassoProblem) -> float:
    return max(c.dictionary.reach for c in problem.design.columns)


def _minimises(problem: LassoProblem, point: Coefficients) -> bool:
    """Whether no feature correlates with the residual of a point."""
    design = problem.design
    residual = design.weight * ((design.y - point.level) - point.varying(design.x, design.exog))
    rounding = 1e-11 * float(np.sum(design.weight)) * design.y_scale * _reach(problem)
    reference = match_bound(design, design.null_dual)
    return match_bound(design, design.free.project(residual)) <= 1e-7 * reference + rounding


def _lies_in(problem: LassoProblem, point: Coefficients, low: Array, high: Array) -> bool:
    """Whether the values of a point at the knots lie between bounds, which are less ``y_center``."""
    design = problem.design
    knots = design.columns[0].knots[:, None]
    value = (point.level - design.y_center) + point.varying(knots, np.empty((len(knots), 0)))
    # a sum of features is rounded in proportion to its norm, however much they cancel
    summed = 2 * abs(design.y_center) + point.l1_norm * _reach(problem)
    rounding = 1e-9 * design.y_scale + 4 * np.finfo(float).eps * summed
    return bool(np.all((value >= low - rounding) & (value <= high + rounding)))


def _least_reward(
    problem: LassoProblem, point: Coefficients, dual: Array, ranges: tuple[Array, Array] | None
) -> float:
    """Least product of a dual vector, or its opposite, with any minimiser of the loss."""
    design = problem.design
    if ranges is None:
        fitted = point.varying(design.x, design.exog)
        return abs(float(dual @ (fitted - point.unpenalised(design.x, design.exog))))
    (column,) = design.columns
    knots = column.knots[:, None]
    # the unpenalised part of the fit changes nothing (U'dual = 0) and its removal saves digits
    own = (point.level - design.y_center) + point.unpenalised(knots, np.empty((len(knots), 0)))
    low, high, sums = ranges[0] - own, ranges[1] - own, column.aggregate(dual)
    both = (float(s @ np.where(s > 0, low, high)) for s in (sums, -sums))
    return max(*both, 0.0)
