"""What every forecast is compared with: a linear autoregression, a random walk, a trained network.

All three are forecasters: ``fit(series)``, ``forecast(steps)``, ``append(new, refit=False)``.
"""

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.descent import Descent, Trained
from cvxar.errors import InputError, NotFittedError
from cvxar.lags import check_lags, lag_frame
from cvxar.observations import Observations, extend, observe
from cvxar.options import check_count, make_generator
from cvxar.stamps import future_index


class Baseline(ABC):
    """A forecaster ``y_t = m(y_{t-l} for l in lags) + noise``; a kind of baseline says what ``m`` is."""

    takes_missing = False  # for backtests, see `cvxar.forecasters`
    lags_: tuple[int, ...]
    _known: Observations | None = None

    def fit(self, series: Any) -> Self:
        """Estimate on a series.

        Parameters
        ----------
        series : Series, one-column DataFrame, array or sequence of n numbers
            In time order; gaps between stamps are allowed (positions count). It is copied, never changed.

        Returns
        -------
        self

        Raises
        ------
        InputError, InputTypeError
            Values that are not finite numbers, stamps out of order, too few observations.
        """
        known = observe(series, gaps=self.takes_missing, calendar=False)
        self.lags_ = self._check(len(known))
        lag_frame(known, self.lags_)
        self._known = known
        self._estimate()
        return self

    def append(self, new: Any, refit: bool = False) -> Self:
        """Return a model that also knows later observations; this one is unchanged.

        Parameters
        ----------
        new : Series, array or number
            The observations that follow. Stamps that pass over some of the calendar end it, with a
            :class:`cvxar.errors.CalendarWarning`: forecasts are then numbered by position.
        refit : bool, default False
            Estimate again on the longer sample; a trained network continues from its weights. Otherwise the
            parameters stay and only the forecasts' starting point moves.
        """
        longer = extend(self._observations(), new, gaps=self.takes_missing, calendar=False)
        model = copy.copy(self)
        model._known = longer
        if refit:
            model._reestimate()
        return model

    def forecast(self, steps: int = 1) -> pd.DataFrame:
        """Forecast the next ``steps`` observations by applying ``m`` to its own forecasts.

        Returns
        -------
        DataFrame of shape (steps, 1)
            Column "mean", in the units of the series, indexed by the coming stamps.

        Raises
        ------
        InputError
            If ``steps`` is below 1.
        NotFittedError
            Before ``fit``.
        """
        known = self._observations()
        path = list(self._recent(known.values))
        for _ in range(check_count(steps, "steps")):
            path.append(float(self._mean(np.array([[path[-lag] for lag in self.lags_]]))[0]))
        return pd.DataFrame({"mean": path[-steps:]}, index=future_index(known.index, steps))

    @property
    def fittedvalues_(self) -> pd.Series:
        """One-step forecasts of every observation that has all its lags."""
        frame = lag_frame(self._observations(), self.lags_)
        return pd.Series(self._mean(frame.x), index=frame.index, name=self._observations().name)

    @property
    def resid_(self) -> pd.Series:
        """Observations minus `fittedvalues_`."""
        frame = lag_frame(self._observations(), self.lags_)
        return pd.Series(frame.y - self._mean(frame.x), index=frame.index, name=self._observations().name)

    @property
    def nobs_(self) -> int:
        """Number of observations that have all their lags."""
        return len(lag_frame(self._observations(), self.lags_).y)

    def _observations(self) -> Observations:
        if self._known is None:
            raise NotFittedError(f"this {type(self).__name__} knows no data yet; call fit(series) first")
        return self._known

    def _recent(self, values: Array) -> Array:
        """Return the values a forecast starts from, oldest first."""
        return values[-self.lags_[-1] :]

    @abstractmethod
    def _check(self, count: int) -> tuple[int, ...]:
        """Check the arguments, for so many observations, before any work and return the lags."""

    @abstractmethod
    def _estimate(self) -> None:
        """Set the parameters from the observations, from nothing."""

    @abstractmethod
    def _reestimate(self) -> None:
        """Set them on a longer sample."""

    @abstractmethod
    def _mean(self, x: Array) -> Array:
        """Evaluate ``m`` at lagged values (n, p); returns (n,)."""


