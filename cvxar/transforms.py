"""Transforms of a series: what is fitted is the transformed series, what is forecast the series itself."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxar._typing import Array
from cvxar.errors import InputError, InputTypeError, unknown_name

# powers tried by ``BoxCox()``: below 0 the inverse has a pole that simulated paths would run into
LOWEST_POWER, HIGHEST_POWER = 0.0, 2.0
# how closely ``invert`` must undo ``apply``, relative to the size of the series
AGREEMENT = 1e-6
# residuals averaged over in one-step means, and evaluations that may take
MOST_SHOCKS, FEWEST_SHOCKS, MOST_TERMS = 1000, 100, 20_000_000


class Transform(ABC):
    """A one-to-one map of single values. Any object with ``apply`` and ``invert`` will do in its place.

    ``apply`` and ``invert`` take arrays of any shape and act on every entry; ``invert`` undoes ``apply``.
    An object may also have ``fit(values)``, which returns the transform to use, and whose values
    are those of the training sample.
    """

    def fit(self, values: Array) -> "Transform":
        """Return the transform with its parameters estimated; itself where there are none."""
        return self

    @abstractmethod
    def apply(self, values: Array) -> Array:
        """Transform every entry."""

    @abstractmethod
    def invert(self, values: Array) -> Array:
        """Undo ``apply``; outside its range return the nearest value the series can have."""


@dataclass(frozen=True)
class Identity(Transform):
    """Leave the values as they are."""

    def apply(self, values: Array) -> Array:
        """Return the values."""
        return values

    def invert(self, values: Array) -> Array:
        """Return the values."""
        return values


@dataclass(frozen=True)
class Log(Transform):
    """Natural logarithm; of positive values.

    Examples
    --------
    >>> Log().invert(Log().apply(np.array([1.0, 4.0]))).round(9).tolist()
    [1.0, 4.0]
    """

    def apply(self, values: Array) -> Array:
        """Return ``log(values)``."""
        _check_range(values, "log", values <= 0, "positive values")
        return np.log(values)

    def invert(self, values: Array) -> Array:
        """Return ``exp(values)``."""
        with np.errstate(over="ignore"):
            return np.exp(values)


@dataclass(frozen=True)
class Sqrt(Transform):
    """Square root; of values of at least 0.

    Examples
    --------
    >>> Sqrt().apply(np.array([9.0])).tolist(), Sqrt().invert(np.array([3.0, -1.0])).tolist()
    ([3.0], [9.0, 0.0])
    """

    def apply(self, values: Array) -> Array:
        """Return the root."""
        _check_range(values, "sqrt", values < 0, "values of at least 0")
        return np.sqrt(values)

    def invert(self, values: Array) -> Array:
        """Return the square; 0 for negative roots."""
        return np.maximum(values, 0.0) ** 2


@dataclass(frozen=True)
class BoxCox(Transform):
    r"""Box and Cox's :math:`(y^\lambda - 1) / \lambda`, the logarithm at power 0; of positive values.

    Parameters
    ----------
    power : float, optional
        :math:`\lambda`; estimated by maximum likelihood between 0 and 2 if not given
        (``scipy.stats.boxcox_normmax``, from the training sample).

    Examples
    --------
    >>> BoxCox(0.5).apply(np.array([4.0])).tolist(), BoxCox(0.5).invert(np.array([2.0])).tolist()
    ([2.0], [4.0])
    """

    power: float | None = None

    def fit(self, values: Array) -> "BoxCox":
        """Estimate the power; 1 for a constant series."""
        from scipy.optimize import minimize_scalar
        from scipy.stats import boxcox_normmax

        _check_range(values, "boxcox", values <= 0, "positive values")
        if self.power is not None:
            return self
        if np.ptp(values) == 0:
            return BoxCox(1.0)
        bounds = {"bounds": (LOWEST_POWER, HIGHEST_POWER), "method": "bounded"}
        # powers commute with the unit of the series
        relative = values / np.exp(np.mean(np.log(values)))
        power = boxcox_normmax(
            relative, method="mle", optimizer=lambda objective: minimize_scalar(objective, **bounds)
        )
        return BoxCox(float(power))

    def apply(self, values: Array) -> Array:
        """Return the power transform."""
        from scipy.special import boxcox

        _check_range(values, "boxcox", values <= 0, "positive values")
        transformed: Array = boxcox(values, self._known())
        return transformed

    def invert(self, values: Array) -> Array:
        """Return the value; where no value has this power, 0 (or infinity for negative powers)."""
        from scipy.special import inv_boxcox

        power = self._known()
        inside = power * values > -1.0
        inverse: Array = np.full(values.shape, 0.0 if power > 0 else np.inf)
        inverse[inside] = inv_boxcox(values[inside], power)
        return inverse

    def _known(self) -> float:
        if self.power is None:
            raise InputError("the power of BoxCox() is not known yet; use BoxCox().fit(values)")
        return self.power


def _check_range(values: Array, name: str, bad: Any, wanted: str) -> None:
    if np.any(bad):
        at = int(np.argmax(bad))
        raise InputError(
            f"transform {name!r} is for {wanted}, got {float(np.ravel(values)[at]):g}"
            "; shift the series first, or use another transform"
        )


@dataclass(frozen=True)
class Difference:
    """First differences of a transform: ``"diff"`` of the values, ``"logdiff"`` of their logarithms.

    Examples
    --------
    >>> get("logdiff")
    Difference(of=Log())
    """

    of: Any = Identity()


CATALOGUE: dict[str, Any] = {
    "log": Log(),
    "sqrt": Sqrt(),
    "boxcox": BoxCox(),
    "diff": Difference(),
    "logdiff": Difference(Log()),
}


def get(transform: Any) -> Any:
    """Return the transform of a name; ``None`` is the identity, an object with apply and invert itself.

    Raises
    ------
    InputError, InputTypeError
        For an unknown name, and for an object without ``apply`` and ``invert``.

    Examples
    --------
    >>> get("exp")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: unknown transform 'exp'; known: 'log', 'sqrt', 'boxcox', 'diff', 'logdiff'
    """
    if transform is None:
        return Identity()
    if isinstance(transform, str):
        if transform not in CATALOGUE:
            raise unknown_name("transform", transform, CATALOGUE)
        return CATALOGUE[transform]
    level = transform.of if isinstance(transform, Difference) else transform
    if isinstance(level, type) or not all(callable(getattr(level, n, None)) for n in ("apply", "invert")):
        raise InputTypeError(
            f"transform must be a name, None, or an object with apply and invert, got {transform!r}"
        )
    return transform


@dataclass(frozen=True)
class Scale:
    """The scale a series is fitted on: a fitted transform of its values, and whether differences are taken.

    Examples
    --------
    >>> scale = fit_scale("diff", np.array([1.0, 3.0, 6.0]))
    >>> scale.forward(np.array([1.0, 3.0, 6.0])).tolist()
    [nan, 2.0, 3.0]
    >>> scale.back(np.array([[1.0], [1.0]]), 6.0).tolist()
    [[7.0], [8.0]]
    """

    level: Any
    differenced: bool

    def __str__(self) -> str:
        return f"differences of {self.level!r}" if self.differenced else repr(self.level)

    @property
    def linear(self) -> bool:
        """Whether the mean of inverted values is the inverted mean."""
        return isinstance(self.level, Identity)

    def apply(self, values: Array) -> Array:
        """Transform the known values one by one; missing ones stay missing.

        Raises
        ------
        InputError
            Where a value has no transform.
        """
        known = np.isfinite(values)
        if self.linear or not known.any():
            return values
        transformed = np.asarray(self.level.apply(values[known]), dtype=float)
        if transformed.shape != values[known].shape or not np.isfinite(transformed).all():
            bad = (
                values[known][0]
                if transformed.size != known.sum()
                else values[known][~np.isfinite(transformed)][0]
            )
            raise InputError(
                f"{self.level!r} gives no finite number for {bad:g}; apply must return one number per value"
            )
        result = np.full(values.shape, np.nan)
        result[known] = transformed
        return result

    def forward(self, values: Array) -> Array:
        """Return the series that is fitted, (n,): the first difference of a series is missing."""
        levels = self.apply(values)
        if not self.differenced:
            return levels
        return np.concatenate([np.full(min(1, len(levels)), np.nan), np.diff(levels)])

    def levels(self, paths: Array, last: float) -> Array:
        """Return paths (steps, n_paths) of transformed levels: differences are summed up.

        ``last`` is the observation before the first step, needed where differences are taken.
        """
        if not self.differenced:
            return paths
        summed: Array = float(self.apply(np.array([last]))[0]) + np.cumsum(paths, axis=0)
        return summed

    def invert(self, levels: Array) -> Array:
        """Return transformed levels in the units of the series."""
        inverted: Array = np.asarray(self.level.invert(levels), dtype=float)
        return inverted

    def back(self, paths: Array, last: float) -> Array:
        """Return paths (steps, n_paths) in the units of the series: see `levels`."""
        return self.invert(self.levels(paths, last))

    def expected(self, means: Array, previous: Array, residuals: Array) -> Array:
        r"""Return one-step means in the units of the series, (n,).

        .. math:: \hat y_t = \frac1M \sum_i T^{-1}(\hat w_t + e_i)

        for means :math:`\hat w_t` on this scale and centred residuals :math:`e_i` (at most a thousand
        of their quantiles). ``previous`` holds the observations before, for differences.

        Examples
        --------
        >>> scale = fit_scale("log", np.ones(2))
        >>> scale.expected(np.zeros(1), np.zeros(1), np.log([0.5, 2.0])).round(9).tolist()
        [1.25]
        """
        levels = means + self.apply(previous) if self.differenced else means
        if self.linear:
            return levels
        count = min(len(residuals), max(MOST_TERMS // max(len(levels), 1), FEWEST_SHOCKS), MOST_SHOCKS)
        at = ((np.arange(count) + 0.5) / count * len(residuals)).astype(np.intp)
        shocks = np.sort(residuals)[at]
        total = np.zeros(len(levels))
        for shock in shocks:
            total += self.level.invert(levels + shock)
        return total / count


def fit_scale(transform: Any, values: Array) -> Scale:
    """Fit a transform to the training sample.

    Raises
    ------
    InputError
        For values outside its domain, and if ``invert`` does not undo ``apply``.
    """
    given = get(transform)
    differenced = isinstance(given, Difference)
    level = given.of if differenced else given
    known = values[np.isfinite(values)]
    if callable(getattr(level, "fit", None)) and len(known):
        level = level.fit(known.copy())
    scale = Scale(level, differenced)
    _check_inverse(scale, known)
    return scale


def _check_inverse(scale: Scale, known: Array) -> None:
    if scale.linear or not len(known):
        return
    again = np.asarray(scale.level.invert(scale.apply(known.copy())), dtype=float)
    off = np.abs(again - known) if again.shape == known.shape else np.full(1, math.inf)
    if not np.max(off) <= AGREEMENT * np.max(np.abs(known)):
        raise InputError(
            f"invert of {scale.level!r} does not undo its apply: {known[np.argmax(off)]:g} comes back as "
            f"{np.ravel(again)[np.argmax(off)]:g}"
        )
