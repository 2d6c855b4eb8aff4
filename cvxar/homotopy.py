r"""The exact solution path of a two-layer squared-loss network on one column, from event to event.

.. math:: \min_f\; \tfrac12 \sum_i w_i (y_i - f(x_i))^2 + \beta\, N(f)

with N the least l1 norm that gives f (:mod:`cvxar.spline`). f is piecewise linear with kinks at data
points; while kinks, their signs and the part of N in force stay the same, it is linear in beta
(:mod:`cvxar.path_pieces`). The next event as beta falls is a kink that shrinks to zero, a point without kink
whose correlation meets its limit, or, without a skip connection, end slopes that begin or cease to be priced.

Events of neighbouring points can lie closer than rounding tells apart. Hence every solution, and the middle
of every stretch between two, is certified by the ordinary certificate; where that fails, or events pile up at
one penalty, the solver decides which kinks are active just below it. Where it must be asked again and again
(inputs that differ in their last digits only), the path goes on in steps of up to 1 %, as long as the middle
of the step is proven. A stretch that is not proven is said so. O(n + k) an event (k kinks), O(n) memory a
solution.

Three points speak for a stretch: values, duals and coefficients are linear in beta, so that feasibility
carries over, and the gap of the interpolated pair is bounded by a quadratic in beta, which exceeds the
largest of its values at both ends and in the middle by a quarter at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cvxar._typing import Array
from cvxar.cell_search import Residuals, proven_on, search_cells, setting_of
from cvxar.cells import CellState, flat_state
from cvxar.certificate import certify
from cvxar.coefficients import Coefficients
from cvxar.errors import InputError
from cvxar.nodal import Rows
from cvxar.path_pieces import Face, Ground, Piece, first_piece, mixed_state, piece_of
from cvxar.problem import LassoProblem
from cvxar.solution import Solution
from cvxar.solver import solve
from cvxar.spline import Spline

LARGEST = 10_000
STRICT = 1e-10  # gap above which a point on the way is not believed
STILL = 1e-12  # relative change of beta that counts as none
PATIENCE = 3  # events at one penalty before the solver decides
ROUNDS = 500
NUDGE, FARTHEST = 1e-9, 1e-2  # how far below an unclear penalty it is asked, first and at most
SHORTEST = 1e-4  # steps of the solver are not shortened below this to be proven


def check_homotopy(problem: LassoProblem) -> None:
    """Refuse a problem without an exact path, before any work starts.

    Raises
    ------
    InputError
        Unless two-layer ReLU, leaky ReLU or absolute value, squared loss, one varying column, constant,
        nothing exogenous, at most 10,000 observations.
    """
    reason = _obstacle(problem)
    if reason:
        raise InputError(
            f'method="homotopy" {reason}; use method="grid", which certifies every penalty of a grid'
        )


def _obstacle(problem: LassoProblem) -> str:
    """The first condition that a problem does not meet; empty if it meets all."""
    design, architecture, loss = problem.design, problem.architecture, problem.loss
    columns, exog, n = design.x.shape[1], design.exog.shape[1], len(design.e)
    conditions = (
        (architecture.hinge_cost is None, f"takes two-layer relu, leaky_relu or abs, got {architecture!r}"),
        (not loss.quadratic, f"takes the squared loss, got {loss!r}"),
        (columns != 1, f"takes one column of x, got {columns}"),
        (exog > 0, f"takes no exogenous columns (trends and seasons are such), got {exog}"),
        (not design.fit_intercept, "needs a constant, got fit_intercept=False"),
        (not has_kink_path(problem), "needs a column of x that varies, got a constant one"),
        (n > LARGEST, f"takes at most {LARGEST:,} observations, got {n:,}"),
    )
    return next((reason for failed, reason in conditions if failed), "")


def has_kink_path(problem: LassoProblem) -> bool:
    """Whether solutions are splines of one column whose values are piecewise linear in beta."""
    two_layers = problem.architecture.hinge_cost is not None
    return two_layers and problem.loss.quadratic and problem.design.one_column


@dataclass(frozen=True)
class _Track:
    """The data of one path, and the tolerance of its solutions."""

    problem: LassoProblem
    ground: Ground
    tol: float

    def scaled(self, beta: float) -> float:
        """Return a penalty in the units of the scaled data."""
        return beta * self.problem.design.beta_scale(0)

    def spline(self, state: CellState) -> Spline:
        """Return a state as a function of the scaled inputs."""
        nodes, ground = np.asarray(state.nodes, dtype=np.intp), self.ground
        t = self.problem.design.cells.anchor
        return Spline(t, nodes, state.value, state.slope, state.sign, 0.0, 1.0, ground.cost, ground.skip)

    def certified(self, piece: Piece, beta: float) -> Solution:
        """Certify a point of the path."""
        problem = self.problem.with_beta(beta)
        cells = problem.design.cells
        dual = cells.moments[:, 0] * piece.residual
        found = proven_on(problem, cells, setting_of(problem), piece.state, dual)
        return Solution(problem, *found, 0, 0.0, piece.state)

    def corrected(self, last: Solution, beta: float) -> tuple[Solution, Piece]:
        """Let the solver decide which kinks are active at a penalty; it warns if it cannot."""
        problem = self.problem.with_beta(beta)
        start = last.state if isinstance(last.state, CellState) else None
        source, certificate, dual, rounds, state = search_cells(problem, min(self.tol, STRICT), ROUNDS, start)
        found = Solution(problem, source, certificate, dual, rounds, 0.0, state)
        if not found.certificate.holds(self.tol):  # rarely: features can do what nodal values cannot
            found = solve(problem, tol=self.tol, warm_start=found)
        return found, piece_of(self.ground, self.spline(state), state.tilt, self.scaled(beta))


def _track(problem: LassoProblem, tol: float) -> _Track:
    cells, how = problem.design.cells, setting_of(problem)
    weight = cells.moments[:, 0]
    here = (np.arange(len(weight)),)
    rows = Rows(cells.moments[:, 3] / weight, weight, here, np.empty((len(weight), 0)))
    return _Track(problem, Ground(rows, cells.tilted, how.cost, how.skip), tol)


class _Walk:
    """The way down a path: where it is (penalty, solution there, piece below), and how wary it has become."""

    def __init__(self, problem: LassoProblem, min_ratio: float, tol: float) -> None:
        self.track, self.tol = _track(problem, tol), tol
        self.beta, self.end = problem.beta_max, min_ratio * problem.beta_max
        flat = self.track.spline(flat_state(problem.design.cells))
        self.piece = first_piece(self.track.ground, flat, self.track.scaled(self.beta))
        self.last = self.track.certified(self.piece, self.beta)
        self.nudge, self.shortest = NUDGE, SHORTEST

    def by_event(self) -> bool:
        """Go to the next event, or say that the way there is not proven."""
        for _ in range(1 + PATIENCE):
            motion = self.piece.motion()
            event = self.piece.next_event(motion, self.track.scaled(self.end))
            if event.distance > STILL * self.piece.beta or event.ends:
                break
            self.piece = self.piece.after(event)
        else:
            return False
        reached = self.end if event.ends else self.beta * (1 - event.distance / self.piece.beta)
        beta = max(reached, self.end)
        moved = self.piece.moved(motion, event.distance, self.track.scaled(beta))
        below = moved.after(event)
        # what has just vanished is left out, what has not yet come as well
        there = self.track.certified(below if event.face in (None, Face.BALANCED) else moved, beta)
        if beta >= self.beta or not self._proven(there, min(self.tol, STRICT)):
            return False
        self.last, self.beta, self.piece, self.nudge = there, beta, below, NUDGE
        return True

    def by_solver(self) -> bool:
        """Go a step by the solver's decision, as far as it is proven well; returns whether it is at all."""
        well = self.tol / 10
        while True:
            beta = max(self.beta * (1 - self.nudge), self.end)
            found, piece = self.track.corrected(self.last, beta)
            can = self.nudge > self.shortest and found.certificate.holds(well)
            if not can or self._proven(found, well):
                break
            self.nudge /= 4
        proven = self._proven(found, self.tol)
        self.shortest = SHORTEST if proven else FARTHEST  # what is not proven is not worth more work
        self.last, self.beta, self.piece = found, beta, piece
        self.nudge = min(10 * self.nudge, FARTHEST)
        return proven

    def _proven(self, there: Solution, tol: float) -> bool:
        """Whether a solution, and the middle of the stretch that leads to it, are within ``tol``."""
        if not there.certificate.holds(tol):
            return False
        return between(self.last, there, (self.beta + there.problem.beta) / 2).certificate.holds(tol)


