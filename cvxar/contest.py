"""The models of a comparison, run over the targets of one series and scored."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.baselines import AutoRegression, RandomWalk, TrainedNetwork
from cvxar.forecasters import Forecaster
from cvxar.metrics import diebold_mariano, mae, rmse, skill
from cvxar.model import ConvexAR
from cvxar.race import COLUMNS, race
from cvxar.rolling import Track, roll

LEVEL, RETURN = "level", "log return"
SHOWN = ["model", "origin", "time", "horizon", "y", "mean"]
AR1, WALK = "AR(1)", "random walk"
OPTIMISERS = {"network (Adam)": "adam", "network (SGD)": "sgd"}


@dataclass(frozen=True)
class Plan:
    """What is compared, and how."""

    horizon: int
    tested: int
    lags: tuple[int, ...]
    convex: ConvexAR
    models: Mapping[str, Forecaster] | None
    seed: int

    def start(self, series: pd.Series) -> int:
        """Observations known at the first origin."""
        return len(series) - self.tested - self.horizon + 1

    def roll(self, name: str, model: Forecaster, series: pd.Series) -> Track:
        """Forecast the test period of a series by one model."""
        return roll(name, model, series, start=self.start(series), horizon=self.horizon, rng=self.seed)


@dataclass(frozen=True)
class Study:
    """What the pictures of one target are made from.

    Parameters
    ----------
    target : str
    train, test : Series
        What the models were first fitted to, and what came after.
    model : object or None
        The first of the models that has a ``network_``, as fitted at the last origin.
    """

    target: str
    train: pd.Series
    test: pd.Series
    model: Any


@dataclass(frozen=True)
class Run:
    """One target, forecast by every model."""

    target: str
    tracks: tuple[Track, ...]
    training: pd.DataFrame
    train: pd.Series
    test: pd.Series

    @property
    def study(self) -> Study:
        """What the pictures are made from."""
        models = [track.last for track in self.tracks if hasattr(track.last, "network_")]
        return Study(self.target, self.train, self.test, models[0] if models else None)

    def forecasts(self) -> pd.DataFrame:
        """Forecasts of all models, one below the other."""
        return pd.concat(
            [_labelled(track.forecasts[SHOWN], target=self.target) for track in self.tracks],
            ignore_index=True,
        )

    def scores(self, horizon: int) -> pd.DataFrame:
        """Score every model."""
        common_origins = np.all([track.forecasts["error"] == "" for track in self.tracks], axis=0)
        means = {t.model: t.forecasts["mean"].to_numpy()[common_origins] for t in self.tracks}
        y = self.tracks[0].forecasts["y"].to_numpy()[common_origins]
        common = min((track.residuals.size for track in self.tracks if track.residuals.size), default=0)
        rows = [
            {
                "model": track.model,
                "target": self.target,
                "train_mse": _training_mse(track, common),
                **_scores(y, means[track.model], means[AR1], means[WALK], horizon),
                "fit_seconds": track.fit_seconds,
                "relative_gap": track.relative_gap,
            }
            for track in self.tracks
        ]
        return pd.DataFrame(rows)


def _labelled(table: pd.DataFrame, **labels: str) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(labels, index=table.index), table], axis=1)


def _training_mse(track: Track, common: int) -> float:
    """Over the last ``common`` training values, those that every model fits."""
    residuals = track.residuals
    return float(np.mean(residuals[-common:] ** 2)) if residuals.size else math.nan


def _scores(y: Array, forecast: Array, ar1: Array, walk: Array, horizon: int) -> dict[str, float]:
    return {
        "test_rmse": rmse(y, forecast),
        "test_mae": mae(y, forecast),
        "skill": skill(y, forecast, ar1),
        "dm_pvalue": diebold_mariano(y, forecast, ar1, horizon=horizon).pvalue,
        "skill_random_walk": skill(y, forecast, walk),
        "dm_pvalue_random_walk": diebold_mariano(y, forecast, walk, horizon=horizon).pvalue,
    }


def run_targets(plan: Plan, level: pd.Series) -> list[Run]:
    """Run every model on the level and, where it is positive throughout, on its log returns."""
    _warm_up()
    first = _run(plan, LEVEL, level, plan.convex)
    if level.min() <= 0:
        return [first]
    returns = np.log(level).diff().iloc[1:]
    return [first, _run(plan, RETURN, returns, _in_other_units(plan.convex, first.tracks[0].first))]


def _warm_up() -> None:
    """Load and compile all that is loaded at first use, so that no model's time includes it."""
    few = [0.0, 1.0, 3.0, 2.0, 4.0]
    for model in (ConvexAR(beta_ratio=0.5), AutoRegression(), TrainedNetwork(steps=1, rng=0)):
        model.fit(few)


def _in_other_units(convex: ConvexAR, fitted: Any) -> ConvexAR:
    """The same model for a series in other units: a number for beta becomes a fraction of beta_max."""
    if isinstance(convex.beta, str) or not isinstance(fitted, ConvexAR) or fitted.beta_ == 0:
        return convex
    share = min(1.0, fitted.beta_ / fitted.beta_max_) if fitted.beta_max_ > 0 else 1.0
    return ConvexAR(convex.lags, architecture=convex.architecture, skip=convex.skip, beta_ratio=share)


