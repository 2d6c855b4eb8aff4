"""A point of the Lasso: coefficients of features and of unpenalised columns, in data units."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import Unit
from cvxar.piecewise import PiecewiseLinear, combine


class Source(Protocol):
    """Coefficients, or what they can be made of when they are asked for."""

    @property
    def coefficients(self) -> "Coefficients":
        """The coefficients."""


@dataclass(frozen=True)
class Coefficients:
    r"""Fitted function :math:`\text{level} + \sum_l g_l(x_l) + (\text{exog} - a)\,\gamma`.

    :math:`g_l(x) = \text{linear}_l (x - \text{anchors}_l) + \sum_j z_j \varphi_j(x)`. Anchors keep
    the digits of data far from the origin; ``intercept`` is the constant with all anchors at 0.
    ``known_parts`` are the functions :math:`g_l` where a solver has them to more digits than the sum.
    """

    features: tuple[Unit, ...]
    coef: Array
    level: float
    linear: Array
    anchors: Array
    exog_coef: Array
    exog_anchors: Array
    known_parts: tuple[PiecewiseLinear, ...] | None = None

    @property
    def coefficients(self) -> "Coefficients":
        """Itself: nothing is left to be made."""
        return self

    @cached_property
    def parts(self) -> tuple[PiecewiseLinear, ...]:
        """The additive part of each input column."""
        if self.known_parts is not None:
            return self.known_parts
        return tuple(self._part(j) for j in range(len(self.linear)))

    def _part(self, column: int) -> PiecewiseLinear:
        own = [i for i, f in enumerate(self.features) if f.column == column]
        features = [self.features[i] for i in own]
        return combine(features, self.coef[own], float(self.linear[column]), float(self.anchors[column]))

    @property
    def intercept(self) -> float:
        """The constant when every anchor is moved to 0."""
        return float(self.level - self.linear @ self.anchors - self.exog_coef @ self.exog_anchors)

    @property
    def l1_norm(self) -> float:
        """Sum of the absolute feature coefficients."""
        return float(np.sum(np.abs(self.coef)))

    def without_exog(self) -> "Coefficients":
        """Drop the exogenous part, so that ``fitted = rest + exog @ exog_coef``."""
        if not len(self.exog_coef):
            return self  # with the parts it has made
        none = np.empty(0)
        level = float(self.level - self.exog_coef @ self.exog_anchors)
        return replace(self, level=level, exog_coef=none, exog_anchors=none)

    def varying(self, x: Array, exog: Array) -> Array:
        """Fitted values less ``level``."""
        total = self._exog(exog)
        for j, part in enumerate(self.parts):
            total = total + part(x[:, j])
        return total

    def unpenalised(self, x: Array, exog: Array) -> Array:
        """Contribution of the unpenalised columns to the fitted values, less ``level``."""
        values: Array = (x - self.anchors) @ self.linear
        return self._exog(exog) + values

    def _exog(self, exog: Array) -> Array:
        values: Array = (exog - self.exog_anchors) @ self.exog_coef
        return values
