"""Lazily sorted data: buckets of a large column, refined only where a kink may lie.

Two streaming passes put the points into equal-width buckets with their sums; the solver then works on a
few thousand cells. Where the bound on the correlation inside a cell exceeds the penalty, the points of
that cell are collected, sorted and cut into blocks, and in the end single points. What remains coarse
is proven not to matter.
"""

from threading import RLock
from types import ModuleType
from typing import Any

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.cells import Cells

FEWEST_BUCKETS, MOST_BUCKETS = 1024, 16_384
POINTS = 32  # about so many in each bucket, as far as these limits allow
PIECES = 8
SAMPLE = 4  # sampled points for each bucket
SLOTS = 65_536
MOST_CROWDED = 0.01


class Pool:
    """Collected points, sorted within each bucket: inputs and targets less the line."""

    def __init__(self) -> None:
        self._x = self._r = np.empty(0)
        self._size = 0

    @property
    def x(self) -> Array:
        """Inputs."""
        return self._x[: self._size]

    @property
    def r(self) -> Array:
        """Targets less the line."""
        return self._r[: self._size]

    def grow(self, more: int) -> tuple[Array, Array]:
        """Return room for more points behind the others; room doubles, so that copies stay O(1) a point."""
        before, self._size = self._size, self._size + more
        if self._size > len(self._x):
            room = max(self._size, 2 * len(self._x))
            for name in ("_x", "_r"):
                wider = np.empty(room)
                wider[:before] = getattr(self, name)[:before]
                setattr(self, name, wider)
        return self.x[before:], self.r[before:]


def number_of_buckets(n: int) -> int:
    """Return a power of two: few cells make rounds cheap, many make bounds tight.

    Examples
    --------
    >>> number_of_buckets(33_000), number_of_buckets(525_600)
    (1024, 16384)
    """
    wanted = int(2 ** np.floor(np.log2(n / POINTS)))
    return min(max(wanted, FEWEST_BUCKETS), MOST_BUCKETS)


def bucket_edges(x: Array, low: float, width: float, buckets: int) -> Array:
    """Return no edges where equal widths will do, else sample quantiles.

    Equal widths are cheapest; when they crowd (outliers, heavy tails), quantiles of a sample keep
    every bucket small whatever the distribution.
    """
    sample = x[:: max(len(x) // (SAMPLE * buckets), 1)]
    counts = np.bincount(np.minimum((sample - low) / width * buckets, buckets - 1).astype(np.intp))
    if np.max(counts) <= MOST_CROWDED * len(sample):
        return np.empty(0)
    inner = np.linspace(0, len(sample) - 1, buckets + 1)[1:-1].astype(np.intp)
    return np.unique(np.sort(sample)[inner])


class LazyCells:
    """Cells of a large column that can be refined.

    ``run`` is where the points of each cell stand in the pool, -1 for a bucket not collected yet. Solves at
    several penalties share the cells and refine them: whoever works on them holds ``lock``.
    """

    def __init__(self, x: Array, y: Array, center: float, y_center: float, y_scale: float) -> None:
        self.x, self.y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        self.low, self.high, self.center = float(np.min(self.x)), float(np.max(self.x)), center
        self.scale = self.high - self.low
        self.y_center, self.y_scale = y_center, y_scale
        self.frame = self._frame()
        self.ids = np.empty(len(self.x), dtype=np.uint16)
        self.buckets = number_of_buckets(len(self.x))
        first, least = np.zeros(self.buckets + 1), np.zeros(self.buckets + 1)
        moments = np.zeros((self.buckets + 1, 6))
        edges = bucket_edges(self.x, self.low, self.scale, self.buckets)
        slots = SLOTS if len(edges) else 1
        places = self.low + self.scale * np.linspace(0, 1, slots + 1)
        table = np.searchsorted(edges, places, side="right")
        self.kernels.fill_buckets(
            self.x, self.y, self.low, self.high, edges, table, self.frame, self.ids, first, least, moments
        )
        used = np.flatnonzero(moments[:, 0])
        self.kernels.shift_moments(moments, (first - least) / self.scale)
        self.moments, self.input = moments[used], least[used]
        self.bucket, self.run = used.astype(np.intp), np.full((len(used), 2), -1)
        self.single: BoolArray = self.moments[:, 2] == 0  # every point at the anchor
        self.pool = Pool()
        self._cells: Cells | None = None
        self.lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.lock = RLock()

    @property
    def kernels(self) -> ModuleType:
        """The compiled loops, imported when first used; not kept, so that cells can be pickled."""
        from cvxar import kernel_cells

        return kernel_cells

    def _frame(self) -> tuple[float, float, float, float, float, float]:
        """Center and scale of input and target, and the least-squares line in these units."""
        n, units = len(self.x), (self.center, self.scale, self.y_center, self.y_scale)
        t, e, tt, te = self.kernels.line_sums(self.x, self.y, *units)
        tilted = (te - t * e / n) / (tt - t * t / n)
        return (*units, e / n - tilted * t / n, tilted)

    @property
    def cells(self) -> Cells:
        """The cells as they stand."""
        if self._cells is None:
            anchor = (self.input - self.center) / self.scale
            self._cells = Cells(anchor, self.moments, self.frame[4], self.frame[5], 0.0)
        return self._cells

    def points_in(self, wanted: BoolArray) -> int:
        """Number of points in some cells."""
        return int(np.sum(self.moments[wanted & ~self.single, 0]))

    def refine(self, wanted: BoolArray) -> IntArray:
        """Split the wanted cells; returns, for every old cell, its index among the new ones."""
        which = np.flatnonzero(wanted & ~self.single)
        if not len(which):
            return np.arange(len(self.input))
        self._collect(which[self.run[which, 0] < 0])
        cells = (self.moments, self.input, self.bucket, self.run, self.single)
        split = self.kernels.split_cells(which, *cells, self.pool.x, self.pool.r, self.scale, PIECES)
        self.moments, self.input, self.bucket, self.run, self.single = split[:-1]
        self._cells = None
        where: IntArray = split[-1]
        return where

    def _collect(self, which: IntArray) -> None:
        """Bring the points of some buckets into the pool, sorted within each bucket."""
        if not len(which):
            return
        sizes = self.moments[which, 0].astype(np.intp)
        ends, before = np.cumsum(sizes), len(self.pool.x)
        place = np.full(self.buckets + 1, -1)
        place[self.bucket[which]] = ends - sizes
        x, r = self.pool.grow(int(ends[-1]))
        self.kernels.collect(self.x, self.y, self.ids, place, self.frame, x, r)
        self.kernels.sort_runs(x, r, ends - sizes, ends)
        self.run[which, 0], self.run[which, 1] = before + ends - sizes, before + ends
