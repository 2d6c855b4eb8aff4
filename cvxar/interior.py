r"""Interior-point solution of regressions whose rows have losses of bounded slope.

.. math:: \min_v \sum_i \max_{l_i \le u \le h_i} \bigl[u\,(b_i - (Bv)_i) - \kappa_i u^2/2\bigr]
          \qquad\Longleftrightarrow\qquad
          \max_{l \le u \le h,\; B'u = 0} b'u - \tfrac12 \textstyle\sum_i \kappa_i u_i^2

Observations and penalties are rows alike: a penalty c |z_j| is a row with target 0 and slopes in
[-c, c]. All boxes contain 0, so ``u = 0`` is a feasible start, and the steps keep it feasible. A
predictor-corrector method (Mehrotra; Portnoy and Koenker call it Frisch-Newton) needs some 20 solves
with ``B' diag(theta) B``, whatever the number of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np

from cvxar._typing import Array

Solve: TypeAlias = Callable[[Array], Array]
STALL = 12
ROUNDING = 1e-18  # a gap of this share of the largest objective there could be is none
STIFFEST = 1e-60


class RowOperator(Protocol):
    """The matrix B, as what is done with it."""

    def forward(self, unknowns: Array) -> Array:
        """Return ``B v``."""

    def adjoint(self, dual: Array) -> Array:
        """Return ``B' u``."""

    def normal(self, theta: Array) -> Solve:
        """Factor ``B' diag(theta) B`` and return the function that solves with it."""


