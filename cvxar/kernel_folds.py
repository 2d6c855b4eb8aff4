"""Compiled branch and bound over chains of absolute values (see ``architectures.fold_search``).

A *curve* is F at the knots t, constant outside them, with the largest and smallest value of F and of its
slope (left of the first knot, ..., right of the last) over any stretch of knots in binary trees. A *box*
is a range of every parameter; a row of ``kinks`` times the parameters is where F is read, ``changes`` its
factor.
"""

from typing import Any, NamedTuple

import numpy as np

from cvxar.kernel_cache import compiled

NOISE = 1e-13  # of the largest possible sum: what rounding amounts to
VALID = 1e-12  # of the range of the knots: slack of the valid region
TINY = 1e-300


class Curve(NamedTuple):
    """Knots, F there, and the trees of F and of its slopes."""

    t: Any
    values: Any
    value_tree: Any
    slope_tree: Any


class Family(NamedTuple):
    """Kinks, their changes, half spaces of validity, and the choices of kinks that fix a vertex."""

    kinks: Any
    changes: Any
    valid: Any
    choices: Any
    inverses: Any


@compiled
def tree_of(values):
    """Largest (row 0) and smallest (row 1) of every node of a binary tree over values."""
    n = len(values)
    tree = np.empty((2 * n, 2))
    for i in range(n):
        tree[n + i, 0] = tree[n + i, 1] = values[i]
    for i in range(n - 1, 0, -1):
        tree[i, 0] = max(tree[2 * i, 0], tree[2 * i + 1, 0])
        tree[i, 1] = min(tree[2 * i, 1], tree[2 * i + 1, 1])
    return tree


@compiled
def curve_of(t, values):
    """Prepare a curve; O(m)."""
    slopes = np.zeros(len(t) + 1)
    for i in range(len(t) - 1):
        slopes[i + 1] = (values[i + 1] - values[i]) / (t[i + 1] - t[i])
    return Curve(t, values, tree_of(values), tree_of(slopes))


@compiled
def extent(tree, start, stop, high, low):
    """Extend a range by that of the entries ``start`` to ``stop - 1`` of a tree."""
    n = len(tree) // 2
    start, stop = start + n, stop + n
    while start < stop:
        if start & 1:
            high, low = max(high, tree[start, 0]), min(low, tree[start, 1])
            start += 1
        if stop & 1:
            stop -= 1
            high, low = max(high, tree[stop, 0]), min(low, tree[stop, 1])
        start, stop = start >> 1, stop >> 1
    return high, low


@compiled
def knots_below(t, x, start, stop, closed):
    """Number of knots less than x (or at most x, when ``closed``), known to be in ``start..stop``."""
    while start < stop:
        middle = (start + stop) // 2
        if t[middle] < x or (closed and t[middle] == x):
            start = middle + 1
        else:
            stop = middle
    return start


@compiled
def read(curve, x, below):
    """F at x, given the number of knots below it (or at most it)."""
    if below == 0:
        return curve.values[0]
    if below == len(curve.t):
        return curve.values[-1]
    left, right = curve.t[below - 1], curve.t[below]
    share = (x - left) / (right - left)
    return curve.values[below - 1] * (1 - share) + curve.values[below] * share


@compiled
def value_at(curve, family, offset, at):
    """The signed sum at parameters."""
    total = -offset
    for j in range(len(family.changes)):
        x = 0.0
        for i in range(len(at)):
            x += family.kinks[j, i] * at[i]
        total += family.changes[j] * read(curve, x, knots_below(curve.t, x, 0, len(curve.t), True))
    return total


@compiled
def within(family, box):
    """Whether a box reaches into the valid region."""
    for row in range(len(family.valid)):
        most = 0.0
        for i in range(box.shape[1]):
            a = family.valid[row, i]
            most += a * (box[1, i] if a > 0 else box[0, i])
        if most < 0:
            return False
    return True


