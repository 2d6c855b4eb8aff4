"""Data that do not fit into memory: observations of equal input are summed as they stream by.

A squared loss depends on the observations at one input only through their number, mean and spread.
Prices come in ticks, so that a billion rows are a few thousand inputs; what is left is a small problem
with the same optimum and the same certificate.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError, TooLargeError
from cvxar.inputs import numbers
from cvxar.memory import check_memory
from cvxar.problem import LassoProblem

PIECE = 1 << 20  # rows looked at together: more would only take memory
SLOT = 40  # bytes of a slot of the table
REMEDY = "round the inputs to their tick, or fit a sample"


@dataclass(frozen=True, repr=False, eq=False)
class Aggregates:
    """Observations summed by input; add two of them with ``+``.

    Attributes
    ----------
    x : array of shape (m,)
        Distinct inputs, increasing.
    count, squares : arrays of shape (m,)
        Number of observations at each, and the sum of squared deviations of their targets from the mean.
    origin, shift : arrays of shape (m,)
        That mean is ``origin + shift``, in two parts so that sums of sums keep their digits.
    """

    x: Array
    count: Array
    origin: Array
    shift: Array
    squares: Array

    def __repr__(self) -> str:
        return f"Aggregates({self.nobs} observations of {len(self)} distinct inputs)"

    def __len__(self) -> int:
        return len(self.x)

    @property
    def nobs(self) -> int:
        """Number of observations."""
        return int(np.sum(self.count))

    @property
    def mean(self) -> Array:
        """Mean target at each input."""
        return self.origin + self.shift

    @property
    def sum_y(self) -> Array:
        """Sum of the targets at each input."""
        return self.count * self.mean

    @property
    def sum_y2(self) -> Array:
        """Sum of their squares."""
        return self.squares + self.sum_y * self.mean

    def __add__(self, other: "Aggregates") -> "Aggregates":
        table = _Table()
        table.merge(self)
        table.merge(other)
        return table.result()

    def problem(self, *, beta: float, **options: Any) -> LassoProblem:
        """Return the problem of all observations; see :meth:`cvxar.LassoProblem.from_aggregates`.

        Means are rounded as numbers of their size: a PrecisionWarning says where that is too coarse.
        """
        return LassoProblem.from_means(self.x, self.count, self.mean, self.squares, beta=beta, **options)


def aggregate(
    chunks: Iterable[tuple[ArrayLike, ArrayLike]], *, max_distinct: int | None = None
) -> Aggregates:
    """Sum chunks of observations by input, in one pass and in memory that grows with the distinct inputs.

    Parameters
    ----------
    chunks : iterable of (x, y)
        Pairs of arrays of equal length, of any size; :func:`lag_pairs` makes them from chunks of a series.
        Equal inputs are merged only if they are equal to the last bit: round ticks the same way.
    max_distinct : int, optional
        Most distinct inputs to allow; by default as many as memory holds (some 80 bytes each here, 500
        in the solve).

    Returns
    -------
    Aggregates
        With :meth:`Aggregates.problem`.

    Raises
    ------
    InputError
        For NaN or infinite values, lengths that differ, nothing at all.
    TooLargeError
        Before more distinct inputs are stored than allowed or than memory holds.

    Notes
    -----
    A few nanoseconds a row. Deviations are taken from the first target seen at each input and updated
    without squaring large numbers, so that offsets cost no digits and the order of the chunks does not matter
    beyond rounding.

    Examples
    --------
    >>> sums = aggregate([([1.0, 2.0], [0.0, 5.0]), ([1.0], [4.0])])
    >>> sums.x, sums.count, sums.mean, sums.squares
    (array([1., 2.]), array([2., 1.]), array([2., 5.]), array([8., 0.]))
    >>> sums.problem(beta=1.0).nobs
    3
    """
    table = _Table(max_distinct)
    for number, chunk in enumerate(chunks):
        for x, y in _pieces(chunk, number):
            table.add(x, y)
    if not table.used:
        raise InputError("no observations: every chunk was empty")
    return table.result()


def lag_pairs(chunks: Iterable[ArrayLike], lag: int = 1) -> Iterator[tuple[Array, Array]]:
    """Turn chunks of a series, in time order, into pairs ``(y[t - lag], y[t])`` across their borders.

    Examples
    --------
    >>> [(x.tolist(), y.tolist()) for x, y in lag_pairs([[1.0, 2.0], [3.0], [4.0, 5.0]])]
    [([1.0], [2.0]), ([2.0], [3.0]), ([3.0, 4.0], [4.0, 5.0])]
    """
    if isinstance(lag, bool) or not isinstance(lag, int) or lag < 1:
        raise InputError(f"lag must be a whole number of at least 1, got {lag!r}")
    held = np.empty(0)
    for chunk in chunks:
        values = np.concatenate([held, np.asarray(chunk, dtype=float)])
        if len(values) > lag:
            yield values[:-lag], values[lag:]
        held = values[-lag:]


def _pieces(chunk: tuple[ArrayLike, ArrayLike], number: int) -> Iterator[tuple[Array, Array]]:
    """Cut a chunk into checked pieces that are small enough to copy."""
    try:
        x, y = (np.asarray(part) for part in chunk)
    except (TypeError, ValueError):
        raise InputError(
            f"chunk {number} must be a pair (x, y) of arrays, got {type(chunk).__name__}"
        ) from None
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError(
            f"x and y of chunk {number} must have one dimension and one length, got shapes {x.shape}, "
            f"{y.shape}"
        )
    for start in range(0, len(x), PIECE):
        where = f"of chunk {number}" + (f" from row {start}" if start else "")
        stop = start + PIECE
        yield numbers(x[start:stop], f"x {where}", 1) + 0.0, numbers(y[start:stop], f"y {where}", 1)


class _Table:
    """Hash table of inputs, at most half full; see ``kernel_tally``."""

    def __init__(self, most: int | None = None) -> None:
        from cvxar import kernel_tally

        self.kernels, self.most, self.used = kernel_tally, most, 0
        self._allocate(12)

    def _allocate(self, bits: int) -> None:
        check_memory(SLOT * 2.0**bits, f"a table of {1 << (bits - 1):,} distinct inputs", REMEDY)
        self.bits = bits
        self.key, self.origin = np.full(1 << bits, np.nan), np.empty(1 << bits)
        self.sums = np.zeros((1 << bits, 3))

    @property
    def _room(self) -> int:
        """How many more inputs the table takes before it must grow."""
        half = 1 << (self.bits - 1)
        return (half if self.most is None else min(half, self.most)) - self.used

    def add(self, x: Array, y: Array) -> None:
        """Add observations."""
        at, words = 0, x.view(np.uint64)
        while True:
            at, fresh = self.kernels.tally(
                self.key, self.bits, self.origin, self.sums, x, words, y, at, self._room
            )
            self.used += fresh
            if at == len(x):
                return
            self._grow()

    def merge(self, other: Aggregates) -> None:
        """Add sums of other observations."""
        while self._room < len(other):
            self._grow()
        words = other.x.view(np.uint64)
        sums = np.column_stack([other.count, other.shift, other.squares])
        self.used += self.kernels.merge(
            self.key, self.bits, self.origin, self.sums, other.x, words, other.origin, sums
        )

    def _grow(self) -> None:
        if self.most is not None and self.used >= self.most:
            raise TooLargeError(f"more than max_distinct={self.most:,} distinct inputs; {REMEDY}")
        taken = ~np.isnan(self.key)
        key, origin, sums = self.key[taken], self.origin[taken], self.sums[taken]
        self._allocate(self.bits + 2)
        self.kernels.merge(
            self.key, self.bits, self.origin, self.sums, key, key.view(np.uint64), origin, sums
        )

    def result(self) -> Aggregates:
        """Return the sums in the order of the inputs."""
        taken = np.flatnonzero(~np.isnan(self.key))
        order = taken[np.argsort(self.key[taken])]
        count, shift, squares = self.sums[order].T.copy()
        return Aggregates(self.key[order], count, self.origin[order], shift, squares)
