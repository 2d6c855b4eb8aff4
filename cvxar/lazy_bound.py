"""Bounds that hold for every point of lazily sorted data, seen or not."""

from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.buckets import LazyCells
from cvxar.cells import Cells, CellState, Setting, flat_state

LEVELS = 12


class Bounded(NamedTuple):
    """A state priced with bounds on what cells hide; ``peak`` and ``whole`` at the anchors."""

    primal: float
    gap: float
    limit: float
    bounds: Array
    peak: float
    whole: float


def bounded(lazy: LazyCells, state: CellState, how: Setting) -> Bounded:
    """Price a state on cells; the gap holds for all points, seen or not."""
    from cvxar import kernel_bounds

    cells, bounds = lazy.cells, np.empty(len(lazy.input))
    primal, gap, limit, peak, whole = kernel_bounds.bound_state(
        cells.anchor,
        cells.moments,
        lazy.single,
        *state[:3],
        cells.tilted,
        how.beta,
        how.cost,
        how.skip,
        bounds,
    )
    return Bounded(primal, gap, limit, bounds, peak, whole)


def largest_correlation(lazy: LazyCells, cost: float, skip: bool) -> float | None:
    """Largest correlation of a feature with the residual of the unpenalised fit, in data units.

    Refines cells until no bound exceeds the largest correlation seen at an anchor; None where no
    level of refinement settles it.
    """
    how = Setting(0.0, cost, skip, 0.0)
    for _ in range(LEVELS):
        priced = bounded(lazy, unpenalised_state(lazy.cells, skip), how)
        wanted = (priced.bounds > priced.peak * (1 + 1e-13)) & ~lazy.single
        if not wanted.any():
            whole = 0.0 if skip else abs(priced.whole)
            return (priced.peak + (cost - 0.5) * whole) / cost * lazy.scale * lazy.y_scale
        lazy.refine(wanted)
    return None


def unpenalised_state(cells: Cells, skip: bool) -> CellState:
    """Return the least-squares line (with a skip connection) or the mean."""
    from cvxar import kernel_settle

    if not skip:
        flat = flat_state(cells)
        weight, offset, rest = cells.moments[:, 0], cells.moments[:, 1], cells.moments[:, 3]
        whole = float(np.sum(weight))
        mean_t = float(weight @ cells.anchor + np.sum(offset)) / whole
        value = float(np.sum(rest)) / whole + cells.tilted * (mean_t - cells.anchor[flat.nodes])
        return flat._replace(value=value, slope=np.array([-cells.tilted]))
    return CellState(*kernel_settle.settled_line(cells.anchor, cells.moments, cells.tilted))
