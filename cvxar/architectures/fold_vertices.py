"""Vertices of absolute-value chains: promising ones found cheaply, and all of them."""

from itertools import chain, combinations

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures.fold_search import FoldSearch, Shape, Vertices, joined

TURNS = 128  # stretches of knots whose highest and lowest F are tried as feet and middles
CHUNK = 200_000


def turning_pairs(search: FoldSearch, shape: Shape) -> Vertices:
    """Local maxima among pairs of feet at knots, and among feet with the middle at a knot; both signs.

    F is sampled at its best knot in every one of 128 stretches of knots; the maxima on that grid
    climb to the best knots near them.
    """
    values = search.values
    seeds = [
        seed
        for side in (1.0, -1.0)
        for seed in _pairs(search, shape, side, tops(side * values), tops(-side * values))
    ]
    stride = max(len(values) // TURNS // 2, 1)
    return joined([search.climbed(shape, kinks, knots, stride) for kinks, knots in seeds])


def tops(values: Array) -> IntArray:
    """Index of the largest value in every stretch."""
    edges = np.unique(np.linspace(0, len(values), TURNS + 1).astype(int))
    starts = edges[:-1]
    largest = np.repeat(np.maximum.reduceat(values, starts), np.diff(edges))
    hits = np.flatnonzero(values == largest)
    return hits[np.unique(np.searchsorted(edges, hits, side="right"), return_index=True)[1]]


def _pairs(
    search: FoldSearch, shape: Shape, side: float, tops: IntArray, bottoms: IntArray
) -> list[tuple[tuple[int, int], IntArray]]:
    """Local maxima on the grid: which kinks of ``PAIR`` meet which knots."""
    t, found = search.t, []
    for kinks, others in (((0, 2), bottoms), ((0, 1), tops)):
        first, second = np.meshgrid(tops, others, indexing="ij")
        left, other = t[first], t[second]
        right = other if kinks == (0, 1) else 2 * other - left
        value = search.sums(shape, np.stack([left, right], axis=2).reshape(-1, 2)).reshape(first.shape)
        keep = _peaks(side * value) & (right >= left)
        found.append((kinks, np.column_stack([first[keep], second[keep]])))
    return found


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
