"""The paper's experiment on Bitcoin: a certified optimum against Adam and SGD, epoch by epoch, and AR(1).

    python examples/bitcoin_training.py [PRICES.csv] [--every 1h,1D] [--plot FILE] [--csv FILE]

Without a file: the bundled daily closes of 2017. With one (for example the minute file BTC-2017min.csv of
Kaggle, or any CSV with a date and a close): the prices as they are or, with --every, the last of every
minute, hour, day ("1min", "1h", "1D"; several with commas). Levels and log returns, first 80 % for training.

One problem for all on each series: the two-layer ReLU network on lag 1 without skip connection, penalty
chosen by BIC. Test errors are one step ahead, without refitting. "ConvexAR" is the package's model: with skip
connection, its own BIC, and the slope of AR(1) beyond the training range.
"""

import argparse
import math

import numpy as np
import pandas as pd

from cvxar import ConvexAR, datasets
from cvxar.curves import training_curves

TRAINED_ON = 0.8
BATCH = 1000


def series_of(prices: pd.Series, every: str | None) -> dict[str, pd.Series]:
    """The level and its log returns, at the wanted spacing."""
    level = prices if every is None else prices.resample(every).last().dropna()
    label = "as given" if every is None else every
    return {f"{label}, level": level, f"{label}, log return": np.log(level).diff().iloc[1:]}


def one_step_mse(model: object, test: pd.Series) -> float:
    """Mean squared error of one-step forecasts of the test part, the model unchanged."""
    fitted = model.append(test).fittedvalues_.iloc[-len(test) :]
    return float(np.mean((test.to_numpy() - fitted.to_numpy()) ** 2))


def study(series: pd.Series, steps: int, seed: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Training curves, and the test error of the package's own model."""
    cut = round(TRAINED_ON * len(series))
    train, test = series.iloc[:cut], series.iloc[cut:]
    beta = ConvexAR(skip=False).fit(train).beta_
    epochs = math.ceil(steps / math.ceil(len(train) / BATCH))
    curves = training_curves(
        train, test, beta, epochs=epochs, rng=seed, batch_size=min(BATCH, len(train) - 1)
    )
    return curves, {"ConvexAR": one_step_mse(ConvexAR().fit(train), test)}


def rows_of(name: str, curves: pd.DataFrame, others: dict[str, float]) -> pd.DataFrame:
    """Where every method ends; test errors relative to AR(1)."""
    last = curves.groupby("method", sort=False).tail(1)
    last = pd.concat([last, pd.DataFrame({"method": list(others), "test_mse": list(others.values())})])
    linear = last.loc[last["method"] == "AR(1)", "test_mse"].iloc[0]
    last = last.assign(series=name, test_to_ar1=np.sqrt(last["test_mse"] / linear))
    return last[
        ["series", "method", "epoch", "ratio", "train_mse", "test_mse", "test_to_ar1", "relative_gap"]
    ]


def plot(studies: dict[str, pd.DataFrame], path: str) -> None:
    """Objective, training and test loss by epoch; the horizontal lines have no epochs."""
    import matplotlib.pyplot as plt

    from cvxar import plots

    quantities = ("objective", "train_mse", "test_mse")
    figure, grid = plt.subplots(
        len(studies), 3, figsize=(13, 3.4 * len(studies)), squeeze=False, layout="constrained"
    )
    for axes, (name, curves) in zip(grid, studies.items(), strict=True):
        for ax, quantity in zip(axes, quantities, strict=True):
            plots.plot_training_curves(curves, quantity, unit=name.split(", ")[1], ax=ax).set_title(name)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prices", nargs="?", help="CSV or Parquet file of prices")
    parser.add_argument("--every", help="spacing such as 1h, or several as 1h,1D (default: as given)")
    parser.add_argument("--points", type=int, help="use the last so many prices")
    parser.add_argument("--steps", type=int, default=4000, help="gradient steps of each optimiser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", help="save the figure here")
    parser.add_argument("--csv", help="save all curves here")
    options = parser.parse_args()
    prices = datasets.read_prices(options.prices) if options.prices else datasets.load_bitcoin()
    prices = prices.iloc[-options.points :] if options.points else prices
    studies, tables = {}, []
    for every in options.every.split(",") if options.every else [None]:
        for name, series in series_of(prices, every).items():
            curves, others = study(series, options.steps, options.seed)
            studies[name] = curves
            tables.append(rows_of(name, curves, others))
    table = pd.concat(tables, ignore_index=True)
    print(f"{len(prices)} prices, {prices.index[0]} to {prices.index[-1]}, {options.steps} steps, width 50")
    print("ratio: objective / certified optimum; test_to_ar1: test RMSE / that of AR(1)")
    print(table.to_string(index=False, float_format="{:.6g}".format, na_rep="-"))
    if options.plot:
        plot(studies, options.plot)
    if options.csv:
        pd.concat(studies, names=["series"]).reset_index("series").to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
