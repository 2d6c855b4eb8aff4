"""Units read back from plain numbers."""

from collections.abc import Mapping
from typing import Any

from cvxar.activations import Activation, Step
from cvxar.architectures.base import Feature, Unit
from cvxar.architectures.step_unit import StepUnit


def read_unit(data: Mapping[str, Any], sigma: Activation) -> Unit:
    """Rebuild a unit from ``Unit.to_dict``; KeyError, TypeError or ValueError when it is damaged."""
    column = int(data["column"])
    points = _floats(data["points"])
    if isinstance(sigma, Step):
        widths, breaks = tuple(int(w) for w in data["widths"]), _floats(data["breaks"])
        return StepUnit(sigma, widths, bool(data["tree"]), breaks, column, points)
    signs = tuple(int(s) for s in data["signs"])
    return Feature(sigma, signs, _floats(data["centers"]), column, points)


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
