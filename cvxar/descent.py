"""Training a two-layer ReLU network by descent: the only file that knows scikit-learn's ``MLPRegressor``.

Its objective, ``1/(2n) sum r^2 + alpha/(2n) ||W||^2``, times n is that of the convex problem with
``beta = alpha``; here it is trained on standardised data and reported in the units of the data.
"""

import copy
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cvxar._typing import Array
from cvxar.errors import InputError, SolverError
from cvxar.options import check_count, check_name, check_real

LEARNING_RATES = {"adam": 0.01, "sgd": 0.1}
LARGEST_BATCH = 1000
HALVINGS = 30


@dataclass(frozen=True)
class Trained:
    """A trained network; the data it saw were ``(value - center) / scale``.

    Parameters
    ----------
    mlp : MLPRegressor
        The fitted object, kept to continue its training.
    center, scale : float
        Standardisation.
    seed : int
        Of the initial weights.
    messages : tuple of str
        What the optimiser warned of.
    objective : float
        ``1/2 sum r^2 + beta/2 ||W||^2`` on the training data, in data units.
    """

    mlp: Any
    center: float
    scale: float
    seed: int
    messages: tuple[str, ...]
    objective: float

    @property
    def weights(self) -> tuple[Array, Array]:
        """Weights (p, width) and (width,): the same numbers in standardised and in data units."""
        first, second = self.mlp.coefs_
        return first, second[:, 0]

    @property
    def biases(self) -> tuple[Array, Array]:
        """Biases (width,) and () in data units: ``scale b1 - center sum W1`` and ``scale b2 + center``."""
        first, second = self.mlp.intercepts_
        inner: Array = self.scale * first - self.center * self.weights[0].sum(axis=0)
        return inner, np.asarray(self.scale * second[0] + self.center)

    def __call__(self, x: Array) -> Array:
        """Evaluate the network at x (n, p); returns (n,)."""
        (w1, w2), (b1, b2) = self.weights, self.biases
        output: Array = np.maximum(x @ w1 + b1, 0.0) @ w2 + b2
        return output


