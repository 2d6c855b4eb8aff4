"""The limit of no penalty for networks of capped ramps on one column, in closed form."""

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import RampForm
from cvxar.coefficients import Coefficients
from cvxar.problem import LassoProblem
from cvxar.ramp_search import RampState, ramp_point


def least_norm_ramps(problem: LassoProblem, form: RampForm) -> tuple[Coefficients, Array, int]:
    r"""Return the minimum-norm point, a dual vector (data units) and the number of rounds (one).

    The function joins the (tie-averaged) targets by straight lines. Its norm is half the total
    variation of its slopes, continued by 0 (by the last slope, with a skip connection) outside
    the data. The dual vector is the second difference of a function that joins the signs of the kinks.
    """
    design, cells = problem.design, problem.design.cells
    weight, rest = cells.moments[:, 0], cells.moments[:, 3] / cells.moments[:, 0]
    state = joined(cells.anchor, rest, cells.tilted, problem.skip)
    per_knot = slopes_of_signs(cells.anchor, state, problem.skip) / weight
    dual = design.weight * per_knot[design.columns[0].position]
    return ramp_point(problem, form, state), dual, 1


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
