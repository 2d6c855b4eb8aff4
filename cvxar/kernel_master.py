"""Compiled active set of the restricted problem (see ``master``).

``table`` is an orthogonal transformation of the columns and, last, the target: its first k columns are
the active ones, upper triangular. Columns change places as they enter and leave; ``order`` tells them apart.
"""

import numpy as np

from cvxar.kernel_cache import compiled

DEPENDENT = 1e-10


@compiled
def forward(table, k, right):
    """Solve ``R' x = right`` with the triangle of the active columns."""
    x = right[:k].copy()
    for i in range(k):
        x[i] /= table[i, i]
        for j in range(i + 1, k):
            x[j] -= table[i, j] * x[i]
    return x


@compiled
def backward(table, k, right):
    """Solve ``R x = right``."""
    x = right[:k].copy()
    for i in range(k - 1, -1, -1):
        for j in range(i + 1, k):
            x[i] -= table[i, j] * x[j]
        x[i] /= table[i, i]
    return x


@compiled
def move(table, order, x, cost, norms, start, stop):
    """Move the column ``start`` to the place ``stop``; those between close up."""
    step = 1 if stop > start else -1
    for row in range(len(table)):
        value = table[row, start]
        for j in range(start, stop, step):
            table[row, j] = table[row, j + step]
        table[row, stop] = value
    for part in (x, cost, norms):
        value = part[start]
        for j in range(start, stop, step):
            part[j] = part[j + step]
        part[stop] = value
    which = order[start]
    for j in range(start, stop, step):
        order[j] = order[j + step]
    order[stop] = which


@compiled
def leave(table, order, x, cost, norms, k, place):
    """Take the column at a place out of the active ones; returns their number."""
    move(table, order, x, cost, norms, place, k - 1)
    for j in range(place, k - 1):
        a, b = table[j, j], table[j + 1, j]
        size = np.hypot(a, b)
        if size == 0:
            continue
        c, s = a / size, b / size
        for i in range(j, table.shape[1]):
            upper, lower = table[j, i], table[j + 1, i]
            table[j, i], table[j + 1, i] = c * upper + s * lower, c * lower - s * upper
        table[j + 1, j] = 0.0
    return k - 1


@compiled
def enter(table, order, x, cost, norms, k, place):
    """Make the column at a place active, by a reflection of the rows below; returns their number."""
    move(table, order, x, cost, norms, place, k)
    mirror = table[k:, k].copy()
    size = np.sqrt(np.sum(mirror * mirror))
    mirror[0] += size if mirror[0] >= 0 else -size
    half = np.sum(mirror * mirror) / 2
    product = np.zeros(table.shape[1])
    for row in range(len(mirror)):
        for j in range(k, table.shape[1]):
            product[j] += mirror[row] * table[k + row, j]
    for row in range(len(mirror)):
        for j in range(k, table.shape[1]):
            table[k + row, j] -= mirror[row] * product[j] / half
    table[k + 1 :, k] = 0.0
    return k + 1


@compiled
def worst(table, k, pull, cost, norms):
    """Place of the inactive column whose correlation exceeds its cost most, beyond rounding; -1 for none."""
    q = len(cost)
    excess = -cost[k:] * (1 + 1e-12)
    for row in range(len(table)):
        rest = pull[row] if row < k else table[row, q]
        for j in range(k, q):
            excess[j - k] += table[row, j] * rest
    left = np.sqrt(np.sum(pull * pull) + np.sum(table[k:, q] ** 2))
    noise = 1e-13 * (np.sqrt(np.sum(table[:, q] ** 2)) + left)
    best, place = 0.0, -1
    for j in range(k, q):
        if norms[j] > 0 and excess[j - k] / norms[j] - noise > best:
            best, place = excess[j - k] / norms[j] - noise, j
    return place


@compiled
def drop(table, order, x, cost, norms, k, gone):
    """Take the marked active columns out, the last first; returns how many are left."""
    for place in range(k - 1, -1, -1):
        if gone[place]:
            x[place] = 0.0
            k = leave(table, order, x, cost, norms, k, place)
    return k


@compiled
def towards(x, goal, k, gone):
    """Move the first k amounts to the goal, or to where the first of them reaches 0 (marked ``gone``)."""
    length = 1.0
    for i in range(k):
        if goal[i] <= 0:
            length = min(length, x[i] / (x[i] - goal[i]) if x[i] > goal[i] else 0.0)
    for i in range(k):
        ratio = 2.0
        if goal[i] <= 0:
            ratio = x[i] / (x[i] - goal[i]) if x[i] > goal[i] else 0.0
        x[i] = max(x[i] + length * (goal[i] - x[i]), 0.0)
        gone[i] = ratio <= length


@compiled
def exchange(table, x, k, place):
    """Move along the null direction of a dependent column until an active one vanishes; -1 for none."""
    direction = backward(table, k, table[:k, place].copy())
    length, leaving = np.inf, -1
    for i in range(k):
        if direction[i] > 0 and x[i] / direction[i] < length:
            length, leaving = x[i] / direction[i], i
    if leaving >= 0:
        for i in range(k):
            x[i] = max(x[i] - length * direction[i], 0.0)
        x[place], x[leaving] = length, 0.0
    return leaving


@compiled
def active_set(table, order, x, cost, norms, k, steps):
    """Primal active set from a feasible point; changes everything in place, returns the active number."""
    for _ in range(steps):
        pull = forward(table, k, cost)
        goal = backward(table, k, table[:k, -1] - pull)
        gone = np.zeros(k, np.bool_)
        towards(x, goal, k, gone)
        if gone.any():
            k = drop(table, order, x, cost, norms, k, gone)
            continue
        place = worst(table, k, pull, cost, norms)
        if place < 0:
            return k
        below = np.sqrt(np.sum(table[k:, place] ** 2))
        if below <= DEPENDENT * norms[place]:
            leaving = exchange(table, x, k, place)
            if leaving < 0:
                return k
            k = leave(table, order, x, cost, norms, k, leaving)
        k = enter(table, order, x, cost, norms, k, place)
    return k
