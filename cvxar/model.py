"""``ConvexAR``: nonlinear autoregression by a network trained to its certified global optimum."""

import copy
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cvxar import architectures, losses
from cvxar.architectures import Architecture
from cvxar.certificate import Certificate
from cvxar.errors import InputError, NotFittedError, unknown_name
from cvxar.forecast import INTERVALS, N_PATHS, Paths, Predictor
from cvxar.lags import LagFrame, check_lags, lag_frame
from cvxar.losses import Loss
from cvxar.network import Breakpoint, Network
from cvxar.observations import Observations, observe
from cvxar.options import check_count, check_flag, check_levels, check_name, check_tolerance
from cvxar.problem import LassoProblem
from cvxar.selection import Selection, check_beta_choice, select
from cvxar.simulation import EXTRAPOLATIONS, conditional_mean
from cvxar.solver import SOLVERS, Solution
from cvxar.summary import summarise

TRENDS = ("n", "c")


class ConvexAR:
    r"""Additive nonlinear autoregression, trained as a Lasso to a certified global optimum.

    .. math:: y_t = c + \sum_{l \in \mathrm{lags}} \left[ \phi_l\, y_{t-l} + g_l(y_{t-l}) \right]
              + \gamma' \mathrm{exog}_t + e_t

    The constant, the linear terms :math:`\phi_l` (when ``skip``) and :math:`\gamma` are free; every
    :math:`g_l` is a parallel neural network on one lag, penalised by ``beta``. With ``skip`` and
    ``beta >= beta_max_`` the networks vanish and the model is statsmodels' ``AutoReg``.

    Parameters
    ----------
    lags : int or sequence of int, default 1
        ``p`` means lags 1 to p; a sequence means these lags.
    trend : {"c", "n"}, default "c"
        With or without the constant.
    seasonal, period
        Not available yet: leave at ``False`` and ``None``.
    architecture : str or Architecture, default "relu"
        Shape of the networks, see :mod:`cvxar.architectures`.
    loss : str or Loss, default "squared"
        See :mod:`cvxar.losses`.
    skip : bool, default True
        Free linear terms in every lag.
    beta : float or {"bic", "aic", "hqic"}, default "bic"
        Penalty in the units of the series squared, or the criterion that chooses it along a path
        that descends from ``beta_max_`` (degrees of freedom: active features and free columns).
    beta_ratio : float in (0, 1], optional
        Penalty as a share of ``beta_max_``, instead of ``beta``.
    transform
        Not available yet: leave at ``None``.
    extrapolation : {"ar", "network"}, default "ar"
        Beyond the training range of a lag, forecasts continue with the slope of the linear (AR) fit, or
        with the network's outermost slope. The network itself is the same.
    solver : {"auto", "osqp", "active-set"}, default "auto"
        See :func:`cvxar.solver.solve`.
    tol : float, default 1e-8
        Relative duality gap to reach.

    Attributes
    ----------
    network_ : Network
        The trained network; ``network_(x)`` for x of shape (n, p), exogenous part apart.
    certificate_ : Certificate
        Proof of its global optimality.
    beta_, beta_max_ : float
        Penalty used, and the smallest one at which the networks vanish.
    params_ : Series
        Free linear parameters, named as in ``AutoReg``: ``const``, ``close.L1``, exogenous names.
    fittedvalues_, resid_ : Series
        One-step fits and ``y - fitted``, from the first observation that has all its lags; after
        :meth:`append` also for the later observations.
    nobs_ : int
        Observations fitted, those lost to lags apart.
    llf_, aic_, bic_, hqic_ : float
        Gaussian log likelihood and criteria, by ``AutoReg``'s formulas.
    breakpoints_ : tuple of Breakpoint
        Kinks in data units; empty when the fit is linear.
    path_ : DataFrame or None
        The path from which ``beta`` was chosen: beta, beta_ratio, df, loss, rss, aic, bic, hqic,
        n_breakpoints, relative_gap. None when the penalty was given.

    Notes
    -----
    The series may have a ``DatetimeIndex`` with or without frequency, a ``PeriodIndex``, an integer index,
    or none. Gaps are allowed: positions count. Forecasts carry calendar stamps if the index has a
    frequency (or whole numbers in equal steps), and positions n, n + 1, ... otherwise.

    Examples
    --------
    A series that halves at every step:

    >>> from cvxar.model import ConvexAR
    >>> model = ConvexAR(lags=1, beta_ratio=1.0).fit([8.0, 4.0, 2.0, 1.0, 0.5])
    >>> model.params_.round(6).to_dict()
    {'const': 0.0, 'y.L1': 0.5}
    >>> model.forecast(2)["mean"].round(6).to_dict()
    {5: 0.25, 6: 0.125}
    """

    network_: Network
    certificate_: Certificate
    beta_: float
    beta_max_: float
    params_: pd.Series
    fittedvalues_: pd.Series
    resid_: pd.Series
    nobs_: int
    llf_: float
    aic_: float
    bic_: float
    hqic_: float
    breakpoints_: tuple[Breakpoint, ...]
    path_: pd.DataFrame | None
    _frame: LagFrame
    _predictor: Predictor

    def __init__(
        self,
        lags: int | Sequence[int] = 1,
        *,
        trend: str = "c",
        seasonal: bool = False,
        period: int | None = None,
        architecture: str | Architecture = "relu",
        loss: str | Loss = "squared",
        skip: bool = True,
        beta: float | str = "bic",
        beta_ratio: float | None = None,
        transform: Any = None,
        extrapolation: str = "ar",
        solver: str = "auto",
        tol: float = 1e-8,
    ) -> None:
        self.lags = lags
        self.trend = trend
        self.seasonal = seasonal
        self.period = period
        self.architecture = architecture
        self.loss = loss
        self.skip = skip
        self.beta = beta
        self.beta_ratio = beta_ratio
        self.transform = transform
        self.extrapolation = extrapolation
        self.solver = solver
        self.tol = tol

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments as a dictionary (``sklearn.clone`` works)."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> "ConvexAR":
        """Change constructor arguments; they take effect at the next ``fit``."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise unknown_name("parameter", name, known)
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = {k: v for k, v in self.get_params().items() if not _same(v, defaults[k].default)}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"

    def __getattr__(self, name: str) -> Any:
        # reached only for attributes that are not there
        if name in ConvexAR.__annotations__:
            what = "that" if name.startswith("_") else name
            raise NotFittedError(f"{what} needs a fitted model; call fit(series) first")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def fit(self, series: Any, exog: Any = None) -> "ConvexAR":
        """Fit to a series; O(n log n) per penalty tried.

        Parameters
        ----------
        series : Series, one-column DataFrame, array or sequence of n numbers
            In time order, at least ``max(lags) + 2``. It is copied, never altered.
        exog : Series, DataFrame or array (n,) or (n, q), optional
            Free linear columns, row t for observation t.

        Raises
        ------
        InputError, InputTypeError
            For arguments or data that cannot be used, before any work.
        """
        return self._fit(observe(series, exog), self._check_settings())

    def _fit(self, known: Observations, lags: tuple[int, ...]) -> "ConvexAR":
        frame = lag_frame(known, lags)
        problem = LassoProblem(
            frame.x,
            frame.y,
            beta=0.0,
            architecture=self.architecture,
            loss=self.loss,
            skip=self.skip,
            exog=frame.exog if frame.exog.shape[1] else None,
            fit_intercept=self.trend == "c",
        )
        selected = select(problem, self.beta, self.beta_ratio, tol=self.tol, solver=self.solver)
        self._adopt(known, frame, lags, selected)
        return self

    def _check_settings(self) -> tuple[int, ...]:
        """Raise for any argument that cannot be used; return the lags."""
        check_name("trend", self.trend, TRENDS)
        for name, only in (("seasonal", False), ("period", None), ("transform", None)):
            if getattr(self, name) is not only:
                raise InputError(f"{name}={getattr(self, name)!r} is not available; leave it at {only}")
        check_name("extrapolation", self.extrapolation, EXTRAPOLATIONS)
        check_name("solver", self.solver, SOLVERS)
        check_flag("skip", self.skip)
        check_tolerance(self.tol)
        architectures.get(self.architecture)
        losses.get(self.loss)
        check_beta_choice(self.beta, self.beta_ratio)
        return check_lags(self.lags)

    def _adopt(self, known: Observations, frame: LagFrame, lags: tuple[int, ...], chosen: Selection) -> None:
        """Store a solution under the names of the contract."""
        solution = chosen.solution
        resid = frame.y - solution.fitted
        mean = conditional_mean(solution, frame, self.extrapolation)
        # the residuals of a model without constant need not have mean zero
        shocks = resid - resid.mean()
        self._frame = frame
        self._predictor = Predictor(known, lags, mean, solution.exog_coef, solution.fitted, shocks)
        self.network_, self.certificate_ = solution.network, solution.certificate
        self.beta_, self.beta_max_ = solution.problem.beta, solution.problem.beta_max
        self.breakpoints_ = solution.network.breakpoints
        self.params_ = self._name_params(solution, frame, known)
        self.fittedvalues_ = self._predictor.series(solution.fitted)
        self.resid_ = self._predictor.series(resid)
        self.nobs_ = len(frame.y)
        self.llf_, self.aic_, self.bic_, self.hqic_ = chosen.fit
        self.path_ = chosen.table

    def _name_params(self, solution: Solution, frame: LagFrame, known: Observations) -> pd.Series:
        # lists, not dictionaries: an exogenous column may have the name of a lag
        names = [*(["const"] if self.trend == "c" else []), *(frame.names if self.skip else ())]
        const = [solution.intercept] if self.trend == "c" else []
        values = [*const, *(solution.linear if self.skip else ()), *solution.exog_coef]
        return pd.Series(values, index=[*names, *known.exog_names], dtype=float)

    def forecast(
        self,
        steps: int,
        *,
        exog: Any = None,
        level: float | Iterable[float] | None = None,
        method: str = "simulate",
        intervals: str = "bootstrap",
        n_paths: int = N_PATHS,
        rng: Any = None,
    ) -> pd.DataFrame:
        r"""Forecast the observations after the sample.

        .. math:: \hat y_{t+h} = \frac1M \sum_{i=1}^{M} f(y^{(i)}_{t+h-1}, \ldots), \qquad
                  y^{(i)}_{t+h} = f(y^{(i)}_{t+h-1}, \ldots) + e^{(i)}_{h}

        The shocks :math:`e` are centred training residuals, resampled. The mean does not depend on them at
        one step, nor for linear models at any step.

        Parameters
        ----------
        steps : int
            How many observations ahead, at least 1.
        exog : Series, DataFrame or array (steps,) or (steps, q)
            Future exogenous values; needed if and only if the model was fitted with some.
        level : number or sequence, optional
            Bands in per cent: 80 adds ``lower_80`` and ``upper_80``, between which 80 % of the simulated
            observations lie (uncertainty of the parameters not included).
        method : {"simulate", "iterate"}, default "simulate"
            "iterate" feeds the mean back instead of averaging over paths, which is biased for nonlinear
            models beyond one step. The bands are simulated either way.
        intervals : {"bootstrap"}
            How the bands are made.
        n_paths : int, default 1000
            Number of simulated paths, at least 2.
        rng : None, int or numpy.random.Generator
            Seed of the resampling.

        Returns
        -------
        DataFrame
            Column ``mean``, then a lower and an upper column per level. Index: the future stamps if the
            index of the series has a frequency, otherwise the positions n, n + 1, ...

        Raises
        ------
        InputError
            For steps below 1, a level outside [1, 100), exogenous values missing or of another length.

        Examples
        --------
        >>> model = ConvexAR(beta_ratio=1.0).fit([1.0, -1.0, 1.0, -1.0, 1.0])
        >>> model.forecast(2, level=80, rng=0).round(6).to_numpy().tolist()
        [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]
        """
        steps, levels = check_count(steps, "steps"), check_levels(level)
        check_name("intervals", intervals, INTERVALS)
        return self._predictor.forecast(steps, exog, levels, Paths(method, n_paths, rng))

    def predict(
        self,
        start: Any = None,
        end: Any = None,
        *,
        dynamic: bool = False,
        exog: Any = None,
        method: str = "simulate",
        rng: Any = 0,
    ) -> pd.Series:
        """Predict a stretch of the sample one step ahead, and what lies after it as :meth:`forecast` does.

        Parameters
        ----------
        start, end : label or position, optional
            First and last observation, both included; default: the whole sample. Whole numbers are
            positions, or labels if the index holds whole numbers. ``end`` may lie after the sample.
        dynamic : bool, default False
            True uses no observation from ``start`` on: predictions are forecasts made just before it.
        exog : Series, DataFrame or array
            Exogenous values of the steps after the sample.
        method, rng
            As in :meth:`forecast`, for the forecasts among the predictions. The fixed seed makes two
            calls agree.

        Returns
        -------
        Series
            NaN for the first ``max(lags)`` observations, which have no lags to be predicted from (as
            ``AutoReg`` does); one-step fits within the sample; means of forecasts after it.

        Examples
        --------
        >>> model = ConvexAR(beta_ratio=1.0).fit([8.0, 4.0, 2.0, 1.0])
        >>> model.predict(1, 4).round(6).to_dict()
        {1: 4.0, 2: 2.0, 3: 1.0, 4: 0.5}
        """
        check_flag("dynamic", dynamic)
        return self._predictor.predict(start, end, dynamic, exog, Paths(method, rng=rng))

    def append(self, new: Any, refit: bool = False, *, exog: Any = None) -> "ConvexAR":
        """Return a model that also knows later observations; this one is unchanged.

        Parameters
        ----------
        new : Series, array, sequence or number
            Observations after the last one known. A Series must have later stamps; plain values continue the
            calendar of the index.
        refit : bool, default False
            Refit with the same settings to the longer sample. Otherwise parameters, certificate,
            criteria, ``nobs_`` and the residuals that are resampled stay those of the fit, and only the state
            moves: forecasts start later, ``fittedvalues_`` and ``resid_`` grow.
        exog : optional
            Exogenous values of the new observations; needed if the model was fitted with some.

        Examples
        --------
        >>> model = ConvexAR(beta_ratio=1.0).fit([8.0, 4.0, 2.0, 1.0])
        >>> model.append([0.5]).forecast(1)["mean"].round(6).to_dict()
        {5: 0.25}
        """
        predictor = self._predictor.extended(new, exog)
        if refit:
            return type(self)(**self.get_params())._fit(predictor.known, self._check_settings())
        other = copy.copy(self)
        other._predictor = predictor
        other.fittedvalues_ = predictor.series(predictor.fitted)
        other.resid_ = predictor.series(predictor.known.values[predictor.lags[-1] :] - predictor.fitted)
        return other

    def summary(self) -> Any:
        """Return a statsmodels-style summary; print it, or use its ``as_text`` or ``as_html``.

        Sample, penalty, certificate, linear parameters, and for every lag its regimes: intervals
        in data units with their slopes.
        """
        return summarise(self, self._frame, self._predictor.lags)


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