class AutoRegression(Baseline):
    """Linear autoregression ``y_t = const + sum_l phi_l y_{t-l}``, estimated by statsmodels' ``AutoReg``.

    Parameters
    ----------
    lags : int or sequence of int, default 1
        ``p`` means ``1..p``; a sequence means those lags.

    Attributes
    ----------
    params_ : Series
        ``const`` and the slopes, named as in statsmodels.

    Notes
    -----
    statsmodels is given the values alone: its forecasts refuse an index it cannot continue. Of the parameters
    of a constant series, which are not unique, it gives the smallest.

    Examples
    --------
    >>> model = AutoRegression().fit([1.0, 3.0, 7.0, 15.0, 31.0])   # y_t = 1 + 2 y_{t-1}
    >>> model.forecast(2)["mean"].round(6).tolist()
    [63.0, 127.0]
    """

    params_: pd.Series

    def __init__(self, lags: int | Sequence[int] = 1) -> None:
        self.lags = lags

    def _check(self, count: int) -> tuple[int, ...]:
        return check_lags(self.lags, count=count)

    def _estimate(self) -> None:
        from statsmodels.tools.sm_exceptions import SingularMatrixWarning
        from statsmodels.tsa.ar_model import AutoReg

        known = self._observations()
        names = lag_frame(known, self.lags_).names
        if self.nobs_ < len(names) + 2:  # parameters, and one degree of freedom for the variance
            raise InputError(
                f"{len(known)} observations are too few for {len(names)} lags up to {self.lags_[-1]}: "
                f"{self.lags_[-1] + len(names) + 2} are needed; use fewer lags or a longer series"
            )
        with warnings.catch_warnings():
            # a constant series leaves the parameters open, but not the forecasts
            warnings.simplefilter("ignore", SingularMatrixWarning)
            result = AutoReg(known.values, list(self.lags_), trend="c").fit()
        self.params_ = pd.Series(result.params, index=["const", *names])

    def _reestimate(self) -> None:
        self._estimate()

    def _mean(self, x: Array) -> Array:
        params = self.params_.to_numpy()
        mean: Array = params[0] + x @ params[1:]
        return mean


class RandomWalk(Baseline):
    """The forecast of every future value is the last value known: nothing is estimated.

    Missing values (NaN) are allowed.

    Parameters
    ----------
    increments : bool, default False
        The series holds the increments of the walk (for example the log returns of a price) instead of the
        walk itself: their forecast is zero.

    Examples
    --------
    >>> RandomWalk().fit([5.0, 7.0, 6.0]).forecast(2)["mean"].tolist()
    [6.0, 6.0]
    >>> RandomWalk(increments=True).fit([0.1, -0.2, 0.3]).forecast(1)["mean"].tolist()
    [0.0]
    """

    takes_missing = True

    def __init__(self, increments: bool = False) -> None:
        self.increments = increments

    def _recent(self, values: Array) -> Array:
        return values[np.isfinite(values)][-1:]

    def _check(self, count: int) -> tuple[int, ...]:
        return (1,)

    def _estimate(self) -> None:
        pass

    def _reestimate(self) -> None:
        pass

    def _mean(self, x: Array) -> Array:
        return np.zeros(len(x)) if self.increments else x[:, 0].copy()


