r"""The minimum-l1-norm fit of two-layer sign and threshold networks: a sparse linear programme.

A unit is a single step, so the norm of a function of one column is its total variation divided by the height
of a step. The programme is written in the values and jumps of each column,

.. math:: \min \sum_j c\,(p_j + q_j) \quad\text{such that}\quad f_{j+1} - f_j = p_j - q_j \ge -q_j,

with the sum of all columns and of the unpenalised part fixed, or between bounds, at every row.
"""

from typing import NamedTuple

import numpy as np
import scipy

from cvxar._typing import Array
from cvxar.coefficients import Coefficients
from cvxar.errors import SolverError
from cvxar.least_norm_columns import Wanted, best_fits
from cvxar.least_norm_programme import independent, indicator
from cvxar.problem import LassoProblem
from cvxar.rows import Samples, samples_of
from cvxar.unpenalised import with_free_part

NEGLIGIBLE = 1e-11


class Jumps(NamedTuple):
    """Jumps between the knots of every column, rise of the fit above its bound, dual vector of the rows."""

    jumps: list[Array]
    rise: Array
    dual: Array


def least_norm_steps(problem: LassoProblem, cost: float) -> tuple[Coefficients, Array, int]:
    """Return the point, a dual vector (data units) and the number of rounds (one).

    Raises
    ------
    SolverError
        When HiGHS finds no optimum.
    """
    design = problem.design
    samples = samples_of(design)
    wanted = best_fits(problem, samples)
    found = _solved(wanted, samples, [len(c.knots) for c in design.columns], cost)
    size = max((float(np.max(np.abs(j), initial=0.0)) for j in found.jumps), default=0.0)
    gaps = [np.flatnonzero(np.abs(j) > NEGLIGIBLE * size) for j in found.jumps]
    features = tuple(
        steps[g].on_column(i)
        for i, (steps, own) in enumerate(
            zip((c.dictionary.spanning() for c in design.columns), gaps, strict=True)
        )
        for g in own
    )
    active = np.concatenate([jumps[own] for jumps, own in zip(found.jumps, gaps, strict=True)])
    share = (found.dual / samples.root**2)[samples.row] * design.weight
    met = None if problem.loss.quadratic else (wanted.low + found.rise)[samples.row]
    return with_free_part(problem, features, active * cost * design.y_scale, met), share, 1


def _solved(wanted: Wanted, samples: Samples, sizes: list[int], cost: float) -> Jumps:
    """Solve the programme: values and jumps up and down of every column, unpenalised part, rises."""
    n, loose = len(wanted.low), wanted.loose
    free, _ = independent(wanted.free)
    parts = [_column(m) for m in sizes]
    read_off = [
        scipy.sparse.hstack([indicator(p, n, m), scipy.sparse.csr_matrix((n, 2 * (m - 1)))])
        for p, m in zip(samples.positions, sizes, strict=True)
    ]
    rises = scipy.sparse.csr_matrix((-np.ones(len(loose)), (loose, np.arange(len(loose)))), (n, len(loose)))
    tied = scipy.sparse.block_diag(parts)
    padding = scipy.sparse.csr_matrix((tied.shape[0], free.shape[1] + len(loose)))
    rows = scipy.sparse.hstack([*read_off, scipy.sparse.csr_matrix(free), rises])
    least, most, price = (np.concatenate(c) for c in zip(*(_bounds(m, cost) for m in sizes), strict=True))
    some, none = np.full(free.shape[1], np.inf), np.zeros(len(loose))
    answer = scipy.optimize.linprog(
        np.concatenate([price, 0 * free[0], none]),
        A_eq=scipy.sparse.vstack([rows, scipy.sparse.hstack([tied, padding])]).tocsc(),
        b_eq=np.concatenate([wanted.low, np.zeros(tied.shape[0])]),
        bounds=np.column_stack(
            [np.concatenate([least, -some, none]), np.concatenate([most, some, wanted.room[loose]])]
        ),
        method="highs",
    )
    if answer.status != 0:
        raise SolverError(f"the minimum-norm linear programme was not solved: {answer.message}")
    rise = np.zeros(n)
    rise[loose] = answer.x[len(answer.x) - len(loose) :]
    starts = np.cumsum([0, *(p.shape[1] for p in parts)])
    jumps = [_jumps(answer.x[s:], m) for s, m in zip(starts[:-1], sizes, strict=True)]
    return Jumps(jumps, rise, np.asarray(answer.eqlin.marginals[:n]))


def _column(m: int) -> "scipy.sparse.csr_matrix":
    """Differences of the values less the jumps up, plus the jumps down: 0."""
    unit = scipy.sparse.eye(m - 1)
    differences = scipy.sparse.eye(m - 1, m, k=1) - scipy.sparse.eye(m - 1, m)
    return scipy.sparse.hstack([differences, -unit, unit]).tocsr()


def _bounds(m: int, cost: float) -> tuple[Array, Array, Array]:
    """Bounds and price of the variables of a column; the first value is 0, the constant being free."""
    least, most, price = np.zeros(3 * m - 2), np.full(3 * m - 2, np.inf), np.full(3 * m - 2, cost)
    least[1:m], most[0], price[:m] = -np.inf, 0.0, 0.0
    return least, most, price


def _jumps(x: Array, m: int) -> Array:
    return x[m : 2 * m - 1] - x[2 * m - 1 : 3 * m - 2]
