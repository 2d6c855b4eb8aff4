r"""The minimum-l1-norm fit of any dictionary: a linear programme by column generation.

.. math:: \min \lVert z \rVert_1 \quad\text{such that}\quad A z + U \gamma = \hat y

for the fitted values :math:`\hat y` of the loss alone, or between bounds where they are intervals.
HiGHS solves the programme restricted to the features found so far, the dictionary is searched with its
dual vector, until no feature correlates by more than 1. The last basis is then solved again to full
accuracy, both ways.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from cvxar._typing import Array, IntArray
from cvxar.architectures import Unit
from cvxar.coefficients import Coefficients
from cvxar.design import Design
from cvxar.errors import InputError, SolverError
from cvxar.least_norm_programme import fitted_target
from cvxar.minimisers import minimisers
from cvxar.nodal import Rows
from cvxar.problem import LassoProblem
from cvxar.rows import Samples, samples_of
from cvxar.unpenalised import with_free_part

ACCURACY = 1e-9
LARGEST = 2_000


@dataclass(frozen=True)
class Restricted:
    """Features in play; columns are divided by the range of their input and cost its inverse."""

    features: tuple[Unit, ...]
    columns: Array
    cost: Array


@dataclass(frozen=True)
class Vertex:
    """Solution of a restricted programme: amounts, rises above the lower bound, dual vector of the rows."""

    amount: Array
    rise: Array
    dual: Array


@dataclass(frozen=True)
class Wanted:
    """What is to be met: unpenalised columns, lower bound of the fit, room above it, by row."""

    free: Array
    low: Array
    room: Array

    @property
    def loose(self) -> IntArray:
        """Rows that leave room."""
        return np.flatnonzero(self.room)

    @property
    def unpriced(self) -> Array:
        """Unpenalised columns, and minus the rise of the fit of every loose row."""
        rises = np.zeros((len(self.low), len(self.loose)))
        rises[self.loose, np.arange(len(self.loose))] = -1.0
        return np.hstack([self.free, rises])


def least_norm_columns(problem: LassoProblem) -> tuple[Coefficients, Array, int]:
    """Return the point, a dual vector (data units) and the number of rounds.

    Each round solves a dense programme of as many rows as there are distinct inputs.

    Raises
    ------
    InputError
        For more rows than a dense programme can have.
    SolverError
        When HiGHS finds no optimum.
    """
    design = problem.design
    samples = samples_of(design)
    if len(samples.target) > LARGEST:
        raise InputError(
            f"beta=0 for {problem.architecture!r} is a dense linear programme with a row for each of "
            f"{len(samples.target):,} inputs (at most {LARGEST:,}); use a small positive beta, for example "
            "1e-6 * problem.beta_max"
        )
    wanted = best_fits(problem, samples)
    start = [f.on_column(j) for j, c in enumerate(design.columns) for f in c.dictionary.spanning()]
    play, rounds = _add(design, samples, None, start), 0
    while True:
        vertex, rounds = _solve(play, wanted), rounds + 1
        found = _price(design, samples, vertex.dual, set(play.features))
        if not found:
            break
        play = _add(design, samples, play, found)
    vertex = _refined(play, wanted, vertex)
    active = np.flatnonzero(vertex.amount)
    features = tuple(play.features[i] for i in active)
    coef = vertex.amount[active] * play.cost[active] * design.y_scale / _unit(design)
    # on the rows of one input the dual vector is shared by weight
    share = (vertex.dual / samples.root**2)[samples.row] * design.weight
    features, coef = problem.architecture.condense(features, coef)
    met = None if problem.loss.quadratic else (wanted.low + vertex.rise)[samples.row]
    return with_free_part(problem, features, coef, met), share, rounds


def _unit(design: Design) -> float:
    return min(c.scale for c in design.columns)


def best_fits(problem: LassoProblem, samples: Samples) -> Wanted:
    """Fitted values of the loss alone (the targets where they can be met)."""
    sizes = [len(c.knots) for c in problem.design.columns]
    free, ranges = samples.basis / samples.root[:, None], minimisers(problem)
    if ranges is None:
        fit = fitted_target(Rows(samples.target, samples.root**2, samples.positions, free), sizes)
        return Wanted(free, fit, np.zeros(len(fit)))
    low, high = (end / problem.design.y_scale for end in ranges)
    return Wanted(free, low, high - low)


def _add(design: Design, samples: Samples, play: Restricted | None, features: list[Unit]) -> Restricted:
    columns = np.empty((len(samples.target), len(features)))
    for i, feature in enumerate(features):
        column = design.columns[feature.column]
        columns[:, i] = (feature(column.knots) / column.scale)[samples.positions[feature.column]]
    cost = np.array([_unit(design) / design.columns[f.column].scale for f in features])
    if play is None:
        return Restricted(tuple(features), columns, cost)
    return Restricted(
        (*play.features, *features), np.hstack([play.columns, columns]), np.concatenate([play.cost, cost])
    )


def _solve(play: Restricted, wanted: Wanted) -> Vertex:
    k, p, loose = len(play.cost), wanted.free.shape[1], wanted.loose
    answer = scipy.optimize.linprog(
        np.concatenate([play.cost, play.cost, np.zeros(p + len(loose))]),
        A_eq=np.hstack([play.columns, -play.columns, wanted.unpriced]),
        b_eq=wanted.low,
        bounds=[(0, None)] * (2 * k) + [(None, None)] * p + [(0, room) for room in wanted.room[loose]],
        method="highs-ds",
    )
    if answer.status != 0:
        raise SolverError(f"the minimum-norm linear programme was not solved: {answer.message}")
    rise = np.zeros(len(wanted.low))
    rise[loose] = answer.x[2 * k + p :]
    return Vertex(answer.x[:k] - answer.x[k : 2 * k], rise, np.asarray(answer.eqlin.marginals))


def _price(design: Design, samples: Samples, dual: Array, known: set[Unit]) -> list[Unit]:
    """Features whose correlation exceeds their cost."""
    found = []
    for j, column in enumerate(design.columns):
        sums = np.bincount(samples.positions[j], weights=dual, minlength=len(column.knots)).astype(float)
        match = column.dictionary.match(sums, _unit(design) * (1 + ACCURACY))
        found += [f.on_column(j) for f in match.features]
    return [f for f in dict.fromkeys(found) if f not in known]


def _refined(play: Restricted, wanted: Wanted, vertex: Vertex) -> Vertex:
    """Solve the equations of the basis again, beyond the tolerances of HiGHS."""
    size = np.abs(vertex.amount) * np.max(np.abs(play.columns), axis=0, initial=0.0)
    active = np.flatnonzero(size > ACCURACY * np.max(size, initial=0.0))
    rise, room = vertex.rise, wanted.room
    rise = np.where(rise <= ACCURACY * room, 0.0, np.where(rise >= (1 - ACCURACY) * room, room, rise))
    inside = np.concatenate([np.ones(wanted.free.shape[1]), (rise * (room - rise))[wanted.loose]]) > 0
    unpriced = wanted.unpriced[:, inside]
    matrix = np.hstack([play.columns[:, active], unpriced])
    target = wanted.low + np.where(rise < room, 0.0, room)
    solved = np.linalg.lstsq(matrix, target, rcond=None)[0]
    amount = np.zeros_like(vertex.amount)
    amount[active] = solved[: len(active)]
    between = wanted.loose[inside[wanted.free.shape[1] :]]
    rise[between] = solved[len(solved) - len(between) :]
    prices = np.concatenate([play.cost[active] * np.sign(amount[active]), np.zeros(unpriced.shape[1])])
    step = np.linalg.lstsq(matrix.T, prices - matrix.T @ vertex.dual, rcond=None)[0]
    return Vertex(amount, rise, vertex.dual + step)
