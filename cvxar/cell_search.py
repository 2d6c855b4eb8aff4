"""The compiled solver of one-column, two-layer, squared-loss problems: from a problem to a point."""

from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import Architecture
from cvxar.cells import Cells, CellState, Frame, Setting, flat_state
from cvxar.coefficients import Coefficients
from cvxar.problem import LassoProblem
from cvxar.spline import Spline
from cvxar.units import units_of

EXACT = 1e-14


def setting_of(problem: LassoProblem) -> Setting:
    """Scale the penalty to the cells of a problem."""
    design = problem.design
    beta = problem.beta * design.beta_scale(0)
    cost = problem.architecture.hinge_cost
    assert cost is not None  # the caller has chosen this solver by it
    return Setting(beta, cost, problem.skip, 1e-32 * design.total_weight)


def search_on(
    cells: Cells, start: CellState, how: Setting, tol: float, exact: float, max_rounds: int
) -> tuple[CellState, float, int]:
    """Run the compiled rounds on cells; returns the best state, its gap and the rounds.

    Stops at a relative gap of ``exact``, or within ``tol`` once a round gains nothing.
    """
    # numba is loaded by the first solve, not by the import of the package
    from cvxar import kernel_rounds

    best, gap, done = kernel_rounds.search(
        cells.anchor,
        cells.moments,
        *start,
        cells.tilted,
        how.beta,
        how.cost,
        how.skip,
        cells.offset,
        tol,
        exact,
        how.floor,
        max_rounds,
    )
    return CellState(*best), gap, done


def search_cells(
    problem: LassoProblem, tol: float, max_rounds: int, start: CellState | None
) -> tuple[Coefficients, Array, int, CellState]:
    """Solve; returns the point, its dual vector (data units), the rounds and a state for warm starts."""
    from cvxar import kernel_settle

    cells, how = problem.design.cells, setting_of(problem)
    state, _, rounds = search_on(cells, start or flat_state(cells), how, tol, EXACT, max_rounds)
    residual = kernel_settle.refined_residual(
        cells.anchor, cells.moments, *state, cells.tilted, how.beta, how.cost, how.skip
    )
    point = point_of(problem, cells, problem.design.columns[0].knots, state)
    return point, dual_of(problem, residual), rounds, state


class Sketch(NamedTuple):
    """A state with the nodes it stands on (scaled and data units): coefficients are made when asked for.

    It keeps none of the cells, which may be refined meanwhile.
    """

    t: Array
    inputs: Array
    state: CellState
    line: tuple[float, float]
    how: Setting
    architecture: Architecture
    frame: Frame

    @property
    def coefficients(self) -> Coefficients:
        """Units and unpenalised coefficients in data units."""
        level, tilted = self.line
        factor = self.frame.y_scale / self.frame.scale
        units = units_of(self._spline(level, tilted), self.inputs, self.architecture.sigma, 0, factor)
        level = self.frame.y_center + units.level * self.frame.y_scale
        linear, anchors = np.array([units.linear]), np.array([self.frame.center])
        none = np.empty(0)
        return Coefficients(tuple(units.features), units.coef, level, linear, anchors, none, none)

    @property
    def values(self) -> Array:
        """Values at the nodes, in data units."""
        level, tilted = self.line
        scaled = self.state.value + (level + tilted * self.t)
        return self.frame.y_center + self.frame.y_scale * scaled

    def _spline(self, level: float, tilted: float) -> Spline:
        t, (_, value, slope, sign, tilt) = self.t, self.state
        value, nodes = value + (level + tilted * t), np.arange(len(t))
        how = self.how
        return Spline(t, nodes, value, slope + tilted, sign, tilt, how.beta, how.cost, how.skip)


def point_of(problem: LassoProblem, cells: Cells, inputs: Array, state: CellState) -> Coefficients:
    """Turn a state into units and unpenalised coefficients; ``inputs`` are the anchors in data units."""
    return sketch_of(problem, cells, inputs, state, setting_of(problem)).coefficients


def sketch_of(problem: LassoProblem, cells: Cells, inputs: Array, state: CellState, how: Setting) -> Sketch:
    """Keep what the coefficients of a state are made of; ``inputs`` are the anchors in data units."""
    design = problem.design
    frame = Frame(float(design.anchors[0]), float(design.widths[0]), design.y_center, design.y_scale)
    return sketch_on(cells, inputs, state, how, problem.architecture, frame)


def sketch_on(
    cells: Cells, inputs: Array, state: CellState, how: Setting, architecture: Architecture, frame: Frame
) -> Sketch:
    """As :func:`sketch_of`, without a problem."""
    nodes, line = state.nodes, (cells.level, cells.tilted)
    return Sketch(cells.anchor[nodes], inputs[nodes], state, line, how, architecture, frame)


def dual_of(problem: LassoProblem, residual: Array) -> Array:
    """Weighted residual of every observation, in data units, from the residuals of the distinct inputs."""
    design, cells = problem.design, problem.design.cells
    position = design.columns[0].position
    mean = cells.moments[:, 3] / cells.moments[:, 0] + (cells.level + cells.tilted * cells.anchor)
    within_ties = design.e - mean[position]
    return design.y_scale * design.weight * (within_ties + residual[position])
