"""Rounds of column generation with a master that is only as exact as the gap calls for."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

STALL = 20  # rounds without a better gap before giving up
LOOSEST = 1e-2


class Round(Protocol):
    """A solved restricted problem, as far as the iteration must know it."""

    @property
    def value(self) -> float:
        """Objective."""

    @property
    def gap(self) -> float:
        """Distance of the objective to a proven lower bound."""

    @property
    def asking(self) -> bool:
        """Whether features outside the restricted problem ask to enter."""


R = TypeVar("R", bound=Round)


def iterate(
    first: R, again: Callable[[R, float], R], tol: float, max_rounds: int, loosest: float = LOOSEST
) -> tuple[R, int]:
    """Repeat ``again(last, accuracy)`` until the relative gap is ``tol``; return the best and the rounds.

    Stops as well when nothing asks to enter an exactly solved problem, or nothing gets better.
    """
    now = best = first
    stalled, done, accuracy = 0, 1, loosest
    while done < max_rounds and stalled <= STALL and not closed(best, tol):
        if stalled and not now.asking and accuracy <= tol / 10:
            break
        relative = abs(now.gap) / now.value if now.value > 0 else tol
        share, least = (0.2, tol / 4) if now.asking else (0.02, tol / 10)
        wanted = min(share * relative, 0.3 * accuracy if stalled else loosest)
        accuracy = float(np.clip(wanted, least, loosest))
        now, done = again(now, accuracy), done + 1
        stalled = 0 if _closer(now, best, 0.9) else stalled + 1
        best = now if _closer(now, best, 1.0) else best
    return best, done


def closed(now: Round, tol: float) -> bool:
    """Whether the gap is at most ``tol`` times the objective (a negative one comes of rounding)."""
    return abs(now.gap) <= tol * now.value


def _closer(now: Round, best: Round, factor: float) -> bool:
    return abs(now.gap) < factor * abs(best.gap)
