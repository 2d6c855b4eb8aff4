"""Compiled passes over raw data: buckets, collection of points, blocks (see ``kernels`` for the letters)."""

import numpy as np

from cvxar.kernel_cache import compiled
from cvxar.kernels import WEIGHT


@compiled
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


@compiled
def inverted(frame):
    """Factors that make ``(y - y_center) * a - level - (x - center) * b`` the scaled target less the line.

    ``frame = (center, scale, y center, y scale, level, tilted)``: targets are scaled, and the line
    ``level + tilted t`` with ``t = (x - center) / scale`` is taken off.
    """
    return 1 / frame[3], frame[5] / frame[1]


@compiled
def fill_buckets(x, y, low, high, edges, table, frame, ids, first, least, moments):
    """Sum every point into its bucket, offsets taken from the first point seen; the maximum is last.

    Buckets have equal widths when ``edges`` is empty; else bucket b ends before ``edges[b]``, and
    ``table[s]`` counts the edges at or below slot s of equal slots.
    ``least`` becomes the smallest input of each bucket; ``frame`` as in ``inverted``.
    """
    buckets, width = len(first) - 1, high - low
    center, y_center, level = frame[0], frame[2], frame[4]
    (a, b_line), per = inverted(frame), 1 / frame[1]
    factor, slots = buckets / width, (len(table) - 1) / width
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
        d = (x[i] - first[b]) * per
        r = (y[i] - y_center) * a - level - (x[i] - center) * b_line
        moments[b, 0] += 1.0
        moments[b, 1] += d
        moments[b, 2] += d * d
        moments[b, 3] += r
        moments[b, 4] += r * d
        moments[b, 5] += r * r


@compiled(fastmath={"reassoc"})
def line_sums(x, y, center, scale, y_center, y_scale):
    """Sums of t, e, t^2 and t e over all points, in one pass.

    In any order: the line is only taken off for digits.
    """
    a, b, c, d, per, y_per = 0.0, 0.0, 0.0, 0.0, 1 / scale, 1 / y_scale
    for i in range(len(x)):
        t, e = (x[i] - center) * per, (y[i] - y_center) * y_per
        a += t
        b += e
        c += t * t
        d += t * e
    return a, b, c, d


@compiled
def shift_moments(moments, by):
    """Move the anchor of every cell down by ``by``: offsets grow."""
    for b in range(len(by)):
        moments[b, 4] += by[b] * moments[b, 3]
        moments[b, 2] += (2 * moments[b, 1] + by[b] * moments[b, 0]) * by[b]
        moments[b, 1] += by[b] * moments[b, 0]


@compiled
def collect(x, y, ids, place, frame, out_x, out_r):
    """Copy the points of some buckets (inputs and targets less the line), bucket by bucket.

    ``place[b]`` is where bucket b begins in the output, negative where it is not wanted; it ends up past the
    last point of the bucket.
    """
    center, y_center, level = frame[0], frame[2], frame[4]
    a, b = inverted(frame)
    for i in range(len(x)):
        at = place[ids[i]]
        if at >= 0:
            out_x[at] = x[i]
            out_r[at] = (y[i] - y_center) * a - level - (x[i] - center) * b
            place[ids[i]] = at + 1


@compiled
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


@compiled
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


@compiled
def add_block(x, r, scale, out):
    """Write the sums of sorted points about the first of them."""
    out[:] = 0.0
    for i in range(len(x)):
        d = (x[i] - x[0]) / scale
        out[0] += 1.0
        out[1] += d
        out[2] += d * d
        out[3] += r[i]
        out[4] += r[i] * d
        out[5] += r[i] * r[i]


@compiled
def cut_run(x, start, stop, pieces, cuts, count):
    """Cut a run of sorted points into about ``pieces`` blocks, never between equal inputs.

    A short run is cut into single inputs. Writes where blocks begin to ``cuts``, from ``count`` on; returns
    the new count.
    """
    size = (stop - start) // pieces if stop - start > 2 * pieces else 1
    while start < stop:
        cuts[count] = start
        count += 1
        start = min(start + size, stop)
        while start < stop and x[start] == x[start - 1]:
            start += 1
    return count


@compiled
def cut_runs(x, run, which, pieces):
    """Cut the runs of some cells; returns where blocks begin, and how many there are up to each cell."""
    room = 0
    for i in which:
        room += run[i, 1] - run[i, 0]
    cuts, ends, count = np.empty(room, np.int64), np.empty(len(which), np.int64), 0
    for j in range(len(which)):
        count = cut_run(x, run[which[j], 0], run[which[j], 1], pieces, cuts, count)
        ends[j] = count
    return cuts[:count], ends


@compiled
def split_cells(which, moments, inputs, bucket, run, single, x, r, scale, pieces):
    """Cut the cells ``which`` (increasing), of sorted points ``x[run[i, 0] : run[i, 1]]``; keep the others.

    Returns moments, inputs, buckets, runs and singles anew, and for every old cell its index among them.
    """
    cuts, ends = cut_runs(x, run, which, pieces)
    total = len(inputs) - len(which) + len(cuts)
    sums, least, alone = np.empty((total, 6)), np.empty(total), np.empty(total, np.bool_)
    owner, runs = np.empty(total, bucket.dtype), np.empty((total, 2), run.dtype)
    where, at, now, c = np.empty(len(inputs), np.int64), 0, 0, 0
    for j in range(len(which) + 1):
        stop = which[j] if j < len(which) else len(inputs)
        ahead = now + stop - at
        sums[now:ahead], least[now:ahead], alone[now:ahead] = (
            moments[at:stop],
            inputs[at:stop],
            single[at:stop],
        )
        owner[now:ahead], runs[now:ahead] = bucket[at:stop], run[at:stop]
        for i in range(at, min(stop + 1, len(inputs))):
            where[i] = now + i - at
        at, now = stop + 1, ahead
        while j < len(which) and c < ends[j]:
            begin, end = cuts[c], cuts[c + 1] if c + 1 < ends[j] else run[stop, 1]
            add_block(x[begin:end], r[begin:end], scale, sums[now])
            least[now], alone[now] = x[begin], x[begin] == x[end - 1]
            owner[now], runs[now, 0], runs[now, 1] = bucket[stop], begin, end
            now, c = now + 1, c + 1
    return sums, least, owner, runs, alone, where
