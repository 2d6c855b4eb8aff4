"""One column at a time: the exact solution of a problem of several columns in each, the others held.

The penalty is a sum over columns, so the objective never rises and falls until no column can better it.
Each update is a problem of one column, solved by the compiled rounds; near-dependent columns trade what
they share slowly, which joint steps (``nodal``) mend.
"""

from dataclasses import replace

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.cell_search import search_on
from cvxar.cells import Cells, CellState, Setting
from cvxar.nodal import Rows, State, aggregate
from cvxar.spline import Spline

# of one update: more are not worth it while the other columns move
ROUNDS, TOLERANCE, EXACT = 10, 1e-13, 1e-14


def sweep(rows: Rows, state: State) -> State:
    """Update every column in turn, then the other unknowns; O(n p) a round of the columns."""
    residual, splines = rows.residual(state), list(state.splines)
    for j, position in enumerate(rows.positions):
        target = residual + splines[j].curve()[position]
        splines[j] = best_alone(splines[j], target, rows.weight, position)
        residual = target - splines[j].curve()[position]
    root = np.sqrt(rows.weight)
    change = np.linalg.lstsq(root[:, None] * rows.extra, root * residual, rcond=None)[0]
    return State(tuple(splines), state.tail + change)


def best_alone(spline: Spline, target: Array, weight: Array, position: IntArray) -> Spline:
    """Fit one column to targets at the rows, starting from a spline."""
    cells = _cells(spline.t, target, weight, position)
    how = Setting(spline.beta, spline.hinge_cost, spline.skip, 1e-32 * float(np.sum(weight)))
    start = CellState(
        spline.nodes.astype(np.int64), spline.value, spline.slope, spline.sign, float(spline.tilt)
    )
    nodes, value, slope, sign, tilt = search_on(cells, start, how, TOLERANCE, EXACT, ROUNDS)[0]
    return replace(spline, nodes=nodes, value=value, slope=slope, sign=sign, tilt=tilt)


def _cells(t: Array, target: Array, weight: Array, position: IntArray) -> Cells:
    """One cell a knot; no line is taken off the targets, for the spline holds it."""
    total, whole = aggregate(weight, position, len(t)), aggregate(weight * target, position, len(t))
    mean = whole / total
    spread = target - mean[position]
    moments = np.zeros((len(t), 6))
    moments[:, 0], moments[:, 3], moments[:, 5] = total, whole, whole * mean
    return Cells(t, moments, 0.0, 0.0, float(weight @ (spread * spread)) / 2)