def follow(problem: LassoProblem, min_ratio: float, tol: float) -> Iterator[tuple[Solution, bool]]:
    """Yield solutions at the events from ``beta_max`` down to ``min_ratio * beta_max``.

    Each with whether the stretch above it is proven within ``tol``. Between neighbours in beta fitted values,
    coefficients and dual vector are linear (see :func:`between`).
    """
    walk = _Walk(problem, min_ratio, tol)
    yield walk.last, walk.last.certificate.holds(tol)
    while walk.beta > walk.end:
        proven = walk.by_event() or walk.by_solver()
        yield walk.last, proven


def between(left: Solution, right: Solution, beta: float) -> Solution:
    r"""Interpolate two solutions linearly in beta and certify the result; O(n).

    .. math:: z(\beta) = (1 - s)\, z(\beta_0) + s\, z(\beta_1), \qquad
              s = (\beta_0 - \beta) / (\beta_0 - \beta_1)

    Exact between the events of a homotopy; elsewhere the certificate says how far it is off.
    """
    problem = left.problem.with_beta(beta)
    first, second = left.problem.beta, right.problem.beta
    share = (first - beta) / (first - second)
    state = _mixed_state(problem, left.state, right.state, share)
    if state is not None:
        sums = (1 - share) * _dual_sums(left) + share * _dual_sums(right)
        found = proven_on(problem, problem.design.cells, setting_of(problem), state, sums)
        return Solution(problem, *found, 0, 0.0, state)
    point = _mixed(left.point, right.point, share)
    dual = (1 - share) * left.dual + share * right.dual
    return Solution(problem, point, certify(problem, point, dual), dual, 0, 0.0, None)


