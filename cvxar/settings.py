"""The arguments of an autoregression: kept as given, read, changed and compared, checked before any work."""

from collections.abc import Sequence
from copy import copy
from dataclasses import KW_ONLY, MISSING, dataclass, fields
from typing import Any, Self

import numpy as np

from cvxar import architectures, losses, transforms
from cvxar.architectures import Architecture
from cvxar.deterministic import TRENDS
from cvxar.errors import unknown_name
from cvxar.lags import check_subset, lags_or_none, longest
from cvxar.losses import Loss
from cvxar.options import check_count, check_flag, check_name, check_tolerance
from cvxar.selection import check_beta_choice
from cvxar.simulation import EXTRAPOLATIONS
from cvxar.solver import SOLVERS


def set_arguments(model: Any, params: dict[str, Any]) -> None:
    """Set constructor arguments of a model with ``get_params``; InputError for a name that is none."""
    known = model.get_params()
    for name, value in params.items():
        if name not in known:
            raise unknown_name("parameter", name, known)
        setattr(model, name, value)


@dataclass(frozen=True)
class Terms:
    """What the settings say of the regression, checked.

    Parameters
    ----------
    lags, nonlinear : tuple of int
        All lags, ascending, and those with a network.
    hold_back : int
        Observations left out at the start, at least the longest lag.
    """

    lags: tuple[int, ...]
    nonlinear: tuple[int, ...]
    hold_back: int

    @property
    def curved(self) -> list[int]:
        """Places of the nonlinear lags among all."""
        return [self.lags.index(lag) for lag in self.nonlinear]

    @property
    def straight(self) -> list[int]:
        """Places of the other lags."""
        return [j for j, lag in enumerate(self.lags) if lag not in self.nonlinear]


@dataclass(eq=False, repr=False)
class Settings:
    """Arguments of :class:`cvxar.ConvexAR`, unchanged and unchecked until :meth:`check`.

    ``get_params`` and ``set_params`` follow scikit-learn, so that ``sklearn.base.clone`` works.

    Examples
    --------
    >>> Settings(2, skip=False)
    Settings(lags=2, skip=False)
    """

    lags: int | Sequence[int] | None = 1
    _: KW_ONLY
    trend: str = "c"
    seasonal: bool = False
    period: int | None = None
    architecture: str | Architecture = "relu"
    loss: str | Loss = "squared"
    skip: bool = True
    beta: float | str = "bic"
    beta_ratio: float | None = None
    transform: Any = None
    extrapolation: str = "ar"
    solver: str = "auto"
    tol: float = 1e-8
    nonlinear_lags: int | Sequence[int] | None = None
    hold_back: int | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments as a dictionary."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def kept(self) -> "Settings":
        """Return a copy of the arguments, lists and arrays included, which later changes do not reach."""
        kept = Settings(**self.get_params())
        for name, value in self.get_params().items():
            setattr(kept, name, copy(value) if isinstance(value, list | np.ndarray) else value)
        return kept

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; they take effect at the next ``fit``.

        Raises
        ------
        InputError
            For a name that is not an argument.
        """
        set_arguments(self, params)
        return self

    def __repr__(self) -> str:
        default = {f.name: None if f.default is MISSING else f.default for f in fields(self)}
        changed = {k: v for k, v in self.get_params().items() if not _same(v, default[k])}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"

    def check(self, count: int | None = None) -> Terms:
        """Raise for any argument that cannot be used (with ``count`` observations); return the lags.

        Raises
        ------
        InputError, InputTypeError
            Naming the argument, what was got and what is possible.
        """
        check_name("trend", self.trend, TRENDS)
        check_flag("seasonal", self.seasonal)
        if self.period is not None:
            check_count(self.period, "period", 2)
        transforms.get(self.transform)
        check_name("extrapolation", self.extrapolation, EXTRAPOLATIONS)
        check_name("solver", self.solver, SOLVERS)
        check_flag("skip", self.skip)
        check_tolerance(self.tol)
        architectures.get(self.architecture)
        losses.get(self.loss)
        check_beta_choice(self.beta, self.beta_ratio)
        return self._terms(count)

    def _terms(self, count: int | None) -> Terms:
        lags = lags_or_none(self.lags, count)
        nonlinear, least = check_subset(self.nonlinear_lags, lags), longest(lags)
        hold_back = least if self.hold_back is None else check_count(self.hold_back, "hold_back", least)
        return Terms(lags, nonlinear, hold_back)


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
