"""What a fit leaves behind: the solution, the series it knows, and everything computed from the two."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from cvxar.certificate import Certificate
from cvxar.forecast import Predictor
from cvxar.lags import LagFrame, lag_frame
from cvxar.network import Breakpoint, Network
from cvxar.observations import Observations
from cvxar.problem import LassoProblem
from cvxar.selection import Selection, select
from cvxar.settings import Settings
from cvxar.simulation import conditional_mean
from cvxar.solver import Solution


@dataclass(frozen=True)
class Results:
    """A fitted autoregression; ``ConvexAR`` shows these under the same names with a trailing underscore.

    Parameters
    ----------
    frame : LagFrame
        The regression fitted.
    chosen : Selection
        Its solution, criteria and path.
    predictor : Predictor
        The fitted map and all observations known, later ones included.
    trend : str
    skip : bool
    """

    frame: LagFrame
    chosen: Selection
    predictor: Predictor
    trend: str
    skip: bool
    settings: Settings
    count: int

    @property
    def solution(self) -> Solution:
        """The solved problem."""
        return self.chosen.solution

    @property
    def network(self) -> Network:
        """The trained network."""
        return self.solution.network

    @property
    def certificate(self) -> Certificate:
        """Proof of its global optimality."""
        return self.solution.certificate

    @property
    def beta(self) -> float:
        """Penalty used."""
        return self.solution.problem.beta

    @property
    def beta_max(self) -> float:
        """Smallest penalty at which the networks vanish."""
        return self.solution.problem.beta_max

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """Kinks in data units."""
        return self.network.breakpoints

    @cached_property
    def params(self) -> pd.Series:
        """Free linear parameters, named as in ``AutoReg``."""
        # lists, not dictionaries: an exogenous column may have the name of a lag
        solution, constant = self.solution, self.trend == "c"
        names = [*(["const"] if constant else []), *(self.frame.names if self.skip else ())]
        values = [*([solution.intercept] if constant else []), *(solution.linear if self.skip else ())]
        return pd.Series(
            [*values, *solution.exog_coef], index=[*names, *self.predictor.known.exog_names], dtype=float
        )

    @cached_property
    def fittedvalues(self) -> pd.Series:
        """One-step fits of every observation that has all its lags."""
        return self.predictor.series(self.predictor.fitted)

    @cached_property
    def resid(self) -> pd.Series:
        """Observed less fitted."""
        return self.predictor.series(self.predictor.targets - self.predictor.fitted)

    @property
    def nobs(self) -> int:
        """Observations fitted."""
        return len(self.frame.y)

    @property
    def llf(self) -> float:
        """Gaussian log likelihood."""
        return self.chosen.fit.llf

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self.chosen.fit.aic

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return self.chosen.fit.bic

    @property
    def hqic(self) -> float:
        """Hannan and Quinn's criterion."""
        return self.chosen.fit.hqic

    @property
    def path(self) -> pd.DataFrame | None:
        """The path from which the penalty was chosen."""
        return self.chosen.table

    def extended(self, new: Any, exog: Any) -> "Results":
        """Return the same fit with later observations known."""
        return replace(self, predictor=self.predictor.extended(new, exog))


def fit_results(
    known: Observations, settings: Settings, choose: Callable[[LassoProblem], Selection] | None = None
) -> Results:
    """Fit an autoregression with given settings; O(n log n) per penalty tried.

    ``choose`` returns a solution of the problem, chosen before; without it the settings choose one.
    """
    settings = Settings(**settings.get_params())
    lags = settings.check()
    frame = lag_frame(known, lags)
    problem = LassoProblem(
        frame.x,
        frame.y,
        beta=0.0,
        architecture=settings.architecture,
        loss=settings.loss,
        skip=settings.skip,
        exog=frame.exog if frame.exog.shape[1] else None,
        fit_intercept=settings.trend == "c",
    )
    chosen = (choose or _selected_by(settings))(problem)
    solution = chosen.solution
    resid = frame.y - solution.fitted
    mean = conditional_mean(solution, frame, settings.extrapolation)
    # the residuals of a model without constant need not have mean zero
    shocks = resid - resid.mean()
    predictor = Predictor(known, lags, mean, solution.exog_coef, solution.fitted, shocks)
    return Results(frame, chosen, predictor, settings.trend, settings.skip, settings, len(known))


def _selected_by(settings: Settings) -> Callable[[LassoProblem], Selection]:
    return lambda problem: select(
        problem,
        settings.beta,
        settings.beta_ratio,
        tol=settings.tol,
        solver=settings.solver,
        extrapolation=settings.extrapolation,
    )
