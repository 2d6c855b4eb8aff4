"""The arguments of an autoregression: kept as given, read, changed and compared, checked before any work."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, MISSING, dataclass, fields
from typing import Any, Self

from cvxar import architectures, losses
from cvxar.architectures import Architecture
from cvxar.errors import InputError, unknown_name
from cvxar.lags import check_lags
from cvxar.losses import Loss
from cvxar.options import check_flag, check_name, check_tolerance
from cvxar.selection import check_beta_choice
from cvxar.simulation import EXTRAPOLATIONS
from cvxar.solver import SOLVERS

TRENDS = ("n", "c")


@dataclass(eq=False, repr=False)
class Settings:
    """Arguments of :class:`cvxar.ConvexAR`, unchanged and unchecked until :meth:`check`.

    ``get_params`` and ``set_params`` follow scikit-learn, so that ``sklearn.base.clone`` works.

    Examples
    --------
    >>> Settings(2, skip=False)
    Settings(lags=2, skip=False)
    """

    lags: int | Sequence[int] = 1
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

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments as a dictionary."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; they take effect at the next ``fit``.

        Raises
        ------
        InputError
            For a name that is not an argument.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise unknown_name("parameter", name, known)
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        default = {f.name: None if f.default is MISSING else f.default for f in fields(self)}
        changed = {k: v for k, v in self.get_params().items() if not _same(v, default[k])}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"

    def check(self) -> tuple[int, ...]:
        """Raise for any argument that cannot be used; return the lags.

        Raises
        ------
        InputError, InputTypeError
            Naming the argument, what was got and what is possible.
        """
        check_name("trend", self.trend, TRENDS)
        for name, only in (("seasonal", False), ("period", None), ("transform", None)):
            if getattr(self, name) is not only:
                raise InputError(f"{name}={getattr(self, name)!r} is not available; leave it at {only}")
        check_name("extrapolation", self.extrapolation, EXTRAPOLATIONS)
        check_name("solver", self.solver, SOLVERS)
        check_flag("skip", self.skip)
        check_tolerance(self.tol)
        architectures.get(self.architecture)
        losses.get(self.loss)
        check_beta_choice(self.beta, self.beta_ratio)
        return check_lags(self.lags)


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
