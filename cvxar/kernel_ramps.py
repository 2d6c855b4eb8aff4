"""Compiled steps of the solver for networks of capped ramps (see ``ramp_search``; letters in ``kernels``).

State of the fit: ``nodes`` (cells with a kink, no others), ``value`` there, ``slope`` between them,
``outer``: the slope left of the first node and right of the last, ``sign`` of each kink.
"""

import numpy as np

from cvxar.kernel_cache import compiled
from cvxar.kernel_settle import MONOTONE_STEPS, about
from cvxar.kernels import (
    WEIGHT,
    add_penalty_gradient,
    factor,
    hinge_correlations,
    keep_nodes,
    residual_sums,
    slope_step,
    solve_factored,
)


@compiled
def padded(anchor, nodes, value, slope, outer):
    """Nodes, values and slopes with the first and the last cell as further nodes."""
    k, last = len(nodes), len(anchor) - 1
    more, level, incline = np.empty(k + 2, nodes.dtype), np.empty(k + 2), np.empty(k + 1)
    more[0], more[1:-1], more[-1] = 0, nodes, last
    level[1:-1] = value
    level[0] = value[0] + outer * (anchor[0] - anchor[nodes[0]])
    level[-1] = value[-1] + outer * (anchor[last] - anchor[nodes[-1]])
    incline[0], incline[1:-1], incline[-1] = outer, slope, outer
    return more, level, incline


@compiled
def evaluate(anchor, moments, nodes, value, slope, outer, hinge):
    """Write F at every anchor into ``hinge``; return the energy."""
    sums = np.empty((len(anchor), 2))
    more, level, incline = padded(anchor, nodes, value, slope, outer)
    energy = residual_sums(anchor, moments, more, level, incline, sums)
    hinge_correlations(anchor, sums, hinge)
    return energy


@compiled
def normal_system(anchor, moments, sums, nodes, diagonal, beside, gradient, border):
    """Normal equations of the values (tridiagonal); those of the outer slope as a border.

    Returns the last diagonal entry and gradient, those of the outer slope.
    """
    for k in range(len(nodes) - 1):
        n, a1, a2, r0, r1 = about(anchor, moments, sums, nodes[k], nodes[k + 1], nodes[k])
        h = anchor[nodes[k + 1]] - anchor[nodes[k]]
        a1, a2, r1 = a1 / h, a2 / (h * h), r1 / h
        diagonal[k] += n - 2 * a1 + a2
        diagonal[k + 1] += a2
        beside[k] = a1 - a2
        gradient[k] += r0 - r1
        gradient[k + 1] += r1
    corner, rim = 0.0, 0.0
    for end, start, stop in ((0, 0, nodes[0]), (len(nodes) - 1, nodes[-1], len(anchor))):
        n, a1, a2, r0, r1 = about(anchor, moments, sums, start, stop, nodes[end])
        diagonal[end] += n
        border[end] += a1
        gradient[end] += r0
        corner += a2
        rim += r1
    return corner, rim


@compiled
def full_step(anchor, moments, nodes, value, slope, outer, sign, penalty, skip):
    """Change of values, slopes and outer slope to the optimum of the restricted problem (signs fixed)."""
    k = len(nodes)
    sums = np.empty((len(anchor), 2))
    more, level, incline = padded(anchor, nodes, value, slope, outer)
    residual_sums(anchor, moments, more, level, incline, sums)
    diagonal, beside, step, border = np.zeros(k), np.empty(k - 1), np.zeros(k), np.zeros(k)
    corner, rim = normal_system(anchor, moments, sums, nodes, diagonal, beside, step, border)
    add_penalty_gradient(anchor, nodes, sign, -penalty, 0.0, step)
    factor(diagonal, beside)
    solve_factored(diagonal, beside, step)
    turn = 0.0
    if skip:
        tied = border.copy()
        solve_factored(diagonal, beside, tied)
        pull = rim - penalty * (sign[-1] - sign[0]) - np.sum(border * step)
        turn = pull / (corner - np.sum(border * tied))
        step -= turn * tied
    change = np.empty(k - 1)
    slope_step(anchor, nodes, step, change)
    return step, change, turn


