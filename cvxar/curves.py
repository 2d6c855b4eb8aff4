"""Training by descent, epoch by epoch, against the certified optimum of the same problem."""

from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.baselines import AutoRegression, TrainedNetwork
from cvxar.errors import InputError
from cvxar.lags import lag_frame
from cvxar.observations import observe
from cvxar.options import check_count, make_generator
from cvxar.problem import LassoProblem
from cvxar.solver import solve

COLUMNS = ["method", "epoch", "objective", "ratio", "train_mse", "test_mse", "relative_gap"]
CONVEX, LINEAR = "convex optimum", "AR(1)"
OPTIMISERS = {"Adam": "adam", "SGD": "sgd"}
MARKS = 60


def training_curves(
    train: Any, test: Any, beta: float, *, epochs: int = 2000, rng: Any = 0, **network: Any
) -> pd.DataFrame:
    r"""Train the two-layer ReLU network by Adam and SGD; objective and test loss after each of many epochs.

    .. math:: \tfrac12 \sum_t (y_t - f(y_{t-1}))^2 + \tfrac\beta2 (\|W_1\|^2 + \|W_2\|^2)

    Every network is fitted once to ``train`` and forecasts ``test`` one step ahead from the true values. The
    certified optimum of the same objective and the linear autoregression have no epochs: one row each.

    Parameters
    ----------
    train, test : Series or array
        Consecutive parts of one series.
    beta : float
        Penalty in data units.
    epochs : int, default 2000
        Passes through the training data.
    rng : seed or Generator, default 0
        Of initial weights and batches.
    **network
        Arguments of :class:`cvxar.baselines.TrainedNetwork`, such as ``width`` or ``batch_size``.

    Returns
    -------
    DataFrame
        method, epoch (NaN where there are none), objective (NaN for AR(1), which has another), ratio (to the
        optimum), train_mse, test_mse (mean squared errors of one-step forecasts), relative_gap (of the
        optimum's certificate).

    Examples
    --------
    >>> wave = np.sin(np.arange(60.0))
    >>> table = training_curves(wave[:40], wave[40:], 0.1, epochs=20, width=5)
    >>> table["method"].unique().tolist(), bool((table["ratio"].dropna() >= 1 - 1e-9).all())
    (['convex optimum', 'AR(1)', 'Adam', 'SGD'], True)
    """
    known, later = observe(train), observe(test)
    if len(later) == 0:
        raise InputError("test is empty; give the values that follow the training part")
    frame = lag_frame(known, (1,))
    x, y = frame.x, frame.y
    ahead = np.concatenate([known.values[-1:], later.values[:-1]])[:, None], later.values
    marks = _marks(check_count(epochs, "epochs"))
    seed = int(make_generator(rng).integers(2**31))
    rows = [_optimum(x, y, ahead, beta), _linear(x, y, ahead)]
    for name, solver in OPTIMISERS.items():
        descent = TrainedNetwork(solver, beta=beta, **network).descent()
        for epoch, net in zip(marks, descent.curve(x, y, seed, marks), strict=True):
            rows.append(
                (name, epoch, net.objective, net.objective / rows[0][2], *_errors(net, x, y, ahead), np.nan)
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _marks(epochs: int) -> list[int]:
    """Epochs at which to look: as many in every factor."""
    return sorted({round(e) for e in np.geomspace(1, epochs, MARKS)})


def _optimum(x: Array, y: Array, ahead: tuple[Array, Array], beta: float) -> tuple[Any, ...]:
    solution = solve(LassoProblem(x, y, beta=beta))
    objective = 0.5 * float(np.sum((y - solution.fitted) ** 2)) + beta * solution.l1_norm
    errors = _errors(solution.network, x, y, ahead)
    return (CONVEX, np.nan, objective, 1.0, *errors, solution.certificate.relative_gap)


def _linear(x: Array, y: Array, ahead: tuple[Array, Array]) -> tuple[Any, ...]:
    level, slope = AutoRegression().fit(np.append(x[:, 0], y[-1])).params_
    return (LINEAR, np.nan, np.nan, np.nan, *_errors(lambda v: level + slope * v[:, 0], x, y, ahead), np.nan)


def _errors(net: Any, x: Array, y: Array, ahead: tuple[Array, Array]) -> tuple[float, float]:
    """Mean squared errors on the training pairs and on the test pairs."""
    inputs, targets = ahead
    return float(np.mean((y - net(x)) ** 2)), float(np.mean((targets - net(inputs)) ** 2))
