"""Column generation in feature space: works for every dictionary; the master is ``master``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cvxar._typing import Array
from cvxar.architectures import Unit
from cvxar.coefficients import Coefficients
from cvxar.master import finish, propose, support
from cvxar.problem import LassoProblem
from cvxar.rows import Rows, rows_of, samples_of
from cvxar.threads import one_thread
from cvxar.unpenalised import with_free_part
from cvxar.working import Working, empty

STALL = 50  # rounds in which neither gap nor objective moves before giving up
POLISH = 5


@dataclass(frozen=True)
class Found:
    """Result of pricing: violating features with signs, largest correlation, all in scaled units."""

    features: list[Unit]
    signs: Array
    bound: float


@dataclass(frozen=True)
class Priced:
    """A working set with its root-weighted residual, violating features, gap and objective."""

    residual: Array
    found: Found
    gap: float
    primal: float


@dataclass(frozen=True)
class Play:
    """The working set and the rows its columns are held in."""

    rows: Rows
    work: Working


class ColumnSearch:
    """Column generation for a squared-loss problem, in scaled units.

    A feature's amount is its coefficient in units of ``y_scale / column scale``.
    """

    def __init__(self, problem: LassoProblem, use_osqp: bool) -> None:
        self.problem, self.design, self.use_osqp = problem, problem.design, use_osqp
        self.samples = samples_of(problem.design)
        self.rows = rows_of(problem.design, self.samples)
        self.limit = problem.beta / self.design.y_scale
        self.lost = float(self.design.weight @ self.samples.spread**2)

    def _cost(self, features: Sequence[Unit]) -> Array:
        return np.array([self.limit / self.design.columns[f.column].scale for f in features])

    def _extended(self, play: Play, features: Sequence[Unit], signs: Array) -> Play:
        """Append features at amount zero."""
        rows, basis = play.rows.holding(features, play.work.basis)
        scale = signs / np.array([self.design.columns[f.column].scale for f in features])
        work = play.work.on(basis, rows.target)
        return Play(rows, work.with_features(features, signs, rows.columns(features, scale)))

    def price(self, residual: Array, known: set[tuple[Unit, float]]) -> Found:
        """Search every column's dictionary for features beyond the limit."""
        found, signs, bound = [], [], 0.0
        dual = self.samples.root * residual
        for j, column in enumerate(self.design.columns):
            sums = np.bincount(self.samples.positions[j], weights=dual, minlength=len(column.knots)).astype(
                float
            )
            match = column.dictionary.match(sums, self.limit * (1 + 1e-10))
            bound = max(bound, match.bound)
            for feature, value in zip(match.features, match.correlations, strict=True):
                here = (feature.on_column(j), float(np.sign(value)))
                if here not in known:
                    found.append(here[0])
                    signs.append(here[1])
        return Found(found, np.array(signs), bound)

    def gap(self, work: Working, inner: Array, energy: float, bound: float) -> float:
        """Duality gap as a sum of nonnegative terms (see ``nodal_search.price``)."""
        scale = min(1.0, self.limit / bound) if bound > 0 else 1.0
        slack = self._cost(work.features) - scale * (work.coords.T @ inner)
        return float((1 - scale) ** 2 / 2 * energy + work.amount @ slack)

    def settle(self, play: Play) -> Play:
        """Solve the restricted problem; forget directions no active feature needs."""
        work = play.work
        cost, start = self._cost(work.features), work.amount
        if self.use_osqp:
            proposal = propose(work.coords, work.inside, cost, start)
            start = support(work.coords, work.inside, cost, proposal)
        work = work.active(finish(work.coords, work.inside, cost, start))
        if work.basis.shape[1] <= 3 * work.size + 50:
            return Play(play.rows, work)
        return self._holding(work.features, work.signs, work.amount)

    def _holding(self, features: Sequence[Unit], signs: Array, amount: Array) -> Play:
        """Return a fresh working set of these features."""
        rows = self.rows.empty()
        if not features:
            return Play(rows, empty(rows.target))
        play = self._extended(Play(rows, empty(rows.target)), features, signs)
        return replace(play, work=play.work.active(amount))

    def start(self, point: Coefficients | None) -> Play:
        """Return the working set of a point, or the empty one."""
        if point is None:
            return self._holding((), np.empty(0), np.empty(0))
        scale = np.array([self.design.columns[f.column].scale / self.design.y_scale for f in point.features])
        return self._holding(point.features, np.sign(point.coef), np.abs(point.coef) * scale)

    def run(self, play: Play, tol: float, max_rounds: int) -> tuple[Working, Array, int]:
        """Iterate settling and pricing; returns the working set, the residual and the rounds."""
        play = self.settle(play) if play.work.size else play
        best, primal, stalled = np.inf, np.inf, 0
        for done in range(1, max_rounds + 1):
            priced = self._priced(play)
            goal = tol * priced.primal + self.floor
            moving = priced.gap < 0.5 * best or priced.primal < primal - 1e-6 * priced.gap
            stalled, primal = 0 if moving else stalled + 1, priced.primal
            best = min(priced.gap, best)
            exact = priced.gap <= 1e-14 * priced.primal + self.floor
            if exact or not priced.found.features or stalled > (0 if priced.gap <= goal else STALL):
                return play.work, self._polished(play, priced, goal), done
            play = self.settle(self._extended(play, priced.found.features, priced.found.signs))
        return play.work, self._priced(play).residual, max_rounds

    @property
    def floor(self) -> float:
        """Gap that rounding of the data amounts to."""
        return 1e-32 * float(np.sum(self.design.weight))

    def _priced(self, play: Play) -> Priced:
        work = play.work
        inner = work.inside_residual(self._cost(work.features))
        residual = play.rows.residual(work.outside + work.basis @ inner)
        found = self.price(residual, set(zip(work.features, work.signs.tolist(), strict=True)))
        energy = float(residual @ residual) + self.lost
        gap = self.gap(work, inner, energy, found.bound)
        return Priced(residual, found, gap, energy / 2 + float(self._cost(work.features) @ work.amount))

    def _polished(self, play: Play, priced: Priced, goal: float) -> Array:
        """Return a residual whose gap rounding does not spoil.

        Close to a perfect fit the residual is rounding in directions no active feature fixes. The
        features that then seem to exceed their cost are made to meet it.
        """
        best = priced
        for _ in range(POLISH):
            if best.gap <= goal or not priced.found.features or priced.found.bound > self.limit * 1.01:
                break
            play = self._extended(play, priced.found.features, priced.found.signs)
            priced = self._priced(play)
            best = priced if priced.gap < best.gap else best
        return best.residual

    def point(self, work: Working) -> Coefficients:
        """Turn a working set into coefficients in data units."""
        scale = np.array([self.design.y_scale / self.design.columns[f.column].scale for f in work.features])
        units = self.problem.architecture.condense(work.features, work.signs * work.amount * scale)
        return with_free_part(self.problem, *units)

    def dual(self, residual: Array) -> Array:
        """Dual vector over the observations, in data units, of a residual of the rows."""
        values = (residual / self.samples.root)[self.samples.row] + self.samples.spread
        return self.design.y_scale * self.design.weight * values


def search_columns(
    problem: LassoProblem, tol: float, max_rounds: int, use_osqp: bool, start: Coefficients | None = None
) -> tuple[Coefficients, Array, int]:
    """Solve by column generation in feature space: point, dual vector in data units, rounds."""
    # many small products: more threads only wait for each other
    with one_thread("blas"):
        return _search_columns(problem, tol, max_rounds, use_osqp, start)


def _search_columns(
    problem: LassoProblem, tol: float, max_rounds: int, use_osqp: bool, start: Coefficients | None
) -> tuple[Coefficients, Array, int]:
    search = ColumnSearch(problem, use_osqp)
    work, residual, rounds = search.run(search.start(start), tol, max_rounds)
    return search.point(work), search.dual(residual), rounds
