"""Refitting to a longer series from the last solution gives the optimum that a fit from nothing gives."""

import numpy as np
import pytest

import cvxar.refit
from cvxar.model import ConvexAR

WALK = np.cumsum(np.random.default_rng(2).normal(size=260)).round(2)


@pytest.mark.parametrize("architecture", ["relu", "leaky_relu", "abs"])
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("penalty", [{"beta_ratio": 0.05}, {"beta": 3.0}])
def test_it_is_the_cold_fit(architecture, skip, penalty, monkeypatch):
    model = ConvexAR(1, architecture=architecture, skip=skip, **penalty).fit(WALK[:200])
    before = model.certificate_.primal, model.fittedvalues_.copy()
    calls, fit_results = [], cvxar.refit.fit_results
    monkeypatch.setattr(cvxar.refit, "fit_results", lambda *given: calls.append(given) or fit_results(*given))
    warm = model.append(WALK[200], refit=True)
    warm = warm.append(WALK[201:220], refit=True)
    warm = warm.append(WALK[220]).append(WALK[221:], refit=True)
    assert all(len(call) == 3 for call in calls)  # none of the fits began from nothing
    cold = ConvexAR(1, architecture=architecture, skip=skip, **penalty).fit(WALK)
    assert warm.certificate_.holds(1e-8)
    assert warm.certificate_.primal == pytest.approx(cold.certificate_.primal, rel=2e-8)
    assert warm.beta_ == pytest.approx(cold.beta_, rel=1e-9)
    assert warm.beta_max_ == pytest.approx(cold.beta_max_, rel=1e-9)
    np.testing.assert_allclose(warm.fittedvalues_, cold.fittedvalues_, atol=1e-3 * np.ptp(WALK))
    np.testing.assert_allclose(warm.forecast(5, rng=0), cold.forecast(5, rng=0), rtol=1e-3)
    assert (model.certificate_.primal, model.fittedvalues_.equals(before[1])) == (before[0], True)


OTHERS = {
    "a criterion": {},
    "two lags": {"lags": 2, "beta_ratio": 0.1},
    "a trend": {"trend": "ct", "beta_ratio": 0.1},
    "a transform": {"transform": "diff", "beta_ratio": 0.1},
    "deep": {"architecture": "deep_relu", "beta_ratio": 0.2},
    "no penalty": {"beta": 0.0},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_all_else_is_fitted_from_nothing(kind):
    values = WALK[:60]
    warm = ConvexAR(**OTHERS[kind]).fit(values[:50]).append(values[50:], refit=True)
    cold = ConvexAR(**OTHERS[kind]).fit(values)
    np.testing.assert_array_equal(warm.fittedvalues_, cold.fittedvalues_)


@pytest.mark.parametrize("start", [[5.0, 5.0, 5.0], [1.0, 2.0, 3.0]])
def test_awkward_beginnings(start):
    warm = ConvexAR(beta_ratio=0.1).fit(start)
    for value in WALK[:30]:
        warm = warm.append(value, refit=True)
    cold = ConvexAR(beta_ratio=0.1).fit([*start, *WALK[:30]])
    assert warm.certificate_.primal == pytest.approx(cold.certificate_.primal, rel=1e-7)
    gone = warm.append(np.nan).append(WALK[30:40], refit=True)
    assert gone.nobs_ == 32 + 9
