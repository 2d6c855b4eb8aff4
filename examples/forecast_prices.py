"""Forecast the coming prices: log returns, simulated paths, bands, and what the model is.

    python examples/forecast_prices.py [PRICES.csv] [--steps 14] [--level 80,95] [--plot FILE] [--csv FILE]

Without a file: the bundled daily closes of Bitcoin in 2017. The model is fitted to log returns inside
(transform="logdiff"); means and bands are those of the simulated prices.
"""

import argparse

import numpy as np
import pandas as pd

from cvxar import ConvexAR, datasets
from cvxar.baselines import AutoRegression


def last_part(prices: pd.Series, steps: int) -> str:
    """How the same forecast would have done on the last steps known, in words."""
    known, later = prices.iloc[:-steps], prices.iloc[-steps:]
    ours = ConvexAR(transform="logdiff").fit(known).forecast(steps, rng=0)["mean"]
    linear = AutoRegression().fit(known).forecast(steps)["mean"]
    errors = [float(np.sqrt(np.mean((later.to_numpy() - f.to_numpy()) ** 2))) for f in (ours, linear)]
    return (
        f"On the last {steps} values, one try and no proof of anything: RMSE {errors[0]:.5g}, "
        f"AR(1) on the level {errors[1]:.5g}."
    )


def main() -> None:
    """Print summary and forecast."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prices", nargs="?", help="CSV or Parquet file of prices")
    parser.add_argument("--steps", type=int, default=14)
    parser.add_argument("--level", default="80,95", help="bands in per cent")
    parser.add_argument("--plot", help="save a picture here")
    parser.add_argument("--csv", help="save the forecast here")
    options = parser.parse_args()
    prices = datasets.read_prices(options.prices) if options.prices else datasets.load_bitcoin()
    model = ConvexAR(transform="logdiff").fit(prices)
    levels = [float(level) for level in options.level.split(",")]
    forecast = model.forecast(options.steps, level=levels, rng=0)
    print(model.summary())
    print(forecast.round(2).to_string())
    print(last_part(prices, options.steps))
    if options.csv:
        forecast.to_csv(options.csv, index_label="time")
    if options.plot:
        ax = model.plot_forecast(options.steps)
        ax.figure.savefig(options.plot, dpi=120)


if __name__ == "__main__":
    main()
