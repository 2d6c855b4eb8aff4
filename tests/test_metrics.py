"""Metrics: their formulas, their units, and a Diebold-Mariano test that knows when it has no answer."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, t

from cvxar import metrics
from cvxar.errors import CvxarError, InputError, InputTypeError

values = st.floats(-1e3, 1e3).map(lambda v: round(v, 3))
pairs = st.integers(1, 20).flatmap(
    lambda n: st.tuples(arrays(float, n, elements=values), arrays(float, n, elements=values))
)
UNIT_POWER = {"mse": 2, "rmse": 1, "mae": 1, "bias": 1}
BY_HAND = {
    "bias": lambda e: -sum(e) / len(e),
    "mse": lambda e: sum(v * v for v in e) / len(e),
    "rmse": lambda e: math.sqrt(sum(v * v for v in e) / len(e)),
    "mae": lambda e: sum(abs(v) for v in e) / len(e),
}


@pytest.mark.parametrize("name", UNIT_POWER)
@given(pairs, st.floats(-10, 10), st.floats(-100, 100))
def test_metrics_are_their_formula_and_carry_the_unit_of_the_data(name, pair, scale, shift):
    y, f = pair
    metric = metrics.BY_NAME[name]
    assert metric(y, f) == pytest.approx(BY_HAND[name](y - f), abs=1e-9)
    assert metric(y, y) == 0
    unit = scale if name == "bias" else abs(scale)  # the only one with a sign
    expected = unit ** UNIT_POWER[name] * metric(y, f)
    assert metric(scale * y + shift, scale * f + shift) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(pairs)
def test_skill_is_zero_against_itself_and_mase_is_one_for_the_walk_on_its_own_sample(pair):
    y, f = pair
    assume(metrics.mse(y, f) > 0)
    assert metrics.skill(y, f, f) == 0
    assert metrics.skill(y, y, f) == 1
    if y.size > 1 and np.any(np.diff(y)):
        assert metrics.mase(y[1:], y[:-1], train=y) == pytest.approx(1)
        assert metrics.rmsse(y[1:], y[:-1], train=y) == pytest.approx(1)


@given(pairs, st.floats(0.1, 10))
def test_smape_is_its_formula_symmetric_and_without_unit(pair, scale):
    y, f = pair
    by_hand = [200 * abs(a - b) / (abs(a) + abs(b)) if a or b else 0 for a, b in zip(y, f, strict=True)]
    assert metrics.smape(y, f) == pytest.approx(sum(by_hand) / len(by_hand), abs=1e-9)
    assert metrics.smape(scale * f, scale * y) == pytest.approx(metrics.smape(y, f), abs=1e-9)


@given(pairs, st.floats(-100, 100))
def test_directions_are_hit_by_the_truth_and_missed_by_its_mirror(pair, shift):
    y, last = pair
    if np.array_equal(y, last):
        assert math.isnan(metrics.direction_hit_rate(y, y, last))
    else:
        assert metrics.direction_hit_rate(y, y, last) == 1
        assert metrics.direction_hit_rate(y, 2 * last - y, last) == 0
        assert math.isnan(metrics.direction_hit_rate(y, last, last))


def test_skill_against_a_perfect_baseline():
    assert metrics.skill([1.0, 2.0], [1.0, 2.0], [1.0, 2.0]) == 0
    assert metrics.skill([5.0, 5.0], [5.0, 5.0], [5.0, 5.0 + 1e-15]) == 0
    assert metrics.skill([1.0, 2.0], [1.0, 1.0], [1.0, 2.0]) == -math.inf


def hand_made_test(difference, lags, horizon, small_sample):
    """Diebold and Mariano (1995) with Bartlett weights; Harvey, Leybourne and Newbold (1997)."""
    n = len(difference)
    centred = difference - difference.mean()
    covariance = [centred[k:] @ centred[: n - k] / n for k in range(lags + 1)]
    variance = covariance[0] + 2 * sum((1 - k / (lags + 1)) * covariance[k] for k in range(1, lags + 1))
    statistic = difference.mean() / math.sqrt(variance / n)
    if not small_sample:
        return statistic, 2 * norm.sf(abs(statistic))
    statistic *= math.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    return statistic, 2 * t.sf(abs(statistic), n - 1)


@pytest.mark.parametrize("small_sample", [True, False])
@pytest.mark.parametrize(("horizon", "lags"), [(1, 0), (1, None), (3, 2), (12, None)])
@pytest.mark.parametrize(("criterion", "loss"), [("mse", np.square), ("mae", np.abs)])
def test_diebold_mariano_equals_a_hand_computation(criterion, loss, horizon, lags, small_sample):
    rng = np.random.default_rng(4)
    y, a, b = rng.normal(size=(3, 73))
    result = metrics.diebold_mariano(
        y, a, b, horizon=horizon, lags=lags, criterion=criterion, small_sample=small_sample
    )
    used = max(horizon - 1, 5) if lags is None else lags  # ceil(73^(1/3)) = 5
    expected = hand_made_test(loss(y - a) - loss(y - b), used, horizon, small_sample)
    assert result == pytest.approx(expected, rel=1e-9)
    reverse = metrics.diebold_mariano(
        y, b, a, horizon=horizon, lags=lags, criterion=criterion, small_sample=small_sample
    )
    assert reverse == pytest.approx((-expected[0], expected[1]), rel=1e-9)


@pytest.mark.parametrize(("criterion", "loss"), [("mse", np.square), ("mae", np.abs)])
def test_the_test_of_losses_is_the_test_of_forecasts(criterion, loss):
    y, a, b = np.random.default_rng(5).normal(size=(3, 60))
    by_losses = metrics.loss_difference(loss(y - a), loss(y - b), horizon=2)
    assert by_losses == pytest.approx(metrics.diebold_mariano(y, a, b, horizon=2, criterion=criterion))
    shifted = metrics.loss_difference(1e200 * loss(y - a), 1e200 * loss(y - b), horizon=2)
    assert shifted == pytest.approx(by_losses)


@pytest.mark.parametrize(("a", "b"), [([0.0, 0.0], [0.0, 0.0]), ([1.0, 2.0], [1.0, 2.0]), ([1, 3], [2, 4])])
def test_losses_with_nothing_to_test(a, b):
    assert all(math.isnan(v) for v in metrics.loss_difference(a, b))


@pytest.mark.parametrize(
    ("y", "a", "b"),
    [
        pytest.param([1.0, 2.0, 4.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], id="identical"),
        pytest.param([1.0, 2.0, 4.0], [0.0, 1.0, 1.0], [1e-9, 1.0, 1.0 - 1e-9], id="rounding apart"),
        pytest.param([0.0, 0.0, 0.0], [1.0, -1.0, 1.0], [2.0, -2.0, 2.0], id="constant difference"),
        pytest.param([1.0], [0.0], [2.0], id="one value"),
        pytest.param([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], id="both perfect"),
    ],
)
def test_no_test_where_there_is_nothing_to_test(y, a, b):
    assert all(math.isnan(v) for v in metrics.diebold_mariano(y, a, b))


@pytest.mark.parametrize("shift", [0.0, 1e7])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_skill_and_test_do_not_depend_on_the_unit(scale, shift):
    y, a, b = np.random.default_rng(1).normal(size=(3, 40))
    moved = [scale * (v + shift) for v in (y, a, b)]
    assert metrics.diebold_mariano(*moved) == pytest.approx(metrics.diebold_mariano(y, a, b), rel=1e-5)
    assert metrics.skill(*moved) == pytest.approx(metrics.skill(y, a, b), rel=1e-5)


def test_a_small_but_real_difference_is_tested():
    rng = np.random.default_rng(0)
    y, a = rng.normal(size=(2, 50))
    assert metrics.diebold_mariano(y, a, a + 1e-3 * (y - a)).pvalue < 1e-4


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: metrics.mse([1.0, 2.0], [1.0]), InputError, "2 and 1"),
        (lambda: metrics.mae([], []), InputError, "at least one value"),
        (lambda: metrics.rmse([1.0, np.nan], [1.0, 2.0]), InputError, "position 1"),
        (lambda: metrics.mse(["a"], [1.0]), InputTypeError, "must be numbers"),
        (lambda: metrics.mse(pd.Series([1.0], ["a"]), pd.Series([1.0], ["b"])), InputError, "reindex"),
        (lambda: metrics.mase([1.0], [1.0], train=[2.0, 2.0]), InputError, "which is 0"),
        (lambda: metrics.mase([1.0], [1.0], train=[2.0], period=1), InputError, "period=1"),
        (lambda: metrics.rmsse([1.0], [1.0], train=[2.0, 2.0]), InputError, "use rmse"),
        (lambda: metrics.loss_difference([1.0], [1.0, 2.0]), InputError, "1 and 2"),
        (lambda: metrics.loss_difference([1.0], [1.0], horizon=0), InputError, "horizon"),
        (lambda: metrics.diebold_mariano([1.0], [1.0], [1.0], horizon=0), InputError, "horizon"),
        (lambda: metrics.diebold_mariano([1.0], [1.0], [1.0], lags=-1), InputError, "lags"),
        (lambda: metrics.diebold_mariano([1.0], [1.0], [1.0], criterion="mape"), InputError, "'mse', 'mae'"),
    ],
)
def test_bad_input_is_refused_with_a_reason(call, error, says):
    with pytest.raises(error, match=says) as caught:
        call()
    assert isinstance(caught.value, CvxarError)
