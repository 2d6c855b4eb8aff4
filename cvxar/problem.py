"""The Lasso that is equivalent to training the network."""

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np

from cvxar import architectures, losses
from cvxar._typing import Array, ArrayLike
from cvxar.architectures import Architecture
from cvxar.design import Design, make_design
from cvxar.errors import InputError
from cvxar.free_fit import FreeFit, fit_free, flattened, rounding_of
from cvxar.inputs import (
    as_columns,
    check_beta,
    check_counts,
    check_digits,
    check_finite,
    check_lengths,
    check_room,
    check_size,
    check_sums,
    check_weights,
    numbers,
)
from cvxar.lazy_bound import largest_correlation
from cvxar.losses import Loss

__all__ = ["LassoProblem", "as_columns", "check_beta", "check_finite", "match_bound"]


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
        the loss; other losses than the squared one then need one column of x (with the constant, no
        exog), or a column without repeated values.
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
        check_room(x)
        self.y = numbers(y, "y", 1)
        self.x = as_columns(x, "x", len(self.y))
        self.exog = np.empty((len(self.y), 0)) if exog is None else as_columns(exog, "exog", len(self.y))
        self.sample_weight = None if sample_weight is None else check_weights(sample_weight, len(self.y))
        self.skip, self.fit_intercept = bool(skip), bool(fit_intercept)
        check_size(self.x, self.y)
        _check_constant(self.architecture, self.fit_intercept)
        self.design = self._prepare()
        self.nobs = len(self.y)
        self._found: list[float] = []  # beta_max once known, shared by with_beta
        self._free: list[FreeFit] = []
        self._slopes: list[Array] = []
        if self.architecture.hinge_cost is None:
            _ = self.design.columns  # dictionaries refuse sizes they cannot search: now, not when solving

    def _prepare(self) -> Design:
        x, y, exog, weight = self.x, self.y, self.exog, self.sample_weight
        if weight is not None and not np.all(weight > 0):
            x, y, exog, weight = (part[weight > 0] for part in (x, y, exog, weight))
        return make_design(x, y, exog, weight, self.architecture, self.skip, self.fit_intercept)

    @classmethod
    def from_aggregates(
        cls,
        x: ArrayLike,
        count: ArrayLike,
        sum_y: ArrayLike,
        sum_y2: ArrayLike,
        *,
        beta: float,
        **options: Any,
    ) -> "LassoProblem":
        r"""Build the problem of many observations from sums over those of equal input.

        .. math:: \sum_t (y_t - f(x_t))^2 = \sum_i n_i (\bar y_i - f(x_i))^2 + \sum_i (q_i - s_i^2 / n_i)

        for inputs :math:`x_i` seen :math:`n_i` times with :math:`s_i = \sum y` and
        :math:`q_i = \sum y^2`. Optimum, network and certificate are those of the observations
        themselves. ``problem.y`` holds the means, ``problem.nobs`` the number of observations.

        Parameters
        ----------
        x : array of shape (m,)
            Inputs, in any order; repeated ones are added up.
        count : array of shape (m,)
            Number of observations at each, whole numbers of at least 0.
        sum_y, sum_y2 : arrays of shape (m,)
            Sum of their targets, and of the squares of them.
        beta : float
            Penalty, in the units of the observations.
        **options
            ``architecture``, ``skip``, ``fit_intercept``. The loss is the squared one.

        Raises
        ------
        InputError
            For negative or fractional counts, sums where nothing was counted, or ``sum_y2`` below
            ``sum_y ** 2 / count``, which no targets have.

        Warns
        -----
        PrecisionWarning
            Where the sums cannot hold the variation of the targets to 1e-8 of it.

        Notes
        -----
        Far from the origin the two sums share most of their digits: targets near 1e6 that vary by 1 keep four
        digits of their spread. :func:`cvxar.aggregate` keeps all; then :meth:`from_means` is used.

        Examples
        --------
        >>> few = LassoProblem.from_aggregates([0.0, 1.0], [2, 1], [3.0, 5.0], [5.0, 25.0], beta=9.0)
        >>> few.nobs, few.y
        (3, array([1.5, 5. ]))
        """
        n = check_counts(count)
        total, squares = numbers(sum_y, "sum_y", 1), numbers(sum_y2, "sum_y2", 1)
        check_lengths(n, sum_y=total, sum_y2=squares)
        check_sums(n, total, squares)
        mean = total / np.maximum(n, 1.0)
        spread = np.where(n > 1, np.maximum(squares - total * mean, 0.0), 0.0)
        check_digits(n, mean, spread, squares)
        return cls._from_means(x, n, mean, spread, beta, options)

    @classmethod
    def from_means(
        cls,
        x: ArrayLike,
        count: ArrayLike,
        mean: ArrayLike,
        squares: ArrayLike,
        *,
        beta: float,
        **options: Any,
    ) -> "LassoProblem":
        """Build the problem of many observations from means over those of equal input.

        As :meth:`from_aggregates`, from numbers that keep nearly all digits at any offset of the targets;
        it warns where rounding the means is too much.

        Parameters
        ----------
        x, count
            As in :meth:`from_aggregates`.
        mean : array of shape (m,)
            Mean target at each input.
        squares : array of shape (m,)
            Sum of the squared deviations from that mean, at least 0.
        beta, **options
            As in :meth:`from_aggregates`.

        Examples
        --------
        >>> LassoProblem.from_means([0.0, 1.0], [2, 1], [1.5, 5.0], [0.5, 0.0], beta=9.0).nobs
        3
        """
        n, spread = check_counts(count), numbers(squares, "squares", 1)
        check_lengths(n, squares=spread)
        if np.any(spread < 0):
            raise InputError(f"squares must be at least 0, got {np.min(spread):g}; they are sums of squares")
        given = numbers(mean, "mean", 1)
        check_lengths(n, mean=given)
        check_digits(n, given, spread)
        return cls._from_means(x, n, given, spread, beta, options)

    @classmethod
    def _from_means(
        cls, x: ArrayLike, n: Array, mean: Array, spread: Array, beta: float, options: dict[str, Any]
    ) -> "LassoProblem":
        allowed = {"architecture", "skip", "fit_intercept"}
        if odd := sorted(set(options) - allowed):
            raise InputError(f"aggregates go with {', '.join(sorted(allowed))} only, got {', '.join(odd)}")
        problem = cls(x, mean, beta=beta, sample_weight=n, **options)
        problem.nobs = int(np.sum(n))
        problem.design = replace(problem.design, lost=float(np.sum(spread[n > 0])) / 2)
        return problem

    def with_beta(self, beta: float) -> "LassoProblem":
        """Return the same problem at another penalty; O(1), all prepared data are shared."""
        other = copy.copy(self)
        other.beta = check_beta(beta)
        return other

    def with_squared_loss(self) -> "LassoProblem":
        """Return the same problem under the squared loss; O(1), the prepared data are shared."""
        other = copy.copy(self)
        other.loss, other._found, other._free, other._slopes = losses.Squared(), [], [], []
        return other

    @property
    def free_fit(self) -> FreeFit:
        """Fit of the unpenalised columns alone, computed once."""
        if not self._free:
            self._free.append(flattened(self.design, self.loss, fit_free(self.design, self.loss)))
        return self._free[0]

    @property
    def linear_slopes(self) -> Array:
        """Slopes (p,) of the columns of x where the fit, under the loss, is linear in them; computed once."""
        if not self._slopes:
            linear = self if self.skip else self._with_skip()
            free, first = linear.design.free, int(self.fit_intercept)
            coef = linear.design.y_scale * linear.free_fit.coef / free.scale
            self._slopes.append(coef[first : first + self.x.shape[1]])
        return self._slopes[0]

    def _with_skip(self) -> "LassoProblem":
        return LassoProblem(
            self.x,
            self.y,
            beta=self.beta,
            loss=self.loss,
            skip=True,
            exog=self.exog if self.exog.shape[1] else None,
            sample_weight=self.sample_weight,
            fit_intercept=self.fit_intercept,
        )

    @property
    def beta_max(self) -> float:
        """Smallest penalty at which no feature is active.

        The largest absolute correlation of a feature with the residual of the unpenalised fit; 0
        when no feature can improve that fit beyond rounding. Cost: one search of the dictionary, O(p n).
        """
        if not self._found:
            self._found.append(self._find_beta_max())
        return self._found[0]

    @property
    def beta_max_known(self) -> bool:
        """Whether :attr:`beta_max` was computed before, for this penalty or another."""
        return bool(self._found)

    def _find_beta_max(self) -> float:
        cost = self.architecture.hinge_cost
        if self.design.lazily_sorted and self.loss.quadratic and cost is not None:
            lazy = self.design.lazy
            with lazy.lock:
                found = largest_correlation(lazy, cost, self.skip)
            if found is not None and found > self._most_rounding:
                return found
        bound = _free_bound(self.design, self.free_fit.dual)
        return bound if bound > rounding_of(self.design, self.loss, self.free_fit) else 0.0

    @property
    def _most_rounding(self) -> float:
        """Correlation that rounding of the targets can make up, whatever the residuals."""
        design = self.design
        return 64 * np.finfo(float).eps * len(design.y) * design.y_scale * float(np.max(design.widths))

    def __repr__(self) -> str:
        n, p = self.x.shape
        return (
            f"LassoProblem(n={n}, columns={p}, exog={self.exog.shape[1]}, beta={self.beta:g}, "
            f"architecture={self.architecture!r}, loss={self.loss!r}, skip={self.skip})"
        )


def match_bound(design: Design, dual: Array) -> float:
    """Bound the largest absolute correlation of any feature with a dual vector in data units."""
    bounds = (c.dictionary.bound(c.aggregate(dual)) for c in design.columns)
    return max(bounds, default=0.0)


def _free_bound(design: Design, dual: Array) -> float:
    """As :func:`match_bound` for the dual vector of the unpenalised fit.

    With a constant its sum is 0; what rounding left is taken off in the middle, where it moves nothing.
    """
    largest = 0.0
    for column in design.columns:
        sums = column.aggregate(dual)
        sums[len(sums) // 2] -= math.fsum(sums) if design.fit_intercept else 0.0
        largest = max(largest, column.dictionary.bound(sums))
    return largest


def _check_constant(architecture: Architecture, fit_intercept: bool) -> None:
    if architecture.needs_constant and not fit_intercept:
        raise InputError(
            f"{architecture!r} needs the constant: its dictionary is exact only up to constants; "
            "use fit_intercept=True, or a two-layer network"
        )
