"""One-column problems that change by single observations: rolling and expanding windows.

Sorted observations are kept up to date by insertion and deletion, and every solve starts from the last
one; sums and certificate are computed afresh each time, so that nothing is left of what was dropped.
"""

import copy
import math
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
from cvxar.errors import InputError, InputTypeError
from cvxar.network import Network
from cvxar.options import check_tolerance
from cvxar.problem import check_beta, check_finite
from cvxar.sorted_pairs import Points, SortedPairs

# units are taken anew when observations are this many ranges from the center, or the range this much smaller
FAR = 16.0


@dataclass(frozen=True, repr=False, eq=False)
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

    def __repr__(self) -> str:
        return f"WindowSolution({len(self.sketch.inputs)} nodes, beta={self.beta:g}, {self.certificate})"

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
        self._pairs = SortedPairs(inputs, targets)
        self._take_frame()

    @property
    def x(self) -> Array:
        """Inputs held, in increasing order."""
        return self._pairs.x

    @property
    def y(self) -> Array:
        """Targets held, in the order of the inputs."""
        return self._pairs.y

    @property
    def nobs(self) -> int:
        """Number of observations held."""
        return self._pairs.count

    def copy(self) -> "IncrementalLasso":
        """Return the same window, to be changed apart from this one; O(n)."""
        other = copy.copy(self)
        other._pairs = self._pairs.copy()
        return other

    def append(self, x: float, y: float) -> None:
        """Add one observation."""
        self._pairs.insert(*_observation(x, y))

    def drop(self, x: float, y: float) -> None:
        """Remove one observation that is held.

        Raises
        ------
        InputError
            When no such observation is held, or too little would be left.
        """
        self._pairs.remove(*_observation(x, y))

    def _take_frame(self) -> None:
        """Take center and scale from the observations held; states in the units before are of no use."""
        x, y = self.x, self.y
        self._frame = Frame(middle_of(x), float(x[-1] - x[0]), float(np.mean(y)), float(np.ptp(y)) or 1.0)
        self._last: tuple[Array, CellState] | None = None

    def _points(self) -> Points:
        """Sums of single points, in units taken anew where these have come to lie far off."""
        points = self._pairs.points(self._frame)
        anchor = points.cells.anchor
        if _far(anchor[0], anchor[-1]) or _far(points.low, points.high):
            self._take_frame()
            points = self._pairs.points(self._frame)
        return points

    @property
    def beta_max(self) -> float:
        """Smallest penalty at which no feature is active on the present window."""
        return self._beta_max(self._points().cells)

    def _beta_max(self, cells: Cells) -> float:
        from cvxar import kernel_windows

        peak = kernel_windows.unpenalised_peak(
            cells.anchor, cells.moments, cells.tilted, self.cost, self.skip
        )
        return float(peak) * self._frame.scale * self._frame.y_scale

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
        check_tolerance(tol)
        cells, inputs, *_ = self._points()
        value, frame = self._penalty(cells, beta, beta_ratio), self._frame
        how = Setting(value / (frame.y_scale * frame.scale), self.cost, self.skip, 1e-32 * self.nobs)
        state, _, rounds = search_on(cells, self._start(cells, inputs), how, tol / 4, tol * 1e-3, 500)
        self._last = inputs[state.nodes], state
        sketch = sketch_on(cells, inputs, state, how, self.architecture, frame)
        return WindowSolution(sketch, self._proof(cells, state, how), value, rounds, self.architecture)

    def _penalty(self, cells: Cells, beta: float | None, beta_ratio: float | None) -> float:
        if (beta is None) == (beta_ratio is None):
            raise InputError("give either beta or beta_ratio")
        beta_ratio = 1.0 if beta_ratio is None else beta_ratio
        value = check_beta(beta_ratio * self._beta_max(cells) if beta is None else beta)
        if value == 0:
            raise InputError("beta must be positive here; use LassoProblem(..., beta=0) for interpolation")
        return value

    def _start(self, cells: Cells, inputs: Array) -> CellState:
        """Kinks of the last solution that are still data points, with the values it has there."""
        from cvxar import kernel_windows

        if self._last is None:
            return flat_state(cells)
        old, state = self._last
        nodes, value, sign = kernel_windows.carried(old, state.value, state.sign, inputs)
        return CellState(nodes, value, np.diff(value) / np.diff(cells.anchor[nodes]), sign, state.tilt)

    def _proof(self, cells: Cells, state: CellState, how: Setting) -> Certificate:
        """Price a state afresh."""
        from cvxar import kernel_windows

        primal, gap = kernel_windows.priced(
            cells.anchor, cells.moments, *state[:3], cells.tilted, how.beta, how.cost, how.skip
        )
        primal, unit = primal + cells.offset, self._frame.y_scale**2
        return Certificate(primal * unit, (primal - gap) * unit, how.floor * unit)


def _far(low: float, high: float) -> bool:
    """Whether scaled data lie so far from their center, or so close together, that digits are lost."""
    return max(high, -low) > FAR * (high - low) or high - low < 1 / FAR


def _observation(x: float, y: float) -> tuple[float, float]:
    """Return two finite numbers."""
    x, y = _floats(x, "x", 0).item(), _floats(y, "y", 0).item()
    if not (math.isfinite(x) and math.isfinite(y)):
        _pair([x], [y])  # complains
    return x, y


def _floats(values: ArrayLike, name: str, ndim: int | None = None) -> Array:
    """Return a copy as floats; raise for what is none, or not of these dimensions."""
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise InputTypeError(f"{name} must hold real numbers, got {values!r}") from None
    if ndim is not None and array.ndim != ndim:
        raise InputTypeError(f"{name} must be one number, got an array of shape {array.shape}")
    return array


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    inputs, targets = _floats(x, "x"), _floats(y, "y")
    if inputs.ndim != 1 or inputs.shape != targets.shape:
        raise InputError(
            f"x and y must have one dimension and one length, got shapes {inputs.shape}, {targets.shape}"
        )
    check_finite(inputs, "x")
    check_finite(targets, "y")
    return inputs, targets
