"""A small concave quadratic over a box, solved exactly."""

import numpy as np

from cvxar._typing import Array, BoolArray


def maximise_in_box(matrix: Array, linear: Array, lower: Array, upper: Array) -> Array:
    r"""Maximise :math:`d'x - \tfrac12 x'Qx` over ``lower <= x <= upper``; Q is positive semidefinite.

    Primal active set started at 0, which must lie in the box. Meant for a few variables.

    Examples
    --------
    >>> import numpy as np
    >>> maximise_in_box(np.array([[2.0]]), np.array([1.0]), np.array([0.0]), np.array([9.0]))
    array([0.5])
    """
    x = np.clip(np.zeros(len(linear)), lower, upper)
    free = (x > lower) & (x < upper)
    for _ in range(10 * len(x) + 10):
        slope = linear - matrix @ x
        step = _free_step(matrix, slope, free)
        length, hits = _to_bounds(x, step, lower, upper)
        x = np.where(hits, np.where(step > 0, upper, lower), x + length * step)
        free = free & ~hits
        if length < 1:
            continue
        pull = _pull(x, linear - matrix @ x, lower, upper) * ~free
        worst = int(np.argmax(pull))
        if pull[worst] <= 0:
            return x
        free[worst] = True
    return x


def _free_step(matrix: Array, slope: Array, free: BoolArray) -> Array:
    step = np.zeros(len(slope))
    if free.any():
        step[free] = np.linalg.lstsq(matrix[np.ix_(free, free)], slope[free], rcond=1e-14)[0]
    return step


def _to_bounds(x: Array, step: Array, lower: Array, upper: Array) -> tuple[float, BoolArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(step > 0, (upper - x) / step, np.where(step < 0, (lower - x) / step, np.inf))
    length = min(1.0, float(np.min(room, initial=np.inf)))
    return length, (room <= length) & (length < 1)


def _pull(x: Array, slope: Array, lower: Array, upper: Array) -> Array:
    """How much the objective asks to leave a bound inwards."""
    pull: Array = np.where(x <= lower, slope, np.where(x >= upper, -slope, np.abs(slope)))
    return pull
