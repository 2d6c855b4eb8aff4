r"""One linear piece of the exact path: where it is, where it goes as beta falls, and what ends it.

With the l1 norm of :mod:`cvxar.spline`, a = 1 / (1 - negative_slope), and the price of a slope
:math:`t = |\omega| \beta`, the nodal values v of given kinks and signs solve

.. math:: G v = h - [\beta a - (a - \tfrac12)\, t]\, \nabla \sum_j s_j c_j - \tfrac{\pm t}{2}\, \nabla S

(G tridiagonal). On each of three faces of the penalty v and t are linear in beta: *kinked*
(:math:`|S| < (2a - 1) TV`, :math:`t = 0`; all there is with a skip connection), *balanced*
(:math:`|S| = (2a - 1) TV`, t follows from this equation) and *steep* (:math:`t = \beta`). Kinks come where

.. math:: F(u) = \sum_i w_i r_i (x_i - u)_+, \qquad L(u) = \sum_i w_i r_i (u - x_i)_+

meet the slack :math:`a (\beta - t)`: L above and -F below if the end slopes rise, F above and -L below if
they fall. Either is precise at its own end of the data, where the other is a difference of large numbers.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.two_layer import hinge_sums
from cvxar.cells import CellState
from cvxar.nodal import Rows, State, gradient, normal_solver
from cvxar.normal import Solve
from cvxar.spline import Spline

CLOSE = 2.3e-13  # share of an input: distances below are rounding
ROUNDING = 1e-12  # share of the slopes: excess below is none


class Face(Enum):
    """Which part of the penalty is in force."""

    KINKED = "kinked"
    BALANCED = "balanced"
    STEEP = "steep"


class Motion(NamedTuple):
    """Per unit of a falling penalty: change of the function (values, slopes), fall of the slope price.

    ``solve`` solves with the normal matrix of the nodes.
    """

    change: Spline
    fall: float
    solve: Solve


@dataclass(frozen=True)
class Ground:
    """What all pieces of a path share, in scaled units: rows, slope of the line taken off the targets."""

    rows: Rows
    line: float
    cost: float
    skip: bool

    def correlations(self, t: Array, values: Array) -> tuple[Array, Array]:
        """Return F and L of values at the inputs, at every input; F for both with a skip connection."""
        dual = self.rows.weight * values
        right = hinge_sums(t, dual)
        return right, right if self.skip else hinge_sums(-t[::-1], dual[::-1])[::-1]


@dataclass(frozen=True)
class Event:
    """How far the penalty falls, and what then: a kink comes (``sign``) or goes (0), or a face is left."""

    distance: float
    knot: int = -1
    sign: float = 0.0
    face: Face | None = None
    side: float = 0.0

    @property
    def ends(self) -> bool:
        """Whether nothing happens but that the path ends."""
        return self.knot < 0 and self.face is None


@dataclass(frozen=True)
class Piece:
    """A point of the path: function, penalty (scaled), price t of a slope, side of the end slopes, face."""

    ground: Ground
    spline: Spline
    beta: float
    price: float
    side: float
    face: Face

    @property
    def tilt(self) -> float:
        """Price of a slope as a share of the penalty, signed."""
        inside = 1.0 - np.finfo(float).eps
        between = float(np.clip(self.price / self.beta, -inside, inside))
        return self.side * {Face.KINKED: 0.0, Face.STEEP: 1.0}.get(self.face, between)

    @property
    def state(self) -> CellState:
        """The same as a warm start of the solver."""
        s = self.spline
        return CellState(s.nodes.astype(np.int64), s.value, s.slope, s.sign, self.tilt)

    @property
    def residual(self) -> Array:
        """Residual at every distinct input."""
        return self.ground.rows.target - self.spline.curve()

    def _gradient(self, beta: float, price: float) -> Array:
        """Gradient of the penalty at the nodal values; the same of their changes."""
        kink = beta * self.ground.cost - (self.ground.cost - 0.5) * price
        return self.spline.node_gradient(kink, self.side * price / 2)

    def _excess(self, spline: Spline, side: float) -> float:
        """Half of ``side S - (2a - 1) TV`` of a function or a change."""
        signed = float(self.spline.sign[1:-1] @ spline.kinks)
        return side * spline.end_slopes / 2 - (self.ground.cost - 0.5) * signed

    def _over(self, side: float) -> float:
        """Excess of the fit itself, line of the targets included."""
        return self._excess(self.spline, side) + side * self.ground.line

    def _change(self, solve: Solve, right: Array) -> Spline:
        step = solve(right)
        return replace(self.spline, value=step, slope=np.diff(step) / self.spline.gaps)

    def _solver(self) -> Solve:
        return normal_solver(self.ground.rows, State((self.spline,), np.empty(0)))

    def motion(self) -> Motion:
        """Return the derivative with respect to a falling penalty."""
        solve = self._solver()
        fall = float(self.face is Face.STEEP)
        if self.face is Face.BALANCED:
            alone, per_price = (self._change(solve, self._gradient(*p)) for p in ((1.0, 0.0), (0.0, 1.0)))
            fall = -self._excess(alone, self.side) / self._excess(per_price, self.side)
        return Motion(self._change(solve, self._gradient(1.0, fall)), fall, solve)

    def settled(self, solve: Solve) -> "Piece":
        """Solve for nodal values and price afresh: one step of iterative refinement."""
        state = State((self.spline,), np.empty(0))
        right = gradient(self.ground.rows, state, self.ground.rows.weight * self.residual)
        right = right - self._gradient(self.beta, self.price)
        moved = replace(self, spline=self.spline.moved(solve(right)))
        if self.face is not Face.BALANCED:
            return moved
        per_price = self._change(solve, self._gradient(0.0, 1.0))
        more = moved._over(self.side) / self._excess(per_price, self.side)
        spline = moved.spline.moved(per_price.value, -more)
        return replace(moved, spline=spline, price=self.price + more)

    def moved(self, motion: Motion, distance: float, beta: float) -> "Piece":
        """Follow the piece; ``beta`` is where it leads."""
        spline = self.spline.moved(motion.change.value, distance)
        price = {Face.KINKED: 0.0, Face.STEEP: beta}.get(self.face, self.price - distance * motion.fall)
        return replace(self, spline=spline, beta=beta, price=price).settled(motion.solve)

    def next_event(self, motion: Motion, end: float) -> Event:
        """Find the next event below, or the end of the path."""
        events = [Event(self.beta - end), *self._kinks_that_go(motion), *self._kinks_that_come(motion)]
        return min([*events, *self._other_faces(motion)], key=lambda event: event.distance)

    def _kinks_that_go(self, motion: Motion) -> list[Event]:
        sign = self.spline.sign[1:-1]
        everywhere = np.ones(len(sign), dtype=bool)
        distance, which = _first_hit(sign * self.spline.kinks, -sign * motion.change.kinks, everywhere)
        return [Event(distance, int(self.spline.nodes[which + 1]))] if which >= 0 else []

    def _kinks_that_come(self, motion: Motion) -> list[Event]:
        t, cost = self.spline.t, self.ground.cost
        right, left = self.ground.correlations(t, self.residual)
        right_falls, left_falls = self.ground.correlations(t, motion.change.curve())
        upper, lower = (left, right) if self.side > 0 else (right, left)
        upper_falls, lower_falls = (left_falls, right_falls) if self.side > 0 else (right_falls, left_falls)
        slack, falls = cost * (self.beta - self.price), cost * (1.0 - motion.fall)
        free = self._free()
        above = _first_hit(slack - upper, falls - upper_falls, free)
        below = _first_hit(slack + lower, falls + lower_falls, free)
        return [Event(*above, sign=1.0), Event(*below, sign=-1.0)]

    def _free(self) -> BoolArray:
        """Inputs that can take a kink: further from the nodes than rounding."""
        t = self.spline.t
        segment, offset = self.spline.segments()
        apart = np.minimum(offset, self.spline.gaps[segment] - offset)
        return np.asarray(apart > np.maximum(CLOSE * np.abs(t), 1e-17), dtype=bool)

    def _other_faces(self, motion: Motion) -> list[Event]:
        """Events at which another part of the penalty comes into force."""
        if self.ground.skip:
            return []
        if self.face is Face.BALANCED:
            return self._ends_of_balance(motion.fall)
        sides = (self.side,) if self.face is Face.STEEP else (1.0, -1.0)
        towards = 1.0 if self.face is Face.STEEP else -1.0
        return [
            Event(
                _time(towards * self._over(s), -towards * self._excess(motion.change, s)),
                -1,
                0.0,
                Face.BALANCED,
                s,
            )
            for s in sides
        ]

    def _ends_of_balance(self, fall: float) -> list[Event]:
        """The price of a slope meets the penalty, or 0 (or, where kinks cost the same, its negative)."""
        steep = Event(_time(self.beta - self.price, 1.0 - fall), face=Face.STEEP, side=self.side)
        if self.ground.cost > 0.5:
            return [steep, Event(_time(self.price, fall), face=Face.KINKED, side=self.side)]
        return [steep, Event(_time(self.beta + self.price, 1.0 + fall), face=Face.STEEP, side=-self.side)]

    def after(self, event: Event) -> "Piece":
        """Return the piece that follows an event at the present penalty.

        What rounding has left of a kink that goes, or of the room of a face, the fit then puts right.
        """
        if event.ends:
            return self
        if event.sign != 0:
            spline = self.spline.with_nodes(np.array([event.knot]), np.array([event.sign]))
            return replace(self, spline=spline)
        if event.face is None:
            below = replace(self, spline=self.spline.without(self.spline.nodes == event.knot))
        else:
            price = {Face.KINKED: 0.0, Face.STEEP: self.beta}.get(event.face, self.price)
            below = replace(self, face=event.face, side=event.side, price=price)
        return below.settled(below._solver())


def _time(room: float, rate: float) -> float:
    """How long room lasts that shrinks at a rate."""
    return max(room, 0.0) / rate if rate > 0 else np.inf


def _first_hit(room: Array, rate: Array, allowed: BoolArray) -> tuple[float, int]:
    """Return the least ``room / rate`` over the places where room shrinks, and the place."""
    shrinks = allowed & (rate > 0)
    time = np.full(len(room), np.inf)
    time[shrinks] = np.maximum(room[shrinks], 0.0) / rate[shrinks]
    where = int(np.argmin(time)) if len(time) else -1
    return (float(time[where]), where) if where >= 0 else (np.inf, -1)


def first_piece(ground: Ground, flat: Spline, beta: float) -> Piece:
    """Return the fit without kinks: the line with a skip connection, else the mean."""
    if ground.skip:
        return Piece(ground, flat, beta, 0.0, 1.0, Face.KINKED)
    side = float(np.sign(ground.line)) or 1.0
    level = flat.moved(-ground.line * flat.t[flat.nodes])
    piece = Piece(ground, level, beta, 0.0, side, Face.BALANCED)
    return piece.settled(piece._solver())


def piece_of(ground: Ground, spline: Spline, tilt: float, beta: float) -> Piece:
    """Return the piece that a solution of the solver lies on."""
    price, side = abs(tilt) * beta, float(np.sign(tilt)) or 1.0
    if ground.skip or (tilt == 0 and ground.cost > 0.5):
        return Piece(ground, spline, beta, 0.0, side, Face.KINKED)
    return Piece(ground, spline, beta, price, side, Face.STEEP if abs(tilt) >= 1 else Face.BALANCED)


def mixed_state(
    t: Array, line: float, cost: float, skip: bool, left: CellState, right: CellState, share: float
) -> CellState:
    """Return ``(1 - share) left + share right``, priced as its own kinks and end slopes call for."""
    nodes = np.union1d(left.nodes, right.nodes)
    (value, slope), (other, steep) = _on_nodes(t, nodes, left), _on_nodes(t, nodes, right)
    value, slope = (1 - share) * value + share * other, (1 - share) * slope + share * steep
    kinks = np.diff(slope)
    keep = np.concatenate(([True], kinks != 0, [True]))
    sign = np.concatenate(([0.0], np.sign(kinks), [0.0]))[keep]
    tilt = 0.0 if skip else _tilt_of(slope[0] + line, slope[-1] + line, float(np.sum(np.abs(kinks))), cost)
    return CellState(nodes[keep], value[keep], slope[keep[:-1]], sign, tilt)


def _on_nodes(t: Array, nodes: IntArray, state: CellState) -> tuple[Array, Array]:
    """Values of a function at nodes that include its own, and slopes between them."""
    segment = np.clip(np.searchsorted(state.nodes, nodes, side="right") - 1, 0, len(state.slope) - 1)
    offset = t[nodes] - t[state.nodes[segment]]
    return state.value[segment] + state.slope[segment] * offset, state.slope[segment[:-1]]


def _tilt_of(first: float, last: float, variation: float, cost: float) -> float:
    """Return 0 or +-1 on the faces kinked and steep, and something between on the balanced one."""
    ends = first + last
    excess = abs(ends) - (2 * cost - 1) * variation
    side = 1.0 if ends >= 0 else -1.0
    if abs(excess) <= ROUNDING * (abs(first) + abs(last) + variation):
        return side / 2
    return side if excess > 0 else 0.0
