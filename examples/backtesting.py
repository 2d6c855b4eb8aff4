# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Is there anything nonlinear to forecast? A backtest
# Daily closes of Bitcoin in 2017, or your own file: set the environment variable `PRICES` to a CSV or
# Parquet file with a date and a price. Every forecast is made by a model that has seen nothing later than
# its origin.

# %%
import os

import numpy as np
from statsmodels.tsa.ar_model import AutoReg

from cvxar import ConvexAR, Wrapped, backtest, datasets
from cvxar.baselines import AutoRegression, RandomWalk
from cvxar.trading import illustrate

prices = datasets.read_prices(os.environ["PRICES"]) if "PRICES" in os.environ else datasets.load_bitcoin()
returns = np.log(prices).diff().iloc[1:].rename("log return")
print(f"{len(prices)} prices, {prices.index[0]} to {prices.index[-1]}")

# %% [markdown]
# ## Models
# Anything with `fit(series)` and `forecast(steps)`, or a plain function of series and horizon. `Wrapped`
# adapts models of statsmodels. A fixed `beta_ratio` keeps the network in the game even where BIC would
# choose the linear model.

# %%
models = {
    "AR(1)": AutoRegression(),
    "zero": RandomWalk(increments=True),
    "mean": lambda series, horizon: [series.mean()] * horizon,
    "AR(5)": Wrapped(lambda y: AutoReg(y, 5)),
    "ConvexAR, BIC": ConvexAR(),
    "ConvexAR, ratio 0.3": ConvexAR(beta_ratio=0.3),
}
result = backtest(returns, models, initial=len(returns) * 4 // 5, level=80)
print(result)

# %% [markdown]
# ## Certificates
# Each fit of ConvexAR is a proven global optimum, at every origin.

# %%
gaps = result.forecasts.groupby("model", sort=False)["relative_gap"].max().dropna()
print(gaps.to_string(float_format="{:.1e}".format))
print(f"failures: {len(result.failures)}")

# %% [markdown]
# ## Scores
# Scaled errors (mase, rmsse) are relative to the changes within the first training set; coverage should
# be 0.80; bands made from earlier residuals cover less where moves grow, as at the end of 2017.

# %%
print(result.scores(["rmse", "mae", "rmsse", "bias", "coverage", "winkler"]).round(4).to_string())

# %% [markdown]
# ## Is any of it better than AR(1)?
# Skill with a block-bootstrap interval, and the Diebold-Mariano test; p-values are adjusted for the
# number of models.

# %%
tests = result.compare("AR(1)")
print(tests[["skill", "skill_lower", "skill_upper", "dm_pvalue", "dm_pvalue_holm"]].round(3).to_string())
for sentence in tests["conclusion"]:
    print(sentence)

# %%
figure = result.plot(baseline="AR(1)")

# %% [markdown]
# ## Several steps ahead, a rolling window, fewer refits
# Between refits the model takes in the news with `append`, its parameters unchanged.

# %%
few = {"AR(1)": AutoRegression(), "walk": RandomWalk(), "ConvexAR": ConvexAR(beta_ratio=0.3)}
ahead = backtest(prices, few, horizon=5, step=5, window=200, refit=2)
print(ahead.scores("rmse", by="horizon")["rmse"].unstack("horizon").round(0).to_string())

# %% [markdown]
# ## An illustration, not a strategy
# What following the sign of the forecasts would have done on paper, 0.1 % per order. Read the caveats.

# %%
print(illustrate(result, cost=0.001, values="log return"))
