"""The penalty by cross-validation: a literal twin, no look-ahead, and both rules as they are defined."""

import math

import numpy as np
import pytest

from cvxar import cross_validation
from cvxar.cross_validation import fold_ends, make_folds
from cvxar.errors import InputError
from cvxar.lags import lag_frame
from cvxar.model import ConvexAR
from cvxar.observations import observe
from cvxar.problem import LassoProblem
from cvxar.selection import select
from cvxar.simulation import conditional_mean
from cvxar.solver import solve


def tent(n, seed=2):
    shocks = 0.5 * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = 1 - 0.8 * abs(values[t - 1]) + shocks[t]
    return values


def lasso(values, **options):
    rng = np.random.default_rng(1)
    frame = lag_frame(observe(values, rng.normal(size=len(values))), (1, 2))
    return LassoProblem(frame.x, frame.y, beta=0.0, exog=frame.exog, **{"skip": True, **options})


def choose(problem, rule, extrapolation="ar"):
    return select(problem, rule, None, tol=1e-8, solver="auto", extrapolation=extrapolation)


def literal_losses(problem, beta, extrapolation):
    """Five blocks after the first third, each predicted by a cold fit to the rows before it."""
    n = len(problem.y)
    losses = []
    for k in range(5):
        cut, end = (round(n * (1 / 3 + 2 / 15 * j)) for j in (k, k + 1))
        past = LassoProblem(
            problem.x[:cut],
            problem.y[:cut],
            beta=beta * cut / n,
            skip=problem.skip,
            exog=problem.exog[:cut],
            architecture=problem.architecture,
        )
        solution = solve(past, tol=1e-10)
        mean = conditional_mean(solution, past, extrapolation)
        errors = [
            problem.y[t] - mean(problem.x[[t]])[0] - problem.exog[t] @ solution.exog_coef
            for t in range(cut, end)
        ]
        losses.append(sum(e * e / 2 for e in errors) / len(errors))
    return losses


@pytest.mark.parametrize(
    ("skip", "architecture", "extrapolation"),
    [(True, "relu", "ar"), (False, "relu", "network"), (True, "abs", "network"), (True, "sign", "ar")],
)
def test_losses_along_the_path_are_those_of_cold_fits(skip, architecture, extrapolation):
    problem = lasso(tent(90), skip=skip, architecture=architecture)
    table = choose(problem, "cv", extrapolation).table
    for row in table.iloc[:: max(len(table) // 4, 1)].itertuples():
        losses = literal_losses(problem, row.beta, extrapolation)
        assert row.cv_loss == pytest.approx(np.mean(losses), rel=1e-4)
        assert row.cv_se == pytest.approx(np.std(losses, ddof=1) / math.sqrt(5), rel=1e-3)


@pytest.mark.parametrize("seed", [0, 2])
def test_the_two_rules_choose_the_best_and_the_simplest_near_it(seed):
    problem = lasso(tent(80, seed))
    best, simple = choose(problem, "cv"), choose(problem, "cv1se")
    table = best.table
    at = table["cv_loss"].argmin()
    assert best.solution.problem.beta == table["beta"][at]
    limit = table["cv_loss"][at] + table["cv_se"][at]
    expected = max(b for b, loss in zip(table["beta"], table["cv_loss"], strict=True) if loss <= limit)
    assert simple.solution.problem.beta == expected >= best.solution.problem.beta
    assert simple.table.equals(table)


def test_leaving_the_path_early_loses_nothing(monkeypatch):
    problem = lasso(tent(200))
    early = choose(problem, "cv")
    monkeypatch.setattr(cross_validation, "PATIENCE", np.inf)
    whole = choose(problem, "cv")
    assert len(early.table) < len(whole.table)
    assert early.solution.problem.beta == whole.solution.problem.beta


def test_a_block_is_predicted_without_anything_after_it():
    problem = lasso(tent(120))
    ends = fold_ends(len(problem.y))
    changed = lasso(tent(120))
    changed.x[ends[3] :] += 7
    changed.y[ends[3] :] *= -3
    beta = 0.1 * problem.beta_max
    before, after = (
        [fold.loss(beta, "ar", 1e-8, "auto") for fold in make_folds(p)] for p in (problem, changed)
    )
    assert before[:3] == after[:3]
    assert all(a != b for a, b in zip(before[3:], after[3:], strict=True))


def test_kinks_are_bought_where_the_truth_bends():
    model = ConvexAR(beta="cv").fit(tent(300))
    assert len(model.breakpoints_) >= 1
    assert {"cv_loss", "cv_se", "bic"} <= set(model.path_.columns)
    assert model.beta_ == model.path_["beta"][model.path_["cv_loss"].argmin()]


@pytest.mark.parametrize("rule", ["cv", "cv1se"])
def test_hostile_series_are_chosen_for_or_refused(rule):
    assert (
        choose(LassoProblem(np.arange(30.0), np.full(30, 0.1), beta=0.0, skip=True), rule).table.shape[0] == 1
    )
    with pytest.raises(InputError, match=r"at least 24 .* got 20"):
        ConvexAR(beta=rule).fit(np.sin(np.arange(21.0)))
