"""A joint step of all columns that never raises the objective: exact search along a full step."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cvxar._typing import Array
from cvxar.nodal import Rows, State, Step, fit_of, full_step, take
from cvxar.spline import Spline, signed

HALVINGS = 50


def line_step(rows: Rows, state: State, damping: float) -> State:
    """Go along the full step to where the objective, signs free, is least; set the signs found there.

    The objective along a line is convex, so its derivative is halved down to its root.
    """
    step = full_step(rows, state, damping)
    residual, fit = rows.residual(state), fit_of(rows, state, step)
    loss = float(rows.weight @ (residual * fit)), float(rows.weight @ (fit * fit))
    lines = [_line(s, b) for s, b in zip(state.splines, step.blocks, strict=False)]

    def rising(length: float) -> bool:
        """Whether the objective rises at this length of the step."""
        slopes = (_penalty_slope(s, *line, length) for s, line in zip(state.splines, lines, strict=True))
        return length * loss[1] - loss[0] + sum(slopes) > 0

    moved = take(state, Step(step.blocks, [s.tilt for s in state.splines]), _root(rising))
    return State(tuple(replace(signed(s), tilt=s.tilt) for s in moved.splines), moved.tail)


def _root(rising: Callable[[float], bool]) -> float:
    """Where an increasing function on [0, 1] changes its sign, from below."""
    if not rising(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) else (middle, high)
    return low


def _line(spline: Spline, block: Array) -> tuple[Array, float]:
    """Change of the kinks and of the sum of the end slopes for a step of the nodal values."""
    slope = np.diff(block) / spline.gaps
    return np.diff(slope), float(slope[0] + slope[-1])


def _penalty_slope(spline: Spline, kinks: Array, ends: float, length: float) -> float:
    """Derivative of the penalty of a spline along a step."""
    now, across = spline.kinks + length * kinks, spline.end_slopes + length * ends
    bend, cost = float(np.sign(now) @ kinks), spline.hinge_cost
    variation = float(np.sum(np.abs(now)))
    if spline.skip or cost * variation >= (variation + abs(across)) / 2:
        return spline.beta * cost * bend
    return spline.beta * (bend + float(np.sign(across)) * ends) / 2
