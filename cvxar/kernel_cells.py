"""Compiled passes over raw data: buckets, collection of points, blocks (see ``kernels`` for the letters)."""

import numpy as np
from numba import njit

from cvxar.kernels import ENERGY, WEIGHT, residual_sums


@njit(cache=True)
def bucket_in(x, edges, start, stop):
    """Number of edges at or below x, known to lie between ``start`` and ``stop`` up to rounding."""
    while start < stop:
        middle = (start + stop) // 2
        if x < edges[middle]:
            stop = middle
        else:
            start = middle + 1
    while start > 0 and x < edges[start - 1]:
        start -= 1
    while start < len(edges) and x >= edges[start]:
        start += 1
    return start


@njit(cache=True)
def fill_buckets(x, y, low, width, edges, table, frame, ids, first, least, moments):
    """Sum every point into its bucket, offsets taken from the first point seen; the maximum is last.

    Buckets have equal widths when ``edges`` is empty; else bucket b ends before ``edges[b]``, and
    ``table[s]`` counts the edges at or below slot s of equal slots.
    ``frame = (center, scale, y center, y scale, level, tilted)``: targets are scaled, and the line
    ``level + tilted t`` with ``t = (x - center) / scale`` is taken off. ``least`` becomes the smallest
    input of each bucket.
    """
    buckets = len(first) - 1
    center, scale, y_center, y_scale, level, tilted = frame
    factor, slots = buckets / width, (len(table) - 1) / width
    high = x[0]
    for i in range(len(x)):
        high = max(high, x[i])
    for i in range(len(x)):
        if x[i] == high:
            b = buckets
        elif len(edges):
            slot = min(int((x[i] - low) * slots), len(table) - 2)
            b = bucket_in(x[i], edges, table[slot], table[slot + 1])
        else:
            b = min(int((x[i] - low) * factor), buckets - 1)
        ids[i] = b
        if moments[b, WEIGHT] == 0:
            first[b] = x[i]
            least[b] = x[i]
        elif x[i] < least[b]:
            least[b] = x[i]
        d = (x[i] - first[b]) / scale
        r = (y[i] - y_center) / y_scale - (level + tilted * ((x[i] - center) / scale))
        moments[b, 0] += 1.0
        moments[b, 1] += d
        moments[b, 2] += d * d
        moments[b, 3] += r
        moments[b, 4] += r * d
        moments[b, 5] += r * r


@njit(cache=True)
def line_sums(x, y, center, scale, y_center, y_scale):
    """Sums of t, e, t^2 and t e over all points, in one pass."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for i in range(len(x)):
        t, e = (x[i] - center) / scale, (y[i] - y_center) / y_scale
        a += t
        b += e
        c += t * t
        d += t * e
    return a, b, c, d


@njit(cache=True)
def shift_moments(moments, by):
    """Move the anchor of every cell down by ``by``: offsets grow."""
    for b in range(len(by)):
        moments[b, 4] += by[b] * moments[b, 3]
        moments[b, 2] += (2 * moments[b, 1] + by[b] * moments[b, 0]) * by[b]
        moments[b, 1] += by[b] * moments[b, 0]


@njit(cache=True)
def collect(x, y, ids, place, frame, out_x, out_r):
    """Copy the points of some buckets (inputs and targets less the line), bucket by bucket.

    ``place[b]`` is where bucket b begins in the output, negative where it is not wanted; it ends up past the
    last point of the bucket.
    """
    center, scale, y_center, y_scale, level, tilted = frame
    for i in range(len(x)):
        at = place[ids[i]]
        if at >= 0:
            out_x[at] = x[i]
            r = (y[i] - y_center) / y_scale
            out_r[at] = r - (level + tilted * ((x[i] - center) / scale))
            place[ids[i]] = at + 1


@njit(cache=True)
def sort_runs(x, r, begins, ends):
    """Sort runs by x in place, r along: into equal slots first, unless they crowd, then by Shell's method."""
    most = 0
    for run in range(len(begins)):
        most = max(most, ends[run] - begins[run])
    slot, place = np.empty(most, np.int64), np.empty(most + 1, np.int64)
    for run in range(len(begins)):
        a, b = x[begins[run] : ends[run]], r[begins[run] : ends[run]]
        gap = 1
        if len(a) > 24 and not spread_out(a, b, slot, place):
            while gap < len(a) // 3:
                gap = 3 * gap + 1
        while gap > 0:  # with a gap of 1 this is insertion
            for i in range(gap, len(a)):
                u, v, j = a[i], b[i], i
                while j >= gap and a[j - gap] > u:
                    a[j], b[j] = a[j - gap], b[j - gap]
                    j -= gap
                a[j], b[j] = u, v
            gap //= 3