@dataclass(frozen=True)
class Descent:
    """How to train: optimiser, penalty, width and effort; see `cvxar.baselines.TrainedNetwork`."""

    solver: str
    beta: float
    width: int
    steps: int
    refit_steps: int
    batch_size: int | None
    learning_rate: float | None

    def __post_init__(self) -> None:
        check_name("solver", self.solver, tuple(LEARNING_RATES))
        check_real("beta", self.beta)
        if not (math.isfinite(self.beta) and self.beta >= 0):
            raise InputError(f"beta must be finite and at least 0, got {self.beta}")
        for name in ("width", "steps", "refit_steps"):
            check_count(getattr(self, name), name)
        if self.batch_size is not None:
            check_count(self.batch_size, "batch_size")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise InputError(f"learning_rate must be positive, got {self.learning_rate}")

    def train(self, x: Array, y: Array, seed: int) -> Trained:
        """Train from one initialisation, halving the learning rate as long as the weights overflow.

        Raises
        ------
        SolverError
            If they still do after 30 halvings.
        """
        center, scale = _standardisation(x, y)
        rate = self.learning_rate or LEARNING_RATES[self.solver]
        for halving in range(HALVINGS + 1):
            mlp = self._network(len(y), scale, seed, rate / 2**halving)
            messages = _run(mlp.fit, (x - center) / scale, (y - center) / scale)
            if messages is not None:
                return self._finished(mlp, x, y, seed, messages)
        raise SolverError(
            f"{self.solver} with beta={self.beta} overflowed at every learning rate from {rate} to "
            f"{rate / 2**HALVINGS:.1g}; use a smaller beta"
        )

    def resume(self, last: Trained, x: Array, y: Array) -> Trained:
        """Continue training on a longer sample, from nothing if the weights overflow; ``last`` is unchanged.

        The standardisation follows the sample (a learning rate suits data of unit variance only); the weights
        are carried over so that the network is the same function when the training goes on.
        """
        center, scale = _standardisation(x, y)
        mlp = copy.deepcopy(last.mlp)
        mlp.loss_curve_ = []  # or every copy would carry the losses of all steps ever made
        mlp.set_params(random_state=last.seed, **self._batching(len(y), scale))
        mlp.intercepts_[0][:] = (last.biases[0] + center * last.weights[0].sum(axis=0)) / scale
        mlp.intercepts_[1][:] = (last.biases[1] - center) / scale
        messages: tuple[str, ...] = ()
        for _ in range(self._epochs(self.refit_steps, len(y))):
            new = _run(mlp.partial_fit, (x - center) / scale, (y - center) / scale)
            if new is None:
                return self.train(x, y, last.seed)
            messages += new
        return self._finished(mlp, x, y, last.seed, messages)

    def curve(self, x: Array, y: Array, seed: int, epochs: Sequence[int]) -> list[Trained]:
        """Train from one initialisation and keep the network after each of the epochs (ascending).

        With one batch per epoch, the first ``k`` epochs are those of a fit that ends after ``k``.
        """
        _, scale = _standardisation(x, y)
        rate = self.learning_rate or LEARNING_RATES[self.solver]
        for halving in range(HALVINGS + 1):
            mlp = self._network(len(y), scale, seed, rate / 2**halving)
            kept = list(self._stages(mlp, x, y, seed, epochs))
            if len(kept) == len(epochs):
                return kept
        raise SolverError(f"{self.solver} with beta={self.beta} overflowed at every learning rate tried")

    def _stages(self, mlp: Any, x: Array, y: Array, seed: int, epochs: Sequence[int]) -> Iterator[Trained]:
        """Networks after the epochs; fewer when the weights overflow."""
        center, scale = _standardisation(x, y)
        # a generator, not its seed: the batches of one epoch would be those of all
        mlp.set_params(random_state=np.random.RandomState(seed))
        for epoch in range(1, epochs[-1] + 1):
            if _run(mlp.partial_fit, (x - center) / scale, (y - center) / scale) is None:
                return
            if epoch in epochs:
                yield self._finished(copy.deepcopy(mlp), x, y, seed, ())

    def _network(self, n: int, scale: float, seed: int, rate: float) -> Any:
        from sklearn.neural_network import MLPRegressor

        return MLPRegressor(
            hidden_layer_sizes=(self.width,),
            solver=self.solver,
            learning_rate_init=rate,
            max_iter=self._epochs(self.steps, n),
            tol=1e-8,
            n_iter_no_change=50,
            random_state=seed,
            **self._batching(n, scale),
        )

    def _batching(self, n: int, scale: float) -> dict[str, Any]:
        # alpha is divided by the batch, the squared error by the batch too: only their ratio to n is at stake
        size = self._batch(n)
        return {"batch_size": size, "alpha": self.beta / scale**2 * size / n, "shuffle": size < n}

    def _batch(self, n: int) -> int:
        return min(n, self.batch_size or LARGEST_BATCH)

    def _epochs(self, steps: int, n: int) -> int:
        return math.ceil(steps / math.ceil(n / self._batch(n)))

    def _finished(self, mlp: Any, x: Array, y: Array, seed: int, messages: tuple[str, ...]) -> Trained:
        draft = Trained(mlp, *_standardisation(x, y), seed, messages, math.nan)
        return replace(draft, objective=network_objective(draft.weights, y - draft(x), self.beta))


def _standardisation(x: Array, y: Array) -> tuple[float, float]:
    """One mean and one scale for lags and target, so that weights are the same in both units."""
    values = np.concatenate([x.ravel(), y])
    return float(np.mean(values)), float(np.std(values)) if np.ptp(values) > 0 else 1.0


def network_objective(weights: tuple[Array, ...], residual: Array, beta: float) -> float:
    """Return ``1/2 sum residual^2 + beta/2 sum ||W||^2``, the training objective of a two-layer network.

    Examples
    --------
    >>> network_objective((np.array([[3.0]]), np.array([4.0])), np.array([1.0, -1.0]), beta=2.0)
    26.0
    """
    penalty = sum(float(np.sum(w**2)) for w in weights)
    return 0.5 * float(residual @ residual) + 0.5 * beta * penalty


def _run(train: Callable[[Array, Array], Any], x: Array, y: Array) -> tuple[str, ...] | None:
    """Train and return the optimiser's warnings, or None when the weights overflowed."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            train(x, y)
        except ValueError as error:
            if "non-finite" not in str(error):
                raise
            return None
    return tuple(str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning))
