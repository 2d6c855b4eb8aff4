"""One unit of a sign or threshold network, and all weights inside it."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from cvxar._typing import Array
from cvxar.activations import Step
from cvxar.architectures.base import Layers, Unit
from cvxar.architectures.kinks import Kinks


@dataclass(frozen=True)
class StepUnit(Unit):
    """Low left of the first break, then alternately high and low; continuous from the right.

    Parameters
    ----------
    sigma : Step
        Sign or threshold.
    widths : tuple of int
        Units of each hidden layer but the last, which has one; in a tree, the number of
        children of each unit of the next layer.
    tree : bool
        Whether layers are joined as a tree (else fully).
    breaks : tuple of float
        Where the unit switches, increasing.
    column : int
        Which input column the unit reads.
    points : tuple of float
        The data points around the breaks, for explanations.

    Examples
    --------
    >>> import numpy as np
    >>> from cvxar.activations import SIGN
    >>> StepUnit(SIGN, (2,), False, (0.0, 1.0))(np.array([-1.0, 0.5, 2.0]))
    array([-1.,  1., -1.])
    """

    sigma: Step
    widths: tuple[int, ...] = ()
    tree: bool = False
    breaks: tuple[float, ...] = ()
    column: int = 0
    points: tuple[float, ...] = field(default=(), compare=False)

    def __call__(self, x: Array) -> Array:
        """Evaluate the unit at inputs of its own column."""
        passed = np.searchsorted(np.array(self.breaks), x, side="right")
        return np.where(passed % 2 == 1, 1.0, self.sigma.low)

    def on_column(self, column: int) -> "StepUnit":
        """Return the same unit reading another column."""
        return replace(self, column=column)

    def with_breaks(self, breaks: tuple[float, ...], points: tuple[float, ...]) -> "StepUnit":
        """Return a unit of the same shape that switches elsewhere."""
        return replace(self, breaks=breaks, points=points)

    def kinks(self) -> Kinks:
        """Return the breaks, with jumps of alternating sign."""
        none, up = np.zeros(len(self.breaks)), 1.0 - self.sigma.low
        jumps = np.where(np.arange(len(self.breaks)) % 2 == 0, up, -up)
        return Kinks(np.array(self.breaks), none, jumps, np.zeros(()))

    def layers(self) -> Layers:
        """Return weights and biases that make the pattern, of sizes 0 and 1."""
        return (tree_layers if self.tree else parallel_layers)(self.sigma, self.widths, self.breaks)

    def to_dict(self) -> dict[str, Any]:
        """Return column, shape, breaks and points."""
        return {
            "column": self.column,
            "widths": list(self.widths),
            "tree": self.tree,
            "breaks": list(self.breaks),
            "points": list(self.points),
        }


def _first(breaks: Array, width: int) -> tuple[Array, Array]:
    """Return a first layer, one unit a break; units without a break are constant."""
    spare = np.zeros(width - len(breaks))
    weights = np.concatenate([np.ones(len(breaks)), spare])
    return weights[:, None], np.concatenate([-breaks, spare])


def _join(sigma: Step, odd: list[bool]) -> tuple[Array, float]:
    """Weights and bias of a unit that switches whenever one of its inputs does.

    The inputs switch one after the other; ``odd`` says which of them end up high. Every switch
    must cross zero from the side the unit is on.
    """
    weights, state = np.zeros(len(odd)), -1.0
    for i, flips in enumerate(odd):
        weights[i] = -state
        state = -state if flips else state
    return weights, float(np.sum(weights)) - 1.0 if sigma.low < 0 else -0.5


def parallel_layers(sigma: Step, widths: tuple[int, ...], breaks: tuple[float, ...]) -> Layers:
    """Layers of a fully joined unit: all breaks in the first, the pattern in the second, then carried on.

    Examples
    --------
    >>> from cvxar.activations import SIGN
    >>> [w.shape for w, _ in parallel_layers(SIGN, (3, 2), (0.0, 1.0))]
    [(3, 1), (2, 3), (1, 2)]
    """
    sizes = (*widths, 1)
    layers = [_first(np.array(breaks), sizes[0])]
    for depth, (before, size) in enumerate(pairwise(sizes)):
        weight, bias = np.zeros((size, before)), np.zeros(size)
        inputs = [True] * (len(breaks) if depth == 0 else 1)
        weight[0, : len(inputs)], bias[0] = _join(sigma, inputs)
        layers.append((weight, bias))
    return tuple(layers)


def tree_layers(sigma: Step, widths: tuple[int, ...], breaks: tuple[float, ...]) -> Layers:
    """Layers of a tree: one leaf a break, filled from the left; units with no break below are constant.

    Examples
    --------
    >>> from cvxar.activations import SIGN
    >>> [w.shape for w, _ in tree_layers(SIGN, (3, 2), (0.0, 1.0, 2.0, 4.0))]
    [(6, 1), (2, 6), (1, 2)]
    """
    size = int(np.prod(widths, dtype=int))
    layers = [_first(np.array(breaks), size)]
    below = np.array([1] * len(breaks) + [0] * (size - len(breaks)))  # breaks under each unit
    for children in widths:
        groups = below.reshape(-1, children)
        weight, bias = np.zeros((len(groups), len(below))), np.zeros(len(groups))
        for i, group in enumerate(groups):
            used = int(np.count_nonzero(group))
            own = i * children + np.arange(used)
            weight[i, own], bias[i] = _join(sigma, [bool(g % 2) for g in group[:used]])
        layers.append((weight, bias))
        below = groups.sum(axis=1)
    return tuple(layers)
