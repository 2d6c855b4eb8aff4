"""Every fast dictionary search equals its enumerated twin, and no unit of any bias beats it."""

import pickle
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import ARCHITECTURES, inputs, most_inputs
from scipy.optimize import minimize

from cvxar import LassoProblem, solve
from cvxar.activations import SIGN, THRESHOLD, Step
from cvxar.architectures import (
    BY_NAME,
    DeepNarrow,
    Feature,
    Parallel,
    Symmetrized,
    Tree,
    TwoLayer,
    enumerate_match,
    get,
)
from cvxar.architectures.hinges import hinge_sums, run_peaks
from cvxar.architectures.step import StepDictionary, best_patterns
from cvxar.architectures.step_unit import StepUnit
from cvxar.architectures.symmetrized import double_ramp
from cvxar.errors import InputError, InputTypeError


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
@given(data=st.data())
def test_match_equals_enumeration(architecture, data):
    n = data.draw(st.integers(1, most_inputs(architecture)))
    knots = np.unique(data.draw(inputs(n)))
    dual = np.random.default_rng(data.draw(st.integers(0, 999))).normal(size=len(knots))
    if architecture.needs_constant or data.draw(st.booleans()):
        dual -= dual.mean()
    dictionary = architecture.dictionary(knots)
    slow = enumerate_match(dictionary, dual, 0.0)
    limit = data.draw(st.floats(0, 1)) * slow.bound
    fast, slow = dictionary.match(dual, limit), enumerate_match(dictionary, dual, limit)
    noise = 1e-11 * (1 + np.abs(dual).sum() * np.ptp(knots))
    assert fast.bound == pytest.approx(slow.bound, abs=noise)
    values = np.array([f(knots) @ dual for f in fast.features])
    np.testing.assert_allclose(fast.correlations, values, atol=noise, rtol=0)
    if len(fast.features):
        assert np.max(np.abs(fast.correlations)) == pytest.approx(fast.bound, abs=noise)
    else:
        assert slow.bound <= limit + noise


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
@given(data=st.data())
def test_bound_holds_for_any_bias(architecture, data):
    """The finite dictionary is exact: no unit with any bias correlates better (sum of dual is 0)."""
    knots = np.unique(data.draw(inputs(data.draw(st.integers(2, min(12, most_inputs(architecture)))))))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    dual = rng.normal(size=len(knots))
    dual -= dual.mean()
    bound = architecture.dictionary(knots).match(dual, np.inf).bound
    spread = np.ptp(knots) + 1.0
    best = max(abs(unit(knots) @ dual) for unit in random_units(architecture, rng, knots, 300))
    assert best <= bound + 1e-10 * (1 + np.abs(dual).sum() * spread)


def random_units(architecture, rng, knots, count):
    """Units of unit weights and any biases."""
    if isinstance(architecture.sigma, Step):
        return [random_pattern(architecture, rng, knots) for _ in range(count)]
    if isinstance(architecture, Symmetrized):
        return [random_mirror(rng, knots) for _ in range(count)]
    spread, hidden = np.ptp(knots) + 1.0, architecture.depth - 1
    first = rng.uniform(knots[0] - spread, knots[-1] + spread, count)
    later = rng.uniform(-spread, spread, (count, hidden - 1)) * rng.choice([0.01, 0.3, 1], (count, 1))
    signs = rng.choice([-1, 1], (count, hidden))
    return [
        Feature(architecture.sigma, tuple(s), (float(c), *map(float, more)))
        for s, c, more in zip(signs.tolist(), first, later, strict=True)
    ]


def random_mirror(rng, knots):
    """A unit whose weights are at most 1 in magnitude, mostly 1."""
    s, t = (rng.choice([-1, 1], 2) * rng.choice([1, rng.uniform()]) for _ in range(2))
    b, c = rng.uniform(knots[0] - 1, knots[-1] + 1, 2), rng.normal() * np.ptp(knots)
    return lambda x: np.maximum(t @ np.maximum(s[:, None] * x - (s * b)[:, None], 0) - c, 0)


def random_pattern(architecture, rng, knots):
    """Random weights in a random network of the right shape, evaluated layer by layer."""
    widths = (*getattr(architecture, "widths", ()), 1)
    tree = isinstance(architecture, Tree)

    def unit(level, x):
        if level == 0:
            return architecture.sigma(rng.choice([-1, 1]) * (x - rng.choice(knots) - rng.normal()))
        weights = rng.normal(size=widths[level - 1])
        below = [unit(level - 1, x) for _ in weights]
        return architecture.sigma(np.dot(weights, below) + rng.normal())

    def joined(x):
        hidden = [unit(0, x) for _ in range(widths[0])]
        for size in widths[1:]:
            weights = rng.normal(size=(size, len(hidden)))
            hidden = list(architecture.sigma(weights @ np.array(hidden) + rng.normal(size=(size, 1))))
        return hidden[0]

    values = unit(len(widths) - 1, knots) if tree else joined(knots)
    return lambda x: values


