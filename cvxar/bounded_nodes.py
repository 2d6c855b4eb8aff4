r"""Two-layer problems of one column with a loss of bounded slope, on nodal values.

The rounds are those of ``nodal_search``: solve with kinks at the nodes, read the hinge correlations of
the dual vector at every input, add a node where they ask for more than the penalty. The restricted
problems are banded programmes of ``interior``. With many observations a regular part of them, with a
penalty smaller by the same factor, finds the neighbourhood first.

Without a skip connection the l1 norm is :math:`\max(a\,TV, (TV + |S|)/2)` (see ``spline``). If the
optimum for the first term has the second one smaller it is optimal, and the other way round; where
they balance, the caller falls back to features.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.two_layer import hinge_sums
from cvxar.coefficients import Coefficients
from cvxar.interior import Optimum, maximise
from cvxar.nodal import State, aggregate
from cvxar.nodal_search import coefficients_of
from cvxar.ordered import Ordered, Restricted, ordered_rows
from cvxar.problem import LassoProblem
from cvxar.rounds import LOOSEST, closed, iterate
from cvxar.spline import Spline, flat, signed

COARSE = 4_000  # observations of the first approximation
CLOSE = 1e-4  # accuracy of the first round: a round costs more than a digit
ACCURATE = 1e-5  # from here on it shows which kinks are none
NOISE = 0.1  # share of the accuracy of a solution by which correlations may exceed the penalty
ATTEMPTS = 4  # solutions with a part of the observations, the last one with all
MOST_STRAYED = 0.1
MANY = 10
FAR = 0.7


@dataclass(frozen=True)
class Settled:
    """Optimum with kinks at the nodes of a spline, and what the hinge correlations say about it."""

    spline: Spline
    dual: Array
    price: Array
    cost: float
    kink: Array
    limit: float
    value: float
    gap: float
    accuracy: float

    @property
    def asking(self) -> bool:
        """Whether a knot that is no node asks for a kink."""
        return bool(len(self.candidates[0]))

    @cached_property
    def candidates(self) -> tuple[IntArray, Array]:
        """Knots that ask for a kink beyond the accuracy of the solution, and its signs.

        Less than that is noise, and would crowd nodes together.
        """
        return self.spline.candidates(self.kink, self.limit * (1 + NOISE * self.accuracy))

    @property
    def idle(self) -> BoolArray:
        """Inner nodes nearer to no kink, in shares of all kinks, than their price is to its limit."""
        kinks = np.abs(self.spline.kinks)
        return kinks < (1 - np.abs(self.price) / self.cost) * float(np.sum(kinks))


@dataclass(frozen=True)
class NodeSearch:
    """Rounds on given observations."""

    rows: Ordered
    tilted: bool = False

    def settle(self, spline: Spline, tol: float) -> Settled:
        """Solve with kinks at the nodes, and price every knot; O(n).

        The spline given, unless it is the zero function, tells which observations are far from the fit.
        """
        known = len(spline.nodes) > 2
        sides = self.rows.sides(self._residual(spline), len(spline.nodes)) if known else None
        for attempt in range(ATTEMPTS):
            restricted = self.rows.restricted(spline, self.tilted, sides)
            best = maximise(restricted.programme, spline.value, tol)
            spline = replace(spline, value=best.unknowns, slope=np.diff(best.unknowns) / spline.gaps)
            residual = self._residual(spline)
            if sides is None or not (strayed := sides * residual < 0).any():
                break
            few = np.sum(strayed) < MOST_STRAYED * np.sum(sides == 0)
            sides = np.where(strayed, 0.0, sides) if few and attempt < ATTEMPTS - 2 else None
        return self._priced(spline, restricted, best, self._value(best, restricted, residual), tol)

    def _value(self, best: Optimum, restricted: Restricted, residual: Array) -> float:
        """Objective, with the loss of every observation on the side where it is."""
        penalty = restricted.operator.forward(best.unknowns)[restricted.operator.n :]
        return self.rows.value(residual) + float(restricted.cost @ np.abs(penalty))

    def _priced(
        self, spline: Spline, restricted: Restricted, best: Optimum, value: float, tol: float
    ) -> Settled:
        dual = restricted.dual(self.rows, best.dual)
        sums = aggregate(dual, self.rows.place, len(spline.t))
        kink, limit, bound = spline.prices(hinge_sums(spline.t, sums))
        scale = min(1.0, spline.beta / bound) if bound > 0 else 1.0
        curved = float(self.rows.curvature @ (dual * dual)) / 2
        gap = value - scale * (float(dual @ self.rows.target) - scale * curved)
        first = restricted.operator.n
        price = best.dual[first : first + len(spline.nodes) - 2]
        return Settled(spline, dual, price, restricted.price, kink, limit, value, gap, tol)

    def run(self, spline: Spline, tol: float, max_rounds: int, loosest: float) -> tuple[Settled, int]:
        """Iterate until the gap is closed; nodes without a kink are left out at the end."""
        first = self.settle(spline, loosest)
        best, done = iterate(first, self._again, tol, max_rounds, loosest)
        return self._cleared(best, tol), done

    def _residual(self, spline: Spline) -> Array:
        return self.rows.target - spline.curve()[self.rows.place]

    def _again(self, now: Settled, accuracy: float) -> Settled:
        knots, sign = now.candidates
        wider = self._lean(now)
        fresh = ~np.isin(knots, wider.nodes)
        return self.settle(wider.with_nodes(knots[fresh], sign[fresh]), accuracy)

    @staticmethod
    def _lean(now: Settled) -> Spline:
        """Drop idle nodes: those far from their limit, or all where they are many or no others are wanted.

        Crowded nodes cost digits, and a node dropped too early only a round.
        """
        drop, accurate = now.idle, now.accuracy <= ACCURATE
        few = np.sum(drop) <= MANY + np.sum(~drop)
        if few and (now.asking or not accurate):
            drop = drop & (np.abs(now.price) < FAR * now.cost)
        return now.spline.without(np.concatenate([[False], drop, [False]]))

    def _cleared(self, best: Settled, tol: float) -> Settled:
        if not best.idle.any():
            return best
        fewer = self.settle(best.spline.without(np.concatenate([[False], best.idle, [False]])), tol / 10)
        return fewer if closed(fewer, tol) or abs(fewer.gap) <= abs(best.gap) else best


def search_bounded_nodes(
    problem: LassoProblem, tol: float, max_rounds: int, start: Spline | None = None
) -> tuple[Coefficients, Array, int, Spline] | None:
    """Solve on nodal values: point, dual vector in data units, rounds, final spline.

    None without a skip connection where neither form of the l1 norm rules alone.
    """
    design = problem.design
    rows = ordered_rows(design, problem.loss)
    cost = problem.architecture.hinge_cost or 1.0
    zero = flat(rows.t, problem.beta / design.columns[0].scale, cost, problem.skip)
    first = replace(start, beta=zero.beta) if start is not None else _neighbourhood(rows, zero)
    best, done = NodeSearch(rows).run(first, tol, max_rounds, CLOSE)
    if not problem.skip and _steepness(best.spline) > 0:
        best, more = NodeSearch(rows, tilted=True).run(best.spline, tol, max_rounds, CLOSE)
        done += more
        if _steepness(best.spline) < 0:
            return None
    point = coefficients_of(problem, State((signed(best.spline),), np.zeros(0)), [0])
    dual = np.empty(len(rows.place))
    dual[np.argsort(design.columns[0].position, kind="stable")] = best.dual
    return point, dual, done, best.spline


def _steepness(spline: Spline) -> float:
    """Excess of the second form of the l1 norm (without a skip connection) over the first, doubled."""
    return abs(spline.end_slopes) - (2 * spline.hinge_cost - 1) * spline.variation


def _neighbourhood(rows: Ordered, zero: Spline) -> Spline:
    """Nodes and values of the optimum of a regular part of many observations."""
    stride = len(rows.place) // COARSE
    if stride < 2:
        return zero
    part, knots = rows.thinned(stride)
    coarse = flat(part.t, zero.beta / stride, zero.hinge_cost, zero.skip)
    found = NodeSearch(part).run(coarse, LOOSEST / 10, 20, LOOSEST)[0].spline
    sign = np.concatenate([[0.0], np.sign(found.kinks), [0.0]])
    return replace(zero, nodes=knots[found.nodes], value=found.value, slope=found.slope, sign=sign)
