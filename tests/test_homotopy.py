"""The exact path against solves of their own, and against least-angle regression on explicit columns."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import explicit, inputs, orthonormal

from cvxar import LassoProblem, aggregate, solve, solve_path
from cvxar.architectures import TwoLayer
from cvxar.criteria import degrees_of_freedom, gaussian_fit
from cvxar.errors import CertificateWarning, InputError
from cvxar.homotopy import between

KINDS = [TwoLayer("relu"), TwoLayer("abs"), TwoLayer("leaky_relu", 0.6), TwoLayer("leaky_relu", -0.5)]


def projected(problem):
    """Columns and target of the explicit Lasso, weighted, with the unpenalised part removed."""
    matrix, free = explicit(problem)
    root = np.sqrt(np.ones(len(problem.y)) if problem.sample_weight is None else problem.sample_weight)
    centred = np.column_stack([np.ones(len(root)), free[:, 1:] - free[:, 1:].mean(axis=0)])
    basis = orthonormal(root[:, None] * centred)
    columns, target = root[:, None] * matrix, root * problem.y
    return columns - basis @ (basis.T @ columns), target - basis @ (basis.T @ target)


def distinct(matrix):
    """The columns that differ by more than sign, and are not zero: what least-angle regression can take."""
    keep = []
    for j in range(matrix.shape[1]):
        column = matrix[:, j]
        twins = [min(np.max(np.abs(column - s * matrix[:, i])) for s in (1, -1)) for i in keep]
        if np.max(np.abs(column)) > 1e-9 and min(twins, default=1.0) > 1e-9:
            keep.append(j)
    return matrix[:, keep]


def unique_down_to(path):
    """The penalty below which right and left units cost the same, so that the coefficients are many."""
    if path[0].problem.skip or path[0].problem.architecture.activation == "abs":
        return path.betas[-1]
    return next((s.problem.beta for s in path if abs(s.state.tilt) < 1e-9), path.betas[-1])


@pytest.mark.parametrize("architecture", KINDS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("skip", [False, True])
def test_path_is_that_of_least_angle_regression(architecture, weighted, skip):
    from sklearn.linear_model import lars_path

    rng = np.random.default_rng(3)
    x = np.round(rng.normal(size=24), 1)
    y = (np.abs(x) if skip else x) + 0.5 * rng.normal(size=24)
    weight = rng.uniform(0.5, 2.0, 24) if weighted else None
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip, sample_weight=weight)
    path = solve_path(problem, method="homotopy", min_ratio=1e-3)
    matrix, target = projected(problem)
    matrix, last = distinct(matrix), unique_down_to(path)
    alphas, _, coefs = lars_path(matrix, target, method="lasso", alpha_min=0.999 * last / 24)
    seen = 0
    for beta, z in zip(24 * alphas, coefs.T, strict=True):
        if not last * (1 + 1e-9) < beta < 0.999999 * problem.beta_max:
            continue
        seen += 1
        assert np.min(np.abs(path.betas / beta - 1)) < 1e-8  # an event there is an event here
        objective = 0.5 * np.sum((target - matrix @ z) ** 2) + beta * np.sum(np.abs(z))
        assert path.at(beta).certificate.primal == pytest.approx(objective, rel=1e-9)
    assert seen >= 5


@pytest.mark.parametrize("architecture", [KINDS[0], *KINDS[2:]], ids=repr)
def test_free_end_slopes_make_the_path_that_of_the_skip_connection(architecture):
    """Where ``|S| < (2 a - 1) TV`` the skip connection has nothing to add."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    given = {"x": x, "y": np.abs(x) + 0.5 * rng.normal(size=60), "beta": 1.0, "architecture": architecture}
    path, other = (
        solve_path(LassoProblem(skip=skip, **given), method="homotopy", min_ratio=1e-4)
        for skip in (False, True)
    )
    kinked = [s for s in path if s.state.tilt == 0 and other.betas[-1] < s.problem.beta < other.betas[0]]
    assert len(kinked) >= 10
    for solution in kinked:
        twin = other.at(solution.problem.beta)
        assert solution.certificate.primal == pytest.approx(twin.certificate.primal, rel=1e-9)
        np.testing.assert_allclose(solution.fitted, twin.fitted, atol=1e-6)


