"""The trading illustration: a loop written out, and no profit from what is not known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar import backtest
from cvxar.baselines import AutoRegression, RandomWalk
from cvxar.errors import InputError
from cvxar.trading import HOLD, illustrate


def path(seed, n=40):
    return pd.Series(50 * np.exp(np.random.default_rng(seed).normal(size=n).cumsum() / 20), name="price")


@given(
    seed=st.integers(0, 99),
    cost=st.sampled_from([0.0, 0.002, 0.1]),
    short=st.booleans(),
    returns=st.booleans(),
)
def test_wealth_is_that_of_a_loop_written_out(seed, cost, short, returns):
    price = path(seed)
    series = np.log(price).diff().iloc[1:] if returns else price
    result = backtest(series, {"AR(1)": AutoRegression()}, initial=25)
    shown = illustrate(result, cost=cost, short=short, values="log return" if returns else "price")
    rows, wealth, before, orders = result.forecasts, 1.0, 0.0, 0
    for i, (at, mean) in enumerate(zip(rows["origin"], rows["mean"], strict=True)):
        rises = mean > 0 if returns else mean > price.loc[at]
        position = 1.0 if rises else -1.0 if short else 0.0
        wealth *= 1 - cost * abs(position - before)
        wealth *= 1 + position * (price.loc[at + 1] / price.loc[at] - 1)
        orders += position != before
        before = position
        assert shown.wealth["AR(1)"].iloc[i] == pytest.approx(wealth)
    held = (1 - cost) * price.iloc[-1] / price.loc[rows["origin"].iloc[0]]
    table = shown.table
    assert table.loc[HOLD, "total_return"] == pytest.approx(held - 1)
    assert table.loc["AR(1)", ["total_return", "orders"]].tolist() == pytest.approx([wealth - 1, orders])
    full = np.concatenate([[1.0], shown.wealth["AR(1)"]])
    worst = max(1 - full[j] / full[i] for i in range(len(full)) for j in range(i, len(full)))
    assert table.loc["AR(1)", "max_drawdown"] == pytest.approx(worst, abs=1e-12)


def test_who_does_not_move_pays_and_earns_nothing_and_who_loses_all_stays_there():
    price = pd.Series([1.0, 1.0, 1.0, 1.1, 2.5, 2.6, 2.5])
    models = {"still": RandomWalk(), "bear": lambda y, h: [0.0] * h}
    shown = illustrate(backtest(price, models, initial=3), cost=0.01)
    assert shown.table.loc["still", ["total_return", "orders", "costs", "exposure"]].tolist() == [0, 0, 0, 0]
    assert shown.wealth["bear"].iloc[1:].eq(0).all()
    assert shown.table.loc["bear", "max_drawdown"] == 1


def test_the_text_carries_its_caveats():
    shown = illustrate(backtest(path(0), {"AR(1)": AutoRegression()}))
    text = str(shown)
    assert text.startswith("Illustration")
    assert all(caveat in text for caveat in shown.caveats)
    assert "not advice" in text


@pytest.mark.parametrize(
    ("series", "options", "arguments", "says"),
    [
        (path(0), {"step": 2}, {}, "step=1"),
        (path(0) - 60, {}, {}, "above zero"),
        (path(0), {}, {"cost": 0.5}, "cost"),
        (path(0), {}, {"cost": -0.1}, "cost"),
        (path(0), {}, {"values": "return"}, "'log return'"),
    ],
)
def test_what_cannot_be_traded_is_refused(series, options, arguments, says):
    with pytest.raises(InputError, match=says):
        illustrate(backtest(series, {"walk": RandomWalk()}, **options), **arguments)
