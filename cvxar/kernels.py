"""Compiled loops of the one-column solver; each has its plain NumPy twin in ``nodal`` and the tests.

The data come as cells in increasing order. A cell stands for the points between its anchor g (one of them)
and the next anchor, by sums over their offsets d from the anchor and their targets e:
``moments[i] = (weight, sum d, sum d^2, sum e, sum e d, sum e^2)``. Kinks lie at anchors, so that the fit
is linear inside a cell and all sums are exact. A single point is a cell with offset 0.

State of the fit: ``nodes`` (cells with a kink, and both ends), ``value`` there, ``slope`` between,
``sign`` of each kink.
"""

import numpy as np

from cvxar.kernel_cache import compiled

WEIGHT, OFFSET, SQUARE, TARGET, CROSS, ENERGY = range(6)
BALANCED = 32 * np.finfo(np.float64).eps  # relative sum of a dual vector that counts as 0


@compiled
def residual_sums(anchor, moments, nodes, value, slope, sums):
    """Write sum r and sum r d of every cell into ``sums``; return the energy sum r^2."""
    energy = 0.0
    last = len(nodes) - 2
    for k in range(last + 1):
        start, stop = nodes[k], nodes[k + 1] + (1 if k == last else 0)
        left, v, s = anchor[nodes[k]], value[k], slope[k]
        for i in range(start, stop):
            f = v + s * (anchor[i] - left)
            r0 = moments[i, TARGET] - moments[i, WEIGHT] * f - s * moments[i, OFFSET]
            r1 = moments[i, CROSS] - moments[i, OFFSET] * f - s * moments[i, SQUARE]
            sums[i, 0], sums[i, 1] = r0, r1
            energy += moments[i, ENERGY] - f * (moments[i, TARGET] + r0) - s * (moments[i, CROSS] + r1)
    return energy


@compiled
def hinge_correlations(anchor, sums, hinge):
    """Write F at every anchor: sum r (x - anchor)_+, by one backward sweep."""
    total = sums[-1, 0]
    hinge[-1] = sums[-1, 1]
    for i in range(len(anchor) - 2, -1, -1):
        hinge[i] = hinge[i + 1] + (anchor[i + 1] - anchor[i]) * total + sums[i, 1]
        total += sums[i, 0]


@compiled
def price_cells(anchor, moments, nodes, value, slope, sums, hinge):
    """``residual_sums`` and ``hinge_correlations`` in one sweep.

    Returns sum r^2, and the least and the largest F.
    """
    energy, total, now, least, most, beyond = 0.0, 0.0, 0.0, np.inf, -np.inf, anchor[-1]
    last = len(nodes) - 2
    for k in range(last, -1, -1):
        left, v, s = anchor[nodes[k]], value[k], slope[k]
        for i in range(nodes[k + 1] - (0 if k == last else 1), nodes[k] - 1, -1):
            w, d, e = moments[i, WEIGHT], moments[i, OFFSET], moments[i, TARGET]
            f = v + s * (anchor[i] - left)
            r0 = e - w * f - s * d
            r1 = moments[i, CROSS] - d * f - s * moments[i, SQUARE]
            energy += moments[i, ENERGY] - f * (e + r0) - s * (moments[i, CROSS] + r1)
            now += (beyond - anchor[i]) * total + r1
            total += r0
            beyond = anchor[i]
            sums[i, 0], sums[i, 1], hinge[i] = r0, r1, now
            least, most = min(least, now), max(most, now)
    return energy, least, most


@compiled
def hinge_bound(knots, dual, kappa):
    """Largest absolute correlation of a unit with ``dual``: ``R - kappa L`` or ``L - kappa R`` at a knot.

    R is the sum of ``dual`` times distance over the knots to its right, L over those to its left. Where
    ``dual`` sums to 0 (up to rounding) each is summed up to the middle only: R - L is the same everywhere,
    and beyond, that rounding would be multiplied by the distance to a far knot.
    """
    last, total, size = len(knots) - 1, 0.0, 0.0
    for i in range(last + 1):
        total += dual[i]
        size += abs(dual[i])
    balanced = abs(total) <= BALANCED * size
    right, left = np.zeros(last + 1), np.zeros(last + 1)
    middle, total = (last + 1) // 2, 0.0
    for i in range(last - 1, (middle if balanced else 0) - 1, -1):
        total += dual[i + 1]
        right[i] = right[i + 1] + total * (knots[i + 1] - knots[i])
    total = 0.0
    for i in range(1, (middle if balanced else last) + 1):
        total += dual[i - 1]
        left[i] = left[i - 1] + total * (knots[i] - knots[i - 1])
    tilt, largest = right[middle] - left[middle], 0.0
    for i in range(last + 1):
        if balanced and i < middle:
            right[i] = left[i] + tilt
        elif balanced:
            left[i] = right[i] - tilt
        largest = max(largest, abs(right[i] - kappa * left[i]), abs(left[i] - kappa * right[i]))
    return largest


