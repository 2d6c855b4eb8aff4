"""What a path says of itself agrees with what each of its solutions says."""

import numpy as np
import pytest

from cvxar import LassoProblem, SolutionPath, aggregate, solve, solve_path
from cvxar.criteria import degrees_of_freedom, gaussian_fit


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("kind", ["plain", "weighted", "sums", "long", "two columns"])
def test_table_of_a_path_is_what_its_residuals_give(kind, skip):
    rng = np.random.default_rng(0)
    n = 20_000 if kind == "long" else 300
    x = np.round(rng.normal(size=(n, 2 if kind == "two columns" else 1)), 2)
    y = np.abs(x[:, 0]) + 0.2 * rng.normal(size=n)
    weight = rng.integers(0, 3, n).astype(float) if kind == "weighted" else None
    problem = LassoProblem(x, y, beta=1.0, skip=skip, sample_weight=weight)
    if kind == "sums":
        problem = aggregate([(x[:, 0], y)]).problem(beta=1.0, skip=skip)
    path = solve_path(problem, n_betas=6, min_ratio=1e-3 if kind == "two columns" else 1e-6)
    table = path.to_frame()
    for solution, row in zip(path, table.itertuples(), strict=True):
        residual = y - solution.predict(x)
        rss = float(np.sum(residual**2 if weight is None else weight * residual**2))
        fit = gaussian_fit(rss, n, degrees_of_freedom(solution))
        assert row.rss == pytest.approx(rss, rel=1e-9)
        assert row.loss == row.rss / 2
        np.testing.assert_allclose((row.aic, row.bic, row.hqic), (fit.aic, fit.bic, fit.hqic), rtol=1e-8)
        assert row.objective == pytest.approx(row.loss + row.beta * row.l1_norm, rel=1e-12)
        assert (row.n_units, row.rounds) == (len(solution.coef), solution.rounds)
    assert (table["relative_gap"] <= 1e-8).all()
    assert not table.isna().any(axis=None)


def test_every_column_of_the_table_is_documented():
    table = solve_path(
        LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.0, skip=True), n_betas=2
    ).to_frame()
    assert [c for c in table if f"``{c}``" not in SolutionPath.to_frame.__doc__] == []


def test_a_path_of_one_observation_has_a_table():
    table = solve_path(LassoProblem([3.0], [2.0], beta=1.0)).to_frame()
    assert table[["df", "loss", "l1_norm"]].to_numpy().tolist() == [[1.0, 0.0, 0.0]]


def test_paths_and_solutions_are_shown_in_one_line():
    path = solve_path(LassoProblem(np.arange(300.0), np.arange(300.0) % 7, beta=0), n_betas=3, min_ratio=0.1)
    assert repr(path).startswith(
        f"SolutionPath(3 solutions, beta {path.betas[0]:.3g} .. {path.betas[-1]:.3g}, "
    )
    assert repr(path[:0]) == "SolutionPath(0 solutions)"
    last = path[-1]
    shown = f"Solution({len(last.coef)} features, beta={last.problem.beta:g}, {last.certificate})"
    assert repr(last) == shown
    assert len(shown) < 150


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("architecture", ["relu", "abs", "deep_relu", "sign"])
def test_a_path_starts_with_no_unit_at_all(architecture, skip):
    """The one that enters at beta_max has no size there but what rounding gives it."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=5 + seed)
        y = np.abs(x) + rng.normal(size=len(x))
        problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip)
        assert not len(solve_path(problem, n_betas=2)[0].coef)
        again = LassoProblem(x, y, beta=problem.beta_max, architecture=architecture, skip=skip)
        assert not len(solve(again).coef)


def test_a_path_of_lazily_sorted_data_starts_with_no_unit_at_all():
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = np.cumsum(rng.normal(size=20_000))
        problem = LassoProblem(x, np.abs(x) + rng.normal(size=len(x)), beta=1.0)
        first = solve_path(problem, n_betas=1)[0]
        assert not len(first.coef)
        assert first.verify().holds()