def least_norm_of(problem, fitted):
    """The gauge, written out: variation and end slopes of fitted values on the sorted distinct inputs."""
    x, first = np.unique(problem.x[:, 0], return_index=True)
    slope = np.diff(fitted[first]) / np.diff(x)
    variation, ends = np.sum(np.abs(np.diff(slope))), abs(slope[0] + slope[-1])
    cost = problem.architecture.hinge_cost
    return cost * variation if problem.skip else max(cost * variation, (variation + ends) / 2)


@pytest.mark.parametrize("architecture", KINDS, ids=repr)
def test_path_crosses_every_face_of_the_penalty(architecture):
    rng = np.random.default_rng(1)
    x = rng.normal(size=80)
    y = x + 0.3 * np.abs(x) + 0.3 * rng.normal(size=80)
    path = solve_path(LassoProblem(x, y, beta=1.0, architecture=architecture), method="homotopy")
    tilts = np.array([s.state.tilt for s in path])
    assert np.any(np.abs(tilts) == 1)
    assert np.any((tilts != 0) & (np.abs(tilts) < 1))
    assert np.any(tilts == 0) == (architecture.activation != "abs")
    for above, below in pairwise(path):
        for s in (below, path.at((above.problem.beta + below.problem.beta) / 2)):
            assert s.l1_norm == pytest.approx(least_norm_of(s.problem, s.fitted), rel=1e-7, abs=1e-10)


