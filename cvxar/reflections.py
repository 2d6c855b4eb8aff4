"""Why a kink is where it is: data points, their reflections and midpoints."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, permutations
from typing import TypeAlias

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import Unit


def reflect(a: float, b: float) -> float:
    """Mirror image of a in b, ``2 b - a``.

    Examples
    --------
    >>> reflect(1.0, 4.0)
    7.0
    """
    return 2 * b - a


def midpoint(a: float, b: float) -> float:
    """Middle of a and b, ``(a + b) / 2``.

    Examples
    --------
    >>> midpoint(1.0, 4.0)
    2.5
    """
    return a + (b - a) / 2


def generalised(a: float, b: float, c: float) -> float:
    """Mirror image of a in the middle of b and c, ``b + c - a``.

    Examples
    --------
    >>> generalised(1.0, 4.0, 6.0)
    9.0
    """
    return b + c - a


RULES = {"R": "reflection", "M": "midpoint", "G": "generalised reflection"}
SIMPLEST = ("data point", *RULES.values(), "other")


@dataclass(frozen=True)
class Origin:
    """How a place follows from data points.

    Parameters
    ----------
    location : float
        The place, in the units of its input column.
    label : str
        ``"data point"``, ``"reflection"``, ``"midpoint"``, ``"generalised reflection"`` or ``"other"``.
    rule : str
        ``"R"``, ``"M"`` or ``"G"``; empty for data points and where no rule was found.
    parents : tuple of Origin
        What the rule was applied to, in order: ``R(a, b) = 2 b - a``, ``M(a, b) = (a + b) / 2``,
        ``G(a, b, c) = b + c - a``. Themselves reflections or midpoints in deeper networks.

    Examples
    --------
    >>> one, four = data_point(1.0), data_point(4.0)
    >>> seven = Origin(7.0, "reflection", "R", (one, four))
    >>> Origin(13.0, "reflection", "R", (one, seven)).formula
    'R(1, R(1, 4))'
    """

    location: float
    label: str
    rule: str = ""
    parents: tuple["Origin", ...] = ()

    @property
    def formula(self) -> str:
        """The rule with its data points, nested; a number where there is no rule."""
        inner = ", ".join(parent.formula for parent in self.parents)
        return f"{self.rule}({inner})" if self.rule else f"{self.location:.12g}"

    @property
    def points(self) -> tuple[float, ...]:
        """The data points in the formula, each once."""
        if self.label == "data point":
            return (self.location,)
        return tuple(dict.fromkeys(p for parent in self.parents for p in parent.points))

    @property
    def depth(self) -> int:
        """How many rules are nested: 0 for data points.

        Examples
        --------
        >>> data_point(1.0).depth
        0
        """
        return 1 + max(parent.depth for parent in self.parents) if self.parents else 0


def data_point(location: float) -> Origin:
    """Return the origin of a kink at a data point."""
    return Origin(location, "data point")


def origins(unit: Unit) -> dict[float, Origin]:
    """Explain every kink of a unit from the data points that determine it.

    Jumps lie halfway between neighbours among those points. Kinks are explained step by step: what
    follows from data points alone by reflection and midpoints first, then what follows from that; sums of
    three points come last. O(k^4) for k kinks and points.

    Examples
    --------
    >>> from cvxar.activations import ABS
    >>> from cvxar.architectures import Feature
    >>> fold = Feature(ABS, (1, 1), (4.0, 3.0), points=(1.0, 4.0))
    >>> [origin.formula for origin in origins(fold).values()]
    ['1', '4', 'R(1, 4)']
    """
    kinks = unit.kinks()
    places = [float(p) for p in kinks.points]
    if not unit.points:
        return {p: data_point(p) for p in places}
    if kinks.jumps.any():
        points = np.unique(unit.points)
        return {p: _between_neighbours(p, points) for p in places}
    return _chained(places, unit.points)


def _between_neighbours(location: float, points: Array) -> Origin:
    """Explain a jump: between the data points next to it, or at one if they are next to each other."""
    above = int(np.searchsorted(points, location))
    if above < len(points) and points[above] == location:
        return data_point(location)
    if not 0 < above < len(points):
        return Origin(location, "other")
    return _origin("M", location, tuple(data_point(float(p)) for p in points[above - 1 : above + 1]))


def _chained(places: list[float], points: tuple[float, ...]) -> dict[float, Origin]:
    known = {p: data_point(p) for p in points}
    every = np.array([*places, *points])
    noise = float(1e-8 * np.ptp(every) + 32 * np.finfo(float).eps * np.max(np.abs(every)))
    pending = [p for p in places if p not in known]
    while pending:
        found = _explained(pending, known, noise, _folds) or _explained(pending, known, noise, _sums)
        if not found:
            found = {p: Origin(p, "other") for p in pending}
        known |= found
        pending = [p for p in pending if p not in found]
    return {p: known[p] for p in places}


Rules: TypeAlias = Callable[[Mapping[float, Origin]], Iterator[tuple[str, float, tuple[float, ...]]]]


def _explained(
    pending: list[float], known: Mapping[float, Origin], noise: float, rules: Rules
) -> dict[float, Origin]:
    """Explain what follows from known places by the first rule that fits."""
    found = {}
    for p in pending:
        fits = (rule for rule in rules(known) if abs(rule[1] - p) <= noise)
        for rule, _, parents in islice(fits, 1):
            found[p] = _origin(rule, p, tuple(known[a] for a in parents))
    return found


def _folds(known: Mapping[float, Origin]) -> Iterator[tuple[str, float, tuple[float, ...]]]:
    """Reflections and midpoints; nested ones come before sums of three data points."""
    for a, b in permutations(known, 2):
        yield "R", reflect(a, b), (a, b)
    for a, b in permutations(known, 2):
        yield "M", midpoint(a, b), (a, b)


def _sums(known: Mapping[float, Origin]) -> Iterator[tuple[str, float, tuple[float, ...]]]:
    for a, b, c in permutations(known, 3):
        yield "G", generalised(a, b, c), (a, b, c)


def _origin(rule: str, location: float, parents: tuple[Origin, ...]) -> Origin:
    return Origin(location, RULES[rule], rule, parents)


def simplest(one: Origin, other: Origin) -> Origin:
    """Of two explanations of one place, return the simpler."""
    return min(one, other, key=lambda o: (SIMPLEST.index(o.label), len(o.formula)))
