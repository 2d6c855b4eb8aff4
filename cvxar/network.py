"""The trained network: weights, forward pass, penalty, and its map piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.activations import Activation, Homogeneous, named
from cvxar.architectures import Unit, read_unit
from cvxar.coefficients import Coefficients
from cvxar.errors import InputError
from cvxar.files import check_writable, write_atomically
from cvxar.integrations.blueprint import Blueprint, require
from cvxar.piecewise import PiecewiseLinear
from cvxar.reflections import Origin, origins, simplest


@dataclass(frozen=True)
class Breakpoint:
    """A kink of the fitted map: which input column, where, by how much the slope changes, and why.

    ``label`` is "data point", "reflection", "midpoint", "generalised reflection" or "other", and
    ``formula`` says of which data points: ``R(a, b) = 2 b - a``, ``M(a, b) = (a + b) / 2``,
    ``G(a, b, c) = b + c - a``. ``jump`` is by how much the map itself rises there (sign and threshold
    networks), else 0. ``units`` are the indices of the units of the network that bend there. The formula is
    that of a unit: a reflection that happens to fall on another data point is still called a reflection.
    """

    column: int
    location: float
    slope_change: float
    jump: float
    origin: Origin
    units: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """What kind of place it is."""
        return self.origin.label

    @property
    def formula(self) -> str:
        """How the place follows from data points."""
        return self.origin.formula

    @property
    def points(self) -> tuple[float, ...]:
        """The data points in the formula."""
        return self.origin.points


@dataclass(frozen=True, repr=False)
class Network:
    r"""Parallel units :math:`f(x) = b + \omega'x + \sum_i \alpha_i s_i X_{L,i}`.

    :math:`X_{l+1,i} = \sigma(W_{l,i} X_{l,i} + b_{l,i})` and :math:`X_{1,i}` is one column of x. For
    ReLU and its like :math:`s_i = 1` and the weights are balanced: every weight of a unit has
    magnitude :math:`|z_i|^{1/L}`, where z is the Lasso coefficient. For sign and threshold the
    inner weights have no scale, and :math:`s_i = |\alpha_i| = |z_i|^{1/2}`. Either way the penalty
    equals :math:`\lVert z \rVert_1` (reconstruction map, arXiv 2403.01046).

    Examples
    --------
    >>> from cvxar import LassoProblem, solve
    >>> net = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.01, skip=True)).network
    >>> [b.location for b in net.breakpoints]
    [1.0]
    >>> net
    Network(relu, depth 2, 1 unit, 1 input)
    >>> print(net)
    Network(relu, depth 2, 1 unit, 1 input)
    Homogeneous(name='relu', negative_slope=0.0), bias ..., linear [...]
    unit 0: coefficient 0.9..., column 0, signs [1], centers [1.0], points []
    """

    sigma: Activation
    depth: int
    point: Coefficients

    def __repr__(self) -> str:
        units, inputs = (
            f"{count} {what}{'s' * (count != 1)}"
            for count, what in ((self.n_units, "unit"), (self.n_columns, "input"))
        )
        return f"Network({self.sigma.name}, depth {self.depth}, {units}, {inputs})"

    def __str__(self) -> str:
        """Return the network in one line, its affine part, and a line for every unit."""
        shared = f"{self.sigma!r}, bias {self.bias!r}, linear {self.linear.tolist()}"
        units = enumerate(zip(self.point.coef, self.point.features, strict=True))
        lines = (f"unit {i}: coefficient {float(z)!r}, {_numbers(unit)}" for i, (z, unit) in units)
        return "\n".join([repr(self), shared, *lines])

    @property
    def activation(self) -> str:
        """Name of the activation."""
        return self.sigma.name

    @property
    def n_units(self) -> int:
        """Number of parallel units."""
        return len(self.point.features)

    @property
    def n_columns(self) -> int:
        """Number of input columns."""
        return len(self.point.linear)

    @property
    def _scaled(self) -> bool:
        """Whether inner weights have a scale (not behind a step)."""
        return isinstance(self.sigma, Homogeneous)

    @cached_property
    def _magnitude(self) -> Array:
        """The common magnitude of the penalised weights of each unit, (k,)."""
        size: Array = np.abs(self.point.coef) ** (1.0 / self.depth if self._scaled else 0.5)
        return size

    @cached_property
    def _layers(self) -> tuple[tuple[Array, Array], ...]:
        """Weights (k, out, in) and biases (k, out) of every hidden layer, one input for the first."""
        units = [unit.layers() for unit in self.point.features]
        if not units:
            return tuple((np.zeros((0, 1, 1)), np.zeros((0, 1))) for _ in range(self.depth - 1))
        scale = self._magnitude if self._scaled else np.ones(len(units))
        return tuple(
            (
                scale[:, None, None] * np.stack([layers[i][0] for layers in units]),
                scale[:, None] ** (i + 1) * np.stack([layers[i][1] for layers in units]),
            )
            for i in range(self.depth - 1)
        )

    @property
    def weights(self) -> tuple[Array, ...]:
        """Hidden weights of unit i of k, layer by layer.

        One unit a layer (deep narrow): first (k, p) with one entry a row, then (k,). Wider: first
        (k, out, p), then (k, out, in).
        """
        (first, _), *later = self._layers
        reads = np.zeros((self.n_units, 1, self.n_columns))
        reads[np.arange(self.n_units), 0, [u.column for u in self.point.features]] = 1.0
        stacked = (first @ reads, *(w for w, _ in later))
        if any(b.shape[1] > 1 for _, b in self._layers):
            return stacked
        return (stacked[0][:, 0], *(w[:, 0, 0] for w in stacked[1:]))

    @property
    def biases(self) -> tuple[Array, ...]:
        """Hidden biases, (k,) for each hidden layer, (k, out) where layers are wider than one."""
        wide = any(b.shape[1] > 1 for _, b in self._layers)
        return tuple(b if wide else b[:, 0] for _, b in self._layers)

    @property
    def amplitudes(self) -> Array:
        """What the last hidden units are multiplied by, (k,); ones but for sign and threshold."""
        return np.ones(self.n_units) if self._scaled else self._magnitude

    @property
    def outer(self) -> Array:
        """Outer weights, (k,)."""
        signed: Array = np.sign(self.point.coef) * self._magnitude
        return signed

    @property
    def linear(self) -> Array:
        """Weights of the skip connection, (p,); zeros without one."""
        return self.point.linear

    @property
    def bias(self) -> float:
        """Outer bias."""
        return float(self.point.level - self.point.linear @ self.point.anchors)

    @property
    def constant(self) -> float:
        """What :meth:`pieces` leave out: ``net(x) = constant + sum_l pieces(l)(x_l)``."""
        return self.point.level

    @property
    def n_breakpoints(self) -> int:
        """Number of kinks and jumps of the fitted map (without finding out where they come from)."""
        return sum(len(part.breaks) for part in self.point.parts)

    def penalty(self) -> float:
        r"""Return the penalty of the weights, equal to the l1 norm.

        :math:`\frac1L \sum_i (|\alpha_i|^L + \sum_l \max|W_{l,i}|^L)`; for sign and threshold
        :math:`\frac12 \sum_i (\alpha_i^2 + s_i^2)`.
        """
        if not self._scaled:
            return float(np.sum(self.outer**2) + np.sum(self.amplitudes**2)) / 2
        largest = [np.max(np.abs(w), axis=(1, 2)) for w, _ in self._layers]
        return float(sum(np.sum(np.abs(w) ** self.depth) for w in (*largest, self.outer))) / self.depth

    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate at x of shape (n,) or (n, p) by the pieces of the map; O(n p log k)."""
        x = self._inputs(x)
        return self.point.varying(x, np.empty((len(x), 0))) + self.point.level

    def forward(self, x: ArrayLike) -> Array:
        """Evaluate layer by layer from the weights; O(n k L). Equal to calling the network, slower."""
        x = self._inputs(x)
        hidden = x[:, [u.column for u in self.point.features], None]
        for weight, bias in self._layers:
            hidden = self.sigma(np.einsum("koi,nki->nko", weight, hidden) + bias)
        out: Array = hidden[:, :, 0] @ (self.amplitudes * self.outer) + x @ self.linear + self.bias
        return out

    def to_torch(self) -> Any:
        """Return the network as a ``torch.nn.Module`` in double precision, its weights as parameters.

        Needs the extra ``torch``. See :class:`cvxar.integrations.torch_module.TorchNetwork`.

        Raises
        ------
        InputError
            When torch is not installed.
        """
        require("torch", extra="torch")
        from cvxar.integrations.torch_module import TorchNetwork

        return TorchNetwork(self._blueprint())

    def to_onnx(self, path: str | PathLike[str]) -> None:
        """Write the network as an ONNX file: input ``x`` (n, p), output ``y`` (n,), double precision.

        Needs the extra ``onnx``. The file is written completely or not at all.

        Raises
        ------
        InputError
            When onnx is not installed, or the file cannot be written.
        """
        require("onnx", extra="onnx")
        check_writable(path)
        from cvxar.integrations.onnx_graph import write_onnx

        blueprint = self._blueprint()

        def write(file: Path) -> None:
            """Write the graph into a file."""
            write_onnx(blueprint, file)

        write_atomically(path, write)

    def _blueprint(self) -> Blueprint:
        columns = np.array([unit.column for unit in self.point.features], dtype=np.intp)
        outer = self.amplitudes * self.outer
        return Blueprint(self.sigma, columns, self._layers, outer, self.linear, self.bias)

    def _inputs(self, x: ArrayLike) -> Array:
        array = np.asarray(x, dtype=float)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or array.shape[1] != self.n_columns:
            raise InputError(
                f"the network reads {self.n_columns} column(s), got an array of shape {np.shape(x)}; "
                "give one row per evaluation and one column per lag"
            )
        return array

    def pieces(self, column: int = 0) -> PiecewiseLinear:
        """Return the additive part of one column: skip slope and units, the constant apart."""
        if not 0 <= column < self.n_columns:
            raise InputError(f"column must be in 0..{self.n_columns - 1}, got {column}")
        return self.point.parts[column]

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """Kinks of the fitted map, by column and location; empty when it is linear."""
        return tuple(
            self._breakpoint(column, float(where), float(change), float(jump))
            for column, part in enumerate(self.point.parts)
            for where, change, jump in zip(part.breaks, part.changes, part.rises, strict=True)
        )

    def _breakpoint(self, column: int, where: float, change: float, jump: float) -> Breakpoint:
        # a network read from a file may hold units that do not say which data points they follow from
        origin, units = self._origins.get((column, where), (Origin(where, "other"), ()))
        return Breakpoint(column, where, change, jump, origin, units)

    @cached_property
    def _origins(self) -> dict[tuple[int, float], tuple[Origin, tuple[int, ...]]]:
        """The simplest explanation of every kink, and the units that have it."""
        found: dict[tuple[int, float], tuple[Origin, tuple[int, ...]]] = {}
        for i, unit in enumerate(self.point.features):
            for where, origin in origins(unit).items():
                key = unit.column, where
                known, units = found.get(key, (origin, ()))
                found[key] = simplest(origin, known), (*units, i)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and strings (ready for JSON); see :meth:`from_dict`."""
        point = self.point
        return {
            "activation": self.sigma.name,
            "negative_slope": getattr(self.sigma, "negative_slope", None),
            "depth": self.depth,
            "units": [
                {**unit.to_dict(), "coef": float(z)}
                for unit, z in zip(point.features, point.coef, strict=True)
            ],
            "level": point.level,
            "linear": point.linear.tolist(),
            "anchors": point.anchors.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Network":
        """Rebuild a network from :meth:`to_dict`.

        Raises
        ------
        InputError
            When an entry is missing or of the wrong kind.
        """
        try:
            sigma = named(str(data["activation"]), data["negative_slope"])
            features = tuple(read_unit(unit, sigma) for unit in data["units"])
            coef = np.array([float(unit["coef"]) for unit in data["units"]])
            linear, anchors = (np.array(data[key], dtype=float) for key in ("linear", "anchors"))
            none = np.empty(0)
            point = Coefficients(features, coef, float(data["level"]), linear, anchors, none, none)
            network = cls(sigma, int(data["depth"]), point)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"not a network written by Network.to_dict: {error!r}") from None
        network._check()
        return network

    def _check(self) -> None:
        """Raise InputError unless the parts of a network that was read fit together."""
        point, problem = self.point, ""
        numbers = np.concatenate([point.coef, [point.level], point.linear.ravel(), point.anchors.ravel()])
        if not np.isfinite(numbers).all():
            problem = "a number is not finite"
        elif point.linear.ndim != 1 or point.linear.shape != point.anchors.shape or not len(point.linear):
            problem = "'linear' and 'anchors' must be lists of one number per input column"
        elif any(not 0 <= f.column < self.n_columns for f in point.features):
            problem = f"a unit reads a column beyond the {self.n_columns} of 'linear'"
        elif any(len(getattr(f, "centers", ())) not in (0, self.depth - 1) for f in point.features):
            problem = f"a unit has not the {self.depth - 1} hidden layer(s) of 'depth'"
        if problem:
            raise InputError(f"not a network written by Network.to_dict: {problem}")


def _numbers(unit: Unit) -> str:
    """The numbers that make a unit, without the activation that all units share."""
    return ", ".join(f"{name} {value}" for name, value in unit.to_dict().items())
