"""Units read back from plain numbers."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from cvxar.activations import Activation, Step
from cvxar.architectures.base import Feature, Unit
from cvxar.architectures.step_unit import StepUnit
from cvxar.architectures.symmetrized import MirrorUnit


def read_unit(data: Mapping[str, Any], sigma: Activation) -> Unit:
    """Rebuild a unit from ``Unit.to_dict``; KeyError, TypeError or ValueError when it is damaged."""
    column = int(data["column"])
    points = _floats(data["points"])
    if isinstance(sigma, Step):
        widths, breaks = tuple(int(w) for w in data["widths"]), _floats(data["breaks"])
        if any(a >= b for a, b in pairwise(breaks)):
            raise ValueError("the breaks of a unit are not increasing")
        return StepUnit(sigma, widths, bool(data["tree"]), breaks, column, points)
    if "outer_signs" in data:
        return _read_mirror(data, column, points)
    return Feature(sigma, _signs(data["signs"]), _floats(data["centers"]), column, points)


def _read_mirror(data: Mapping[str, Any], column: int, points: tuple[float, ...]) -> MirrorUnit:
    (s1, s2), (t1, t2) = _signs(data["signs"]), _signs(data["outer_signs"])
    b1, b2 = _floats(data["centers"])
    return MirrorUnit((s1, s2), (b1, b2), (t1, t2), float(data["offset"]), column, points)


def _signs(values: Any) -> tuple[int, ...]:
    if any(value not in (-1, 1) for value in values):
        raise ValueError(f"signs are 1 or -1, got {values!r}")
    return tuple(int(value) for value in values)


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
