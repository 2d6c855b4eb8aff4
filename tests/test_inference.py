"""Standard errors: AutoReg's without breakpoints, with them those of least squares on the features."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.ar_model import AutoReg

import cvxar.inference as inference
from cvxar.datasets import load_sunspots
from cvxar.model import ConvexAR

SUNSPOTS = load_sunspots()


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("period", [None, 3])
@pytest.mark.parametrize("with_exog", [False, True])
def test_without_breakpoints_they_are_those_of_autoreg(trend, period, with_exog):
    exog = np.random.default_rng(0).normal(1e3, 1, size=(309, 1)) if with_exog else None
    options = {"trend": trend, "seasonal": period is not None, "period": period}
    model = ConvexAR([1, 2, 9], beta_ratio=1.0, **options).fit(SUNSPOTS, exog)
    result = AutoReg(SUNSPOTS, [1, 2, 9], exog=exog, **options).fit()
    for found, expected in (
        (model.bse_, result.bse),
        (model.tvalues_, result.tvalues),
        (model.conf_int(0.1), result.conf_int(0.1)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(model.pvalues_, result.pvalues, rtol=1e-5, atol=1e-300)
    assert list(model.bse_.index) == list(result.bse.index)


@pytest.mark.parametrize("architecture", ["relu", "leaky_relu", "abs", "deep_relu"])
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("rows", [7, 10**9])
def test_with_breakpoints_they_are_conditional_on_them(architecture, skip, rows, monkeypatch):
    """Against ordinary least squares on the very columns, and slopes by numerical differences."""
    monkeypatch.setattr(inference, "BLOCK", rows)
    model = ConvexAR(2, nonlinear_lags=[1], architecture=architecture, skip=skip, beta_ratio=0.05).fit(
        SUNSPOTS
    )
    y = SUNSPOTS.to_numpy()
    features = model._results.solution.features
    units = [lambda v, f=f: f(v) for f in features]
    assert units
    linear = [y[1:-1]] if skip else []
    design = np.column_stack([np.ones(len(y) - 2), *linear, y[:-2], *(unit(y[1:-1]) for unit in units)])
    fit = OLS(y[2:], design).fit()
    n, k = design.shape
    rss = (model.resid_**2).sum()
    covariance = fit.normalized_cov_params * rss / n
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(model.bse_, errors[: k - len(units)], rtol=1e-6)
    for row in model.regimes_.itertuples():
        low = max(row[2], y.min() - 10.0) if np.isfinite(row[2]) else row[3] - 2.0
        high = row[3] if np.isfinite(row[3]) else low + 2.0
        at = low + (high - low) * np.array([0.25, 0.75])
        gradient = np.array(
            [0.0, *([1.0] if skip else []), 0.0, *(np.diff(unit(at))[0] / np.diff(at)[0] for unit in units)]
        )
        assert row.std_err == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-5, abs=1e-9)
        assert row.slope == pytest.approx(np.diff(model.network_(at))[0] / np.diff(at)[0], rel=1e-6, abs=1e-9)
    assert model.regimes_["nobs"].sum() == n
    assert "conditional on the selected breakpoints" in model.summary().as_text()


def test_regimes_of_several_lags_are_told_apart():
    model = ConvexAR([1, 2], beta_ratio=0.1).fit(SUNSPOTS)
    for lag, table in model.regimes_.groupby("lag"):
        inner = [b.location for b in model.breakpoints_ if b.column == lag - 1]
        assert table["to"].iloc[:-1].tolist() == inner


def test_an_interpolating_fit_is_flagged_and_has_no_errors():
    values = np.random.default_rng(0).normal(size=12)
    model = ConvexAR(3, beta=1e-9).fit(values)
    assert model.bse_.isna().all()
    assert model.regimes_["std_err"].isna().all()
    assert "The fit interpolates" in model.summary().as_text()
    assert "interpolates" not in ConvexAR(1, beta_ratio=0.5).fit(values).summary().as_text()


def test_columns_that_depend_on_each_other_are_not_identified():
    exog = np.column_stack([np.ones(309), np.arange(309.0) ** 0.5, 2 * np.arange(309.0) ** 0.5])
    model = ConvexAR(1, beta_ratio=1.0).fit(SUNSPOTS, exog)
    plain = ConvexAR(1, beta_ratio=1.0).fit(SUNSPOTS, exog[:, 1])
    assert model.bse_.isna().tolist() == [True, False, True, True, True]
    assert model.bse_.iloc[1] == pytest.approx(plain.bse_.iloc[1])


@pytest.mark.parametrize("offset", [0.0, 1.0, -1e3])
@pytest.mark.parametrize("multiple", [2.0, -0.3])
@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_the_constant_is_identified_where_collinear_columns_do_not_add_up_to_it(offset, multiple, shift):
    first = np.random.default_rng(0).normal(offset, 1.0, size=309)
    exog = pd.DataFrame({"a": first, "b": multiple * first + shift}, index=SUNSPOTS.index)
    model = ConvexAR(2, beta_ratio=1.0).fit(SUNSPOTS, exog)
    alone = ConvexAR(2, beta_ratio=1.0).fit(SUNSPOTS, exog[["a"]])
    assert model.bse_[["a", "b"]].isna().all()
    if shift:
        assert np.isnan(model.bse_["const"])
    else:
        assert model.bse_["const"] == pytest.approx(alone.bse_["const"], rel=1e-6)
    named = "const, a, b" if shift else "a, b"
    assert f"No standard errors for {named}: their columns are collinear" in model.summary().as_text()
    assert "collinear" not in alone.summary().as_text()


def test_the_summary_can_be_printed_in_three_ways():
    model = ConvexAR(2).fit(SUNSPOTS)
    summary = model.summary()
    for text in (summary.as_text(), summary.as_html(), summary.as_latex()):
        assert "std err" in text
        assert str(model.params_.index[1]) in text


def test_other_losses_have_no_errors_of_least_squares():
    model = ConvexAR(1, loss="absolute", beta_ratio=0.5).fit(pd.Series(SUNSPOTS.to_numpy()[:80]))
    assert model.bse_.isna().all()
    assert "No standard errors" in model.summary().as_text()
