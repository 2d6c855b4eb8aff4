"""Networks of sign or threshold units whose parallel parts are wide: fully joined, or trees."""

from abc import abstractmethod
from dataclasses import dataclass
from math import comb

import numpy as np

from cvxar._typing import Array
from cvxar.activations import SIGN, THRESHOLD, Step
from cvxar.architectures.base import Architecture
from cvxar.architectures.step import StepDictionary
from cvxar.architectures.step_unit import StepUnit
from cvxar.errors import InputError, InputTypeError, unknown_name

STEPS = {"sign": SIGN, "threshold": THRESHOLD}


class Wide(Architecture):
    """What parallel and tree networks share: activation, depth and widths."""

    activation: str
    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", checked(self, self.widths))

    @property
    def depth(self) -> int:
        """Two more than there are widths."""
        return len(self.widths) + 2

    @property
    def sigma(self) -> Step:
        """The activation as a function."""
        return STEPS[self.activation]

    @property
    def needs_constant(self) -> bool:
        """Always True."""
        return True

    @property
    @abstractmethod
    def switches(self) -> int:
        """Most switches of a unit."""

    def size(self, inputs: int) -> int:
        """Sum of ``C(n - 1, k)`` for k from 1 to ``switches``."""
        return sum(comb(inputs - 1, k) for k in range(1, min(self.switches, inputs - 1) + 1))


@dataclass(frozen=True)
class Parallel(Wide):
    r"""Parallel sign or threshold networks of ``len(widths) + 2`` layers.

    Each parallel unit has ``widths[0]``, ``widths[1]``, ... hidden units, fully joined, then one of
    amplitude s, then the outer weight; penalty :math:`\frac{\beta}{2} \sum_i (\alpha_i^2 + s_i^2)`.
    Its patterns switch at most ``widths[0]`` times, however wide the later layers are.

    Parameters
    ----------
    activation : {"sign", "threshold"}
        Name of the activation.
    widths : tuple of int, default (4,)
        Hidden widths but the last, each at least 1.

    Raises
    ------
    InputError
        For an unknown activation, no widths or a width below 1.
    InputTypeError
        For widths that are not integers.

    Examples
    --------
    >>> Parallel("sign", (3, 2)).depth, Parallel("sign", (3, 2)).switches
    (4, 3)
    """

    activation: str = "sign"
    widths: tuple[int, ...] = (4,)

    @property
    def switches(self) -> int:
        """Most switches of a unit: the first width."""
        return self.widths[0]

    def dictionary(self, knots: Array) -> StepDictionary:
        """Return the dictionary on sorted distinct inputs; cost O(1)."""
        return StepDictionary(knots, StepUnit(self.sigma, self.widths), self.switches)


@dataclass(frozen=True)
class Tree(Wide):
    r"""Parallel trees of sign or threshold units, of ``len(widths) + 2`` layers.

    Each parallel unit is a tree: ``widths[-1]`` units feed the last hidden unit, ``widths[-2]`` each
    of those, down to the leaves, which read the input. Penalty
    :math:`\frac{\beta}{2} \sum_i (\alpha_i^2 + s_i^2)` on outer weight and amplitude. Patterns switch
    at most as often as there are leaves, the product of the widths.

    Parameters
    ----------
    activation : {"sign", "threshold"}
        Name of the activation.
    widths : tuple of int, default (3, 2)
        Children of each unit, from the second layer to the last hidden one, each at least 1.

    Raises
    ------
    InputError
        For an unknown activation, no widths or a width below 1.
    InputTypeError
        For widths that are not integers.

    Examples
    --------
    >>> Tree("sign", (3, 2)).depth, Tree("sign", (3, 2)).switches
    (4, 6)
    """

    activation: str = "sign"
    widths: tuple[int, ...] = (3, 2)

    @property
    def switches(self) -> int:
        """Most switches of a unit: the number of leaves."""
        return int(np.prod(self.widths, dtype=int))

    def dictionary(self, knots: Array) -> StepDictionary:
        """Return the dictionary on sorted distinct inputs; cost O(1)."""
        return StepDictionary(knots, StepUnit(self.sigma, self.widths, tree=True), self.switches)


def checked(architecture: Wide, widths: object) -> tuple[int, ...]:
    """Return the widths as a tuple of integers, or raise; check the activation too."""
    name = type(architecture).__name__
    if architecture.activation not in STEPS:
        raise unknown_name(f"activation of {name}", architecture.activation, STEPS)
    sizes = tuple(widths) if isinstance(widths, list | tuple) else (widths,)
    if any(isinstance(w, bool) or not isinstance(w, int | np.integer) for w in sizes):
        raise InputTypeError(f"widths of {name} must be integers, got {widths!r}")
    if not sizes or any(w < 1 for w in sizes):
        raise InputError(f"widths of {name} must be at least 1, one or more of them, got {widths!r}")
    return tuple(int(w) for w in sizes)
