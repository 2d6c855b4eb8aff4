"""Lags and penalty chosen together: ar_select_order's choice among linear models, the minimum over all."""

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg, ar_select_order

from cvxar import select_order
from cvxar.datasets import load_sunspots
from cvxar.errors import CvxarError, InputError
from cvxar.model import ConvexAR

SUNSPOTS = load_sunspots()


@pytest.mark.parametrize("criterion", ["bic", "aic", "hqic"])
@pytest.mark.parametrize("glob", [False, True])
def test_among_linear_models_it_is_ar_select_order(criterion, glob):
    maxlag = 5 if glob else 12
    chosen = select_order(SUNSPOTS, maxlag, criterion=criterion, glob=glob, trend="ct", beta_ratio=1.0)
    result = ar_select_order(SUNSPOTS, maxlag, ic=criterion, glob=glob, trend="ct")
    assert list(chosen.lags) == (result.ar_lags or [])
    expected = {(tuple(key) if key else ()): value for key, value in getattr(result, criterion).items()}
    found = dict(zip(chosen.table["lags"], chosen.table[criterion], strict=True))
    assert set(found) == set(expected)
    # there the variance is not counted as a parameter, which adds a constant
    for lags, value in expected.items():
        assert found[lags] - min(found.values()) == pytest.approx(value - min(expected.values()), abs=1e-7)
    refitted = AutoReg(SUNSPOTS, list(chosen.lags) or None, trend="ct").fit()
    np.testing.assert_allclose(chosen.model.params_, refitted.params, rtol=1e-7)


def test_lags_and_penalty_minimise_the_criterion_on_the_same_sample():
    chosen = select_order(SUNSPOTS, 3, glob=True)
    subsets = [(), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)]
    models = (ConvexAR(lags or None, hold_back=3).fit(SUNSPOTS) for lags in subsets)
    best = min(models, key=lambda model: model.bic_)
    row = chosen.table.iloc[0]
    assert row["bic"] == chosen.table["bic"].min() == pytest.approx(best.bic_)
    assert (chosen.beta, list(chosen.lags)) == (pytest.approx(best.beta_), list(best.lags))
    again = ConvexAR(chosen.lags, beta_ratio=row["beta_ratio"]).fit(SUNSPOTS)
    np.testing.assert_array_equal(chosen.model.fittedvalues_, again.fittedvalues_)


def test_networks_stay_on_the_lags_wanted():
    chosen = select_order(SUNSPOTS, 4, nonlinear_lags=[2], beta_ratio=0.1, glob=True)
    assert set(chosen.model.terms_.nonlinear) <= {2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"maxlag": 0}, "maxlag"),
        ({"maxlag": 13, "glob": True}, "at most 12"),
        ({"maxlag": 2, "criterion": "cv"}, "criterion"),
        ({"maxlag": 2, "glob": "all"}, "glob"),
        ({"maxlag": 2, "hold_back": 5}, "hold_back cannot be given"),
        ({"maxlag": 2, "nonlinear_lags": [3]}, "nonlinear_lags"),
        ({"maxlag": 2, "beta": "cv"}, "criterion='bic' chooses"),
        ({"maxlag": 400}, "too few"),
    ],
)
def test_impossible_arguments(arguments, message):
    with pytest.raises(CvxarError, match=message):
        select_order(SUNSPOTS, **arguments)


def test_unknown_settings_are_refused():
    with pytest.raises((InputError, TypeError), match="order"):
        select_order(SUNSPOTS, 2, order=3)
