"""``ConvexNet``: the certified network as a scikit-learn regressor."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from cvxar._typing import Array, ArrayLike
from cvxar.architectures import Architecture
from cvxar.certificate import Certificate
from cvxar.losses import Loss
from cvxar.network import Network
from cvxar.problem import LassoProblem
from cvxar.solver import solve


class ConvexNet(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    r"""Additive regression by parallel networks on single columns, trained to the certified global optimum.

    .. math:: f(x) = b + \sum_j [\omega_j x_j + g_j(x_j)], \qquad
              \min\; \mathrm{loss}(y - f) + \frac{\beta}{L} \sum |w|^L

    Every :math:`g_j` is a network of depth L on column j with weights w; biases and constant are free, and
    so are the :math:`\omega_j` when ``skip`` (they are absent otherwise).

    Parameters
    ----------
    architecture : str or Architecture, default "relu"
        Shape of the networks, see :mod:`cvxar.architectures`.
    loss : str or Loss, default "squared"
        See :mod:`cvxar.losses`; the squared loss is half the sum of squared residuals (not their mean).
    skip : bool, default False
        Add a free linear term for every column.
    beta : float, default 1.0
        Penalty, at least 0, for the data as given: its units are those of X times y.
    tol : float, default 1e-8
        Relative duality gap to reach.

    Attributes
    ----------
    network_ : Network
        The trained network; calling it predicts.
    certificate_ : Certificate
        Proof of global optimality: objective, lower bound, gap.
    beta_max_ : float
        Smallest penalty at which the networks vanish.
    n_features_in_ : int
        Number of columns.

    Examples
    --------
    >>> import numpy as np
    >>> from cvxar.regressor import ConvexNet
    >>> x = np.linspace(-1, 1, 21).reshape(-1, 1)
    >>> net = ConvexNet(beta=1e-6).fit(x, np.abs(x[:, 0]))
    >>> net.predict([[-0.5], [0.5]]).round(3)
    array([0.5, 0.5])
    >>> [round(float(b.location), 3) + 0.0 for b in net.network_.breakpoints]
    [0.0]
    """

    network_: Network
    certificate_: Certificate
    beta_max_: float
    n_features_in_: int

    def __init__(
        self,
        architecture: str | Architecture = "relu",
        loss: str | Loss = "squared",
        skip: bool = False,
        beta: float = 1.0,
        tol: float = 1e-8,
    ) -> None:
        self.architecture = architecture
        self.loss = loss
        self.skip = skip
        self.beta = beta
        self.tol = tol

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> "ConvexNet":
        """Train; O(p n log n) plus the solver's rounds of O(p n).

        Parameters
        ----------
        X : array of shape (n, p)
        y : array of shape (n,)
        sample_weight : array of shape (n,), optional
            Weights of the squared residuals, at least 0; a weight of 2 equals a repeated row.
        """
        X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        problem = LassoProblem(
            X,
            y,
            beta=self.beta,
            architecture=self.architecture,
            loss=self.loss,
            skip=self.skip,
            sample_weight=_weights(sample_weight, X),
        )
        solution = solve(problem, tol=self.tol)
        self.network_, self.certificate_ = solution.network, solution.certificate
        self.beta_max_ = problem.beta_max
        return self

    def predict(self, X: Any) -> Array:
        """Predict (m,) at X of shape (m, p); O(m p log k)."""
        check_is_fitted(self)
        return self.network_(validate_data(self, X, dtype=np.float64, reset=False))


def _weights(sample_weight: ArrayLike | None, X: ArrayLike) -> Array | None:
    """Read weights as scikit-learn does everywhere: one number for all, or one per row."""
    if sample_weight is None:
        return None
    weights: Array = _check_sample_weight(sample_weight, X, ensure_non_negative=True, dtype=np.float64)
    return weights
