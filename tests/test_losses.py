"""Laws every loss obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar.errors import InputError, InputTypeError
from cvxar.losses import BY_NAME, get

numbers = st.floats(-1e3, 1e3)


@pytest.mark.parametrize("name", BY_NAME)
@given(r=numbers, u=numbers, w=st.floats(0.1, 10))
def test_fenchel_young(name, r, u, w):
    loss = BY_NAME[name]
    residual, dual = np.array([r]), np.array([w * np.clip(u, loss.lower, loss.upper)])
    excess = loss.value(residual, w) + loss.conjugate(dual, w) - float(dual @ residual)
    assert excess >= -1e-9 * (1 + abs(float(dual @ residual)))
    tight = w * loss.slope(residual)
    equality = loss.value(residual, w) + loss.conjugate(tight, w) - float(tight @ residual)
    assert equality == pytest.approx(0, abs=1e-9 * (1 + w * r * r))


@pytest.mark.parametrize("name", BY_NAME)
@given(r=numbers)
def test_slope_is_the_derivative(name, r):
    loss, h = BY_NAME[name], 1e-6
    ahead, behind = (loss.value(np.array([r + step])) for step in (h, -h))
    low, high = sorted(loss.slope(np.array([r - h, r + h])))
    assert low - 1e-3 <= (ahead - behind) / (2 * h) <= high + 1e-3


def test_squared_is_half_the_sum_of_squares():
    residual, weight = np.array([1.0, -2.0, 3.0]), np.array([1.0, 2.0, 0.5])
    assert BY_NAME["squared"].value(residual, weight) == 0.5 * (1 + 8 + 4.5)


def test_unknown_losses_are_named():
    with pytest.raises(
        InputError, match="unknown loss 'squard'; known: 'squared', 'absolute', 'quantile', 'huber'"
    ):
        get("squard")
    with pytest.raises(InputTypeError, match="got int"):
        get(3)
