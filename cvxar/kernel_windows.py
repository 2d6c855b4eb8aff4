"""Compiled passes over the sorted observations of a moving window (see ``kernels`` for the letters)."""

import numpy as np

from cvxar.kernel_cache import compiled
from cvxar.kernel_rounds import evaluate, peak_of
from cvxar.kernel_settle import settled_line
from cvxar.kernels import (
    CROSS,
    ENERGY,
    OFFSET,
    SQUARE,
    TARGET,
    WEIGHT,
    hinge_correlations,
    residual_sums,
)


@compiled
def insert(x, y, count, at, target):
    """Put one observation behind the first ``count``, sorted by x; arrays must have room."""
    place = np.searchsorted(x[:count], at, side="right")
    for i in range(count, place, -1):
        x[i], y[i] = x[i - 1], y[i - 1]
    x[place], y[place] = at, target


@compiled
def find(x, y, count, at, target):
    """Index of an observation among the first ``count``; -1 without its input, -2 without its target."""
    i = np.searchsorted(x[:count], at)
    if i == count or x[i] != at:
        return -1
    while i < count and x[i] == at:
        if y[i] == target:
            return i
        i += 1
    return -2


@compiled
def remove(x, y, count, place):
    """Take one of the first ``count`` observations out."""
    for i in range(place, count - 1):
        x[i], y[i] = x[i + 1], y[i + 1]


@compiled
def fill_points(x, y, frame, inputs, anchor, moments):
    """Write distinct inputs, anchors and moments without cross terms; arrays must have room.

    ``frame = (center, scale, y center, y scale)``. Returns the number of distinct inputs, the loss
    within ties, and the least and the largest scaled target.
    """
    center, scale, y_center, y_scale = frame
    last, low, high, lost, start = -1, np.inf, -np.inf, 0.0, 0
    for i in range(len(x)):
        e = (y[i] - y_center) / y_scale
        low, high = min(low, e), max(high, e)
        if i == 0 or x[i] > x[i - 1]:
            last, start = last + 1, i
            inputs[last], anchor[last] = x[i], (x[i] - center) / scale
            moments[last, WEIGHT] = moments[last, TARGET] = 0.0
            moments[last, OFFSET] = moments[last, SQUARE] = moments[last, CROSS] = 0.0
        else:  # sum of squared deviations from the mean, brought up to date
            d = e - moments[last, TARGET] / (i - start)
            lost += d * d * (i - start) / (i - start + 1)
        moments[last, WEIGHT] += 1.0
        moments[last, TARGET] += e
    return last + 1, lost / 2, low, high


@compiled
def take_line_off(anchor, moments):
    """Take the least-squares line off the targets and write their squares; returns level and slope."""
    whole, t_sum, e_sum, square, cross = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(anchor)):
        whole += moments[i, WEIGHT]
        t_sum += moments[i, WEIGHT] * anchor[i]
        e_sum += moments[i, TARGET]
    middle = t_sum / whole
    for i in range(len(anchor)):
        d = anchor[i] - middle
        square += moments[i, WEIGHT] * d * d
        cross += d * moments[i, TARGET]
    slope = cross / square
    level = e_sum / whole - slope * middle
    for i in range(len(anchor)):
        weight = moments[i, WEIGHT]
        rest = moments[i, TARGET] - weight * (level + slope * anchor[i])
        moments[i, TARGET], moments[i, ENERGY] = rest, rest * rest / weight
    return level, slope


@compiled
def unpenalised_peak(anchor, moments, tilted, cost, skip):
    """Largest correlation of a feature with the residual of the line (``skip``) or of the mean."""
    nodes = np.array([0, len(anchor) - 1])
    sums, hinge = np.empty((len(anchor), 2)), np.empty(len(anchor))
    if skip:
        _, value, slope, _, _ = settled_line(anchor, moments, tilted)
    else:
        whole, t_sum, e_sum = 0.0, 0.0, 0.0
        for i in range(len(anchor)):
            whole += moments[i, WEIGHT]
            t_sum += moments[i, WEIGHT] * anchor[i]
            e_sum += moments[i, TARGET]
        value, slope = e_sum / whole + tilted * (t_sum / whole - anchor[nodes]), np.full(1, -tilted)
    residual_sums(anchor, moments, nodes, value, slope, sums)
    hinge_correlations(anchor, sums, hinge)
    return (peak_of(hinge) + (0.0 if skip else (cost - 0.5) * abs(hinge[0]))) / cost


@compiled
def carried(old, value, sign, inputs):
    """Nodes of an earlier state, at the inputs ``old``, that are still inputs; with values and signs."""
    nodes, signs = np.zeros(len(old), np.int64), np.zeros(len(old))
    last, count = len(inputs) - 1, 1
    for k in range(1, len(old) - 1):
        i = np.searchsorted(inputs, old[k])
        if 0 < i < last and inputs[i] == old[k]:
            nodes[count], signs[count] = i, sign[k]
            count += 1
    nodes[count] = last
    kept = nodes[: count + 1].copy()
    return kept, np.interp(inputs[kept], old, value), signs[: count + 1].copy()


@compiled
def priced(anchor, moments, nodes, value, slope, tilted, beta, cost, skip):
    """Objective and gap of a state."""
    sums, hinge = np.empty((len(anchor), 2)), np.empty(len(anchor))
    primal, gap, _, _ = evaluate(anchor, moments, nodes, value, slope, tilted, beta, cost, skip, sums, hinge)
    return primal, gap
