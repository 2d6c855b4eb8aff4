"""The optimum: certified, equal to independent solvers, and a network that attains it."""

import numpy as np
import pytest
from conftest import golden_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import ARCHITECTURES, explicit, literal_objective, problems, reference_optimum

from cvxar import LassoProblem, architectures, losses, solve, solve_path
from cvxar.activations import Step
from cvxar.architectures import DeepNarrow, Parallel, Tree, TwoLayer
from cvxar.errors import CertificateWarning, InputError, InputTypeError

SOLVERS = ("auto", "osqp", "active-set")


def golden_problem(case):
    x = np.array(case["x"], dtype=float)
    return LassoProblem(
        x.T if x.ndim == 2 else x,
        case["y"],
        beta=case["beta"],
        architecture=golden_architecture(case),
        skip=case.get("skip", False),
        exog=np.array(case["exog"], dtype=float).T if "exog" in case else None,
    )


def golden_architecture(case):
    name, depth, slope = case["arch"], case["depth"], case.get("kappa", 0.1)
    if depth == 2:
        return architectures.TwoLayer(name, slope)
    if name == "symm_relu":
        return architectures.Symmetrized()
    if name in {"sign", "threshold"}:
        kind = architectures.Tree if case.get("net") == "tree" else architectures.Parallel
        return kind(name, tuple(case["widths"]))
    return DeepNarrow(name, depth, slope)


def known(case):
    return case["loss"]["name"] in {"squared", "interpolation"}


@pytest.mark.skipif(not golden_cases(), reason="golden.json is not beside this checkout")
def test_golden_file_is_read():
    assert sum(known(case) for case in golden_cases()) >= 42


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("case", [c for c in golden_cases() if known(c)], ids=lambda c: c["id"])
def test_golden_optima(case, solver):
    solution, expected = solve(golden_problem(case), solver=solver), case["expected"]
    assert solution.certificate.primal == pytest.approx(expected["objective"], rel=1e-9)
    assert solution.certificate.relative_gap <= 1e-8
    assert solution.l1_norm == pytest.approx(expected["l1"], rel=1e-6)
    np.testing.assert_allclose(solution.fitted, expected["fit"], rtol=1e-6, atol=1e-7)


@settings(max_examples=40)
@given(problem=problems(max_n=15, max_columns=2))
def test_optimum_equals_an_independent_solver_on_the_explicit_dictionary(problem):
    reference, reached = reference_optimum(problem), solve(problem).certificate
    assert reached.relative_gap <= 1e-8
    if reference is not None:
        assert reached.dual <= reference * (1 + 1e-9)
        assert reached.primal <= reference * (1 + 1e-8)


@settings(max_examples=15)
@given(problem=problems(max_n=12, fit_intercept=False))
def test_optimum_without_a_constant(problem):
    reference, reached = reference_optimum(problem), solve(problem).certificate
    assert reached.relative_gap <= 1e-8
    if reference is not None:
        assert reached.dual <= reference * (1 + 1e-9)
        assert reached.primal <= reference * (1 + 1e-8)


@given(problem=problems(max_columns=3))
def test_all_solvers_reach_the_same_optimum(problem):
    reached = [solve(problem, solver=solver).certificate.primal for solver in SOLVERS]
    assert reached == pytest.approx([reached[0]] * len(SOLVERS), rel=1e-9)


@given(problem=problems(max_columns=3))
def test_network_is_the_lasso_solution_and_its_objective_is_the_certified_optimum(problem):
    solution = solve(problem)
    network, exog = solution.network, problem.exog @ solution.exog_coef
    objective = literal_objective(problem, network.forward(problem.x) + exog, network.penalty())
    # weights multiply raw inputs, so offsets cost digits there; the pieces keep them
    noise = 1e-15 * np.max(np.abs(problem.x)) / max(np.min(np.ptp(problem.x, axis=0)), 1e-300)
    assert objective == pytest.approx(solution.certificate.primal, rel=1e-9 + 100 * noise)
    np.testing.assert_allclose(network(problem.x) + exog, solution.fitted, rtol=1e-12, atol=1e-9)
    spread = np.ptp(problem.x, axis=0)
    beyond = np.linspace(problem.x.min(axis=0) - 3 * spread, problem.x.max(axis=0) + 3 * spread, 200)
    literal = network.constant + (beyond - solution.point.anchors) @ solution.linear
    literal = literal + sum(
        z * f(beyond[:, f.column]) for z, f in zip(solution.coef, solution.features, strict=True)
    )
    np.testing.assert_allclose(network(beyond), literal, rtol=1e-9, atol=1e-9 * (1 + np.abs(literal).max()))


