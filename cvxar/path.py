"""Solutions along a decreasing grid of penalties."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import overload

import numpy as np
import pandas as pd

from cvxar._typing import Array, ArrayLike
from cvxar.criteria import describe
from cvxar.errors import InputError, InputTypeError
from cvxar.problem import LassoProblem, check_beta
from cvxar.solver import Solution, solve


@dataclass(frozen=True)
class SolutionPath(Sequence[Solution]):
    """Certified solutions, one for each penalty, in the order of ``betas`` (decreasing)."""

    solutions: tuple[Solution, ...]

    @property
    def betas(self) -> Array:
        """Penalties."""
        return np.array([s.problem.beta for s in self.solutions])

    def __len__(self) -> int:
        return len(self.solutions)

    @overload
    def __getitem__(self, index: int) -> Solution: ...
    @overload
    def __getitem__(self, index: slice) -> "SolutionPath": ...
    def __getitem__(self, index: int | slice) -> "Solution | SolutionPath":
        if isinstance(index, slice):
            return SolutionPath(self.solutions[index])
        return self.solutions[index]

    def __iter__(self) -> Iterator[Solution]:
        return iter(self.solutions)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a penalty, made from the certificates without a pass over the data.

        Columns: beta, beta_ratio, objective, loss, l1_norm, df (features and unpenalised columns), n_units,
        n_breakpoints, rss, aic, bic, hqic (Gaussian, as statsmodels' ``AutoReg`` defines them), rounds,
        relative_gap.
        """
        return pd.DataFrame([_row(s) for s in self.solutions])


def _row(solution: Solution) -> dict[str, float]:
    beta_max, said = solution.problem.beta_max, describe(solution)
    here = {
        "beta": said.pop("beta"),
        "beta_ratio": solution.problem.beta / beta_max if beta_max > 0 else np.nan,
        "objective": solution.certificate.primal,
        "loss": said.pop("loss"),
        "l1_norm": solution.l1_norm,
        "df": said.pop("df"),
        "n_units": len(solution.coef),
        "n_breakpoints": said.pop("n_breakpoints"),
    }
    gap = said.pop("relative_gap")
    return {**here, **said, "rounds": solution.rounds, "relative_gap": gap}


def beta_grid(beta_max: float, n_betas: int, min_ratio: float) -> Array:
    """Return ``n_betas`` penalties from ``beta_max`` down to ``min_ratio * beta_max``, evenly in log.

    Examples
    --------
    >>> beta_grid(8.0, 4, 1 / 8)
    array([8., 4., 2., 1.])
    """
    if not isinstance(n_betas, Integral) or n_betas < 1:
        raise InputError(f"n_betas must be a whole number of at least 1, got {n_betas!r}")
    if not isinstance(min_ratio, Real) or not 0 < min_ratio <= 1:
        raise InputError(f"min_ratio must lie in (0, 1], got {min_ratio!r}")
    if beta_max == 0:  # the unpenalised fit is perfect: one penalty says it all
        return np.zeros(1)
    return np.geomspace(beta_max, min_ratio * beta_max, n_betas)


def solve_path(
    problem: LassoProblem,
    betas: ArrayLike | None = None,
    n_betas: int = 100,
    min_ratio: float = 1e-4,
    tol: float = 1e-8,
    solver: str = "auto",
) -> SolutionPath:
    """Solve at decreasing penalties, each solution starting the next; every one is certified.

    Parameters
    ----------
    problem : LassoProblem
        The problem; its own beta is not used.
    betas : array, optional
        Penalties, in any order (solved from the largest). By default ``n_betas`` values from
        ``beta_max`` to ``min_ratio * beta_max``, evenly spaced in logarithm.
    n_betas, min_ratio
        The default grid.
    tol, solver
        As in :func:`cvxar.solve`.

    Raises
    ------
    InputError
        For an empty grid, negative or infinite penalties, a ratio outside (0, 1].

    Examples
    --------
    >>> path = solve_path(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0, skip=True), n_betas=3)
    >>> [len(s.coef) for s in path]
    [0, 1, 1]
    """
    if not isinstance(problem, LassoProblem):
        raise InputTypeError(f"solve_path takes a LassoProblem, got {type(problem).__name__}")
    grid = beta_grid(problem.beta_max, n_betas, min_ratio) if betas is None else _checked(betas)
    solutions: list[Solution] = []
    for beta in grid:
        last = solutions[-1] if solutions else None
        solutions.append(solve(problem.with_beta(float(beta)), tol=tol, solver=solver, warm_start=last))
    return SolutionPath(tuple(solutions))


def _checked(betas: ArrayLike) -> Array:
    try:
        grid = np.atleast_1d(np.asarray(betas, dtype=float))
    except (TypeError, ValueError):
        raise InputTypeError(f"betas must be numbers, got {betas!r}") from None
    if grid.ndim != 1 or not len(grid):
        raise InputError(f"betas must be a non-empty list of penalties, got shape {grid.shape}")
    return np.sort([check_beta(float(b)) for b in grid])[::-1]
