"""Checks of arguments: what is wrong, what was got, what to do."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from cvxar.errors import InputError, InputTypeError, unknown_name

MOST_DRAWS = 250_000_000


def check_size(steps: int, n_paths: int) -> None:
    """Raise unless the paths of a simulation fit into memory.

    Raises
    ------
    InputError
        Above 250 million draws (2 GB).
    """
    if steps * n_paths > MOST_DRAWS:
        raise InputError(
            f"{steps} steps on {n_paths} paths are {steps * n_paths:.2g} draws, more than {MOST_DRAWS:.2g}; "
            "ask for fewer steps or a smaller n_paths"
        )


def check_count(value: Any, what: str, least: int = 1) -> int:
    """Return a whole number that is at least ``least``, or raise.

    Examples
    --------
    >>> check_count(0, "steps")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: steps must be at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputTypeError(f"{what} must be a whole number, got {value!r}")
    if value < least:
        raise InputError(f"{what} must be at least {least}, got {value}")
    return int(value)


def check_levels(level: float | Iterable[float] | None) -> tuple[float, ...]:
    """Return the levels in per cent as a tuple, empty for ``None``.

    Raises
    ------
    InputError
        Unless they are distinct numbers of at least 1 and below 100.

    Examples
    --------
    >>> check_levels(80), check_levels((80, 97.5)), check_levels(None)
    ((80.0,), (80.0, 97.5), ())
    >>> check_levels(0.8)
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: level is in per cent, from 1 to below 100, got 0.8; write 80 for 80 %
    """
    if level is None:
        return ()
    values = np.asarray(level)
    if values.dtype.kind not in "iuf" or values.ndim > 1:
        raise InputTypeError(f"level must be a number or a sequence of numbers, got {level!r}")
    levels = tuple(float(value) for value in np.atleast_1d(values))
    for value in levels:
        if not 1 <= value < 100:
            raise InputError(f"level is in per cent, from 1 to below 100, got {value:g}; write 80 for 80 %")
    if len(set(levels)) < len(levels):
        raise InputError(f"levels must be distinct, got {level!r}")
    return levels


def make_generator(rng: Any) -> np.random.Generator:
    """Return ``numpy.random.default_rng(rng)``, with a typed error for what that refuses."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"rng must be None, a seed or a numpy Generator, got {rng!r}: {error}"
        ) from error


def check_name(what: str, got: Any, known: tuple[str, ...]) -> None:
    """Raise unless a name is among the known ones."""
    if not isinstance(got, str) or got not in known:
        raise unknown_name(what, got, known)


def check_flag(what: str, got: Any) -> None:
    """Raise unless a value is True or False."""
    if not isinstance(got, (bool, np.bool_)):
        raise InputTypeError(f"{what} must be True or False, got {got!r}")


def check_real(what: str, got: Any) -> None:
    """Raise unless a value is a real number (NaN and infinities are left to the caller)."""
    if isinstance(got, bool) or not isinstance(got, (int, float, np.integer, np.floating)):
        raise InputTypeError(f"{what} must be a number, got {got!r}")


def check_tolerance(tol: Any) -> None:
    """Raise unless a tolerance is a positive number.

    Examples
    --------
    >>> check_tolerance(0.0)
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: tol must be positive and finite, got 0.0; 1e-8 is the default
    """
    check_real("tol", tol)
    if not 0 < tol < math.inf:
        raise InputError(f"tol must be positive and finite, got {tol!r}; 1e-8 is the default")


def check_share(what: str, got: Any) -> None:
    """Raise unless a number lies strictly between 0 and 1.

    Examples
    --------
    >>> check_share("alpha", 5)
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: alpha must lie between 0 and 1, got 5
    """
    check_real(what, got)
    if not 0 < got < 1:
        raise InputError(f"{what} must lie between 0 and 1, got {got!r}")
