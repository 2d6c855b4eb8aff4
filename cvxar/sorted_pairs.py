"""Observations of one input, kept in the order of the inputs while single ones come and go."""

import copy
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.cells import Cells, Frame
from cvxar.errors import InputError


class Points(NamedTuple):
    """Sums of single points with the inputs they stand for, and the range of the scaled targets."""

    cells: Cells
    inputs: Array
    low: float
    high: float


class SortedPairs:
    """Inputs and targets in the order of the inputs, in arrays with room for more.

    Examples
    --------
    >>> pairs = SortedPairs(np.array([2.0, 0.0]), np.array([5.0, 3.0]))
    >>> pairs.insert(1.0, 4.0)
    >>> pairs.remove(0.0, 3.0)
    >>> pairs.x, pairs.y
    (array([1., 2.]), array([4., 5.]))
    """

    def __init__(self, x: Array, y: Array) -> None:
        order = np.argsort(x, kind="stable")
        self.count = len(x)
        self._x, self._y = x[order], y[order]

    @property
    def x(self) -> Array:
        """The inputs."""
        return self._x[: self.count]

    @property
    def y(self) -> Array:
        """The targets."""
        return self._y[: self.count]

    def copy(self) -> "SortedPairs":
        """Return the same observations in arrays of their own."""
        other = copy.copy(self)
        other._x, other._y = self.x.copy(), self.y.copy()
        return other

    def _make_room(self) -> None:
        """Lengthen the arrays by an eighth, so that copying them all is rare."""
        more = np.empty(self.count // 8 + 8)
        self._x, self._y = np.concatenate([self._x, more]), np.concatenate([self._y, more])

    def insert(self, x: float, y: float) -> None:
        """Add one observation, behind those of equal input."""
        # numba is loaded when first needed, not by the import of the package
        from cvxar import kernel_windows

        if self.count == len(self._x):
            self._make_room()
        kernel_windows.insert(self._x, self._y, self.count, x, y)
        self.count += 1

    def remove(self, x: float, y: float) -> None:
        """Take out one observation that is held, leaving two distinct inputs."""
        from cvxar import kernel_windows

        place = kernel_windows.find(self._x, self._y, self.count, x, y)
        if place == -1:
            raise InputError(f"no observation with input {x!r} is held; drop only what was added")
        if place == -2:
            raise InputError(f"no observation with input {x!r} and target {y!r} is held; drop what was added")
        first, last = self._x[int(place == 0)], self._x[self.count - 1 - int(place == self.count - 1)]
        if not first < last:
            raise InputError("two distinct inputs must remain; append before dropping")
        kernel_windows.remove(self._x, self._y, self.count, place)
        self.count -= 1

    def points(self, frame: Frame) -> Points:
        """Sums at every distinct input in scaled units, the least-squares line taken off; O(n)."""
        from cvxar import kernel_windows

        inputs, anchor, moments = np.empty(self.count), np.empty(self.count), np.empty((self.count, 6))
        m, lost, low, high = kernel_windows.fill_points(self.x, self.y, tuple(frame), inputs, anchor, moments)
        anchor, moments = anchor[:m], moments[:m]
        level, tilted = kernel_windows.take_line_off(anchor, moments)
        return Points(Cells(anchor, moments, level, tilted, lost), inputs[:m], low, high)
