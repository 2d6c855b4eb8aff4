r"""Observations in the order of their inputs, and the programme of a piecewise-linear fit to them.

Most observations lie so far from the fit that their side is known. On their side their loss is linear, so
that those above the fit in one segment act like a single observation, their weighted mean, and those
below like another (Portnoy and Koenker 1997). Whether they stayed on their side is checked afterwards.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.design import Design
from cvxar.interior import Programme
from cvxar.losses import Loss
from cvxar.nodal_rows import NodalRows
from cvxar.spline import Spline

CHUNKS = 64  # the spread about the fit may change along the input: sides are judged within chunks
MOST_NODES = 0.01
FEWEST = 10_000  # observations from which on it pays to leave some out


@dataclass(frozen=True)
class Ordered:
    """Observations in the order of their inputs; ``place`` is the knot of each, in scaled units."""

    t: Array
    place: IntArray
    target: Array
    lower: Array
    upper: Array
    curvature: Array

    @cached_property
    def inputs(self) -> Array:
        """Input of every observation."""
        return self.t[self.place]

    def thinned(self, stride: int) -> tuple["Ordered", IntArray]:
        """Return every ``stride``-th observation, the last one too, and which knots are theirs."""
        rows = np.unique(np.append(np.arange(0, len(self.place), stride), len(self.place) - 1))
        knots, place = np.unique(self.place[rows], return_inverse=True)
        parts = (part[rows] for part in (self.target, self.lower, self.upper, self.curvature))
        return Ordered(self.t[knots], place, *parts), knots

    def sides(self, residual: Array, nodes: int) -> Array | None:
        """Return 1 for observations far above a fit, -1 far below, 0 near it; None if all are needed.

        About ``(nodes n)^(2/3)`` are near: the smallest residuals of each chunk.
        """
        n = len(residual)
        if np.any(self.curvature) or n < FEWEST or nodes > MOST_NODES * n:
            return None
        share = min((nodes * n) ** (2 / 3) / n, 0.15)
        edges = np.linspace(0, n, CHUNKS + 1).astype(np.intp)
        size = np.abs(residual)
        far = np.zeros(n, dtype=bool)
        for start, stop in pairwise(edges):
            kept = int(share * (stop - start))
            far[start:stop] = size[start:stop] > np.partition(size[start:stop], kept)[kept]
        sides: Array = np.sign(residual) * far
        return sides

    def restricted(self, spline: Spline, tilted: bool, sides: Array | None) -> "Restricted":
        """Return the programme with kinks at the nodes of a spline; O(n)."""
        nodes = spline.nodes
        starts = np.concatenate([[0], np.searchsorted(self.place, nodes[1:-1])])
        counts = np.diff(np.append(starts, len(self.place)))
        left = np.repeat(spline.t[nodes[:-1]], counts)
        share = (self.inputs - left) / np.repeat(spline.gaps, counts)
        price = spline.beta * spline.kink_price(1.0 if tilted else 0.0)
        cost = np.append(np.full(len(nodes) - 2, price), np.full(int(tilted), spline.beta / 2))
        segment = np.repeat(np.arange(len(counts)), counts)
        rows, slot = self._rows(segment, share), np.arange(len(share))
        if sides is not None:
            rows, slot = _merged(rows, segment, sides)
        operator = NodalRows(rows.share, np.bincount(rows.segment), spline.gaps, tilted)
        return Restricted(operator, rows, cost, price, sides, slot)

    def _rows(self, segment: IntArray, share: Array) -> "Rows":
        return Rows(segment, share, self.target, self.lower, self.upper, self.curvature)

    def value(self, residual: Array) -> float:
        """Loss of all observations at a residual."""
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(self.curvature > 0, residual / self.curvature, np.sign(residual) * np.inf)
        slope = np.clip(np.where(residual == 0, 0.0, inner), self.lower, self.upper)
        return float(slope @ residual - self.curvature @ (slope * slope) / 2)


@dataclass(frozen=True)
class Rows:
    """Observations of a programme, by segment: place in it, target, slopes, curvature."""

    segment: IntArray
    share: Array
    target: Array
    lower: Array
    upper: Array
    curvature: Array

    def taken(self, which: IntArray | BoolArray) -> "Rows":
        """Return some of the rows."""
        return Rows(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(frozen=True)
class Restricted:
    """A programme; ``slot`` is the row that an observation is, or is part of."""

    operator: NodalRows
    rows: Rows
    cost: Array
    price: float
    sides: Array | None
    slot: IntArray

    @property
    def programme(self) -> Programme:
        """Rows of the observations, then those of the penalty."""
        rows, none = self.rows, np.zeros(len(self.cost))
        return Programme(
            self.operator,
            np.concatenate([rows.target, none]),
            np.concatenate([rows.lower, -self.cost]),
            np.concatenate([rows.upper, self.cost]),
            np.concatenate([rows.curvature, none]),
        )

    def dual(self, data: Ordered, row_dual: Array) -> Array:
        """Return the dual vector of all observations: those of one row share it by weight."""
        own: Array = row_dual[self.slot]
        if self.sides is None:
            return own
        weight = data.upper - data.lower
        far = self.sides != 0
        own[far] *= weight[far] / (self.rows.upper - self.rows.lower)[self.slot[far]]
        return own


def _merged(rows: Rows, segment: IntArray, sides: Array) -> tuple[Rows, IntArray]:
    """Replace the far observations of a segment by one row above and one below, sorted by segment."""
    near = np.flatnonzero(sides == 0)
    parts, slots = [rows.taken(near)], np.empty(len(sides), dtype=np.intp)
    slots[near] = np.arange(len(near))
    total = len(near)
    for side in (1.0, -1.0):
        far = np.flatnonzero(sides == side)
        mean, group = _means(rows.taken(far))
        slots[far] = total + group
        parts.append(mean)
        total += len(mean.segment)
    joined = Rows(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Rows)))
    order = np.argsort(joined.segment, kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return joined.taken(order), rank[slots]


def _means(rows: Rows) -> tuple[Rows, IntArray]:
    """Merge the rows of each segment into their weighted mean; and say which row each went into."""
    there, group = np.unique(rows.segment, return_inverse=True)
    weight = rows.upper - rows.lower
    sums = [
        np.bincount(group, weights=w, minlength=len(there)).astype(float)
        for w in (weight, weight * rows.share, weight * rows.target, rows.lower, rows.upper)
    ]
    whole, share, target, lower, upper = sums
    mean = Rows(there, share / whole, target / whole, lower, upper, np.zeros(len(there)))
    return mean, group


def ordered_rows(design: Design, loss: Loss) -> Ordered:
    """Put the observations of the only column into the order of their inputs; O(n log n)."""
    (column,) = design.columns
    order = np.argsort(column.position, kind="stable")
    weight = design.weight[order]
    return Ordered(
        column.t,
        column.position[order],
        design.e[order],
        loss.lower * weight,
        loss.upper * weight,
        loss.curvature / (weight * design.y_scale),
    )
