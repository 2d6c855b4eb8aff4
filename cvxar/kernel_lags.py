"""Compiled passes over the rows of a problem of several columns (see ``normal``).

A row lies in one segment of every column, ``share`` of the way from its left node to its right one:
``segment[j, i]`` counts from the first unknown of all, so that columns need no offsets of their own.
"""

from cvxar.kernel_cache import compiled


@compiled
def fit(segment, share, step, out):
    """Add to ``out`` what nodal values make at every row."""
    for j in range(len(segment)):
        for i in range(len(out)):
            k, a = segment[j, i], share[j, i]
            out[i] += (1.0 - a) * step[k] + a * step[k + 1]


@compiled
def hat_sums(segment, share, values, out):
    """Add to ``out`` the sums of row values under every hat: the transpose of ``fit``."""
    for j in range(len(segment)):
        for i in range(len(values)):
            k, a = segment[j, i], share[j, i] * values[i]
            out[k] += values[i] - a
            out[k + 1] += a


@compiled
def normal_bands(segment, share, weight, diagonal, beside):
    """Add the tridiagonal normal matrices of all columns, one after the other."""
    for j in range(len(segment)):
        for i in range(len(weight)):
            k, a, w = segment[j, i], share[j, i], weight[i]
            diagonal[k] += w * (1.0 - a) * (1.0 - a)
            beside[k] += w * a * (1.0 - a)
            diagonal[k + 1] += w * a * a


@compiled
def normal_matrix(segment, share, weight, matrix):
    """Add the upper triangle of the normal matrix of the nodal values of all columns."""
    for j in range(len(segment)):
        for i in range(len(weight)):
            k, a, w = segment[j, i], share[j, i], weight[i]
            matrix[k, k] += w * (1.0 - a) * (1.0 - a)
            matrix[k, k + 1] += w * a * (1.0 - a)
            matrix[k + 1, k + 1] += w * a * a
        for other in range(j + 1, len(segment)):
            for i in range(len(weight)):
                k, q = segment[j, i], segment[other, i]
                a, b, w = share[j, i], share[other, i], weight[i]
                right, left = w * a, w - w * a
                matrix[k, q] += left * (1.0 - b)
                matrix[k, q + 1] += left * b
                matrix[k + 1, q] += right * (1.0 - b)
                matrix[k + 1, q + 1] += right * b