class TrainedNetwork(Baseline):
    """The network a convex problem stands for, trained the usual way by scikit-learn's ``MLPRegressor``.

    Objective: ``1/2 sum (y - f(x))^2 + beta/2 (||W1||^2 + ||W2||^2)``, biases free,
    ``f(x) = W2' relu(W1' x + b1) + b2``. With one lag it is the training objective of the two-layer ReLU
    network without skip connection, so `objective_` is never below the certified optimum of
    ``LassoProblem(x, y, beta=beta)``. With several lags the units of this network mix lags, which those of
    the additive network do not: the objectives then belong to two different networks.

    Parameters
    ----------
    solver : {"adam", "sgd"}, default "adam"
        Optimiser (``"sgd"``: with Nesterov momentum 0.9).
    lags : int or sequence of int, default 1
    width : int, default 50
        Hidden units.
    beta : float, default 1.0
        Penalty in data units, the ``beta`` of `LassoProblem`.
    steps : int, default 4000
        Most gradient steps of a fit.
    refit_steps : int, default 25
        Gradient steps of ``append(new, refit=True)``, which continues from the weights (and the optimiser's
        state) of the model it is called on: a warm start, far cheaper than a fit.
    batch_size : int, optional
        Observations per gradient step; default all, at most 1,000.
    learning_rate : float, optional
        On standardised data; default 0.01 for Adam, 0.1 for SGD. Halved as long as the weights overflow.
    restarts : int, default 1
        Independent initialisations; the one with the smallest objective is kept.
    rng : seed or Generator, optional
        Anything ``numpy.random.default_rng`` accepts; the initialisations are drawn from it.

    Attributes
    ----------
    objectives_ : tuple of float
        Training objective of every restart.

    Notes
    -----
    Data are standardised by one mean and one standard deviation ``s`` for lags and target. Weights
    keep their values under that change and ``beta`` becomes ``beta / s^2``; scikit-learn divides its penalty
    by the size of the batch, hence ``alpha = beta / s^2 * batch / n``. Cost: O(batch * width) per step.

    Examples
    --------
    >>> wave = np.sin(np.arange(60.0))
    >>> model = TrainedNetwork(beta=0.1, width=10, steps=300, rng=0).fit(wave)
    >>> (w1, w2), (b1, b2) = model.weights_, model.biases_
    >>> r = wave[1:] - (np.maximum(wave[:-1, None] @ w1 + b1, 0) @ w2 + b2)
    >>> bool(np.isclose(model.objective_, r @ r / 2 + 0.1 / 2 * ((w1**2).sum() + w2 @ w2)))
    True
    """

    continues = True  # a backtest refits it by append(new, refit=True)
    objectives_: tuple[float, ...]
    _trained: Trained

    def __init__(
        self,
        solver: str = "adam",
        *,
        lags: int | Sequence[int] = 1,
        width: int = 50,
        beta: float = 1.0,
        steps: int = 4000,
        refit_steps: int = 25,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        restarts: int = 1,
        rng: Any = None,
    ) -> None:
        self.solver = solver
        self.lags = lags
        self.width = width
        self.beta = beta
        self.steps = steps
        self.refit_steps = refit_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.restarts = restarts
        self.rng = rng

    @property
    def objective_(self) -> float:
        """Training objective, recomputed from the weights on the sample of the last (re)fit; data units."""
        return self._last().objective

    @property
    def weights_(self) -> tuple[Array, Array]:
        """Weights ``W1`` (p, width) and ``W2`` (width,) of the two layers, in data units."""
        return self._last().weights

    @property
    def biases_(self) -> tuple[Array, Array]:
        """Biases ``b1`` (width,) and ``b2`` () of the two layers, in data units."""
        return self._last().biases

    @property
    def messages_(self) -> tuple[str, ...]:
        """What the optimiser warned of in the last (re)fit: recorded here, not issued."""
        return self._last().messages

    @property
    def converged_(self) -> bool:
        """Whether the optimiser of the last fit stopped by itself, before ``steps``."""
        return not self.messages_

    def _last(self) -> Trained:
        self._observations()
        return self._trained

    def _check(self, count: int) -> tuple[int, ...]:
        self.descent()
        check_count(self.restarts, "restarts")
        return check_lags(self.lags, count=count)

    def descent(self) -> Descent:
        """How this network is trained, checked."""
        return Descent(
            self.solver,
            beta=self.beta,
            width=self.width,
            steps=self.steps,
            refit_steps=self.refit_steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
        )

    def _estimate(self) -> None:
        frame = lag_frame(self._observations(), self.lags_)
        seeds = make_generator(self.rng).integers(2**31, size=self.restarts)
        runs = [self.descent().train(frame.x, frame.y, int(seed)) for seed in seeds]
        self.objectives_ = tuple(run.objective for run in runs)
        self._trained = min(runs, key=lambda run: run.objective)

    def _reestimate(self) -> None:
        frame = lag_frame(self._observations(), self.lags_)
        self._trained = self.descent().resume(self._trained, frame.x, frame.y)
        self.objectives_ = (self._trained.objective,)

    def _mean(self, x: Array) -> Array:
        return self._last()(x)
