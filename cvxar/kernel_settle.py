"""Compiled steps of the restricted problem, on sums over segments (see ``kernels`` for the letters).

The sums of the segments are taken once from the cells; steps and dropped nodes then change them in O(k).
"""

import numpy as np

from cvxar.kernel_cache import compiled
from cvxar.kernels import (
    CROSS,
    OFFSET,
    SQUARE,
    TARGET,
    WEIGHT,
    add_penalty_gradient,
    factor,
    keep_nodes,
    residual_sums,
    slope_step,
    solve_factored,
    tilt_step,
)

MONOTONE_STEPS = 100_000
TORN = 64 * np.finfo(np.float64).eps  # relative jump between segments that is more than rounding


@compiled
def about(anchor, moments, sums, start, stop, here):
    """Weight and its two moments, residual and its moment, of cells, about the anchor ``here``."""
    n, a1, a2, r0, r1 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(start, stop):
        o, w, d = anchor[i] - anchor[here], moments[i, WEIGHT], moments[i, OFFSET]
        n += w
        a1 += w * o + d
        a2 += (w * o + 2 * d) * o + moments[i, SQUARE]
        r0 += sums[i, 0]
        r1 += o * sums[i, 0] + sums[i, 1]
    return n, a1, a2, r0, r1


@compiled
def segment_sums(anchor, moments, sums, nodes):
    """Sums over each segment, theta running from 0 to 1 in it: weight, theta, theta^2, r, r theta."""
    last = len(nodes) - 2
    segments = np.empty((last + 1, 5))
    for k in range(last + 1):
        start, stop = nodes[k], nodes[k + 1] + (1 if k == last else 0)
        n, a1, a2, r0, r1 = about(anchor, moments, sums, start, stop, nodes[k])
        h = anchor[nodes[k + 1]] - anchor[nodes[k]]
        segments[k] = (n, a1 / h, a2 / (h * h), r0, r1 / h)
    return segments


@compiled
def fresh_sums(anchor, moments, nodes, value, slope):
    """``segment_sums`` of a state, in one pass over the cells, without the residuals of each."""
    last = len(nodes) - 2
    segments = np.empty((last + 1, 5))
    for k in range(last + 1):
        left, v, s, h = anchor[nodes[k]], value[k], slope[k], anchor[nodes[k + 1]] - anchor[nodes[k]]
        n, a1, a2, r0, r1 = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(nodes[k], nodes[k + 1] + (1 if k == last else 0)):
            o, w, d, dd = anchor[i] - left, moments[i, WEIGHT], moments[i, OFFSET], moments[i, SQUARE]
            f = v + s * o
            r = moments[i, TARGET] - w * f - s * d
            n += w
            a1 += w * o + d
            a2 += (w * o + 2 * d) * o + dd
            r0 += r
            r1 += o * r + (moments[i, CROSS] - d * f - s * dd)
        segments[k] = (n, a1 / h, a2 / (h * h), r0, r1 / h)
    return segments


@compiled
def normal_matrix(segments, diagonal, beside, gradient):
    """Tridiagonal normal matrix of the nodal values, and the negative gradient of the loss."""
    diagonal[:] = 0.0
    gradient[:] = 0.0
    for k in range(len(segments)):
        n, a1, a2, r0, r1 = segments[k]
        diagonal[k] += n - 2 * a1 + a2
        diagonal[k + 1] += a2
        beside[k] = a1 - a2
        gradient[k] += r0 - r1
        gradient[k + 1] += r1


@compiled
def move_segments(segments, step):
    """Take a step of the nodal values off the residuals of the segments."""
    for k in range(len(segments)):
        n, a1, a2, _, _ = segments[k]
        segments[k, 3] -= step[k] * (n - a1) + step[k + 1] * a1
        segments[k, 4] -= step[k] * (a1 - a2) + step[k + 1] * a2


