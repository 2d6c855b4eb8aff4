"""Solve a problem to a certified global optimum."""

import time
import warnings
from dataclasses import replace
from numbers import Integral, Real

import numpy as np

from cvxar._typing import Array
from cvxar.bounded_columns import search_bounded_columns
from cvxar.bounded_nodes import search_bounded_nodes
from cvxar.cell_search import search_cells
from cvxar.cells import CellState
from cvxar.certificate import certify, certify_least_norm
from cvxar.coefficients import Coefficients
from cvxar.column_search import search_columns
from cvxar.errors import CertificateWarning, InputError, InputTypeError, PrecisionWarning, unknown_name
from cvxar.lazy_search import LazyState, solve_lazily
from cvxar.least_norm import check_limit, least_norm
from cvxar.least_norm_columns import least_norm_columns
from cvxar.least_norm_steps import least_norm_steps
from cvxar.nodal import State
from cvxar.nodal_search import search
from cvxar.problem import LassoProblem
from cvxar.ramp_least_norm import least_norm_ramps
from cvxar.ramp_search import RampState, search_ramps
from cvxar.solution import Solution
from cvxar.spline import Spline
from cvxar.unpenalised import with_free_coef

SOLVERS = ("auto", "osqp", "active-set")
FINISH_ROUNDS = 20
# for the second attempt of "auto": n k^2, the work of one step, and n k, the entries of the matrix
LARGEST_FINISH, LARGEST_MATRIX = 100_000_000, 5_000_000


def solve(
    problem: LassoProblem,
    *,
    tol: float = 1e-8,
    solver: str = "auto",
    max_rounds: int = 500,
    warm_start: Solution | None = None,
) -> Solution:
    r"""Solve a problem to a certified global optimum.

    Column generation: search the dictionary for the features most correlated with the residual,
    solve the problem restricted to the features found so far exactly, repeat until the duality
    gap is below ``tol`` times the objective. The certificate of the answer is then recomputed
    from the problem (:func:`cvxar.certificate.certify`).

    Parameters
    ----------
    problem : LassoProblem
        The problem.
    tol : float, default 1e-8
        Relative duality gap to reach.
    solver : {"auto", "osqp", "active-set"}
        How restricted problems are solved. ``"active-set"``: exact active set, on nodal values for
        two-layer networks with a constant (about 10 times faster), else on the features. ``"osqp"``:
        OSQP proposes the active features and the exact active set finishes. ``"auto"`` takes the
        active set on nodal values, and on features where the first stops short (several nearly
        dependent columns can do that). All reach the same optimum. The choice concerns the squared
        loss; the restricted problems of every other loss are solved by an interior-point method
        (:mod:`cvxar.interior`), because first-order methods stall on linear programmes.
    max_rounds : int, default 500
        Most searches of the dictionary.
    warm_start : Solution, optional
        A solution of the same data (at another penalty, say) to start from. It changes the
        time, not the answer.

    Returns
    -------
    Solution

    Warns
    -----
    CertificateWarning
        When the gap reached is above ``tol``; the certificate says what was reached.

    Raises
    ------
    InputError
        For a tolerance that is not positive, an unknown solver, or a warm start from other data.

    Examples
    --------
    >>> solution = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1, skip=True))
    >>> print(solution.certificate)
    objective 0.07, proven within ... (relative) of the global optimum
    """
    _check_options(problem, tol, solver, max_rounds, warm_start)
    started = time.perf_counter()
    solution = replace(
        _run(problem, tol, solver, max_rounds, warm_start), seconds=time.perf_counter() - started
    )
    if not solution.certificate.holds(tol):
        _warn(solution, tol)
    return solution


def _grain(solution: Solution) -> float:
    """Rounding of the correlations, which beta is compared with: they are sums of |dual| times distances."""
    design = solution.problem.design
    sums = np.abs(solution.dual) @ np.abs(design.x - design.centers)
    return float(np.finfo(float).eps * np.max(sums))


