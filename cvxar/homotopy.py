r"""The exact solution path of a two-layer squared-loss network on one column with a skip connection.

.. math:: \min_f\; \tfrac12 \sum_i w_i (y_i - f(x_i))^2 + \beta\, a \sum_j |c_j|

with a = 1 / (1 - negative_slope). f is piecewise linear with slope changes :math:`c_j` at data points.
While kinks and signs stay the same, the nodal values v solve :math:`G v = h - \beta a\, q` (G tridiagonal,
q the gradient of :math:`\sum_j s_j c_j`), so v, c and the kink correlations
:math:`F(u) = \sum_i w_i (y_i - f(x_i)) (x_i - u)_+` are linear in beta. The next event as beta falls
is a kink that shrinks to zero or a point without kink where :math:`|F|` meets :math:`\beta a`.

Events of neighbouring points can lie closer than rounding tells apart. Hence every point is certified by
the ordinary certificate, and where that fails, or events pile up at one penalty, the solver decides
which kinks are active just below it. Where it must be asked again and again (inputs that differ in their
last digits only), the path goes on in certified steps of up to 1 %, between which interpolation is as good
as its certificate says. O(n + k) an event (k kinks), O(n) memory a solution.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cvxar._typing import Array, BoolArray
from cvxar.architectures.two_layer import hinge_sums
from cvxar.cell_search import dual_of, point_of, setting_of
from cvxar.cells import CellState, flat_state
from cvxar.certificate import certify
from cvxar.coefficients import Coefficients
from cvxar.errors import InputError
from cvxar.nodal import Rows, State, gradient, normal_solver
from cvxar.problem import LassoProblem
from cvxar.solver import Solution, solve
from cvxar.spline import Spline

LARGEST = 10_000
STRICT = 1e-10  # gap above which a point on the way is not believed
STILL = 1e-12  # relative change of beta that counts as none
PATIENCE = 3  # events at one penalty before the solver decides
NUDGE, FARTHEST = 1e-9, 1e-2  # how far below an unclear penalty it is asked, first and at most


def check_homotopy(problem: LassoProblem) -> None:
    """Refuse a problem without an exact path, before any work starts.

    Raises
    ------
    InputError
        Unless two-layer ReLU, leaky ReLU or absolute value, squared loss, one varying column, skip
        connection, constant, nothing exogenous, at most 10,000 observations.
    """
    reason = _obstacle(problem)
    if reason:
        raise InputError(
            f'method="homotopy" {reason}; use method="grid", which certifies every penalty of a grid'
        )


def _obstacle(problem: LassoProblem) -> str:
    if not has_kink_path(problem):
        return (
            "needs a two-layer relu, leaky_relu or abs network with squared loss, skip=True, a constant, one "
            f"column of x that varies and no exog, got {problem!r}"
        )
    if len(problem.design.e) > LARGEST:
        return f"takes at most {LARGEST:,} observations, got {len(problem.design.e):,}"
    return ""


def has_kink_path(problem: LassoProblem) -> bool:
    """Whether solutions are splines of one column whose values are piecewise linear in beta."""
    two_layers = problem.architecture.hinge_cost is not None
    return two_layers and problem.loss.quadratic and problem.skip and problem.design.one_column


@dataclass(frozen=True)
class _Track:
    """The data of one path: rows in scaled units, and the factor from beta to the limit of F."""

    problem: LassoProblem
    rows: Rows

    def limit(self, beta: float) -> float:
        """Return what no kink correlation may exceed at a penalty."""
        how = setting_of(self.problem)
        return beta * self.problem.design.beta_scale(0) * how.cost

    def spline(self, state: CellState) -> Spline:
        """Return a state as a function of the scaled inputs."""
        nodes = np.asarray(state.nodes, dtype=np.intp)
        t = self.problem.design.cells.anchor
        return Spline(t, nodes, state.value, state.slope, state.sign, 0.0, 1.0, 1.0, True)

    def correlations(self, residual: Array) -> Array:
        """Return F at every distinct input."""
        return hinge_sums(self.problem.design.cells.anchor, self.rows.weight * residual)

    def settled(self, spline: Spline, limit: float) -> Spline:
        """Solve for the nodal values afresh: one step of iterative refinement."""
        state = State((spline,), np.empty(0))
        dual = self.rows.weight * self.rows.residual(state)
        right = gradient(self.rows, state, dual) - spline.node_gradient(limit, 0.0)
        return spline.moved(normal_solver(self.rows, state)(right))

    def direction(self, spline: Spline) -> Spline:
        """Return the derivative of the function as the limit falls."""
        state = State((spline,), np.empty(0))
        step = normal_solver(self.rows, state)(spline.node_gradient(1.0, 0.0))
        return replace(spline, value=step, slope=np.diff(step) / spline.gaps)


@dataclass(frozen=True)
class _Event:
    """How far the limit falls, and what happens there: the knot, and its sign (0: the kink goes)."""

    distance: float
    knot: int
    sign: float

    def applied(self, spline: Spline) -> Spline:
        """Return the function with the kink added or dropped."""
        if self.knot < 0:
            return spline
        if self.sign == 0:
            return spline.without(spline.nodes == self.knot)
        return spline.with_nodes(np.array([self.knot]), np.array([self.sign]))


def _track(problem: LassoProblem) -> _Track:
    cells = problem.design.cells
    weight = cells.moments[:, 0]
    here = (np.arange(len(weight)),)
    return _Track(problem, Rows(cells.moments[:, 3] / weight, weight, here, np.empty((len(weight), 0))))


def _first_hit(room: Array, rate: Array, allowed: BoolArray) -> tuple[float, int]:
    """Return the least ``room / rate`` over the places where room shrinks, and the place."""
    shrinks = allowed & (rate > 0)
    time = np.full(len(room), np.inf)
    time[shrinks] = np.maximum(room[shrinks], 0.0) / rate[shrinks]
    where = int(np.argmin(time)) if len(time) else -1
    return (float(time[where]), where) if where >= 0 else (np.inf, -1)


def _next_event(track: _Track, spline: Spline, change: Spline, limit: float, floor: float) -> _Event:
    """Find the next event below a limit, or the end of the path at ``floor``."""
    sign = spline.sign[1:-1]
    drop, which = _first_hit(sign * spline.kinks, -sign * change.kinks, np.ones(len(sign), dtype=bool))
    hinge = track.correlations(track.rows.target - spline.curve())
    falls = -track.correlations(change.curve())
    free = np.ones(len(hinge), dtype=bool)
    free[spline.nodes] = False
    up, above = _first_hit(limit - hinge, 1.0 + falls, free)
    down, below = _first_hit(limit + hinge, 1.0 - falls, free)
    events = [_Event(limit - floor, -1, 0.0), _Event(up, above, 1.0), _Event(down, below, -1.0)]
    if which >= 0:
        events.append(_Event(drop, int(spline.nodes[which + 1]), 0.0))
    return min(events, key=lambda event: event.distance)


def _state(spline: Spline) -> CellState:
    return CellState(spline.nodes.astype(np.int64), spline.value, spline.slope, spline.sign, 0.0)


def _solution(track: _Track, spline: Spline, beta: float) -> Solution:
    """Certify a function at a penalty."""
    problem = track.problem.with_beta(beta)
    point = point_of(problem, problem.design.cells, problem.design.columns[0].knots, _state(spline))
    dual = dual_of(problem, track.rows.target - spline.curve())
    return Solution(problem, point, certify(problem, point, dual), dual, 0, 0.0, _state(spline))


def _corrected(track: _Track, last: Solution, beta: float, tol: float) -> tuple[Solution, Spline]:
    """Let the solver decide which kinks are active at a penalty."""
    found = solve(track.problem.with_beta(beta), tol=tol, solver="active-set", warm_start=last)
    assert isinstance(found.state, CellState)  # one column on its nodes
    return found, track.spline(found.state)


def follow(problem: LassoProblem, min_ratio: float, tol: float) -> Iterator[Solution]:
    """Yield certified solutions at the events from ``beta_max`` down to ``min_ratio * beta_max``.

    Between neighbours in beta fitted values, coefficients and dual vector are linear (see :func:`between`).
    """
    track = _track(problem)
    beta, end = problem.beta_max, min_ratio * problem.beta_max
    spline = track.spline(flat_state(problem.design.cells))
    last = _solution(track, spline, beta)
    yield last
    idle, nudge = 0, NUDGE
    while beta > end:
        limit = track.limit(beta)
        change = track.direction(spline)
        event = _next_event(track, spline, change, limit, track.limit(end))
        if event.distance <= STILL * limit and event.knot >= 0 and idle < PATIENCE:
            spline, idle = event.applied(spline), idle + 1
            continue
        reached = end if event.knot < 0 else max(beta * (1 - event.distance / limit), end)
        moved = track.settled(spline.moved(change.value, event.distance), track.limit(reached))
        there = _solution(track, moved, reached)
        if reached < beta and idle < PATIENCE and there.certificate.holds(min(tol, STRICT)):
            last, beta, spline, idle, nudge = there, reached, event.applied(moved), 0, NUDGE
        else:
            beta = max(beta * (1 - nudge), end)
            last, spline = _corrected(track, last, beta, tol)
            idle, nudge = 0, min(10 * nudge, FARTHEST)
        yield last


def between(left: Solution, right: Solution, beta: float) -> Solution:
    r"""Interpolate two solutions linearly in beta and certify the result; O(n).

    .. math:: z(\beta) = (1 - s)\, z(\beta_0) + s\, z(\beta_1), \qquad
              s = (\beta_0 - \beta) / (\beta_0 - \beta_1)

    Exact between the events of a homotopy; elsewhere the certificate says how far it is off.
    """
    problem = left.problem.with_beta(beta)
    first, second = left.problem.beta, right.problem.beta
    share = (first - beta) / (first - second)
    point = _mixed(left.point, right.point, share)
    dual = (1 - share) * left.dual + share * right.dual
    return Solution(problem, point, certify(problem, point, dual), dual, 0, 0.0, None)


def _mixed(left: Coefficients, right: Coefficients, share: float) -> Coefficients:
    total = dict.fromkeys((*left.features, *right.features), 0.0)
    for point, part in ((left, 1 - share), (right, share)):
        for feature, z in zip(point.features, point.coef, strict=True):
            total[feature] += part * float(z)
    level = (1 - share) * left.level + share * right.level
    linear = (1 - share) * left.linear + share * right.linear
    return replace(
        left, features=tuple(total), coef=np.array(list(total.values())), level=level, linear=linear
    )
