"""Compiled bounds on what cells hide: correlations of kinks between anchors (letters in ``kernels``)."""

import numpy as np

from cvxar.kernel_cache import compiled
from cvxar.kernel_rounds import price
from cvxar.kernels import CROSS, ENERGY, TARGET, WEIGHT, price_cells

BELOW = 2e-9  # relative distance below the limit at which bounds need not be sharp


@compiled
def highest(start, end, bow):
    """Largest value on [0, 1] of the line from ``start`` to ``end`` plus the parabola ``4 bow u (1 - u)``."""
    rise = end - start
    if abs(rise) >= 4 * bow:
        return max(start, end)
    return (start + end) / 2 + bow + rise * rise / (16 * bow)


@compiled
def cell_bounds(anchor, moments, single, nodes, value, slope, sums, hinge, enough, bounds):
    """Bound the absolute correlation of a kink anywhere in each cell; fills ``bounds``, returns the largest.

    At u between two anchors a distance h apart, F is its chord less a sum of r times tents between 0 and
    g = u (h - u) / h. Half of g times sum r is known; the rest is at most half of g times the sum of |r|,
    which is at most the square root of the weight times the energy of the cell. Where that is plainly
    below ``enough``, this is the bound: no root is drawn.
    """
    middle = hinge[0] / 2
    bounds[:] = np.abs(hinge - middle)
    largest = bounds.max()
    for k in range(len(nodes) - 1):
        s = slope[k]
        for i in range(nodes[k], nodes[k + 1]):
            if single[i]:
                continue
            f = value[k] + s * (anchor[i] - anchor[nodes[k]])
            energy = moments[i, ENERGY] - f * (moments[i, TARGET] + sums[i, 0])
            energy -= s * (moments[i, CROSS] + sums[i, 1])
            noise = 1e-13 * (moments[i, ENERGY] + moments[i, WEIGHT] * f * f)
            square = moments[i, WEIGHT] * (max(energy, 0.0) + noise)
            width = (anchor[i + 1] - anchor[i]) / 8
            here, there = hinge[i] - middle, hinge[i + 1] - middle
            room = enough - max(abs(here), abs(there)) - width * abs(sums[i, 0])
            if room > 0 and width * width * square <= room * room:
                bounds[i] = enough
                continue
            total = np.sqrt(square)
            above = highest(here, there, width * max(total - sums[i, 0], 0.0))
            below = highest(-here, -there, width * max(total + sums[i, 0], 0.0))
            bounds[i] = max(above, below)
            largest = max(largest, bounds[i])
    return largest


@compiled
def bound_state(anchor, moments, single, nodes, value, slope, tilted, beta, cost, skip, bounds):
    """Objective, gap and kink limit of a state for all points, seen or not; fills ``bounds``.

    Also the largest correlation of a kink at the anchors, and that of a slope.
    """
    sums, hinge = np.empty((len(anchor), 2)), np.empty(len(anchor))
    energy, least, most = price_cells(anchor, moments, nodes, value, slope, sums, hinge)
    middle = hinge[0] / 2
    peak = max(most - middle, middle - least)
    limit = price(nodes, slope, tilted, beta, cost, skip, hinge, energy, peak)[2]
    enough = limit * (1 - BELOW)
    largest = cell_bounds(anchor, moments, single, nodes, value, slope, sums, hinge, enough, bounds)
    primal, gap, limit, _ = price(nodes, slope, tilted, beta, cost, skip, hinge, energy, largest)
    return primal, gap, limit, peak, hinge[0]
