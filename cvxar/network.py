"""The trained network: weights, forward pass, penalty, and its map piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.activations import Homogeneous
from cvxar.architectures import Feature
from cvxar.coefficients import Coefficients
from cvxar.errors import InputError
from cvxar.piecewise import PiecewiseLinear


@dataclass(frozen=True)
class Breakpoint:
    """A kink of the fitted map: which input column, where, by how much the slope changes, and why."""

    column: int
    location: float
    slope_change: float
    label: str


@dataclass(frozen=True)
class Network:
    r"""Parallel units :math:`f(x) = b + \omega'x + \sum_i \alpha_i X_{L,i}`.

    :math:`X_{l+1,i} = \sigma(w_{l,i} X_{l,i} + b_{l,i})` and :math:`X_{1,i}` is one column of x. The
    weights are balanced: every weight of a unit has magnitude :math:`|z_i|^{1/L}`, where z is the
    Lasso coefficient, so the penalty of the weights equals :math:`\lVert z \rVert_1`
    (reconstruction map, arXiv 2403.01046).

    Examples
    --------
    >>> from cvxar import LassoProblem, solve
    >>> net = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.01, skip=True)).network
    >>> [b.location for b in net.breakpoints]
    [1.0]
    """

    sigma: Homogeneous
    depth: int
    point: Coefficients

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

    @cached_property
    def _shape(self) -> tuple[Array, Array, Array]:
        """Signs and centers (k, L-1), and the common magnitude of the weights of each unit (k,)."""
        features, hidden = self.point.features, self.depth - 1
        signs = np.array([f.signs for f in features], dtype=float).reshape(-1, hidden)
        centers = np.array([f.centers for f in features], dtype=float).reshape(-1, hidden)
        return signs, centers, np.abs(self.point.coef) ** (1.0 / self.depth)

    @property
    def weights(self) -> tuple[Array, ...]:
        """Hidden weights: first (k, p) with one entry a row, then (k,) for each later layer."""
        signs, _, scale = self._shape
        first = np.zeros((self.n_units, self.n_columns))
        columns = [f.column for f in self.point.features]
        first[np.arange(self.n_units), columns] = scale * signs[:, 0]
        return (first, *(scale * signs[:, layer] for layer in range(1, self.depth - 1)))

    @property
    def biases(self) -> tuple[Array, ...]:
        """Hidden biases, (k,) for each hidden layer."""
        signs, centers, scale = self._shape
        return tuple(-signs[:, i] * centers[:, i] * scale ** (i + 1) for i in range(self.depth - 1))

    @property
    def outer(self) -> Array:
        """Outer weights, (k,)."""
        scaled: Array = np.sign(self.point.coef) * self._shape[2]
        return scaled

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

    def penalty(self) -> float:
        r"""Return :math:`\frac1L \sum_i (|\alpha_i|^L + \sum_l |w_{l,i}|^L)`, equal to the l1 norm."""
        terms = [np.sum(np.abs(w) ** self.depth) for w in (*self.weights, self.outer)]
        return float(sum(terms)) / self.depth

    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate at x of shape (n,) or (n, p) by the pieces of the map; O(n p log k)."""
        x = self._inputs(x)
        return self.point.varying(x, np.empty((len(x), 0))) + self.point.level

    def forward(self, x: ArrayLike) -> Array:
        """Evaluate layer by layer from the weights; O(n k L). Equal to calling the network, slower."""
        x = self._inputs(x)
        hidden = self.sigma(x @ self.weights[0].T + self.biases[0])
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            hidden = self.sigma(hidden * weight + bias)
        out: Array = hidden @ self.outer + x @ self.linear + self.bias
        return out

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
            Breakpoint(column, float(where), float(change), "data point")
            for column, part in enumerate(self.point.parts)
            for where, change in zip(part.breaks, part.changes, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and strings (ready for JSON); see :meth:`from_dict`."""
        point = self.point
        return {
            "activation": self.sigma.name,
            "negative_slope": self.sigma.negative_slope,
            "depth": self.depth,
            "units": [
                {"column": f.column, "signs": list(f.signs), "centers": list(f.centers), "coef": float(z)}
                for f, z in zip(point.features, point.coef, strict=True)
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
            sigma = Homogeneous(str(data["activation"]), float(data["negative_slope"]))
            features = tuple(_read_unit(unit, sigma) for unit in data["units"])
            coef = np.array([float(unit["coef"]) for unit in data["units"]])
            linear, anchors = (np.array(data[key], dtype=float) for key in ("linear", "anchors"))
            none = np.empty(0)
            point = Coefficients(features, coef, float(data["level"]), linear, anchors, none, none)
            return cls(sigma, int(data["depth"]), point)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a network written by Network.to_dict: {error!r}") from None


def _read_unit(unit: Mapping[str, Any], sigma: Homogeneous) -> Feature:
    signs = tuple(int(s) for s in unit["signs"])
    return Feature(sigma, signs, tuple(float(c) for c in unit["centers"]), int(unit["column"]))
