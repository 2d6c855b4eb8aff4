"""Solutions along a decreasing grid of penalties."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import overload

import numpy as np
import pandas as pd

from cvxar._typing import Array, ArrayLike
from cvxar.criteria import describe
from cvxar.errors import CertificateWarning, InputError, InputTypeError, unknown_name
from cvxar.homotopy import between, check_homotopy, follow, has_kink_path
from cvxar.options import check_tolerance
from cvxar.problem import LassoProblem, check_beta
from cvxar.solution import Solution
from cvxar.solver import solve

METHODS = ("grid", "homotopy")
N_BETAS = 100


@dataclass(frozen=True, repr=False)
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

    def at(self, beta: float, tol: float = 1e-8) -> Solution:
        """Return the certified solution at any penalty.

        Linear interpolation of its two neighbours in beta, certified afresh: the exact solution on a path of
        ``method="homotopy"``. Where that is not within ``tol`` (other paths), or ``beta`` lies outside the
        path, the problem is solved at ``beta``, starting from the nearest solution above.

        Raises
        ------
        InputError
            For an empty path, a negative or infinite penalty.

        Examples
        --------
        >>> problem = LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0, skip=True)
        >>> solve_path(problem, method="homotopy").at(0.1).coef.round(12)
        array([0.4])
        """
        beta = check_beta(beta)
        if not self.solutions:
            raise InputError("an empty path has no solutions to interpolate; take a slice that holds some")
        after = int(np.searchsorted(-self.betas, -beta))  # the first with a penalty of at most beta
        if after < len(self) and self.betas[after] == beta:
            return self[after]
        inside = 0 < after < len(self) and has_kink_path(self[0].problem)
        if inside:
            mixed = between(self[after - 1], self[after], beta)
            if mixed.certificate.holds(tol):
                return mixed
        start = self[max(after - 1, 0)]
        return solve(start.problem.with_beta(beta), tol=tol, warm_start=start)

    def to_frame(self) -> pd.DataFrame:
        r"""Return one row a penalty, made from the certificates without a pass over the data; O(k) a row.

        Returns
        -------
        DataFrame
            In the order of ``betas``, with columns

            - ``beta``, in the units of x times y, and ``beta_ratio``, its share of ``beta_max`` (NaN if
              that is 0);
            - ``objective`` = loss + beta l1_norm, ``loss``, for the squared loss in the units of y squared,
              and ``l1_norm`` = :math:`\sum_j |z_j|`, in the units of y / x;
            - ``df``: active features and unpenalised columns; ``n_units``: active features;
              ``n_breakpoints``: kinks and jumps of the fitted map;
            - ``rss`` = 2 loss for the squared loss, else NaN;
            - ``aic``, ``bic``, ``hqic`` = :math:`-2 \ell + c_n (\mathrm{df} + 1)` with the log likelihood
              of the loss (:func:`cvxar.criteria.likelihood`), as statsmodels' ``AutoReg`` defines them;
            - ``rounds``: searches of the dictionary, 0 at the events of an exact path; ``relative_gap``:
              proven distance from the optimum.

            Along an exact path the least value of a criterion in the table is the least of all penalties
            in its range: between two events df stays and the loss rises with beta.

        Examples
        --------
        >>> problem = LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0, skip=True)
        >>> solve_path(problem, n_betas=2, min_ratio=0.6).to_frame()[["beta_ratio", "df", "l1_norm"]].round(9)
           beta_ratio  df  l1_norm
        0         1.0   2      0.0
        1         0.6   3      0.4
        """
        return pd.DataFrame([_row(s) for s in self.solutions])

    def __repr__(self) -> str:
        if not self.solutions:
            return "SolutionPath(0 solutions)"
        gap, betas = max(s.certificate.relative_gap for s in self), self.betas
        return (
            f"SolutionPath({len(self)} solutions, beta {betas[0]:.3g} .. {betas[-1]:.3g}, "
            f"largest relative gap {gap:.1e})"
        )


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
    n_betas: int | None = None,
    min_ratio: float = 1e-4,
    tol: float = 1e-8,
    solver: str = "auto",
    method: str = "grid",
) -> SolutionPath:
    """Solve at decreasing penalties, each solution starting the next; every one is certified.

    Parameters
    ----------
    problem : LassoProblem
        The problem; its own beta is not used.
    betas : array, optional
        Penalties, in any order (solved from the largest). By default ``n_betas`` (100) values from
        ``beta_max`` to ``min_ratio * beta_max``, evenly spaced in logarithm.
    n_betas, min_ratio
        The default grid.
    tol, solver
        As in :func:`cvxar.solve`.
    method : {"grid", "homotopy"}
        ``"homotopy"`` returns the solutions at every penalty where a kink comes or goes (without a skip
        connection also where end slopes begin or cease to be priced), from ``beta_max`` to
        ``min_ratio * beta_max``; in between :meth:`SolutionPath.at` interpolates exactly. For two-layer
        ReLU, leaky ReLU and absolute-value networks with squared loss on one column of at most 10,000
        observations; O(n + k) for each of a few hundred to thousands of events, each kept with O(n) memory.
        ``betas``, ``n_betas`` and ``solver`` do not apply. See :mod:`cvxar.homotopy`.

    Warns
    -----
    CertificateWarning
        When a solution stops above ``tol``, or a stretch of the exact path is not proven within it.

    Raises
    ------
    InputError
        For an empty grid, negative or infinite penalties, a ratio outside (0, 1], a problem or options
        that do not go with ``method="homotopy"``.

    Examples
    --------
    >>> path = solve_path(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0, skip=True), n_betas=3)
    >>> [len(s.coef) for s in path]
    [0, 1, 1]
    """
    if not isinstance(problem, LassoProblem):
        raise InputTypeError(f"solve_path takes a LassoProblem, got {type(problem).__name__}")
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method == "homotopy":
        return _followed(problem, betas, n_betas, min_ratio, tol, solver)
    count = N_BETAS if n_betas is None else n_betas
    grid = beta_grid(problem.beta_max, count, min_ratio) if betas is None else _checked(betas)
    solutions: list[Solution] = []
    for beta in grid:
        last = solutions[-1] if solutions else None
        solutions.append(solve(problem.with_beta(float(beta)), tol=tol, solver=solver, warm_start=last))
    return SolutionPath(tuple(solutions))


def _followed(
    problem: LassoProblem,
    betas: ArrayLike | None,
    n_betas: int | None,
    min_ratio: float,
    tol: float,
    solver: str,
) -> SolutionPath:
    """Follow the exact path, after a look at the options."""
    if betas is not None or n_betas is not None or solver != "auto":
        raise InputError(
            'method="homotopy" finds the penalties itself; leave out betas, n_betas and solver, then ask '
            "path.at(beta)"
        )
    check_tolerance(tol)
    check_homotopy(problem)
    beta_grid(problem.beta_max, 1, min_ratio)  # checks the ratio
    if problem.beta_max == 0:
        return SolutionPath((solve(problem.with_beta(0.0), tol=tol),))
    found = list(follow(problem, float(min_ratio), tol))
    path = SolutionPath(tuple(solution for solution, _ in found))
    if not all(proven for _, proven in found):
        _warn_of_stretches(path, [proven for _, proven in found], tol)
    return path


def _warn_of_stretches(path: SolutionPath, proven: list[bool], tol: float) -> None:
    """Say where a path is not proven to be exact."""
    betas, odd = path.betas, [i for i, sure in enumerate(proven) if not sure]
    first, last = betas[max(odd[0] - 1, 0)], betas[odd[-1]]
    warnings.warn(
        f"{len(odd)} of {len(path)} stretches of the path, between beta={first:.6g} and beta={last:.6g}, are "
        f"not proven within tol={tol:g}: the data have too few digits to tell events apart. path.at(beta) "
        "solves afresh where interpolation is not proven; a larger min_ratio or tol may help",
        CertificateWarning,
        stacklevel=4,
    )


def _checked(betas: ArrayLike) -> Array:
    try:
        grid = np.atleast_1d(np.asarray(betas, dtype=float))
    except (TypeError, ValueError):
        raise InputTypeError(f"betas must be numbers, got {betas!r}") from None
    if grid.ndim != 1 or not len(grid):
        raise InputError(f"betas must be a non-empty list of penalties, got shape {grid.shape}")
    return np.sort([check_beta(float(b)) for b in grid])[::-1]
