"""What a problem accepts, refuses, and leaves alone."""

import numpy as np
import pytest

from cvxar import LassoProblem, solve
from cvxar.errors import InputError, InputTypeError

X, Y = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 2.0]

BAD = {
    "nan": (
        {"x": [0.0, np.nan, 2.0, 3.0]},
        InputError,
        r"x has 1 NaN or infinite value\(s\), the first \(nan\) at position 1",
    ),
    "inf": ({"y": [0.0, 1.0, np.inf, -np.inf]}, InputError, r"y has 2 NaN.*first \(inf\) at position 2"),
    "lengths": ({"x": [0.0, 1.0]}, InputError, "x has 2 rows but y has 4"),
    "exog length": ({"exog": [0.0, 1.0]}, InputError, "exog has 2 rows but y has 4"),
    "text": ({"x": ["a", "b", "c", "d"]}, InputTypeError, "x must hold real numbers"),
    "objects": ({"x": [0.0, "b", None, 1.0]}, InputTypeError, "x must hold real numbers"),
    "complex": ({"y": [1j, 0, 0, 0]}, InputTypeError, "y must hold real numbers"),
    "dates": ({"x": np.array(["2020-01-01"] * 4, dtype="datetime64[D]")}, InputTypeError, "datetime64"),
    "two targets": ({"y": np.zeros((4, 2))}, InputError, r"y must have 1 dimension\(s\)"),
    "cube": ({"x": np.zeros((4, 1, 1))}, InputError, r"x must have 2 dimension\(s\)"),
    "no columns": ({"x": np.zeros((4, 0))}, InputError, "x has no columns"),
    "empty": ({"x": [], "y": []}, InputError, "y is empty"),
    "negative beta": ({"beta": -1.0}, InputError, "beta must be finite and at least 0, got -1.0"),
    "nan beta": ({"beta": float("nan")}, InputError, "beta must be finite"),
    "text beta": ({"beta": "bic"}, InputTypeError, "beta must be a number, got str"),
    "architecture": ({"architecture": "lstm"}, InputError, "unknown architecture 'lstm'; known: "),
    "loss": ({"loss": "hinge"}, InputError, "unknown loss 'hinge'; known: "),
    "weights": ({"sample_weight": [1.0, -1.0, 1.0, 1.0]}, InputError, "sample_weight must be at least 0"),
    "weight length": ({"sample_weight": [1.0]}, InputError, "sample_weight has 1 entries but y has 4"),
    "overflow": ({"y": [-1e308, 1e308, 0.0, 0.0]}, InputError, "overflows"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_bad_input_is_refused_with_a_lesson(name):
    change, error, message = BAD[name]
    arguments = {"x": X, "y": Y, "beta": 1.0, **change}
    with pytest.raises(error, match=message):
        LassoProblem(**arguments)


def test_data_are_copied_and_left_alone():
    x, y, w = (np.array(v) for v in (X, Y, [1.0, 2.0, 0.0, 1.0]))
    before = x.copy(), y.copy(), w.copy()
    problem = LassoProblem(x, y, beta=1.0, sample_weight=w)
    for now, then in zip((x, y, w), before, strict=True):
        np.testing.assert_array_equal(now, then)
    x[:] = 0
    np.testing.assert_array_equal(problem.x[:, 0], X)


def test_with_beta_shares_the_prepared_data():
    problem = LassoProblem(X, Y, beta=1.0)
    assert problem.with_beta(2.0).design is problem.design
    assert (problem.beta, problem.with_beta(2.0).beta) == (1.0, 2.0)
    assert "beta=2," in repr(problem.with_beta(2.0))


def test_observations_of_weight_zero_are_left_out():
    kept = LassoProblem(X[:3], Y[:3], beta=1.0)
    weighted = LassoProblem(X, Y, beta=1.0, sample_weight=[1.0, 1.0, 1.0, 0.0])
    assert weighted.beta_max == pytest.approx(kept.beta_max, rel=1e-12)


@pytest.mark.parametrize("scale", [1e155, 1e-170, 1e-300])
def test_scales_beyond_double_precision_are_refused(scale):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="so extreme that their products leave double precision"):
        LassoProblem(rng.normal(size=9) * scale, rng.normal(size=9) * scale, beta=1.0)


@pytest.mark.parametrize("constant", [1.0, 0.1, 1e9 / 3])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_a_constant_exogenous_column_adds_nothing_to_the_constant(constant, loss):
    rng = np.random.default_rng(0)
    x, y, weight = rng.normal(size=30), rng.normal(size=30), rng.uniform(0.1, 2.0, 30)
    plain = LassoProblem(x, y, beta=1.0, loss=loss, sample_weight=weight)
    extra = LassoProblem(x, y, beta=1.0, loss=loss, sample_weight=weight, exog=np.full(30, constant))
    one, two = solve(plain), solve(extra)
    assert extra.beta_max == pytest.approx(plain.beta_max)
    assert two.certificate.primal == pytest.approx(one.certificate.primal)
    assert np.max(np.abs(two.exog_coef)) * constant <= 10 * np.ptp(y)
    np.testing.assert_allclose(two.network(x) + two.exog_coef * constant, two.fitted, atol=1e-9)