@st.composite
def one_column(draw):
    """One column with ties, offsets, heavy tails; targets noisy or piecewise linear."""
    n = draw(st.integers(2, 40))
    x = draw(inputs(n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = max(float(np.ptp(x)), 1.0)
    y = np.abs(x[:, 0] - np.median(x)) / spread + rng.normal(size=n) * draw(st.sampled_from([0.0, 0.01, 1.0]))
    y = y + draw(st.sampled_from([0.0, 1.0, -0.3])) * x[:, 0] / spread
    weight = rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None
    kind = draw(st.sampled_from(KINDS))
    x[0] += float(np.ptp(x) == 0)
    skip = draw(st.booleans())
    return LassoProblem(x, y, beta=1.0, architecture=kind, skip=skip, sample_weight=weight)


@pytest.mark.parametrize("architecture", KINDS, ids=repr)
@pytest.mark.parametrize("skip", [False, True])
def test_solutions_have_no_unit_that_only_rounding_made(architecture, skip):
    """Units count as degrees of freedom: one that has just vanished must not."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=80)
    y = x + 0.3 * np.abs(x) + 0.3 * rng.normal(size=80)
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip)
    path = solve_path(problem, method="homotopy", min_ratio=1e-2 if skip else 1e-4)
    for above, below in pairwise(path):
        assert np.all(np.abs(below.coef) > 1e-11 * np.max(np.abs(below.coef)))
        middle = (above.problem.beta + below.problem.beta) / 2
        assert len(path.at(middle).coef) == len(solve(problem.with_beta(middle)).coef)


@pytest.mark.parametrize("architecture", KINDS, ids=repr)
@pytest.mark.parametrize("skip", [False, True])
def test_interpolation_mixes_fits_norms_and_duals(architecture, skip):
    """On a stretch of the exact path, and with coefficients mixed one by one where there is no state."""
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(size=50), 1)
    y = x + 0.3 * np.abs(x) + 0.3 * rng.normal(size=50)
    problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip)
    path = solve_path(problem, method="homotopy", min_ratio=1e-2)
    for above, below in pairwise(path):
        mixed = between(above, below, 0.7 * above.problem.beta + 0.3 * below.problem.beta)
        apart = between(replace(above, state=None), below, mixed.problem.beta)
        for part in ("fitted", "dual", "l1_norm"):
            expected = 0.7 * getattr(above, part) + 0.3 * getattr(below, part)
            np.testing.assert_allclose(getattr(mixed, part), expected, rtol=1e-7, atol=1e-10)
            np.testing.assert_allclose(getattr(apart, part), expected, rtol=1e-7, atol=1e-10)
        assert len(mixed.coef) <= len(apart.coef)


@pytest.mark.parametrize("skip", [False, True])
def test_sums_over_equal_inputs_have_the_path_of_the_observations(skip):
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=400), 1)
    y = x + np.abs(x) + rng.normal(size=400)
    every = solve_path(LassoProblem(x, y, beta=1.0, skip=skip), method="homotopy", min_ratio=1e-2)
    sums = solve_path(aggregate([(x, y)]).problem(beta=1.0, skip=skip), method="homotopy", min_ratio=1e-2)
    np.testing.assert_allclose(sums.betas, every.betas, rtol=1e-9)
    for one, other in zip(sums, every, strict=True):
        assert one.certificate.primal == pytest.approx(other.certificate.primal, rel=1e-10)


def test_what_rounding_leaves_at_an_event_is_put_right():
    """Slopes between neighbours move fast: the room of a face must be closed."""
    x = [
        1.999986,
        0.999883,
        1.999951,
        1.000071,
        1.00002,
        -2e-06,
        1.000011,
        -0.000203,
        2.000166,
        2.000055,
        2.000125,
        1.999905,
    ]
    y = [
        1.951656,
        -0.852693,
        1.27519,
        1.257944,
        -0.725555,
        0.874635,
        0.130525,
        -0.48583,
        1.073673,
        2.262369,
        1.535042,
        2.02614,
    ]
    weight = [
        0.470089,
        0.18743,
        1.814359,
        1.206919,
        1.625806,
        0.490696,
        0.423736,
        1.712053,
        0.320016,
        0.679574,
        1.122851,
        1.366649,
    ]
    problem = LassoProblem(x, y, beta=1.0, architecture=KINDS[2], skip=False, sample_weight=weight)
    path = solve_path(problem, method="homotopy", min_ratio=1e-2)
    assert max(s.rounds for s in path) == 0
    assert all(s.certificate.holds(1e-12) for s in path)


def test_end_slopes_of_absolute_values_can_turn():
    x, y = np.random.default_rng(49).normal(size=(2, 80))
    path = solve_path(LassoProblem(x, y, beta=1.0, architecture="abs"), method="homotopy", min_ratio=1e-2)
    tilts = {s.state.tilt for s in path}
    assert {1.0, -1.0} <= tilts
    assert max(s.rounds for s in path) == 0


@pytest.mark.parametrize("architecture", KINDS, ids=repr)
@pytest.mark.parametrize("skip", [False, True])
def test_ordinary_data_need_no_help_of_the_solver(architecture, skip):
    """Certified steps of the solver would hide events that are found wrongly."""
    rng = np.random.default_rng(5)
    for x, y in ((rng.normal(size=300), rng.normal(size=300)), np.cumsum(rng.normal(size=(2, 300)), axis=1)):
        problem = LassoProblem(x, x + y, beta=1.0, architecture=architecture, skip=skip)
        path = solve_path(problem, method="homotopy", min_ratio=1e-2 if skip else 1e-3)
        assert len(path) >= 10
        assert max(s.rounds for s in path) == 0
        assert all(s.certificate.holds(1e-12) for s in path)


def assert_exact(problem, path, ratios):
    """Interpolation anywhere is as good as a solve of its own, and proven."""
    assert all(s.certificate.holds(1e-8) for s in path)
    assert np.all(np.diff(path.betas) < 0)
    for above, below in pairwise(path):
        middle = (above.problem.beta + below.problem.beta) / 2
        assert between(above, below, middle).certificate.holds(1e-8)
    for ratio in ratios:
        beta = ratio * problem.beta_max
        after = int(np.searchsorted(-path.betas, -beta))
        ours, alone = between(path[after - 1], path[after], beta), solve(problem.with_beta(beta))
        rounding = max(alone.certificate.floor, ours.certificate.floor)
        # a solve of its own stops within 1e-8, where it gains no more: it may be the worse of the two
        assert ours.certificate.primal <= alone.certificate.primal * (1 + 1e-9) + rounding
        assert ours.certificate.primal >= alone.certificate.dual * (1 - 1e-10) - rounding
        assert path.at(beta).certificate.holds(1e-8)


@settings(max_examples=120)
@given(one_column(), st.integers(0, 2**32 - 1))
def test_interpolation_is_the_optimum(problem, seed):
    path = solve_path(problem, method="homotopy", min_ratio=1e-2)
    if problem.beta_max == 0:
        assert path.betas.tolist() == [0.0]
        return
    assert (path.betas[0], path.betas[-1]) == (problem.beta_max, 1e-2 * problem.beta_max)
    assert_exact(problem, path, 10.0 ** -np.random.default_rng(seed).uniform(0, 2, 8))


def hostile():
    """Data with events in one place, few inputs, digits in few places."""
    rng = np.random.default_rng(0)
    x, e, grid = rng.normal(size=60), rng.normal(size=60), np.arange(-20.0, 21.0)
    return {
        "symmetric": (grid, np.abs(grid)),
        "parabola": (grid, grid**2),
        "odd": (grid, np.sin(grid)),
        "line": (x, 3 * x),
        "constant": (x, np.ones(60)),
        "sawtooth": (grid, grid % 4),
        "alternating": (grid, grid % 2),
        "step": (grid, np.sign(grid)),
        "monotone": (grid, np.exp(grid / 10)),
        "two inputs": (np.sign(x), e),
        "three inputs": (np.sign(np.round(x)), e),
        "two observations": ([0.0, 1.0], [3.0, 5.0]),
        "three observations": ([0.0, 1.0, 2.0], [3.0, 5.0, 1.0]),
        "every row twice": (np.repeat(x, 2), np.repeat(e, 2)),
        "neighbours in the last digit": (np.concatenate((x, np.nextafter(x, 9))), np.tile(e, 2) ** 3),
        "neighbours at 1e-13": (np.concatenate((x, x + 1e-13)), np.concatenate((e, e[::-1]))),
        "far from the origin": (1e9 + 1e-3 * x, e),
        "outlier in x": (np.append(x, 1e9), np.append(e, 1.0)),
        "neighbours at 1e-8": (np.concatenate((x, x * (1 + 1e-8))), np.tile(e, 2) ** 3),
        "outlier in y": (x, np.concatenate(([1e9], e[1:]))),
        "heavy tails": (rng.standard_cauchy(60), e),
        "tiny": (1e-150 * x, e),
        "huge": (1e100 * x, 1e100 * e),
    }


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", hostile())
def test_hostile_data_have_a_proven_path(name, skip):
    x, y = hostile()[name]
    for architecture in KINDS:
        problem = LassoProblem(x, y, beta=1.0, architecture=architecture, skip=skip)
        end = 0.1 if name == "outlier in x" else 1e-2 if skip else 1e-3
        path = solve_path(problem, method="homotopy", min_ratio=end)
        if problem.beta_max == 0:
            assert path.betas.tolist() == [0.0]
            continue
        assert_exact(problem, path, end ** np.random.default_rng(0).uniform(0, 1, 3))


@pytest.mark.filterwarnings("ignore:stopped at")
@pytest.mark.parametrize("skip", [False, True])
def test_stretches_that_are_not_proven_are_said_so(skip):
    x, y = hostile()["outlier in y"]
    problem = LassoProblem(x, y, beta=1.0, skip=skip)
    with pytest.warns(CertificateWarning, match=r"stretches of the path, between beta=.* are not proven"):
        path = solve_path(problem, method="homotopy", min_ratio=0.1, tol=1e-16)
    assert not all(s.certificate.holds(1e-16) for s in path)
    assert all(s.certificate.holds(1e-10) for s in path)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_events_hold_the_best_value_of_every_criterion(skip, seed):
    """Between events the degrees of freedom stay, and the loss falls with the penalty."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=60)
    problem = LassoProblem(x, x + np.abs(x) + 0.4 * rng.normal(size=60), beta=1.0, skip=skip)
    events = solve_path(problem, method="homotopy", min_ratio=1e-2).to_frame()
    grid = solve_path(problem, n_betas=200, min_ratio=1e-2).to_frame()
    for criterion in ("aic", "bic", "hqic"):
        assert events[criterion].min() <= grid[criterion].min() + 1e-7


@pytest.mark.parametrize("skip", [False, True])
def test_table_of_an_exact_path_describes_its_solutions(skip):
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    path = solve_path(
        LassoProblem(x, np.abs(x) + rng.normal(size=80), beta=1.0, skip=skip),
        method="homotopy",
        min_ratio=0.01,
    )
    table = path.to_frame()
    for solution, row in zip(path, table.itertuples(), strict=True):
        rss = float(np.sum((solution.problem.y - solution.predict(x)) ** 2))
        fit = gaussian_fit(rss, 80, degrees_of_freedom(solution))
        np.testing.assert_allclose((row.rss, row.aic, row.bic), (rss, fit.aic, fit.bic), rtol=1e-9)
        assert row.n_breakpoints == solution.network.n_breakpoints
    assert not table.isna().any(axis=None)


@pytest.mark.parametrize("seed", range(3))
def test_dense_grid_lies_on_the_path(seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(size=300))
    problem = LassoProblem(x, np.sin(x) + rng.normal(size=300), beta=1.0, skip=True)
    path = solve_path(problem, method="homotopy", min_ratio=1e-2)
    for alone in solve_path(problem, n_betas=60, min_ratio=1e-2)[1:-1]:
        after = int(np.searchsorted(-path.betas, -alone.problem.beta))
        ours = between(path[after - 1], path[after], alone.problem.beta)
        assert ours.certificate.primal == pytest.approx(alone.certificate.primal, rel=1e-9)
        np.testing.assert_allclose(ours.fitted, alone.fitted, atol=1e-5 * np.ptp(problem.y))


def test_any_path_answers_at_any_penalty():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    for skip in (False, True):
        problem = LassoProblem(x, np.abs(x) + rng.normal(size=60), beta=1.0, skip=skip)
        path = solve_path(problem, n_betas=3, min_ratio=1e-2)
        for beta in (2 * problem.beta_max, 0.5 * problem.beta_max, path.betas[1], 1e-3 * problem.beta_max):
            alone = solve(problem.with_beta(beta))
            assert path.at(beta).problem.beta == beta
            assert path.at(beta).certificate.primal == pytest.approx(alone.certificate.primal, rel=2e-8)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"loss": "absolute"}, r"takes the squared loss, got Absolute\(\)"),
        ({"architecture": "deep_relu"}, "takes two-layer relu, leaky_relu or abs, got DeepNarrow"),
        ({"exog": np.arange(10_001.0) ** 2}, r"no exogenous columns \(.*\), got 1"),
        ({"x": np.ones(10_001)}, "a column of x that varies, got a constant one"),
        ({"x": np.ones((10_001, 2)).cumsum(axis=0)}, "takes one column of x, got 2"),
        ({"fit_intercept": False}, "needs a constant, got fit_intercept=False"),
        ({}, "at most 10,000 observations, got 10,001"),
    ],
)
def test_problems_without_an_exact_path_are_sent_to_the_grid(given, says):
    n = 12 if "architecture" in given else 10_001
    data = {"x": np.arange(10_001.0)[:n], "y": np.arange(10_001.0)[:n] % 7, "skip": True}
    with pytest.raises(InputError, match=f'^method="homotopy" .*{says}.*; use method="grid"'):
        solve_path(LassoProblem(beta=1.0, **(data | given)), method="homotopy")


def test_options_that_do_not_go_together_are_refused():
    problem = LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0, skip=True)
    for options in ({"betas": [0.1]}, {"solver": "osqp"}, {"min_ratio": 0.0}, {"tol": 0.0}, {"tol": np.nan}):
        with pytest.raises(InputError):
            solve_path(problem, method="homotopy", **options)
    with pytest.raises(InputError, match="unknown method"):
        solve_path(problem, method="exact")
    with pytest.raises(InputError, match="empty path"):
        solve_path(problem)[:0].at(0.1)