@given(problem=problems(max_columns=2), seed=st.integers(0, 99))
def test_order_of_observations_is_irrelevant(problem, seed):
    order = np.random.default_rng(seed).permutation(len(problem.y))
    weight = None if problem.sample_weight is None else problem.sample_weight[order]
    shuffled = LassoProblem(
        problem.x[order],
        problem.y[order],
        beta=problem.beta,
        architecture=problem.architecture,
        skip=problem.skip,
        exog=problem.exog[order] if problem.exog.shape[1] else None,
        sample_weight=weight,
    )
    assert solve(shuffled).certificate.primal == pytest.approx(solve(problem).certificate.primal, rel=1e-8)


@given(problem=problems(), seed=st.integers(0, 99))
def test_integer_weights_are_repetitions(problem, seed):
    times = np.random.default_rng(seed).integers(0, 3, len(problem.y))
    times[0] = 1
    common = {"beta": problem.beta, "architecture": problem.architecture, "skip": problem.skip}
    weighted = LassoProblem(problem.x, problem.y, sample_weight=times, **common)
    repeated = LassoProblem(np.repeat(problem.x, times, axis=0), np.repeat(problem.y, times), **common)
    left, right = solve(weighted), solve(repeated)
    assert left.certificate.primal == pytest.approx(right.certificate.primal, rel=1e-8, abs=1e-14)


@given(problem=problems(), scale=st.sampled_from([0.01, 3.0, 1e4]), stretch=st.sampled_from([0.1, 7.0]))
def test_affine_changes_of_the_data(problem, scale, stretch):
    """y -> scale y + 5, x -> stretch x - 2 multiplies beta_max by both and the optimum by scale squared.

    Steps do not feel the stretch.
    """
    factor = scale * (1.0 if isinstance(problem.architecture.sigma, Step) else stretch)
    changed = LassoProblem(
        stretch * problem.x - 2,
        scale * problem.y + 5,
        beta=problem.beta * factor,
        architecture=problem.architecture,
        skip=problem.skip,
        exog=problem.exog if problem.exog.shape[1] else None,
        sample_weight=problem.sample_weight,
    )
    assert changed.beta_max == pytest.approx(problem.beta_max * factor, rel=1e-6)
    optimum = solve(problem).certificate.primal
    assert solve(changed).certificate.primal == pytest.approx(
        optimum * scale**2, rel=1e-6, abs=1e-12 * scale**2
    )


