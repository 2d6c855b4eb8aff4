r"""The dictionary of deep narrow leaky ReLU networks with a slope :math:`0 < \kappa < 1`.

Such units are strictly monotone, and each layer multiplies the slope by :math:`\kappa` on one side
of one data point. A unit of depth L is therefore, up to sign and constant, given by L - 1 *tokens*:
a left token at p slows the unit left of p, a right token at q right of q, and the slope is
:math:`\kappa` to the number of tokens in force. The order of the layers does not matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.activations import Homogeneous
from cvxar.architectures.base import Dictionary, Feature, Match
from cvxar.architectures.hinges import hinge_sums, run_peaks


class Token(NamedTuple):
    """Side on which the unit is slowed (-1 left, 1 right) and index of the knot."""

    side: int
    knot: int


class State(NamedTuple):
    """Left tokens still ahead and right tokens already passed, sweeping from the left."""

    ahead: int
    passed: int


@dataclass(frozen=True)
class TokenDictionary(Dictionary):
    """All choices of ``depth - 1`` tokens among 2 m."""

    knots: Array
    sigma: Homogeneous
    depth: int

    def feature(self, tokens: tuple[Token, ...]) -> Feature:
        """Return the chain of the tokens, one layer each."""
        signs: list[int] = []
        centers: list[float] = []
        rising = 1
        for side, knot in tokens:
            value = float(self.knots[knot])
            for sign, center in zip(signs, centers, strict=True):
                value = float(self.sigma(np.array(sign * (value - center))))
            signs.append(-side * rising)
            centers.append(value)
            rising = -side
        return Feature(self.sigma, tuple(signs), tuple(centers))

    def spanning(self) -> tuple[Feature, ...]:
        """Return the units with all tokens left of one knot."""
        return tuple(self.feature((Token(-1, i),) * (self.depth - 1)) for i in range(len(self.knots)))

    def enumerate(self) -> tuple[Feature, ...]:
        """List all units."""
        tokens = [Token(side, i) for side in (-1, 1) for i in range(len(self.knots))]
        return tuple(self.feature(c) for c in combinations_with_replacement(tokens, self.depth - 1))

    def match(self, dual: Array, limit: float) -> Match:
        """Search in O(m depth^3) by dynamic programming, for a dual vector whose sum is 0.

        Besides the best unit for every number of left tokens, the best of every run among the
        units with all tokens at one knot are returned.
        """
        sums = hinge_sums(self.knots, dual)
        chosen = [*self._best(sums), *self._single(sums, limit)]
        features = list(dict.fromkeys(self.feature(tokens) for tokens in chosen))
        values = np.array([feature(self.knots) @ dual for feature in features])
        keep = np.flatnonzero(np.abs(values) > limit)
        bound = float(np.max(np.abs(values), initial=0.0))
        return Match([features[i] for i in keep], values[keep], bound)

    def _best(self, sums: Array) -> Iterator[tuple[Token, ...]]:
        gained, kappa = sums[0] - sums, self.sigma.negative_slope
        for left in range(self.depth):
            for side in (1.0, -1.0):
                yield best_tokens(side * gained, kappa, left, self.depth - 1 - left)

    def _single(self, sums: Array, limit: float) -> Iterator[tuple[Token, ...]]:
        slow = self.sigma.negative_slope ** (self.depth - 1)
        left = slow * sums[0] + (1 - slow) * sums
        right = sums[0] - (1 - slow) * sums
        for side, values in ((-1, left), (1, right)):
            for i in run_peaks(values, limit):
                yield (Token(side, int(i)),) * (self.depth - 1)


def best_tokens(gained: Array, kappa: float, left: int, right: int) -> tuple[Token, ...]:
    """Place left and right tokens so that the slope-weighted sum of steps of ``gained`` is largest.

    Dynamic programme over states; ``reached[state][k]`` is the best sum up to knot k. Every state
    costs one running maximum. O(len(gained) left right).
    """
    reached: dict[State, Array] = {State(left, 0): kappa**left * gained}
    entries: dict[State, tuple[Array, list[State]]] = {}
    for state in (State(a, b) for a in range(left, -1, -1) for b in range(right + 1)):
        before = [s for s in (State(state[0] + 1, state[1]), State(state[0], state[1] - 1)) if s in reached]
        if before:
            own = kappa ** (state.ahead + state.passed) * gained
            entry = np.max([reached[s] - own for s in before], axis=0)
            reached[state] = own + np.maximum.accumulate(entry)
            entries[state] = entry, before
    return _traced(reached, entries, len(gained), State(0, right))


def _traced(
    reached: dict[State, Array],
    entries: dict[State, tuple[Array, list[State]]],
    stop: int,
    state: State,
) -> tuple[Token, ...]:
    """Follow the dynamic programme back; the order of the tokens is that of the sweep."""
    tokens = []
    while state in entries:
        entry, before = entries[state]
        knot = int(np.argmax(entry[:stop]))
        previous = max(before, key=lambda s: reached[s][knot])
        tokens.append(Token(-1 if previous.ahead > state.ahead else 1, knot))
        state, stop = previous, knot + 1
    return tuple(reversed(tokens))
