"""What following the sign of one-step forecasts would have done on paper: an illustration, not a strategy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputError
from cvxar.evaluation import Backtest
from cvxar.options import check_flag, check_name, check_real

HOLD = "buy and hold"
VALUES = ("price", "log return")
CAVEATS = (
    "An illustration on past prices, not advice and no estimate of future gains.",
    "Every order is filled in full at the price the forecast was made from; spread, impact and delay are not "
    "in it beyond the stated cost, nor are borrowing, financing, tax and the risk of the venue.",
    "Wealth depends on few large moves: differences between models are mostly luck. Judge forecasts by "
    "Backtest.compare; models or costs picked after seeing this table prove nothing.",
)


@dataclass(frozen=True)
class Illustration:
    """Wealth of following each model, and of holding.

    Attributes
    ----------
    table : DataFrame
        One row per model and one for buy and hold: total_return (final wealth less 1), mean_return,
        volatility (standard deviation) and sharpe (mean over volatility) per step, not per year;
        max_drawdown (largest loss from a peak, as a share), orders (changes of position), costs (shares of
        wealth paid, added up), exposure (share of steps with a position).
    wealth : DataFrame
        Wealth after each step, from 1; one column per model.
    caveats : tuple of str
        What the table leaves out.
    """

    table: pd.DataFrame
    wealth: pd.DataFrame
    caveats: tuple[str, ...]

    def __str__(self) -> str:
        figures = self.table.to_string(float_format="{:.4g}".format)
        return "\n".join(["Illustration: trading on the sign of the forecast", figures, *self.caveats])


def illustrate(
    result: Backtest, *, cost: float = 0.001, short: bool = True, values: str = "price"
) -> Illustration:
    r"""Follow the sign of one-step forecasts; wealth and its risk, beside buying at the start and holding.

    .. math:: W_{t+1} = W_t \left(1 - c\,|p_t - p_{t-1}|\right) \left(1 + p_t\, r_{t+1}\right), \qquad
              p_t = \operatorname{sign}(\hat y_{t+1} - y_t)

    with the simple return :math:`r_{t+1}` of the price and :math:`p_{-1} = 0`. The position at an origin uses
    the forecast made there and nothing later.

    Parameters
    ----------
    result : Backtest
        With step 1; forecasts of horizon 1 are used.
    cost : float, default 0.001
        Share of the amount traded that an order costs; turning from long to short trades twice the wealth.
    short : bool, default True
        False: a forecast of a fall means no position instead of a short one.
    values : {"price", "log return"}, default "price"
        What the backtest forecasts.

    Returns
    -------
    Illustration
        Its ``caveats`` belong to it.

    Raises
    ------
    InputError
        For a backtest with another step, missing values, prices not above zero, or a cost outside [0, 0.5).

    Examples
    --------
    >>> from cvxar import backtest
    >>> from cvxar.baselines import RandomWalk
    >>> up = backtest([1.0, 1.0, 2.0, 4.0, 8.0], {"up": lambda y, h: [2 * y.iloc[-1]] * h}, initial=3)
    >>> illustrate(up, cost=0.0).table["total_return"].to_dict()
    {'up': 3.0, 'buy and hold': 3.0}
    """
    check_flag("short", short)
    check_name("values", values, VALUES)
    check_real("cost", cost)
    if not 0 <= cost < 0.5:
        raise InputError(f"cost is a share of the amount traded, from 0 to below 0.5, got {cost!r}")
    if result.schedule.step != 1:
        raise InputError(
            f"positions are held for one step; make the backtest with step=1, not {result.schedule.step}"
        )
    missing = int(result.data.series.iloc[result.schedule.initial - 1 :].isna().sum())
    if missing:
        raise InputError(f"positions need a value at every step, and {missing} are missing; fill them first")
    rows = result.common_forecasts()
    rows = rows[rows["horizon"] == 1]
    returns = _returns(rows, result.data.series, values)
    wealth: dict[str, Array] = {}
    figures: dict[str, dict[str, float]] = {}
    for model in [*rows["model"].unique(), HOLD]:
        position = np.ones(len(returns)) if model == HOLD else _positions(rows, result, model, short, values)
        steps, paid = _steps(position, returns.to_numpy(), cost)
        wealth[model] = np.asarray(np.cumprod(1 + steps), dtype=np.float64)
        figures[model] = _describe(steps, wealth[model], position, paid)
    table = pd.DataFrame.from_dict(figures, orient="index")
    return Illustration(table, pd.DataFrame(wealth, index=returns.index), CAVEATS)


def _returns(rows: pd.DataFrame, series: pd.Series, values: str) -> pd.Series:
    """Simple return of each step, by the stamp of its end."""
    first = rows[rows["model"] == rows["model"].iloc[0]]
    y, index = first["y"].to_numpy(), pd.Index(first["time"], name=series.index.name)
    if values == "log return":
        return pd.Series(np.expm1(y), index=index)
    last = series.loc[first["origin"]].to_numpy()
    if min(last.min(), y.min()) <= 0:
        raise InputError('prices must be above zero; for a backtest of log returns say values="log return"')
    return pd.Series(y / last - 1, index=index)


def _positions(rows: pd.DataFrame, result: Backtest, model: str, short: bool, values: str) -> Array:
    own = rows[rows["model"] == model]
    now = 0.0 if values == "log return" else result.data.series.loc[own["origin"]].to_numpy()
    sign: Array = np.sign(own["mean"].to_numpy() - now)
    return sign if short else np.maximum(sign, 0.0)


def _steps(position: Array, returns: Array, cost: float) -> tuple[Array, Array]:
    """Growth of wealth in each step, and the share paid for orders at its start."""
    paid = cost * np.abs(np.diff(position, prepend=0.0))
    # a short position can lose more than everything; then nothing is left
    return np.maximum((1 - paid) * (1 + position * returns), 0.0) - 1, paid


def _describe(steps: Array, wealth: Array, position: Array, paid: Array) -> dict[str, float]:
    peak = np.maximum.accumulate(np.concatenate([[1.0], wealth]))[1:]
    volatility = float(np.std(steps, ddof=1)) if len(steps) > 1 else np.nan
    return {
        "total_return": float(wealth[-1] - 1),
        "mean_return": float(np.mean(steps)),
        "volatility": volatility,
        "sharpe": float(np.mean(steps)) / volatility if volatility > 0 else np.nan,
        "max_drawdown": float(np.max(1 - wealth / peak)),
        "orders": int(np.count_nonzero(np.diff(position, prepend=0.0))),
        "costs": float(np.sum(paid)),
        "exposure": float(np.mean(position != 0)),
    }
