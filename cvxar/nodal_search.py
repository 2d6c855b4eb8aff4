"""Rounds of the nodal solver: price, add kinks, settle, until the duality gap is small."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.block_updates import sweep
from cvxar.coefficients import Coefficients
from cvxar.line_step import line_step
from cvxar.nodal import (
    DAMPING,
    Rows,
    State,
    correlations,
    refined_residual,
    settle_aggressively,
    settle_monotonically,
)
from cvxar.problem import LassoProblem
from cvxar.spline import flat
from cvxar.units import units_of
from cvxar.unpenalised import with_free_part


class Outcome(NamedTuple):
    """What a search returns: the point, its dual vector (data units), rounds, state for warm starts."""

    point: Coefficients
    dual: Array
    rounds: int
    state: State


EXACT = 1e-14
# gap to reach at penalties in between, and their ratio
LOOSE, STRIDE = 1e-2, 0.2


@dataclass(frozen=True)
class Pricing:
    """One evaluation of a state: objective, gap, residual, kink correlations and limits."""

    primal: float
    gap: float
    residual: Array
    kinks: list[Array]
    limits: list[float]


def search(problem: LassoProblem, tol: float, max_rounds: int, start: State | None) -> Outcome:
    """Solve a two-layer squared-loss problem with a constant; see the module text of ``nodal``."""
    rows, _, active = prepare(problem)
    scale = problem.design.beta_scale(active[0])
    before = start.splines[0].beta / scale if start is not None else problem.beta_max
    state = start if start is not None else cold_state(problem, active)
    state, rounds = descend(problem, state, before, tol, max_rounds)
    point = coefficients_of(problem, state, active)
    if not problem.design.free.independent:  # many fits are equal: take the one of minimum norm
        point = with_free_part(problem, point.features, point.coef)
    return Outcome(point, _dual(problem, rows, state), rounds, state)


def prepare(problem: LassoProblem) -> tuple[Rows, float, list[int]]:
    """Return the rows to fit, the loss no function can remove, and the columns that vary."""
    design = problem.design
    active = [j for j, c in enumerate(design.columns) if len(c.knots) > 1]
    if len(active) == 1 == len(design.columns) and not design.exog.shape[1]:
        return (*_tied_rows(problem), active)
    exog = design.free.values[:, design.free.values.shape[1] - design.exog.shape[1] :]
    extra = np.column_stack([np.ones(len(design.e)), exog])
    positions = tuple(design.columns[j].position for j in active)
    return Rows(design.e, design.weight, positions, extra), 0.0, active


def _tied_rows(problem: LassoProblem) -> tuple[Rows, float]:
    """One row per distinct input: ties enter only through their weight and mean."""
    design, column = problem.design, problem.design.columns[0]
    weight = column.aggregate(design.weight)
    mean = column.aggregate(design.weight * design.e) / weight
    spread = design.e - mean[column.position]
    offset = float(design.weight @ (spread * spread)) / 2
    rows = Rows(mean, weight, (np.arange(len(mean)),), np.empty((len(mean), 0)))
    return rows, offset


def cold_state(problem: LassoProblem, active: list[int]) -> State:
    """Return the zero function."""
    design = problem.design
    cost = problem.architecture.hinge_cost or 1.0
    splines = tuple(
        flat(design.columns[j].t, problem.beta * design.beta_scale(j), cost, problem.skip) for j in active
    )
    alone = len(active) == 1 == len(design.columns) and not design.exog.shape[1]
    return State(splines, np.zeros(0 if alone else 1 + design.exog.shape[1]))


def _restart(problem: LassoProblem, start: State, active: list[int]) -> State:
    """Take the nodes and values of an earlier state of the same data; the penalty may have changed."""
    fresh = cold_state(problem, active)
    splines = tuple(
        replace(old, beta=new.beta) for old, new in zip(start.splines, fresh.splines, strict=True)
    )
    return State(splines, start.tail)


def price(rows: Rows, state: State, offset: float) -> Pricing:
    """Evaluate a state.

    The gap is a sum of terms that are not negative up to rounding, never a difference of the two
    objectives: half the squared residual lost to scaling, and for each spline the penalty less
    the correlation it earns.
    """
    residual = rows.residual(state)
    dual = rows.weight * residual
    hinges = correlations(rows, state, dual)
    priced = [s.prices(f) for s, f in zip(state.splines, hinges, strict=True)]
    scale = min([1.0, *(s.beta / p[2] for s, p in zip(state.splines, priced, strict=True) if p[2] > 0)])
    energy = float(dual @ residual)
    gap = (1 - scale) ** 2 / 2 * energy
    for s, f, (kink, _, _) in zip(state.splines, hinges, priced, strict=True):
        gap += s.beta * s.norm - scale * s.reward(kink, 0.0 if s.skip else float(f[0]))
    primal = offset + energy / 2 + state.penalty
    return Pricing(primal, max(gap, 0.0), residual, [p[0] for p in priced], [p[1] for p in priced])


def _widened(state: State, pricing: Pricing, quota: float) -> tuple[State, int]:
    """Add the candidates of every column, at most ``quota`` in all (the most violating ones)."""
    found = [
        s.candidates(kink, limit)
        for s, kink, limit in zip(state.splines, pricing.kinks, pricing.limits, strict=True)
    ]
    excess = [
        np.abs(kink[knots]) / limit if limit > 0 else np.abs(kink[knots])
        for (knots, _), kink, limit in zip(found, pricing.kinks, pricing.limits, strict=True)
    ]
    total = sum(len(e) for e in excess)
    bar = -np.inf if total <= quota else float(np.sort(np.concatenate(excess))[-int(quota)])
    splines = [
        s.with_nodes(knots[e >= bar], sign[e >= bar]) if len(knots) else s
        for s, (knots, sign), e in zip(state.splines, found, excess, strict=True)
    ]
    return State(tuple(splines), state.tail), total


class Search:
    """The rounds of a search.

    With several columns, a round updates each alone and then takes a joint step (:meth:`by_blocks`), while
    that pays. One column, and what block updates leave, goes by rounds that admit candidates of all columns
    at once, at most ``quota`` (:meth:`by_candidates`).
    """

    FEW = 8
    DAMPINGS = 1e-7, 1e-2

    def __init__(self, rows: Rows, offset: float) -> None:
        self.rows, self.offset = rows, offset
        self.floor = 1e-32 * float(np.sum(rows.weight))
        self.blocks, self.damping = rows.extra.shape[1] > 0, 1e-4
        self.quota, self.stalled, self.least = np.inf, 0, np.inf

    def by_blocks(self, state: State, now: Pricing) -> tuple[State, Pricing]:
        """Update every column alone, then all jointly; neither raises the objective.

        The joint step is the optimum of the restricted problem, its wrong-signed kinks dropped, or where
        that is not better the best point on the way to it, the next time with more damping.
        """
        swept = sweep(self.rows, state)
        before = price(self.rows, swept, self.offset)
        trial = settle_aggressively(self.rows, swept, self.damping)
        then = price(self.rows, trial, self.offset)
        good = not self._rises(before, then)
        self.damping = float(np.clip(self.damping * (0.01 if good else 10.0), *self.DAMPINGS))
        if not good:
            trial = line_step(self.rows, swept, self.damping)
            then = price(self.rows, trial, self.offset)
        self.blocks = self._falls(now, then)
        return (state, now) if self._rises(now, then) and not self.blocks else (trial, then)

    def by_candidates(self, state: State, now: Pricing) -> tuple[State, Pricing]:
        """Admit candidates and settle.

        All are admitted until the objective fails to fall; then fewer and fewer, for together they may
        block each other. With few, the monotone mode takes over; a single one always makes progress.
        """
        wider, total = _widened(state, now, self.quota)
        trial = settle_aggressively(self.rows, wider)
        then = price(self.rows, trial, self.offset)
        if self._rises(now, then) and self.quota <= self.FEW:
            trial = settle_monotonically(self.rows, wider)
            then = price(self.rows, trial, self.offset)
        falls = self._falls(now, then)
        self.stalled = 0 if falls else self.stalled + 1
        if self._rises(now, then):
            self.quota = max(1, int(min(self.quota, total)) // 4)
            return state, now
        self.quota = 2 * self.quota if falls else max(1, self.quota // 4)
        return trial, then

    def _rises(self, now: Pricing, then: Pricing) -> bool:
        return then.primal > now.primal * (1 + 1e-14) + self.floor

    def _falls(self, now: Pricing, then: Pricing) -> bool:
        """Whether a round gained anything: a lower objective, or half the best gap so far."""
        return then.primal < now.primal * (1 - 1e-13) or then.gap < 0.5 * self.least

    def run(self, state: State, tol: float, max_rounds: int, exact: float = EXACT) -> tuple[State, int]:
        """Iterate to a gap of ``exact``; within ``tol``, until a round gains nothing.

        Going on while it costs a round or two makes fitted values exact, not only the objective:
        their error is of the order of the square root of the gap.
        """
        state = settle_aggressively(self.rows, state, self.damping if self.blocks else DAMPING)
        now = price(self.rows, state, self.offset)
        best, self.least = state, now.gap
        for done in range(1, max_rounds + 1):
            enough = now.gap <= tol * now.primal + self.floor
            if now.gap <= exact * now.primal + self.floor or self.stalled > (0 if enough else 10):
                return best, done
            state, now = (self.by_blocks if self.blocks else self.by_candidates)(state, now)
            if now.gap <= self.least:
                best, self.least = state, now.gap
        return best, max_rounds


def descend(
    problem: LassoProblem, state: State, before: float, tol: float, max_rounds: int
) -> tuple[State, int]:
    """Search from a state of the penalty ``before``, by way of penalties in between where that is far.

    From far away many more kinks come and go than the solution has, and may be more than the rows tell apart.
    """
    rows, offset, active = prepare(problem)
    alone, used = not rows.extra.shape[1], 0
    for beta in () if alone else _between(before, problem.beta):
        state = _restart(problem.with_beta(beta), state, active)
        share = max((max_rounds - used) // 4, 1)
        state, done = Search(rows, offset).run(state, LOOSE, share, LOOSE)
        used += done
    state = _restart(problem, state, active)
    state, done = Search(rows, offset).run(state, tol, max(max_rounds - used, 1))
    return state, min(used + done, max_rounds)


def _between(start: float, stop: float) -> Array:
    """Penalties from one to another, both left out, each at least ``STRIDE`` times the last."""
    if not start > stop:
        return np.empty(0)
    count = int(np.ceil(np.log(stop / start) / np.log(STRIDE)))
    return np.geomspace(start, stop, count + 1)[1:-1]


def coefficients_of(problem: LassoProblem, state: State, active: list[int]) -> Coefficients:
    """Turn a state into units and unpenalised coefficients in data units."""
    design = problem.design
    features, coef, level = [], [], 0.0
    linear = np.zeros(len(design.columns))
    for spline, j in zip(state.splines, active, strict=True):
        factor = design.y_scale / design.columns[j].scale
        units = units_of(spline, design.columns[j].knots, problem.architecture.sigma, j, factor)
        features.extend(units.features)
        coef.append(units.coef)
        linear[j] = units.linear
        level += units.level
    tail = state.tail * design.y_scale
    level = design.y_center + level * design.y_scale + (tail[0] if len(tail) else 0.0)
    q = design.exog.shape[1]
    exog_scale, exog_anchor = (v[len(v) - q :] for v in (design.free.scale, design.free.anchor))
    return Coefficients(
        tuple(features),
        np.concatenate([*coef, np.empty(0)]),
        float(level),
        linear,
        design.anchors,
        tail[len(tail) - q :] / exog_scale,
        exog_anchor,
    )


def _dual(problem: LassoProblem, rows: Rows, state: State) -> Array:
    """Weighted residual at every observation, in data units."""
    design = problem.design
    residual = refined_residual(rows, state)
    if rows.extra.shape[1]:
        return design.y_scale * design.weight * residual
    position = design.columns[0].position
    within_ties = design.e - rows.target[position]
    return design.y_scale * design.weight * (within_ties + residual[position])
