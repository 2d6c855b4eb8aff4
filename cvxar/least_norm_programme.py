"""Minimum-norm fits as sparse linear programmes, solved by HiGHS: several columns, or one between bounds."""

from dataclasses import dataclass, replace

import numpy as np
import scipy

from cvxar._typing import Array, IntArray
from cvxar.errors import SolverError
from cvxar.nodal import Rows, State
from cvxar.spline import Spline, signed


@dataclass(frozen=True)
class Block:
    """Variables of one column: values f (m), slopes (m-1), kinks up and down (m-2 each), norm (1).

    ``equal @ variables = 0`` ties slopes to values and kinks to slopes; ``upper @ variables <= 0``
    bounds the norm from below by the l1 cost of the function.
    """

    equal: "scipy.sparse.csr_matrix"
    upper: "scipy.sparse.csr_matrix"
    m: int

    @property
    def size(self) -> int:
        """Number of variables."""
        return int(self.equal.shape[1])

    @property
    def lower_bounds(self) -> Array:
        """Values and slopes are free; kinks and norm at least 0."""
        bounds = np.zeros(self.size)
        bounds[: 2 * self.m - 1] = -np.inf
        return bounds


def make_block(spline: Spline) -> Block:
    """Build the constraints of one column."""
    a = spline.hinge_cost
    lines = [(a, 0.0, 0.0)] if spline.skip else [(a, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, -0.5)]
    return block_of(spline.t, lines)


def block_of(t: Array, lines: list[tuple[float, float, float]]) -> Block:
    """Build the constraints of a norm that is a maximum over lines.

    Each gives the price of total slope change, of the first slope and of the last.
    """
    m = len(t)
    differences = scipy.sparse.eye(m - 1, m, k=1) - scipy.sparse.eye(m - 1, m)
    bends = scipy.sparse.eye(m - 2, m - 1, k=1) - scipy.sparse.eye(m - 2, m - 1)
    unit, none = scipy.sparse.eye(m - 2), scipy.sparse.csr_matrix((m - 2, 1))
    equal = scipy.sparse.bmat(
        [[differences, -scipy.sparse.diags(np.diff(t)), None, None, None], [None, bends, -unit, unit, none]]
    )
    upper = np.zeros((len(lines), equal.shape[1]))
    for row, (price, first, last) in zip(upper, lines, strict=True):
        row[m] += first
        row[2 * m - 2] += last
        row[2 * m - 1 : -1] = price
        row[-1] = -1.0
    return Block(equal.tocsr(), scipy.sparse.csr_matrix(upper), m)


def fitted_target(rows: Rows, sizes: list[int]) -> Array:
    """Fitted values of the best fit by any function of each column (the target if it can be met)."""
    if any(m == len(rows.target) for m in sizes):
        return rows.target
    n = len(rows.target)
    hats = [indicator(p, n, m) for p, m in zip(rows.positions, sizes, strict=True)]
    matrix = scipy.sparse.hstack([*hats, scipy.sparse.csr_matrix(rows.extra)]).tocsr()
    root = np.sqrt(rows.weight)
    weighted = scipy.sparse.diags(root) @ matrix
    coef = scipy.sparse.linalg.lsmr(weighted, root * rows.target, atol=1e-15, btol=1e-15, maxiter=20 * n)[0]
    fitted: Array = matrix @ coef
    return fitted


def indicator(position: IntArray, n: int, m: int) -> "scipy.sparse.csr_matrix":
    """Matrix that reads the value of each row off those of the knots."""
    return scipy.sparse.csr_matrix((np.ones(n), (np.arange(n), position)), shape=(n, m))


def least_norm_programme(rows: Rows, state: State) -> tuple[State, Array]:
    """Return the minimum-norm state and the dual vector of the rows.

    Raises
    ------
    SolverError
        When HiGHS does not report an optimum.
    """
    blocks = [make_block(s) for s in state.splines]
    target = fitted_target(rows, [b.m for b in blocks])
    basis, back = independent(rows.extra)
    n, free = len(target), basis.shape[1]
    read_off = [
        scipy.sparse.hstack([indicator(p, n, b.m), scipy.sparse.csr_matrix((n, b.size - b.m))])
        for b, p in zip(blocks, rows.positions, strict=True)
    ]
    fit = scipy.sparse.hstack([*read_off, scipy.sparse.csr_matrix(basis)])
    answer = scipy.optimize.linprog(
        np.r_[
            np.concatenate([_cost(b, s.beta) for b, s in zip(blocks, state.splines, strict=True)]),
            np.zeros(free),
        ],
        A_ub=_pad([b.upper for b in blocks], free),
        b_ub=np.zeros(sum(b.upper.shape[0] for b in blocks)),
        A_eq=scipy.sparse.vstack([fit, _pad([b.equal for b in blocks], free)]).tocsc(),
        b_eq=np.r_[target, np.zeros(sum(b.equal.shape[0] for b in blocks))],
        bounds=[(low, np.inf) for b in blocks for low in b.lower_bounds] + [(None, None)] * free,
        method="highs",
    )
    if answer.status != 0:
        raise SolverError(f"the minimum-norm linear programme was not solved: {answer.message}")
    state = _read(answer.x, state, blocks)
    return replace(state, tail=back @ state.tail), np.asarray(answer.eqlin.marginals[:n])


