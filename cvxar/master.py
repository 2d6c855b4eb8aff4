r"""The restricted problem over the features found so far; the only file that knows OSQP.

.. math:: \min_{x \ge 0}\; \tfrac12 \lVert A x - b \rVert^2 + c'x

with one column per signed feature, the unpenalised part projected out. OSQP proposes which features
are active, in unit-diagonal scaling; an exact active-set method, which can also do the whole work
alone, finishes (and makes OSQP's own polishing superfluous). A first-order solver alone would stop
at relative gaps of 1e-5 to 1e-4 when two features are close.
"""

import numpy as np
import scipy

from cvxar._typing import Array, IntArray

DEPENDENT = 1e-10


def propose(matrix: Array, target: Array, cost: Array, start: Array) -> Array:
    """Approximate the minimiser by OSQP, warm-started; returns a point with no negative entry.

    Accuracy does not matter: :func:`finish` takes any start. A failure of OSQP returns ``start``.
    """
    import osqp  # when first used, not by the import of the package

    norms = np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny)
    unit = matrix / norms
    linear = (cost - matrix.T @ target) / norms
    size = float(np.max(np.abs(linear), initial=0.0))
    if size == 0:
        return start
    k = len(norms)
    solver = osqp.OSQP()
    quadratic = scipy.sparse.csc_matrix(np.triu(unit.T @ unit))
    bounds = np.zeros(k), np.full(k, np.inf)
    solver.setup(
        quadratic,
        linear / size,
        scipy.sparse.eye(k, format="csc"),
        *bounds,
        eps_abs=1e-5,
        eps_rel=1e-5,
        max_iter=2000,
        verbose=False,
    )
    solver.warm_start(x=start * norms / size)
    answer = solver.solve(raise_error=False).x
    usable = answer is not None and np.all(np.isfinite(answer))
    return np.maximum(answer, 0.0) * (size / norms) if usable else start


def support(matrix: Array, target: Array, cost: Array, proposal: Array) -> Array:
    """Clear the entries of a proposal that are zero up to the accuracy of the proposer."""
    contribution = proposal * np.linalg.norm(matrix, axis=0)
    threshold = 1e-5 * float(np.max(contribution, initial=0.0))
    return np.where(contribution > threshold, proposal, 0.0)


def finish(matrix: Array, target: Array, cost: Array, start: Array) -> Array:
    """Minimise exactly by a primal active-set method from any point with no negative entry.

    An orthogonal factorisation of the active columns is updated as columns enter and leave (never
    the normal equations). A column that depends on the active ones enters by an exchange along
    the null direction. The last step is a fresh solve.
    """
    # numba is loaded by the first solve, not by the import of the package
    from cvxar import kernel_master

    active = _independent(matrix, np.flatnonzero(start > 0))
    order = np.concatenate([active, np.setdiff1d(np.arange(len(start)), active)])
    x = np.concatenate([start[active], np.zeros(len(order) - len(active))])
    table = _table(matrix[:, order], target, len(active))
    parts = table, order, x, cost[order], np.linalg.norm(table[:, :-1], axis=0)
    k = kernel_master.active_set(*parts, len(active), 50 + 20 * len(x))
    found = np.zeros(len(start))
    found[order[:k]] = _refreshed(matrix[:, order[:k]], target, cost[order[:k]], x[:k])
    return found


def _table(matrix: Array, target: Array, k: int) -> Array:
    """Turn columns and target so that the first k columns are upper triangular."""
    every = np.column_stack([matrix, target])
    if not k:
        return every
    (reflections, tau), _ = scipy.linalg.qr(matrix[:, :k], mode="raw")
    rest = np.asfortranarray(every[:, k:])
    turned, _, info = scipy.linalg.lapack.dormqr("L", "T", reflections, tau, rest, 64 * (rest.shape[1] + 1))
    if info:
        raise np.linalg.LinAlgError("the reflections of a factorisation could not be applied")
    triangle = np.zeros((len(matrix), k))
    triangle[:k] = np.triu(reflections[:k])
    return np.hstack([triangle, turned])


def _refreshed(matrix: Array, target: Array, cost: Array, now: Array) -> Array:
    """Solve for the amounts of active columns afresh, with one correction; keep them if any is negative."""
    if not len(now):
        return now
    q, r = np.linalg.qr(matrix)
    pull = scipy.linalg.solve_triangular(r, cost, trans="T")
    goal = scipy.linalg.solve_triangular(r, q.T @ target - pull)
    goal = goal + scipy.linalg.solve_triangular(r, q.T @ (target - matrix @ goal) - pull)
    return goal if np.all(goal > 0) else now


def _independent(matrix: Array, active: IntArray) -> IntArray:
    """Keep a linearly independent subset of columns, earlier ones first."""
    norms = np.linalg.norm(matrix, axis=0)
    active = active[norms[active] > 0]
    if not len(active):
        return active
    triangle = np.linalg.qr(matrix[:, active] / norms[active]).R
    diagonal = np.zeros(len(active))
    diagonal[: min(triangle.shape)] = np.abs(np.diag(triangle))
    if np.all(diagonal > DEPENDENT):
        return active
    first = int(np.argmax(diagonal <= DEPENDENT))
    return _independent(matrix, np.delete(active, first))
