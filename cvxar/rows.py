"""The rows of a problem as column generation sees them: the data, or stretches of one sorted column."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.architectures import Unit
from cvxar.design import Design
from cvxar.segments import Segments, one_segment

FEW = 300


@dataclass(frozen=True)
class Samples:
    """What is fitted, row by row: roots of the weights, targets, position of a row in each column.

    One column without exogenous ones needs one row per distinct input; ``spread`` is then what the
    targets of equal inputs deviate from their mean by, which no function can fit. ``row`` leads from
    observations to rows.
    """

    root: Array
    target: Array
    positions: tuple[IntArray, ...]
    basis: Array
    spread: Array
    row: IntArray

    def outside(self, values: Array) -> Array:
        """Project out the unpenalised columns."""
        return outside(self.basis, values)


def outside(basis: Array, values: Array) -> Array:
    """Project out an orthonormal basis, twice for full accuracy."""
    for _ in range(2):
        values = values - basis @ (basis.T @ values)
    return values


def samples_of(design: Design) -> Samples:
    """Return the rows of a design, those of equal inputs merged where possible."""
    if len(design.columns) > 1 or design.exog.shape[1]:
        positions = tuple(c.position for c in design.columns)
        same = np.arange(len(design.e))
        return Samples(np.sqrt(design.weight), design.e, positions, design.free.basis, 0 * design.e, same)
    (column,) = design.columns
    weight = column.aggregate(design.weight)
    mean = column.aggregate(design.weight * design.e) / weight
    first = np.empty(len(weight), dtype=np.intp)
    first[column.position] = np.arange(len(design.e))
    root = np.sqrt(weight)
    basis = orthonormal(root[:, None] * design.free.values[first])
    spread = design.e - mean[column.position]
    return Samples(root, mean, (np.arange(len(weight)),), basis, spread, column.position)


def orthonormal(columns: Array) -> Array:
    """Orthonormal basis of columns, dependent ones left out."""
    u, s, _ = np.linalg.svd(columns, full_matrices=False)
    return u[:, s > 1e-12 * np.max(s, initial=0.0)]


class Rows(ABC):
    """Coordinates in which columns are held: an isometry of all functions in play.

    The unpenalised columns are projected out of everything.
    """

    @property
    @abstractmethod
    def target(self) -> Array:
        """Root-weighted targets in coordinates."""

    @abstractmethod
    def columns(self, features: Sequence[Unit], scale: Array) -> Array:
        """Coordinates of features, multiplied by ``scale``, (r, p)."""

    @abstractmethod
    def residual(self, coords: Array) -> Array:
        """Root-weighted residual of every sample, given its coordinates."""

    @abstractmethod
    def holding(self, features: Sequence[Unit], columns: Array) -> tuple["Rows", Array]:
        """Return rows that can hold these features as well, and columns held now in their coordinates."""

    @abstractmethod
    def empty(self) -> "Rows":
        """Return the rows to start with."""


@dataclass(frozen=True)
class DataRows(Rows):
    """Every sample is a coordinate."""

    design: Design
    samples: Samples

    @cached_property
    def _target(self) -> Array:
        return self.samples.outside(self.samples.root * self.samples.target)

    @property
    def target(self) -> Array:
        """Root-weighted targets."""
        return self._target

    def columns(self, features: Sequence[Unit], scale: Array) -> Array:
        """Evaluate the features at the knots of their columns."""
        rows = self.samples
        raw = np.empty((len(rows.root), len(features)))
        for i, feature in enumerate(features):
            values = scale[i] * feature(self.design.columns[feature.column].knots)
            raw[:, i] = rows.root * values[rows.positions[feature.column]]
        return rows.outside(raw)

    def residual(self, coords: Array) -> Array:
        """Return the coordinates; the unpenalised part is projected out once more."""
        return self.samples.outside(coords)

    def holding(self, features: Sequence[Unit], columns: Array) -> tuple["DataRows", Array]:
        """Return everything as it is."""
        return self, columns

    def empty(self) -> "DataRows":
        """Return itself."""
        return self


@dataclass(frozen=True)
class SegmentRows(Rows):
    """Two coordinates for every stretch of one column where all features in play are linear."""

    samples: Samples
    segments: Segments

    @cached_property
    def _free(self) -> Array:
        columns = [self.segments.compress(c) for c in self.samples.basis.T]
        return np.array(columns).reshape(len(columns), 2 * len(self.segments.starts)).T

    @cached_property
    def _split_target(self) -> tuple[Array, Array]:
        """Targets in coordinates, and what no function that is linear on the stretches can fit."""
        whole = self.samples.outside(self.samples.root * self.samples.target)
        coords = self.segments.compress(whole)
        rest = whole - self.segments.spread(coords)
        again = self.segments.compress(rest)  # the rounding of the first
        return coords + again, rest - self.segments.spread(again)

    @property
    def target(self) -> Array:
        """Root-weighted targets in coordinates."""
        return self._split_target[0]

    def columns(self, features: Sequence[Unit], scale: Array) -> Array:
        """Evaluate the features at both ends of every stretch."""
        return outside(self._free, self.segments.columns(features, scale))

    def residual(self, coords: Array) -> Array:
        """Add what the stretches cannot see."""
        return self.samples.outside(self._split_target[1] + self.segments.spread(coords))

    def holding(self, features: Sequence[Unit], columns: Array) -> tuple["SegmentRows", Array]:
        """Split the stretches at the kinks of the features."""
        finer = self.segments.split(features)
        return replace(self, segments=finer), finer.carried(self.segments, columns)

    def empty(self) -> "SegmentRows":
        """Return a single stretch."""
        s = self.segments
        return replace(self, segments=one_segment(s.knots, s.t, s.root))


def rows_of(design: Design, samples: Samples) -> Rows:
    """Stretches for one column of many inputs, else the data (few inputs gain nothing by compression)."""
    plain = len(design.columns) == 1 and not design.exog.shape[1]
    return segment_rows(design, samples) if plain and len(samples.root) > FEW else DataRows(design, samples)


def segment_rows(design: Design, samples: Samples) -> SegmentRows:
    """Return the rows of one column, a single stretch to begin with."""
    (column,) = design.columns
    return SegmentRows(samples, one_segment(column.knots, column.t, samples.root))