@compiled
def merge_segments(anchor, nodes, segments, keep):
    """Sums over the segments between kept nodes; their coordinate runs from 0 to 1 anew."""
    merged = np.zeros((int(keep.sum()) - 1, 5))
    j, left, width = -1, 0.0, 0.0
    for k in range(len(segments)):
        if keep[k]:
            j, left, after = j + 1, anchor[nodes[k]], k + 1
            while not keep[after]:
                after += 1
            width = anchor[nodes[after]] - left
            if after == k + 1:
                merged[j] = segments[k]
                continue
        offset = (anchor[nodes[k]] - left) / width
        part = (anchor[nodes[k + 1]] - anchor[nodes[k]]) / width
        n, a1, a2, r0, r1 = segments[k]
        merged[j, 0] += n
        merged[j, 1] += offset * n + part * a1
        merged[j, 2] += offset * offset * n + 2 * offset * part * a1 + part * part * a2
        merged[j, 3] += r0
        merged[j, 4] += offset * r0 + part * r1
    return merged


@compiled
def full_step(anchor, segments, nodes, slope, sign, tilt, tilted, beta, cost, skip):
    """Step, slope change and new tilt to the optimum of the restricted problem (signs fixed)."""
    k = len(nodes)
    diagonal, beside, step = np.empty(k), np.empty(k - 1), np.empty(k)
    normal_matrix(segments, diagonal, beside, step)
    price = beta * (cost - (cost - 0.5) * abs(tilt))
    add_penalty_gradient(anchor, nodes, sign, -price, -beta * tilt / 2, step)
    factor(diagonal, beside)
    solve_factored(diagonal, beside, step)
    change = np.empty(k - 1)
    slope_step(anchor, nodes, step, change)
    if not skip:
        tilt = tilt_step(anchor, nodes, slope, sign, tilt, tilted, beta, cost, diagonal, beside, step, change)
    return step, change, tilt


@compiled
def flatten(anchor, nodes, slope, keep, step):
    """Add to ``step`` what takes the nodes to be dropped onto the chords over them."""
    k = 0
    while k < len(slope):
        after = k + 1
        while not keep[after]:
            after += 1
        rise = 0.0
        for j in range(k, after):
            rise += slope[j] * (anchor[nodes[j + 1]] - anchor[nodes[j]])
        chord = rise / (anchor[nodes[after]] - anchor[nodes[k]])
        off = 0.0
        for j in range(k, after - 1):
            off += (chord - slope[j]) * (anchor[nodes[j + 1]] - anchor[nodes[j]])
            step[j + 1] += off
        k = after


@compiled
def drop_nodes(anchor, segments, nodes, value, slope, sign, step, keep):
    """Drop nodes after a step (of which the residuals of the segments know nothing yet)."""
    flatten(anchor, nodes, slope, keep, step)
    move_segments(segments, step)
    segments = merge_segments(anchor, nodes, segments, keep)
    nodes, value, slope, sign = keep_nodes(anchor, nodes, value, slope, sign, keep)
    return segments, nodes, value, slope, sign


@compiled
def mend(anchor, nodes, value, slope):
    """Move segments, in place, to where the one to their left ends, if they are apart by more than rounding.

    Values and slopes are brought up to date one beside the other; after steps far larger than where they
    lead, rounding has left jumps, of which neither the fit to the cells nor the penalty knows.
    """
    largest = 0.0
    for k in range(len(value)):
        largest = max(largest, abs(value[k]))
    left, shift = value[0], 0.0
    for k in range(len(slope)):
        rise = slope[k] * (anchor[nodes[k + 1]] - anchor[nodes[k]])
        jump = value[k + 1] - (left + rise)
        left = value[k + 1]
        if abs(jump) > TORN * max(largest, abs(rise)):
            shift -= jump
        value[k + 1] += shift


