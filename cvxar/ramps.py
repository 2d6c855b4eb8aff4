"""From kinks whose sum is 0 to capped ramps of least l1 norm."""

import numpy as np

from cvxar._typing import Array, IntArray


def ramps_of(kinks: Array) -> tuple[IntArray, IntArray, Array]:
    r"""Pair kinks into ramps: index of the start, of the stop, and coefficient of each.

    A ramp bends up at its start and down at its stop. Rising and falling kinks are paired in order,
    each time by the smaller of what is left of the two, so that the coefficients add up to
    :math:`\tfrac12 \sum |c_j|` in absolute value. At most one ramp less than there are kinks. O(k).

    Examples
    --------
    >>> import numpy as np
    >>> starts, stops, amount = ramps_of(np.array([2.0, -3.0, 1.0]))
    >>> starts.tolist(), stops.tolist(), amount.tolist()
    ([0, 1], [1, 2], [2.0, -1.0])
    """
    up, down = np.flatnonzero(kinks > 0), np.flatnonzero(kinks < 0)
    risen, fallen = np.cumsum(kinks[up]), np.cumsum(-kinks[down])
    if not len(up) or not len(down):
        none = np.empty(0, dtype=np.intp)
        return none, none, np.empty(0)
    total = min(risen[-1], fallen[-1])  # equal but for rounding
    risen[-1] = fallen[-1] = total
    cuts = np.unique(np.concatenate(([0.0], np.minimum(risen, total), np.minimum(fallen, total))))
    middle = (cuts[1:] + cuts[:-1]) / 2
    rise, fall = up[np.searchsorted(risen, middle)], down[np.searchsorted(fallen, middle)]
    amount = np.where(rise < fall, 1.0, -1.0) * np.diff(cuts)
    return np.minimum(rise, fall), np.maximum(rise, fall), amount