@dataclass(frozen=True)
class Programme:
    """Rows of bounded slope: operator, targets, slopes, curvatures."""

    rows: RowOperator
    target: Array
    lower: Array
    upper: Array
    curvature: Array

    def value(self, residual: Array) -> float:
        """Objective at a residual ``b - B v``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(self.curvature > 0, residual / self.curvature, np.sign(residual) * np.inf)
        slope = np.clip(np.where(residual == 0, 0.0, inner), self.lower, self.upper)
        return float(np.sum(slope * residual - self.curvature * slope * slope / 2))


@dataclass(frozen=True)
class Optimum:
    """Unknowns, dual vector of the rows, objective, and the gap between both."""

    unknowns: Array
    dual: Array
    value: float
    gap: float


@dataclass(frozen=True)
class Point:
    """Iterate: unknowns; distances of the dual vector from its bounds; multipliers of the bounds."""

    unknowns: Array
    above: Array
    below: Array
    pull_up: Array
    pull_down: Array

    @cached_property
    def complementarity(self) -> float:
        """Gap between the two objectives, once both points are feasible."""
        return float(self.above @ self.pull_up + self.below @ self.pull_down)


@dataclass(frozen=True)
class Direction:
    """Changes of the parts of a :class:`Point`; ``below`` changes by ``-dual``."""

    unknowns: Array
    dual: Array
    pull_up: Array
    pull_down: Array


def maximise(programme: Programme, start: Array, tol: float, limit: int = 150) -> Optimum:
    """Solve to a complementarity of ``tol`` times the objective, or as far as rounding allows.

    Examples
    --------
    >>> from cvxar.dense_rows import DenseRows
    >>> ones = np.ones(3)
    >>> median = Programme(DenseRows(ones[:, None]), np.array([1.0, 2.0, 9.0]), -ones, ones, 0 * ones)
    >>> maximise(median, np.zeros(1), 1e-10).unknowns.round(6)
    array([2.])
    """
    point = best = _first(programme, start)
    size = float(np.max(np.abs(programme.target), initial=0.0)) or 1.0
    floor = ROUNDING * size * float(np.sum(programme.upper - programme.lower))
    stalled = 0
    for _ in range(limit):
        if best.complementarity <= tol * _dual_value(programme, best) + floor or stalled > STALL:
            break
        point = _next(programme, point)
        stalled = 0 if point.complementarity < 0.9 * best.complementarity else stalled + 1
        best = point if point.complementarity <= best.complementarity else best
    return _optimum(programme, best)


def balanced(programme: Programme, dual: Array) -> Array:
    """Return the dual vector with ``B' u = 0`` to the last digits, moved least where bounds are near.

    The normal matrix squares the condition of B; this solves with B itself, which is written out.
    """
    unbalanced = programme.rows.adjoint(dual)
    if not len(unbalanced):
        return dual
    width = programme.upper - programme.lower
    share = np.minimum(dual - programme.lower, programme.upper - dual) / width
    root = width * np.sqrt(np.maximum(share, 0.0))
    matrix = root[:, None] * np.column_stack([programme.rows.forward(c) for c in np.eye(len(unbalanced))])
    size = np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny)
    change: Array = root * np.linalg.lstsq((matrix / size).T, unbalanced / size, rcond=1e-15)[0]
    return dual - change


def _first(programme: Programme, start: Array) -> Point:
    """Return a feasible point in the middle: the dual vector 0, multipliers about the residuals."""
    residual = programme.target - programme.rows.forward(start)
    width = programme.upper - programme.lower
    size = float(np.max(np.abs(programme.target), initial=0.0)) or 1.0
    share = max(0.1 * float(np.mean(width * np.abs(residual))), 1e-6 * size * float(np.mean(width)))
    slack = share / width
    up, down = np.maximum(-residual, 0.0) + slack, np.maximum(residual, 0.0) + slack
    return Point(start, -programme.lower, programme.upper.copy(), up, down)


def _dual(programme: Programme, point: Point) -> Array:
    nearer = point.above < point.below
    return np.where(nearer, programme.lower + point.above, programme.upper - point.below)


def _dual_value(programme: Programme, point: Point) -> float:
    dual = _dual(programme, point)
    curved = programme.curvature @ (dual * dual) if np.any(programme.curvature) else 0.0
    return float(programme.target @ dual - curved / 2)


def _optimum(programme: Programme, point: Point) -> Optimum:
    value = programme.value(programme.target - programme.rows.forward(point.unknowns))
    return Optimum(point.unknowns, _dual(programme, point), value, point.complementarity)


def _next(programme: Programme, point: Point) -> Point:
    """Advance by a predictor, which chooses the centring, and a corrector.

    The corrector can go in circles; where it gains nothing, a plain step to the middle breaks them.
    """
    dual = _dual(programme, point)
    residual = programme.target - programme.rows.forward(point.unknowns)
    unmet = residual - programme.curvature * dual + point.pull_up - point.pull_down
    unbalanced = programme.rows.adjoint(dual)
    stiffness = programme.curvature + point.pull_up / point.above + point.pull_down / point.below
    theta = 1.0 / np.maximum(stiffness, STIFFEST * np.max(stiffness))
    solve = programme.rows.normal(theta)

    def direction(up: Array, down: Array) -> Direction:
        """Solve the linearised conditions for these targets of the complementarity."""
        wanted = theta * (unmet + up / point.above - down / point.below)
        unknowns = solve(programme.rows.adjoint(wanted) + unbalanced)
        change = wanted - theta * programme.rows.forward(unknowns)
        pull_up = (up - point.pull_up * change) / point.above
        return Direction(unknowns, change, pull_up, (down + point.pull_down * change) / point.below)

    up, down = -point.above * point.pull_up, -point.below * point.pull_down
    guess = direction(up, down)
    level = point.complementarity / (2 * len(dual))
    ahead = _moved(programme, point, guess, 1.0).complementarity / (2 * len(dual))
    centre = level * (ahead / level) ** 3
    step = direction(up + centre - guess.dual * guess.pull_up, down + centre + guess.dual * guess.pull_down)
    corrected = _moved(programme, point, step, 0.9995)
    if corrected.complementarity < point.complementarity:
        return corrected
    plain = direction(up + level / 2, down + level / 2)
    return _moved(programme, point, plain, 0.9)


def _moved(programme: Programme, point: Point, step: Direction, share: float) -> Point:
    """Move as far as the signs allow; primal and dual parts separately where nothing is curved."""
    dual = min(_room(point.above, step.dual), _room(point.below, -step.dual))
    primal = min(_room(point.pull_up, step.pull_up), _room(point.pull_down, step.pull_down))
    if np.any(programme.curvature > 0):
        dual = primal = min(dual, primal)
    dual, primal = min(1.0, share * dual), min(1.0, share * primal)
    return Point(
        point.unknowns + primal * step.unknowns,
        point.above + dual * step.dual,
        point.below - dual * step.dual,
        point.pull_up + primal * step.pull_up,
        point.pull_down + primal * step.pull_down,
    )


def _room(part: Array, step: Array) -> float:
    """Longest step that keeps a positive vector from turning negative."""
    steepest = float(np.min(step / part, initial=0.0))
    return -1.0 / steepest if steepest < 0 else np.inf
