"""The Lasso that is equivalent to training the network."""

import copy

import numpy as np

from cvxar import architectures, losses
from cvxar._typing import Array, ArrayLike
from cvxar.architectures import Architecture
from cvxar.design import Design, make_design
from cvxar.errors import InputError, InputTypeError
from cvxar.free_fit import FreeFit, fit_free, flattened
from cvxar.lazy_bound import largest_correlation
from cvxar.losses import Loss


class LassoProblem:
    r"""Training of a network on 1-D inputs, written as a Lasso.

    .. math::
        \min_{z,\,\gamma}\; \mathrm{loss}(y - U\gamma - A z) + \beta \lVert z \rVert_1

    where the columns of A are the features of ``architecture`` on each column of ``x`` and U holds
    the unpenalised columns: the constant, ``x`` itself when ``skip``, and ``exog``. Its optimal
    value is the optimal value of the network's own non-convex training problem
    :math:`\mathrm{loss} + \frac{\beta}{L}\sum |w|^L` (arXiv 2403.01046, Theorems 1 and 2).

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        Inputs, one column per lag; each column has its own dictionary (additive model). Any order, ties
        allowed.
    y : array of shape (n,)
        Targets.
    beta : float
        Penalty, at least 0, for the data as given: internal scaling never changes the problem. The
        squared loss has the units of y squared and a ReLU coefficient those of y / x, so beta has
        those of x times y. ``beta=0`` asks for the minimum-l1-norm point among the minimisers of
        the loss.
    architecture : str or Architecture, default "relu"
        See :mod:`cvxar.architectures`.
    loss : str or Loss, default "squared"
        See :mod:`cvxar.losses`.
    skip : bool, default False
        Add every column of x to the unpenalised part (a skip connection).
    exog : array of shape (n,) or (n, q), optional
        Further unpenalised columns.
    sample_weight : array of shape (n,), optional
        Weights of the observations in the loss, at least 0; observations of weight 0 are left out.
    fit_intercept : bool, default True
        With False there is no constant; the biases of the units then place kinks at data points
        only, because a free bias would amount to a free constant. Two-layer networks only.

    Raises
    ------
    InputError
        For NaN or infinite values (the first position is named), lengths that differ, no
        observations, negative beta or weights, unknown names.
    InputTypeError
        For data that are not numbers.

    Notes
    -----
    Preparing costs O(p n log n) once; :meth:`with_beta` shares it.

    Examples
    --------
    >>> problem = LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1, skip=True)
    >>> round(problem.beta_max, 12)
    0.166666666667
    """

    design: Design

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        beta: float,
        architecture: str | Architecture = "relu",
        loss: str | Loss = "squared",
        skip: bool = False,
        exog: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        fit_intercept: bool = True,
    ) -> None:
        self.architecture = architectures.get(architecture)
        self.loss = losses.get(loss)
        self.beta = check_beta(beta)
        self.y = _numbers(y, "y", 1)
        self.x = as_columns(x, "x", len(self.y))
        self.exog = np.empty((len(self.y), 0)) if exog is None else as_columns(exog, "exog", len(self.y))
        self.sample_weight = None if sample_weight is None else _weights(sample_weight, len(self.y))
        self.skip, self.fit_intercept = bool(skip), bool(fit_intercept)
        _check_size(self.x, self.y)
        _check_constant(self.architecture, self.fit_intercept)
        self.design = self._prepare()
        self._found: list[float] = []  # beta_max once known, shared by with_beta
        self._free: list[FreeFit] = []
        if self.architecture.hinge_cost is None:
            _ = self.design.columns  # dictionaries refuse sizes they cannot search: now, not when solving

    def _prepare(self) -> Design:
        x, y, exog, weight = self.x, self.y, self.exog, self.sample_weight
        if weight is not None and not np.all(weight > 0):
            x, y, exog, weight = (part[weight > 0] for part in (x, y, exog, weight))
        return make_design(x, y, exog, weight, self.architecture, self.skip, self.fit_intercept)

    def with_beta(self, beta: float) -> "LassoProblem":
        """Return the same problem at another penalty; O(1), all prepared data are shared."""
        other = copy.copy(self)
        other.beta = check_beta(beta)
        return other

    @property
    def free_fit(self) -> FreeFit:
        """Fit of the unpenalised columns alone, computed once."""
        if not self._free:
            self._free.append(flattened(self.design, self.loss, fit_free(self.design, self.loss)))
        return self._free[0]

    @property
    def beta_max(self) -> float:
        """Smallest penalty at which no feature is active.

        The largest absolute correlation of a feature with the residual of the unpenalised fit; 0
        when no feature can improve that fit beyond rounding. Cost: one search of the dictionary, O(p n).
        """
        if not self._found:
            self._found.append(self._find_beta_max())
        return self._found[0]

    def _find_beta_max(self) -> float:
        cost = self.architecture.hinge_cost
        if self.design.lazily_sorted and self.loss.quadratic and cost is not None:
            found = largest_correlation(self.design.lazy, cost, self.skip)
            if found is not None:
                return found
        design, dual = self.design, self.free_fit.dual
        bound, reach = match_bound(design, dual), max(c.dictionary.reach for c in design.columns)
        rounding = 64 * np.finfo(float).eps * float(np.sum(np.abs(dual))) * reach
        return bound if bound > rounding else 0.0

    def __repr__(self) -> str:
        n, p = self.x.shape
        return (
            f"LassoProblem(n={n}, columns={p}, exog={self.exog.shape[1]}, beta={self.beta:g}, "
            f"architecture={self.architecture!r}, loss={self.loss!r}, skip={self.skip})"
        )


