"""Column generation in feature space: works for every dictionary; the master is ``master``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from cvxar._typing import Array
from cvxar.architectures import Feature
from cvxar.coefficients import Coefficients
from cvxar.master import compress, finish, propose, support
from cvxar.problem import LassoProblem
from cvxar.unpenalised import with_free_part


@dataclass(frozen=True)
class Working:
    """Signed features in play: columns (root-weighted, unpenalised part projected out), amounts."""

    features: tuple[Feature, ...]
    signs: Array
    columns: Array
    amount: Array

    def with_features(self, features: Sequence[Feature], signs: Array, columns: Array) -> "Working":
        """Append features at amount zero."""
        return Working(
            (*self.features, *features),
            np.concatenate([self.signs, signs]),
            np.column_stack([self.columns, columns]),
            np.concatenate([self.amount, np.zeros(len(features))]),
        )

    def active(self) -> "Working":
        """Keep the features with a positive amount."""
        keep = np.flatnonzero(self.amount > 0)
        features = tuple(self.features[i] for i in keep)
        return Working(features, self.signs[keep], self.columns[:, keep], self.amount[keep])


@dataclass(frozen=True)
class Found:
    """Result of pricing: violating features with signs, largest correlation, all in scaled units."""

    features: list[Feature]
    signs: Array
    bound: float


class ColumnSearch:
    """Column generation for a squared-loss problem, in scaled units.

    A feature's amount is its coefficient in units of ``y_scale / column scale``.
    """

    def __init__(self, problem: LassoProblem, use_osqp: bool) -> None:
        self.problem, self.design, self.use_osqp = problem, problem.design, use_osqp
        self.root = np.sqrt(self.design.weight)
        self.basis = self.design.free.basis
        self.target = self._outside(self.root * self.design.e)
        self.limit = problem.beta / self.design.y_scale

    def _outside(self, values: Array) -> Array:
        """Project out the unpenalised columns, twice for full accuracy."""
        for _ in range(2):
            values = values - self.basis @ (self.basis.T @ values)
        return values

    def _cost(self, features: Sequence[Feature]) -> Array:
        return np.array([self.limit / self.design.columns[f.column].scale for f in features])

    def _columns(self, features: Sequence[Feature], signs: Array) -> Array:
        raw = np.empty((len(self.root), len(features)))
        for i, (feature, sign) in enumerate(zip(features, signs, strict=True)):
            column = self.design.columns[feature.column]
            raw[:, i] = self.root * (sign * feature(column.knots) / column.scale)[column.position]
        return self._outside(raw)

    def price(self, residual: Array, known: set[tuple[Feature, float]]) -> Found:
        """Search every column's dictionary for features beyond the limit."""
        found, signs, bound = [], [], 0.0
        for j, column in enumerate(self.design.columns):
            match = column.dictionary.match(column.aggregate(self.root * residual), self.limit * (1 + 1e-10))
            bound = max(bound, match.bound)
            for feature, value in zip(match.features, match.correlations, strict=True):
                here = (feature.on_column(j), float(np.sign(value)))
                if here not in known:
                    found.append(here[0])
                    signs.append(here[1])
        return Found(found, np.array(signs), bound)

    def gap(self, work: Working, residual: Array, bound: float) -> float:
        """Duality gap as a sum of nonnegative terms (see ``nodal_search.price``)."""
        scale = min(1.0, self.limit / bound) if bound > 0 else 1.0
        slack = self._cost(work.features) - scale * (work.columns.T @ residual)
        return float((1 - scale) ** 2 / 2 * (residual @ residual) + work.amount @ slack)

    def residual(self, work: Working) -> Array:
        """Residual, corrected for the digits lost by subtraction: active features meet their cost."""
        residual = self._outside(self.target - work.columns @ work.amount)
        if not len(work.features):
            return residual
        q, r = np.linalg.qr(work.columns)
        excess = solve_triangular(r, work.columns.T @ residual - self._cost(work.features), trans="T")
        return self._outside(residual - q @ excess)

    def settle(self, work: Working) -> Working:
        """Solve the restricted problem."""
        matrix, target = compress(work.columns, self.target)
        cost, start = self._cost(work.features), work.amount
        if self.use_osqp:
            start = support(matrix, target, cost, propose(matrix, target, cost, start))
        return replace(work, amount=finish(matrix, target, cost, start)).active()

    def start(self, point: Coefficients | None) -> Working:
        """Return the working set of a point, or the empty one."""
        features, coef = (point.features, point.coef) if point is not None else ((), np.empty(0))
        scale = np.array([self.design.columns[f.column].scale / self.design.y_scale for f in features])
        return Working(features, np.sign(coef), self._columns(features, np.sign(coef)), np.abs(coef) * scale)

    def run(self, work: Working, tol: float, max_rounds: int) -> tuple[Working, Array, int]:
        """Iterate settling and pricing; returns the working set, the residual and the rounds."""
        work = self.settle(work) if len(work.features) else work
        floor, best_gap, stalled = 1e-32 * float(np.sum(self.design.weight)), np.inf, 0
        for done in range(1, max_rounds + 1):
            residual = self.residual(work)
            known = set(zip(work.features, work.signs.tolist(), strict=True))
            found = self.price(residual, known)
            gap = self.gap(work, residual, found.bound)
            primal = float(residual @ residual) / 2 + float(self._cost(work.features) @ work.amount)
            stalled = 0 if gap < 0.5 * best_gap else stalled + 1
            best_gap = min(gap, best_gap)
            enough = gap <= tol * primal + floor
            if gap <= 1e-14 * primal + floor or not found.features or stalled > (0 if enough else 50):
                return work, residual, done
            columns = self._columns(found.features, found.signs)
            work = self.settle(work.with_features(found.features, found.signs, columns))
        return work, self.residual(work), max_rounds

    def point(self, work: Working) -> Coefficients:
        """Turn a working set into coefficients in data units."""
        scale = np.array([self.design.y_scale / self.design.columns[f.column].scale for f in work.features])
        return with_free_part(self.problem, work.features, work.signs * work.amount * scale)


def search_columns(
    problem: LassoProblem, tol: float, max_rounds: int, use_osqp: bool, start: Coefficients | None = None
) -> tuple[Coefficients, Array, int]:
    """Solve by column generation in feature space: point, dual vector in data units, rounds."""
    search = ColumnSearch(problem, use_osqp)
    work, residual, rounds = search.run(search.start(start), tol, max_rounds)
    return search.point(work), problem.design.y_scale * search.root * residual, rounds