@given(problem=problems(max_columns=2))
def test_beta_max_is_where_features_enter(problem):
    if problem.beta_max > 1e-9:
        assert not len(solve(problem.with_beta(problem.beta_max * (1 + 1e-9))).coef)
        assert len(solve(problem.with_beta(problem.beta_max * 0.99)).coef)
    matrix, _ = explicit(problem)
    dual = problem.design.null_dual
    assert problem.beta_max == pytest.approx(np.max(np.abs(matrix.T @ dual)), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_first_event_has_its_closed_form(architecture):
    """Just below beta_max a single feature carries (beta_max - beta) / |its part outside U|^2."""
    rng = np.random.default_rng(1)
    problem = LassoProblem(
        rng.normal(size=30), rng.normal(size=30), beta=1.0, architecture=architecture, skip=True
    )
    solution = solve(problem.with_beta(problem.beta_max * (1 - 1e-3)))
    (feature,) = solution.features
    outside = problem.design.free.project(feature(problem.x[:, 0]))
    expected = 1e-3 * problem.beta_max / float(outside @ outside)
    assert solution.l1_norm == pytest.approx(expected, rel=1e-6)


def test_two_points_have_their_closed_form():
    x, y, beta = np.array([1.0, 4.0]), np.array([0.0, 2.0]), 0.7
    height = 2.0
    for architecture in ARCHITECTURES:
        length = {"sign": 2.0, "threshold": 1.0}.get(architecture.sigma.name, 3.0)
        length = 6.0 if isinstance(architecture, architectures.Symmetrized) else length
        z = max(height / length - 2 * beta / length**2, 0.0)
        solution = solve(LassoProblem(x, y, beta=beta, architecture=architecture))
        assert solution.certificate.primal == pytest.approx(
            (height - length * z) ** 2 / 4 + beta * z, rel=1e-12
        )


@given(problem=problems(), depth=st.integers(4, 6))
def test_deep_relu_stagnates(problem, depth):
    """Layers beyond the third change the network, not its optimum."""
    shallow, deep = (changed_architecture(problem, DeepNarrow("relu", d)) for d in (3, depth))
    left, right = solve(shallow), solve(deep)
    assert left.certificate.primal == pytest.approx(right.certificate.primal, rel=1e-10)
    assert right.network.depth == depth


@given(problem=problems(max_columns=2))
def test_symmetrised_relu_is_deep_relu_at_half_the_penalty(problem):
    symmetrised = changed_architecture(problem, architectures.Symmetrized())
    deep = changed_architecture(problem, DeepNarrow("relu")).with_beta(problem.beta / 2)
    left, right = solve(symmetrised).certificate, solve(deep).certificate
    assert left.primal == pytest.approx(right.primal, rel=1e-8, abs=left.floor)


def changed_architecture(problem, architecture):
    return LassoProblem(
        problem.x,
        problem.y,
        beta=problem.beta,
        architecture=architecture,
        skip=problem.skip,
        exog=problem.exog if problem.exog.shape[1] else None,
        sample_weight=problem.sample_weight,
    )


@given(problem=problems())
def test_threshold_is_sign_at_twice_the_penalty(problem):
    """threshold = (sign + 1) / 2, and the constant is free."""
    for kind, shape in ((TwoLayer, ()), (Parallel, ((3,),)), (Tree, ((2, 2),))):
        threshold = changed_architecture(problem, kind("threshold", *shape))
        sign = changed_architecture(problem, kind("sign", *shape)).with_beta(2 * problem.beta)
        left, right = solve(threshold).certificate, solve(sign).certificate
        assert left.primal == pytest.approx(right.primal, rel=1e-8, abs=left.floor)


@pytest.mark.parametrize("beta", [0.01, 0.3, 3.0])
def test_sign_networks_are_the_fused_lasso(beta):
    """l1 norm = half the total variation; with a switch at every gap, half the range."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=40), rng.normal(size=40)
    order = np.argsort(x)
    solution = solve(LassoProblem(x, y, beta=beta, architecture="sign"))
    assert solution.l1_norm == pytest.approx(np.abs(np.diff(solution.fitted[order])).sum() / 2, rel=1e-9)
    solution = solve(LassoProblem(x, y, beta=beta, architecture=Parallel("sign", (39,))))
    fitted = solution.fitted
    assert solution.l1_norm == pytest.approx(np.ptp(fitted) / 2, rel=1e-9)
    np.testing.assert_allclose(fitted, np.clip(y, fitted.min(), fitted.max()), atol=1e-9)
    assert np.maximum(y - fitted.max(), 0).sum() == pytest.approx(beta / 2, rel=1e-7)


def test_skip_connection_makes_the_activations_one_problem():
    """P_relu(beta) = P_abs(2 beta) = P_leaky((1 - slope) beta)."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=50), rng.normal(size=50)

    def optimum(architecture, factor):
        problem = LassoProblem(x, y, beta=0.3 * factor, architecture=architecture, skip=True)
        return solve(problem).certificate.primal

    expected = optimum("relu", 1.0)
    assert optimum("abs", 2.0) == pytest.approx(expected, rel=1e-12)
    assert optimum(architectures.TwoLayer("leaky_relu", 0.4), 0.6) == pytest.approx(expected, rel=1e-12)
    assert optimum(architectures.TwoLayer("leaky_relu", -0.5), 1.5) == pytest.approx(expected, rel=1e-12)


HOSTILE = {
    "one point": ([3.0], [2.0]),
    "two equal inputs": ([1.0, 1.0], [0.0, 2.0]),
    "constant target": ([0.0, 1.0, 2.0], [4.0, 4.0, 4.0]),
    "constant input": ([5.0, 5.0, 5.0], [1.0, 2.0, 6.0]),
    "affine": ([0.0, 1.0, 2.0, 5.0], [1.0, 3.0, 5.0, 11.0]),
    "binary input": ([0.0, 1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.2, 1.1, 3.0]),
    "huge offset": (1e9 + np.arange(9.0) * 1e-3, np.sin(np.arange(9.0))),
    "tiny scale": (np.arange(9.0) * 1e-150, np.sin(np.arange(9.0)) * 1e-100),
    "huge scale": (np.arange(9.0) * 1e100, np.sin(np.arange(9.0)) * 1e100),
    "one ulp apart": ([1.0, np.nextafter(1.0, 2.0), 2.0, 3.0], [0.0, 1.0, 0.0, 1.0]),
    "1e-13 apart": ([1.0, 1.0 + 1e-13, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 1.0, 0.0]),
    "outlier in x": (np.r_[np.linspace(0, 1, 20), 1e9], np.sin(np.arange(21.0))),
    "outlier in y": (np.linspace(0, 1, 20), np.r_[np.sin(np.arange(19.0)), 1e9]),
    "step": (np.arange(30.0), np.repeat([0.0, 1.0], 15)),
}


@pytest.mark.parametrize("ratio", [2.0, 0.5, 1e-2, 1e-4])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_data_are_certified(name, skip, ratio):
    x, y = HOSTILE[name]
    problem = LassoProblem(x, y, beta=1.0, skip=skip)
    beta = ratio * (problem.beta_max or 1.0)
    assert solve(problem.with_beta(beta)).certificate.relative_gap <= 1e-8


def test_constant_and_affine_data_need_no_network():
    for y, skip in (([4.0, 4.0, 4.0, 4.0], False), ([1.0, 3.0, 5.0, 11.0], True)):
        problem = LassoProblem([0.0, 1.0, 2.0, 5.0], y, beta=1e-6, skip=skip)
        solution = solve(problem)
        assert problem.beta_max == 0.0
        assert not len(solution.coef)
        np.testing.assert_allclose(solution.fitted, y, rtol=1e-14)


@pytest.mark.parametrize("target", ["level", "log return"])
@pytest.mark.parametrize("skip", [False, True])
def test_hourly_bitcoin_is_certified(hourly, target, skip):
    series = hourly if target == "level" else np.diff(np.log(hourly))
    problem = LassoProblem(series[:-1], series[1:], beta=1.0, skip=skip)
    for ratio in (1e-1, 1e-3, 1e-5):
        assert solve(problem.with_beta(ratio * problem.beta_max)).certificate.relative_gap <= 1e-8


def test_path_equals_cold_solves_and_never_rises():
    rng = np.random.default_rng(3)
    x = np.cumsum(rng.normal(size=200))
    problem = LassoProblem(x[:-1], x[1:], beta=1.0, skip=True)
    path = solve_path(problem, n_betas=20)
    cold = [solve(problem.with_beta(b)).certificate.primal for b in path.betas]
    frame = path.to_frame()
    np.testing.assert_allclose(frame["objective"], cold, rtol=1e-9)
    assert np.all(np.diff(frame["objective"]) < 0)
    assert np.all(np.diff(frame["l1_norm"]) >= 0)
    assert frame["relative_gap"].max() <= 1e-8
    assert len(path[0].coef) == 0
    assert path[2:4].betas.tolist() == path.betas[2:4].tolist()


def test_options_are_checked_before_any_work():
    problem = LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1)
    other = solve(LassoProblem([0.0, 1.0, 3.0], [0.0, 0.0, 1.0], beta=0.1))
    with pytest.raises(InputError, match="unknown solver 'adam'; known: 'auto', 'osqp', 'active-set'"):
        solve(problem, solver="adam")
    with pytest.raises(InputError, match="tol must be a positive number, got 0"):
        solve(problem, tol=0)
    with pytest.raises(InputError, match="max_rounds must be a whole number of at least 1, got 0"):
        solve(problem, max_rounds=0)
    with pytest.raises(InputError, match="warm_start is a solution of other data"):
        solve(problem, warm_start=other)
    with pytest.raises(InputError, match="tol must be a positive number, got 'a'"):
        solve(problem, tol="a")
    with pytest.raises(InputTypeError, match="warm_start must be a Solution, got int"):
        solve(problem, warm_start=3)
    with pytest.raises(InputTypeError, match="betas must be numbers, got 'a'"):
        solve_path(problem, "a")
    with pytest.raises(InputError, match="n_betas must be a whole number"):
        solve_path(problem, n_betas=2.5)
    with pytest.raises(InputTypeError, match="solve takes a LassoProblem, got list"):
        solve([1.0])


