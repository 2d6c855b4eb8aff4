"""One-column problems that change by single observations: rolling and expanding windows.

Sorted observations are kept up to date by insertion and deletion, and every solve starts from the last
one; sums and certificate are computed afresh each time, so that nothing is left of what was dropped.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvxar import architectures
from cvxar._typing import Array, ArrayLike
from cvxar.architectures import Architecture
from cvxar.cell_search import Sketch, search_on, sketch_on
from cvxar.cells import Cells, CellState, Frame, Setting, flat_state
from cvxar.certificate import Certificate
from cvxar.coefficients import Coefficients
from cvxar.design import middle_of
from cvxar.errors import InputError
from cvxar.lazy_bound import correlations_of, objective_of, unpenalised_state
from cvxar.network import Network
from cvxar.problem import check_beta, check_finite

FAR = 16.0  # ranges of the data from a center to the farthest observation: beyond, units are taken anew


@dataclass(frozen=True)
class WindowSolution:
    """Solution on the window of its time: sketch of the point, certificate, penalty, rounds."""

    sketch: Sketch
    certificate: Certificate
    beta: float
    rounds: int
    architecture: Architecture

    @cached_property
    def point(self) -> Coefficients:
        """Coefficients, made when first asked for."""
        return self.sketch.coefficients

    @cached_property
    def network(self) -> Network:
        """The trained network."""
        return Network(self.architecture.sigma, self.architecture.depth, self.point)

    def predict(self, x: ArrayLike) -> Array:
        """Evaluate at inputs of shape (n,): between the values at the kinks on the range of the data.

        Only inputs outside that range call for the coefficients of the network.
        """
        inputs = np.asarray(x, dtype=float).reshape(-1)
        nodes, values = self.sketch.inputs, self.sketch.values
        fitted: Array = np.interp(inputs, nodes, values)
        outside = ~((inputs >= nodes[0]) & (inputs <= nodes[-1]))
        if outside.any():
            rest = inputs[outside].reshape(-1, 1)
            fitted[outside] = self.point.level + self.point.varying(rest, np.empty((len(rest), 0)))
        return fitted


class IncrementalLasso:
    r"""A two-layer squared-loss problem on one input, with a constant, whose data come and go.

    The problem is that of :class:`cvxar.LassoProblem` on the observations held at the moment.

    Parameters
    ----------
    x, y : arrays of shape (n,)
        First observations, at least two distinct inputs among them.
    architecture : str or Architecture, default "relu"
        A two-layer network.
    skip : bool, default False
        Add an unpenalised slope.

    Raises
    ------
    InputError
        For data that cannot be used, or an architecture without single kinks.

    Notes
    -----
    ``append`` and ``drop`` cost O(n) copying (microseconds at n = 2,000) and no sort; a solve starts from the
    kinks of the one before.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> walk = np.cumsum(rng.normal(size=301))
    >>> window = IncrementalLasso(walk[:200], walk[1:201], skip=True)
    >>> first = window.solve(beta_ratio=0.1)
    >>> window.append(walk[200], walk[201])
    >>> window.drop(walk[0], walk[1])
    >>> window.solve(beta_ratio=0.1).certificate.holds(1e-8)
    True
    """

    def __init__(
        self, x: ArrayLike, y: ArrayLike, *, architecture: str | Architecture = "relu", skip: bool = False
    ) -> None:
        self.architecture, self.skip = architectures.get(architecture), bool(skip)
        cost = self.architecture.hinge_cost
        if cost is None:
            raise InputError(f"windows are for two-layer networks of single kinks, got {self.architecture!r}")
        inputs, targets = _pair(x, y)
        if np.ptp(inputs) == 0:
            raise InputError("the first observations must hold at least two distinct inputs")
        self.cost = cost
        order = np.argsort(inputs, kind="stable")
        self._hold(inputs[order], targets[order])
        self._frame()

    def _hold(self, x: Array, y: Array) -> None:
        """Keep observations in the order of their inputs; ``starts`` is the first of each distinct one."""
        self.x, self.y = x, y
        self.starts = np.flatnonzero(np.diff(x, prepend=-np.inf) > 0)
        self.inputs = x[self.starts]

    def _frame(self) -> None:
        """Take center and scale from the observations held; states in the units before are of no use."""
        self.center, self.scale = middle_of(self.x), float(self.x[-1] - self.x[0])
        self.y_center, self.y_scale = float(np.mean(self.y)), float(np.ptp(self.y)) or 1.0
        self._last: tuple[Array, CellState] | None = None

    @property
    def _strayed(self) -> bool:
        """Whether the observations are so far from the centers that differences among them lose digits."""
        x_far = max(self.x[-1] - self.center, self.center - self.x[0]) > FAR * (self.x[-1] - self.x[0])
        return bool(x_far or np.max(np.abs(self.y - self.y_center)) > FAR * np.ptp(self.y))

    @property
    def nobs(self) -> int:
        """Number of observations held."""
        return len(self.x)

    def append(self, x: float, y: float) -> None:
        """Add one observation."""
        _pair([x], [y])
        i = int(np.searchsorted(self.x, x, side="right"))
        self._hold(np.insert(self.x, i, x), np.insert(self.y, i, y))

    def drop(self, x: float, y: float) -> None:
        """Remove one observation that is held.

        Raises
        ------
        InputError
            When no such observation is held, or too little would be left.
        """
        first, stop = (int(np.searchsorted(self.x, x, side=side)) for side in ("left", "right"))
        if first == stop:
            raise InputError(f"no observation with input {x!r} is held; drop only what was added")
        same = np.flatnonzero(self.y[first:stop] == y)
        if not len(same):
            raise InputError(f"no observation with input {x!r} and target {y!r} is held; drop what was added")
        if stop - first == 1 and len(self.inputs) <= 2:
            raise InputError("two distinct inputs must remain; append before dropping")
        i = first + int(same[0])
        self._hold(np.delete(self.x, i), np.delete(self.y, i))

    def _sums(self) -> tuple[Array, Array, float]:
        """Number and sum of the scaled targets at each input, and the loss within ties."""
        e = (self.y - self.y_center) / self.y_scale
        weight = np.diff(self.starts, append=len(e)).astype(float)
        total: Array = np.add.reduceat(e, self.starts)
        within = e - np.repeat(total / weight, weight.astype(np.intp))
        return weight, total, float(within @ within) / 2

    def _cells(self) -> Cells:
        """Sums of single points, the least-squares line taken off; and the loss within ties."""
        if self._strayed:
            self._frame()
        t = (self.inputs - self.center) / self.scale
        weight, total, offset = self._sums()
        n, middle = float(np.sum(weight)), float(weight @ t) / float(np.sum(weight))
        centred = weight * (t - middle)
        tilted = float((t - middle) @ total) / float(centred @ (t - middle))
        level = float(np.sum(total)) / n - tilted * middle
        line = level + tilted * t
        rest = total - weight * line
        moments = np.zeros((len(t), 6))
        moments[:, 0], moments[:, 3], moments[:, 5] = weight, rest, rest * rest / weight
        return Cells(t, moments, level, tilted, offset)

    @property
    def beta_max(self) -> float:
        """Smallest penalty at which no feature is active on the present window."""
        return self._beta_max(self._cells())

    def _beta_max(self, cells: Cells) -> float:
        state = unpenalised_state(cells, self.skip)
        peak, whole = correlations_of(cells, state)
        lifted = peak + (0.0 if self.skip else (self.cost - 0.5) * abs(whole))
        return lifted / self.cost * self.scale * self.y_scale

    def solve(
        self, beta: float | None = None, *, beta_ratio: float | None = None, tol: float = 1e-8
    ) -> WindowSolution:
        """Solve on the observations held, from the kinks of the last solution.

        Parameters
        ----------
        beta : float, optional
            Penalty, positive; or
        beta_ratio : float, optional
            Fraction of the present ``beta_max``.
        tol : float, default 1e-8
            Relative duality gap.
        """
        cells = self._cells()
        value = self._penalty(cells, beta, beta_ratio)
        how = Setting(value / (self.y_scale * self.scale), self.cost, self.skip, 1e-32 * self.nobs)
        state, gap, rounds = search_on(cells, self._start(cells), how, tol / 4, tol * 1e-3, 500)
        self._last = self.inputs[state.nodes], state
        return self._solution(cells, state, how, value, gap, rounds)

    def _penalty(self, cells: Cells, beta: float | None, beta_ratio: float | None) -> float:
        if (beta is None) == (beta_ratio is None):
            raise InputError("give either beta or beta_ratio")
        beta_ratio = 1.0 if beta_ratio is None else beta_ratio
        value = check_beta(beta_ratio * self._beta_max(cells) if beta is None else beta)
        if value == 0:
            raise InputError("beta must be positive here; use LassoProblem(..., beta=0) for interpolation")
        return value

    def _start(self, cells: Cells) -> CellState:
        """Kinks of the last solution that are still data points, with the values it has there."""
        if self._last is None:
            return flat_state(cells)
        old, state = self._last
        inner = old[1:-1]
        where = np.searchsorted(self.inputs, inner)
        held = (where > 0) & (where < len(self.inputs) - 1)
        held &= self.inputs[np.minimum(where, len(self.inputs) - 1)] == inner
        nodes = np.concatenate(([0], where[held], [len(self.inputs) - 1])).astype(np.int64)
        sign = np.concatenate(([0.0], state.sign[1:-1][held], [0.0]))
        value = np.interp(self.inputs[nodes], old, state.value)
        return CellState(nodes, value, np.diff(value) / np.diff(cells.anchor[nodes]), sign, state.tilt)

    def _solution(
        self, cells: Cells, state: CellState, how: Setting, beta: float, gap: float, rounds: int
    ) -> WindowSolution:
        primal, unit = objective_of(cells, state, how) + cells.offset, self.y_scale**2
        certificate = Certificate(primal * unit, (primal - gap) * unit, how.floor * unit)
        frame = Frame(self.center, self.scale, self.y_center, self.y_scale)
        sketch = sketch_on(cells, self.inputs, state, how, self.architecture, frame)
        return WindowSolution(sketch, certificate, beta, rounds, self.architecture)


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    inputs, targets = np.array(x, dtype=float), np.array(y, dtype=float)
    if inputs.ndim != 1 or inputs.shape != targets.shape:
        raise InputError(
            f"x and y must have one dimension and one length, got shapes {inputs.shape}, {targets.shape}"
        )
    check_finite(inputs, "x")
    check_finite(targets, "y")
    return inputs, targets
