"""Columns that depend on time alone: constant, polynomial trend, seasonal dummies."""

from dataclasses import dataclass

import numpy as np

from cvxar._typing import Array
from cvxar.errors import InputError

TRENDS = ("n", "c", "t", "ct", "ctt")


@dataclass(frozen=True)
class Deterministic:
    r"""Constant, trend and seasonal dummies, by the conventions of statsmodels' ``DeterministicProcess``.

    The observation at position ``t = 0, 1, ...`` has trend ``t + 1``, its square, and season
    ``t mod period``. A constant among the columns, or in the span of a full set of dummies, is the
    intercept of the problem; ``columns`` are the others.

    Parameters
    ----------
    trend : {"n", "c", "t", "ct", "ctt"}
        None, constant, time, both, and time squared as well.
    period : int
        Number of seasons; 0 without seasonal dummies.

    Examples
    --------
    >>> Deterministic("ct", 3).names
    ('const', 'trend', 's(2,3)', 's(3,3)')
    >>> Deterministic("ct", 3).columns(0, 4).tolist()
    [[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0], [4.0, 0.0, 0.0]]
    """

    trend: str = "c"
    period: int = 0

    @property
    def powers(self) -> int:
        """Highest power of time."""
        return self.trend.count("t")

    @property
    def intercept(self) -> bool:
        """Whether a constant is in the span."""
        return "c" in self.trend or self.period > 0

    @property
    def full_dummies(self) -> bool:
        """Whether there is a dummy for the first season too, and no constant of its own."""
        return self.period > 0 and "c" not in self.trend

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, constant included."""
        constant = ("const",) if "c" in self.trend else ()
        first = 1 if self.full_dummies else 2
        seasons = (f"s({season},{self.period})" for season in range(first, self.period + 1))
        return (*constant, *("trend", "trend_squared")[: self.powers], *seasons)

    @property
    def width(self) -> int:
        """Number of columns beside the constant."""
        return self.powers + max(self.period - 1, 0)

    def columns(self, start: int, stop: int) -> Array:
        """Return the columns beside the constant for positions ``start`` to ``stop - 1``."""
        at = np.arange(start, stop)
        time = (at + 1.0)[:, None] ** np.arange(1, self.powers + 1)
        seasons = at[:, None] % max(self.period, 1) == np.arange(1, self.period)
        return np.hstack([time, seasons.astype(float)])

    def parameters(self, constant: float, coef: Array) -> Array:
        """Return the parameters in the order of ``names`` from those of the constant and ``columns``.

        With dummies for all seasons the constant is spread over them.

        Examples
        --------
        >>> Deterministic("n", 3).parameters(1.0, np.array([0.5, -0.5])).tolist()
        [1.0, 1.5, 0.5]
        """
        own = np.concatenate([[constant] if self.intercept else [], coef])
        parameters: Array = self.mixing() @ own
        return parameters

    def mixing(self) -> Array:
        """Return the matrix from (constant, ``columns``) coefficients to parameters; square.

        Examples
        --------
        >>> Deterministic("n", 2).mixing().tolist()
        [[1.0, 0.0], [1.0, 1.0]]
        """
        size = int(self.intercept) + self.width
        mix = np.eye(size)
        if self.full_dummies:
            # columns: constant, powers, seasons 2 on; parameters: powers, seasons 1 on
            mix = mix[[*range(1, 1 + self.powers), 0, *range(1 + self.powers, size)]]
            mix[self.powers :, 0] = 1.0
        return mix


CONSTANT = Deterministic()


def check_period(period: int | None, seasonal: bool, default: int | None) -> int:
    """Return the number of seasons, 0 without; ``default`` is that of the calendar.

    Raises
    ------
    InputError
        For fewer than 2 seasons, or if their number is needed and unknown.

    Examples
    --------
    >>> check_period(None, True, 12), check_period(7, True, None), check_period(None, False, 12)
    (12, 7, 0)
    """
    if not seasonal:
        return 0
    chosen = default if period is None else period
    if chosen is None:
        raise InputError(
            "seasonal=True needs to know the number of seasons, and the index has no frequency that says it; "
            "give it, for example period=12"
        )
    if chosen < 2:
        raise InputError(
            f"seasonal=True needs at least 2 seasons, got period={chosen}; give period= or leave seasonal out"
        )
    return chosen
