"""Network architectures; one file each, all in ``BY_NAME``."""

from cvxar.architectures.base import Architecture, Dictionary, Feature, Match, enumerate_match
from cvxar.architectures.deep_narrow import DeepNarrow
from cvxar.architectures.two_layer import TwoLayer
from cvxar.errors import InputTypeError, unknown_name

BY_NAME: dict[str, Architecture] = {
    "relu": TwoLayer("relu"),
    "leaky_relu": TwoLayer("leaky_relu"),
    "abs": TwoLayer("abs"),
    "deep_relu": DeepNarrow("relu"),
}

__all__ = [
    "BY_NAME",
    "Architecture",
    "DeepNarrow",
    "Dictionary",
    "Feature",
    "Match",
    "TwoLayer",
    "enumerate_match",
    "get",
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
