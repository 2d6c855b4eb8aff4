"""``ConvexAR``: nonlinear autoregression by a network trained to its certified global optimum."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self

import pandas as pd

from cvxar._typing import Array
from cvxar.fitted import Fitted
from cvxar.forecast import N_PATHS, Paths
from cvxar.intervals import forecast
from cvxar.observations import observe
from cvxar.options import check_count, check_levels
from cvxar.persistence import read_models, write_models
from cvxar.refit import refit as refit_results
from cvxar.results import Results, fit_results
from cvxar.results_plots import draw_forecast
from cvxar.sliding import SlidingFits, can_slide


@dataclass(eq=False, repr=False)  # no fields of its own: errors about arguments name this class
class ConvexAR(Fitted):
    r"""Additive nonlinear autoregression, trained as a Lasso to a certified global optimum.

    .. math:: y_t = d_t + \sum_{l \in \mathrm{lags}} \left[ \phi_l\, y_{t-l} + g_l(y_{t-l}) \right]
              + \gamma' \mathrm{exog}_t + e_t

    The constant, trend and seasons :math:`d_t`, the linear terms :math:`\phi_l` and :math:`\gamma` are free;
    every :math:`g_l` is a parallel neural network on one lag, penalised by ``beta``. With ``skip`` and
    ``beta >= beta_max_`` the networks vanish and the model is statsmodels' ``AutoReg``.

    Parameters
    ----------
    lags : int, sequence of int or None, default 1
        ``p`` means lags 1 to p; a sequence means these lags; None or 0 none.
    trend : {"c", "n", "t", "ct", "ctt"}, default "c"
        Constant, none, time, both, and time squared as well; time is 1 at the first observation.
    seasonal : bool, default False
        A free dummy for every season but the first (every one if there is no constant).
    period : int, optional
        Number of seasons, if the frequency of the index does not say it.
    architecture : str or Architecture, default "relu"
        Shape of the networks, see :mod:`cvxar.architectures`.
    loss : str or Loss, default "squared"
        See :mod:`cvxar.losses`. With a quantile loss fitted values and the one-step forecast are that
        quantile; further ahead it is averaged over simulated paths, whose shocks are the residuals, not
        centred. Several quantiles that do not cross: :class:`cvxar.QuantileAR`.
    skip : bool, default True
        Free linear terms in every lag that has a network (the others have one anyway).
    beta : float or {"bic", "aic", "hqic", "cv", "cv1se"}, default "bic"
        Penalty in the units of the series squared, or what chooses it along a path that descends from
        ``beta_max_``: a criterion (degrees of freedom: active features and free columns), or the
        smallest loss in expanding-window cross-validation (:mod:`cvxar.cross_validation`; ``"cv1se"``: the
        largest penalty within one standard error of it).
    beta_ratio : float in (0, 1], optional
        Penalty as a share of ``beta_max_``, instead of ``beta``.
    transform : {None, "log", "sqrt", "boxcox", "diff", "logdiff"} or object, optional
        The model is fitted to the transformed series, and forecasts are of the series itself, inverted
        path by path. An object has ``apply`` and ``invert``, see :mod:`cvxar.transforms`. Parameters,
        ``fittedvalues_``, ``resid_``, likelihood and criteria are those of the transformed series.
    extrapolation : {"ar", "network"}, default "ar"
        Beyond the training range of a lag, forecasts continue with the slope of the linear (AR) fit, or
        with the network's outermost slope. The network itself is the same.
    solver : {"auto", "osqp", "active-set"}, default "auto"
        See :func:`cvxar.solver.solve`.
    tol : float, default 1e-8
        Relative duality gap to reach.
    nonlinear_lags : int or sequence of int, optional
        The lags that have a network; all by default.
    hold_back : int, optional
        Observations left out at the start, at least the longest lag (its default): the same number for
        several models makes their criteria comparable.

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
    bse_, tvalues_, pvalues_ : Series
        Their standard errors, ratios and p values, conditional on the selected breakpoints
        (:mod:`cvxar.inference`); NaN where there are as many coefficients as observations, and for
        columns that are collinear, which ``summary()`` names.
    regimes_ : DataFrame
        Linear pieces of every lag with a network: lag, from, to, slope, std_err, z, pvalue
        (conditional likewise), nobs.
    fittedvalues_, resid_ : Series
        One-step fits and ``y - fitted`` of the observations that are known with all their lags; after
        :meth:`append` also for the later ones.
    nobs_ : int
        Observations fitted, those lost to lags apart.
    llf_, aic_, bic_, hqic_ : float
        Log likelihood and criteria: Gaussian by ``AutoReg``'s formulas; for other losses that of errors
        with density proportional to ``exp(-loss / scale)`` (Laplace, Huber).
    breakpoints_ : tuple of Breakpoint
        Kinks in data units; empty when the fit is linear.
    path_ : DataFrame or None
        The path from which ``beta`` was chosen: beta, beta_ratio, df, loss, rss, aic, bic, hqic,
        n_breakpoints, relative_gap; after cross-validation also cv_loss (mean loss per observation) and
        cv_se, its standard error over the folds. None when the penalty was given.

    Notes
    -----
    Missing observations (NaN) are allowed; rows in which one occurs are left out of the fit, and time is
    never compressed: a stamp that the calendar has and the series has not is a missing observation. The
    calendar is the frequency of the index, or can be read off evenly spaced stamps with some gaps
    (:func:`cvxar.calendars.complete`). Without one, observations are counted. Forecasts carry
    calendar stamps, or positions n, n + 1, ...; if recent observations are missing, every path is
    simulated from the last complete lags through what is known since.

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

    def fit(self, series: Any, exog: Any = None) -> "ConvexAR":
        """Fit to a series; O(n log n) per penalty tried.

        Parameters
        ----------
        series : Series, one-column DataFrame, array or sequence of n numbers
            In time order, NaN where missing, at least ``max(lags) + 2``. It is copied, never altered.
        exog : Series, DataFrame or array (n,) or (n, q), optional
            Free linear columns, row t for observation t, NaN where missing. No two names in ``params_`` may
            be the same: rename a column "const" or "y.L1", for example, that is not the model's own.

        Raises
        ------
        InputError, InputTypeError
            For arguments or data that cannot be used, before any work.
        """
        self._results = fit_results(observe(series, exog, gaps=True), self)
        return self

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

        The shocks :math:`e` are centred training residuals, resampled, or normal. The mean does not
        depend on them at one step, nor for linear models at any step. Of a transformed series every path
        is inverted, and the mean is that of the inverted paths.

        Parameters
        ----------
        steps : int
            How many observations ahead, at least 1.
        exog : Series, DataFrame or array (steps,) or (steps, q)
            Future exogenous values; needed if and only if the model was fitted with some.
        level : number or sequence, optional
            Bands in per cent: 80 adds ``lower_80`` and ``upper_80``. Nested, and around the mean.
        method : {"simulate", "iterate"}, default "simulate"
            "iterate" feeds the mean back instead of averaging over paths, which is biased for nonlinear
            models beyond one step. The bands are simulated either way.
        intervals : {"bootstrap", "gaussian", "conformal", "quantile"}, default "bootstrap"
            How the bands are made. "bootstrap": central quantiles of paths driven by resampled residuals.
            "gaussian": of paths driven by normal shocks; for a linear model the formula of ``AutoReg``.
            "conformal": errors of forecasts from held-back origins, by horizon
            (:mod:`cvxar.conformal`); a level needs ``level / (100 - level)`` origins, a third of the
            sample. "quantile": a network of its own for each end and step
            (:mod:`cvxar.direct_quantiles`), whose width depends on the lags. All but "conformal" leave
            out the uncertainty of the parameters. All work on the scale of the transform.
        n_paths : int, default 1000
            Number of simulated paths, at least 2.
        rng : None, int or numpy.random.Generator
            Seed of the shocks.

        Returns
        -------
        DataFrame
            Column ``mean``, then a lower and an upper column per level. Index: the future stamps if the
            index of the series has a calendar (declared with ``series.asfreq("B")``, or read off its stamps),
            otherwise the positions n, n + 1, ...

        Raises
        ------
        InputError
            For steps below 1, a level outside [1, 100), exogenous values missing or of another length, an
            unknown kind of interval, too few observations to calibrate (with the number needed).

        Examples
        --------
        >>> model = ConvexAR(beta_ratio=1.0).fit([1.0, -1.0, 1.0, -1.0, 1.0])
        >>> model.forecast(2, level=80, rng=0).round(6).to_numpy().tolist()
        [[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]
        """
        steps, levels = check_count(steps, "steps"), check_levels(level)
        return forecast(self._results, steps, exog, levels, intervals, Paths(method, n_paths, rng))

    def predict(
        self,
        start: Any = None,
        end: Any = None,
        *,
        dynamic: Any = False,
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
        dynamic : bool, int or label, default False
            True uses no observation from ``start`` on: predictions are forecasts made just before it. A
            whole number means so many after ``start`` (also if the index holds whole numbers) and not beyond
            ``end``, a label the observation from which on none is used.
        exog : Series, DataFrame or array
            Exogenous values of the steps after the sample.
        method, rng
            As in :meth:`forecast`, for the forecasts among the predictions. The fixed seed makes two
            calls agree.

        Returns
        -------
        Series
            In the units of the series: one-step means within the sample, NaN where a lag is missing (as
            for the first ``max(lags)`` observations); means of forecasts after it. Its index is a stretch of
            that of the series, continued by its calendar. If ``end`` lies after the sample and there is no
            calendar (days without weekends, irregular stamps), it is the positions instead, with a
            :class:`cvxar.errors.CalendarWarning`. ``series.asfreq("B")`` before :meth:`fit` declares
            business days, of which holidays are missing observations.

        Examples
        --------
        >>> model = ConvexAR(beta_ratio=1.0).fit([8.0, 4.0, 2.0, 1.0])
        >>> model.predict(1, 4).round(6).to_dict()
        {1: 4.0, 2: 2.0, 3: 1.0, 4: 0.5}
        """
        return self._results.predictor.predict(start, end, dynamic, exog, Paths(method, rng=rng))

    def append(self, new: Any, refit: bool = False, *, exog: Any = None) -> "ConvexAR":
        """Return a model that also knows later observations; this one is unchanged.

        Parameters
        ----------
        new : Series, array, sequence or number
            Observations after the last one known, NaN where missing. A Series must have later stamps of
            the same calendar, those passed over being missing; plain values continue the calendar. Without
            a calendar a Series is needed, and its rows are the next observations, however far away.
        refit : bool, default False
            Refit with the same settings to the longer sample, from the last solution where that is
            possible (:mod:`cvxar.refit`). Otherwise parameters, certificate,
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
        results = self._results.extended(new, exog)
        other = copy.copy(self)
        other._results = refit_results(self._results, results.predictor.known, self) if refit else results
        return other

    def rolling_fits(self, values: Array) -> SlidingFits | None:
        """Return fits to moving windows that start from one another, or None for settings that have none.

        For backtests (see :mod:`cvxar.sliding`); the numbers are those of ``fit`` and ``forecast(1)``.
        """
        return SlidingFits(self, values, copy.copy(self).fit) if can_slide(self) else None

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted model as one file, which :meth:`load` reads; completely or not at all.

        The file holds arguments, series and solution, as JSON and arrays (see :mod:`cvxar.persistence`);
        no code and no pickle.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        InputError
            If the file cannot be written, or the model has an argument or an index that a file cannot hold
            (an object of a class of your own).

        Examples
        --------
        >>> import tempfile
        >>> model = ConvexAR(beta_ratio=1.0).fit([8.0, 4.0, 2.0, 1.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/halves.cvxar")
        ...     again = ConvexAR.load(f"{folder}/halves.cvxar")
        >>> again, again.forecast(1)["mean"].round(6).to_dict()
        (ConvexAR(beta_ratio=1.0), {4: 0.5})
        """
        write_models(path, "ConvexAR", [self._results])

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model that :meth:`save` wrote; it forecasts what the saved one does, to the last bit.

        Nothing in the file is executed, and its certificate is not believed: ``certificate_`` is recomputed
        from the series and the coefficients (one search of the dictionary).

        Raises
        ------
        ModelFileError
            If the file is missing, truncated, damaged, not written by :meth:`save`, or of a later version.
        """
        return cls._of(read_models(path, "ConvexAR")[0])

    @classmethod
    def _of(cls, results: Results) -> Self:
        model = cls(**results.settings.get_params())
        model._results = results
        return model

    def plot_forecast(
        self,
        steps: int,
        ax: Any = None,
        *,
        level: float | Iterable[float] = (50, 80, 95),
        exog: Any = None,
        intervals: str = "bootstrap",
        rng: Any = 0,
        history: int | None = None,
    ) -> Any:
        """Draw the last observations and a fan of forecasts; return the axes. Needs matplotlib.

        Parameters
        ----------
        steps, level, exog, intervals, rng
            As in :meth:`forecast`.
        ax : matplotlib Axes, optional
            Made when not given.
        history : int, optional
            How many observations to show; by default four times as many as steps, at least 40.
        """
        shown = None if history is None else check_count(history, "history")
        table = self.forecast(steps, exog=exog, level=level, intervals=intervals, rng=rng)
        return draw_forecast(self._results, table, shown, ax)