@compiled
def bound_of(curve, family, offset, box, reach, steep):
    """Bound the absolute sum over a box and count the knots under its kinks.

    Narrows ``reach`` to the knots of each kink's range, and writes the largest partial derivatives
    into ``steep``.
    """
    d = box.shape[1]
    smallest, largest = np.zeros(d), np.zeros(d)
    top, bottom, middle, knots = -offset, -offset, -offset, 0
    for j in range(len(family.changes)):
        low, high, x = 0.0, 0.0, 0.0
        for i in range(d):
            a = family.kinks[j, i]
            low += a * (box[0, i] if a > 0 else box[1, i])
            high += a * (box[1, i] if a > 0 else box[0, i])
            x += a * (box[0, i] + box[1, i]) / 2
        first = knots_below(curve.t, low, reach[j, 0], reach[j, 1], False)
        stop = knots_below(curve.t, high, first, reach[j, 1], True)
        reach[j, 0], reach[j, 1] = first, stop
        knots += stop - first
        one, other = read(curve, low, first), read(curve, high, stop)
        most, least = extent(curve.value_tree, first, stop, max(one, other), min(one, other))
        c = family.changes[j]
        top += c * (most if c > 0 else least)
        bottom += c * (least if c > 0 else most)
        middle += c * read(curve, x, knots_below(curve.t, x, first, stop, True))
        up, down = extent(curve.slope_tree, first, stop + 1, -np.inf, np.inf)
        for i in range(d):
            f = c * family.kinks[j, i]
            smallest[i] += f * (down if f > 0 else up)
            largest[i] += f * (up if f > 0 else down)
    slack = 0.0
    for i in range(d):
        steep[i] = max(-smallest[i], largest[i])
        slack += steep[i] * (box[1, i] - box[0, i]) / 2
    return min(max(top, -bottom), abs(middle) + slack), knots


@compiled
def leaf_peak(curve, family, offset, box, reach, slack, at, knots):
    """Best vertex of a box: parameters into ``at``, the knots that fix it; returns its sum."""
    d, best = box.shape[1], 0.0
    trial, pick = np.empty(d), np.empty(d, np.int64)
    for c in range(len(family.choices)):
        total = 1
        for i in range(d):
            total *= reach[family.choices[c, i], 1] - reach[family.choices[c, i], 0]
        for number in range(total):
            rest = number
            for i in range(d):
                j = family.choices[c, i]
                size = reach[j, 1] - reach[j, 0]
                pick[i] = reach[j, 0] + rest % size
                rest //= size
            for i in range(d):
                trial[i] = 0.0
                for k in range(d):
                    trial[i] += family.inverses[c, i, k] * curve.t[pick[k]]
            if not allowed(family, trial, slack):
                continue
            value = value_at(curve, family, offset, trial)
            if abs(value) > abs(best):
                best = value
                at[:], knots[:] = trial, pick
    return best


@compiled
def allowed(family, at, slack):
    """Whether parameters are valid, up to rounding."""
    for row in range(len(family.valid)):
        total = 0.0
        for i in range(len(at)):
            total += family.valid[row, i] * at[i]
        if total < -slack:
            return False
    return True


@compiled
def sift_down(order, bound, count):
    """Restore the heap of ``count`` entries after its first was replaced."""
    k = 0
    while 2 * k + 1 < count:
        child = 2 * k + 1
        if child + 1 < count and bound[order[child + 1]] > bound[order[child]]:
            child += 1
        if bound[order[k]] >= bound[order[child]]:
            return
        order[k], order[child] = order[child], order[k]
        k = child