@compiled
def factor(diagonal, beside):
    """Replace a tridiagonal matrix by its L D L' factors."""
    for k in range(len(beside)):
        ratio = beside[k] / diagonal[k]
        diagonal[k + 1] -= ratio * beside[k]
        beside[k] = ratio


@compiled
def solve_factored(diagonal, ratios, right):
    """Solve in place with the factors of ``factor``."""
    for k in range(len(ratios)):
        right[k + 1] -= ratios[k] * right[k]
    for k in range(len(right)):
        right[k] /= diagonal[k]
    for k in range(len(ratios) - 1, -1, -1):
        right[k] -= ratios[k] * right[k + 1]


@compiled
def add_penalty_gradient(anchor, nodes, sign, kink, ends, out):
    """Add the gradient, at the nodal values, of ``kink * sum sign c + ends * (first + last slope)``."""
    last = len(nodes) - 2
    for k in range(last + 1):
        w = kink * (sign[k] - sign[k + 1])
        w += ends * ((1.0 if k == 0 else 0.0) + (1.0 if k == last else 0.0))
        w /= anchor[nodes[k + 1]] - anchor[nodes[k]]
        out[k] -= w
        out[k + 1] += w


@compiled
def slope_step(anchor, nodes, step, out):
    """Change of every segment's slope for a step of the nodal values."""
    for k in range(len(nodes) - 1):
        out[k] = (step[k + 1] - step[k]) / (anchor[nodes[k + 1]] - anchor[nodes[k]])


@compiled
def tilt_gain(side, slope, change, sign, tilted, beta, cost):
    """Derivative of the restricted optimum with respect to the tilt on one side, after a step."""
    last = len(slope) - 1
    signed = 0.0
    for k in range(1, last + 1):
        signed += sign[k] * ((slope[k] - slope[k - 1]) + (change[k] - change[k - 1]))
    ends = slope[0] + slope[last] + change[0] + change[last] + 2 * tilted
    return beta * (side * ends / 2 - (cost - 0.5) * signed)


@compiled
def tilt_step(anchor, nodes, slope, sign, tilt, tilted, beta, cost, diagonal, ratios, step, change):
    """Maximise over the tilt exactly (concave, with a corner at 0); corrects step and slope change.

    Walks to 0 on the present side if the optimum asks for it, then up the other side.
    """
    work, bend = np.zeros(len(step)), np.zeros(len(change))
    side = 1.0 if tilt >= 0 else -1.0
    amount = abs(tilt)
    for _ in range(3):
        gain = tilt_gain(side, slope, change, sign, tilted, beta, cost)
        work[:] = 0.0
        add_penalty_gradient(anchor, nodes, sign, -beta * (cost - 0.5), side * beta / 2, work)
        solve_factored(diagonal, ratios, work)
        slope_step(anchor, nodes, work, bend)
        curvature = gain - tilt_gain(side, slope, change - bend, sign, tilted, beta, cost)
        move = gain / curvature if curvature > 0 else (1.0 if gain > 0 else -1.0)
        target = min(max(amount + move, 0.0), 1.0)
        # not the difference of the tilts: the nodal values may need a move below the rounding of 1
        move = min(max(move, -amount), 1.0 - amount)
        step -= move * work
        change -= move * bend
        amount = target
        if amount > 0:
            break
        side = -side
    return side * amount


@compiled
def keep_nodes(anchor, nodes, value, slope, sign, keep):
    """Drop nodes; the function becomes the chord over each, untouched segments keep their slope."""
    count = int(keep.sum())
    new_nodes, new_value = np.empty(count, nodes.dtype), np.empty(count)
    new_slope, new_sign = np.empty(count - 1), np.empty(count)
    j = -1
    rise = 0.0
    alone = 0
    for k in range(len(nodes)):
        if keep[k]:
            if j >= 0:
                width = anchor[nodes[k]] - anchor[new_nodes[j]]
                new_slope[j] = slope[k - 1] if alone == 1 else rise / width
            j += 1
            new_nodes[j], new_value[j], new_sign[j] = nodes[k], value[k], sign[k]
            rise, alone = 0.0, 0
        if k < len(slope):
            rise += slope[k] * (anchor[nodes[k + 1]] - anchor[nodes[k]])
            alone += 1
    return new_nodes, new_value, new_slope, new_sign
