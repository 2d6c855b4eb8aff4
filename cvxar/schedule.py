"""When forecasts are made and models refitted: the origins of a backtest."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxar.errors import InputError, InputTypeError
from cvxar.options import check_count, check_levels, make_generator

# origins that one job works through in a row: models keep what they know within a chunk and start afresh at
# its first origin, whoever runs it, so that the number of workers cannot change a result
CHUNK = 32
TRAINED_ON = 0.8


@dataclass(frozen=True)
class Schedule:
    """Origins, windows and refits.

    Parameters
    ----------
    initial : int
        Observations known at the first origin.
    horizon, step : int
        Steps ahead of every forecast; observations between origins.
    window : int or None
        Observations of a training set; None: all that are known.
    refit : int
        Refit at every so many origins.
    levels : tuple of float
        Bands in per cent.
    seed : int
        Of simulated paths.
    intervals : str or None
        How a model makes its bands; None leaves it to the model.

    Examples
    --------
    >>> Schedule(initial=5, horizon=2, step=3).origins(12)     # the last one has two observations after it
    range(5, 11, 3)
    >>> Schedule(initial=5, window=4).first(7)
    3
    """

    initial: int
    horizon: int = 1
    step: int = 1
    window: int | None = None
    refit: int = 1
    levels: tuple[float, ...] = ()
    seed: int = 0
    intervals: str | None = None

    def origins(self, n: int) -> range:
        """Numbers of observations known at the origins of a series of length n."""
        return range(self.initial, n - self.horizon + 1, self.step)

    def first(self, known: int) -> int:
        """Position of the first observation of the training set."""
        return 0 if self.window is None else max(0, known - self.window)

    def refits(self, origin: int) -> bool:
        """Whether models are refitted at the origin with this number."""
        return origin % self.refit == 0

    def chunks(self, n: int) -> list[range]:
        """Numbers of the origins of each job; each begins with a refit."""
        size, count = self.refit * max(1, CHUNK // self.refit), len(self.origins(n))
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def generator(self, known: int) -> np.random.Generator:
        """Randomness of the forecast made at one origin: the same whoever makes it."""
        return np.random.default_rng((self.seed, known))

    @property
    def columns(self) -> list[str]:
        """Columns of a forecast."""
        bands = [f"{side}_{level:g}" for level in self.levels for side in ("lower", "upper")]
        return ["mean", *bands]


def make_schedule(
    n: int, *, horizon: Any, initial: Any, step: Any, window: Any, refit: Any, level: Any, rng: Any
) -> Schedule:
    """Check the arguments of a backtest of n observations.

    Raises
    ------
    InputError, InputTypeError
        For arguments that cannot be used, or a series that leaves no origin.

    Examples
    --------
    >>> options = dict(horizon=1, step=1, refit=1, level=None, rng=0)
    >>> make_schedule(100, initial=None, window=None, **options).initial
    80
    >>> make_schedule(100, initial=None, window=30, **options).initial
    30
    """
    horizon, window = check_count(horizon, "horizon"), _optional(window, "window")
    if isinstance(initial, (str, float)):
        raise InputTypeError(
            f"initial must be a whole number of observations, got {initial!r}; for a share or a date take "
            "round(0.8 * len(series)) or series.index.get_loc(date), for example"
        )
    start = _optional(initial, "initial") or window or max(2, round(TRAINED_ON * n))
    if start + horizon > n:
        raise InputError(
            f"{n} observations leave no origin: the first training set takes {start} and the forecast "
            f"{horizon}; use a longer series, a smaller initial or window, or a smaller horizon"
        )
    return Schedule(
        start,
        horizon,
        check_count(step, "step"),
        window,
        check_count(refit, "refit"),
        check_levels(level),
        int(make_generator(rng).integers(2**31)),
    )


def _optional(value: Any, what: str) -> int | None:
    return None if value is None else check_count(value, what, 2)
