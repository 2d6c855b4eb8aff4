"""Units read back from plain numbers."""

from collections.abc import Mapping
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
        return StepUnit(sigma, widths, bool(data["tree"]), breaks, column, points)
    if "outer_signs" in data:
        return _read_mirror(data, column, points)
    signs = tuple(int(s) for s in data["signs"])
    return Feature(sigma, signs, _floats(data["centers"]), column, points)


def _read_mirror(data: Mapping[str, Any], column: int, points: tuple[float, ...]) -> MirrorUnit:
    (s1, s2), (b1, b2), (t1, t2) = data["signs"], data["centers"], data["outer_signs"]
    centers, offset = (float(b1), float(b2)), float(data["offset"])
    return MirrorUnit((int(s1), int(s2)), centers, (int(t1), int(t2)), offset, column, points)


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
