"""Exact active-set solution of two-layer squared-loss problems, in nodal values.

Each round computes the residual afresh, adds every kink the dual vector asks for, and moves to the
optimum of the restricted problem by solves with the (tridiagonal, for one column) normal matrix of
the nodal values. Starts aggressive (drop all wrong-signed kinks at once) and falls back to a
monotone active-set method as soon as the objective fails to decrease.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.two_layer import hinge_sums
from cvxar.box import maximise_in_box
from cvxar.normal import Hats, Solve, damped_solver
from cvxar.spline import Spline

DAMPING = 1e-9


@dataclass(frozen=True)
class Rows:
    """What the solver fits: targets, weights, position of each row among the knots, other columns."""

    target: Array
    weight: Array
    positions: tuple[IntArray, ...]
    extra: Array

    def residual(self, state: "State") -> Array:
        """Residual of a state."""
        fit = self.extra @ state.tail
        for spline, position in zip(state.splines, self.positions, strict=True):
            fit = fit + spline.curve()[position]
        return self.target - fit


@dataclass(frozen=True)
class State:
    """A point of the search: one spline a column, and coefficients of the other columns."""

    splines: tuple[Spline, ...]
    tail: Array

    @property
    def sizes(self) -> list[int]:
        """Lengths of the blocks of unknowns."""
        return [*(len(s.nodes) for s in self.splines), len(self.tail)]

    def split(self, vector: Array) -> list[Array]:
        """Cut a vector of unknowns into one block per spline and one for the tail."""
        return np.split(vector, np.cumsum(self.sizes)[:-1])

    @property
    def penalty(self) -> float:
        """Penalty term of the objective."""
        return sum(s.beta * s.norm for s in self.splines)

    def dropping(self, masks: list[BoolArray]) -> "State":
        """Drop nodes, one mask a spline."""
        splines = [s.without(m) if m.any() else s for s, m in zip(self.splines, masks, strict=True)]
        return replace(self, splines=tuple(splines))


@dataclass(frozen=True)
class Step:
    """A full step of the restricted problem: blocks of unknowns and new tilts."""

    blocks: list[Array]
    tilts: list[float]


def aggregate(dual: Array, position: IntArray, m: int) -> Array:
    """Sum row values into knots."""
    return np.bincount(position, weights=dual, minlength=m).astype(float, copy=False)


def gradient(rows: Rows, state: State, dual: Array) -> Array:
    """Negative gradient of the loss at all unknowns."""
    blocks = []
    for spline, position in zip(state.splines, rows.positions, strict=True):
        at_knots = aggregate(dual, position, len(spline.t))
        blocks.append(_hat_sums(spline, at_knots))
    return np.concatenate([*blocks, rows.extra.T @ dual])


def _hat_sums(spline: Spline, at_knots: Array) -> Array:
    segment, offset = spline.segments()
    right = np.bincount(segment, weights=at_knots * (offset / spline.gaps[segment]))
    whole = np.bincount(segment, weights=at_knots)
    sums = np.zeros(len(spline.nodes))
    sums[:-1] += whole - right
    sums[1:] += right
    return sums


def normal_solver(rows: Rows, state: State, damping: float = DAMPING) -> Solve:
    """Factor the normal matrix of all unknowns and return the function that solves with it."""
    if len(state.splines) == 1 and not rows.extra.shape[1]:
        return _tridiagonal(rows, state.splines[0])
    return damped_solver(hats_of(rows, state), damping)


def hats_of(rows: Rows, state: State) -> Hats:
    """Find every row among the nodes of every column; O(n p)."""
    shape = len(state.splines), len(rows.target)
    first = 0
    segment: IntArray = np.empty(shape, np.int32)
    share = np.empty(shape)
    for j, (spline, position) in enumerate(zip(state.splines, rows.positions, strict=True)):
        here, offset = spline.segments()
        segment[j] = (here + first)[position]
        share[j] = (offset / spline.gaps[here])[position]
        first += len(spline.nodes)
    return Hats(segment, share, rows.weight, rows.extra, sum(state.sizes))


def _tridiagonal(rows: Rows, spline: Spline) -> Solve:
    segment, offset = spline.segments()
    weight = aggregate(rows.weight, rows.positions[0], len(spline.t))
    share = offset / spline.gaps[segment]
    whole, first, second = (np.bincount(segment, weights=weight * share**k) for k in range(3))
    diagonal = np.zeros(len(spline.nodes))
    diagonal[:-1] += whole - 2 * first + second
    diagonal[1:] += second
    d, e, info = scipy.linalg.lapack.dpttrf(diagonal, first - second)
    if info:
        raise np.linalg.LinAlgError("singular normal matrix")

    def solve(right: Array) -> Array:
        """Solve for one or several right-hand sides."""
        solution: Array = scipy.linalg.lapack.dpttrs(d, e, right.reshape(len(d), -1))[0]
        return solution.reshape(right.shape)

    return solve


def full_step(rows: Rows, state: State, damping: float = DAMPING) -> Step:
    """Solve the restricted problem (signs fixed, tilts free) from the current state."""
    dual = rows.weight * rows.residual(state)
    penalty = np.concatenate([*(s.penalty_gradient() for s in state.splines), np.zeros(len(state.tail))])
    solve = normal_solver(rows, state, damping)
    step = solve(gradient(rows, state, dual) - penalty)
    tilts = [s.tilt for s in state.splines]
    if any(not s.skip for s in state.splines):
        step, tilts = _tilt_step(state, solve, step)
    return Step(state.split(step), tilts)


def _tilt_step(state: State, solve: Solve, step: Array) -> tuple[Array, list[float]]:
    """Maximise over the tilts (split into positive and negative parts) and correct the step."""
    columns = np.column_stack(
        [_tilt_column(state, i, side) for i in range(len(state.splines)) for side in (1, -1)]
    )
    response = solve(columns)
    gain = np.array(
        [
            _tilt_gain(s.moved(block), side)
            for s, block in zip(state.splines, state.split(step), strict=False)
            for side in (1, -1)
        ]
    )
    now = np.array([max(side * s.tilt, 0.0) for s in state.splines for side in (1, -1)])
    change = maximise_in_box(columns.T @ response, gain, -now, 1.0 - now)
    new = np.where(change >= 1.0 - now, 1.0, now + change).reshape(-1, 2)
    return step - response @ change, [float(up - down) for up, down in new]


def _tilt_column(state: State, index: int, side: int) -> Array:
    """Gradient of the penalty per unit of tilt of one spline towards one side."""
    blocks = [np.zeros(size) for size in state.sizes]
    s = state.splines[index]
    blocks[index] = s.node_gradient(-s.beta * (s.hinge_cost - 0.5), side * s.beta / 2)
    return np.concatenate(blocks)


def _tilt_gain(spline: Spline, side: int) -> float:
    signed = float(spline.sign[1:-1] @ spline.kinks)
    return spline.beta * (side * spline.end_slopes / 2 - (spline.hinge_cost - 0.5) * signed)


def refined_residual(rows: Rows, state: State) -> Array:
    """Residual after one more full step, taken on the residual instead of the rounded nodal values.

    A residual much smaller than the target has lost digits to the subtraction; the step knows
    them, because it restores the optimality conditions.
    """
    return rows.residual(state) - fit_of(rows, state, full_step(rows, state))


def fit_of(rows: Rows, state: State, step: Step) -> Array:
    """Change of the fit at the rows that a whole step makes."""
    fit = rows.extra @ step.blocks[-1]
    for s, block, position in zip(state.splines, step.blocks, rows.positions, strict=False):
        change = replace(s, value=block, slope=np.diff(block) / s.gaps)
        fit = fit + change.curve()[position]
    return fit


def take(state: State, step: Step, length: float = 1.0) -> State:
    """Move along a step; tilts move with it."""
    splines = [
        s.moved(block, length, tilt if length == 1 else s.tilt + length * (tilt - s.tilt))
        for s, block, tilt in zip(state.splines, step.blocks, step.tilts, strict=False)
    ]
    return State(tuple(splines), state.tail + length * step.blocks[-1])


def wrong_signs(state: State) -> list[BoolArray]:
    """Mask the nodes whose slope change has not the sign it is priced with."""
    masks = []
    for s in state.splines:
        mask = np.zeros(len(s.nodes), dtype=bool)
        mask[1:-1] = s.kinks * s.sign[1:-1] <= 0
        masks.append(mask)
    return masks


def settle_aggressively(rows: Rows, state: State, damping: float = DAMPING, limit: int = 60) -> State:
    """Full steps, dropping every wrong-signed kink at once, until none is left."""
    for _ in range(limit):
        state = take(state, full_step(rows, state, damping))
        masks = wrong_signs(state)
        if not any(mask.any() for mask in masks):
            return state
        state = state.dropping(masks)
    return state


def settle_monotonically(rows: Rows, state: State) -> State:
    """Steps up to the first sign change, so that the objective never rises (a primal active set)."""
    for _ in range(20 + 4 * sum(state.sizes)):
        step = full_step(rows, state)
        length, masks = _first_blocks(state, step)
        state = take(state, step, length)
        if not any(mask.any() for mask in masks):
            return state
        state = state.dropping(masks)
    return state


def _first_blocks(state: State, step: Step) -> tuple[float, list[BoolArray]]:
    """How far the step goes before a slope change vanishes, and which ones do."""
    ratios = []
    for s, block in zip(state.splines, step.blocks, strict=False):
        now, then = s.kinks * s.sign[1:-1], s.moved(block).kinks * s.sign[1:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios.append(np.where(then <= 0, np.maximum(now, 0.0) / (np.maximum(now, 0.0) - then), np.inf))
    length = min(1.0, min((float(np.min(r, initial=np.inf)) for r in ratios), default=1.0))
    masks = [np.concatenate(([False], r <= length * (1 + 1e-12), [False])) for r in ratios]
    return length, masks


def correlations(rows: Rows, state: State, dual: Array) -> list[Array]:
    """Hinge correlations F at the knots of every column."""
    return [
        hinge_sums(s.t, aggregate(dual, p, len(s.t)))
        for s, p in zip(state.splines, rows.positions, strict=True)
    ]
