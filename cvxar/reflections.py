"""Why a kink is where it is: data points, their reflections and midpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from cvxar.architectures import Unit


def reflect(a: float, b: float) -> float:
    """Mirror image of a in b, ``2 b - a``.

    Examples
    --------
    >>> reflect(1.0, 4.0)
    7.0
    """
    return 2 * b - a


@dataclass(frozen=True)
class Origin:
    """How a kink follows from data points.

    Parameters
    ----------
    label : str
        ``"data point"``, ``"reflection"``, ``"midpoint"``, ``"generalised reflection"`` or ``"other"``.
    formula : str
        ``R(a, b) = 2 b - a``, ``M(a, b) = (a + b) / 2``, ``G(a, b, c) = b + c - a`` of data points,
        nested for deeper networks.
    points : tuple of float
        The data points in the formula.
    """

    label: str
    formula: str
    points: tuple[float, ...]


SIMPLEST = ("data point", "reflection", "midpoint", "generalised reflection", "other")


def data_point(location: float) -> Origin:
    """Return the origin of a kink at a data point."""
    return Origin("data point", f"{location:.12g}", (location,))


def origins(unit: Unit) -> dict[float, Origin]:
    """Explain every kink of a unit from the data points that determine it.

    Step by step: what follows from data points alone first, then what follows from that.

    Examples
    --------
    >>> from cvxar.activations import ABS
    >>> from cvxar.architectures import Feature
    >>> fold = Feature(ABS, (1, 1), (4.0, 3.0), points=(1.0, 4.0))
    >>> [origin.formula for origin in origins(fold).values()]
    ['1', '4', 'R(1, 4)']
    """
    kinks = [float(p) for p in unit.kinks().points]
    if not unit.points:
        return {p: data_point(p) for p in kinks}
    known = {p: data_point(p) for p in unit.points}
    every = np.array([*kinks, *unit.points])
    noise = float(1e-8 * np.ptp(every) + 32 * np.finfo(float).eps * np.max(np.abs(every)))
    pending = [p for p in kinks if p not in known]
    while pending:
        found = {p: origin for p in pending if (origin := _derived(p, known, noise)) is not None}
        if not found:
            found = {p: Origin("other", f"{p:.12g}", ()) for p in pending}
        known |= found
        pending = [p for p in pending if p not in found]
    return {p: known[p] for p in kinks}


def _derived(location: float, known: Mapping[float, Origin], noise: float) -> Origin | None:
    """Return the first rule, the simplest first, that gives the location."""
    return next((o for value, o in _consequences(known) if abs(value - location) <= noise), None)


def _consequences(known: Mapping[float, Origin]) -> Iterator[tuple[float, Origin]]:
    for a, b in permutations(known, 2):
        yield reflect(a, b), _origin("reflection", "R", (known[a], known[b]))
    for a, b in permutations(known, 2):
        yield (a + b) / 2, _origin("midpoint", "M", (known[a], known[b]))
    for a, b, c in permutations(known, 3):
        yield b + c - a, _origin("generalised reflection", "G", (known[a], known[b], known[c]))


def _origin(label: str, rule: str, of: tuple[Origin, ...]) -> Origin:
    points = tuple(dict.fromkeys(p for origin in of for p in origin.points))
    return Origin(label, f"{rule}({', '.join(origin.formula for origin in of)})", points)


def simplest(one: Origin, other: Origin) -> Origin:
    """Of two explanations of one place, return the simpler."""
    return min(one, other, key=lambda o: (SIMPLEST.index(o.label), len(o.formula)))
