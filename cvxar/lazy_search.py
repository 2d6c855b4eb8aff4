"""The compiled solver on lazily sorted data: coarse cells first, points only where a kink may lie."""

from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.buckets import LazyCells
from cvxar.cell_search import EXACT, scaled_certificate, search_on, setting_of, sketch_of
from cvxar.cells import Cells, CellState, Setting, flat_state
from cvxar.certificate import Certificate
from cvxar.coefficients import Coefficients, Source
from cvxar.lazy_bound import LEVELS, Bounded, bounded
from cvxar.problem import LassoProblem

ROUGH = 1e-4


class LazyState(NamedTuple):
    """A state for warm starts: the inputs at its nodes stay anchors however the cells are refined."""

    inputs: Array
    state: CellState

    def on(self, lazy: LazyCells) -> CellState:
        """Find the nodes among the cells as they stand."""
        return self.state._replace(nodes=np.searchsorted(lazy.input, self.inputs))


class Lazily(NamedTuple):
    """What a lazy search returns."""

    source: Source
    certificate: Certificate
    rounds: int
    state: LazyState

    @property
    def point(self) -> Coefficients:
        """The coefficients."""
        return self.source.coefficients


def search_lazily(
    lazy: LazyCells, how: Setting, tol: float, max_rounds: int, start: LazyState | None = None
) -> tuple[CellState, Bounded, int] | None:
    """Search, refine, repeat; None where no level of refinement settles it.

    The first search is a rough one: its solution only says where cells must be refined.
    """
    state, total = start.on(lazy) if start is not None else flat_state(lazy.cells), 0
    for level in range(LEVELS):
        goal, exact = (tol, max(EXACT, tol * 1e-3)) if level else (ROUGH, ROUGH)
        state, _, done = search_on(lazy.cells, state, how, goal, exact, max_rounds)
        total += done
        priced = bounded(lazy, state, how)
        wanted = (priced.bounds > priced.limit * (1 - 1e-9)) & ~lazy.single
        refinable = bool(wanted.any())
        if priced.gap <= tol * priced.primal or (level and not refinable):
            return state, priced, total
        if refinable:
            state = state._replace(nodes=lazy.refine(wanted)[state.nodes])
    return None


def solve_lazily(
    problem: LassoProblem, tol: float, max_rounds: int, start: LazyState | None = None
) -> Lazily | None:
    """Solve without sorting all data; None where that does not settle it (see :func:`search_lazily`).

    The certificate is made of the sums of the cells, which are exact, and of bounds on the
    correlations inside them.
    """
    with problem.design.lazy.lock:
        return _solve(problem, problem.design.lazy, tol, max_rounds, start)


def _solve(
    problem: LassoProblem, lazy: LazyCells, tol: float, max_rounds: int, start: LazyState | None
) -> Lazily | None:
    how = setting_of(problem)
    found = search_lazily(lazy, how, tol, max_rounds, start)
    if found is None or _rounding(lazy.cells) > tol * found[1].primal:
        return None
    state, priced, rounds = found
    source = sketch_of(problem, lazy.cells, lazy.input, state, how)
    certificate = scaled_certificate(problem, priced.primal, priced.gap)
    return Lazily(source, certificate, rounds, LazyState(lazy.input[state.nodes], state))


def _rounding(cells: Cells) -> float:
    """Bound on what rounding does to the squared residuals of cells: differences of sums of single points."""
    return float(np.finfo(float).eps * (cells.moments[:, 0] @ cells.moments[:, 5]))