@pytest.mark.parametrize("name", BY_NAME)
def test_magnitudes_trained_on_random_units_never_go_below_the_optimum(name):
    """The non-convex objective itself: a product of L magnitudes a unit, penalised by their L-th powers."""
    architecture, rng, units = BY_NAME[name], np.random.default_rng(0), 4
    x, beta = np.sort(rng.normal(size=7)), 0.2
    y = np.abs(x) + 0.3 * rng.normal(size=7)
    optimum = solve(LassoProblem(x, y, beta=beta, architecture=architecture)).certificate
    factors = 2 if isinstance(architecture.sigma, Step) else architecture.depth

    def objective(theta, features):
        magnitudes = theta[1:].reshape(units, factors)
        residual = y - theta[0] - np.prod(magnitudes, axis=1) @ features
        return residual @ residual / 2 + beta * np.sum(np.abs(magnitudes) ** factors) / factors

    reached = []
    for _ in range(12):
        features = np.array([unit(x) for unit in random_units(architecture, rng, x, units)])
        start = rng.normal(size=1 + units * factors)
        reached.append(minimize(objective, start, args=(features,), options={"maxiter": 80}).fun)
    assert min(reached) >= optimum.dual * (1 - 1e-9)
    assert min(reached) <= (y - y.mean()) @ (y - y.mean()) / 2 * (1 + 1e-9)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", BY_NAME)
def test_a_warm_start_changes_nothing_but_the_time(name, skip):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=25), rng.normal(size=25)
    problem = LassoProblem(x, y, beta=1.0, architecture=name, skip=skip)
    last = None
    for ratio in (0.5, 0.02, 0.2):
        now = problem.with_beta(ratio * problem.beta_max)
        cold, last = solve(now), solve(now, warm_start=last)
        assert last.certificate.holds(1e-8)
        assert last.certificate.primal == pytest.approx(cold.certificate.primal, rel=1e-8)


@given(values=st.lists(st.integers(-4, 4), max_size=20), limit=st.integers(0, 3))
def test_run_peaks_by_hand(values, limit):
    found, run = [], []
    for i, v in enumerate([*values, 0]):
        if run and (abs(v) <= limit or v * values[run[-1]] < 0):
            found.append(max(run, key=lambda j: (abs(values[j]), -j)))
            run = []
        if abs(v) > limit:
            run.append(i)
    assert run_peaks(np.array(values, dtype=float), limit).tolist() == found


def test_hinge_sums_keep_their_digits_on_a_long_walk():
    """Against exact rational sums: cumulative sums of residuals lose nothing that matters."""
    import math

    rng = np.random.default_rng(0)
    knots = 1e4 + np.sort(rng.normal(size=50_000))
    dual = rng.normal(size=len(knots))
    dual -= dual.mean()
    fast = hinge_sums(knots, dual)
    for a in (0, 10, 25_000, 49_000):
        exact = math.fsum(
            float(d) * (float(u) - float(knots[a])) for d, u in zip(dual[a:], knots[a:], strict=True)
        )
        assert fast[a] == pytest.approx(exact, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_architectures_are_values(architecture):
    assert pickle.loads(pickle.dumps(architecture)) == architecture
    assert hash(architecture) == hash(pickle.loads(pickle.dumps(architecture)))
    assert get(architecture) is architecture


def test_names():
    assert all(get(name) is instance for name, instance in BY_NAME.items())
    with pytest.raises(InputError, match="unknown architecture 'rleu'; known: 'relu'"):
        get("rleu")
    with pytest.raises(InputError, match="unknown activation of TwoLayer 'gelu'"):
        TwoLayer("gelu")
    with pytest.raises(InputTypeError, match="got float"):
        get(2.0)


@pytest.mark.parametrize("slope", [-1.0, 1.0, 2.0, float("nan")])
def test_leaky_slopes_outside_the_theory_are_refused(slope):
    with pytest.raises(InputError, match="strictly between -1 and 1"):
        TwoLayer("leaky_relu", slope)


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_deep_relu_dictionary_is_all_capped_ramps(depth):
    """n (n - 1) / 2 columns, the same at every depth."""
    knots = np.array([0.0, 1.0, 4.0, 6.0, 6.5])
    features = DeepNarrow("relu", depth).dictionary(knots).enumerate()
    ramps = [np.clip(knots, a, b) - a for i, a in enumerate(knots) for b in knots[i + 1 :]]
    np.testing.assert_array_equal([f(knots) for f in features], ramps)


def test_deep_networks_refuse_what_they_do_not_have():
    with pytest.raises(InputError, match="unknown activation of DeepNarrow 'sign'"):
        DeepNarrow("sign")
    with pytest.raises(InputError, match="at least 3, got 2; TwoLayer has depth 2"):
        DeepNarrow("relu", 2)
    with pytest.raises(InputTypeError, match=r"depth must be an integer, got 3\.5"):
        DeepNarrow("relu", 3.5)


@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES if a.needs_constant], ids=repr)
def test_deep_networks_need_the_constant(architecture):
    with pytest.raises(InputError, match="needs the constant"):
        LassoProblem([0.0, 1.0], [0.0, 1.0], beta=1.0, architecture=architecture, fit_intercept=False)


