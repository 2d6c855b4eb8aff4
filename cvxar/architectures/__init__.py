"""Network architectures; one file each, all in ``BY_NAME``."""

from cvxar.architectures.base import (
    Architecture,
    Dictionary,
    Feature,
    Match,
    RampForm,
    Unit,
    enumerate_match,
)
from cvxar.architectures.deep_narrow import DeepNarrow
from cvxar.architectures.reading import read_unit
from cvxar.architectures.symmetrized import Symmetrized
from cvxar.architectures.two_layer import TwoLayer
from cvxar.architectures.wide import Parallel, Tree
from cvxar.errors import InputTypeError, unknown_name

BY_NAME: dict[str, Architecture] = {
    "relu": TwoLayer("relu"),
    "leaky_relu": TwoLayer("leaky_relu"),
    "abs": TwoLayer("abs"),
    "sign": TwoLayer("sign"),
    "threshold": TwoLayer("threshold"),
    "deep_relu": DeepNarrow("relu"),
    "deep_abs": DeepNarrow("abs"),
    "deep_leaky_relu": DeepNarrow("leaky_relu"),
    "symmetrized_relu": Symmetrized(),
    "parallel_sign": Parallel("sign"),
    "parallel_threshold": Parallel("threshold"),
    "tree_sign": Tree("sign"),
    "tree_threshold": Tree("threshold"),
}

__all__ = [
    "BY_NAME",
    "Architecture",
    "DeepNarrow",
    "Dictionary",
    "Feature",
    "Match",
    "Parallel",
    "RampForm",
    "Symmetrized",
    "Tree",
    "TwoLayer",
    "Unit",
    "enumerate_match",
    "get",
    "read_unit",
]


def get(architecture: str | Architecture) -> Architecture:
    """Return an architecture given its name or itself.

    Raises
    ------
    InputError
        For an unknown name (the message lists the known ones).
    InputTypeError
        For anything that is neither a name nor an :class:`Architecture`.

    Examples
    --------
    >>> get("relu").depth
    2
    """
    if isinstance(architecture, Architecture):
        return architecture
    if not isinstance(architecture, str):
        kind = type(architecture).__name__
        raise InputTypeError(f"architecture must be a name or a cvxar.architectures.Architecture, got {kind}")
    if architecture not in BY_NAME:
        raise unknown_name("architecture", architecture, BY_NAME)
    return BY_NAME[architecture]
