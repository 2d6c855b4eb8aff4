"""Bands that widen when they should: quantile networks on returns, refitted on a trailing window.

One-step 90 % bands (quantiles at .05 and .95) for the last fifth of the sample. Every model is refitted to
the last ``--window`` returns at every ``--refit``-th origin and knows each return as soon as it is made.
The penalty is chosen once, on the first window, by cross-validation or BIC, and kept as a share of
``beta_max``.

    python examples/quantile_bands.py [PRICES.csv] [--lags 1] [--beta cv] [--window 2000] [--refit 168]

Without a file, returns are simulated (GARCH, heavy tails); with one, they are the log returns of its
prices. Columns: coverage and mean width, over all times and over the tenth of them that follow the largest
moves, where a band that does not widen fails; the sum of the two mean pinball losses relative to the
linear quantile autoregression with the same lags (below 1 is better), with the p-value of the
Diebold-Mariano test against it. EWMA is the plain volatility model sigma^2 <- .94 sigma^2 + .06 r^2
with normal quantiles: it remembers more than the few lags given here.
"""

import argparse

import numpy as np
import pandas as pd
from statsmodels.tsa.ar_model import AutoReg

from cvxar import QuantileAR, datasets, metrics

TAUS = (0.05, 0.95)
NORMAL = 1.6448536269514722
DECAY = 0.94


def simulated_returns(points: int, seed: int = 0) -> pd.Series:
    """Draw returns with clustered volatility: GARCH(1, 1), Student's t shocks with 5 degrees of freedom."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(5, size=points + 500) * np.sqrt(3 / 5)
    returns, variance = np.zeros(points + 500), 1e-4
    for t in range(1, points + 500):
        variance = 2e-6 + 0.85 * variance + 0.13 * returns[t - 1] ** 2
        returns[t] = np.sqrt(variance) * shocks[t]
    return pd.Series(returns[500:], name="return")


def read_returns(path: str | None, points: int) -> pd.Series:
    """Return log returns of a price file, or simulated ones."""
    if path is None:
        return simulated_returns(points)
    return np.log(datasets.read_prices(path)).diff().dropna().reset_index(drop=True)


def quantile_bands(train: pd.Series, test: pd.Series, lags: int, ratios: dict[float, float]) -> np.ndarray:
    """Fit one network a level, and return sorted one-step quantiles of the test stretch, (n, 2)."""
    ends = [
        QuantileAR((tau,), lags, beta_ratio=ratios[tau])
        .fit(train)
        .append(test)
        .predict(test.index[0], test.index[-1])
        .to_numpy()[:, 0]
        for tau in TAUS
    ]
    return np.sort(np.column_stack(ends), axis=1)


def gaussian_bands(train: pd.Series, test: pd.Series) -> np.ndarray:
    """Return the one-step bands of AR(1) with one variance."""
    fit = AutoReg(train.to_numpy(), 1).fit()
    past = np.append(train.iloc[-1], test.to_numpy()[:-1])
    mean = fit.params[0] + fit.params[1] * past
    return mean[:, None] + np.array([-1, 1]) * NORMAL * np.sqrt(fit.sigma2)


def ewma_bands(train: pd.Series, test: pd.Series) -> np.ndarray:
    """Return the bands of a running variance, mean zero."""
    variance = float(np.mean(train**2))
    for value in train:
        variance = DECAY * variance + (1 - DECAY) * value**2
    deviations = []
    for value in test:
        deviations.append(np.sqrt(variance))
        variance = DECAY * variance + (1 - DECAY) * value**2
    return NORMAL * np.outer(deviations, [-1, 1])


def roll(
    returns: pd.Series, first: int, window: int, refit: int, lags: int, beta: str
) -> dict[str, np.ndarray]:
    """Return the bands (n, 2) of every model from position ``first`` on."""
    chosen = QuantileAR(TAUS, lags, beta=beta).fit(returns.iloc[first - window : first])
    shares = {tau: fit.beta_ / fit.beta_max_ for tau, fit in chosen.models_.items()}
    print(
        "penalties chosen on the first window, shares of beta_max:",
        {t: round(s, 4) for t, s in shares.items()},
    )
    bands: dict[str, list[np.ndarray]] = {}
    for start in range(first, len(returns), refit):
        train, test = returns.iloc[start - window : start], returns.iloc[start : start + refit]
        for name, band in {
            "quantile network": quantile_bands(train, test, lags, shares),
            "linear quantile AR": quantile_bands(train, test, lags, dict.fromkeys(TAUS, 1.0)),
            "AR(1), Gaussian": gaussian_bands(train, test),
            "EWMA, Gaussian": ewma_bands(train, test),
        }.items():
            bands.setdefault(name, []).append(band)
    return {name: np.vstack(parts) for name, parts in bands.items()}


def score(y: np.ndarray, last: np.ndarray, bands: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return one row of scores per model."""
    stormy = np.abs(last) >= np.quantile(np.abs(last), 0.9)
    losses = {
        name: sum(metrics.pinball_losses(y, band[:, j], tau) for j, tau in enumerate(TAUS))
        for name, band in bands.items()
    }
    rival = losses["linear quantile AR"]
    return pd.DataFrame(
        {
            name: {
                "coverage": metrics.coverage(y, *band.T),
                "after large moves": metrics.coverage(y[stormy], *band[stormy].T),
                "width": metrics.interval_width(*band.T),
                "width after large moves": metrics.interval_width(*band[stormy].T),
                "loss ratio": losses[name].mean() / rival.mean(),
                "p": metrics.loss_difference(losses[name], rival).pvalue,
            }
            for name, band in bands.items()
        }
    ).T


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", nargs="?", help="file of prices (default: simulated returns)")
    parser.add_argument("--lags", type=int, default=1)
    parser.add_argument("--beta", default="cv", help="bic, cv or cv1se (default: cv)")
    parser.add_argument("--points", type=int, default=8000, help="simulated returns")
    parser.add_argument("--window", type=int, default=2000)
    parser.add_argument("--refit", type=int, default=168)
    options = parser.parse_args()
    returns = read_returns(options.prices, options.points)
    first = len(returns) - len(returns) // 5
    bands = roll(returns, first, min(options.window, first), options.refit, options.lags, options.beta)
    values = returns.to_numpy()
    table = score(values[first:], values[first - 1 : -1], bands)
    print(f"{len(returns)} returns, the last {len(returns) - first} forecast; nominal coverage 0.90")
    print(table.to_string(float_format=lambda v: f"{v:.4g}"))


if __name__ == "__main__":
    main()