@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=9), most=st.integers(1, 9))
def test_best_patterns_equal_brute_force(values, most):
    found = best_patterns(np.array(values, dtype=float), most)

    def total(chosen):
        return sum(v if i % 2 == 0 else -v for i, v in enumerate(values[j] for j in chosen))

    for k, pattern in enumerate(found, start=1):
        assert total(pattern) == max(map(total, combinations(range(len(values)), k)))
    every = [c for k in range(1, most + 1) for c in combinations(range(len(values)), k)]
    assert max(map(total, found)) == max(map(total, every))


@given(
    sigma=st.sampled_from([SIGN, THRESHOLD]),
    widths=st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple),
    tree=st.booleans(),
    data=st.data(),
)
def test_step_layers_make_the_pattern(sigma, widths, tree, data):
    """Also at the breaks themselves, and for every number of switches the shape allows."""
    most = int(np.prod(widths)) if tree else widths[0]
    breaks = sorted(data.draw(st.sets(st.integers(-9, 9), min_size=1, max_size=most)))
    unit = StepUnit(sigma, widths, tree, tuple(map(float, breaks)))
    x = np.linspace(-10, 10, 81)
    hidden = x[None, :]
    for weight, bias in unit.layers():
        hidden = sigma(weight @ hidden + bias[:, None])
    np.testing.assert_array_equal(hidden[0], unit(x))


def test_step_dictionaries_have_their_size():
    """The sum of binomials (n - 1 over k), k = 1..K, all patterns distinct."""
    knots = np.arange(7.0)
    for most in range(1, 9):
        features = StepDictionary(knots, StepUnit(SIGN), most).enumerate()
        assert len(features) == sum(comb(6, k) for k in range(1, most + 1))
        assert len({tuple(f(knots)) for f in features}) == len(features)


@pytest.mark.parametrize("kind", [Parallel, Tree])
def test_wide_networks_check_their_widths(kind):
    with pytest.raises(InputError, match="at least 1, one or more of them"):
        kind("sign", (2, 0))
    with pytest.raises(InputError, match="at least 1, one or more of them"):
        kind("sign", ())
    with pytest.raises(InputTypeError, match="must be integers"):
        kind("sign", (2.5,))
    with pytest.raises(InputError, match=f"unknown activation of {kind.__name__} 'relu'; known: 'sign'"):
        kind("relu")
    assert kind("sign", [3, 2]) == kind("sign", (3, 2))


@pytest.mark.parametrize("slope", [0.0, 1.0, -0.5, float("nan")])
def test_deep_leaky_slopes_outside_the_theory_are_refused(slope):
    with pytest.raises(InputError, match="strictly between 0 and 1"):
        DeepNarrow("leaky_relu", 3, slope)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_deep_leaky_dictionary_has_its_size(depth):
    """C(2 n + L - 2, L - 1) token choices; at depth 3 exactly 2 n^2 - 4 n + 3 differ."""
    knots = np.array([0.0, 1.0, 2.5, 7.0])
    features = DeepNarrow("leaky_relu", depth, 0.3).dictionary(knots).enumerate()
    assert len(features) == comb(2 * 4 + depth - 2, depth - 1)
    if depth == 3:
        assert distinct(features, knots) == 2 * 4**2 - 4 * 4 + 3