def _warn(solution: Solution, tol: float) -> None:
    """Say that the tolerance was missed, and whether more digits or more work would be needed."""
    problem, gap = solution.problem, solution.certificate.relative_gap
    grain = _grain(solution)
    said = (
        f"stopped at a relative duality gap of {gap:.1e}, above tol={tol:g}; "
        "the certificate says what holds. "
    )
    if grain > tol * problem.beta:
        remedy = (
            f"beta={problem.beta:g} is too small for the data's digits: correlations are rounded by about "
            f"{grain:.1e}. Use a beta of at least {grain / tol:.1e}, or a larger tol"
        )
        warnings.warn(said + remedy, PrecisionWarning, stacklevel=3)
    else:
        remedy = "A larger beta, tol or max_rounds may help"
        warnings.warn(said + remedy, CertificateWarning, stacklevel=3)


def _check_options(
    problem: LassoProblem, tol: float, solver: str, max_rounds: int, warm_start: Solution | None
) -> None:
    if not isinstance(problem, LassoProblem):
        raise InputTypeError(f"solve takes a LassoProblem, got {type(problem).__name__}")
    if solver not in SOLVERS:
        raise unknown_name("solver", solver, SOLVERS)
    if not isinstance(tol, Real) or isinstance(tol, bool) or not tol > 0:
        raise InputError(f"tol must be a positive number, got {tol!r}; 1e-8 is the default")
    if not isinstance(max_rounds, Integral) or max_rounds < 1:
        raise InputError(f"max_rounds must be a whole number of at least 1, got {max_rounds!r}")
    if warm_start is not None and not isinstance(warm_start, Solution):
        raise InputTypeError(f"warm_start must be a Solution, got {type(warm_start).__name__}")
    if warm_start is not None and warm_start.problem.design is not problem.design:
        raise InputError(
            "warm_start is a solution of other data; derive the problem by problem.with_beta(...) "
            "or leave it out"
        )


def _run(
    problem: LassoProblem, tol: float, solver: str, max_rounds: int, warm_start: Solution | None
) -> Solution:
    if _is_linear(problem):
        free = problem.free_fit
        point, dual = with_free_coef(problem, (), np.empty(0), free.coef), free.dual
        prove = certify if problem.beta > 0 else certify_least_norm
        return Solution(problem, point, prove(problem, point, dual), dual, 0, 0.0, None)
    if not problem.loss.quadratic and problem.beta > 0:
        return _with_bounded_slopes(problem, tol, max_rounds, warm_start)
    check_limit(problem)
    form = problem.architecture.ramp_form if problem.design.one_column else None
    if problem.beta == 0:
        point, dual, rounds = _least_norm(problem) if form is None else least_norm_ramps(problem, form)
        return Solution(problem, point, certify_least_norm(problem, point, dual), dual, rounds, 0.0, None)
    if solver != "osqp" and form is not None:
        start = warm_start.state if warm_start and isinstance(warm_start.state, RampState) else None
        return _certified(problem, *search_ramps(problem, form, tol / 4, max_rounds, start))
    if solver == "osqp" or not problem.fit_intercept or problem.architecture.hinge_cost is None:
        first = warm_start.point if warm_start else None
        return _certified(
            problem, *search_columns(problem, tol / 4, max_rounds, solver == "osqp", first), None
        )
    solution = _by_nodes(problem, tol, max_rounds, warm_start.state if warm_start else None)
    if solver == "auto" and solution.rounds < max_rounds and _worth_finishing(solution, tol):
        return _finished_on_features(solution, tol, max_rounds)
    return solution


def _least_norm(problem: LassoProblem) -> tuple[Coefficients, Array, int]:
    """Solve the limit of no penalty by the sparsest programme the architecture has."""
    if problem.architecture.hinge_cost is not None:
        return least_norm(problem)
    cost = problem.architecture.jump_cost
    return least_norm_columns(problem) if cost is None else least_norm_steps(problem, cost)


