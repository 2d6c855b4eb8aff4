"""Nonlinear autoregression: neural networks trained to a certified global optimum.

Reading order: ``activations``, ``architectures`` (features and their exact search), ``losses``, ``design``
and ``problem`` (the Lasso), ``certificate``; then the solvers: ``spline``, ``cells``, ``kernel_cache``,
``kernels``, ``kernel_settle``, ``kernel_rounds`` and ``cell_search`` (nodal values of one column,
compiled), ``kernel_lags``, ``normal``, ``nodal``, ``block_updates``, ``line_step`` and ``nodal_search`` (of
any number of columns), ``ramps`` and ``ramp_search`` (capped ramps), ``master``, ``rows``,
``column_search`` (any dictionary), ``interior``, ``rounds``, ``independent``, ``bounded_columns``,
``ordered``, ``nodal_rows`` and ``bounded_nodes`` (quantile, absolute and Huber losses), ``minimisers`` and
``least_norm`` (``beta = 0``), ``solution``, ``solver``, ``path_pieces``, ``homotopy``, ``path``; data not
in memory: ``aggregates``, ``kernel_tally``, ``streams``; data that come and go: ``sorted_pairs``,
``kernel_windows``, ``incremental``; then the users' side: ``stamps``, ``calendars``, ``observations``,
``deterministic``, ``lags``, ``transforms``, ``criteria``, ``cross_validation``, ``selection``,
``forecast``, ``settings``, ``inference``, ``parameters``, ``results``, ``conformal``, ``direct_quantiles``,
``intervals``, ``persistence``, ``sliding``, ``refit``, ``diagnostics``, ``fitted``, ``model``,
``quantile_paths``, ``quantile_model``, ``orders``, ``regressor``, ``baselines``; ``schedule``,
``forecasters``, ``interval_kinds``, ``wrapped``, ``rolling``, ``scoring``, ``evaluation``, ``resume``,
``backtesting``, ``trading`` (backtests); ``contest``, ``race``, ``comparison``, ``curves``, ``svg``,
``page``, ``report`` (the comparison and its page); ``commands`` and ``cli``.

Letters: n observations, p input columns (lags), m distinct inputs (knots), k active features, L depth,
beta penalty, U unpenalised columns, z feature coefficients.
"""

import importlib
from typing import Any

from cvxar import architectures, losses
from cvxar.aggregates import Aggregates, aggregate, lag_pairs
from cvxar.certificate import Certificate
from cvxar.model import ConvexAR
from cvxar.network import Network
from cvxar.path import SolutionPath, solve_path
from cvxar.problem import LassoProblem
from cvxar.quantile_model import QuantileAR
from cvxar.solution import Solution
from cvxar.solver import solve

__version__ = "0.1.0"

# names whose modules need scikit-learn, statsmodels, yfinance or matplotlib: loaded when first used
_LAZY = {
    "ConvexNet": ("cvxar.regressor", "ConvexNet"),
    "Wrapped": ("cvxar.wrapped", "Wrapped"),
    "backtest": ("cvxar.backtesting", "backtest"),
    "compare": ("cvxar.comparison", "compare"),
    "datasets": ("cvxar.datasets", None),
    "metrics": ("cvxar.metrics", None),
    "plots": ("cvxar.plots", None),
    "select_order": ("cvxar.orders", "select_order"),
}

__all__ = [
    "Aggregates",
    "Certificate",
    "ConvexAR",
    "ConvexNet",
    "LassoProblem",
    "Network",
    "QuantileAR",
    "Solution",
    "SolutionPath",
    "Wrapped",
    "aggregate",
    "architectures",
    "backtest",
    "compare",
    "datasets",
    "lag_pairs",
    "losses",
    "metrics",
    "plots",
    "select_order",
    "solve",
    "solve_path",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'cvxar' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    loaded = importlib.import_module(module)
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
