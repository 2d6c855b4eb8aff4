"""The penalty: criteria by AutoReg's formulas, minimal on the whole path although it is left early."""

import numpy as np
import pytest
from scipy import integrate, optimize
from statsmodels.tsa.ar_model import AutoReg

import cvxar.selection as selection
from cvxar import losses
from cvxar.criteria import likelihood
from cvxar.datasets import load_bitcoin, load_sunspots
from cvxar.errors import InputError, InputTypeError
from cvxar.lags import lag_frame
from cvxar.observations import observe
from cvxar.problem import LassoProblem


def walk(step, n, seed, noise=1.0):
    shocks = noise * np.random.default_rng(seed).normal(size=n)
    values = np.zeros(n)
    for t in range(1, n):
        values[t] = step(values[t - 1]) + shocks[t]
    return values


SERIES = {
    "linear": walk(lambda v: 0.9 * v, 200, 1),
    "tent": walk(lambda v: 1 - 0.8 * abs(v), 300, 2, noise=0.5),
    "jump": walk(lambda v: 2 + 0.5 * v if v <= 1 else 0.5 - 0.4 * v, 300, 3),
    "sunspots": load_sunspots().to_numpy(),
}


def lasso(values, lags=(1,), **options):
    frame = lag_frame(observe(values), lags)
    return LassoProblem(frame.x, frame.y, beta=0.0, **{"skip": True, **options})


def choose(problem, beta="bic", ratio=None):
    return selection.select(problem, beta, ratio, tol=1e-8, solver="auto")


@pytest.mark.parametrize("lags", [(1,), (1, 2, 3)])
@pytest.mark.parametrize("trend", ["n", "c"])
def test_without_kinks_the_criteria_are_those_of_autoreg(lags, trend):
    chosen = choose(lasso(SERIES["sunspots"], lags, fit_intercept=trend == "c"), ratio=1.0)
    result = AutoReg(SERIES["sunspots"], list(lags), trend=trend).fit()
    expected = [result.llf, result.aic, result.bic, result.hqic]
    assert list(chosen.fit) == pytest.approx(expected, rel=1e-10)
    assert chosen.table is None


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("criterion", ["bic", "hqic"])
def test_leaving_the_path_early_loses_nothing(name, criterion, monkeypatch):
    problem = lasso(SERIES[name])
    early = choose(problem, criterion)
    monkeypatch.setattr(selection, "PATIENCE", np.inf)
    whole = choose(problem, criterion)
    assert early.solution.problem.beta == whole.solution.problem.beta
    assert len(early.table) <= len(whole.table)
    assert early.table[criterion].min() == getattr(early.fit, criterion)


def test_kinks_are_bought_where_the_truth_bends_and_only_there():
    kinks = {name: len(choose(lasso(values)).solution.features) for name, values in SERIES.items()}
    assert kinks["linear"] == 0
    assert kinks["tent"] >= 1
    assert kinks["jump"] >= 2


@pytest.mark.parametrize("skip", [True, False])
def test_the_path_is_described_row_by_row(skip):
    problem = lasso(SERIES["tent"], (1, 2), skip=skip)
    table = choose(problem).table
    assert list(table.columns) == [
        *("beta", "beta_ratio", "df", "loss", "rss", "aic", "bic", "hqic", "n_breakpoints", "relative_gap")
    ]
    assert table["beta"].iloc[0] == problem.beta_max
    assert (np.diff(table["beta"]) < 0).all()
    assert (np.diff(table["rss"]) <= 1e-9 * table["rss"].iloc[0]).all()
    assert table["df"].iloc[0] == (3 if skip else 1)
    assert table["relative_gap"].max() <= 1e-8


@pytest.mark.parametrize("name", ["tent", "jump", "bitcoin"])
def test_the_path_reaches_the_kinks_with_or_without_skip(name):
    values = load_bitcoin().to_numpy() if name == "bitcoin" else SERIES[name]
    with_skip, without = lasso(values), lasso(values, skip=False)
    assert selection.beta_grid(without)[-1] == pytest.approx(1e-4 * with_skip.beta_max)
    assert selection.beta_grid(without)[0] == without.beta_max > with_skip.beta_max
    free, shrunk = choose(with_skip).fit.bic, choose(without).fit.bic
    assert shrunk == pytest.approx(free, abs=10)


@pytest.mark.parametrize("skip", [True, False])
def test_a_constant_series_has_one_penalty_and_a_perfect_fit(skip):
    chosen = choose(lasso(np.full(12, 0.1), skip=skip))
    assert chosen.table["beta"].tolist() == [0.0]
    assert chosen.table["beta_ratio"].tolist() == [1.0]
    assert chosen.fit.llf == np.inf
    assert chosen.fit.bic == -np.inf


@pytest.mark.parametrize(
    ("beta", "ratio", "error", "message"),
    [
        (-1.0, None, InputError, "at least 0"),
        (np.inf, None, InputError, "finite"),
        (np.nan, None, InputError, "finite"),
        (True, None, InputTypeError, "number"),
        (None, None, InputTypeError, "number"),
        ("bik", None, InputError, "known: 'bic', 'aic', 'hqic', 'cv', 'cv1se'"),
        ("bic", 0.0, InputError, "above 0 and at most 1"),
        ("bic", 1.5, InputError, "above 0 and at most 1"),
        ("bic", "half", InputTypeError, "number"),
        (3.0, 0.5, InputError, "not both"),
    ],
)
def test_penalties_that_cannot_be(beta, ratio, error, message):
    with pytest.raises(error, match=message):
        selection.check_beta_choice(beta, ratio)


@pytest.mark.parametrize(
    "loss", [losses.Huber(0.3), losses.Huber(5.0), losses.Quantile(0.2), losses.Squared()]
)
def test_likelihood_is_that_of_the_density_of_the_loss(loss):
    """The literal twin: integrate the density numerically and search the scale on a grid."""
    r = np.random.default_rng(3).standard_t(3, 60)
    total = loss.value(r)

    def cost(log_scale):
        scale = np.exp(log_scale)
        mass = integrate.quad(
            lambda e: np.exp(-loss.value(np.array([e])) / scale), -np.inf, np.inf, limit=200
        )
        return total / scale + len(r) * np.log(mass[0])

    best = optimize.minimize_scalar(cost, bounds=np.log([total / 600, total]), options={"xatol": 1e-6}).fun
    assert likelihood(loss, total, len(r), 1).llf == pytest.approx(-best, rel=1e-7)