def distinct(features, knots):
    """Number of features that differ on the knots by more than a constant and a sign; constants apart."""
    values = np.array([f(knots) - f(knots)[0] for f in features])
    values = values[np.any(np.abs(values) > 1e-9, axis=1)]
    first = values[np.arange(len(values)), np.argmax(np.abs(values) > 1e-9, axis=1)]
    return len(np.unique(np.round(values * np.sign(first)[:, None], 9), axis=0))


def test_deep_abs_dictionary_has_its_size():
    """n^2 + n (n - 1) / 2 vertices at depth 3; 6, 13, 23 differ for 3, 4, 5 generic points."""
    rng = np.random.default_rng(0)
    for n in (3, 4, 5, 9):
        knots = np.sort(rng.normal(size=n))
        features = DeepNarrow("abs", 3).dictionary(knots).enumerate()
        assert len(features) == n * n + n * (n - 1) // 2
        assert distinct(features, knots) <= (n - 1) ** 2 + n * (n - 1) // 2


@pytest.mark.parametrize(("depth", "n"), [(3, 40), (4, 8), (5, 3)])
@pytest.mark.parametrize("seed", range(6))
def test_branch_and_bound_equals_all_vertices(depth, n, seed):
    """Rough and smooth dual vectors; the bound is the maximum, not merely above it."""
    rng = np.random.default_rng(seed)
    knots = np.unique([rng.normal(size=n), 1e5 + np.cumsum(rng.normal(size=n))][seed % 2])
    dual = rng.normal(size=len(knots))
    dual = np.diff(np.cumsum(dual), prepend=0.0) if seed % 3 else np.cumsum(dual)
    dual -= dual.mean()
    dictionary = DeepNarrow("abs", depth).dictionary(knots)
    slow = enumerate_match(dictionary, dual, np.inf).bound
    assert dictionary.match(dual, np.inf).bound == pytest.approx(slow, rel=1e-9)


def test_depths_too_large_to_enumerate_say_what_would_work():
    DeepNarrow("abs", 5).dictionary(np.arange(5.0))
    refused = r"a depth of 5 on 30 distinct inputs .*: 5 distinct inputs at this depth.* depths 3 and 4"
    with pytest.raises(InputError, match=refused):
        LassoProblem(np.arange(30.0), np.arange(30.0), beta=1.0, architecture=DeepNarrow("abs", 5))
    with pytest.raises(InputError, match=r"enumerating about 1e\d+ systems"):
        LassoProblem(np.arange(9.0), np.arange(9.0), beta=1.0, architecture=DeepNarrow("abs", 40))


@pytest.mark.parametrize("slope", ["steep", None, True])
@pytest.mark.parametrize("kind", [TwoLayer, DeepNarrow])
def test_slopes_that_are_no_numbers_are_refused(kind, slope):
    with pytest.raises(InputTypeError, match="negative_slope must be a number"):
        kind("leaky_relu", negative_slope=slope)


def test_a_minimum_norm_too_large_for_a_programme_says_what_would_work():
    problem = LassoProblem(
        np.arange(2_001.0), np.arange(2_001.0) % 7, beta=0.0, architecture=Parallel("sign", (2,))
    )
    with pytest.raises(InputError, match=r"each of 2,001 inputs .* use a small positive beta"):
        solve(problem)


@given(z=st.floats(0.1, 3), shift=st.integers(0, 4), height=st.integers(1, 3), column=st.integers(0, 1))
def test_opposite_ramps_of_equal_height_become_one_unit(z, shift, height, column):
    """Same function up to a constant, same l1 norm, one unit; a third ramp stays as it is."""
    units = (
        double_ramp(0.0, float(height), column),
        double_ramp(1.0, 9.0, column),
        double_ramp(float(height + shift), float(2 * height + shift), column),
    )
    coef = np.array([-z, 0.7, z])
    merged, amounts = Symmetrized().condense(units, coef)
    x = np.linspace(-3, 20, 200)
    difference = sum(a * u(x) for a, u in zip(coef, units, strict=True))
    difference = difference - sum(a * u(x) for a, u in zip(amounts, merged, strict=True))
    np.testing.assert_allclose(difference, difference[0], atol=1e-12)
    assert len(merged) == 2
    assert np.abs(amounts).sum() == pytest.approx(np.abs(coef).sum())


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
@pytest.mark.parametrize("n", [2, 3, 5])
def test_sizes_count_the_features(architecture, n):
    """Exactly, but for absolute values beyond depth 3, where the formula counts systems of equations."""
    count = len(architecture.dictionary(np.sort(np.random.default_rng(n).normal(size=n))).enumerate())
    if architecture.sigma.name == "abs" and architecture.depth > 3:
        assert count <= architecture.size(n)
    else:
        assert count == architecture.size(n)
