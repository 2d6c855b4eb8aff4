"""Compiled hash table of inputs: one pass over points, sums for each distinct input.

Slot s holds the input ``key[s]`` (NaN when free), the first target seen there (``origin``), and of the
targets less that origin the count, the mean and the sum of squares about the mean. All are kept by
updates that subtract before they square, so that no offset of the targets costs digits.
"""

import numpy as np

from cvxar.kernel_cache import compiled

COUNT, MEAN, SQUARES = range(3)


@compiled
def slot_of(key, bits, x, word):
    """Slot of an input: its own, or the free one where it belongs (linear probing)."""
    mask = np.uint64(len(key) - 1)
    mixed = word * np.uint64(0x9E3779B97F4A7C15)
    s = (mixed ^ (mixed >> np.uint64(32))) >> np.uint64(64 - bits)
    while key[s] == key[s] and key[s] != x:
        s = (s + np.uint64(1)) & mask
    return s


@compiled
def tally(key, bits, origin, sums, x, words, y, start, room):
    """Add points from ``start`` until ``room`` new inputs have come; returns where it stopped and how many.

    ``words`` are the inputs read as unsigned integers.
    """
    fresh = 0
    for i in range(start, len(x)):
        s = slot_of(key, bits, x[i], words[i])
        if key[s] != key[s]:
            if fresh == room:
                return i, fresh
            fresh += 1
            key[s], origin[s] = x[i], y[i]
        e = y[i] - origin[s]
        ahead = e - sums[s, MEAN]
        sums[s, COUNT] += 1.0
        sums[s, MEAN] += ahead / sums[s, COUNT]
        sums[s, SQUARES] += ahead * (e - sums[s, MEAN])
    return len(x), fresh


@compiled
def merge(key, bits, origin, sums, x, words, other_origin, other_sums):
    """Add sums of other points; the table has room for all of them. Returns the number of new inputs."""
    fresh = 0
    for i in range(len(x)):
        s = slot_of(key, bits, x[i], words[i])
        if key[s] != key[s]:
            fresh += 1
            key[s], origin[s] = x[i], other_origin[i]
        a, b = sums[s, COUNT], other_sums[i, COUNT]
        ahead = (other_origin[i] - origin[s]) + other_sums[i, MEAN] - sums[s, MEAN]
        sums[s, COUNT] = a + b
        sums[s, MEAN] += ahead * b / (a + b)
        sums[s, SQUARES] += other_sums[i, SQUARES] + ahead * ahead * a * b / (a + b)
    return fresh