def _with_bounded_slopes(
    problem: LassoProblem, tol: float, max_rounds: int, warm_start: Solution | None
) -> Solution:
    """Solve a problem whose loss is not the squared one: on nodal values if it can be, or on features."""
    plain = _as_squared(problem, tol, max_rounds, warm_start) if problem.loss.curvature == 1 else None
    if plain is not None and plain.certificate.holds(tol):
        return plain
    start = warm_start
    if problem.design.one_column and problem.architecture.hinge_cost is not None:
        state = warm_start.state if warm_start and isinstance(warm_start.state, Spline) else None
        found = search_bounded_nodes(problem, tol / 4, max_rounds, state)
        start = None if found is None else _certified(problem, *found)
        if start is not None and (start.certificate.holds(tol) or not _small(start)):
            return start
    first = start.point if start is not None else None
    again = _certified(problem, *search_bounded_columns(problem, tol / 4, max_rounds, first), None)
    if start is None or start is warm_start:
        return again
    return min(start, again, key=lambda solution: solution.certificate.relative_gap)


def _as_squared(
    problem: LassoProblem, tol: float, max_rounds: int, warm_start: Solution | None
) -> Solution | None:
    """Solve by least squares: the optimum, unless a residual is beyond the bounds of the loss."""
    plain = _run(problem.with_squared_loss(), tol, "auto", max_rounds, warm_start)
    if not problem.loss.is_squared_at(plain.dual, problem.design.weight):
        return None
    certificate = certify(problem, plain.point, plain.dual)
    return replace(plain, problem=problem, certificate=certificate, found_dual=plain.dual)


def _small(solution: Solution) -> bool:
    """Whether a second attempt on features is affordable."""
    return len(solution.problem.design.e) * len(solution.coef) <= LARGEST_MATRIX


def _worth_finishing(solution: Solution, tol: float) -> bool:
    """Whether a second attempt on features is needed, affordable, and not doomed for lack of digits."""
    if solution.certificate.holds(tol):
        return False  # before the coefficients are asked for, which makes them
    work = len(solution.problem.y) * len(solution.coef) ** 2
    return work <= LARGEST_FINISH and _grain(solution) <= tol * solution.problem.beta


def _is_linear(problem: LassoProblem) -> bool:
    """Whether no feature is needed: nothing varies, or (checked where it is cheap) beta >= beta_max."""
    design = problem.design
    if not np.any(design.widths > 0):
        return True
    nodal = problem.beta > 0 and problem.architecture.hinge_cost is not None
    finds_out = design.one_column and (problem.loss.quadratic or (nodal and not problem.beta_max_known))
    return not finds_out and problem.beta >= problem.beta_max


def _by_nodes(problem: LassoProblem, tol: float, max_rounds: int, start: object) -> Solution:
    """Solve on nodal values: lazily sorted, compiled for one column, or for several."""
    if problem.design.lazily_sorted and not isinstance(start, CellState):
        lazy_start = start if isinstance(start, LazyState) else None
        lazily = solve_lazily(problem, tol / 4, max_rounds, lazy_start)
        if lazily is not None and lazily.certificate.holds(tol):
            return Solution(
                problem, lazily.source, lazily.certificate, None, lazily.rounds, 0.0, lazily.state
            )
    if problem.design.one_column:
        warm = start if isinstance(start, CellState) else None
        found = search_cells(problem, tol / 4, max_rounds, warm)
        return Solution(problem, found.source, found.certificate, found.dual, found.rounds, 0.0, found.state)
    return _certified(
        problem, *search(problem, tol / 4, max_rounds, start if isinstance(start, State) else None)
    )


def _certified(
    problem: LassoProblem,
    point: Coefficients,
    dual: Array,
    rounds: int,
    state: State | CellState | RampState | Spline | None,
) -> Solution:
    return Solution(problem, point, certify(problem, point, dual), dual, rounds, 0.0, state)


def _finished_on_features(first: Solution, tol: float, max_rounds: int) -> Solution:
    """Go on in feature space from where the nodal solver stopped; keep the better of the two."""
    problem = first.problem
    rounds = min(max_rounds, FINISH_ROUNDS)
    found = _certified(problem, *search_columns(problem, tol / 4, rounds, False, first.point), None)
    return first if first.certificate.relative_gap <= found.certificate.relative_gap else found