def _run(plan: Plan, target: str, series: pd.Series, convex: ConvexAR) -> Run:
    parts = series.iloc[: plan.start(series)], series.iloc[plan.start(series) :]
    if plan.models is not None:
        models = {**plan.models, **linear_models((1,), increments=target == RETURN)}
        tracks = tuple(plan.roll(name, model, series) for name, model in models.items())
        return Run(target, tracks, pd.DataFrame(columns=["target", *COLUMNS]), *parts)
    ours = plan.roll("ConvexAR", convex, series)
    rivals = linear_models(plan.lags, increments=target == RETURN)
    linear = [plan.roll(name, model, series) for name, model in rivals.items()]
    beta = ours.first.beta_
    networks = {
        name: TrainedNetwork(solver, lags=plan.lags, beta=beta, rng=plan.seed)
        for name, solver in OPTIMISERS.items()
    }
    trained = [plan.roll(name, network, series) for name, network in networks.items()]
    training = _labelled(_training(plan, parts[0], beta, trained), target=target)
    return Run(target, (ours, *linear, *trained), training, *parts)


def linear_models(
    lags: tuple[int, ...], *, increments: bool, transform: str | None = None, missing: bool = False
) -> dict[str, Forecaster]:
    """Return AR(1), the autoregression on the lags if that is another, and the random walk.

    With a transform the autoregressions are those of the transformed series, forecast on the scale of the
    series, and named so. With it, or with missing values, they are ``ConvexAR(beta_ratio=1.0)``.

    Examples
    --------
    >>> list(linear_models((1, 2), increments=False)), list(linear_models((1, 7), increments=False))
    (['AR(1)', 'AR(2)', 'random walk'], ['AR(1)', 'AR(lags 1, 7)', 'random walk'])
    >>> list(linear_models((1, 2), increments=False, transform="log"))
    ['log AR(1)', 'log AR(2)', 'random walk']
    """

    def linear(chosen: tuple[int, ...]) -> Forecaster:
        """Return the linear model on the scale and calendar of the network."""
        if transform is None and not missing:
            return AutoRegression(chosen)
        return ConvexAR(chosen, beta_ratio=1.0, transform=transform)

    scale = "" if transform is None else f"{transform} "
    models = {scale + AR1: linear((1,))}
    if lags != (1,):
        models[scale + _ar_name(lags)] = linear(lags)
    return {**models, WALK: RandomWalk(increments=increments)}


def _ar_name(lags: tuple[int, ...]) -> str:
    return f"AR({len(lags)})" if lags[-1] == len(lags) else f"AR(lags {', '.join(map(str, lags))})"


def _training(plan: Plan, train: pd.Series, beta: float, trained: Sequence[Track]) -> pd.DataFrame:
    """Objectives on the training part; networks of several lags are trained once more on lag 1."""
    if plan.lags == (1,):
        return race(train, beta, {track.model: (track.first, track.fit_seconds) for track in trained})
    networks = {}
    for name, solver in OPTIMISERS.items():
        began = time.perf_counter()
        network = TrainedNetwork(solver, beta=beta, rng=plan.seed).fit(train)
        networks[name] = (network, time.perf_counter() - began)
    return race(train, beta, networks)


def notes(plan: Plan, runs: Sequence[Run]) -> Iterator[str]:
    """Say how the comparison was done."""
    yield (
        f"Expanding window: every model is refitted at each of {len(runs[0].tracks[0].forecasts)} origins; "
        "train MSE and fit seconds are those of the first fit."
    )
    yield (
        "p: two-sided Diebold-Mariano test of equal squared error (statsmodels, small-sample correction) "
        "against AR(1) and the random walk; - where the forecasts are the same."
    )
    yield from _failure_notes(runs)
    if plan.models is None:
        yield from _network_notes(plan, runs)
    if isinstance(plan.convex.beta, (int, float)) and plan.models is None and len(runs) > 1:
        yield f"beta = {plan.convex.beta:g} is for the level; the log returns use the same share of beta_max."
    if len(runs) > 1:
        yield "On log returns the random walk is that of the log level: its forecast is zero."
    else:
        yield "Level only: log returns need values above zero."


def _failure_notes(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        for track in run.tracks:
            errors = track.forecasts["error"][track.forecasts["error"] != ""]
            if len(errors):
                yield (
                    f"{track.model} on {run.target} failed at {len(errors)} origins, which are left out of "
                    f"all scores; the first time with {errors.iloc[0]}."
                )


def _network_notes(plan: Plan, runs: Sequence[Run]) -> Iterator[str]:
    network = TrainedNetwork()
    yield (
        f"Networks: {network.width} hidden ReLU units, no skip connection, scikit-learn, beta of "
        f"ConvexAR's first fit; trained once from random weights (at most {network.steps} steps), then "
        f"continued from their weights for {network.refit_steps} steps at each origin (a warm start)."
    )
    if plan.lags != (1,):
        yield "The networks' units mix the lags, ConvexAR's do not; objectives are compared on lag 1 alone."
    for run in runs:
        for track in run.tracks:
            if track.messages:
                yield f"{track.model} on {run.target} stopped at its step limit before converging."
