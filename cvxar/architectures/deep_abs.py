r"""The dictionary of deep narrow absolute-value networks: reflections and midpoints.

A unit of depth 3, :math:`||x - b_1| - b_2|`, is the distance to the nearer of two feet l and r.
With :math:`F(a) = \sum_k \lambda_k (u_k - a)_+` its correlation is
:math:`2 F(l) + 2 F(r) - 2 F(\frac{l + r}{2}) - F(u_1)`. The features have two of the three kinks at
data points: the third is a reflection :math:`R(a, b) = 2 b - a` or a midpoint. Deeper units have
further parameters and kinks, and features where as many kinks as parameters are at data points.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import comb

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.activations import ABS
from cvxar.architectures.base import Dictionary, Feature, Match
from cvxar.architectures.fold_search import FoldSearch, Peak, Shape, Vertices, joined
from cvxar.architectures.fold_vertices import all_vertices, turning_pairs
from cvxar.architectures.hinges import hinge_sums, run_peaks
from cvxar.errors import InputError

LARGEST = 1_500_000  # systems of equations tried when all vertices are enumerated
PAIR = Shape(
    np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([2.0, 2.0, -2.0]), np.array([[-1.0, 1.0]])
)
DEEPER = (
    Shape(  # half distance of the feet at least d
        np.array([[1, 0, -1], [1, 0, 1], [0, 1, -1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]]),
        np.array([2.0, 2.0, 2.0, 2.0, -2.0, -2.0, -2.0]),
        np.array([[-1.0, 1.0, -2.0], [0.0, 0.0, 1.0]]),
    ),
    Shape(  # at most d
        np.array([[1, 0, -1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]]),
        np.array([2.0, 2.0, -2.0, -2.0, 2.0]),
        np.array([[1.0, -1.0, 2.0], [-1.0, 1.0, 0.0]]),
    ),
)
MOST = 250  # features returned by one search
CELLS = 1024  # and at most one of them in a cell of this fraction of the range


@dataclass(frozen=True)
class FoldDictionary(Dictionary):
    """Chains of ``depth - 1`` absolute values whose kinks meet data points."""

    knots: Array
    depth: int

    def __post_init__(self) -> None:
        if self.depth > 4 and choices(len(self.knots), self.depth) > LARGEST:
            most = max((n for n in range(20) if choices(n, self.depth) <= LARGEST), default=0)
            raise InputError(
                f"a depth of {self.depth} on {len(self.knots)} distinct inputs means enumerating "
                f"{format_count(choices(len(self.knots), self.depth))} systems of equations (at most "
                f"{LARGEST:,} are tried: {most} distinct inputs at this depth); "
                "depths 3 and 4 search any size"
            )

    @cached_property
    def _t(self) -> Array:
        """Knots less their median, so that sums of them keep their digits."""
        shifted: Array = self.knots - self.knots[len(self.knots) // 2]
        return shifted

    def feature(self, biases: Array, knots: IntArray) -> Feature:
        """Return the chain of given biases (the first relative to the median knot)."""
        center = float(self.knots[len(self.knots) // 2])
        points = tuple(sorted(set(self.knots[knots].tolist())))
        first = center + float(biases[0])
        near = min(points, key=lambda p: abs(p - first))
        # a first bias at a data point is that point, not the point plus the rounding of the shift
        first = near if abs(near - first) <= 1e-15 * (self.reach + abs(center)) else first
        centers = (first, *map(float, biases[1:]))
        return Feature(ABS, (1,) * (self.depth - 1), centers, points=points)

    def spanning(self) -> tuple[Feature, ...]:
        """Return the distances to single knots."""
        return tuple(self._distance(i) for i in range(len(self.knots)))

    def _distance(self, knot: int) -> Feature:
        biases = np.zeros(self.depth - 1)
        biases[0] = self._t[knot]
        return self.feature(biases, np.array([knot]))

    def enumerate(self) -> tuple[Feature, ...]:
        """List all vertices: biases at which ``depth - 1`` knots meet kinks, or later biases are 0."""
        return tuple(self.feature(b, k) for b, k in zip(*all_vertices(self._t, self.depth - 1), strict=True))

    @cached_property
    def _listed(self) -> tuple[tuple[Feature, ...], Array]:
        features = self.enumerate()
        matrix: Array = np.array([feature(self.knots) for feature in features])
        return features, matrix

    def match(self, dual: Array, limit: float) -> Match:
        """Search by branch and bound (depth 3 and 4) or in the list; the sum of ``dual`` is 0.

        The best features seen are returned, at most 250.
        """
        if len(self.knots) < 2:
            return Match([], np.empty(0), 0.0)
        if self.depth > 4:
            listed, matrix = self._listed
            return _best(list(listed), matrix @ dual, limit)
        sums = hinge_sums(self._t, dual)
        search = FoldSearch(self._t, sums, float(sums[0]))
        seen, bound, boxes = self._pairs(search, limit)
        if self.depth == 4:
            deeper, bound, more = self._deeper(search, bound, limit)
            seen, boxes = joined([extended(seen), deeper]), boxes + more
        order = np.argsort(-np.abs(seen.values), kind="stable")
        order = apart(seen.at[order[np.abs(seen.values[order]) > limit]], order, float(np.ptp(self._t)))
        features = list(dict.fromkeys(self.feature(seen.at[i], seen.knots[i]) for i in order))
        values = np.array([np.sum(f(self.knots) * dual) for f in features])
        return replace(_best(features, values, limit, bound), boxes=boxes)

    def _pairs(self, search: FoldSearch, limit: float) -> Peak:
        """Vertices of depth 3 as biases, and the bound of all of them."""
        tried = joined([_singles(search, limit), turning_pairs(search, PAIR)])
        low, high = self._t[0], self._t[-1]
        root = np.array([2 * low - high] * 2), np.array([2 * high - low] * 2)
        peak = search.run(PAIR, *root, float(np.max(np.abs(tried.values), initial=0.0)), limit, leaf=12)
        seen = joined([tried, peak.seen])
        left, right = seen.at[:, 0], seen.at[:, 1]
        biases = np.column_stack([(left + right) / 2, np.abs(right - left) / 2])
        return Peak(seen._replace(at=biases), peak.bound, peak.boxes)

    def _deeper(self, search: FoldSearch, reached: float, limit: float) -> Peak:
        """Vertices of depth 4 as biases, and the bound of all of them, depth 3 included."""
        low, high = self._t[0], self._t[-1]
        span = high - low
        root = np.array([low - span, low - span, 0.0]), np.array([high + span, high + span, span])
        seen, boxes = [], 0
        for shape in DEEPER:
            peak = search.run(shape, *root, reached, limit, leaf=10)
            seen.append(peak.seen)
            reached, boxes = max(reached, peak.bound), boxes + peak.boxes
        found = joined(seen)
        left, right, last = found.at.T
        biases = np.column_stack([(left + right) / 2, np.abs(right - left) / 2, np.abs(last)])
        return Peak(found._replace(at=biases), reached, boxes)


def choices(inputs: int, depth: int) -> int:
    """Count the systems of equations whose solutions are the vertices."""
    hidden = depth - 1
    return comb(inputs * (2**hidden - 1) + hidden - 1, hidden)


def format_count(count: int) -> str:
    """Write a count in full up to a billion, else as a power of ten."""
    return f"{count:,}" if count < 10**9 else f"about 1e{len(str(count)) - 1}"


def _singles(search: FoldSearch, limit: float) -> Vertices:
    """Distances to single knots: both feet there."""
    values = 2 * search.values - search.offset
    index = np.union1d(run_peaks(values, limit), [np.argmax(np.abs(values))])
    knots = np.column_stack([index, index])
    return Vertices(search.t[knots], knots, values[index])


def extended(seen: Vertices) -> Vertices:
    """The same units one layer deeper: a last bias of 0."""
    none = np.zeros((len(seen.at), 1))
    return Vertices(np.hstack([seen.at, none]), np.hstack([seen.knots, seen.knots[:, :1]]), seen.values)


def apart(biases: Array, order: IntArray, span: float) -> IntArray:
    """Thin out vertices, best first: one in every cell of biases, and few more than wanted."""
    cells = np.floor(biases / span * CELLS)
    _, first = np.unique(cells, axis=0, return_index=True)
    return order[np.sort(first)[:MOST]]


def _best(features: list[Feature], values: Array, limit: float, bound: float = 0.0) -> Match:
    order = np.argsort(-np.abs(values), kind="stable")
    keep = order[np.abs(values[order]) > limit][:MOST]
    bound = max(bound, float(np.max(np.abs(values), initial=0.0)))
    return Match([features[i] for i in keep], values[keep], bound)