@compiled
def settle_aggressively(anchor, segments, nodes, value, slope, sign, tilt, tilted, beta, cost, skip):
    """Full steps, dropping every wrong-signed kink at once, until none is left; O(k) each.

    ``segments`` are the sums of the state given (``segment_sums``); they are overwritten.
    """
    for _ in range(60):
        step, change, tilt = full_step(anchor, segments, nodes, slope, sign, tilt, tilted, beta, cost, skip)
        value = value + step
        slope = slope + change
        keep = np.ones(len(nodes), np.bool_)
        for k in range(1, len(nodes) - 1):
            keep[k] = (slope[k] - slope[k - 1]) * sign[k] > 0
        if keep.all():
            break
        segments, nodes, value, slope, sign = drop_nodes(
            anchor, segments, nodes, value, slope, sign, step, keep
        )
    mend(anchor, nodes, value, slope)
    return nodes, value, slope, sign, tilt


@compiled
def first_block(slope, change, sign, keep):
    """Length of the step to the first vanishing kink (at most 1); clears ``keep`` for those kinks."""
    length = 1.0
    for k in range(1, len(slope)):
        now = max((slope[k] - slope[k - 1]) * sign[k], 0.0)
        then = now + (change[k] - change[k - 1]) * sign[k]
        if then <= 0:
            length = min(length, now / (now - then) if now > then else 0.0)
    for k in range(1, len(slope)):
        now = max((slope[k] - slope[k - 1]) * sign[k], 0.0)
        then = now + (change[k] - change[k - 1]) * sign[k]
        if then <= 0:
            keep[k] = (now / (now - then) if now > then else 0.0) > length * (1 + 1e-12)
    return length


@compiled
def settle_monotonically(anchor, segments, nodes, value, slope, sign, tilt, tilted, beta, cost, skip):
    """Steps up to the first vanishing kink, so that the objective never rises; O(k) each."""
    for _ in range(MONOTONE_STEPS):
        step, change, goal = full_step(anchor, segments, nodes, slope, sign, tilt, tilted, beta, cost, skip)
        keep = np.ones(len(nodes), np.bool_)
        length = first_block(slope, change, sign, keep)
        value = value + length * step
        slope = slope + length * change
        tilt = goal if length == 1.0 else tilt + length * (goal - tilt)
        if keep.all():
            break
        segments, nodes, value, slope, sign = drop_nodes(
            anchor, segments, nodes, value, slope, sign, length * step, keep
        )
    mend(anchor, nodes, value, slope)
    return nodes, value, slope, sign, tilt


@compiled
def settled_line(anchor, moments, tilted):
    """State of the least-squares line: nodes, values, slopes, signs, tilt."""
    nodes, zero, slope = np.array([0, len(anchor) - 1]), np.zeros(2), np.zeros(1)
    segments = fresh_sums(anchor, moments, nodes, zero, slope)
    return settle_aggressively(anchor, segments, nodes, zero, slope, zero, 0.0, tilted, 0.0, 1.0, True)


@compiled
def refine(anchor, moments, nodes, slope, sign, tilt, tilted, beta, cost, skip, sums):
    """Take one more step on the residuals themselves, in place; returns step, slope change and tilt.

    See ``nodal.refined_residual``: it restores digits that the subtraction of the fit has lost.
    """
    segments = segment_sums(anchor, moments, sums, nodes)
    step, change, tilt = full_step(anchor, segments, nodes, slope, sign, tilt, tilted, beta, cost, skip)
    last = len(nodes) - 2
    for k in range(last + 1):
        for i in range(nodes[k], nodes[k + 1] + (1 if k == last else 0)):
            move = step[k] + change[k] * (anchor[i] - anchor[nodes[k]])
            sums[i, 0] -= moments[i, WEIGHT] * move + moments[i, OFFSET] * change[k]
            sums[i, 1] -= moments[i, OFFSET] * move + moments[i, SQUARE] * change[k]
    return step, change, tilt


@compiled
def refined_sums(anchor, moments, nodes, value, slope, sign, tilt, tilted, beta, cost, skip):
    """Weighted residual of every single-point cell, after one more step taken on the residual itself."""
    sums = np.empty((len(anchor), 2))
    residual_sums(anchor, moments, nodes, value, slope, sums)
    refine(anchor, moments, nodes, slope, sign, tilt, tilted, beta, cost, skip, sums)
    return sums[:, 0].copy()
