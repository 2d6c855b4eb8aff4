"""Numbers as given: checked, copied, refused with a reason."""

import warnings

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.errors import InputError, InputTypeError, PrecisionWarning
from cvxar.memory import check_memory


def check_beta(beta: float) -> float:
    """Return beta as a float, or raise InputError."""
    if not isinstance(beta, int | float | np.integer | np.floating) or isinstance(beta, bool):
        raise InputTypeError(f"beta must be a number, got {type(beta).__name__}")
    if not (np.isfinite(beta) and beta >= 0):
        raise InputError(f"beta must be finite and at least 0, got {beta!r}")
    return float(beta)


def as_columns(values: ArrayLike, name: str, n: int | None = None) -> Array:
    """Return finite float columns (n, p) copied from an array of one or two dimensions."""
    array = numbers(values, name, 2)
    if n is not None and len(array) != n:
        raise InputError(f"{name} has {len(array)} rows but y has {n}; give one row per observation")
    return array


def numbers(values: ArrayLike, name: str, ndim: int) -> Array:
    """Return a copy as finite floats of the given number of dimensions."""
    raw = np.asarray(values)
    if raw.dtype.kind not in "biufO":
        raise InputTypeError(f"{name} must hold real numbers, got values of type {raw.dtype}")
    try:
        array = np.array(raw, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"{name} must hold real numbers only: {error}") from None
    one_column = array.ndim == 1 and ndim == 2
    if array.ndim != ndim and not one_column:
        raise InputError(f"{name} must have {ndim} dimension(s), got an array of shape {raw.shape}")
    check_finite(array, name)
    return array[:, None] if one_column else array


def check_finite(array: Array, name: str) -> None:
    """Raise InputError naming the first NaN or infinite entry."""
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        where = ", ".join(str(i) for i in bad[0])
        raise InputError(
            f"{name} has {len(bad)} NaN or infinite value(s), the first ({array[tuple(bad[0])]}) at position "
            f"{where}; drop or fill them before fitting"
        )


def check_counts(values: ArrayLike) -> Array:
    """Return numbers of observations: whole, at least 0, positive somewhere."""
    count = numbers(values, "count", 1)
    bad = (count < 0) | (count != np.floor(count)) | (count > 2.0**53)
    if np.any(bad):
        at = int(np.argmax(bad))
        raise InputError(f"count must hold whole numbers of at least 0, got {count[at]:g} at position {at}")
    if not np.any(count > 0):
        raise InputError("all counts are 0; give at least one observation")
    return count


def check_lengths(count: Array, **others: Array) -> None:
    """Raise unless there is one entry of each for every count."""
    for name, values in others.items():
        if len(values) != len(count):
            raise InputError(f"{name} has {len(values)} entries but count has {len(count)}")


def check_sums(count: Array, total: Array, squares: Array) -> None:
    """Raise where the squares add up to less than the mean alone gives, or nothing was counted."""
    rounding = 4 * np.finfo(float).eps * np.maximum(count, 4.0) * squares
    least = np.where(count > 0, total * total / np.maximum(count, 1.0), 0.0)
    bad = (squares < least - rounding) | ((count == 0) & ((total != 0) | (squares != 0)))
    if np.any(bad):
        at = int(np.argmax(bad))
        raise InputError(
            f"no {count[at]:g} targets have sum_y={total[at]:g} and sum_y2={squares[at]:g} (position {at}): "
            f"sum_y2 must be at least sum_y^2 / count = {least[at]:g}, and both 0 where count is 0"
        )


def check_digits(count: Array, mean: Array, spread: Array, squares: Array | None = None) -> None:
    """Warn where sums over the observations of one input cannot hold their spread to 1e-8 of all variation.

    ``squares`` are the sums of squares that the spread was taken from; else it has digits of its own, and
    only the means are rounded. An input seen once loses nothing.
    """
    eps, many = float(np.finfo(float).eps), count > 1
    middle = float(count @ mean) / float(np.sum(count))
    variation = float(count @ (mean - middle) ** 2 + np.sum(spread))
    rounded = eps / 2 * np.sqrt(np.sum((count * mean * mean)[many]) * variation)
    noise = rounded if squares is None else max(rounded, eps * float(np.sum(squares[many])))
    if noise > 1e-8 * variation > 0:
        also = "" if squares is None else ", or let cvxar.aggregate sum them"
        warnings.warn(
            f"the sums hold the variation of the targets ({variation:.3g}) to about {noise:.1e} only, as "
            f"these are near {middle:.3g}; subtract that from them before they are summed{also}",
            PrecisionWarning,
            stacklevel=3,
        )


def check_room(x: ArrayLike) -> None:
    """Refuse data whose sorted copies will not fit; some eight numbers are kept for each one given."""
    size = getattr(x, "size", 0)
    what = f"a problem of {size:,} inputs"
    check_memory(64.0 * size, what, "stream the data through cvxar.aggregate, rounded to their tick")


def check_weights(values: ArrayLike, n: int) -> Array:
    """Return n weights, at least 0 and positive somewhere."""
    weight = numbers(values, "sample_weight", 1)
    if len(weight) != n:
        raise InputError(f"sample_weight has {len(weight)} entries but y has {n}")
    if np.any(weight < 0) or not np.any(weight > 0):
        raise InputError("sample_weight must be at least 0 and positive somewhere")
    return weight


def check_size(x: Array, y: Array) -> None:
    """Raise for no observations, no columns, and data whose products are not numbers."""
    if not len(y):
        raise InputError("y is empty; give at least one observation")
    if not x.shape[1]:
        raise InputError("x has no columns; give at least one input column")
    _check_scale(float(np.max(np.ptp(x, axis=0))), float(np.ptp(y)))


def _check_scale(x_range: float, y_range: float) -> None:
    """Products of the data must be numbers: squares of y, and x times y."""
    if not np.isfinite([x_range, y_range]).all():
        raise InputError("the range of x or y overflows double precision; rescale the data")
    least, most = 1e-145, 1e145
    product = x_range * min(y_range, most)
    if (y_range and not least <= y_range <= most) or (product and not least**2 <= product <= most**2):
        raise InputError(
            f"the ranges of x ({x_range:.3g}) and y ({y_range:.3g}) are so extreme that their products leave "
            "double precision; rescale the data, for example divide by series.std()"
        )
