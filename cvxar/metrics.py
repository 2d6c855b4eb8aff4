"""Scores of forecasts: plain functions, the observed values first; lower is better unless they say otherwise.

Point forecasts: `mse`, `rmse`, `mae`, `mase`, `rmsse`, `smape`, `bias`; higher is better for `skill` and
`direction_hit_rate`. Quantiles, intervals and simulated paths: `pinball`, `winkler`, `crps_quantiles`,
`crps_paths`; `coverage` should be the level, and `interval_width` is only worth comparing at equal coverage.
Tests of equal accuracy: `diebold_mariano`, `loss_difference`.
"""

from collections.abc import Callable

from cvxar._typing import ArrayLike
from cvxar.accuracy import (
    bias,
    direction_hit_rate,
    mae,
    mase,
    mse,
    rmse,
    rmsse,
    same_forecasts,
    skill,
    smape,
)
from cvxar.scores import (
    coverage,
    crps_paths,
    crps_quantiles,
    interval_width,
    pinball,
    pinball_losses,
    winkler,
    winkler_losses,
)
from cvxar.significance import LOSSES, DieboldMariano, diebold_mariano, loss_difference

# point scores of (y, forecast)
BY_NAME: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "mse": mse,
    "rmse": rmse,
    "mae": mae,
    "smape": smape,
    "bias": bias,
}
# scores of a central interval: (y, lower, upper, level in per cent)
INTERVALS_BY_NAME: dict[str, Callable[[ArrayLike, ArrayLike, ArrayLike, float], float]] = {
    "coverage": lambda y, lower, upper, level: coverage(y, lower, upper),
    "interval_width": lambda y, lower, upper, level: interval_width(lower, upper),
    "winkler": winkler,
}

__all__ = [
    "BY_NAME",
    "INTERVALS_BY_NAME",
    "LOSSES",
    "DieboldMariano",
    "bias",
    "coverage",
    "crps_paths",
    "crps_quantiles",
    "diebold_mariano",
    "direction_hit_rate",
    "interval_width",
    "loss_difference",
    "mae",
    "mase",
    "mse",
    "pinball",
    "pinball_losses",
    "rmse",
    "rmsse",
    "same_forecasts",
    "skill",
    "smape",
    "winkler",
    "winkler_losses",
]
