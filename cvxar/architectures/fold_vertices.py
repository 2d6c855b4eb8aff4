"""Vertices of absolute-value chains: promising ones found cheaply, and all of them."""

from itertools import chain, combinations

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.fold_search import FoldSearch, Vertices, joined

TURNS = 64  # stretches of knots whose highest and lowest F are tried as feet and middles
CHUNK = 200_000


def turning_pairs(search: FoldSearch) -> Vertices:
    """Pairs of feet where F is high, or one there and the middle where F is low; both signs.

    F is sampled at its best knot in every one of 64 stretches of knots, so that the pairs, local
    maxima on that grid, lie apart: features for the next rounds, not only the best one.
    """
    values = search.ranges.values
    return joined([_pairs(search, side, _tops(side * values), _tops(-side * values)) for side in (1.0, -1.0)])


def _tops(values: Array) -> IntArray:
    """Index of the largest value in every stretch."""
    edges = np.unique(np.linspace(0, len(values), TURNS + 1).astype(int))
    starts = edges[:-1]
    largest = np.repeat(np.maximum.reduceat(values, starts), np.diff(edges))
    hits = np.flatnonzero(values == largest)
    return hits[np.unique(np.searchsorted(edges, hits, side="right"), return_index=True)[1]]


def _pairs(search: FoldSearch, side: float, tops: IntArray, bottoms: IntArray) -> Vertices:
    t = search.ranges.knots
    feet, middles = np.meshgrid(tops, bottoms, indexing="ij")
    left, right = np.meshgrid(tops, tops, indexing="ij")
    mirrored = np.stack([t[feet], 2 * t[middles] - t[feet]], axis=2)
    grids = ((mirrored, feet, middles), (np.stack([t[left], t[right]], axis=2), left, right))
    found = []
    for at, first, second in grids:
        value = search.values(at.reshape(-1, 2)).reshape(first.shape)
        rows, columns = np.nonzero(_peaks(side * value))
        knots = np.column_stack([first[rows, columns], second[rows, columns]])
        found.append(Vertices(at[rows, columns], knots, value[rows, columns]))
    return joined(found)


def _peaks(grid: Array) -> BoolArray:
    """Entries not below any of their (up to 8) neighbours."""
    padded = np.pad(grid, 1, constant_values=-np.inf)
    rows, columns = grid.shape
    around = [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    peaks: BoolArray = grid >= np.max(around, axis=0)
    return peaks


def all_vertices(t: Array, hidden: int) -> tuple[Array, IntArray]:
    """Return the biases (v, hidden) of all vertices and the knots (v, hidden) that fix them.

    Every choice of ``hidden`` equations among ``X_l(u) = b_l`` (linear for given signs of the layers
    before) and ``b_l = 0`` is solved; those whose solution meets them are kept. The number of
    choices grows like the number of knots to the power ``hidden``.
    """
    rows, rhs, layer, knot = _planes(t, hidden)
    kept, span = [], float(t[-1] - t[0]) or 1.0
    flat = chain.from_iterable(combinations(range(len(rows)), hidden))
    chosen = np.fromiter(flat, dtype=np.intp).reshape(-1, hidden)
    for start in range(0, len(chosen), CHUNK):
        pick = chosen[start : start + CHUNK]
        pick = pick[np.abs(np.linalg.det(rows[pick])) > 1e-9]
        biases = np.linalg.solve(rows[pick], rhs[pick][:, :, None])[:, :, 0]
        keep = np.all(biases[:, 1:] >= -1e-12 * span, axis=1)
        biases[:, 1:] = np.abs(biases[:, 1:])
        met = [_distance(t, biases, layer[column], knot[column]) for column in pick.T]
        keep &= np.max(met, axis=0) <= 1e-9 * span
        kept.append((biases[keep], knot[pick[keep]]))
    biases, knots = (np.concatenate(part) for part in zip(*kept, strict=True))
    _, first = np.unique(np.round(biases / span, 11), axis=0, return_index=True)
    return biases[first], knots[first]


def _planes(t: Array, hidden: int) -> tuple[Array, Array, IntArray, IntArray]:
    """Equations ``row @ b = rhs`` with their layer (-1: a bias is 0) and knot."""
    rows: list[Array] = []
    rhs: list[float] = []
    layers: list[int] = []
    knots: list[int] = []
    for layer in range(hidden):
        for signs in np.ndindex(*(2,) * layer):
            row, scale = np.zeros(hidden), 1.0
            for before, sign in enumerate(signs):
                flip = 1.0 - 2.0 * sign
                row, scale = flip * row, flip * scale
                row[before] -= flip
            row[layer] -= 1.0
            rows += [row] * len(t)
            rhs += [-scale * u for u in t]
            layers += [layer] * len(t)
            knots += range(len(t))
    for layer in range(1, hidden):
        rows.append(np.eye(hidden)[layer])
        rhs.append(0.0)
        layers.append(-1)
        knots.append(0)
    return np.array(rows), np.array(rhs), np.array(layers), np.array(knots)


def _distance(t: Array, biases: Array, layer: IntArray, knot: IntArray) -> Array:
    """How far every solution is from the equation it should meet."""
    value, miss = t[knot], np.zeros(len(biases))
    for depth in range(biases.shape[1]):
        miss = np.where(layer == depth, np.abs(value - biases[:, depth]), miss)
        value = np.abs(value - biases[:, depth])
    return miss
