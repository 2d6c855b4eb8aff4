"""Nonlinear autoregression: neural networks trained to a certified global optimum.

Reading order: ``activations``, ``architectures`` (features and their search), ``losses``, ``design``
and ``problem`` (the Lasso), ``certificate``, ``spline`` and ``nodal`` (the fast solver), ``master``
and ``column_search`` (the general solver), ``solver``, ``path``, then ``lags`` and ``model``.

Letters: n observations, p input columns (lags), m distinct inputs (knots), k active features, L depth,
beta penalty, U unpenalised columns, z feature coefficients.
"""

from cvxar import architectures, losses
from cvxar.certificate import Certificate
from cvxar.network import Network
from cvxar.path import solve_path
from cvxar.problem import LassoProblem
from cvxar.solver import Solution, solve

__version__ = "0.1.0"

__all__ = [
    "Certificate",
    "LassoProblem",
    "Network",
    "Solution",
    "architectures",
    "losses",
    "solve",
    "solve_path",
]