@compiled
def kink(slope, outer, k):
    """Slope change at the node k."""
    before = outer if k == 0 else slope[k - 1]
    return (outer if k == len(slope) else slope[k]) - before


@compiled
def dropped(anchor, nodes, value, slope, sign, keep):
    """Drop nodes; one is left, without a kink, where none is to be kept."""
    if not keep.any():
        keep[len(keep) // 2] = True
    nodes, value, slope, sign = keep_nodes(anchor, nodes, value, slope, sign, keep)
    if len(nodes) == 1:
        sign[0] = 0.0
    return nodes, value, slope, sign


@compiled
def settle_aggressively(anchor, moments, nodes, value, slope, outer, sign, penalty, skip):
    """Full steps, dropping every wrong-signed kink at once, until none is left."""
    for _ in range(60):
        step, change, turn = full_step(anchor, moments, nodes, value, slope, outer, sign, penalty, skip)
        value, slope, outer = value + step, slope + change, outer + turn
        keep = np.ones(len(nodes), np.bool_)
        for k in range(len(nodes)):
            keep[k] = kink(slope, outer, k) * sign[k] > 0
        if keep.all() or len(nodes) == 1:
            break
        nodes, value, slope, sign = dropped(anchor, nodes, value, slope, sign, keep)
    return nodes, value, slope, outer, sign


@compiled
def first_block(slope, outer, change, turn, sign, keep):
    """Length of the step to the first vanishing kink (at most 1); clears ``keep`` for those kinks."""
    ratio = np.full(len(sign), np.inf)
    for k in range(len(sign)):
        now = max(kink(slope, outer, k) * sign[k], 0.0)
        then = now + kink(change, turn, k) * sign[k]
        if then <= 0:
            ratio[k] = now / (now - then) if now > then else 0.0
    length = min(1.0, ratio.min())
    keep[:] = ratio > length * (1 + 1e-12)
    return length


@compiled
def settle_monotonically(anchor, moments, nodes, value, slope, outer, sign, penalty, skip):
    """Steps up to the first vanishing kink, so that the objective never rises."""
    for _ in range(MONOTONE_STEPS):
        step, change, turn = full_step(anchor, moments, nodes, value, slope, outer, sign, penalty, skip)
        keep = np.ones(len(nodes), np.bool_)
        length = first_block(slope, outer, change, turn, sign, keep) if len(nodes) > 1 else 1.0
        value, slope, outer = value + length * step, slope + length * change, outer + length * turn
        if keep.all() or len(nodes) == 1:
            break
        nodes, value, slope, sign = dropped(anchor, nodes, value, slope, sign, keep)
    return nodes, value, slope, outer, sign


@compiled
def refined_residual(anchor, moments, nodes, value, slope, outer, sign, penalty, skip):
    """Residual of every single-point cell, after one more step taken on the residual itself.

    See ``nodal.refined_residual``: the step restores digits lost by subtraction.
    """
    sums = np.empty((len(anchor), 2))
    step, change, turn = full_step(anchor, moments, nodes, value, slope, outer, sign, penalty, skip)
    more, level, incline = padded(anchor, nodes, value, slope, outer)
    residual_sums(anchor, moments, more, level, incline, sums)
    more, level, incline = padded(anchor, nodes, step, change, turn)
    residual = np.empty(len(anchor))
    for k in range(len(incline)):
        for i in range(more[k], more[k + 1] + (1 if k == len(incline) - 1 else 0)):
            move = level[k] + incline[k] * (anchor[i] - anchor[more[k]])
            residual[i] = sums[i, 0] / moments[i, WEIGHT] - move
    return residual
