r"""The fitted values that minimise a loss of bounded slope where inputs repeat.

A function of one column takes any values at its distinct inputs, so each input has minimisers of its own:
the zeros of :math:`D(f) = \sum_t w_t \rho'(y_t - f)` over the targets of the input, an interval. For the
quantile loss these are the weighted quantiles of the targets; for the Huber loss most often a point.
"""

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.losses import Loss
from cvxar.problem import LassoProblem

ROUNDING = 8 * np.finfo(float).eps


def minimisers(problem: LassoProblem) -> tuple[Array, Array] | None:
    """Return least and largest minimiser at every knot, less ``y_center``; O(n log n).

    None where the best fit is known without: squared loss, inputs without ties, several columns.
    """
    design, loss = problem.design, problem.loss
    if loss.quadratic or not design.one_column or len(design.columns[0].knots) == len(design.y):
        return None
    ends = _bends if loss.curvature > 0 else _quantiles
    return ends(design.columns[0].position, design.y - design.y_center, design.weight, loss)


def _quantiles(position: IntArray, target: Array, weight: Array, loss: Loss) -> tuple[Array, Array]:
    """Where the weight of the targets below reaches its share, and where it passes it."""
    order = np.lexsort((target, position))
    group, start = position[order], _starts(position[order])
    summed = np.cumsum(weight[order])
    total = np.bincount(position, weights=weight)
    wanted = (np.cumsum(total) - total + total * (loss.upper / (loss.upper - loss.lower)))[group]
    slack = ROUNDING * summed[-1]
    reached = _first(summed >= wanted - slack, group, start)
    passed = _first(summed > wanted + slack, group, start)
    return target[order[reached]], target[order[passed]]


def _bends(position: IntArray, target: Array, weight: Array, loss: Loss) -> tuple[Array, Array]:
    """Zeros of the decreasing piecewise-linear D, whose slope is minus the weight within the bounds."""
    c = loss.curvature
    bend = np.concatenate([target - c * loss.upper, target - c * loss.lower])
    twice, change = np.tile(position, 2), np.concatenate([weight, -weight]) / c
    order = np.lexsort((bend, twice))
    bend, group, start = bend[order], twice[order], _starts(twice[order])
    fall = np.cumsum(change[order])
    drop = np.append(0.0, np.cumsum(fall[:-1] * np.diff(bend) * (group[1:] == group[:-1])))
    height = (loss.upper * np.bincount(position, weights=weight))[group] - (drop - drop[start][group])
    slack = ROUNDING * (drop[-1] + loss.upper * np.sum(weight))
    right, left = _first(height <= slack, group, start), _first(height < -slack, group, start)
    low = np.minimum(bend[right - 1] + height[right - 1] / fall[right - 1], bend[right])
    high = np.maximum(bend[left] + height[left] / fall[left - 1], bend[left - 1])
    point = high - low <= 2 * ROUNDING * np.max(np.abs(bend))
    middle = (low + high) / 2
    return np.where(point, middle, low), np.where(point, middle, high)


def _starts(group: IntArray) -> IntArray:
    return np.flatnonzero(np.diff(group, prepend=-1))


def _first(mask: BoolArray, group: IntArray, start: IntArray) -> IntArray:
    """First place of every group where a mask that stays true is true (its last place if nowhere)."""
    before = np.bincount(group[~mask], minlength=len(start))
    return start + np.minimum(before, np.bincount(group) - 1)
