"""The compiled solver of one-column, two-layer, squared-loss problems: from a problem to a point."""

from typing import NamedTuple

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import Architecture
from cvxar.cells import Cells, CellState, Frame, Setting, flat_state, levelled
from cvxar.certificate import Certificate, rounding_floor
from cvxar.coefficients import Coefficients
from cvxar.piecewise import PiecewiseLinear
from cvxar.problem import LassoProblem
from cvxar.spline import Spline
from cvxar.units import Units, units_of

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
    state = CellState(*best)
    return state if how.skip else levelled(cells, state), gap, done


class Found(NamedTuple):
    """What a search on sorted inputs returns: coefficients, proof and dual vector are made of it."""

    source: "Sketch"
    certificate: Certificate
    dual: "Residuals"
    rounds: int
    state: CellState


def search_cells(problem: LassoProblem, tol: float, max_rounds: int, start: CellState | None) -> Found:
    """Solve and prove."""
    cells, how = problem.design.cells, setting_of(problem)
    state, _, rounds = search_on(cells, start or flat_state(cells), how, tol, EXACT, max_rounds)
    return Found(*proven_on(problem, cells, how, state), rounds, state)


def proven_on(
    problem: LassoProblem, cells: Cells, how: Setting, state: CellState, dual: Array | None = None
) -> tuple["Sketch", Certificate, "Residuals"]:
    """Coefficients, certificate and dual vector of a state; ``dual`` by default its refined residuals.

    The certificate is computed from the sums of the inputs, the nodal values and a dual vector that
    is scaled until it is feasible; nothing of it is taken from the search.
    """
    from cvxar import kernel_rounds, kernel_settle

    common = (cells.tilted, how.beta, how.cost, how.skip)
    if dual is None:
        dual = kernel_settle.refined_sums(cells.anchor, cells.moments, *state, *common)
    primal, gap = kernel_rounds.proven(cells.anchor, cells.moments, *state[:3], dual, *common)
    certificate = scaled_certificate(problem, primal + cells.offset, gap)
    source = sketch_of(problem, cells, problem.design.columns[0].knots, state, how)
    return source, certificate, Residuals(problem, dual)


def scaled_certificate(problem: LassoProblem, primal: float, gap: float) -> Certificate:
    """Turn an objective and a gap of scaled targets into a certificate in data units."""
    unit, lost = problem.design.y_scale**2, problem.design.lost
    return Certificate(lost + primal * unit, lost + (primal - gap) * unit, rounding_floor(problem))


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
        spline = self._spline(level, tilted)
        factor = self.frame.y_scale / self.frame.scale
        units = units_of(spline, self.inputs, self.architecture.sigma, 0, factor)
        level = self.frame.y_center + units.level * self.frame.y_scale
        linear, anchors = np.array([units.linear]), np.array([self.frame.center])
        none, parts = np.empty(0), (self._part(spline, units, factor),)
        return Coefficients(tuple(units.features), units.coef, level, linear, anchors, none, none, parts)

    @property
    def values(self) -> Array:
        """Values at the nodes, in data units."""
        level, tilted = self.line
        scaled = self.state.value + (level + tilted * self.t)
        return self.frame.y_center + self.frame.y_scale * scaled

    def _part(self, spline: Spline, units: Units, factor: float) -> PiecewiseLinear:
        """The function itself: nodal values have more digits than a sum of units beside each other."""
        first = [f.signs[0] > 0 and f.centers[0] == self.inputs[0] for f in units.features]
        slopes = factor * spline.slope
        before = slopes[0] - float(np.sum(units.coef[first])) / self.how.cost
        levels = self.frame.y_scale * (spline.value - units.level)
        return PiecewiseLinear(self.inputs, levels, np.concatenate(([before], slopes, slopes[-1:])))

    def _spline(self, level: float, tilted: float) -> Spline:
        t, (_, value, slope, sign, tilt) = self.t, self.state
        value, nodes = value + (level + tilted * t), np.arange(len(t))
        how = self.how
        return Spline(t, nodes, value, slope + tilted, sign, tilt, how.beta, how.cost, how.skip)


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


class Residuals(NamedTuple):
    """Weighted residuals of the distinct inputs: the dual vector of all observations is made of them."""

    problem: LassoProblem
    sums: Array

    @property
    def dual(self) -> Array:
        """Weighted residual of every observation, in data units."""
        return dual_of(self.problem, self.sums / self.problem.design.cells.moments[:, 0])


def dual_of(problem: LassoProblem, residual: Array) -> Array:
    """Weighted residual of every observation, in data units, from the residuals of the distinct inputs."""
    design, cells = problem.design, problem.design.cells
    position = design.columns[0].position
    mean = cells.moments[:, 3] / cells.moments[:, 0] + (cells.level + cells.tilted * cells.anchor)
    within_ties = design.e - mean[position]
    return design.y_scale * design.weight * (within_ties + residual[position])
