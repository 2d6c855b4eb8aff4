"""What a fit leaves behind: the solution, the series it knows, and everything computed from the two."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.calendars import seasons
from cvxar.certificate import Certificate
from cvxar.deterministic import Deterministic, check_period
from cvxar.forecast import Predictor
from cvxar.incremental import IncrementalLasso
from cvxar.inference import Covariance
from cvxar.lags import LagFrame, lag_frame
from cvxar.losses import Loss
from cvxar.network import Breakpoint, Network
from cvxar.observations import Observations, first_of
from cvxar.parameters import free_coefficients, named, parameter_table, regime_table
from cvxar.problem import LassoProblem
from cvxar.selection import Selection, select
from cvxar.settings import Settings, Terms
from cvxar.simulation import conditional_mean
from cvxar.solution import Solution
from cvxar.transforms import Difference, Scale, fit_scale


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
    terms : Terms
        Which lags have a network.
    settings : Settings
        A copy of the arguments.
    count : int
        Observations known when it was fitted.
    """

    frame: LagFrame
    chosen: Selection
    predictor: Predictor
    terms: Terms
    settings: Settings
    count: int
    # sorted sums of the sample, kept to be extended by the next refit
    window: IncrementalLasso | None = field(default=None, repr=False, compare=False)
    # fits to parts of the sample, made when first needed; shared by all extensions of this fit
    parts: dict[Any, "Results"] = field(default_factory=dict, repr=False, compare=False)
    # errors of forecasts of what is known, measured when first needed; an extension knows more
    errors: dict[Any, Array] = field(default_factory=dict, repr=False, compare=False)

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
        names, mixing = self._named
        return pd.Series(mixing @ free_coefficients(self.solution), index=names, dtype=float)

    @cached_property
    def _named(self) -> tuple[list[str], Array]:
        predictor = self.predictor
        return named(
            self.solution,
            self.terms,
            predictor.deterministic,
            self.frame.names,
            predictor.known.exog_names,
        )

    @cached_property
    def covariance(self) -> Covariance:
        """Of all coefficients, conditional on the breakpoints."""
        return Covariance(self.solution)

    @cached_property
    def inference(self) -> pd.DataFrame:
        """Free linear parameters with their errors conditional on the breakpoints, z and p values."""
        return parameter_table(*self._named, self.covariance)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of ``params``, conditional on the breakpoints."""
        return self.inference["std_err"].rename(None)

    @property
    def tvalues(self) -> pd.Series:
        """Parameters over standard errors."""
        return self.inference["z"].rename(None)

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p values by the normal distribution."""
        return self.inference["pvalue"].rename(None)

    @cached_property
    def regimes(self) -> pd.DataFrame:
        """Linear pieces of every lag with a network: interval, slope, conditional error, observations."""
        tables = [
            regime_table(self.covariance, i, self.frame.x[:, j]).assign(lag=self.terms.lags[j])
            for i, j in enumerate(self.terms.curved)
        ]
        columns = ["lag", "from", "to", "slope", "std_err", "z", "pvalue", "nobs"]
        joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
        return joined[columns]

    @property
    def interpolates(self) -> bool:
        """Whether there are as many coefficients as observations, or more."""
        return self.covariance.size >= self.nobs

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
        """Log likelihood of errors with density proportional to ``exp(-loss / scale)``."""
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

    @property
    def fixed_transform(self) -> Any:
        """The transform with the parameters that were estimated."""
        scale = self.predictor.scale
        return Difference(scale.level) if scale.differenced else scale.level

    def part(self, count: int) -> "Results":
        """Return the same settings fitted to the first ``count`` observations; fitted once."""
        if count not in self.parts:
            # the fitted transform is kept, so that the errors of the part are on the scale of the whole
            settings = replace(self.settings, transform=self.fixed_transform)
            self.parts[count] = fit_results(first_of(self.predictor.known, count), settings)
        return self.parts[count]

    def extended(self, new: Any, exog: Any) -> "Results":
        """Return the same fit with later observations known."""
        return replace(self, predictor=self.predictor.extended(new, exog), errors={})


def fit_results(
    known: Observations, settings: Settings, choose: Callable[[LassoProblem], Selection] | None = None
) -> Results:
    """Fit an autoregression with given settings; O(n log n) per penalty tried.

    ``choose`` returns a solution of the problem, chosen before; without it the settings choose one.
    """
    settings = settings.kept()
    terms, deterministic, scale, frame, problem = prepare(known, settings)
    chosen = (choose or selected_by(settings))(problem)
    solution = chosen.solution
    resid = frame.y - solution.fitted
    predictor = Predictor(
        known,
        terms.lags,
        deterministic,
        scale,
        conditional_mean(solution, frame, settings.extrapolation, terms.curved),
        solution.exog_coef[len(terms.straight) :],
        frame.rows,
        solution.fitted,
        _shocks(resid, solution.problem.loss),
    )
    return Results(frame, chosen, predictor, terms, settings, len(known))


class Prepared(NamedTuple):
    """The regression of an autoregression, before a penalty is chosen."""

    terms: Terms
    deterministic: Deterministic
    scale: Scale
    frame: LagFrame
    problem: LassoProblem


def prepare(known: Observations, settings: Settings) -> Prepared:
    """Return the regression that the settings describe; O(n).

    Raises
    ------
    InputError, InputTypeError
        For settings or data that cannot be used.
    """
    terms, seasonal = settings.check(len(known)), bool(settings.seasonal)
    own = seasons(known.index) if seasonal and settings.period is None else None
    deterministic = Deterministic(settings.trend, check_period(settings.period, seasonal, own))
    scale = fit_scale(settings.transform, known.values)
    values = scale.forward(known.values)
    frame = lag_frame(replace(known, values=values), terms.lags, deterministic, terms.hold_back)
    return Prepared(terms, deterministic, scale, frame, regression(frame, terms, deterministic, settings))


def _shocks(resid: Array, loss: Loss) -> Array:
    """Residuals to resample: about a mean they are centred, about a quantile they are not.

    The residuals of a mean without constant need not have mean zero.
    """
    return resid - resid.mean() if loss.curvature > 0 else resid


def regression(
    frame: LagFrame, terms: Terms, deterministic: Deterministic, settings: Settings
) -> LassoProblem:
    """Return the Lasso of a lag frame: networks on the nonlinear lags, all else free."""
    free = np.hstack([frame.x[:, terms.straight], frame.exog])
    x = frame.x[:, terms.curved] if terms.straight else frame.x
    return LassoProblem(
        # without nonlinear lags: an input that never varies, of which no feature is of use
        x if x.shape[1] else np.zeros((len(x), 1)),
        frame.y,
        beta=0.0,
        architecture=settings.architecture,
        loss=settings.loss,
        skip=settings.skip and x.shape[1] > 0,
        exog=free if free.shape[1] else None,
        fit_intercept=deterministic.intercept,
    )


def selected_by(settings: Settings) -> Callable[[LassoProblem], Selection]:
    """Return the function that solves a problem at the penalty the settings give or choose."""
    return lambda problem: select(
        problem,
        settings.beta,
        settings.beta_ratio,
        tol=settings.tol,
        solver=settings.solver,
        extrapolation=settings.extrapolation,
    )
