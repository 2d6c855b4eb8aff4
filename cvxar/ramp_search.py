r"""The solver for networks of capped ramps on one column: one kink a node instead of two a feature.

The least l1 norm of ramps :math:`\min((x - a)_+, b - a)` that add up to a piecewise-linear function,
constant outside its kinks c_j, is :math:`\tfrac12 \sum |c_j|`. The Lasso over m (m - 1) / 2 ramps is
therefore one over m kinks whose sum is 0. It is solved on the values at the kinks: the
normal matrix is tridiagonal. With a skip connection the function continues beyond its outer kinks
with a free slope instead of 0. Rounds are those of ``nodal_search``; F(a) - tau, where F is the
correlation with :math:`(x - a)_+` and tau the multiplier of the sum, has to stay within half the penalty.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures import RampForm
from cvxar.architectures.hinges import run_peaks
from cvxar.cell_search import dual_of
from cvxar.cells import Cells
from cvxar.coefficients import Coefficients
from cvxar.problem import LassoProblem
from cvxar.ramps import ramps_of

EXACT = 1e-14
FEW = 8


class RampState(NamedTuple):
    """Kinks (cells), values there and slopes between (less the line of the cells), outer slope, signs."""

    nodes: IntArray
    value: Array
    slope: Array
    outer: float
    sign: Array

    @property
    def kinks(self) -> Array:
        """Slope changes at the nodes; their sum is 0."""
        return np.diff(self.slope, prepend=self.outer, append=self.outer)


class RampPricing(NamedTuple):
    """Objective, gap, and what the correlation of every kink exceeds its limit from."""

    primal: float
    gap: float
    excess: Array


@dataclass(frozen=True)
class RampSetting:
    """Data and penalty: ``penalty`` of a unit kink, and whether the outer slope is free."""

    cells: Cells
    penalty: float
    skip: bool

    def flat(self) -> RampState:
        """Return the constant (the line of the cells, with a skip connection)."""
        outer = 0.0 if self.skip else -self.cells.tilted
        return RampState(np.zeros(1, dtype=np.int64), np.zeros(1), np.empty(0), outer, np.zeros(1))

    def settled(self, state: RampState, monotone: bool = False) -> RampState:
        """Move to the optimum over the kinks in play."""
        # numba is loaded by the first solve, not by the import of the package
        from cvxar import kernel_ramps

        settle = kernel_ramps.settle_monotonically if monotone else kernel_ramps.settle_aggressively
        return RampState(*settle(self.cells.anchor, self.cells.moments, *state, self.penalty, self.skip))

    def price(self, state: RampState) -> RampPricing:
        """Evaluate a state; the gap is a sum of terms that are not negative up to rounding."""
        from cvxar import kernel_ramps

        sums = np.empty(len(self.cells.anchor))
        energy = kernel_ramps.evaluate(self.cells.anchor, self.cells.moments, *state[:4], sums)
        high, low = float(np.max(sums)), float(np.min(sums))
        alone = len(state.nodes) == 1
        around = (high + low) / 2 if alone else float(np.mean(sums[state.nodes] - self.penalty * state.sign))
        scale = min(1.0, 2 * self.penalty / (high - low)) if high > low else 1.0
        kinks, excess = state.kinks, sums - around
        norm = self.penalty * float(np.sum(np.abs(kinks)))
        gap = (1 - scale) ** 2 / 2 * energy + norm - scale * float(kinks @ excess[state.nodes])
        return RampPricing(self.cells.offset + energy / 2 + norm, max(gap, 0.0), excess)

    def widened(self, state: RampState, excess: Array, quota: float) -> tuple[RampState, int]:
        """Add the most violating kink of every run beyond the limit, at most ``quota`` in all."""
        free = excess.copy()
        free[state.nodes[state.sign != 0]] = 0.0
        if self.skip:
            free[-1] = 0.0  # a kink there changes nothing but the sum, which the first can do
        found = run_peaks(free, self.penalty * (1 + 1e-10))
        found = found[self._apart(state, found)]
        total, size = len(found), np.abs(free[found])
        if total > quota:
            best = np.argsort(-size, kind="stable")[: int(quota)]
            found = np.sort(found[best])
        return (self._with_nodes(state, found, np.sign(free[found])) if len(found) else state), total

    def _apart(self, state: RampState, found: IntArray) -> BoolArray:
        """Leave out knots that rounding cannot tell from a node."""
        t = self.cells.anchor
        nodes = t[state.nodes[state.sign != 0]]
        ends = np.concatenate(([-np.inf], nodes, [np.inf]))
        right = np.searchsorted(ends, t[found])
        close = np.maximum(2.3e-13 * np.abs(t[found]), 1e-17)
        apart: BoolArray = np.minimum(t[found] - ends[right - 1], ends[right] - t[found]) > close
        return apart

    def _with_nodes(self, state: RampState, found: IntArray, sign: Array) -> RampState:
        from cvxar import kernel_ramps

        nodes, value, slope = kernel_ramps.padded(self.cells.anchor, *state[:4])
        kept = state.sign != 0
        every = np.concatenate([state.nodes[kept], found])
        order = np.argsort(every, kind="stable")
        every = every[order]
        left = np.searchsorted(nodes[1:-1], every, side="right")
        at = value[left] + slope[left] * (self.cells.anchor[every] - self.cells.anchor[nodes[left]])
        return RampState(
            every, at, slope[left[:-1]], state.outer, np.concatenate([state.sign[kept], sign])[order]
        )


class RampSearch:
    """The rounds; ``quota`` kinks are admitted at once, fewer when the objective fails to fall."""

    def __init__(self, how: RampSetting) -> None:
        self.how = how
        self.floor = 1e-32 * float(np.sum(how.cells.moments[:, 0]))
        self.quota, self.stalled = np.inf, 0

    def advance(self, state: RampState, now: RampPricing) -> tuple[RampState, RampPricing]:
        """Run one round (see ``nodal_search.Search.advance``)."""
        wider, total = self.how.widened(state, now.excess, self.quota)
        trial = self.how.settled(wider)
        then = self.how.price(trial)
        if self._rises(now, then) and self.quota <= FEW:
            trial = self.how.settled(wider, monotone=True)
            then = self.how.price(trial)
        falls = then.primal < now.primal * (1 - 1e-13) or then.gap < 0.5 * now.gap
        self.stalled = 0 if falls else self.stalled + 1
        if self._rises(now, then):
            self.quota = max(1, int(min(self.quota, total)) // 4)
            return state, now
        self.quota = 2 * self.quota if falls else max(1, self.quota // 4)
        return trial, then

    def _rises(self, now: RampPricing, then: RampPricing) -> bool:
        return then.primal > now.primal * (1 + 1e-14) + self.floor

    def run(self, state: RampState, tol: float, max_rounds: int) -> tuple[RampState, int]:
        """Iterate until nothing moves any more; within ``tol``, until a round gains nothing."""
        state = self.how.settled(state)
        now = self.how.price(state)
        best, best_gap = state, now.gap
        for done in range(1, max_rounds + 1):
            enough = now.gap <= tol * now.primal + self.floor
            if now.gap <= EXACT * now.primal + self.floor or self.stalled > (0 if enough else 10):
                return best, done
            state, now = self.advance(state, now)
            if now.gap <= best_gap:
                best, best_gap = state, now.gap
        return best, max_rounds


def search_ramps(
    problem: LassoProblem, form: RampForm, tol: float, max_rounds: int, start: RampState | None
) -> tuple[Coefficients, Array, int, RampState]:
    """Solve; returns the point, its dual vector (data units), the rounds and a state for warm starts."""
    from cvxar import kernel_ramps

    cells = problem.design.cells
    penalty = problem.beta * problem.design.beta_scale(0) * form.cost / 2
    how = RampSetting(cells, penalty, problem.skip)
    state, rounds = RampSearch(how).run(start or how.flat(), tol, max_rounds)
    residual = kernel_ramps.refined_residual(cells.anchor, cells.moments, *state, penalty, problem.skip)
    return ramp_point(problem, form, state), dual_of(problem, residual), rounds, state


def ramp_point(problem: LassoProblem, form: RampForm, state: RampState) -> Coefficients:
    """Turn a state into ramps and unpenalised coefficients, in data units."""
    design, cells = problem.design, problem.design.cells
    inputs, factor = design.columns[0].knots[state.nodes], design.y_scale / design.widths[0]
    starts, stops, amount = ramps_of(state.kinks)
    units = tuple(form.unit(float(inputs[i]), float(inputs[j])) for i, j in zip(starts, stops, strict=True))
    features, coef = problem.architecture.condense(units, amount * factor * form.cost)
    linear = np.array([(state.outer + cells.tilted) * factor]) if problem.skip else np.zeros(1)
    rest = Coefficients(features, coef, 0.0, linear, design.anchors, np.empty(0), np.empty(0))
    middle = len(state.nodes) // 2
    value = state.value[middle] + cells.level + cells.tilted * cells.anchor[state.nodes[middle]]
    at = float(rest.varying(inputs[middle : middle + 1, None], np.empty((1, 0)))[0])
    level = design.y_center + value * design.y_scale - at
    return Coefficients(features, coef, float(level), linear, design.anchors, np.empty(0), np.empty(0))
