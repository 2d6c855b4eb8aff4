"""Pieces of a function against its literal evaluation; weights against the pieces."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar import LassoProblem, Network, solve
from cvxar.activations import ABS, RELU, SIGN, THRESHOLD, leaky_relu
from cvxar.architectures import Feature
from cvxar.architectures.step_unit import StepUnit
from cvxar.coefficients import Coefficients
from cvxar.errors import InputError
from cvxar.piecewise import combine

sigmas = st.sampled_from([RELU, ABS, leaky_relu(0.3), leaky_relu(-0.5)])


@st.composite
def chains(draw, sigma, hidden):
    signs = tuple(draw(st.sampled_from([-1, 1])) for _ in range(hidden))
    return Feature(sigma, signs, tuple(float(draw(st.integers(-4, 4))) for _ in range(hidden)))


@given(st.data())
def test_pieces_equal_the_sum_of_units_everywhere(data):
    sigma, hidden = data.draw(sigmas), data.draw(st.integers(1, 4))
    features = [data.draw(chains(sigma, hidden)) for _ in range(data.draw(st.integers(0, 4)))]
    coef = np.random.default_rng(0).normal(size=len(features))
    pieces = combine(features, coef, 0.3, 1.0)
    x = np.linspace(-20, 20, 401)
    literal = 0.3 * (x - 1.0) + sum(z * f(x) for z, f in zip(coef, features, strict=True))
    np.testing.assert_allclose(pieces(x), literal, atol=1e-11)
    assert len(pieces.slopes) == len(pieces.breaks) + 1 == len(pieces.values) + 1
    np.testing.assert_allclose(pieces(pieces.breaks), pieces.values, atol=1e-11)


@given(st.data())
def test_network_weights_give_the_same_function_and_penalty(data):
    sigma, hidden = data.draw(sigmas), data.draw(st.integers(1, 3))
    columns = data.draw(st.integers(1, 3))
    k = data.draw(st.integers(0, 4))
    features = tuple(
        data.draw(chains(sigma, hidden)).on_column(data.draw(st.integers(0, columns - 1))) for _ in range(k)
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    none = np.empty(0)
    point = Coefficients(
        features, rng.normal(size=k), 0.7, rng.normal(size=columns), rng.normal(size=columns), none, none
    )
    network = Network(sigma, hidden + 1, point)
    x = rng.normal(size=(50, columns)) * 6
    np.testing.assert_allclose(network(x), network.forward(x), atol=1e-10)
    assert network.penalty() == pytest.approx(np.abs(point.coef).sum(), rel=1e-12, abs=1e-12)
    rebuilt = Network.from_dict(json.loads(json.dumps(network.to_dict())))
    np.testing.assert_array_equal(rebuilt(x), network(x))


@given(st.data())
def test_step_networks_are_their_patterns_jumps_included(data):
    sigma, tree = data.draw(st.sampled_from([SIGN, THRESHOLD])), data.draw(st.booleans())
    sets = data.draw(st.lists(st.sets(st.integers(-9, 9), min_size=1, max_size=3), max_size=4))
    units = tuple(StepUnit(sigma, (3, 2), tree, tuple(map(float, sorted(s)))) for s in sets)
    coef = np.random.default_rng(0).normal(size=len(units))
    none = np.empty(0)
    point = Coefficients(units, coef, 0.7, np.array([0.2]), np.array([1.0]), none, none)
    network = Network(sigma, 4, point)
    x = np.linspace(-10, 10, 81)
    literal = 0.7 + 0.2 * (x - 1.0) + sum(z * u(x) for z, u in zip(coef, units, strict=True))
    np.testing.assert_allclose(network(x), literal, atol=1e-12)
    np.testing.assert_allclose(network.forward(x), literal, atol=1e-12)
    assert network.penalty() == pytest.approx(np.abs(coef).sum(), rel=1e-12, abs=1e-12)
    for b in network.breakpoints:
        before, after = network([b.location - 1e-9]), network([b.location])
        assert b.jump == pytest.approx(float((after - before)[0]), abs=1e-8)
        assert b.slope_change == 0.0
    rebuilt = Network.from_dict(json.loads(json.dumps(network.to_dict())))
    np.testing.assert_array_equal(rebuilt(x), network(x))


def test_network_refuses_the_wrong_shape_and_damaged_dictionaries():
    network = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1)).network
    with pytest.raises(InputError, match=r"reads 1 column\(s\), got an array of shape \(3, 2\)"):
        network(np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"column must be in 0\.\.0, got 1"):
        network.pieces(1)
    with pytest.raises(InputError, match=r"not a network written by Network\.to_dict"):
        Network.from_dict({"activation": "relu"})


@pytest.mark.parametrize(
    "change",
    [
        {"activation": "x"},
        {"depth": 7},
        {"level": float("nan")},
        {"anchors": []},
        {"linear": [[0.0]]},
        {"units": [{"column": 5, "signs": [1], "centers": [1.0], "coef": 1.0}]},
        {"units": None},
    ],
    ids=str,
)
def test_damaged_networks_are_refused(change):
    whole = solve(LassoProblem([0.0, 1.0, 2.0], [0.0, 0.0, 1.0], beta=0.1)).network.to_dict()
    with pytest.raises(InputError, match=r"not a network written by Network\.to_dict"):
        Network.from_dict({**whole, **change})