def _dual_sums(solution: Solution) -> Array:
    """Dual vector of a solution, scaled as the cells and summed over equal inputs."""
    if isinstance(solution.found_dual, Residuals):
        return solution.found_dual.sums
    design = solution.problem.design
    sums: Array = design.columns[0].aggregate(solution.dual) / design.y_scale
    return sums


def _mixed_state(problem: LassoProblem, left: object, right: object, share: float) -> CellState | None:
    """Mix the functions, whose units are then as few as can be; None where they are not on cells."""
    if not (isinstance(left, CellState) and isinstance(right, CellState)):
        return None
    cells, how = problem.design.cells, setting_of(problem)
    return mixed_state(cells.anchor, cells.tilted, how.cost, how.skip, left, right, share)


def _mixed(left: Coefficients, right: Coefficients, share: float) -> Coefficients:
    total = dict.fromkeys((*left.features, *right.features), 0.0)
    for point, part in ((left, 1 - share), (right, share)):
        for feature, z in zip(point.features, point.coef, strict=True):
            total[feature] += part * float(z)
    level = (1 - share) * left.level + share * right.level
    linear = (1 - share) * left.linear + share * right.linear
    coef = np.array(list(total.values()))
    return replace(left, features=tuple(total), coef=coef, level=level, linear=linear, known_parts=None)
