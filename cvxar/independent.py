r"""Fewer features of the same fit and cost: none that depends on the others.

An interior point keeps every feature an optimum can hold, mirrored hinges and all. Where columns of
active features and unpenalised ones depend on each other, moving along the dependency changes neither
the fit nor, at an optimum, the cost, until a feature is left out (Caratheodory's theorem).
"""

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.dense_rows import DEPENDENT

RISE = 1e-9  # share of the costs along a dependency that is rounding


def independent_amounts(free: Array, columns: Array, cost: Array, amount: Array) -> tuple[Array, Array]:
    """Return new coefficients of ``free`` (as changes) and amounts, 0 where a feature is left out.

    Of features that depend on each other the first stay where the amounts allow it. O(n k^2 + d k^3)
    for k features of which d go.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> mirrored = np.column_stack([np.maximum(x - 1, 0), np.maximum(1 - x, 0)])
    >>> free = np.column_stack([np.ones(3), x])
    >>> change, amount = independent_amounts(free, mirrored, np.ones(2), np.array([1.0, 1.0]))
    >>> change.round(12), amount.round(12)
    (array([ 1., -1.]), array([2., 0.]))
    """
    p = free.shape[1]
    # the triangle has the same dependencies
    triangle = np.asarray(np.linalg.qr(np.hstack([free, columns]), mode="r"), dtype=float)
    unknowns = np.concatenate([np.zeros(p), amount])
    while True:
        active = np.concatenate([np.arange(p), p + np.flatnonzero(unknowns[p:])])
        count = _independent(triangle[:, active], p)
        if count == len(active):
            return unknowns[:p], unknowns[p:]
        unknowns = _moved(unknowns, _dependency(triangle, active[: count + 1]), cost)


def _independent(columns: Array, known: int) -> int:
    """Return the number of columns before the first, of those after ``known``, that depends on its own."""
    basis, size = np.empty((len(columns), min(columns.shape))), 0
    for j in range(columns.shape[1]):
        rest = columns[:, j]
        for _ in range(2):
            rest = rest - basis[:, :size] @ (basis[:, :size].T @ rest)
        length = float(np.linalg.norm(rest))
        if length > DEPENDENT * float(np.linalg.norm(columns[:, j])) and size < basis.shape[1]:
            basis[:, size], size = rest / length, size + 1
        elif j >= known:
            return j
    return int(columns.shape[1])


def _dependency(triangle: Array, members: IntArray) -> Array:
    """Return a change of all unknowns, lowering the last member by 1, that leaves the fit as it is."""
    last = members[-1]
    change = np.zeros(triangle.shape[1])
    change[members[:-1]] = np.linalg.lstsq(triangle[:, members[:-1]], triangle[:, last])[0]
    change[last] = -1.0
    return change


def _moved(unknowns: Array, change: Array, cost: Array) -> Array:
    """Move, the last member towards zero unless that costs more, until an amount is zero."""
    p = len(unknowns) - len(cost)
    amount, step = unknowns[p:], change[p:]
    last = np.flatnonzero(step == -1.0)[-1]
    side = np.sign(amount[last])
    rise = side * float(np.sum(cost * np.sign(amount) * step))
    side = -side if rise > RISE * float(np.sum(cost * np.abs(step))) else side
    shrinks = np.flatnonzero(side * step * amount < 0)
    reach = np.abs(amount[shrinks] / step[shrinks])
    nearest = int(np.argmin(reach))
    moved: Array = unknowns + side * reach[nearest] * change
    moved[p + shrinks[nearest]] = 0.0
    return moved