@njit(cache=True)
def spread_out(a, b, slot, place):
    """Order points by as many equal slots as there are points; False, undone, where a slot is crowded."""
    size = len(a)
    low, high = a.min(), a.max()
    factor = (size - 1) / (high - low) if high > low else 0.0
    if factor > 1e300:  # a range so small that its inverse overflows
        return False
    place[: size + 1] = 0
    for i in range(size):
        slot[i] = int((a[i] - low) * factor)
        place[slot[i] + 1] += 1
    if place[1 : size + 1].max() > 24:
        return False
    for i in range(size):
        place[i + 1] += place[i]
    old_a, old_b = a.copy(), b.copy()
    for i in range(size):
        at = place[slot[i]]
        place[slot[i]] = at + 1
        a[at], b[at] = old_a[i], old_b[i]
    return True


@njit(cache=True)
def block_moments(x, r, starts, stops, scale, moments):
    """Sums of runs of sorted points about the first point of each run."""
    for j in range(len(starts)):
        for i in range(starts[j], stops[j]):
            d = (x[i] - x[starts[j]]) / scale
            moments[j, 0] += 1.0
            moments[j, 1] += d
            moments[j, 2] += d * d
            moments[j, 3] += r[i]
            moments[j, 4] += r[i] * d
            moments[j, 5] += r[i] * r[i]


@njit(cache=True)
def cut_runs(x, begins, ends, pieces, starts, stops, owner):
    """Cut runs of sorted points into about ``pieces`` blocks each, never between equal inputs.

    Short runs are cut into single inputs. Writes the first and last (exclusive) index of each block and
    the run it is from; returns the number of blocks.
    """
    count = 0
    for run in range(len(begins)):
        at, stop = begins[run], ends[run]
        size = (stop - at) // pieces if stop - at > 4 * pieces else 1
        while at < stop:
            ahead = min(at + size, stop)
            while ahead < stop and x[ahead] == x[ahead - 1]:
                ahead += 1
            starts[count], stops[count], owner[count] = at, ahead, run
            count += 1
            at = ahead
    return count


@njit(cache=True)
def highest(start, end, bow):
    """Largest value on [0, 1] of the line from ``start`` to ``end`` plus the parabola ``4 bow u (1 - u)``."""
    rise = end - start
    if abs(rise) >= 4 * bow:
        return max(start, end)
    return (start + end) / 2 + bow + rise * rise / (16 * bow)


@njit(cache=True)
def cell_bounds(anchor, moments, single, nodes, value, slope, sums, hinge, middle, bounds):
    """Bound the absolute correlation of a kink anywhere in each cell; fills ``bounds``, returns the largest.

    At u between two anchors a distance h apart, F is its chord less a sum of r times tents between 0 and
    g = u (h - u) / h. Half of g times sum r is known; the rest is at most half of g times the sum of |r|,
    which is at most the square root of the weight times the energy of the cell.
    """
    residual_sums(anchor, moments, nodes, value, slope, sums)
    largest = abs(hinge[-1] - middle)
    last = len(nodes) - 2
    for k in range(last + 1):
        for i in range(nodes[k], nodes[k + 1]):
            here, there = hinge[i] - middle, hinge[i + 1] - middle
            bounds[i] = max(abs(here), abs(there))
            if not single[i]:
                f, s = value[k] + slope[k] * (anchor[i] - anchor[nodes[k]]), slope[k]
                energy = moments[i, ENERGY] - f * (moments[i, 3] + sums[i, 0])
                energy -= s * (moments[i, 4] + sums[i, 1])
                noise = 1e-13 * (moments[i, ENERGY] + moments[i, WEIGHT] * f * f)
                total = np.sqrt(moments[i, WEIGHT] * (max(energy, 0.0) + noise))
                width = (anchor[i + 1] - anchor[i]) / 8
                above = highest(here, there, width * max(total - sums[i, 0], 0.0))
                below = highest(-here, -there, width * max(total + sums[i, 0], 0.0))
                bounds[i] = max(bounds[i], above, below)
            largest = max(largest, bounds[i])
    bounds[len(anchor) - 1] = abs(hinge[-1] - middle)
    return largest