@compiled
def with_entry(order, bound, count, entry):
    """Add a box to the heap; returns its new size."""
    order[count] = entry
    k = count
    while k > 0 and bound[order[k]] > bound[order[(k - 1) // 2]]:
        order[k], order[(k - 1) // 2] = order[(k - 1) // 2], order[k]
        k = (k - 1) // 2
    return count + 1


@compiled
def without_first(order, bound, count):
    """Remove the box of the largest bound from the heap; returns its new size."""
    order[0] = order[count - 1]
    sift_down(order, bound, count - 1)
    return count - 1


@compiled
def grown(array):
    """Twice the room along the first axis."""
    more = np.empty((2 * array.shape[0], *array.shape[1:]), array.dtype)
    more[: array.shape[0]] = array
    return more


@compiled
def search(curve, family, offset, low, high, reached, least, leaf, budget):
    """Best-first search of a box; ``reached`` is a value known to be attained.

    Returns the bound, the boxes looked at, and the best vertex of every leaf whose absolute sum
    exceeds ``least``: parameters, knots, sums. Beyond ``budget`` boxes the bound is that of what is
    left: true still, but not attained.
    """
    d, kinks = len(low), len(family.changes)
    size = np.max(curve.values) - np.min(curve.values)
    noise = NOISE * (size * np.sum(np.abs(family.changes)) + abs(offset))
    slack = VALID * (curve.t[-1] - curve.t[0])
    bound, box, steep = np.empty(64), np.empty((64, 2, d)), np.empty((64, d))
    reach, count, order = np.empty((64, kinks, 2), np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    at, knots, sums = np.empty((64, d)), np.empty((64, d), np.int64), np.empty(64)
    box[0, 0], box[0, 1], order[0] = low, high, 0
    reach[0, :, 0], reach[0, :, 1] = 0, len(curve.t)
    bound[0], count[0] = bound_of(curve, family, offset, box[0], reach[0], steep[0])
    waiting, used, looked, seen, dropped = 1, 1, 1, 0, 0.0
    while waiting > 0:
        here = order[0]
        if bound[here] <= reached + noise or looked >= budget:
            dropped = bound[here]
            break
        if count[here] <= leaf:
            if seen == len(sums):
                at, knots, sums = grown(at), grown(knots), grown(sums)
            best = leaf_peak(curve, family, offset, box[here], reach[here], slack, at[seen], knots[seen])
            sums[seen], reached = best, max(reached, abs(best))
            seen += abs(best) > least
            waiting = without_first(order, bound, waiting)
            continue
        if used == len(bound):
            bound, box, steep = grown(bound), grown(box), grown(steep)
            reach, count, order = grown(reach), grown(count), grown(order)
        halve(box, reach, here, used, widest(box[here], steep[here]))
        for child in (here, used):
            looked += 1
            bound[child] = 0.0
            if within(family, box[child]):
                bound[child], count[child] = bound_of(
                    curve, family, offset, box[child], reach[child], steep[child]
                )
        sift_down(order, bound, waiting)
        used, waiting = used + 1, with_entry(order, bound, waiting, used)
    return max(reached, dropped), looked, at[:seen].copy(), knots[:seen].copy(), sums[:seen].copy()


@compiled
def halve(box, reach, here, used, side):
    """Cut a box in two; the upper half goes to the row ``used``."""
    middle = (box[here, 0, side] + box[here, 1, side]) / 2
    box[used], reach[used] = box[here], reach[here]
    box[here, 1, side], box[used, 0, side] = middle, middle


@compiled
def widest(box, steep):
    """The side to split: the one that contributes most to the bound, or the longest where none does."""
    best, side, most = -1.0, 0, np.max(steep)
    for i in range(len(steep)):
        score = (box[1, i] - box[0, i]) * (steep[i] + 1e-3 * most + TINY)
        if score > best:
            best, side = score, i
    return side


@compiled
def climb(curve, family, offset, choice, knots, stride):
    """Move vertices from knot to knot, by shorter and shorter strides, while their absolute sum grows.

    ``knots`` (v, d), changed in place, are where the kinks ``choice`` meet; returns parameters and sums.
    """
    v, d = knots.shape
    at, sums = np.empty((v, d)), np.empty(v)
    trial, slack = np.empty(d), VALID * (curve.t[-1] - curve.t[0])
    for row in range(v):
        here = knots[row]
        place(curve, family, choice, here, at[row])
        sums[row] = value_at(curve, family, offset, at[row])
        step = stride
        while step > 0:
            moved = False
            for i in range(d):
                for to in (here[i] - step, here[i] + step):
                    before = here[i]
                    if to < 0 or to >= len(curve.t):
                        continue
                    here[i] = to
                    place(curve, family, choice, here, trial)
                    value = value_at(curve, family, offset, trial)
                    if value * np.sign(sums[row]) > abs(sums[row]) and allowed(family, trial, slack):
                        at[row], sums[row], moved = trial, value, True
                    else:
                        here[i] = before
            step = step if moved else step // 2
    return at, sums


@compiled
def place(curve, family, choice, knots, at):
    """Write the parameters at which the kinks of a choice meet knots."""
    for i in range(len(at)):
        at[i] = 0.0
        for k in range(len(at)):
            at[i] += family.inverses[choice, i, k] * curve.t[knots[k]]