def test_stopping_early_warns_and_says_what_was_reached():
    rng = np.random.default_rng(4)
    problem = LassoProblem(rng.normal(size=300), rng.normal(size=300), beta=1e-3, skip=True)
    with pytest.warns(CertificateWarning, match="stopped at a relative duality gap"):
        solution = solve(problem, max_rounds=1)
    best = solve(problem).certificate
    assert solution.certificate.dual <= best.primal <= solution.certificate.primal * (1 + 1e-12)


def test_predict_checks_its_inputs():
    problem = LassoProblem(
        [0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1, exog=[1.0, 0.0, 2.0], loss=losses.Squared()
    )
    solution = solve(problem)
    np.testing.assert_allclose(solution.predict(problem.x, problem.exog), solution.fitted)
    with pytest.raises(InputError, match=r"1 exogenous column\(s\); pass exog"):
        solution.predict([0.0])
    with pytest.raises(InputError, match=r"x has 2 column\(s\), the model was fitted on 1"):
        solution.predict([[0.0, 1.0]], exog=[0.0])


def test_the_network_takes_over_the_parts_of_the_solution_unless_there_is_something_to_leave_out():
    plain = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1))
    assert plain.network.point is plain.point
    mixed = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.01, exog=[1.0, 0.0, 2.0]))
    assert len(mixed.network.point.exog_coef) == 0
    rest = mixed.exog_coef[0] * mixed.problem.exog[:, 0]
    np.testing.assert_allclose(mixed.network(mixed.problem.x) + rest, mixed.fitted, atol=1e-12)