def least_norm_between(block: Block, t: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return the values of least norm between bounds at the knots, and the dual vector of the knots.

    Raises
    ------
    SolverError
        When HiGHS does not report an optimum.
    """
    m, (rows, columns) = block.m, _scales(np.diff(t))
    least, most = block.lower_bounds, np.full(block.size, np.inf)
    least[:m], most[:m] = low, high
    unit = scipy.sparse.diags(columns)
    answer = scipy.optimize.linprog(
        _cost(block, 1.0),
        A_ub=block.upper @ unit / columns[-1],
        b_ub=np.zeros(block.upper.shape[0]),
        A_eq=scipy.sparse.diags(rows) @ block.equal @ unit,
        b_eq=np.zeros(block.equal.shape[0]),
        bounds=np.column_stack([least, most]),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if answer.status != 0:
        raise SolverError(f"the minimum-norm linear programme was not solved: {answer.message}")
    # the solution is a vertex, where kinks that are not needed are 0 to the last digit
    bent = answer.x[2 * m - 1 : 3 * m - 3] != answer.x[3 * m - 3 : 4 * m - 5]
    nodes = np.concatenate(([0], 1 + np.flatnonzero(bent), [m - 1]))
    values = np.interp(t, t[nodes], np.clip(answer.x[:m], low, high)[nodes])
    return values, np.asarray(answer.lower.marginals[:m] + answer.upper.marginals[:m])


def _scales(gaps: Array) -> tuple[Array, Array]:
    """Scales of the rows and variables of a column, so that no coefficient is as small as a gap.

    HiGHS takes those below 1e-9 for 0. Slopes become rises; kinks share what is left between row and price.
    """
    root = np.sqrt(np.minimum(gaps[1:], gaps[:-1]))
    rows = np.concatenate([np.ones(len(gaps)), root**2])
    least = np.sqrt(np.min(gaps))
    return rows, np.concatenate([np.ones(len(gaps) + 1), 1 / gaps, 1 / root, 1 / root, [1 / least]])


def independent(columns: Array) -> tuple[Array, Array]:
    """Return columns of size 1 that span the same space, and the matrix from their coefficients to the old.

    HiGHS stops without an answer where columns nearly depend on each other.
    """
    u, s, vt = np.linalg.svd(columns, full_matrices=False)
    rank = int(np.sum(s > 1e-12 * s[0])) if len(s) else 0
    size = np.max(np.abs(u[:, :rank]), axis=0, initial=0.0)
    return u[:, :rank] / size, vt[:rank].T / (s[:rank] * size)


def _cost(block: Block, beta: float) -> Array:
    cost = np.zeros(block.size)
    cost[-1] = beta
    return cost


def _pad(matrices: "list[scipy.sparse.csr_matrix]", free: int) -> "scipy.sparse.csr_matrix":
    joined = scipy.sparse.block_diag(matrices)
    return scipy.sparse.hstack([joined, scipy.sparse.csr_matrix((joined.shape[0], free))]).tocsr()


def _read(x: Array, state: State, blocks: list[Block]) -> State:
    """Turn the variables into splines; kinks the programme left at zero are no nodes."""
    splines, start = [], 0
    for spline, block in zip(state.splines, blocks, strict=True):
        m = block.m
        own = x[start : start + block.size]
        kinks = own[2 * m - 1 : 3 * m - 3] - own[3 * m - 3 : 4 * m - 5]
        straight = np.abs(kinks) <= 1e-11 * np.max(np.abs(kinks), initial=0.0)
        full = replace(spline, nodes=np.arange(m), value=own[:m], slope=own[m : 2 * m - 1], sign=np.zeros(m))
        splines.append(signed(full.without(np.concatenate(([False], straight, [False])))))
        start += block.size
    return State(tuple(splines), x[start:])
