"""Data of one column as cells: what the compiled solver works on (see ``kernels``)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array, IntArray


@dataclass(frozen=True)
class Cells:
    """Anchors in scaled inputs, sums of each cell, and the line taken off the targets beforehand.

    ``offset`` is the part of the loss that no function of the input can change (spread within ties).
    """

    anchor: Array
    moments: Array
    level: float
    tilted: float
    offset: float


def point_cells(t: Array, position: IntArray, e: Array, weight: Array) -> Cells:
    """One cell for each distinct input; O(n).

    A weighted least-squares line is taken off the targets, so that sums of squares keep their digits.
    """
    total = np.bincount(position, weights=weight, minlength=len(t)).astype(float, copy=False)
    mean = np.bincount(position, weights=weight * e, minlength=len(t)) / total
    spread = e - mean[position]
    level, tilted = weighted_line(t, mean, total)
    rest = mean - (level + tilted * t)
    moments = np.zeros((len(t), 6))
    moments[:, 0], moments[:, 3], moments[:, 5] = total, total * rest, total * rest * rest
    return Cells(t, moments, level, tilted, float(weight @ (spread * spread)) / 2)


STRAIGHT = 1e-12  # slope of a constant but for rounding: targets of size 1, inputs of range 1


def weighted_line(t: Array, y: Array, weight: Array) -> tuple[float, float]:
    """Return level at 0 and slope of the weighted least-squares line.

    Examples
    --------
    >>> weighted_line(np.array([0.0, 1.0]), np.array([1.0, 3.0]), np.ones(2))
    (1.0, 2.0)
    """
    whole = float(np.sum(weight))
    middle, mean = float(weight @ t) / whole, float(weight @ y) / whole
    centred = weight * (t - middle)
    square = float(centred @ (t - middle))
    slope = float(centred @ (y - mean)) / square if square > 0 else 0.0
    return mean - slope * middle, slope


class Frame(NamedTuple):
    """Units of scaled data: ``t = (x - center) / scale`` and ``e = (y - y_center) / y_scale``."""

    center: float
    scale: float
    y_center: float
    y_scale: float


class CellState(NamedTuple):
    """Nodes (cells), values and slopes (less the line of the cells), signs, tilt: a warm start."""

    nodes: IntArray
    value: Array
    slope: Array
    sign: Array
    tilt: float


@dataclass(frozen=True)
class Setting:
    """What the kernels need to know of a problem besides the cells."""

    beta: float
    cost: float
    skip: bool
    floor: float


def flat_state(cells: Cells) -> CellState:
    """Return the line of the cells, without kinks."""
    ends = np.array([0, len(cells.anchor) - 1], dtype=np.int64)
    return CellState(ends, np.zeros(2), np.zeros(1), np.zeros(2), 0.0)


def levelled(cells: Cells, state: CellState) -> CellState:
    """Make a function constant whose slopes are rounding, as they are at ``beta_max`` without a skip."""
    if len(state.nodes) > 3 or np.max(np.abs(state.slope + cells.tilted)) > STRAIGHT:
        return state
    ends, tilted = state.nodes[[0, -1]], cells.tilted
    level = np.mean(state.value + tilted * cells.anchor[state.nodes])
    value = level - tilted * cells.anchor[ends]
    return CellState(ends, value, np.array([-tilted]), np.zeros(2), state.tilt)
