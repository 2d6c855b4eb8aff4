r"""The restricted problem over the features found so far; the only file that knows OSQP.

.. math:: \min_{x \ge 0}\; \tfrac12 \lVert A x - b \rVert^2 + c'x

with one column per signed feature, the unpenalised part projected out. OSQP proposes which features
are active, in unit-diagonal scaling; an exact active-set method, which can also do the whole work
alone, finishes (and makes OSQP's own polishing superfluous). A first-order solver alone would stop
at relative gaps of 1e-5 to 1e-4 when two features are close.
"""

import numpy as np
import osqp
from scipy import sparse
from scipy.linalg import solve_triangular

from cvxar._typing import Array, IntArray

DEPENDENT = 1e-10


def propose(matrix: Array, target: Array, cost: Array, start: Array) -> Array:
    """Approximate the minimiser by OSQP, warm-started; returns a point with no negative entry.

    Accuracy does not matter: :func:`finish` takes any start. A failure of OSQP returns ``start``.
    """
    norms = np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny)
    unit = matrix / norms
    linear = (cost - matrix.T @ target) / norms
    size = float(np.max(np.abs(linear), initial=0.0))
    if size == 0:
        return start
    k = len(norms)
    solver = osqp.OSQP()
    quadratic = sparse.csc_matrix(np.triu(unit.T @ unit))
    bounds = np.zeros(k), np.full(k, np.inf)
    solver.setup(
        quadratic,
        linear / size,
        sparse.eye(k, format="csc"),
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

    Each step is a QR least-squares solve on the active columns (never the normal equations). A
    column that depends on the active ones enters by an exchange along the null direction.
    """
    x = start.copy()
    active = _independent(matrix, np.flatnonzero(x > 0))
    x[np.setdiff1d(np.arange(len(x)), active)] = 0.0
    for _ in range(50 + 20 * len(x)):
        x, active, moved_fully = _towards_optimum(matrix, target, cost, x, active)
        if not moved_fully:
            continue
        entering = _violation(matrix, target, cost, x, active)
        if entering is None:
            return x
        x, active = _enter(matrix, x, active, entering)
    return x


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


def _towards_optimum(
    matrix: Array, target: Array, cost: Array, x: Array, active: IntArray
) -> tuple[Array, IntArray, bool]:
    """Move to the optimum over the active columns, or to the first entry that reaches zero."""
    if not len(active):
        return x, active, True
    q, r = np.linalg.qr(matrix[:, active])
    pull = solve_triangular(r, cost[active], trans="T")
    goal = solve_triangular(r, q.T @ target - pull)
    goal = goal + solve_triangular(r, q.T @ (target - matrix[:, active] @ goal) - pull)
    now = x[active]
    if np.all(goal > 0):
        x[active] = goal
        return x, active, True
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(goal <= 0, now / (now - goal), np.inf)
    ratio = np.where(np.isnan(ratio), 0.0, ratio)
    length = float(np.min(ratio))
    x[active] = np.maximum(now + length * (goal - now), 0.0)
    leaving = ratio <= length
    x[active[leaving]] = 0.0
    return x, active[~leaving], False


def _violation(matrix: Array, target: Array, cost: Array, x: Array, active: IntArray) -> int | None:
    """Most violated optimality condition among the inactive columns, beyond rounding."""
    residual = target - matrix @ x
    norms = np.linalg.norm(matrix, axis=0)
    noise = 1e-13 * (np.linalg.norm(target) + np.linalg.norm(residual)) * norms
    excess = np.where(norms > 0, matrix.T @ residual - cost - noise - 1e-12 * cost, -1.0)
    excess[active] = -1.0
    best = int(np.argmax(excess / np.maximum(norms, np.finfo(float).tiny)))
    return best if excess[best] > 0 else None


def _enter(matrix: Array, x: Array, active: IntArray, entering: int) -> tuple[Array, IntArray]:
    column = matrix[:, entering]
    direction = np.linalg.lstsq(matrix[:, active], column, rcond=None)[0] if len(active) else np.empty(0)
    rest = column - matrix[:, active] @ direction
    if np.linalg.norm(rest) > DEPENDENT * np.linalg.norm(column):
        return x, np.append(active, entering)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(direction > 0, x[active] / direction, np.inf)
    length = float(np.min(ratio, initial=np.inf))
    if not np.isfinite(length):
        return x, active
    x[active] = np.maximum(x[active] - length * direction, 0.0)
    x[entering] = length
    leaving = int(np.argmin(ratio))
    x[active[leaving]] = 0.0
    return x, np.append(np.delete(active, leaving), entering)
