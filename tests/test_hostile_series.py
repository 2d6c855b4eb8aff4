"""Series nobody would choose: a fit is certified or refused with a reason, and units do not matter."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvxar.errors import CertificateWarning, CvxarError
from cvxar.model import ConvexAR


def noise(seed, n):
    return np.random.default_rng(seed).normal(size=n)


KINDS = {
    "ties": lambda seed, n: np.round(noise(seed, n)),
    "two values": lambda seed, n: (noise(seed, n) > 0).astype(float),
    "integers": lambda seed, n: np.random.default_rng(seed).integers(-5, 1000, n),
    "counts": lambda seed, n: np.random.default_rng(seed).poisson(0.3, n),
    "huge offset": lambda seed, n: 1e9 + noise(seed, n),
    "huge and coarse": lambda seed, n: 1e15 + np.round(noise(seed, n)),
    "tiny": lambda seed, n: 1e-12 * noise(seed, n),
    "huge": lambda seed, n: 1e200 * noise(seed, n),
    "heavy tails": lambda seed, n: np.random.default_rng(seed).standard_cauchy(n) ** 3,
    "walk": lambda seed, n: np.cumsum(noise(seed, n)),
    "explosive": lambda seed, n: 1.5 ** np.arange(n) * (1 + 1e-3 * noise(seed, n)),
    "constant": lambda seed, n: np.full(n, noise(seed, 1)[0]),
    "constant but for one": lambda seed, n: np.where(np.arange(n) == seed % n, 7.0, 0.1),
    "straight line": lambda seed, n: 0.1 + 0.3 * np.arange(n),
    "alternating": lambda seed, n: np.where(np.arange(n) % 2, 1.0, -1.0),
    "full of holes": lambda seed, n: np.where(noise(seed + 1, n) > 0.3, np.nan, noise(seed, n)),
}
SETTINGS = [
    {},
    {"beta_ratio": 0.1},
    {"beta_ratio": 1e-3, "skip": False},
    {"lags": 2, "beta_ratio": 0.1},
    {"lags": [1, 3], "trend": "ct", "beta_ratio": 0.2},
    {"lags": 1, "seasonal": True, "period": 2, "beta_ratio": 0.2},
    {"lags": 2, "architecture": "abs", "nonlinear_lags": [2], "beta_ratio": 0.05},
    {"lags": 1, "transform": "diff", "beta_ratio": 0.1},
    {"lags": None, "trend": "ctt"},
]


# so few digits are left beside the offset, or beside the trend, that rounding is all there is to fit
NO_DIGITS = ("huge and coarse", "straight line")


def fit(values, options):
    """A fitted model and whether a warning said that its gap is wide; None where the series is refused."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = ConvexAR(**options).fit(values)
        except CvxarError:
            return None, False
    assert all(issubclass(warning.category, CertificateWarning) for warning in caught)
    return model, bool(caught)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 50))
@settings(max_examples=3)
def test_a_fit_is_certified_or_refused(kind, options, seed, n):
    values = KINDS[kind](seed, n)
    model, warned = fit(values, options)
    if model is None:
        assert n < 6 or kind in ("full of holes", "huge")  # what is long enough and there can be fitted
        return
    assert model.certificate_.holds(1e-8) or (warned and kind in NO_DIGITS)
    table = model.forecast(3, level=80, n_paths=20, rng=0)
    assert np.isfinite(table).to_numpy().all()
    assert (table["lower_80"] <= table["upper_80"]).all()
    total, size = model.fittedvalues_ + model.resid_, np.nanmax(np.abs(values))
    np.testing.assert_allclose(total, model._results.frame.y, rtol=0, atol=1e-9 * size)
    assert model.summary().as_text()
    assert model.append(values[-1]).forecast(1, n_paths=2).shape == (1, 1)


@pytest.mark.parametrize(
    "kind", ["ties", "two values", "integers", "heavy tails", "walk", "tiny", "full of holes"]
)
@pytest.mark.parametrize("options", [{"beta_ratio": 0.1}, {"beta_ratio": 0.02, "skip": False}], ids=str)
@given(
    seed=st.integers(0, 10**6), scale=st.sampled_from([-3.0, 1e-9, 1e5]), shift=st.sampled_from([-2, 0, 30])
)
@settings(max_examples=5)
def test_forecasts_follow_the_units_of_the_series(kind, options, seed, scale, shift):
    values = KINDS[kind](seed, 50)
    spread = np.nanmax(values) - np.nanmin(values)
    shift = shift * spread
    plain, moved = (ConvexAR(1, **options).fit(v) for v in (values, scale * (values + shift)))
    assert moved.beta_ == pytest.approx(scale**2 * plain.beta_, rel=1e-6)
    one, two = (model.forecast(4, method="iterate")["mean"].to_numpy() for model in (plain, moved))
    np.testing.assert_allclose(two, scale * (one + shift), rtol=0, atol=1e-5 * abs(scale) * spread)