def match_bound(design: Design, dual: Array) -> float:
    """Bound the largest absolute correlation of any feature with a dual vector in data units."""
    bounds = (c.dictionary.match(c.aggregate(dual), np.inf).bound for c in design.columns)
    return max(bounds, default=0.0)


def check_beta(beta: float) -> float:
    """Return beta as a float, or raise InputError."""
    if not isinstance(beta, int | float | np.integer | np.floating) or isinstance(beta, bool):
        raise InputTypeError(f"beta must be a number, got {type(beta).__name__}")
    if not (np.isfinite(beta) and beta >= 0):
        raise InputError(f"beta must be finite and at least 0, got {beta!r}")
    return float(beta)


def as_columns(values: ArrayLike, name: str, n: int | None = None) -> Array:
    """Return finite float columns (n, p) copied from an array of one or two dimensions."""
    array = _numbers(values, name, 2)
    if n is not None and len(array) != n:
        raise InputError(f"{name} has {len(array)} rows but y has {n}; give one row per observation")
    return array


def _numbers(values: ArrayLike, name: str, ndim: int) -> Array:
    raw = np.asarray(values)
    if raw.dtype.kind not in "biufO":
        raise InputTypeError(f"{name} must hold real numbers, got values of type {raw.dtype}")
    try:
        array = np.array(raw, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"{name} must hold real numbers only: {error}") from None
    if array.ndim == 1 and ndim == 2:
        array = array[:, None]
    if array.ndim != ndim:
        raise InputError(f"{name} must have {ndim} dimension(s), got an array of shape {raw.shape}")
    check_finite(array, name)
    return array


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


def _weights(values: ArrayLike, n: int) -> Array:
    weight = _numbers(values, "sample_weight", 1)
    if len(weight) != n:
        raise InputError(f"sample_weight has {len(weight)} entries but y has {n}")
    if np.any(weight < 0) or not np.any(weight > 0):
        raise InputError("sample_weight must be at least 0 and positive somewhere")
    return weight


def _check_constant(architecture: Architecture, fit_intercept: bool) -> None:
    if architecture.needs_constant and not fit_intercept:
        raise InputError(
            f"{architecture!r} needs the constant: its dictionary is exact only up to constants; "
            "use fit_intercept=True, or a two-layer network"
        )


def _check_size(x: Array, y: Array) -> None:
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
