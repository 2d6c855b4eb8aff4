"""The limit of no penalty for networks of capped ramps on one column: in closed form, or between bounds."""

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import RampForm
from cvxar.cells import Cells
from cvxar.coefficients import Coefficients
from cvxar.least_norm_programme import Block, block_of, least_norm_between
from cvxar.minimisers import minimisers
from cvxar.problem import LassoProblem
from cvxar.ramp_search import RampState, ramp_point


def least_norm_ramps(problem: LassoProblem, form: RampForm) -> tuple[Coefficients, Array, int]:
    r"""Return the minimum-norm point, a dual vector (data units) and the number of rounds (one).

    The function joins the (tie-averaged) targets by straight lines. Its norm is half the total
    variation of its slopes, continued by 0 (by the last slope, with a skip connection) outside
    the data. The dual vector is the second difference of a function that joins the signs of the kinks.
    Where repeated inputs leave the loss an interval of minimisers, both are solved for.
    """
    design, cells = problem.design, problem.design.cells
    weight, ranges = cells.moments[:, 0], minimisers(problem)
    if ranges is None:
        low = high = cells.moments[:, 3] / weight
    else:
        low, high = (e / design.y_scale - (cells.level + cells.tilted * cells.anchor) for e in ranges)
    state, sums = _between(cells, low, high, problem.skip)
    dual = design.weight * (sums / weight)[design.columns[0].position]
    return ramp_point(problem, form, state), dual, 1


def _between(cells: Cells, low: Array, high: Array, skip: bool) -> tuple[RampState, Array]:
    """Return the function of least norm between bounds (less the line of the cells) and the dual sums."""
    t = cells.anchor
    if np.array_equal(low, high):
        state = joined(t, low, cells.tilted, skip)
        return state, slopes_of_signs(t, state, skip)
    line = cells.tilted * t
    values, sums = least_norm_between(ramp_block(t, skip), t, low + line, high + line)
    return joined(t, values - line, cells.tilted, skip), sums


def ramp_block(t: Array, skip: bool) -> Block:
    """Half the variation of the slopes, those outside the data included: 0, or the cheapest one."""
    signs = [(1, -1), (-1, 1)] if skip else [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    return block_of(t, [(0.5, first / 2, last / 2) for first, last in signs])


def joined(t: Array, target: Array, tilted: float, skip: bool) -> RampState:
    """Join targets (less a line of slope ``tilted``); points in line with their neighbours are no nodes."""
    gaps = np.diff(t)
    slope = np.diff(target) / gaps
    outer = float(slope[-1]) if skip else -tilted
    bends = np.diff(slope, prepend=outer, append=outer)
    size, per_gap = np.max(np.abs(target + tilted * t), initial=0.0), 1 / gaps
    steep = np.convolve(per_gap, [1.0, 1.0]) * size + abs(tilted)
    nodes = np.flatnonzero(np.abs(bends) > 8 * np.finfo(float).eps * steep)
    nodes = nodes if len(nodes) > 1 else np.zeros(1, dtype=np.int64)
    between = np.diff(target[nodes]) / np.diff(t[nodes])
    return RampState(nodes, target[nodes], between, outer, np.sign(bends[nodes]) * (len(nodes) > 1))


def slopes_of_signs(t: Array, state: RampState, skip: bool) -> Array:
    """Second differences, at every knot, of the function that joins the signs of the kinks.

    It is constant outside the kinks; with a skip connection equal at both ends of the data.
    """
    at, sign = t[state.nodes], state.sign
    if skip:
        end = sign[0] if state.nodes[0] == 0 else (sign[0] + sign[-1]) / 2
        at, sign = np.concatenate(([t[0]], at, [t[-1]])), np.concatenate(([end], sign, [end]))
    height = np.interp(t, at, sign)
    return np.diff(np.diff(height) / np.diff(t), prepend=0.0, append=0.0)
