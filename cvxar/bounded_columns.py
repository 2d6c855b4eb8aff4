"""Column generation in feature space for losses of bounded slope: any dictionary, any columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cvxar._typing import Array, BoolArray, IntArray
from cvxar.architectures import Unit
from cvxar.coefficients import Coefficients
from cvxar.dense_rows import DenseRows
from cvxar.independent import independent_amounts
from cvxar.interior import balanced, maximise
from cvxar.loss_rows import programme_of
from cvxar.problem import LassoProblem
from cvxar.rounds import LOOSEST, iterate
from cvxar.threads import one_thread
from cvxar.unpenalised import with_free_coef

MANY = 100  # idle features kept, because dropping one too early costs a round


@dataclass(frozen=True)
class Play:
    """Features in play: columns (divided by the range of their input), amounts, free coefficients."""

    features: tuple[Unit, ...]
    columns: Array
    cost: Array
    free: Array
    amount: Array


@dataclass(frozen=True)
class Priced:
    """Optimum over the features in play, and what the search of the dictionary says about it."""

    play: Play
    dual: Array
    price: Array
    value: float
    gap: float
    found: tuple[Unit, ...]

    @property
    def asking(self) -> bool:
        """Whether features outside the play ask to enter."""
        return bool(self.found)

    @property
    def idle(self) -> BoolArray:
        """Features nearer to zero, in shares of the whole, than their price is to its limit."""
        play = self.play
        spent = np.abs(play.amount) * play.cost
        return spent < (1 - np.abs(self.price) / play.cost) * float(np.sum(spent))


class BoundedSearch:
    """Rounds of solving and searching; amounts are coefficients in units of ``y_scale / column scale``."""

    def __init__(self, problem: LassoProblem) -> None:
        self.problem, self.design = problem, problem.design

    def start(self, point: Coefficients | None) -> Play:
        """Return the play of a point's features, or the empty one."""
        design = self.design
        empty = np.empty(0)
        play = Play((), np.empty((len(design.e), 0)), empty, self.problem.free_fit.coef, empty)
        return play if point is None else self.extended(play, self._distinct(point.features))

    def extended(self, play: Play, features: Sequence[Unit]) -> Play:
        """Add features at amount zero."""
        scales = np.array([self.design.columns[f.column].scale for f in features])
        columns = np.empty((len(self.design.e), len(features)))
        for i, f in enumerate(features):
            column = self.design.columns[f.column]
            columns[:, i] = (f(column.knots) / scales[i])[column.position]
        return Play(
            (*play.features, *features),
            np.hstack([play.columns, columns]),
            np.concatenate([play.cost, self.problem.beta / scales]),
            play.free,
            np.concatenate([play.amount, np.zeros(len(features))]),
        )

    def settle(self, play: Play, tol: float) -> Priced:
        """Solve over the features in play, then search every dictionary with the dual vector."""
        free = self.design.free.values
        rows = DenseRows(np.hstack([free, play.columns]), len(play.cost))
        programme = programme_of(self.design, self.problem.loss, rows, play.cost)
        best = maximise(programme, np.concatenate([play.free, play.amount]), tol)
        p, n = free.shape[1], len(self.design.e)
        play = replace(play, free=best.unknowns[:p], amount=best.unknowns[p:])
        now = self._priced(play, best.value, best.dual, programme.curvature[:n])
        if now.found:
            return now
        again = self._priced(play, best.value, balanced(programme, best.dual), programme.curvature[:n])
        return now if 0 <= now.gap < again.gap else again

    def _priced(self, play: Play, value: float, row_dual: Array, curvature: Array) -> Priced:
        n = len(self.design.e)
        dual = row_dual[:n]
        found, bound = self.search(dual, frozenset(play.features))
        scale = min(1.0, self.problem.beta / bound) if bound > 0 else 1.0
        curved = float(np.sum(curvature * dual * dual)) / 2
        gap = value - scale * (float(dual @ self.design.e) - scale * curved)
        return Priced(play, dual, row_dual[n:], value, gap, found)

    def search(self, dual: Array, known: frozenset[Unit]) -> tuple[tuple[Unit, ...], float]:
        """Return features that ask for more than the penalty, and the largest correlation of any."""
        found: list[Unit] = []
        bound = 0.0
        for j, column in enumerate(self.design.columns):
            match = column.dictionary.match(column.aggregate(dual), self.problem.beta * (1 + 1e-10))
            found += [f.on_column(j) for f in match.features]
            bound = max(bound, match.bound)
        return tuple(f for f in self._distinct(found) if f not in known), bound

    def _distinct(self, features: Sequence[Unit]) -> tuple[Unit, ...]:
        """Leave out repeated features, and mirrored ones where the unpenalised columns make up for them."""
        if self.problem.skip and self.problem.fit_intercept:
            features = [self.problem.architecture.up_to_linear(f) for f in features]
        return tuple(dict.fromkeys(features))

    def run(self, play: Play, tol: float, max_rounds: int) -> tuple[Priced, int]:
        """Iterate until the gap is closed, no feature asks to enter, or nothing gets better."""
        first = self.settle(play, LOOSEST)
        best, done = iterate(first, self._again, tol, max_rounds)
        return self.cleared(best, tol), done

    def _again(self, now: Priced, accuracy: float) -> Priced:
        return self.settle(self.extended(self.lean(now), now.found), accuracy)

    def lean(self, now: Priced) -> Play:
        """Drop idle features far from their limit, once they are the majority of many."""
        drop = now.idle & (np.abs(now.price) < 0.5 * now.play.cost)
        return (
            _taken(now.play, np.flatnonzero(~drop))
            if now.found and np.sum(drop) > MANY + np.sum(~drop)
            else now.play
        )

    def cleared(self, best: Priced, tol: float) -> Priced:
        """Leave out the features that are zero up to the accuracy of an interior point."""
        if not best.idle.any():
            return best
        fewer = self.settle(_taken(best.play, np.flatnonzero(~best.idle)), tol / 10)
        return fewer if fewer.gap <= max(best.gap, tol * best.value) else best

    def fewest(self, play: Play) -> Play:
        """Leave out features that depend on the others: same fit, same cost.

        Hinges that open to the right stay if they can.
        """
        upright = np.array([self.problem.architecture.up_to_linear(f) == f for f in play.features])
        order = np.argsort(~upright, kind="stable") if len(upright) else np.empty(0, dtype=int)
        play = _taken(play, order)
        change, amount = independent_amounts(self.design.free.values, play.columns, play.cost, play.amount)
        play = replace(play, free=play.free + change, amount=amount)
        return _taken(play, np.flatnonzero(amount))


def _taken(play: Play, index: IntArray) -> Play:
    features = tuple(play.features[i] for i in index)
    return Play(features, play.columns[:, index], play.cost[index], play.free, play.amount[index])


def search_bounded_columns(
    problem: LassoProblem, tol: float, max_rounds: int, start: Coefficients | None = None
) -> tuple[Coefficients, Array, int]:
    """Solve a problem whose loss has bounded slopes: point, dual vector in data units, rounds."""
    with one_thread("blas"):
        search = BoundedSearch(problem)
        best, rounds = search.run(search.start(start), tol, max_rounds)
        play = search.fewest(best.play)
    design = problem.design
    scale = np.array([design.y_scale / design.columns[f.column].scale for f in play.features])
    units, coef = problem.architecture.condense(play.features, play.amount * scale)
    return with_free_coef(problem, tuple(units), coef, play.free), best.dual, rounds
